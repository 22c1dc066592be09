//! What commits change: their folders against those of all their parents.
//!
//! A folder is compared once with the same folders before it, however many commits and paths lead there. So a repository whose few
//! folders make millions of paths costs what its folders cost.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::{
    commits::Shown,
    trees::{Loaded, Row, Tree, Trees},
};
use crate::{
    git::{EntryError, EntryKind, ObjectKind, Objects, Oid},
    history::sweep::Broken,
};

/// Number of a comparison.
type StepId = u32;

/// Comparisons that are worked out together.
const BATCH: usize = 1024;

/// A folder, and what stood in its place before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    tree: Oid,
    /// Sorted, each once, without the folder itself.
    before: Box<[Oid]>,
}

/// A comparison: what the folder has that none before it has.
#[derive(Default)]
struct Step {
    files: Vec<File>,
    folders: Vec<(Box<[u8]>, StepId)>,
}

/// A blob where none of the folders before has it.
struct File {
    /// Empty where a tip is the blob itself.
    name: Box<[u8]>,
    blob: Oid,
    /// What they have there.
    before: Box<[Oid]>,
}

/// Where a comparison was met first.
#[derive(Clone)]
enum Via {
    Commit(Oid),
    Folder(StepId, Box<[u8]>),
}

/// A blob at a path in a commit, where no parent has it at that path.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// `None` for what a tip is itself.
    pub(super) commit: Option<Oid>,
    /// The commit, or that tip.
    pub(super) tip: Oid,
    pub(super) path: Vec<u8>,
    pub(super) blob: Oid,
    /// Blobs that parents have there.
    pub(super) before: Box<[Oid]>,
}

/// All that the commits of a range change.
#[derive(Default)]
pub(super) struct Changes {
    steps: Vec<Step>,
    vias: Vec<Via>,
    numbers: HashMap<Key, StepId>,
    /// Commits, or tips that are folders, with their root folder's comparison; `None` where it has nothing new.
    roots: Vec<(Root, StepId)>,
    /// Folders that were read, or should have been, on the side of the range.
    trees: BTreeSet<Oid>,
    broken: BTreeMap<Oid, Broken>,
    /// Names under which submodules came in.
    pub(super) submodules: BTreeSet<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Root {
    Commit(Oid),
    Tip(Oid),
}

/// What a comparison comes to, before the folders in it have numbers.
#[derive(Default)]
struct Compared {
    files: Vec<File>,
    folders: Vec<(Box<[u8]>, Key)>,
    submodules: Vec<Vec<u8>>,
    broken: Option<Option<String>>,
}

impl Changes {
    /// Compares the folders of commits, and reads those that tips are themselves.
    pub(super) fn work_out<'t>(
        objects: &Objects,
        most: u64,
        commits: &[Shown],
        tips: impl Iterator<Item = (&'t Oid, &'t (ObjectKind, Oid))>,
    ) -> Self {
        let mut changes = Self::default();
        for one in commits.iter().filter(|one| !one.before.contains(&one.tree)) {
            let key = Key { tree: one.tree, before: one.before.clone().into_boxed_slice() };
            let id = changes.number(key, Via::Commit(one.oid));
            changes.roots.push((Root::Commit(one.oid), id));
        }
        for (tip, (kind, oid)) in tips {
            let id = match kind {
                ObjectKind::Tree => {
                    changes.number(Key { tree: *oid, before: Box::default() }, Via::Commit(*oid))
                }
                _ => changes.single(*oid),
            };
            changes.roots.push((Root::Tip(*tip), id));
        }
        let mut trees = Trees::new(objects, most);
        let mut keys: Vec<(StepId, Key)> =
            changes.numbers.iter().map(|(key, id)| (*id, key.clone())).collect();
        keys.sort_unstable_by_key(|(id, _)| *id);
        while !keys.is_empty() {
            let rest = keys.split_off(keys.len().min(BATCH));
            let more = changes.batch(&mut trees, &keys);
            keys = rest;
            keys.extend(more);
        }
        changes
    }

