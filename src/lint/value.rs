//! Values made from a rule's own pattern: whether it finds them, and if not, why.

use super::{GLOBAL, Level, LintError, Remark, remark};
use crate::{
    detect::Detector,
    model::Suppression,
    rule::{Allowlist, Detection, Rule, Templater},
    triage::{Policy, Triage},
};

/// So many values of each rule are tried.
const TRIES: u64 = 24;

pub(super) fn look(own: &[&Rule], global: &[Allowlist], remarks: &mut Vec<Remark>) -> Result<(), LintError> {
    let rules: Vec<Rule> = own.iter().map(|rule| Rule { required: Vec::new(), ..(*rule).clone() }).collect();
    let detector = Detector::new(rules)?;
    let policy = Policy { allowlists: global.to_vec(), ..Policy::default() };
    let triage = Triage::new(&detector, policy)?;
    for (index, rule) in own.iter().enumerate() {
        if matches!(rule.detection, Detection::Content(_)) {
            let seen = Seen::of(index, rule, &triage);
            seen.say(rule, remarks);
        }
    }
    Ok(())
}

/// What became of the values of a rule.
#[derive(Default)]
struct Seen {
    tried: u64,
    /// Matched with the secret that they were made with, whatever came of it.
    matched: u64,
    /// Of those, kept out by the rule's allowlists, and by global ones.
    hidden: u64,
    hidden_by_global: u64,
    /// The greatest entropy of a secret.
    entropy: f32,
    /// The match itself holds one of the rule's keywords.
    with_keyword: u64,
}

impl Seen {
    fn of(index: usize, rule: &Rule, triage: &Triage<'_>) -> Self {
        let templater = Templater::new(rule);
        let mut seen = Self::default();
        for seed in 0..TRIES {
            let Some(text) = templater.any_match(seed) else { continue };
            seen.tried += 1;
            let lower = text.to_ascii_lowercase();
            let holds = |keyword: &String| memchr::memmem::find(&lower, keyword.as_bytes()).is_some();
            seen.with_keyword += u64::from(rule.keywords.iter().any(holds));
            if let Some(secret) = templater.any_secret(seed) {
                seen.entropy = seen.entropy.max(entropy::shannon_entropy(&secret));
            }
            // By turns alone in its file and in a line of its own. The keyword may stand anywhere.
            let around: &[u8] = if seed % 2 == 0 { b"" } else { b"\n" };
            let keyword = rule.gates.first().map(|gate| format!("\n{gate}")).unwrap_or_default();
            let page = [around, text.as_slice(), keyword.as_bytes(), around].concat();
            let Ok(matches) = triage.detector().scan(&page.as_slice()) else { continue };
            seen.matched += u64::from(matches.iter().any(|found| found.rule == index));
            let path = templater.path(seed);
            let Ok(sightings) = triage.judge(&page.as_slice(), &path, matches) else { continue };
            let mut own = sightings.iter().filter(|sighting| sighting.rule == index);
            match own.next().and_then(|sighting| sighting.suppression) {
                Some(Suppression::RuleAllowlist) => seen.hidden += 1,
                Some(Suppression::GlobalAllowlist) => seen.hidden_by_global += 1,
                _ => {}
            }
        }
        seen
    }

    fn say(&self, rule: &Rule, remarks: &mut Vec<Remark>) {
        if self.tried == 0 {
            return;
        }
        if self.matched == 0 {
            remarks.push(self.never(rule));
        } else if self.hidden == self.matched {
            let what = "its own allowlists hide every value that was made from its pattern";
            let advice = "make the allowlist narrower, or anchor its regexes with ^ and $";
            remarks.push(remark(rule, Level::Error, "allowlist-hides-all", what, advice));
        } else if self.hidden + self.hidden_by_global == self.matched {
            let what = format!(
                "the global allowlists hide every value that was made from the pattern of `{}`",
                rule.id
            );
            let advice = "make the allowlist narrower, or name the rules that it is for in `targetRules`";
            remarks.push(Remark {
                rule: GLOBAL.to_owned(),
                ..remark(rule, Level::Error, "allowlist-hides-all", what, advice)
            });
        }
        if self.with_keyword == 0 && !rule.gates.is_empty() {
            remarks.push(remark(
                rule,
                Level::Warning,
                "far-keyword",
                "no match holds one of its keywords: it finds something only where one stands elsewhere in the same file",
                "put the keyword into the pattern, or take it out of `keywords`",
            ));
        }
    }

    /// Why nothing was matched.
    fn never(&self, rule: &Rule) -> Remark {
        match rule.entropy {
            Some(least) if self.entropy <= least => remark(
                rule,
                Level::Error,
                "entropy-out-of-reach",
                format!(
                    "values of the pattern have an entropy of at most {:.2} bits per character, and more than {least} is asked for",
                    self.entropy
                ),
                "lower `entropy`, or let the pattern take longer values",
            ),
            _ => remark(
                rule,
                Level::Warning,
                "never-matches",
                "of all values that were made from its pattern it finds none: an anchor or a word boundary may stand where nothing can",
                "try it on a real line with `hekate scan - --rules FILE`",
            ),
        }
    }
}
