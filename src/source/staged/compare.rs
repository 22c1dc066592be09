//! Walks the index beside the trees of `HEAD`.

use std::cmp::Ordering;

use super::{Change, MOST_TREE, StagedError, read};
use crate::{
    git::{CacheTreeNode, EntryKind, Index, IndexEntries, ObjectKind, Objects, Oid, TreeEntry, tree_entry},
    model::{Gap, GapReason},
    source::path::display_bytes,
};

/// No path has so many folders; git's own limit is a few times this.
const MOST_DEEP: usize = 1000;
/// A few trees that hold each other often can stand for more files than there are atoms.
const MOST_FILES: usize = 5_000_000;
/// The mode of an entry, without permissions.
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const SUBMODULE: u32 = 0o160_000;

/// How an index differs from a tree.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Blobs that are not in the tree at their path.
    pub(super) changes: Vec<Change>,
    pub(super) gaps: Vec<Gap>,
    deleted_files: Vec<(Vec<u8>, Oid)>,
    deleted_folders: Vec<(Vec<u8>, Oid)>,
}

/// Compares an index with a tree, or with nothing.
///
/// A folder that git knows to be the tree it was is skipped as one. A tree that can't be read is a gap, and what lies in its folder is
/// compared with nothing.
pub(super) fn compare(objects: &Objects, index: &Index, old: Option<Oid>) -> Result<Found, StagedError> {
    let root = index.cache_tree().root();
    if let (Some(tree), Some((_, known))) = (old, root.and_then(CacheTreeNode::tree))
        && tree == known
    {
        return Ok(Found::default());
    }
    let mut walk = Walk { objects, entries: index.entries(), found: Found::default() };
    walk.folder(&Folder { path: b"", depth: 0 }, old, root.filter(|_| old.is_some()));
    Ok(walk.found)
}

impl Found {
    /// Whether something that the tree has is not in the index.
    pub(super) fn has_deletions(&self) -> bool {
        !self.deleted_files.is_empty() || !self.deleted_folders.is_empty()
    }

    /// Every file that the tree has and the index has not. What can't be listed excuses nothing.
    pub(super) fn deleted(&mut self, objects: &Objects) -> Vec<(Vec<u8>, Oid)> {
        let mut files = std::mem::take(&mut self.deleted_files);
        let mut folders = std::mem::take(&mut self.deleted_folders);
        while let Some((path, oid)) = folders.pop().filter(|_| files.len() < MOST_FILES) {
            let Ok(bytes) = read(objects, &oid, ObjectKind::Tree, MOST_TREE) else { continue };
            let mut names = Names::new(&bytes, objects);
            while let Some(entry) = names.next {
                let inner = [&path[..], b"/", entry.name].concat();
                match (entry.kind, Oid::from_bytes(entry.id)) {
                    (EntryKind::Tree, Some(oid)) if path.len() < 4 * MOST_DEEP => folders.push((inner, oid)),
                    (EntryKind::Blob, Some(oid)) => files.push((inner, oid)),
                    _ => {}
                }
                names.advance();
            }
        }
        files.sort();
        files
    }
}

/// Where the walk is.
struct Folder<'a> {
    /// Empty, or with a `/` at the end.
    path: &'a [u8],
    depth: usize,
}

struct Walk<'a> {
    objects: &'a Objects,
    entries: IndexEntries<'a>,
    found: Found,
}

