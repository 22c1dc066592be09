//! Clusters: hits of one rule whose reaches overlap, and the matches in them.
//!
//! The matches of a cluster are what the regex finds in its span, non-overlapping from its left edge. This is the only matching semantics:
//! results depend on bytes within a known distance, and time is linear however often a keyword repeats.

use std::ops::{Range, RangeInclusive};

use memchr::{memchr, memrchr};
use regex_automata::{Input, util::primitives::NonMaxUsize};

use super::{
    backtrack::{self, Outcome},
    block::Window,
    explain::Refused,
    judge::judge,
    matcher::{Detector, Pass, Scratch},
};
use crate::rule::{Reach, Search};

/// What one attempt may take of a block's steps.
const ATTEMPT_STEPS: usize = 1 << 14;
/// What a gate may take; behind it there is more.
const GATE_STEPS: usize = 1 << 10;

/// Joins hits (literal spans in the order of their starts) into the spans that the regex has to look at; each comes with the range of
/// its hits.
pub(super) fn clusters(
    bytes: &[u8],
    reach: Reach,
    hits: &[Range<usize>],
    mut search: impl FnMut(Range<usize>, Range<usize>),
) {
    let mut open: Option<Range<usize>> = None;
    let mut first = 0;
    for (index, hit) in hits.iter().enumerate() {
        let span = span_of(bytes, reach, hit);
        match &mut open {
            Some(cluster) if span.start < cluster.end => cluster.end = cluster.end.max(span.end),
            _ => {
                if let Some(done) = open.replace(span) {
                    search(done, first..index);
                }
                first = index;
            }
        }
    }
    if let Some(last) = open {
        search(last, first..hits.len());
    }
}

/// A hit with its reach on both sides, cut at the line's ends where no match goes beyond them.
fn span_of(bytes: &[u8], reach: Reach, hit: &Range<usize>) -> Range<usize> {
    let start = hit.start.saturating_sub(reach.before);
    let end = bytes.len().min(hit.end + reach.after);
    if !reach.within_line {
        return start..end;
    }
    let line_start = memrchr(b'\n', &bytes[start..hit.start]).map_or(start, |newline| start + newline + 1);
    let line_end = memchr(b'\n', &bytes[hit.end..end]).map_or(end, |newline| hit.end + newline);
    line_start..line_end
}

impl Detector {
    /// Whether a match may stand around the hit: what has to match from its literal on does. Without a gate, it may.
    fn passes_gate(&self, rule: usize, bytes: &[u8], hit: &Range<usize>, scratch: &mut Scratch) -> bool {
        let Some(gate) = self.rules[rule].gate() else { return true };
        let end = bytes.len().min(hit.start + Search::GATE_REACH);
        let mut steps = GATE_STEPS;
        // Without its groups: that there is a match is enough.
        backtrack::find(gate, (bytes, end), hit.start..=hit.start, &mut [], (&mut scratch.stack, &mut steps))
            != Outcome::None
    }

    /// Finds a rule's matches in a cluster.
    ///
    /// Every match has a hit in it, and begins no farther before that than the rule reaches: it is looked for from these places only, where
    /// a hit passes the gate. That finds what a search of the whole cluster does.
    pub(super) fn search_cluster(
        &self,
        rule: usize,
        span: Range<usize>,
        hits: &[Range<usize>],
        pass: &mut Pass<'_>,
    ) {
        let before = self.rules[rule].pattern().search.reach().before;
        let Some(last) = hits.last() else { return };
        let mut at = span.start;
        for hit in hits {
            let first = at.max(hit.start.saturating_sub(before));
            // At the literal itself the pattern says more than a gate.
            let is_tried = first <= hit.start
                && (before == 0 || self.passes_gate(rule, pass.window.bytes, hit, pass.scratch));
            if !is_tried {
                continue;
            }
            at = first;
            while at <= hit.start && !pass.scratch.counts.is_full(rule) {
                match self.try_starts(rule, at..=hit.start, span.end, (pass.window.bytes, pass.scratch)) {
                    Outcome::Match => at = self.judge_found(rule, pass),
                    Outcome::None => at = hit.start + 1,
                    Outcome::Undecided => return self.search(rule, at..span.end, last.start, pass),
                }
            }
        }
    }

    /// Tries the program at some places, for as many steps as it may.
    fn try_starts(
        &self,
        rule: usize,
        starts: RangeInclusive<usize>,
        end: usize,
        (bytes, scratch): (&[u8], &mut Scratch),
    ) -> Outcome {
        let Scratch { slots, stack, steps, .. } = scratch;
        let Some(program) = self.rules[rule].program() else { return Outcome::Undecided };
        // An attempt clears them.
        slots.resize(program.slots, None);
        let most = ATTEMPT_STEPS.min(*steps);
        let mut left = most;
        let outcome = backtrack::find(program, (bytes, end), starts, slots, (stack, &mut left));
        *steps -= most - left;
        outcome
    }

