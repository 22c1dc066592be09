//! Blobs and texts of a range: each read by itself and scanned whole.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::read::{Read, misfit, read};
use crate::{
    detect::Detector,
    git::{Commit, EntryError, ObjectKind, Objects, Oid, Tag},
    history::{
        blob::{Told, is_pointer, tell_all},
        name::Names,
        stream::BigBlob,
        sweep::Listener,
    },
    model::Gap,
};

/// What the scan of objects needs.
pub(super) struct Scan<'s, T> {
    pub(super) objects: &'s Objects,
    pub(super) detector: &'s Detector,
    pub(super) listener: &'s Listener<'s, T>,
    /// How many bytes of an object may be held.
    pub(super) most: u64,
    /// Of files that matter whatever they hold.
    pub(super) names: &'s Names,
}

/// What became of a blob or text.
pub(super) struct Scanned<T> {
    pub(super) oid: Oid,
    pub(super) outcome: Outcome<T>,
}

pub(super) enum Outcome<T> {
    Found {
        found: Vec<T>,
        /// What was not opened or decoded of it.
        gaps: Vec<Gap>,
        bytes: u64,
        /// A pointer of Git LFS.
        is_pointer: bool,
    },
    /// Why; `None` where it is not there.
    Failed(Option<String>),
}

impl<T: Send + Sync> Scan<'_, T> {
    /// Scans blobs, in the order of their ids.
    pub(super) fn blobs(&self, oids: Vec<Oid>) -> Vec<Scanned<T>> {
        let held: Vec<(Oid, Result<Outcome<T>, u64>)> =
            oids.into_par_iter().map(|oid| (oid, self.whole(&oid))).collect();
        // One after the other: each is searched by all threads together.
        let stream = |(oid, held): (Oid, Result<Outcome<T>, u64>)| Scanned {
            oid,
            outcome: held.unwrap_or_else(|size| self.stream(&oid, size)),
        };
        held.into_iter().map(stream).collect()
    }

    /// Scans a blob that can be held; else gives its size.
    fn whole(&self, oid: &Oid) -> Result<Outcome<T>, u64> {
        let object = match read(self.objects, oid, self.most) {
            Read::Object(object) if object.kind == ObjectKind::Blob => object,
            Read::Object(object) => return Ok(Outcome::Failed(Some(misfit(object.kind, ObjectKind::Blob)))),
            Read::Missing => return Ok(Outcome::Failed(None)),
            Read::TooBig(size) => return Err(size),
            Read::Failed(why) => return Ok(Outcome::Failed(Some(why))),
        };
        let bytes = object.bytes.as_slice();
        Ok(guarded(bytes.len() as u64, is_pointer(bytes), || {
            let scanned = self.detector.scan_telling(&bytes)?;
            tell_all(self.detector, self.listener.blob, &bytes, scanned)
        }))
    }

    /// Scans a blob that is too big to be held.
    fn stream(&self, oid: &Oid, size: u64) -> Outcome<T> {
        if !matches!(self.objects.stream(oid), Ok(Some(_))) {
            return Outcome::Failed(Some(EntryError::TooBig(size).to_string()));
        }
        let content = BigBlob::new(self.objects, *oid, size);
        guarded(size, false, || {
            let scanned = self.detector.scan_telling(&content)?;
            tell_all(self.detector, self.listener.blob, &content, scanned)
        })
    }

    /// Scans the texts of commits and tags.
    pub(super) fn texts(&self, oids: Vec<Oid>) -> Vec<Scanned<T>> {
        let scan = |oid: Oid| Scanned { oid, outcome: self.text(&oid) };
        oids.into_par_iter().map(scan).collect()
    }

    fn text(&self, oid: &Oid) -> Outcome<T> {
        let object = match read(self.objects, oid, self.most) {
            Read::Object(object) => object,
            Read::Missing => return Outcome::Failed(None),
            Read::TooBig(size) => return Outcome::Failed(Some(EntryError::TooBig(size).to_string())),
            Read::Failed(why) => return Outcome::Failed(Some(why)),
        };
        let hash = self.objects.hash();
        let message = match object.kind {
            ObjectKind::Commit => Commit::parse(&object.bytes, hash).map(|commit| commit.message),
            _ => Tag::parse(&object.bytes, hash).map(|tag| tag.message),
        };
        let Some(message) = message else {
            return Outcome::Failed(Some(EntryError::Malformed.to_string()));
        };
        guarded(0, false, || {
            let matches = self.detector.scan(&message)?;
            let found = if matches.is_empty() { None } else { Some((self.listener.text)(message, matches)) };
            Ok(Told { found, gaps: Vec::new() })
        })
    }
}

/// A bug that one object brings to light must not hide what the others hold.
fn guarded<T>(bytes: u64, is_pointer: bool, scan: impl FnOnce() -> std::io::Result<Told<T>>) -> Outcome<T> {
    match catch_unwind(AssertUnwindSafe(scan)) {
        Ok(Ok(Told { found, gaps })) => {
            Outcome::Found { found: found.unwrap_or_default(), gaps, bytes, is_pointer }
        }
        Ok(Err(_)) => Outcome::Failed(Some(EntryError::Malformed.to_string())),
        Err(_) => Outcome::Failed(Some(EntryError::Bug.to_string())),
    }
}
