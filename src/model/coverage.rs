//! What a scan saw, and what it did not see.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much was to be scanned and how much was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Files (or standard input) scanned to their end.
    pub files: u64,
    /// Bytes scanned.
    pub bytes: u64,
    /// What was not, or not wholly, scanned, by path.
    pub gaps: Vec<Gap>,
    /// Of a history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryCoverage>,
}

/// How much of a history was to be scanned and how much was: of all that is stored, or, of a range, the commits in it with the folders
/// and blobs that they bring in against their parents. A range that holds much of a history is scanned, and counted, with all of it.
/// Of several repositories (submodules) the counts are added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryCoverage {
    /// Refs, the heads of all work trees among them.
    pub refs: u64,
    /// Objects that are there or should be, each counted once.
    pub expected: ObjectCounts,
    /// Of these, what was scanned.
    pub scanned: ObjectCounts,
    /// Bytes of the scanned blobs, unpacked.
    pub blob_bytes: u64,
    /// It is a shallow clone: older commits are not there.
    pub shallow: bool,
    /// It is a partial clone: objects may not be there.
    pub partial: bool,
}

/// Objects by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectCounts {
    /// Commits.
    pub commits: u64,
    /// Folders.
    pub trees: u64,
    /// Versions of files.
    pub blobs: u64,
    /// Annotated tags.
    pub tags: u64,
}

impl HistoryCoverage {
    /// Adds what was covered of another history.
    fn merge(&mut self, other: &Self) {
        self.refs += other.refs;
        self.expected.add(other.expected);
        self.scanned.add(other.scanned);
        self.blob_bytes += other.blob_bytes;
        self.shallow |= other.shallow;
        self.partial |= other.partial;
    }
}

impl ObjectCounts {
    fn add(&mut self, other: Self) {
        self.commits += other.commits;
        self.trees += other.trees;
        self.blobs += other.blobs;
        self.tags += other.tags;
    }
}

impl Coverage {
    /// Adds what another part of the scan covered.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.gaps.extend(other.gaps);
        match (&mut self.history, other.history) {
            (Some(history), Some(other)) => history.merge(&other),
            (history, other) => *history = history.take().or(other),
        }
    }

    /// Whether something that should have been scanned was not.
    pub fn is_incomplete(&self) -> bool {
        self.gaps.iter().any(|gap| gap.reason.is_failure())
    }
}

/// Something that was not, or not wholly, scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// What it is, relative to the scanned root.
    pub path: String,
    /// Why.
    pub reason: GapReason,
    /// What the system said, or the numbers of a cap.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Why something was not scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// It could not be opened, read or listed.
    Unreadable,
    /// It was there when listed and gone when opened.
    Vanished,
    /// An object that git names and does not have.
    Missing,
    /// It changed its length while it was read.
    Changed,
    /// A cap of hekate's own cut it.
    Cap,
    /// Scanning it failed inside hekate.
    Failed,
    /// A file over `--max-file-size`, as asked.
    TooLarge,
    /// A binary file under `--skip-binary`, as asked.
    Binary,
    /// A FIFO, socket or device: never opened.
    Special,
    /// A symbolic link: it is never followed, its target is scanned where it lies.
    Link,
    /// A commit at which a shallow clone ends: what is older is not there.
    Shallow,
    /// A submodule: its commit belongs to another repository.
    Submodule,
    /// What stands for a file that git LFS keeps elsewhere.
    Lfs,
    /// Entries of an archive that nobody can read without its password.
    Encrypted,
    /// An archive, or an entry of one, that is damaged or packed in a way that is not known. Its bytes are scanned as they are.
    Damaged,
}

impl GapReason {
    /// Whether the user could expect it to be scanned: then the exit code says "incomplete".
    pub fn is_failure(self) -> bool {
        match self {
            Self::Unreadable | Self::Vanished | Self::Missing | Self::Changed | Self::Cap | Self::Failed => {
                true
            }
            Self::TooLarge
            | Self::Binary
            | Self::Special
            | Self::Link
            | Self::Shallow
            | Self::Submodule
            | Self::Lfs
            | Self::Encrypted
            | Self::Damaged => false,
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "unreadable",
            Self::Vanished => "vanished",
            Self::Missing => "object is missing",
            Self::Changed => "changed while it was read",
            Self::Cap => "cut by a cap",
            Self::Failed => "scan failed",
            Self::TooLarge => "over --max-file-size",
            Self::Binary => "binary, under --skip-binary",
            Self::Special => "FIFO, socket or device",
            Self::Link => "symbolic link, not followed",
            Self::Shallow => "shallow clone, older commits are not there",
            Self::Submodule => "submodule, another repository",
            Self::Lfs => "kept elsewhere by git LFS",
            Self::Encrypted => "encrypted in an archive",
            Self::Damaged => "archive is damaged",
        })
    }
}
