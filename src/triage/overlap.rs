//! Of matches that share bytes, the one that names the secret; and matches that need another nearby.

use std::{cmp::Reverse, collections::HashMap};

use super::belief::confidence;
use crate::{
    detect::{Detector, RawMatch},
    model::{Confidence, Position, Span},
    rule::{Rule, Specificity},
};

/// Keeps the matches that name their value: of those whose secrets overlap, the most specific; between equals the more confident,
/// then the longer, then the first by rule id. The rest stay out. Both lists keep the order of places.
pub(super) fn name_each_value(detector: &Detector, mut matches: Vec<RawMatch>) -> Vec<RawMatch> {
    let rank = |found: &RawMatch| -> (Reverse<(Specificity, Confidence, u64)>, u64) {
        let rule = detector.rule(found.rule);
        (
            Reverse((rule.specificity, confidence(rule, found), found.secret_span.len())),
            found.secret_span.start,
        )
    };
    matches.sort_by(|one, two| {
        let ids = || detector.rule(one.rule).id.cmp(&detector.rule(two.rule).id);
        rank(one).cmp(&rank(two)).then_with(ids)
    });
    let mut taken = Spans::default();
    matches.retain(|found| taken.insert(found.secret_span));
    matches.sort_by_key(|found| (found.secret_span.start, found.secret_span.end));
    matches
}

/// Disjoint spans, by their starts.
#[derive(Default)]
struct Spans(std::collections::BTreeMap<u64, u64>);

impl Spans {
    /// Adds a span unless it shares a byte with another.
    fn insert(&mut self, span: Span) -> bool {
        let is_free = self.0.range(..span.end).next_back().is_none_or(|(_, end)| *end <= span.start);
        if is_free {
            self.0.insert(span.start, span.end);
        }
        is_free
    }
}

/// Where each rule's matches start, by rule id, in the order of lines.
pub(super) struct Neighbours<'a>(HashMap<&'a str, Vec<Position>>);

impl<'a> Neighbours<'a> {
    pub(super) fn new(detector: &'a Detector, matches: &[(&RawMatch, Position)]) -> Self {
        let mut by_rule: HashMap<&str, Vec<Position>> = HashMap::new();
        for (found, at) in matches {
            by_rule.entry(detector.rule(found.rule).id.as_str()).or_default().push(*at);
        }
        by_rule.values_mut().for_each(|places| places.sort_unstable());
        Self(by_rule)
    }

    /// Whether every rule that a rule requires has a match near enough.
    pub(super) fn satisfy(&self, rule: &Rule, at: Position) -> bool {
        rule.required.iter().all(|required| {
            let places = self.0.get(required.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let reach = required.within_lines.unwrap_or(u64::MAX);
            let first = places.partition_point(|place| place.line < at.line.saturating_sub(reach));
            let near = places[first..].iter().take_while(|place| place.line <= at.line.saturating_add(reach));
            let columns = required.within_columns.unwrap_or(u64::MAX);
            near.into_iter().any(|place| place.column.abs_diff(at.column) <= columns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_do_not_overlap() {
        let mut spans = Spans::default();
        assert!(spans.insert(Span::new(10, 20)));
        assert!(spans.insert(Span::new(20, 25)));
        assert!(spans.insert(Span::new(5, 10)));
        assert!(!spans.insert(Span::new(24, 26)));
        assert!(!spans.insert(Span::new(0, 6)));
        assert!(!spans.insert(Span::new(0, 100)));
    }
}
