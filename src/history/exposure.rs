//! From blobs to the commits that brought them in and the refs that still carry them.

use rayon::prelude::*;

use super::{
    census::{Bits, Gid, NONE},
    closure::{ListId, Lists},
    graph::{Graph, Node},
    tree::Folders,
};

/// A blob at a path in a commit, where no parent has it at that path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Appearance {
    pub(super) commit: Gid,
    /// Raw bytes, `/`-separated.
    pub(super) path: Vec<u8>,
    /// Numbers behind those of all objects stand for blobs that are not there.
    pub(super) blob: Gid,
    /// What the parents have at that path, as far as it matters.
    pub(super) before: Vec<Gid>,
}

/// Finds appearances.
pub(super) struct Exposure<'a> {
    pub(super) graph: &'a Graph,
    pub(super) folders: &'a Folders,
    pub(super) lists: &'a Lists,
}

impl Exposure<'_> {
    /// Every appearance in the commits of the set, by commit.
    pub(super) fn appearances(&self, commits: &Bits) -> Vec<Appearance> {
        let nodes = self.graph.commits().par_iter().filter(|node| commits.get(node.gid));
        nodes.flat_map_iter(|node| self.of_commit(node)).collect()
    }

    fn list_of(&self, node: &Node) -> ListId {
        if node.tree == NONE { 0 } else { self.lists.of(node.tree) }
    }

    fn of_commit(&self, node: &Node) -> Vec<Appearance> {
        let list = self.list_of(node);
        let mut found = Vec::new();
        if list == 0 {
            return found;
        }
        let mut before: Vec<ListId> = Vec::new();
        for parent in self.graph.parents(node).filter_map(|parent| self.graph.commit(parent)) {
            let parent = self.list_of(parent);
            if parent == list {
                return found;
            }
            before.push(parent);
        }
        self.compare(node.gid, (list, &before), &mut Vec::new(), &mut found);
        found
    }

    /// What the list has that none of those before has.
    fn compare(
        &self,
        commit: Gid,
        (list, before): (ListId, &[ListId]),
        path: &mut Vec<u8>,
        found: &mut Vec<Appearance>,
    ) {
        for &(name, child) in self.lists.entries(list) {
            let same_name = |list: &ListId| self.lists.named(*list, name).iter().map(|(_, child)| *child);
            if before.iter().any(|list| same_name(list).any(|other| other == child)) {
                continue;
            }
            let others: Vec<Gid> =
                before.iter().flat_map(|list| same_name(list).collect::<Vec<_>>()).collect();
            let length = path.len();
            self.enter(path, name);
            let inner = self.lists.of(child);
            if inner == 0 {
                let blob = |other: &Gid| self.lists.of(*other) == 0;
                let before = others.into_iter().filter(blob).collect();
                found.push(Appearance { commit, path: path.clone(), blob: child, before });
            } else {
                let lists: Vec<ListId> =
                    others.iter().map(|other| self.lists.of(*other)).filter(|list| *list != 0).collect();
                // Another folder with the same content that matters has nothing new.
                if !lists.contains(&inner) {
                    self.compare(commit, (inner, &lists), path, found);
                }
            }
            path.truncate(length);
        }
    }

    fn enter(&self, path: &mut Vec<u8>, name: u32) {
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&self.folders.names[name as usize]);
    }

    /// All that a folder holds, at any depth, with its path.
    pub(super) fn content(&self, tree: Gid) -> Vec<(Vec<u8>, Gid)> {
        let mut found = Vec::new();
        self.collect(self.lists.of(tree), &mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, list: ListId, path: &mut Vec<u8>, found: &mut Vec<(Vec<u8>, Gid)>) {
        for &(name, child) in self.lists.entries(list) {
            let length = path.len();
            self.enter(path, name);
            match self.lists.of(child) {
                0 => found.push((path.clone(), child)),
                inner => self.collect(inner, path, found),
            }
            path.truncate(length);
        }
    }
}
