//! Where content comes from: working trees, the index of a repository, standard input.
//!
//! A [`Source`] lists what there is and opens one piece after the other. It knows nothing of rules or findings; what it could not
//! list or open it says, as gaps.

mod path;
mod staged;
mod stdin;
mod worktree;

use crate::{
    detect::{Content, FileContent, Utf16, Utf16Content},
    model::{Gap, SourceKind, Span},
};

pub use path::{display, display_bytes};
pub use staged::{Scope, Staged, StagedError};
pub use stdin::{Stdin, StdinError};
pub use worktree::{SourceError, WalkOptions, Worktree};

/// Something that can be opened and scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// As reports write it: `/`-separated, relative to the root.
    pub name: String,
    /// Where it lies.
    pub location: Location,
}

/// How a source finds an entry again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A file on disk.
    File(std::path::PathBuf),
    /// One of the source's own list.
    Nth(usize),
}

/// Which parts of an entry its source brings in; what stands in the others was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// All of it.
    All,
    /// These stretches, sorted; none shares a byte with another.
    Spans(Vec<Span>),
}

impl Added {
    /// Whether something at this place is brought in. What stands for the whole file has an empty span, and is.
    pub fn touches(&self, place: Span) -> bool {
        match self {
            Self::All => true,
            Self::Spans(spans) => {
                let next = spans.partition_point(|span| span.end <= place.start);
                place.is_empty() || spans.get(next).is_some_and(|span| span.overlaps(place))
            }
        }
    }
}

/// What a source holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// What can be opened, by name.
    pub entries: Vec<Entry>,
    /// What can't.
    pub gaps: Vec<Gap>,
}

/// Opened content: the bytes as they are and, of what looks like UTF-16, the text too. A guess must not hide what the raw bytes hold.
pub struct Opened<'a> {
    raw: Raw<'a>,
    decoded: Option<Utf16Content>,
    /// What of it can't be scanned, if not all can.
    pub gap: Option<Gap>,
}

enum Raw<'a> {
    /// All of it, in memory.
    Memory(&'a [u8]),
    /// A big file, read piece by piece.
    File(FileContent),
}

impl<'a> Opened<'a> {
    /// Bytes in memory.
    fn memory(bytes: &'a [u8]) -> Self {
        let decoded = Utf16::detect(bytes).map(|order| Utf16Content::decode(bytes, order));
        Self { raw: Raw::Memory(bytes), decoded, gap: None }
    }

    /// A file that is not held.
    fn file(file: FileContent, decoded: Option<Utf16Content>, gap: Option<Gap>) -> Self {
        Self { raw: Raw::File(file), decoded, gap }
    }

    /// The bytes as they are.
    pub fn raw(&self) -> &dyn Content {
        match &self.raw {
            Raw::Memory(bytes) => bytes,
            Raw::File(file) => file,
        }
    }

    /// What is scanned, one after the other.
    pub fn contents(&self) -> impl Iterator<Item = &dyn Content> {
        let decoded = self.decoded.as_ref().map(|text| -> &dyn Content { text });
        std::iter::once(self.raw()).chain(decoded)
    }

    /// Length in the file, in bytes.
    pub fn file_len(&self) -> u64 {
        self.raw().len()
    }
}

/// Where content comes from.
pub trait Source: Sync {
    /// Which kind, for the report.
    fn kind(&self) -> SourceKind;

    /// The root as the user gave it, for the report.
    fn root(&self) -> String;

    /// What there is.
    fn list(&self) -> Listing;

    /// Opens an entry; `buffer` is memory to use again.
    ///
    /// # Errors
    /// A gap that says why it can't be scanned.
    fn open<'a>(&'a self, entry: &Entry, buffer: &'a mut Vec<u8>) -> Result<Opened<'a>, Gap>;

    /// Which parts of an entry count; asked only of those in which something is found.
    fn added(&self, _: &Entry, _: &dyn Content) -> Added {
        Added::All
    }
}