impl Walk<'_> {
    /// Compares the entries below a folder with its tree in `HEAD`.
    fn folder(&mut self, folder: &Folder<'_>, old: Option<Oid>, node: Option<CacheTreeNode<'_>>) {
        let bytes = old.map(|oid| self.tree(folder, oid)).unwrap_or_default();
        let mut names = Names::new(&bytes, self.objects);
        let children = node.map(CacheTreeNode::children).unwrap_or_default();
        let mut name = Vec::new();
        loop {
            let is_folder = self.next_name(folder, &mut name);
            let order = match (is_folder, names.next) {
                (None, None) => break,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(is_folder), Some(entry)) => {
                    tree_order((&name, is_folder), (entry.name, entry.kind == EntryKind::Tree))
                }
            };
            let old = if order == Ordering::Less { None } else { names.next };
            if order == Ordering::Greater {
                self.deleted(folder, old);
            } else if is_folder == Some(true) {
                let node = children.binary_search_by_key(&&name[..], |(name, _)| *name).ok();
                self.inner(folder, &name, old, node.map(|at| children[at].1));
            } else {
                self.file(old);
            }
            if order != Ordering::Less {
                names.advance();
            }
        }
        if names.is_malformed {
            self.gap(folder.path, GapReason::Unreadable, "a tree of HEAD is malformed".into());
        }
    }

    /// The next name in this folder, and whether it is a folder itself; `None` where its entries end.
    fn next_name(&self, folder: &Folder<'_>, name: &mut Vec<u8>) -> Option<bool> {
        let rest = self.entries.path()?.strip_prefix(folder.path)?;
        let slash = memchr::memchr(b'/', rest);
        name.clear();
        name.extend_from_slice(&rest[..slash.unwrap_or(rest.len())]);
        Some(slash.is_some())
    }

    /// A folder in the index, with what `HEAD` has there.
    fn inner(
        &mut self,
        folder: &Folder<'_>,
        name: &[u8],
        old: Option<TreeEntry<'_>>,
        node: Option<CacheTreeNode<'_>>,
    ) {
        let path = [folder.path, name, b"/"].concat();
        let old = old.and_then(|entry| Oid::from_bytes(entry.id));
        let entry = self.entries.peek().expect("a name was read from it");
        if entry.mode & KIND == FOLDER && entry.path == path {
            let new = entry.oid;
            self.entries.advance();
            if Some(new) != old {
                let inner = Folder { path: &path, depth: folder.depth + 1 };
                self.trees(&inner, new, old);
            }
            return;
        }
        if let (Some(old), Some((count, known))) = (old, node.and_then(CacheTreeNode::tree))
            && old == known
            && self.skip(&path, count)
        {
            return;
        }
        if folder.depth >= MOST_DEEP {
            self.too_deep(&path);
            return;
        }
        self.folder(&Folder { path: &path, depth: folder.depth + 1 }, old, node);
    }

    /// Passes over the entries of a folder, if there are as many as git knew.
    fn skip(&mut self, path: &[u8], count: u32) -> bool {
        let is_inside =
            |entries: &IndexEntries<'_>| entries.path().is_some_and(|entry| entry.starts_with(path));
        let start = self.entries.clone();
        self.entries.skip(count.saturating_sub(1));
        let has_last = count > 0 && is_inside(&self.entries);
        self.entries.advance();
        if has_last && !is_inside(&self.entries) {
            return true;
        }
        self.entries = start;
        false
    }

    /// Nothing below here is looked at.
    fn too_deep(&mut self, path: &[u8]) {
        self.gap(path, GapReason::Cap, format!("more than {MOST_DEEP} folders deep"));
        while self.entries.path().is_some_and(|entry| entry.starts_with(path)) {
            self.entries.advance();
        }
    }

    /// The entries of one file (several in a conflict), with what `HEAD` has there.
    fn file(&mut self, old: Option<TreeEntry<'_>>) {
        let Some(path) = self.entries.path().map(<[u8]>::to_vec) else { return };
        let kind = old.map(|entry| entry.kind);
        let old = old.and_then(|entry| Oid::from_bytes(entry.id));
        while let Some(entry) = self.entries.peek().filter(|entry| entry.path == path) {
            // The base of a conflict is what both sides come from.
            let has_content = entry.stage != 1 && !entry.is_intent_to_add;
            if has_content && Some(entry.oid) != old {
                if entry.mode & KIND == SUBMODULE {
                    let detail = format!("commit {}", entry.oid);
                    self.gap(&path, GapReason::Submodule, detail);
                } else {
                    let old = old.filter(|_| kind == Some(EntryKind::Blob));
                    self.found.changes.push(Change { path: path.clone(), oid: entry.oid, old });
                }
            }
            self.entries.advance();
        }
    }

    fn deleted(&mut self, folder: &Folder<'_>, old: Option<TreeEntry<'_>>) {
        let Some((entry, oid)) = old.and_then(|entry| Some((entry, Oid::from_bytes(entry.id)?))) else {
            return;
        };
        let path = [folder.path, entry.name].concat();
        match entry.kind {
            EntryKind::Tree => self.found.deleted_folders.push((path, oid)),
            EntryKind::Blob => self.found.deleted_files.push((path, oid)),
            EntryKind::Submodule => {}
        }
    }

    /// A folder that the index has as a tree: what differs from the tree of `HEAD`.
    fn trees(&mut self, folder: &Folder<'_>, new: Oid, old: Option<Oid>) {
        if folder.depth >= MOST_DEEP || self.found.changes.len() >= MOST_FILES {
            let detail = format!("more than {MOST_DEEP} folders deep, or {MOST_FILES} files changed");
            self.gap(folder.path, GapReason::Cap, detail);
            return;
        }
        let (new, old) = (self.tree(folder, new), old.map(|oid| self.tree(folder, oid)).unwrap_or_default());
        let (mut new, mut old) = (Names::new(&new, self.objects), Names::new(&old, self.objects));
        loop {
            let key = |entry: TreeEntry<'_>| entry.kind == EntryKind::Tree;
            let order = match (new.next, old.next) {
                (None, None) => break,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(new), Some(old)) => tree_order((new.name, key(new)), (old.name, key(old))),
            };
            let before = if order == Ordering::Less { None } else { old.next };
            match new.next.filter(|_| order != Ordering::Greater) {
                None => self.deleted(folder, before),
                Some(entry) if before.map(|before| before.id) == Some(entry.id) => {}
                Some(entry) => self.tree_change(folder, entry, before),
            }
            if order != Ordering::Greater {
                new.advance();
            }
            if order != Ordering::Less {
                old.advance();
            }
        }
        if new.is_malformed || old.is_malformed {
            self.gap(folder.path, GapReason::Unreadable, "a tree is malformed".into());
        }
    }

    fn tree_change(&mut self, folder: &Folder<'_>, new: TreeEntry<'_>, old: Option<TreeEntry<'_>>) {
        let path = [folder.path, new.name].concat();
        let Some(oid) = Oid::from_bytes(new.id) else { return };
        let kind = old.map(|old| old.kind);
        let old = old.and_then(|old| Oid::from_bytes(old.id));
        match new.kind {
            EntryKind::Tree => {
                let path = [&path[..], b"/"].concat();
                self.trees(&Folder { path: &path, depth: folder.depth + 1 }, oid, old);
            }
            EntryKind::Blob => {
                let old = old.filter(|_| kind == Some(EntryKind::Blob));
                self.found.changes.push(Change { path, oid, old });
            }
            EntryKind::Submodule => self.gap(&path, GapReason::Submodule, format!("commit {oid}")),
        }
    }

    /// A tree's bytes; one that can't be read is a gap, and holds nothing.
    fn tree(&mut self, folder: &Folder<'_>, oid: Oid) -> Vec<u8> {
        read(self.objects, &oid, ObjectKind::Tree, MOST_TREE).unwrap_or_else(|(reason, detail)| {
            self.gap(folder.path, reason, detail);
            Vec::new()
        })
    }

    fn gap(&mut self, path: &[u8], reason: GapReason, detail: String) {
        let path = if path.is_empty() { b".".as_slice() } else { path };
        self.found.gaps.push(Gap { path: display_bytes(path), reason, detail });
    }
}

