//! Folders: how each differs from the one that it is stored as a delta of, as far as that matters.
//!
//! Of the entries of all folders of a history only a few in a hundred are not copied from a base; only these are parsed. Kept are
//! entries that are folders, that hold wanted blobs, or whose object is not there.

use std::{collections::HashMap, ops::Range};

use super::{
    census::{Bits, Census, Gid, NONE},
    name::Names,
    walk::{Made, Visit},
};
use crate::{
    git::{EntryError, EntryKind, HashKind, ObjectKind, Oid, TreeEntry, tree_entry},
    model::Segment,
};

/// An entry that a folder has and its base has not, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    /// Number of its name.
    pub(super) name: u32,
    /// Its object; those that are not there are numbered behind those that are.
    pub(super) child: Gid,
    pub(super) is_added: bool,
}

/// All folders, by what sets each apart from its base.
#[derive(Default)]
pub(super) struct Folders {
    folders: Vec<Folder>,
    items: Vec<Item>,
    pub(super) names: Vec<Vec<u8>>,
    /// Objects that are named and not there, in the order of their numbers, and what they should be.
    pub(super) absent: Vec<(Oid, EntryKind)>,
    /// Names under which submodules stand.
    pub(super) submodules: Vec<Vec<u8>>,
}

/// What the numbers of folders that were read another time stand for.
#[derive(Debug, Default, Clone)]
pub(super) struct KnownNames {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) absent: Vec<(Oid, EntryKind)>,
    pub(super) submodules: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Folder {
    pub(super) gid: Gid,
    /// What it differs from; [`NONE`] is the empty folder.
    pub(super) base: Gid,
    first: u32,
    count: u32,
}

impl Folders {
    /// Joins what several visitors saw. Bases come before what is made from them.
    ///
    /// `known` is what is known of other folders: names, absent objects and submodules, whose numbers stay what they are.
    pub(super) fn join<'a>(
        census: &Census<'_>,
        parts: impl IntoIterator<Item = TreeVisitor<'a>>,
        known: KnownNames,
    ) -> Self {
        let mut joined = Self::default();
        let (mut names, mut absent) = (Interner::of(known.names), Interner::of(known.absent));
        let mut submodules = known.submodules;
        for part in parts {
            let name_of: Vec<u32> = part.names.all.into_iter().map(|name| names.number(&name)).collect();
            let absent_of: Vec<u32> = part.absent.all.into_iter().map(|one| absent.number(&one)).collect();
            let len = census.len() as u32;
            let shift = joined.items.len() as u32;
            joined.items.extend(part.items.into_iter().map(|item| {
                let child = match item.child.checked_sub(len) {
                    Some(local) => len + absent_of[local as usize],
                    None => item.child,
                };
                Item { name: name_of[item.name as usize], child, ..item }
            }));
            let moved = |folder: Folder| Folder { first: folder.first + shift, ..folder };
            joined.folders.extend(part.folders.into_iter().map(moved));
            submodules.extend(part.submodules.all);
        }
        submodules.sort_unstable();
        submodules.dedup();
        (joined.names, joined.absent, joined.submodules) = (names.all, absent.all, submodules);
        joined.sort_bases_first(census.len());
        joined
    }

    fn sort_bases_first(&mut self, len: usize) {
        let mut places = vec![NONE; len];
        for (place, folder) in self.folders.iter().enumerate() {
            places[folder.gid as usize] = place as u32;
        }
        let mut order = Vec::with_capacity(self.folders.len());
        let mut is_done = vec![false; self.folders.len()];
        let mut chain = Vec::new();
        for start in 0..self.folders.len() {
            let mut at = start;
            while !is_done[at] {
                is_done[at] = true;
                chain.push(at);
                match self.folders[at].base {
                    NONE => break,
                    base => at = places[base as usize] as usize,
                }
            }
            order.extend(chain.drain(..).rev().map(|place| self.folders[place]));
        }
        self.folders = order;
    }

    /// Every folder, bases first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Folder, &[Item])> {
        self.folders.iter().map(|folder| {
            (folder, &self.items[folder.first as usize..(folder.first + folder.count) as usize])
        })
    }
}

