//! Blobs: each matched once, and of one that is stored as a delta only what its base does not answer for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    census::{Census, Gid},
    walk::{Made, Visit},
};
use crate::{
    detect::{Content, Detector, RawMatch, Trace, Tracer, Utf16, Utf16Content},
    git::EntryError,
};

/// Who is told of content with matches.
pub type Tell<'a, T> = &'a (dyn Fn(&dyn Content, Vec<RawMatch>) -> std::io::Result<Vec<T>> + Sync);

/// What all blobs came to.
pub(super) struct Blobs<T> {
    /// Blobs with matches.
    pub(super) found: Vec<(Gid, Vec<T>)>,
    /// Blobs with matches, whether or not anything was kept of these.
    pub(super) marked: Vec<Gid>,
    /// Every scanned blob, with its bytes.
    pub(super) sizes: Vec<(Gid, u64)>,
    pub(super) failed: Vec<(Gid, EntryError)>,
    /// Blobs that are too big to be held, with their sizes.
    pub(super) big: Vec<(Gid, u64)>,
    /// Pointers to large files that lie elsewhere.
    pub(super) pointers: Vec<Gid>,
    pub(super) count: u64,
    pub(super) bytes: u64,
    /// The most bytes that had to be held for one of them, or for what it is made from.
    pub(super) largest: u64,
}

impl<T> Default for Blobs<T> {
    fn default() -> Self {
        Self {
            found: Vec::new(),
            marked: Vec::new(),
            sizes: Vec::new(),
            failed: Vec::new(),
            big: Vec::new(),
            pointers: Vec::new(),
            count: 0,
            bytes: 0,
            largest: 0,
        }
    }
}

impl<T> Blobs<T> {
    /// Joins what several visitors saw.
    pub(super) fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            joined.found.extend(part.found);
            joined.marked.extend(part.marked);
            joined.sizes.extend(part.sizes);
            joined.failed.extend(part.failed);
            joined.big.extend(part.big);
            joined.pointers.extend(part.pointers);
            joined.count += part.count;
            joined.bytes += part.bytes;
            joined.largest = joined.largest.max(part.largest);
        }
        joined
    }

    /// Keeps what a blob holds; `None` where nothing matched.
    pub(super) fn keep(&mut self, gid: Gid, content: &dyn Content, found: std::io::Result<Option<Vec<T>>>) {
        match found {
            Ok(found) => {
                self.count += 1;
                self.bytes += content.len();
                self.sizes.push((gid, content.len()));
                self.marked.extend(found.is_some().then_some(gid));
                if let Some(found) = found.filter(|found| !found.is_empty()) {
                    self.found.push((gid, found));
                }
            }
            Err(_) => self.failed.push((gid, EntryError::Malformed)),
        }
    }
}

/// Scans blobs.
pub(super) struct BlobVisitor<'a, T> {
    census: &'a Census<'a>,
    tracer: Tracer<'a>,
    detector: &'a Detector,
    tell: Tell<'a, T>,
    pub(super) blobs: Blobs<T>,
}

impl<'a, T> BlobVisitor<'a, T> {
    pub(super) fn new(census: &'a Census<'a>, detector: &'a Detector, tell: Tell<'a, T>) -> Self {
        Self { census, tracer: detector.tracer(), detector, tell, blobs: Blobs::default() }
    }

    fn scan(
        &mut self,
        gid: Gid,
        bytes: &[u8],
        made: Option<Made<'_, Option<Trace>>>,
    ) -> std::io::Result<Trace> {
        let traced = made.and_then(|made| Some((made.state.as_ref()?, made.segments)));
        let trace = match traced {
            Some((other, segments)) => self.tracer.retrace(bytes, other, segments),
            None => self.tracer.trace(bytes),
        };
        if !self.census.is_repeated(gid) {
            let matches = self.tracer.matches(bytes, &trace);
            let found = tell_all(self.detector, self.tell, bytes, matches);
            self.blobs.keep(gid, &bytes, found);
            if is_pointer(bytes) {
                self.blobs.pointers.push(gid);
            }
        }
        Ok(trace)
    }
}

/// Tells of the bytes with their matches and, of what looks like UTF-16, of the text with its own. `None` where nothing matched.
///
/// # Errors
/// What whoever is told says.
pub(super) fn tell_all<T>(
    detector: &Detector,
    tell: Tell<'_, T>,
    bytes: &[u8],
    matches: Vec<RawMatch>,
) -> std::io::Result<Option<Vec<T>>> {
    let mut found = if matches.is_empty() { None } else { Some(tell(&bytes, matches)?) };
    if let Some(order) = Utf16::detect(bytes) {
        let text = Utf16Content::decode(bytes, order);
        let matches = detector.scan(&text)?;
        if !matches.is_empty() {
            found.get_or_insert_default().extend(tell(&text, matches)?);
        }
    }
    Ok(found)
}

/// Whether a blob is a pointer of Git LFS: its file is not in the repository.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < 1024 && bytes.starts_with(b"version https://git-lfs.github.com/spec/")
}

impl<T: Send> Visit for BlobVisitor<'_, T> {
    /// `None` where scanning failed: what is made from it is scanned whole.
    type State = Option<Trace>;

    fn visit(&mut self, gid: Gid, bytes: &[u8], made: Option<Made<'_, Option<Trace>>>) -> Option<Trace> {
        // A bug that one blob brings to light must not hide what the others hold.
        let scanned = catch_unwind(AssertUnwindSafe(|| self.scan(gid, bytes, made)));
        match scanned {
            Ok(Ok(trace)) => Some(trace),
            _ => {
                self.tracer = self.detector.tracer();
                self.blobs.failed.push((gid, EntryError::Bug));
                None
            }
        }
    }

    fn skip(&mut self) -> Option<Trace> {
        None
    }

    fn hold(&mut self, bytes: u64) {
        self.blobs.largest = self.blobs.largest.max(bytes);
    }

    fn fail(&mut self, gid: Gid, error: EntryError) {
        self.blobs.failed.push((gid, error));
    }

    fn pass_over(&mut self, gid: Gid, size: u64) {
        self.blobs.big.push((gid, size));
    }
}