    /// Runs a rule's regex over a span of the window, as far as matches begin no later than at `last`.
    pub(super) fn search(&self, rule: usize, span: Range<usize>, last: usize, pass: &mut Pass<'_>) {
        let machine = &self.rules[rule];
        let regex = machine.regex();
        let mut input = Input::new(pass.window.bytes).span(span);
        while !pass.scratch.counts.is_full(rule) {
            let Scratch { slots, regexes, .. } = &mut *pass.scratch;
            regexes.resize_with(self.rules.len(), || None);
            let cache = regexes[rule].get_or_insert_with(|| Box::new(regex.create_cache()));
            slots.clear();
            slots.resize(regex.group_info().slot_len(), None);
            let is_match = regex.search_slots_with(cache, &input, slots).is_some();
            if !is_match || group(slots, 0).is_none_or(|found| found.start > last) {
                return;
            }
            // No rule matches the empty string, so this moves on.
            input.set_start(self.judge_found(rule, pass));
        }
    }

    /// Judges the match that is in the slots; returns where to go on.
    fn judge_found(&self, rule: usize, pass: &mut Pass<'_>) -> usize {
        let scratch = &mut *pass.scratch;
        let compiled = &self.rules[rule].rule;
        let Window { bytes, base, .. } = *pass.window;
        let whole = group(&scratch.slots, 0).expect("a match has a place");
        let mut range = whole.clone();
        let mut secret = secret_group(&scratch.slots, compiled.secret_group).unwrap_or(whole.clone());
        if self.is_capped(rule) {
            (range, secret) = without_line_ends(bytes, range, secret);
        }
        let judged = judge((rule, compiled), bytes, base, range.clone(), secret.clone());
        if let (Err(why), Some(refused)) = (&judged, &mut scratch.refused) {
            refused.push(Refused::new((rule, compiled), *why, (bytes, base), range, secret.clone()));
        }
        if judged.is_ok() && self.is_capped(rule) {
            scratch.counts.add(rule);
        }
        // What was refused as a value may hold the name of another: `key="PASSWORD" value="…"`.
        let is_given_back = judged.is_err() && compiled.is_weighed() && secret.start > whole.start;
        pass.matches.extend(judged.ok());
        if is_given_back { secret.start } else { whole.end }
    }
}

/// A match of a user's rule goes without the line ends around it, as in gitleaks; the secret is what of it lies within.
fn without_line_ends(
    bytes: &[u8],
    mut whole: Range<usize>,
    secret: Range<usize>,
) -> (Range<usize>, Range<usize>) {
    while bytes[whole.clone()].first() == Some(&b'\n') {
        whole.start += 1;
    }
    while bytes[whole.clone()].last() == Some(&b'\n') {
        whole.end -= 1;
    }
    let secret = secret.start.clamp(whole.start, whole.end)..secret.end.clamp(whole.start, whole.end);
    (whole, secret)
}

/// The group that the rule names, else the first that took part and is not empty.
fn secret_group(slots: &[Option<NonMaxUsize>], named: Option<usize>) -> Option<Range<usize>> {
    let some = |index| group(slots, index).filter(|range| !range.is_empty());
    named.map_or_else(|| (1..slots.len() / 2).find_map(some), some)
}

/// Where a group is, if it took part.
fn group(slots: &[Option<NonMaxUsize>], index: usize) -> Option<Range<usize>> {
    let place = |slot: usize| slots.get(slot).copied().flatten().map(|at| at.get());
    Some(place(2 * index)?..place(2 * index + 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, reach: Reach, hits: &[Range<usize>]) -> Vec<String> {
        let mut found = Vec::new();
        clusters(text.as_bytes(), reach, hits, |span, _| found.push(text[span].to_owned()));
        found
    }

    #[test]
    fn hits_whose_reaches_overlap_are_one_cluster() {
        let reach = Reach { before: 1, after: 2, within_line: false, capped: false };
        assert_eq!(run("..k..k......k..", reach, &[2..3, 5..6, 12..13]), [".k..k..", ".k.."]);
    }

    #[test]
    fn lines_end_the_reach_of_rules_that_match_no_newline() {
        let reach = Reach { before: 9, after: 9, within_line: true, capped: false };
        assert_eq!(run("ab\nckd\nkf", reach, &[4..5, 7..8]), ["ckd", "kf"]);
    }
}
