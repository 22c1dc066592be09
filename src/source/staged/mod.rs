//! What the next commit would add: the index against `HEAD`.
//!
//! Blobs are read, never files of the work tree. A file is scanned whole, so that what stands around a secret counts, and then only what
//! touches an added or changed line is kept.

mod compare;
mod lines;
mod rename;

use std::collections::HashSet;

use super::{Added, Entry, Listing, Location, Opened, Source, path::display_bytes};
use crate::{
    detect::Content,
    git::{
        Commit, EntryError, Head, Index, IndexError, ObjectError, ObjectKind, Objects, ObjectsError, Oid,
        Repository, RepositoryError, head, loose::LooseError,
    },
    model::{Gap, GapReason, SourceKind},
};

/// A blob is held in memory up to here, in bytes; git itself stops at 2 GiB on some systems.
const MOST: u64 = 2 << 30;
/// A commit or tree beyond this is none, in bytes.
const MOST_TREE: u64 = 256 << 20;
/// A pointer of git LFS is shorter, in bytes.
const LFS_POINTER: usize = 1024;

/// How much of the index is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What differs from `HEAD`.
    Changes,
    /// The same, or all of it where nothing differs: what a hook means that is run over all files.
    ChangesOrAll,
    /// All of it.
    All,
}

/// An index or a `HEAD` that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Folders of objects.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// Refs.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// What is checked out.
    #[error("read HEAD: {0}")]
    Head(String),
    /// The commit that is checked out.
    #[error("read HEAD: {0}")]
    Commit(#[from] ObjectError),
    /// There is nothing to stage in.
    #[error("{0}: a bare repository has no index; scan its commits with `hekate history`")]
    Bare(String),
}

/// A blob of the index to be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    /// From the root of the work tree.
    path: Vec<u8>,
    oid: Oid,
    /// The blob that `HEAD` has at this path.
    old: Option<Oid>,
}

/// The index, as far as it is scanned.
pub struct Staged {
    objects: Objects,
    changes: Vec<Change>,
    /// Files that `HEAD` has and the index has not.
    deleted: Vec<(Vec<u8>, Oid)>,
    gaps: Vec<Gap>,
    is_whole: bool,
}

impl Staged {
    /// Compares a repository's index with its `HEAD`.
    ///
    /// # Errors
    /// An index, `HEAD` or folder of objects that can't be read, or a bare repository.
    pub fn new(repository: &Repository, scope: Scope) -> Result<Self, StagedError> {
        if repository.work_tree.is_none() {
            return Err(StagedError::Bare(repository.git_dir.display().to_string()));
        }
        let objects = Objects::open(repository.object_folders(), repository.hash)?;
        let index = Index::read(&repository.index_path, &repository.git_dir, repository.hash)?;
        let old = match scope {
            Scope::All => None,
            Scope::Changes | Scope::ChangesOrAll => head_tree(repository, &objects)?,
        };
        let mut found = compare::compare(&objects, &index, old)?;
        let is_clean = found.changes.is_empty() && !found.has_deletions() && found.gaps.is_empty();
        let is_whole = scope == Scope::All || (scope == Scope::ChangesOrAll && is_clean);
        if is_whole && scope != Scope::All {
            found = compare::compare(&objects, &index, None)?;
        }
        let mut deleted = Vec::new();
        if !is_whole && found.has_deletions() && found.changes.iter().any(|change| change.old.is_none()) {
            deleted = found.deleted(&objects);
            let gone: HashSet<Oid> = deleted.iter().map(|(_, oid)| *oid).collect();
            // A file that was only moved holds nothing new.
            found.changes.retain(|change| change.old.is_some() || !gone.contains(&change.oid));
        }
        let compare::Found { changes, gaps, .. } = found;
        Ok(Self { objects, changes, deleted, gaps, is_whole })
    }

    fn change(&self, entry: &Entry) -> &Change {
        match entry.location {
            Location::Nth(index) => &self.changes[index],
            Location::File(_) => unreachable!("an index lists its own entries"),
        }
    }