/// The order of names in a tree: folders as if a `/` stood behind them. The paths of an index come in the same order.
fn tree_order(one: (&[u8], bool), two: (&[u8], bool)) -> Ordering {
    let common = one.0.len().min(two.0.len());
    let rest = |(name, is_folder): (&[u8], bool)| match name.get(common) {
        Some(byte) => u16::from(*byte) + 1,
        None if is_folder => u16::from(b'/') + 1,
        None => 0,
    };
    one.0[..common].cmp(&two.0[..common]).then_with(|| rest(one).cmp(&rest(two))).then_with(|| {
        // `a/` and a name that starts with it: no name has a slash.
        one.0.len().cmp(&two.0.len())
    })
}

/// The entries of a tree, one after the other.
struct Names<'a> {
    bytes: &'a [u8],
    objects: &'a Objects,
    at: usize,
    next: Option<TreeEntry<'a>>,
    /// Whether it ended before its bytes did.
    is_malformed: bool,
}

impl<'a> Names<'a> {
    fn new(bytes: &'a [u8], objects: &'a Objects) -> Self {
        let mut names = Self { bytes, objects, at: 0, next: None, is_malformed: false };
        names.advance();
        names
    }

    fn advance(&mut self) {
        let found = tree_entry(self.bytes, self.at, self.objects.hash());
        self.is_malformed = found.is_none() && self.at < self.bytes.len();
        self.next = found.map(|(entry, next)| {
            self.at = next;
            entry
        });
    }
}