/// Numbers for values, in the order in which they turn up.
struct Interner<T> {
    numbers: HashMap<T, u32>,
    all: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interner<T> {
    fn of(all: Vec<T>) -> Self {
        let numbers = all.iter().enumerate().map(|(number, value)| (value.clone(), number as u32)).collect();
        Self { numbers, all }
    }

    fn number<Q>(&mut self, value: &Q) -> u32
    where
        T: std::borrow::Borrow<Q>,
        Q: ?Sized + Eq + std::hash::Hash + ToOwned<Owned = T>,
    {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.all.len() as u32;
        let owned = value.to_owned();
        self.numbers.insert(owned.clone(), number);
        self.all.push(owned);
        number
    }
}

/// Objects that were looked up lately. An entry that one folder adds is one that the next in its chain often takes away, and a look
/// into the table of all objects is three misses of the processor's caches.
struct Recent(Vec<(Option<Oid>, Gid)>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![(None, NONE); Self::SIZE])
    }
}

impl Recent {
    const SIZE: usize = 4096;

    fn find(&mut self, census: &Census<'_>, id: &[u8]) -> Option<Gid> {
        let slot =
            id.first_chunk::<2>().map_or(0, |head| usize::from(u16::from_le_bytes(*head)) % Self::SIZE);
        let (known, gid) = &mut self.0[slot];
        if known.as_ref().is_some_and(|known| known.as_bytes() == id) {
            return Some(*gid);
        }
        let found = census.find(id)?;
        (*known, *gid) = (Oid::from_bytes(id), found);
        Some(found)
    }
}

/// Reads folders.
pub(super) struct TreeVisitor<'a> {
    census: &'a Census<'a>,
    wanted: &'a Bits,
    names_wanted: &'a Names,
    /// Blobs that matter for their names.
    pub(super) named: Vec<Gid>,
    folders: Vec<Folder>,
    items: Vec<Item>,
    names: Interner<Vec<u8>>,
    absent: Interner<(Oid, EntryKind)>,
    submodules: Interner<Vec<u8>>,
    recent: Recent,
    pub(super) failed: Vec<(Gid, EntryError)>,
    /// Folders that stand nowhere else.
    pub(super) count: u64,
}

/// Where a folder's entries start, and where the last one ends; nothing where it is malformed.
pub(super) struct Rows(Vec<u32>);

impl<'a> TreeVisitor<'a> {
    /// `wanted` are the blobs that matter wherever they stand, `names` those of files that do whatever they hold.
    pub(super) fn new(census: &'a Census<'a>, wanted: &'a Bits, names: &'a Names) -> Self {
        Self {
            census,
            wanted,
            names_wanted: names,
            named: Vec::new(),
            folders: Vec::new(),
            items: Vec::new(),
            names: Interner::default(),
            absent: Interner::default(),
            submodules: Interner::default(),
            recent: Recent::default(),
            failed: Vec::new(),
            count: 0,
        }
    }

    /// Keeps the entry, if it matters.
    fn note(&mut self, entry: &TreeEntry<'_>, is_added: bool) {
        if entry.kind == EntryKind::Submodule {
            self.submodules.number(entry.name);
            return;
        }
        let kind = if entry.kind == EntryKind::Tree { ObjectKind::Tree } else { ObjectKind::Blob };
        // What is of another kind can't stand here: it is as good as not there.
        let is_fit = |child: &Gid| self.census.kind(*child).is_none_or(|other| other == kind);
        let child = match self.recent.find(self.census, entry.id).filter(is_fit) {
            Some(child) if kind == ObjectKind::Blob && !self.wanted.get(child) => {
                if !self.names_wanted.want(entry.name) {
                    return;
                }
                self.named.push(child);
                child
            }
            Some(child) => child,
            None => {
                let oid = Oid::from_bytes(entry.id).expect("ids have the length of the hash");
                self.census.len() as u32 + self.absent.number(&(oid, entry.kind))
            }
        };
        let name = self.names.number(entry.name);
        self.items.push(Item { name, child, is_added });
    }