    /// The blob that a file of the index is compared with: what `HEAD` has at its path, or at the path that it was moved from.
    fn old_bytes(&self, change: &Change, new: &[u8]) -> Option<Vec<u8>> {
        match change.old {
            // One that can't be read excuses nothing.
            Some(oid) => blob(&self.objects, &oid, lines::MOST).ok(),
            None => rename::most_alike(self, &change.path, new),
        }
    }
}

impl Source for Staged {
    fn kind(&self) -> SourceKind {
        SourceKind::Staged
    }

    fn root(&self) -> String {
        ".".into()
    }

    fn list(&self) -> Listing {
        let entry = |(index, change): (usize, &Change)| Entry {
            name: display_bytes(&change.path),
            location: Location::Nth(index),
        };
        let mut entries: Vec<Entry> = self.changes.iter().enumerate().map(entry).collect();
        entries.sort();
        Listing { entries, gaps: self.gaps.clone() }
    }

    fn open<'a>(&'a self, entry: &Entry, buffer: &'a mut Vec<u8>) -> Result<Opened<'a>, Gap> {
        let failed = |(reason, detail)| Gap { path: entry.name.clone(), reason, detail };
        *buffer = blob(&self.objects, &self.change(entry).oid, MOST).map_err(failed)?;
        let gap = is_lfs_pointer(buffer)
            .then(|| failed((GapReason::Lfs, "its pointer was scanned, not the file".to_owned())));
        Ok(Opened { gap, ..Opened::memory(buffer) })
    }

    fn added(&self, entry: &Entry, content: &dyn Content) -> Added {
        let (false, Some(new)) = (self.is_whole, content.whole()) else { return Added::All };
        let old = self.old_bytes(self.change(entry), new);
        old.map_or(Added::All, |old| lines::added(&old, new))
    }
}

/// The root tree of what is checked out; `None` where nothing is committed yet.
fn head_tree(repository: &Repository, objects: &Objects) -> Result<Option<Oid>, StagedError> {
    let commit = match head(repository)? {
        Head::Branch { commit: None, .. } => return Ok(None),
        Head::Branch { commit: Some(oid), .. } | Head::Detached(oid) => oid,
        Head::Broken(why) => return Err(StagedError::Head(why)),
    };
    let object = objects.read(&commit, MOST_TREE)?;
    let object = object.ok_or_else(|| StagedError::Head(format!("commit {commit} is not there")))?;
    let tree = match object.kind {
        ObjectKind::Commit => Commit::parse(&object.bytes, objects.hash()).map(|commit| commit.tree),
        _ => None,
    };
    tree.map(Some).ok_or_else(|| StagedError::Head(format!("{commit} is no commit")))
}

/// What stands in a blob, or why that can't be told.
fn blob(objects: &Objects, oid: &Oid, most: u64) -> Result<Vec<u8>, (GapReason, String)> {
    read(objects, oid, ObjectKind::Blob, most)
}

fn read(objects: &Objects, oid: &Oid, kind: ObjectKind, most: u64) -> Result<Vec<u8>, (GapReason, String)> {
    match objects.read(oid, most) {
        Ok(Some(object)) if object.kind == kind => Ok(object.bytes),
        Ok(Some(_)) => Err((GapReason::Unreadable, format!("{oid} is no {}", kind.as_str()))),
        Ok(None) => Err((GapReason::Missing, format!("{} {oid}", kind.as_str()))),
        Err(error) => Err(match size_of_too_big(&error) {
            Some(size) => (GapReason::Cap, format!("{size} bytes, at most {most} are held")),
            None => (GapReason::Unreadable, error.to_string()),
        }),
    }
}

fn size_of_too_big(error: &ObjectError) -> Option<u64> {
    match error {
        ObjectError::Loose { source: LooseError::TooBig(size), .. }
        | ObjectError::Entry { what: EntryError::TooBig(size), .. } => Some(*size),
        _ => None,
    }
}

/// <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>
fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.len() < LFS_POINTER && bytes.starts_with(b"version https://git-lfs.github.com/spec/")
}
