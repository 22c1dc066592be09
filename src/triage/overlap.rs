//! Of matches that share bytes, the one that names the secret; and matches that need another nearby.

use std::cmp::Reverse;

use super::belief::confidence;
use crate::{
    detect::{Detector, RawMatch},
    model::{Confidence, Position, Span},
    rule::{Required, Specificity},
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

/// Whether every rule that this match's rule requires has a match near it.
pub(super) fn has_required(
    detector: &Detector,
    found: (&RawMatch, Position),
    all: &[(&RawMatch, Position)],
) -> bool {
    let (own, at) = found;
    let is_near = |required: &Required, there: Position| {
        required.within_lines.is_none_or(|most| at.line.abs_diff(there.line) <= most)
            && required.within_columns.is_none_or(|most| at.column.abs_diff(there.column) <= most)
    };
    detector.rule(own.rule).required.iter().all(|required| {
        all.iter()
            .any(|(other, there)| detector.rule(other.rule).id == required.id && is_near(required, *there))
    })
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
