//! What a change of some bytes may change of what is decoded.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::{
    LINE, LONGEST,
    find::{ends_stretch, stretch_within},
};
use crate::{detect::context, model::Span};

/// A changed place, and what is to be decoded again for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Touched {
    /// A run or line that touches these bytes is decoded again.
    near: Span,
    /// All such runs begin in these, and all such lines have their escapes in them.
    pub(in crate::detect) starts: Range<usize>,
}

impl Touched {
    /// Whether what was found before in this run or line may be found no more.
    pub(in crate::detect) fn concerns(&self, unit: Span) -> bool {
        unit.start <= self.near.end && self.near.start <= unit.end
    }
}

/// Letters of padding, and an escape before the first letter, belong to a run; a name before it is told with it.
pub(in crate::detect) fn touched(bytes: &[u8], zone: Range<usize>) -> Touched {
    const PADDING: usize = 4;
    let from = zone.start.saturating_sub(PADDING);
    let to = bytes.len().min(zone.end + context::LOOK_BACK + PADDING);
    let first = from.saturating_sub(LINE + 2);
    let start = match memrchr(b'\n', &bytes[first..from]) {
        Some(newline) => first + newline + 1,
        None => first.min(before(bytes, from)),
    };
    let last = bytes.len().min(to + LINE + 2);
    let end = match memchr(b'\n', &bytes[to..last]) {
        Some(newline) => to + newline,
        None => last.max(behind(bytes, to)),
    };
    Touched { near: Span::new(from as u64, to as u64), starts: start..end }
}

fn before(bytes: &[u8], at: usize) -> usize {
    let first = at.saturating_sub(LONGEST + 2);
    bytes[first..at].iter().rposition(|byte| ends_stretch(*byte)).map_or(first, |end| first + end + 1)
}

fn behind(bytes: &[u8], at: usize) -> usize {
    let last = bytes.len().min(at + LONGEST + 2);
    stretch_within(bytes, at, at..last).map_or(at, |stretch| stretch.end)
}
