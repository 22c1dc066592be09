//! Places that are taken by matches, in the content and in what was decoded of it.

use std::collections::{BTreeMap, HashMap};

use crate::model::Span;

/// Places of secrets that share no byte; those of encoded ones share none in decoded text.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Of secrets that stand as they are.
    plain: Spans,
    /// Of others, by start: where they end, and which run or line they stand in. Those of one run may overlap, and are one.
    encoded: BTreeMap<u64, (u64, Span)>,
    /// What is taken of what was decoded, by the way there.
    inner: HashMap<Vec<Span>, Spans>,
}

impl Taken {
    /// Adds a place unless something has it. `path` is empty, or leads from what was decoded to the secret in it.
    pub(super) fn insert(&mut self, place: Span, path: &[Span]) -> bool {
        let Some(unit) = path.first() else {
            return !self.is_encoded(place, None) && self.plain.insert(place);
        };
        if self.plain.has(place) || self.is_encoded(place, Some(*unit)) || !self.insert_inner(path) {
            return false;
        }
        let mut joined = place;
        let others: Vec<_> = self.overlapping(place).collect();
        for (start, (end, _)) in others {
            self.encoded.remove(&start);
            joined = Span::new(joined.start.min(start), joined.end.max(end));
        }
        self.encoded.insert(joined.start, (joined.end, *unit));
        true
    }

    /// Whether a secret of another run or line has a byte of the place.
    fn is_encoded(&self, place: Span, unit: Option<Span>) -> bool {
        self.overlapping(place).any(|(_, (_, other))| Some(other) != unit)
    }

    fn overlapping(&self, place: Span) -> impl Iterator<Item = (u64, (u64, Span))> {
        let before = self.encoded.range(..place.end).rev().map(|(start, of)| (*start, *of));
        before.take_while(move |(_, (end, _))| *end > place.start)
    }

    /// Two secrets share bytes where their ways part, or one leads through the other.
    fn insert_inner(&mut self, path: &[Span]) -> bool {
        for depth in 1..path.len() {
            let is_last = depth + 1 == path.len();
            if self.inner.contains_key(&path[..=depth]) {
                // Others are decoded from the same.
                if is_last {
                    return false;
                }
                continue;
            }
            if !self.inner.entry(path[..depth].to_vec()).or_default().insert(path[depth]) {
                return false;
            }
            if !is_last {
                self.inner.entry(path[..=depth].to_vec()).or_default();
            }
        }
        true
    }
}

/// Disjoint spans, by their starts.
#[derive(Debug, Default)]
struct Spans(BTreeMap<u64, u64>);

impl Spans {
    fn has(&self, span: Span) -> bool {
        self.0.range(..span.end).next_back().is_some_and(|(_, end)| *end > span.start)
    }

    /// Adds a span unless it shares a byte with another.
    fn insert(&mut self, span: Span) -> bool {
        let is_free = !self.has(span);
        if is_free {
            self.0.insert(span.start, span.end);
        }
        is_free
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

    #[test]
    fn secrets_of_one_run_share_its_place_and_none_other_does() {
        let run = Span::new(100, 200);
        let at = |start: u64| Span::new(start, start + 10);
        let mut taken = Taken::default();
        assert!(taken.insert(run, &[run, at(0)]));
        assert!(taken.insert(run, &[run, at(20)]));
        assert!(!taken.insert(run, &[run, at(25)]));
        assert!(!taken.insert(Span::new(150, 160), &[]), "as it stands");
        assert!(!taken.insert(Span::new(150, 160), &[Span::new(90, 210), at(50)]), "of another run");
        assert!(taken.insert(Span::new(200, 210), &[]));
    }

    #[test]
    fn what_is_decoded_in_turn_is_a_run_too() {
        let (run, inner) = (Span::new(0, 100), Span::new(10, 60));
        let at = |start: u64| Span::new(start, start + 10);
        let mut taken = Taken::default();
        assert!(taken.insert(run, &[run, inner, at(0)]));
        assert!(taken.insert(run, &[run, inner, at(10)]));
        assert!(!taken.insert(run, &[run, inner, at(5)]));
        assert!(!taken.insert(run, &[run, at(50)]));
        assert!(!taken.insert(run, &[run, inner]), "the same as it stands");
        assert!(taken.insert(run, &[run, at(60)]));
    }
}
