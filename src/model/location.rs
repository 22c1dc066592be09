//! Places in a file.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A place as people count it: line and column from 1. A column counts Unicode characters (bytes that
/// continue none), and no byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Line, from 1. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
}

/// A stretch of bytes of a file or blob: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
}

impl Span {
    /// A span from `start` up to, not including, `end`.
    pub fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether both share a byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl From<Range<u64>> for Span {
    fn from(range: Range<u64>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A stretch of content that is made from other content, as a delta says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where it starts, in bytes.
    pub start: usize,
    /// How long it is, in bytes.
    pub len: usize,
    /// Where the same bytes stand in the other content; `None` for bytes of its own.
    pub source: Option<usize>,
}

impl Segment {
    /// Behind its last byte.
    pub fn end(&self) -> usize {
        self.start + self.len
    }
}
