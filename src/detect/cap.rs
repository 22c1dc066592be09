//! A user's rule may match everything: of each, only the first matches in a content are kept.
//!
//! Those are the first by place, whichever way the content is searched. A block keeps one more of a rule than a content may have, so that
//! it shows that there are more; what it leaves out lies behind all that can be kept.

use std::collections::HashMap;

use super::{RawMatch, matcher::Detector};
use crate::rule::Origin;

/// So many matches of one of the user's rules are kept in one content.
pub const MOST_MATCHES: usize = 1000;

/// How many matches of a rule a search keeps, and how many it has.
#[derive(Debug, Default)]
pub(super) struct Counts {
    of: Vec<usize>,
    /// Rules of which something was found: few are, and only these have to be forgotten.
    found: Vec<usize>,
}

impl Counts {
    /// Nothing was found yet.
    pub(super) fn clear(&mut self) {
        for rule in self.found.drain(..) {
            self.of[rule] = 0;
        }
    }

    /// Whether enough was found.
    pub(super) fn is_full(&self, rule: usize) -> bool {
        self.of.get(rule).is_some_and(|count| *count > MOST_MATCHES)
    }

    /// One more was found.
    pub(super) fn add(&mut self, rule: usize) {
        if self.of.len() <= rule {
            self.of.resize(rule + 1, 0);
        }
        if self.of[rule] == 0 {
            self.found.push(rule);
        }
        self.of[rule] += 1;
    }
}

impl Detector {
    /// Whether the matches of a rule are counted: it is a user's.
    pub(super) fn is_capped(&self, rule: usize) -> bool {
        self.rules[rule].rule.origin == Origin::User
    }

    /// Whether some rule has more matches than are kept.
    pub(super) fn is_over(&self, matches: &[RawMatch]) -> bool {
        let mut counts = Counts::default();
        matches.len() > MOST_MATCHES
            && matches.iter().filter(|found| found.known.is_none() && self.is_capped(found.rule)).any(
                |found| {
                    counts.add(found.rule);
                    counts.is_full(found.rule)
                },
            )
    }

    /// Leaves out what is too much. The matches are in the order of places.
    pub(super) fn cut_off(&self, matches: &mut Vec<RawMatch>) {
        if !self.is_over(matches) {
            return;
        }
        let mut kept: HashMap<usize, (usize, usize)> = HashMap::new();
        let mut cut = Vec::new();
        let mut index = 0;
        matches.retain(|found| {
            if found.known.is_some() || !self.is_capped(found.rule) {
                index += 1;
                return true;
            }
            let (count, last) = kept.entry(found.rule).or_default();
            *count += 1;
            if *count > MOST_MATCHES {
                cut.push(*last);
                return false;
            }
            *last = index;
            index += 1;
            true
        });
        for last in cut {
            matches[last].is_last = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        model::Segment,
        rule::{Extends, RulePack},
    };

    fn detector(regexes: &[&str]) -> Detector {
        let rule =
            |(index, regex): (usize, &&str)| format!("[[rules]]\nid = 'r{index}'\nregex = '''{regex}'''\n");
        let text: String = regexes.iter().enumerate().map(rule).collect();
        Detector::new(RulePack::parse(&text, Path::new("own.toml"), Extends::Refused).unwrap().rules).unwrap()
    }

    /// Where matches start, with whether the rule has more.
    fn starts(matches: &[RawMatch]) -> Vec<(u64, bool)> {
        matches.iter().map(|found| (found.span.start, found.is_last)).collect()
    }

    #[test]
    fn a_rule_that_matches_everything_is_cut_off_and_says_so() {
        for regex in [".", "(?s).", r"[a-z ]", "abc[^q]?"] {
            let detector = detector(&[regex]);
            let text = b"abc ".repeat(270_000);
            let found = detector.scan(&text.as_slice()).unwrap();
            assert_eq!(found.len(), MOST_MATCHES, "{regex}");
            assert_eq!(found.iter().filter(|one| one.is_last).count(), 1, "{regex}");
            assert!(found[MOST_MATCHES - 1].is_last, "{regex}");
        }
        let exactly = b"abc\n".repeat(MOST_MATCHES);
        let found = detector(&["abc"]).scan(&exactly.as_slice()).unwrap();
        assert_eq!((found.len(), found.iter().any(|one| one.is_last)), (MOST_MATCHES, false));
    }

    #[test]
    fn other_rules_keep_all_of_their_matches() {
        let detector = detector(&["[a-z]", "rare_[0-9]{4}"]);
        let mut text = b"abc ".repeat(5_000);
        text.extend_from_slice(b"rare_1234 ".repeat(3).as_slice());
        let found = detector.scan(&text.as_slice()).unwrap();
        assert_eq!(found.iter().filter(|one| one.rule == 1).count(), 3);
    }

    #[test]
    fn a_version_made_from_one_that_was_cut_off_has_all_that_is_its_own() {
        let detector = detector(&["abc[0-9]", "xyz[0-9]"]);
        let mut tracer = detector.tracer();
        let base = [b"abc1 ".repeat(3_000), b"xyz1 ".repeat(900)].concat();
        let trace = tracer.trace(&base);
        assert_eq!(starts(&tracer.matches(&base, &trace)), starts(&detector.scan(&base.as_slice()).unwrap()));
        // Most of what filled the base goes; what lay behind its cap comes up.
        let text = base[5 * 2_500..].to_vec();
        let copied = [Segment { start: 0, len: text.len(), source: Some(5 * 2_500) }];
        let next = tracer.retrace(&text, &trace, &copied);
        let found = tracer.matches(&text, &next);
        assert_eq!(starts(&found), starts(&detector.scan(&text.as_slice()).unwrap()));
        assert_eq!(found.len(), 500 + 900);
        // And the other way: a version that grows beyond it.
        let grown = [text.clone(), text.clone()].concat();
        let segments = [
            Segment { start: 0, len: text.len(), source: Some(0) },
            Segment { start: text.len(), len: text.len(), source: None },
        ];
        let last = tracer.retrace(&grown, &next, &segments);
        let found = tracer.matches(&grown, &last);
        assert_eq!(starts(&found), starts(&detector.scan(&grown.as_slice()).unwrap()));
    }

    #[test]
    fn a_keyword_a_million_times_comes_to_an_end() {
        let detector = detector(&["acme_[0-9a-f]{32}", "(?s)acme_.*?END", "[a-z]{3}_x"]);
        let text = b"acme_".repeat(1_000_000);
        assert!(detector.scan(&text.as_slice()).unwrap().is_empty());
    }
}
