//! Files and folders.

use std::{
    collections::HashSet,
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Mutex,
};

use ignore::{WalkBuilder, WalkState};

use super::{Entry, Listing, Location, Opened, Source, display};
use crate::{
    detect::{Content, FileContent, Utf16, Utf16Content},
    model::{Gap, GapReason, SourceKind},
};

/// Files up to here are read at once, bigger ones piece by piece, in bytes.
const AT_ONCE: u64 = 1 << 20;
/// UTF-16 is decoded in memory up to here, in bytes of the file; beyond, it is scanned as raw bytes, and said so.
const MOST_UTF16: u64 = 256 << 20;
/// A NUL this early makes a file binary, in bytes.
const BINARY_HEAD: usize = 8 * 1024;

/// How a tree is walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkOptions {
    /// Leave out what `.gitignore` names.
    pub respect_gitignore: bool,
    /// Leave out files and folders whose names start with a dot.
    pub skip_hidden: bool,
    /// Leave out files with a NUL byte near their start (UTF-16 aside).
    pub skip_binary: bool,
    /// Leave out bigger files, in bytes.
    pub max_file_size: Option<u64>,
    /// Threads that list; 0 is one per core.
    pub threads: usize,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            respect_gitignore: true,
            skip_hidden: false,
            skip_binary: false,
            max_file_size: None,
            threads: 0,
        }
    }
}

/// A root that can't be scanned.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not there, or not accessible.
    #[error("scan {}: {source}", path.display())]
    Root {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A FIFO, socket or device: only files and folders are opened.
    #[error("scan {}: it is a FIFO, socket or device; pipe its content in, and scan `-`", path.display())]
    Special {
        /// Which.
        path: PathBuf,
    },
}

/// Files and folders as they lie on disk.
pub struct Worktree {
    roots: Vec<PathBuf>,
    options: WalkOptions,
}

impl Worktree {
    /// A tree of these roots; each must be a file or a folder.
    ///
    /// # Errors
    /// The first root that is not there, or something else.
    pub fn new(roots: Vec<PathBuf>, options: WalkOptions) -> Result<Self, SourceError> {
        for path in &roots {
            let metadata =
                std::fs::metadata(path).map_err(|source| SourceError::Root { path: path.clone(), source })?;
            if !metadata.is_dir() && !metadata.is_file() {
                return Err(SourceError::Special { path: path.clone() });
            }
        }
        Ok(Self { roots, options })
    }

    /// Whether names are relative to a root: with one folder; else they are what the user typed, so that they stay distinct.
    fn strips_root(&self) -> bool {
        self.roots.len() == 1
    }

    fn walk(&self, root: &Path, listing: &Mutex<Listing>) {
        let respect = self.options.respect_gitignore;
        // Above the repository git reads no ignore file, and whoever can write there must not hide files from a scan.
        let in_repository =
            root.canonicalize().is_ok_and(|root| root.ancestors().any(|folder| folder.join(".git").exists()));
        let walker = WalkBuilder::new(root)
            .standard_filters(false)
            .hidden(self.options.skip_hidden)
            .parents(respect && in_repository)
            .git_ignore(respect)
            .git_global(respect)
            .git_exclude(respect)
            .require_git(false)
            .follow_links(false)
            .threads(self.options.threads)
            // A `.git` folder is git's own; its content is history's to scan.
            .filter_entry(|entry| {
                entry.file_name() != ".git" || !entry.file_type().is_some_and(|kind| kind.is_dir())
            })
            .build_parallel();
        // The walker's threads each add what they find; nobody else holds the lock meanwhile.
        walker.run(|| {
            Box::new(|result| {
                let found = self.classify(root, result);
                let mut listing = listing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                match found {
                    Some(Ok(entry)) => listing.entries.push(entry),
                    Some(Err(gap)) => listing.gaps.push(gap),
                    None => {}
                }
                WalkState::Continue
            })
        });
    }

    /// What a step of the walk is: an entry, a gap, or nothing of its own (a folder).
    fn classify(
        &self,
        root: &Path,
        result: Result<ignore::DirEntry, ignore::Error>,
    ) -> Option<Result<Entry, Gap>> {
        let entry = match result {
            Ok(entry) => entry,
            Err(error) => return Some(Err(self.gap_of_error(root, &error))),
        };
        let kind = entry.file_type()?;
        let name = self.name(root, entry.path());
        if kind.is_dir() {
            return None;
        }
        if kind.is_symlink() {
            return leads_out(root, entry.path()).then(|| {
                Err(Gap {
                    path: name,
                    reason: GapReason::Link,
                    detail: "it leads out of the scanned root".into(),
                })
            });
        }
        if !kind.is_file() {
            return Some(Err(Gap { path: name, reason: GapReason::Special, detail: String::new() }));
        }
        Some(Ok(Entry { name, location: Location::File(entry.into_path()) }))
    }

