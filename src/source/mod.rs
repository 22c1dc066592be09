//! Where content comes from: working trees and standard input.
//!
//! A [`Source`] lists what there is and opens one piece after the other. It knows nothing of rules or findings; what it could not
//! list or open it says, as gaps.

mod path;
mod stdin;
mod worktree;

use crate::{
    detect::{Content, FileContent, Utf16Content},
    model::{Gap, SourceKind},
};

pub use path::display;
pub use stdin::{Stdin, StdinError};
pub use worktree::{SourceError, WalkOptions, Worktree};

/// Something that can be opened and scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// As reports write it: `/`-separated, relative to the root.
    pub name: String,
    /// Where it lies; empty where that is no path.
    pub location: std::path::PathBuf,
}

/// What a source holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// What can be opened, by name.
    pub entries: Vec<Entry>,
    /// What can't.
    pub gaps: Vec<Gap>,
}

/// Opened content.
pub enum Opened<'a> {
    /// All of it, in memory.
    Memory(&'a [u8]),
    /// A big file, read piece by piece.
    File(FileContent),
    /// UTF-16, decoded.
    Utf16(Utf16Content, u64),
}

impl Opened<'_> {
    /// What is scanned.
    pub fn content(&self) -> &dyn Content {
        match self {
            Self::Memory(bytes) => bytes,
            Self::File(file) => file,
            Self::Utf16(text, _) => text,
        }
    }

    /// Length in the file, in bytes.
    pub fn file_len(&self) -> u64 {
        match self {
            Self::Utf16(_, raw) => *raw,
            _ => self.content().len(),
        }
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
}
