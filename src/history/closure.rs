//! Which folders hold something that matters, and what, down to any depth.

use std::collections::HashMap;

use super::{
    census::{Bits, Gid, NONE},
    tree::Folders,
};

/// Number of a list; 0 is the empty one.
pub(super) type ListId = u32;

/// An entry of a list: number of its name, and its object.
pub(super) type Named = (u32, Gid);

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
        let mut numbers: HashMap<Box<[Named]>, ListId> =
            (0..).zip(&lists.lists).map(|(id, list)| (list.clone(), id)).collect();
        // A folder's list grows when the folders in it get lists of their own: once more for each level of depth.
        while lists.pass(folders, wanted, &mut numbers) {}
        lists
    }

    /// Goes over all folders once; whether a list came to be where there was none.
    fn pass(
        &mut self,
        folders: &Folders,
        wanted: &Bits,
        numbers: &mut HashMap<Box<[Named]>, ListId>,
    ) -> bool {
        let mut has_grown = false;
        for (folder, items) in folders.all() {
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
            let own = &mut self.of[folder.gid as usize];
            has_grown |= *own == 0 && id != 0;
            *own = id;
        }
        has_grown
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