    fn gap_of_error(&self, root: &Path, error: &ignore::Error) -> Gap {
        let reason = match error.io_error().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => GapReason::Vanished,
            _ => GapReason::Unreadable,
        };
        let path = path_of(error).unwrap_or(root);
        let detail = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        Gap { path: self.name(root, path), reason, detail }
    }

    fn name(&self, root: &Path, path: &Path) -> String {
        let relative = if self.strips_root() { path.strip_prefix(root).unwrap_or(path) } else { path };
        if relative.as_os_str().is_empty() { display(path) } else { display(relative) }
    }

    fn gap(entry: &Entry, reason: GapReason, detail: impl ToString) -> Gap {
        Gap { path: entry.name.clone(), reason, detail: detail.to_string() }
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// Roots that overlap name a file twice; it is scanned once, under the first of its names.
fn drop_repeated(listing: &mut Listing) {
    let mut seen = HashSet::new();
    // A file that is gone since has no second name to be found by.
    listing
        .entries
        .retain(|entry| path_of_entry(entry).canonicalize().map_or(true, |location| seen.insert(location)));
    listing.gaps.dedup();
}

/// Whether a symbolic link's target lies outside of the root, or nowhere.
fn leads_out(root: &Path, link: &Path) -> bool {
    match (root.canonicalize(), link.canonicalize()) {
        (Ok(root), Ok(target)) => !target.starts_with(root),
        // A link to nothing hides nothing.
        _ => false,
    }
}

impl Source for Worktree {
    fn kind(&self) -> SourceKind {
        SourceKind::Worktree
    }

    fn root(&self) -> String {
        let name = |root: &PathBuf| Some(display(root)).filter(|name| !name.is_empty());
        let roots: Vec<String> =
            self.roots.iter().map(|root| name(root).unwrap_or_else(|| ".".into())).collect();
        roots.join(" ")
    }

    fn list(&self) -> Listing {
        let listing = Mutex::new(Listing::default());
        for root in &self.roots {
            if root.is_dir() {
                self.walk(root, &listing);
                continue;
            }
            let mut listing = listing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let name = display(root);
            // A file that the user names may be a link: naming it is consent.
            match root.canonicalize() {
                Ok(location) => listing.entries.push(Entry { name, location: Location::File(location) }),
                Err(error) => listing.gaps.push(Gap {
                    path: name,
                    reason: GapReason::Vanished,
                    detail: error.to_string(),
                }),
            }
        }
        let mut listing = listing.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        listing.entries.sort();
        listing.gaps.sort();
        if self.roots.len() > 1 {
            drop_repeated(&mut listing);
        }
        listing
    }

    fn open<'a>(&'a self, entry: &Entry, buffer: &'a mut Vec<u8>) -> Result<Opened<'a>, Gap> {
        let mut file = open_regular(entry)?;
        let metadata = file.metadata().map_err(|error| unreadable(entry, &error))?;
        if !metadata.is_file() {
            return Err(Self::gap(entry, GapReason::Special, ""));
        }
        let len = metadata.len();
        if let Some(most) = self.options.max_file_size.filter(|most| len > *most) {
            return Err(Self::gap(
                entry,
                GapReason::TooLarge,
                format!("{len} bytes, at most {most} asked for"),
            ));
        }
        if len <= AT_ONCE {
            let is_whole =
                read_at_once(&mut file, &metadata, buffer).map_err(|error| unreadable(entry, &error))?;
            self.check_binary(entry, buffer)?;
            let gap = (!is_whole).then(|| {
                let detail = format!("it kept growing; the first {} bytes were scanned", buffer.len());
                Self::gap(entry, GapReason::Changed, detail)
            });
            return Ok(Opened { gap, ..Opened::memory(buffer) });
        }
        let content = FileContent::new(file, len);
        let head = content.read_range(0, BINARY_HEAD as u64).map_err(|error| unreadable(entry, &error))?;
        self.check_binary(entry, &head)?;
        match Utf16::detect(&head) {
            Some(order) if len <= MOST_UTF16 => {
                let raw = content.read_range(0, len).map_err(|error| unreadable(entry, &error))?;
                Ok(Opened::file(content, Some(Utf16Content::decode(&raw, order)), None))
            }
            Some(_) => {
                let detail = format!(
                    "UTF-16 of {len} bytes; up to {MOST_UTF16} are decoded, the rest is scanned as it is"
                );
                Ok(Opened::file(content, None, Some(Self::gap(entry, GapReason::Cap, detail))))
            }
            None => Ok(Opened::file(content, None, None)),
        }
    }
}

impl Worktree {
    fn check_binary(&self, entry: &Entry, bytes: &[u8]) -> Result<(), Gap> {
        let head = &bytes[..bytes.len().min(BINARY_HEAD)];
        let is_binary = self.options.skip_binary && head.contains(&0) && Utf16::detect(head).is_none();
        if is_binary { Err(Self::gap(entry, GapReason::Binary, "")) } else { Ok(()) }
    }
}

/// Where the walk found it.
fn path_of_entry(entry: &Entry) -> &Path {
    match &entry.location {
        Location::File(path) => path,
        Location::Nth(_) => unreachable!("a tree lists files only"),
    }
}

/// Opens without following a link and without waiting for a FIFO's other end.
fn open_regular(entry: &Entry) -> Result<File, Gap> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path_of_entry(entry)).map_err(|error| unreadable(entry, &error))
}

fn unreadable(entry: &Entry, error: &io::Error) -> Gap {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => GapReason::Vanished,
        _ => GapReason::Unreadable,
    };
    Worktree::gap(entry, reason, error)
}

/// Reads a small file with one call where its length is as told: room for one byte more shows that this was all.
/// Returns whether it was: a file that keeps growing is followed to twice the size of a small one.
fn read_at_once(file: &mut File, metadata: &Metadata, buffer: &mut Vec<u8>) -> io::Result<bool> {
    // Pseudo files claim to be empty; a page finds out.
    let expected = usize::try_from(metadata.len()).expect("small files fit into memory").max(4095);
    buffer.resize(expected + 1, 0);
    let mut filled = 0;
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let room = buffer.len() - filled;
        filled += read;
        if read == 0 || (read < room && filled as u64 >= metadata.len() && metadata.len() > 0) {
            buffer.truncate(filled);
            return Ok(true);
        }
        if filled == buffer.len() {
            if filled as u64 >= 2 * AT_ONCE {
                return Ok(false);
            }
            buffer.resize(filled * 2, 0);
        }
    }
}