    /// Gives a comparison its number.
    fn number(&mut self, key: Key, via: Via) -> StepId {
        let next = self.steps.len() as StepId;
        let id = *self.numbers.entry(key).or_insert(next);
        if id == next {
            self.steps.push(Step::default());
            self.vias.push(via);
        }
        id
    }

    /// A comparison that is one file.
    fn single(&mut self, blob: Oid) -> StepId {
        let file = File { name: Box::default(), blob, before: Box::default() };
        self.steps.push(Step { files: vec![file], folders: Vec::new() });
        self.vias.push(Via::Commit(blob));
        self.steps.len() as StepId - 1
    }

    /// Works out some comparisons; gives those that they lead to.
    fn batch(&mut self, trees: &mut Trees<'_>, keys: &[(StepId, Key)]) -> Vec<(StepId, Key)> {
        let wanted = keys.iter().flat_map(|(_, key)| key.before.iter().chain([&key.tree])).copied();
        trees.load(&wanted.collect());
        let compared: Vec<Compared> = keys.par_iter().map(|(_, key)| compare(trees, key)).collect();
        let mut more = Vec::new();
        for ((id, key), compared) in keys.iter().zip(compared) {
            self.trees.insert(key.tree);
            self.submodules.extend(compared.submodules);
            self.steps[*id as usize].files = compared.files;
            if let Some(why) = compared.broken {
                self.break_at(*id, key.tree, why);
            }
            for (name, key) in compared.folders {
                let known = self.steps.len();
                let folder = self.number(key.clone(), Via::Folder(*id, name.clone()));
                if folder as usize == known {
                    more.push((folder, key));
                }
                self.steps[*id as usize].folders.push((name, folder));
            }
        }
        more
    }

    fn break_at(&mut self, step: StepId, oid: Oid, why: Option<String>) {
        let place = Some(self.place(step, b""));
        self.broken.entry(oid).or_insert(Broken { oid, kind: Some(ObjectKind::Tree), why, place });
    }

    /// A path and commit that lead to a name in a comparison.
    fn place(&self, step: StepId, name: &[u8]) -> (Vec<u8>, Oid) {
        let mut names = vec![name];
        let mut at = &self.vias[step as usize];
        loop {
            match at {
                Via::Folder(step, name) => {
                    names.push(name);
                    at = &self.vias[*step as usize];
                }
                Via::Commit(oid) => {
                    names.reverse();
                    names.retain(|name| !name.is_empty());
                    return (names.join(&b'/'), *oid);
                }
            }
        }
    }

    /// Folders that came in, and which of them could not be read.
    pub(super) fn trees(&self) -> (u64, Vec<Broken>) {
        (self.trees.len() as u64, self.broken.values().cloned().collect())
    }

    /// Blobs that came in, each with a place.
    pub(super) fn blobs(&self) -> BTreeMap<Oid, (StepId, &[u8])> {
        let mut blobs = BTreeMap::new();
        for (step, file) in self.files() {
            blobs.entry(file.blob).or_insert((step, &*file.name));
        }
        blobs
    }

    /// A path and commit of a blob that came in.
    pub(super) fn place_of(&self, (step, name): (StepId, &[u8])) -> (Vec<u8>, Oid) {
        self.place(step, name)
    }

    fn files(&self) -> impl Iterator<Item = (StepId, &File)> {
        (0..).zip(&self.steps).flat_map(|(id, step)| step.files.iter().map(move |file| (id, file)))
    }

    /// Every place at which a wanted blob came in; it is told by its name, too.
    pub(super) fn places(&self, is_wanted: impl Fn(&[u8], &Oid) -> bool + Sync) -> Vec<Change> {
        let leads = self.leading_to(&is_wanted);
        let roots = self.roots.par_iter().filter(|(_, step)| leads[*step as usize]);
        roots.flat_map_iter(|(root, step)| self.below(*root, *step, &leads, &is_wanted)).collect()
    }

