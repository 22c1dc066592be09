//! What is asked of a history once it is scanned, whichever way that was done.

use super::sweep::{Appearance, Broken, Latest, Swept};
use crate::{
    git::Oid,
    model::{Gap, ObjectCounts as Counts},
};

/// A scanned history: all of it, or the commits of a range.
pub trait History<T>: Sync {
    /// What was kept of a blob's matches.
    fn found(&self, blob: &Oid) -> &[T];
    /// Blobs with matches, by id.
    fn blobs(&self) -> Vec<Oid>;
    /// Texts of commits and tags with matches, by id; with whether a tip reaches them.
    fn texts(&self) -> Vec<(&Oid, bool, &[T])>;
    /// Every appearance of a blob with matches in the commits that tips reach, or in all the others; sorted.
    fn appearances(&self, are_reached: bool) -> Vec<Appearance>;
    /// The blobs with matches that a ref's target holds, with their raw paths, as far as it matters for the appearances; `None` where
    /// it is not there. A blob has the empty path.
    fn carried_by(&self, tip: &Oid) -> Option<Vec<(Vec<u8>, Oid)>>;
    /// Every blob with matches at every path, with the newest of the commits that have it there: of those that tips reach, or of all.
    /// Newest first. Of a range only paths at which it brings in something are sure to be among them.
    fn latest(&self, of_all: bool) -> Vec<Latest>;
    /// When a commit or tag was made, in seconds since 1970.
    fn time(&self, oid: &Oid) -> Option<i64>;
    /// What a ref points to and, of a tag, what that names, and so on: as far as it is there, and matters for texts.
    fn named_by(&self, tip: &Oid) -> Vec<Oid>;
    /// Which of these lead to no commit but to a folder or file.
    fn outside(&self, tips: &[Oid]) -> Vec<Oid>;
    /// What was covered and what was not.
    fn facts(&self) -> Facts<'_>;
}

/// What was covered and what was not.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// Objects that were to be scanned, each counted once.
    pub expected: Counts,
    /// Of these, what was scanned.
    pub scanned: Counts,
    /// Bytes of the scanned blobs.
    pub bytes: u64,
    /// What was not scanned.
    pub broken: &'f [Broken],
    /// Pointers of Git LFS: the files are not in the repository.
    pub pointers: &'f [Oid],
    /// Names under which submodules stand.
    pub submodules: &'f [Vec<u8>],
    /// Packs and folders that can't be read.
    pub gaps: &'f [Gap],
}

impl<T: Send + Sync> History<T> for Swept<'_, T> {
    fn found(&self, blob: &Oid) -> &[T] {
        self.found(blob)
    }

    fn blobs(&self) -> Vec<Oid> {
        self.blobs()
    }

    fn texts(&self) -> Vec<(&Oid, bool, &[T])> {
        self.texts().collect()
    }

    fn appearances(&self, are_reached: bool) -> Vec<Appearance> {
        self.appearances(are_reached)
    }

    fn carried_by(&self, tip: &Oid) -> Option<Vec<(Vec<u8>, Oid)>> {
        self.carried_by(tip)
    }

    fn latest(&self, of_all: bool) -> Vec<Latest> {
        self.latest(of_all)
    }

    fn time(&self, oid: &Oid) -> Option<i64> {
        self.time(oid)
    }

    fn named_by(&self, tip: &Oid) -> Vec<Oid> {
        self.named_by(tip)
    }

    fn outside(&self, tips: &[Oid]) -> Vec<Oid> {
        self.outside(tips)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            expected: self.expected,
            scanned: self.scanned,
            bytes: self.bytes,
            broken: &self.broken,
            pointers: &self.pointers,
            submodules: &self.submodules,
            gaps: &self.gaps,
        }
    }
}