    /// All entries, from `at` on, as added. Gives where they start; nothing where the folder is malformed.
    fn read_all(&mut self, gid: Gid, bytes: &[u8]) -> Rows {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let Some((entry, next)) = tree_entry(bytes, at, self.census.hash()) else {
                self.failed.push((gid, EntryError::Malformed));
                return Rows(Vec::new());
            };
            self.note(&entry, true);
            starts.push(at as u32);
            at = next;
        }
        starts.push(at as u32);
        Rows(starts)
    }

    /// Entries that the base has not as added, those that it has more as removed.
    fn read_changed(&mut self, gid: Gid, bytes: &[u8], made: &Made<'_, Rows>) -> Rows {
        let hash = self.census.hash();
        let Some(Changed { starts, own, kept }) = changed(bytes, &made.state.0, made.segments, hash) else {
            self.failed.push((gid, EntryError::Malformed));
            return Rows(Vec::new());
        };
        for at in own {
            let (entry, _) = tree_entry(bytes, at, hash).expect("it was read before");
            self.note(&entry, true);
        }
        let mut next = 0;
        let end = made.state.0.len() as u32 - 1;
        for range in kept.into_iter().chain(std::iter::once(end..end)) {
            for row in next..range.start {
                let at = made.state.0[row as usize] as usize;
                let (entry, _) = tree_entry(made.bytes, at, hash).expect("it was read before");
                self.note(&entry, false);
            }
            next = next.max(range.end);
        }
        Rows(starts)
    }
}

/// How a folder's entries come from its base's.
struct Changed {
    starts: Vec<u32>,
    /// Where entries start that are not copied whole.
    own: Vec<usize>,
    /// Which of the base's entries are copied whole, in order.
    kept: Vec<Range<u32>>,
}

/// `rows` are where the base's entries start. `None` where the folder is malformed.
fn changed(bytes: &[u8], rows: &[u32], segments: &[Segment], hash: HashKind) -> Option<Changed> {
    let mut changed =
        Changed { starts: Vec::with_capacity(rows.len() + 4), own: Vec::new(), kept: Vec::new() };
    let (mut at, mut segment) = (0, 0);
    while at < bytes.len() {
        while segments[segment].end() <= at {
            segment += 1;
        }
        let here = segments[segment];
        if let Some(source) = here.source {
            let from = (source + (at - here.start)) as u32;
            if let Ok(first) = rows.binary_search(&from) {
                let limit = (source + here.len) as u32;
                let last = rows.partition_point(|start| *start <= limit) - 1;
                if last > first {
                    let start = at as u32;
                    changed.starts.extend(rows[first..last].iter().map(|row| row - from + start));
                    changed.kept.push(first as u32..last as u32);
                    at += (rows[last] - from) as usize;
                    continue;
                }
            }
        }
        let (_, next) = tree_entry(bytes, at, hash)?;
        changed.starts.push(at as u32);
        changed.own.push(at);
        at = next;
    }
    changed.starts.push(at as u32);
    changed.kept.sort_unstable_by_key(|range| range.start);
    Some(changed)
}

impl Visit for TreeVisitor<'_> {
    type State = Rows;

    fn visit(&mut self, gid: Gid, bytes: &[u8], made: Option<Made<'_, Rows>>) -> Rows {
        self.count += u64::from(!self.census.is_repeated(gid));
        let first = self.items.len();
        // A malformed base is no base.
        let made = made.filter(|made| !made.state.0.is_empty());
        let base = made.as_ref().map_or(NONE, |made| made.gid);
        let rows = match made {
            Some(made) => self.read_changed(gid, bytes, &made),
            None => self.read_all(gid, bytes),
        };
        let items = &mut self.items[first..];
        items.sort_unstable();
        let count = items.len() as u32;
        self.folders.push(Folder { gid, base, first: first as u32, count });
        rows
    }

    fn skip(&mut self) -> Rows {
        Rows(Vec::new())
    }

    fn fail(&mut self, gid: Gid, error: EntryError) {
        self.failed.push((gid, error));
    }
}