    /// Which comparisons lead to a wanted blob, at any depth.
    fn leading_to(&self, is_wanted: &impl Fn(&[u8], &Oid) -> bool) -> Vec<bool> {
        let mut above: Vec<Vec<StepId>> = vec![Vec::new(); self.steps.len()];
        for (id, step) in (0..).zip(&self.steps) {
            step.folders.iter().for_each(|(_, folder)| above[*folder as usize].push(id));
        }
        let mut leads = vec![false; self.steps.len()];
        let mut due: Vec<StepId> = self
            .files()
            .filter(|(_, file)| is_wanted(&file.name, &file.blob))
            .map(|(step, _)| step)
            .collect();
        while let Some(step) = due.pop() {
            if !std::mem::replace(&mut leads[step as usize], true) {
                due.extend(&above[step as usize]);
            }
        }
        leads
    }

    fn below(
        &self,
        root: Root,
        step: StepId,
        leads: &[bool],
        is_wanted: &impl Fn(&[u8], &Oid) -> bool,
    ) -> Vec<Change> {
        let (commit, tip) = match root {
            Root::Commit(oid) => (Some(oid), oid),
            Root::Tip(oid) => (None, oid),
        };
        let mut found = Vec::new();
        // Comparisons on the way, how many of their folders are done, and the length of their path.
        let mut open: Vec<(StepId, usize, usize)> = vec![(step, 0, 0)];
        // A folder that holds itself takes a hash collision; it would end here all the same.
        let mut on_the_way = HashSet::from([step]);
        let mut path: Vec<u8> = Vec::new();
        while let Some((id, done, length)) = open.last_mut() {
            let step = &self.steps[*id as usize];
            path.truncate(*length);
            if *done == 0 {
                for file in step.files.iter().filter(|file| is_wanted(&file.name, &file.blob)) {
                    let path = joined(&path, &file.name);
                    found.push(Change { commit, tip, path, blob: file.blob, before: file.before.clone() });
                }
            }
            match step.folders.get(*done) {
                Some((name, folder)) => {
                    *done += 1;
                    if leads[*folder as usize] && on_the_way.insert(*folder) {
                        if !path.is_empty() {
                            path.push(b'/');
                        }
                        path.extend_from_slice(name);
                        open.push((*folder, 0, path.len()));
                    }
                }
                None => {
                    on_the_way.remove(id);
                    open.pop();
                }
            }
        }
        found
    }
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let between: &[u8] = if path.is_empty() || name.is_empty() { b"" } else { b"/" };
    [path, between, name].concat()
}

/// What a folder has that none before it has.
fn compare(trees: &Trees<'_>, key: &Key) -> Compared {
    let mut compared = Compared::default();
    let tree = match trees.loaded(&key.tree) {
        Loaded::Tree(tree) => tree,
        Loaded::Failed(why) => {
            compared.broken = Some(Some(why.clone()));
            return compared;
        }
        Loaded::Missing => {
            compared.broken = Some(None);
            return compared;
        }
    };
    if tree.is_cut {
        compared.broken = Some(Some(EntryError::Malformed.to_string()));
    }
    // What can't be read there is not known to have been there.
    let mut others: Vec<(&Tree, usize)> =
        key.before.iter().filter_map(|oid| Some((trees.tree(oid)?, 0))).collect();
    let mut same: Vec<&Row> = Vec::new();
    for row in &tree.rows {
        let name = tree.name(row);
        same.clear();
        for (other, at) in &mut others {
            same.extend(other.named(at, name));
        }
        if same.iter().any(|other| other.id == row.id) {
            continue;
        }
        match row.kind {
            EntryKind::Submodule => compared.submodules.push(name.to_vec()),
            EntryKind::Blob => {
                let before = ids_of(&same, EntryKind::Blob);
                compared.files.push(File { name: name.into(), blob: row.id, before });
            }
            EntryKind::Tree => {
                let before = ids_of(&same, EntryKind::Tree);
                compared.folders.push((name.into(), Key { tree: row.id, before }));
            }
        }
    }
    compared
}

fn ids_of(rows: &[&Row], kind: EntryKind) -> Box<[Oid]> {
    let mut ids: Vec<Oid> = rows.iter().filter(|row| row.kind == kind).map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_boxed_slice()
}
