//! Values that a word nearby tells, in content that is made of other content.
//!
//! Whether a run is a candidate depends on the bytes right around it: candidates carry over with these. What is found by one depends on bytes
//! within its reach, and is looked for again where a zone lies within that. A match is carried if its owner is not looked at again: the
//! owner is the first candidate that shares bytes with the value, and so can be told from the match.

use std::ops::Range;

use super::{Trace, Tracer, to_u32};
use crate::{
    detect::{
        RawMatch, block,
        nearby::{Finder, GUARD, REACH, start_of},
    },
    model::{Segment, Span},
};

/// A candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    start: u32,
    end: u32,
}

impl Run {
    fn new(range: &Range<usize>) -> Self {
        Self { start: to_u32(range.start), end: to_u32(range.end) }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Tracer<'_> {
    /// Finds what affected runs own; gives all runs of the content.
    pub(super) fn search_nearby(
        &mut self,
        bytes: &[u8],
        other: &Trace,
        segments: &[Segment],
        matches: &mut Vec<RawMatch>,
    ) -> Vec<Run> {
        let detector = self.detector;
        let Some(finder) = &detector.nearby else { return Vec::new() };
        let mut runs = carried(bytes.len(), other, segments);
        self.find_runs(finder, bytes, &mut runs);
        runs.sort_unstable();
        runs.dedup();
        self.affected_runs.clear();
        self.scratch.nearby.reset();
        self.zones.rewind();
        let window = block::of_slice(bytes, 0);
        for run in &runs {
            let run = run.range();
            let is_affected = self.zones.near(run.clone()).distance() <= REACH;
            self.affected_runs.push(is_affected);
            if is_affected {
                detector.search_run(finder, &window, &run, (&mut self.scratch.nearby, matches));
            }
        }
        runs
    }

    /// Appends the candidates that a zone touches, or what decides on them; and some others.
    fn find_runs(&self, finder: &Finder, bytes: &[u8], runs: &mut Vec<Run>) {
        let mut done = 0;
        for zone in self.zones.places() {
            // A run that ends a little before the zone, or reaches into it, begins here at the earliest.
            let first = start_of(bytes, zone.start.saturating_sub(GUARD)).max(done);
            let last = bytes.len().min(zone.end + GUARD + 1);
            if first < last {
                finder.candidates(bytes, first..last, |run| runs.push(Run::new(&run)));
                done = last;
            }
        }
    }

    /// Whether the owner of a match of the content before stands in this one and was not looked at again.
    pub(super) fn is_owner_unaffected(&self, runs: &[Run], value: Span) -> bool {
        let owner = runs.partition_point(|run| u64::from(run.end) <= value.start);
        let is_owner = runs.get(owner).is_some_and(|run| u64::from(run.start) < value.end);
        is_owner && !self.affected_runs[owner]
    }
}

/// Candidates that stand with all that decides on them in one copied segment.
fn carried(len: usize, other: &Trace, segments: &[Segment]) -> Vec<Run> {
    let mut runs = Vec::new();
    for segment in segments {
        let Some(source) = segment.source else { continue };
        // Where both contents begin, or end, nothing else is there to see.
        let from = if source == 0 && segment.start == 0 { 0 } else { source + GUARD };
        let source_end = source + segment.len;
        let is_end = source_end == other.len && segment.end() == len;
        let to = if is_end { source_end } else { source_end.saturating_sub(GUARD) };
        let first = other.runs.partition_point(|run| (run.start as usize) < from);
        let inside = other.runs[first..].iter().map(|run| run.range()).take_while(|run| run.start < to);
        let shift = |at: usize| at - source + segment.start;
        let whole = inside.filter(|run| run.end <= to);
        runs.extend(whole.map(|run| Run::new(&(shift(run.start)..shift(run.end)))));
    }
    runs
}
