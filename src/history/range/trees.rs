//! Folders of a range: read, kept for a while, and searched for paths.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use super::read::{Read, misfit, read};
use crate::git::{EntryError, EntryKind, HashKind, ObjectKind, Objects, Oid, tree_entry};

/// Folders that are kept for the next ones, in bytes.
const KEPT: usize = 64 << 20;

/// A folder that was read.
pub(super) struct Tree {
    bytes: Vec<u8>,
    /// By name.
    pub(super) rows: Vec<Row>,
    /// It ends in the middle of an entry.
    pub(super) is_cut: bool,
}

/// An entry of a folder.
pub(super) struct Row {
    name: Range<u32>,
    pub(super) id: Oid,
    pub(super) kind: EntryKind,
}

/// What became of reading a folder.
pub(super) enum Loaded {
    Tree(Tree),
    Failed(String),
    Missing,
}

impl Tree {
    fn parse(bytes: Vec<u8>, hash: HashKind) -> Self {
        let (mut rows, mut at, mut is_cut) = (Vec::new(), 0, false);
        while at < bytes.len() {
            let Some((entry, next)) = tree_entry(&bytes, at, hash) else {
                is_cut = true;
                break;
            };
            let end = (next - hash.id_len() - 1) as u32;
            let id = Oid::from_bytes(entry.id).expect("ids have the length of the hash");
            rows.push(Row { name: end - entry.name.len() as u32..end, id, kind: entry.kind });
            at = next;
        }
        let name = |row: &Row| &bytes[row.name.start as usize..row.name.end as usize];
        rows.sort_by(|one, two| name(one).cmp(name(two)));
        Self { bytes, rows, is_cut }
    }

    pub(super) fn name(&self, row: &Row) -> &[u8] {
        &self.bytes[row.name.start as usize..row.name.end as usize]
    }

    /// The rows of this name, from `at` on, where all before are of smaller names.
    pub(super) fn named(&self, at: &mut usize, name: &[u8]) -> &[Row] {
        while self.rows.get(*at).is_some_and(|row| self.name(row) < name) {
            *at += 1;
        }
        let same = self.rows[*at..].iter().take_while(|row| self.name(row) == name).count();
        &self.rows[*at..*at + same]
    }
}

/// Reads folders, and keeps the last ones.
pub(super) struct Trees<'a> {
    objects: &'a Objects,
    most: u64,
    kept: HashMap<Oid, Loaded>,
    size: usize,
}

impl<'a> Trees<'a> {
    pub(super) fn new(objects: &'a Objects, most: u64) -> Self {
        Self { objects, most, kept: HashMap::new(), size: 0 }
    }

    /// Reads those of these that are not kept.
    pub(super) fn load(&mut self, wanted: &HashSet<Oid>) {
        if self.size > KEPT {
            self.kept.clear();
            self.size = 0;
        }
        let due: Vec<Oid> = wanted.iter().filter(|oid| !self.kept.contains_key(*oid)).copied().collect();
        let (objects, most) = (self.objects, self.most);
        let read = |oid: Oid| (oid, load(objects, &oid, most));
        let loaded: Vec<(Oid, Loaded)> = due.into_par_iter().with_min_len(4).map(read).collect();
        for (oid, loaded) in loaded {
            if let Loaded::Tree(tree) = &loaded {
                self.size += tree.bytes.len() + tree.rows.len() * size_of::<Row>();
            }
            self.kept.insert(oid, loaded);
        }
    }

    /// One of those that were read last.
    pub(super) fn loaded(&self, oid: &Oid) -> &Loaded {
        &self.kept[oid]
    }

    /// The same, if it is a folder.
    pub(super) fn tree(&self, oid: &Oid) -> Option<&Tree> {
        match self.kept.get(oid) {
            Some(Loaded::Tree(tree)) => Some(tree),
            _ => None,
        }
    }
}

fn load(objects: &Objects, oid: &Oid, most: u64) -> Loaded {
    match read(objects, oid, most) {
        Read::Object(object) if object.kind == ObjectKind::Tree => {
            Loaded::Tree(Tree::parse(object.bytes, objects.hash()))
        }
        Read::Object(object) => Loaded::Failed(misfit(object.kind, ObjectKind::Tree)),
        Read::Missing => Loaded::Missing,
        Read::TooBig(size) => Loaded::Failed(EntryError::TooBig(size).to_string()),
        Read::Failed(why) => Loaded::Failed(why),
    }
}

/// Blobs, or none, by folder and the end of a path that is looked up in it.
type Known = HashMap<(Oid, Rest), Option<Oid>>;

/// The end of a path: its number, and from which byte on. Whole it would be too much where folders nest thousands deep.
type Rest = (usize, usize);

/// Looks paths up in the folders of many refs, which have most of their folders in common.
pub(super) struct Lookup<'a> {
    objects: &'a Objects,
    most: u64,
    /// Threads share it.
    known: Mutex<Known>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(objects: &'a Objects, most: u64) -> Self {
        Self { objects, most, known: Mutex::default() }
    }

    /// What a root folder has at these paths, which are the same for every one of them.
    pub(super) fn at(&self, tree: &Oid, paths: &[&[u8]]) -> Vec<(Vec<u8>, Oid)> {
        let Loaded::Tree(root) = load(self.objects, tree, self.most) else { return Vec::new() };
        let numbered = paths.iter().enumerate();
        numbered
            .filter_map(|(number, path)| Some((path.to_vec(), self.below(&root, number, path)?)))
            .collect()
    }

    fn below(&self, tree: &Tree, number: usize, path: &[u8]) -> Option<Oid> {
        let (folder, rest) = match step_down(tree, path)? {
            Below::Blob(blob) => return Some(blob),
            Below::Folder(folder, rest) => (folder, rest),
        };
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut passed: Vec<(Oid, Rest)> = Vec::new();
        let (mut folder, mut rest) = (folder, rest);
        let found = loop {
            let key = (folder, (number, path.len() - rest.len()));
            if let Some(known) = lock().get(&key) {
                break *known;
            }
            passed.push(key);
            let Loaded::Tree(tree) = load(self.objects, &folder, self.most) else { break None };
            match step_down(&tree, rest) {
                None => break None,
                Some(Below::Blob(blob)) => break Some(blob),
                Some(Below::Folder(next, further)) => (folder, rest) = (next, further),
            }
        };
        lock().extend(passed.into_iter().map(|key| (key, found)));
        found
    }
}

enum Below<'p> {
    Blob(Oid),
    /// With the rest of the path.
    Folder(Oid, &'p [u8]),
}

/// What a folder has at the first name of a path.
fn step_down<'p>(tree: &Tree, path: &'p [u8]) -> Option<Below<'p>> {
    let (name, rest) = match memchr::memchr(b'/', path) {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    };
    let at = tree.rows.partition_point(|row| tree.name(row) < name);
    let row = tree.rows.get(at).filter(|row| tree.name(row) == name)?;
    match (rest, row.kind) {
        (None, EntryKind::Blob) => Some(Below::Blob(row.id)),
        (Some(rest), EntryKind::Tree) => Some(Below::Folder(row.id, rest)),
        _ => None,
    }
}
