//! Blobs: each matched once, and of one that is stored as a delta only what its base does not answer for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    census::{Census, Gid},
    walk::{Made, Visit},
};
use crate::{
    detect::{Capped, Content, Detector, RawMatch, Trace, Tracer, Utf16, Utf16Content, capped_gap},
    git::EntryError,
    model::Gap,
};

/// Who is told of content with matches.
///
/// Of an entry of an archive with what stands behind the archive's path.
pub type Tell<'a, T> =
    &'a (dyn Fn(&dyn Content, Option<&str>, Vec<RawMatch>) -> std::io::Result<Vec<T>> + Sync);

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
    /// What was not opened or decoded.
    pub(super) gaps: Vec<(Gid, Gap)>,
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
            gaps: Vec::new(),
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
            joined.gaps.extend(part.gaps);
            joined.count += part.count;
            joined.bytes += part.bytes;
            joined.largest = joined.largest.max(part.largest);
        }
        joined
    }

    /// Keeps what a blob holds.
    pub(super) fn keep(&mut self, gid: Gid, content: &dyn Content, told: std::io::Result<Told<T>>) {
        match told {
            Ok(Told { found, gaps }) => {
                // What was not wholly scanned is no more clean than what has matches.
                self.marked.extend((found.is_some() || !gaps.is_empty()).then_some(gid));
                self.gaps.extend(gaps.into_iter().map(|gap| (gid, gap)));
                self.count += 1;
                self.bytes += content.len();
                self.sizes.push((gid, content.len()));
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
            let scanned = (matches, self.tracer.take_capped());
            let told = tell_all(self.detector, self.tell, &bytes, scanned);
            self.blobs.keep(gid, &bytes, told);
            if is_pointer(bytes) {
                self.blobs.pointers.push(gid);
            }
        }
        Ok(trace)
    }
}

/// What whoever is told made of content.
pub(super) struct Told<T> {
    /// `None` where nothing matched.
    pub(super) found: Option<Vec<T>>,
    /// What was not opened or decoded; paths are what stands behind that of the blob.
    pub(super) gaps: Vec<Gap>,
}

/// Tells of content with its matches; of what looks like UTF-16, if it is in memory, of the text with its own; and of what is in archives.
///
/// # Errors
/// What whoever is told says.
pub(super) fn tell_all<T>(
    detector: &Detector,
    tell: Tell<'_, T>,
    content: &dyn Content,
    (mut matches, caps): (Vec<RawMatch>, Vec<Capped>),
) -> std::io::Result<Told<T>> {
    let mut found: Option<Vec<T>> = None;
    let mut add = |content: &dyn Content, path: Option<&str>, matches: Vec<RawMatch>| {
        if !matches.is_empty() {
            found.get_or_insert_default().extend(tell(content, path, matches)?);
        }
        Ok::<_, std::io::Error>(())
    };
    let inside = detector
        .search_inside(content, "", &mut |path, content, matches| add(content, Some(path), matches))?;
    inside.retain_untold(&mut matches);
    add(content, None, matches)?;
    let mut gaps = inside.gaps.clone();
    gaps.extend(capped_gap("", &caps));
    if let Some((bytes, order)) = content.whole().and_then(|bytes| Some((bytes, Utf16::detect(bytes)?))) {
        let text = Utf16Content::decode(bytes, order);
        let (mut matches, caps) = detector.scan_telling(&text)?;
        inside.retain_untold(&mut matches);
        gaps.extend(capped_gap("", &caps));
        add(&text, None, matches)?;
    }
    gaps.sort();
    gaps.dedup();
    Ok(Told { found, gaps })
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
