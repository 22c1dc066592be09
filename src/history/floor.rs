//! What any scan of a history has to pay: benches measure by it.

use super::{
    census::{Census, Gid},
    walk::{Budget, Made, Visit, walk},
};
use crate::git::{EntryError, ObjectKind, Objects};

/// Blobs that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Materialised {
    /// How many, counting one that stands in two packs twice.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that could not be read, or not within the memory.
    pub failed: u64,
}

impl Visit for Materialised {
    type State = ();

    fn visit(&mut self, _: Gid, bytes: &[u8], _: Option<Made<'_, ()>>) {
        self.blobs += 1;
        self.bytes += bytes.len() as u64;
    }

    fn skip(&mut self) {}

    fn fail(&mut self, _: Gid, _: EntryError) {
        self.failed += 1;
    }
}

/// Lists every object, and says how many entries of packs and loose files there are.
pub fn count_objects(objects: &Objects) -> usize {
    Census::take(objects, &[]).len()
}

/// Reads every blob whole and looks at none, on all threads; `memory` is for buffers, in bytes.
pub fn materialise(objects: &Objects, memory: u64) -> Materialised {
    let census = Census::take(objects, &[]);
    let budget = Budget::share(memory, rayon::current_num_threads());
    let parts = walk(&census, ObjectKind::Blob, None, budget, Materialised::default);
    parts.iter().fold(Materialised::default(), |all, part| Materialised {
        blobs: all.blobs + part.blobs,
        bytes: all.bytes + part.bytes,
        failed: all.failed + part.failed,
    })
}
