//! Which folders hold something that matters, and what, down to any depth.

use std::collections::{HashMap, VecDeque};

use super::{
    census::{Bits, Gid, NONE},
    circle::rounds,
    tree::{Folder, Folders, Item},
};

/// Deeper than the folders of people nest.
const MOST_PASSES: usize = 64;

/// Number of a list; 0 is the empty one.
pub(super) type ListId = u32;

/// An entry of a list: number of its name, and its object.
pub(super) type Named = (u32, Gid);

/// Numbers of lists, so that equal ones are one.
type Numbers = HashMap<Box<[Named]>, ListId>;

/// For each folder the entries that matter: wanted blobs, objects that are not there, and folders with such a list.
pub(super) struct Lists {
    /// By number of the object.
    of: Vec<ListId>,
    lists: Vec<Box<[Named]>>,
    /// How many objects are there: higher numbers stand for those that are not.
    len: u32,
}

/// Lists of folders that were read another time.
#[derive(Debug, Default, Clone)]
pub(super) struct KnownLists {
    /// The first one is empty.
    pub(super) lists: Vec<Box<[Named]>>,
    pub(super) of: Vec<(Gid, ListId)>,
}

impl Lists {
    /// How many objects are there.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Works out the lists of all folders. `len` is how many objects are there, `known` the lists of other folders.
    pub(super) fn close(folders: &Folders, wanted: &Bits, len: usize, known: KnownLists) -> Self {
        let mut lists = Self { of: vec![0; len], lists: known.lists, len: len as u32 };
        if lists.lists.is_empty() {
            lists.lists.push(Box::default());
        }
        known.of.into_iter().for_each(|(folder, list)| lists.of[folder as usize] = list);
        let mut numbers: Numbers = (0..).zip(&lists.lists).map(|(id, list)| (list.clone(), id)).collect();
        // A folder's list grows when the folders in it get lists of their own: once more for each level of depth.
        let has_ended = (0..MOST_PASSES).any(|_| !lists.pass(folders, wanted, &mut numbers));
        if !has_ended {
            lists.settle(folders, wanted, &mut numbers);
        }
        lists
    }

    /// Goes over all folders once; whether a list came to be where there was none.
    fn pass(&mut self, folders: &Folders, wanted: &Bits, numbers: &mut Numbers) -> bool {
        let mut has_grown = false;
        for (folder, items) in folders.all() {
            let before = self.of(folder.gid);
            has_grown |= self.update(folder, items, wanted, numbers) && before == 0;
        }
        has_grown
    }

    /// Does what passes do until there is nothing to do, and looks only at folders in which something changed: thousands of levels
    /// would take thousands of passes.
    fn settle(&mut self, folders: &Folders, wanted: &Bits, numbers: &mut Numbers) {
        let all: Vec<(&Folder, &[Item])> = folders.all().collect();
        // For each object the folders that stand on it or hold it.
        let mut users: HashMap<Gid, Vec<usize>> = HashMap::new();
        for (place, (folder, items)) in all.iter().enumerate() {
            for gid in items.iter().map(|item| item.child).chain([folder.base]) {
                users.entry(gid).or_default().push(place);
            }
        }
        let mut due: VecDeque<usize> = (0..all.len()).collect();
        let mut is_due = vec![true; all.len()];
        while let Some(place) = due.pop_front() {
            is_due[place] = false;
            let (folder, items) = all[place];
            if !self.update(folder, items, wanted, numbers) {
                continue;
            }
            for user in users.get(&folder.gid).into_iter().flatten() {
                if !std::mem::replace(&mut is_due[*user], true) {
                    due.push_back(*user);
                }
            }
        }
    }

    /// Works out the list of one folder from what is known so far; whether it is another one now.
    fn update(&mut self, folder: &Folder, items: &[Item], wanted: &Bits, numbers: &mut Numbers) -> bool {
        let base = if folder.base == NONE { 0 } else { self.of[folder.base as usize] };
        let mut list: Option<Vec<Named>> = None;
        for item in items.iter().filter(|item| self.matters(item.child, wanted)) {
            let list = list.get_or_insert_with(|| self.lists[base as usize].to_vec());
            let named = (item.name, item.child);
            match (list.binary_search(&named), item.is_added) {
                (Err(at), true) => list.insert(at, named),
                (Ok(at), false) => {
                    list.remove(at);
                }
                _ => {}
            }
        }
        let id = match list {
            None => base,
            Some(list) => *numbers.entry(list.into_boxed_slice()).or_insert_with_key(|list| {
                self.lists.push(list.clone());
                self.lists.len() as ListId - 1
            }),
        };
        std::mem::replace(&mut self.of[folder.gid as usize], id) != id
    }

    /// Takes out what leads a folder back to itself, and gives the folders that are named there.
    pub(super) fn cut_circles(&mut self) -> Vec<Gid> {
        let rounds = rounds(self);
        let round_of = |list: ListId| rounds[list as usize];
        let mut cut = Vec::new();
        for list in 1..self.count() as ListId {
            let leads_back = |entry: &Named| match self.of(entry.1) {
                0 => false,
                inner => round_of(inner) == round_of(list),
            };
            if self.entries(list).iter().any(leads_back) {
                let (back, on): (Vec<Named>, Vec<Named>) =
                    self.entries(list).iter().partition(|one| leads_back(one));
                cut.extend(back.into_iter().map(|(_, child)| child));
                self.lists[list as usize] = on.into_boxed_slice();
            }
        }
        cut.sort_unstable();
        cut.dedup();
        cut
    }

    fn matters(&self, child: Gid, wanted: &Bits) -> bool {
        child >= self.len || wanted.get(child) || self.of[child as usize] != 0
    }

    /// How many lists there are.
    pub(super) fn count(&self) -> usize {
        self.lists.len()
    }

    /// The list of a folder.
    pub(super) fn of(&self, folder: Gid) -> ListId {
        self.of.get(folder as usize).copied().unwrap_or(0)
    }

    /// The entries of a list, by name.
    pub(super) fn entries(&self, list: ListId) -> &[Named] {
        &self.lists[list as usize]
    }

    /// The entries of this name.
    pub(super) fn named(&self, list: ListId, name: u32) -> &[Named] {
        let entries = self.entries(list);
        let first = entries.partition_point(|entry| entry.0 < name);
        let count = entries[first..].partition_point(|entry| entry.0 == name);
        &entries[first..first + count]
    }
}
