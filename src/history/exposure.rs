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
        self.each_new(list, before, |path, blob, before| {
            found.push(Appearance { commit: node.gid, path: path.to_vec(), blob, before });
        });
        found
    }

    /// Tells of every blob that the list has and none of those before has at its path, with what these have there. Folders nest as
    /// deep as whoever made them likes, so nothing recurses here.
    fn each_new(&self, list: ListId, before: Vec<ListId>, mut tell: impl FnMut(&[u8], Gid, Vec<Gid>)) {
        let mut path = Vec::new();
        let mut open = vec![Open { list, before, done: 0, length: 0 }];
        while let Some(here) = open.last_mut() {
            path.truncate(here.length);
            let Some(&(name, child)) = self.lists.entries(here.list).get(here.done) else {
                open.pop();
                continue;
            };
            here.done += 1;
            let same_name = here.before.iter().flat_map(|list| self.lists.named(*list, name));
            let others: Vec<Gid> = same_name.map(|(_, other)| *other).collect();
            if others.contains(&child) {
                continue;
            }
            self.enter(&mut path, name);
            let list_of = |other: &Gid| self.lists.of(*other);
            match self.lists.of(child) {
                0 => tell(&path, child, others.into_iter().filter(|other| list_of(other) == 0).collect()),
                inner => {
                    let before: Vec<ListId> = others.iter().map(list_of).filter(|list| *list != 0).collect();
                    // Another folder with the same content that matters has nothing new.
                    if !before.contains(&inner) {
                        open.push(Open { list: inner, before, done: 0, length: path.len() });
                    }
                }
            }
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
        self.each_new(self.lists.of(tree), Vec::new(), |path, blob, _| found.push((path.to_vec(), blob)));
        found
    }
}

/// A folder that is being looked at.
struct Open {
    list: ListId,
    /// What stood in its place before.
    before: Vec<ListId>,
    /// How many of its entries are done.
    done: usize,
    /// Of its path, in bytes.
    length: usize,
}
