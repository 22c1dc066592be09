//! Until when each blob stood at each path.

use std::collections::{HashMap, HashSet};

use super::{
    census::Gid,
    closure::{ListId, Lists},
    tree::Folders,
};

/// A blob at a path, with the newest commit that has it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Latest {
    pub(super) commit: Gid,
    /// Raw bytes, `/`-separated.
    pub(super) path: Vec<u8>,
    /// Numbers behind those of all objects stand for blobs that are not there.
    pub(super) blob: Gid,
}

/// Number of a path; 0 is the root.
type PathId = u32;

/// Goes from the newest commit to the oldest. Of a folder only what the one seen last at its path has not is looked at, and the same
/// list is never looked at twice at a path: so it costs about as much as is changed.
struct Search<'a> {
    lists: &'a Lists,
    /// What each path is: a name in a folder.
    paths: Vec<(PathId, u32)>,
    numbers: HashMap<(PathId, u32), PathId>,
    /// What was seen last at each path.
    last: Vec<ListId>,
    seen: HashSet<(PathId, ListId)>,
    blobs: HashSet<(PathId, Gid)>,
    found: Vec<(Gid, PathId, Gid)>,
}

/// Every blob that matters at every path, with the first of the commits that has it there. Commits come with their root folder,
/// newest first; so do the answers.
pub(super) fn latest(
    folders: &Folders,
    lists: &Lists,
    commits: impl IntoIterator<Item = (Gid, Gid)>,
) -> Vec<Latest> {
    let mut search = Search {
        lists,
        paths: vec![(0, 0)],
        numbers: HashMap::new(),
        last: vec![0],
        seen: HashSet::new(),
        blobs: HashSet::new(),
        found: Vec::new(),
    };
    for (commit, root) in commits {
        search.visit(commit, lists.of(root));
    }
    let found = search.found.iter();
    found
        .map(|(commit, path, blob)| Latest {
            commit: *commit,
            path: search.path(*path, folders),
            blob: *blob,
        })
        .collect()
}

impl Search<'_> {
    fn visit(&mut self, commit: Gid, root: ListId) {
        let lists = self.lists;
        let mut due = vec![(0, root)];
        while let Some((path, list)) = due.pop() {
            if !self.seen.insert((path, list)) {
                continue;
            }
            let before = lists.entries(std::mem::replace(&mut self.last[path as usize], list));
            for entry in lists.entries(list) {
                if before.binary_search(entry).is_ok() {
                    continue;
                }
                let (name, child) = *entry;
                let path = self.number(path, name);
                match lists.of(child) {
                    0 if self.blobs.insert((path, child)) => self.found.push((commit, path, child)),
                    0 => {}
                    inner => due.push((path, inner)),
                }
            }
        }
    }

    fn number(&mut self, folder: PathId, name: u32) -> PathId {
        let new = self.paths.len() as PathId;
        let number = *self.numbers.entry((folder, name)).or_insert(new);
        if number == new {
            self.paths.push((folder, name));
            self.last.push(0);
        }
        number
    }

    fn path(&self, mut path: PathId, folders: &Folders) -> Vec<u8> {
        let mut names: Vec<&[u8]> = Vec::new();
        while path != 0 {
            let (folder, name) = self.paths[path as usize];
            names.push(&folders.names[name as usize]);
            path = folder;
        }
        names.reverse();
        names.join(&b'/')
    }
}
