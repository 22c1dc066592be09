//! Which objects there are: every entry of every pack, every loose object, what each stands on, and which is which by id.

use rayon::prelude::*;

use super::cache::KnownPack;

use crate::{
    git::{
        HashKind, ObjectKind, Objects, Oid, loose,
        pack::{Body, Pack},
    },
    model::{Gap, GapReason},
};

/// Number of an object in a census: entries of the first pack by offset, then of the second, …, then loose objects.
pub(super) type Gid = u32;

/// Stands for no entry.
pub(super) const NONE: u32 = u32::MAX;
/// The base lies in another pack, or is loose.
pub(super) const FOREIGN: u32 = u32::MAX - 1;

/// Every object of a repository.
pub(super) struct Census<'a> {
    pub(super) objects: &'a Objects,
    pub(super) packs: Vec<PackCensus<'a>>,
    pub(super) loose: Vec<Oid>,
    /// Of each loose object; `None` where its file can't be read.
    loose_kinds: Vec<Option<ObjectKind>>,
    /// Number of the first loose object.
    loose_first: Gid,
    table: Table,
    /// Entries whose object stands elsewhere too, and is counted there.
    repeated: Bits,
    /// What could not be listed or opened.
    pub(super) gaps: Vec<Gap>,
}

/// A pack's entries, in the order of their offsets.
pub(super) struct PackCensus<'a> {
    pub(super) pack: &'a Pack,
    /// Number of its first entry.
    pub(super) first: Gid,
    offsets: Vec<u64>,
    /// Places in the index.
    positions: Vec<u32>,
    /// What each is a delta of: an entry of this pack, [`NONE`] or [`FOREIGN`].
    bases: Vec<u32>,
    /// Git's number of its kind; 0 where that is unknown: its chain is broken.
    kinds: Vec<u8>,
    /// For each entry the entries that stand on it: a range of `children`.
    child_starts: Vec<u32>,
    children: Vec<u32>,
}

impl<'a> Census<'a> {
    /// Opens all packs and lists all objects. Packs that are `known` come first, in that order.
    pub(super) fn take(objects: &'a Objects, known: &[KnownPack]) -> Self {
        let mut gaps = Vec::new();
        let mut packs = Vec::new();
        let mut first: Gid = 0;
        let mut all: Vec<_> = objects.packs().collect();
        all.sort_by_key(|(_, pack)| {
            let place = |pack: &Pack| known.iter().position(|known| known.checksum == pack.index.checksum());
            pack.ok().and_then(place).unwrap_or(usize::MAX)
        });
        for (path, pack) in all {
            match pack {
                Ok(pack) => {
                    if !pack.fits_index() {
                        let what = "it is not the pack that its index is for, or damaged";
                        gaps.push(gap(path.with_extension("pack").display(), what));
                    }
                    let census = PackCensus::take(pack, first, objects.hash());
                    first += census.len();
                    packs.push(census);
                }
                Err(error) => gaps.push(gap(path.display(), &error.to_string())),
            }
        }
        // A damaged index may give objects the names of others.
        let is_sound = |pack: &&PackCensus<'_>| pack.pack.index.is_sound();
        gaps.par_extend(packs.par_iter().filter(|pack| !is_sound(pack)).map(|pack| {
            gap(pack.pack.path().with_extension("idx").display(), "its checksum is wrong: it is damaged")
        }));
        let mut loose = Vec::new();
        for folder in objects.folders() {
            let (ids, failed) = loose::list(folder, objects.hash());
            loose.extend(ids);
            gaps.extend(failed.iter().map(|error| gap(folder.display(), &error.to_string())));
        }
        loose.sort_unstable();
        loose.dedup();
        let loose_kinds = loose.par_iter().map(|oid| loose_kind(objects, oid)).collect();
        let mut census = Self {
            objects,
            packs,
            loose,
            loose_kinds,
            loose_first: first,
            table: Table::default(),
            repeated: Bits::default(),
            gaps,
        };
        census.index();
        census.settle_foreign();
        census
    }

    fn index(&mut self) {
        let len = self.len();
        let mut table = Table::with_room_for(len);
        let mut repeated = Bits::of_len(len);
        for gid in 0..len as Gid {
            if let Err(()) = table.insert(gid, self.id(gid), |other| self.id(other)) {
                repeated.set(gid);
            }
        }
        (self.table, self.repeated) = (table, repeated);
    }

    /// Entries that stand on objects outside of their pack are of those objects' kind, and so is what stands on them.
    fn settle_foreign(&mut self) {
        loop {
            let mut settled = Vec::new();
            for (at, pack) in self.packs.iter().enumerate() {
                let is_open = |entry: &u32| pack.base(*entry) == FOREIGN && pack.kind(*entry).is_none();
                for entry in (0..pack.len()).filter(is_open) {
                    let kind = pack.foreign_base(entry).and_then(|oid| self.kind(self.find(oid.as_bytes())?));
                    settled.extend(kind.map(|kind| (at, entry, kind)));
                }
            }
            if settled.is_empty() {
                return;
            }
            for (at, entry, kind) in settled {
                self.packs[at].spread_kind(entry, number(kind));
            }
        }
    }

    /// What an object is; `None` where that can't be told.
    pub(super) fn kind(&self, gid: Gid) -> Option<ObjectKind> {
        match self.pack_of(gid) {
            Some(pack) => pack.kind(gid - pack.first),
            None => self.loose_kinds[(gid - self.loose_first) as usize],
        }
    }

    /// How many entries and loose objects there are.
    pub(super) fn len(&self) -> usize {
        self.loose_first as usize + self.loose.len()
    }

    pub(super) fn hash(&self) -> HashKind {
        self.objects.hash()
    }

    /// The raw id of an object.
    pub(super) fn id(&self, gid: Gid) -> &[u8] {
        match self.pack_of(gid) {
            Some(pack) => pack.pack.index.id(pack.positions[(gid - pack.first) as usize]),
            None => self.loose[(gid - self.loose_first) as usize].as_bytes(),
        }
    }

    pub(super) fn oid(&self, gid: Gid) -> Oid {
        Oid::from_bytes(self.id(gid)).expect("ids have the length of the hash")
    }

    /// The object of this id.
    pub(super) fn find(&self, id: &[u8]) -> Option<Gid> {
        self.table.find(id, |gid| self.id(gid))
    }

    /// Whether the object is counted elsewhere.
    pub(super) fn is_repeated(&self, gid: Gid) -> bool {
        self.repeated.get(gid)
    }

    /// The pack of an entry; `None` of a loose object.
    pub(super) fn pack_of(&self, gid: Gid) -> Option<&PackCensus<'a>> {
        let after = self.packs.partition_point(|pack| pack.first <= gid);
        let pack = &self.packs[after.checked_sub(1)?];
        (gid < self.loose_first).then_some(pack)
    }

    /// Behind the number of the last object in a pack.
    pub(super) fn end_of_packs(&self) -> Gid {
        self.loose_first
    }

    /// The packs, for a cache.
    pub(super) fn known_packs(&self) -> impl Iterator<Item = KnownPack> {
        self.packs
            .iter()
            .map(|pack| KnownPack { checksum: pack.pack.index.checksum().to_vec(), count: pack.len() })
    }

    /// Numbers of the loose objects.
    pub(super) fn loose_gids(&self) -> impl Iterator<Item = (Gid, &Oid)> {
        (self.loose_first..).zip(&self.loose)
    }
}

pub(super) fn gap(path: impl ToString, detail: &str) -> Gap {
    Gap { path: path.to_string(), reason: GapReason::Unreadable, detail: detail.to_owned() }
}

impl<'a> PackCensus<'a> {
    fn take(pack: &'a Pack, first: Gid, hash: HashKind) -> Self {
        let mut places: Vec<(u64, u32)> = (0..pack.index.count())
            .into_par_iter()
            .map(|position| (pack.index.offset(position).unwrap_or(u64::MAX), position))
            .collect();
        places.par_sort_unstable();
        let (offsets, positions): (Vec<u64>, Vec<u32>) = places.into_iter().unzip();
        let find = |offset: u64| offsets.binary_search(&offset).ok().map(|entry| entry as u32);
        let (kinds, bases): (Vec<u8>, Vec<u32>) = offsets
            .par_iter()
            .map(|offset| match pack.header(*offset).map(|header| header.body) {
                Some(Body::Whole(kind)) => (number(kind), NONE),
                Some(Body::OffsetDelta(base)) => (0, find(base).unwrap_or(NONE)),
                Some(Body::RefDelta(base)) => {
                    debug_assert_eq!(base.as_bytes().len(), hash.id_len());
                    let here = pack.index.find(base.as_bytes()).and_then(|at| pack.index.offset(at));
                    (0, here.map_or(FOREIGN, |offset| find(offset).unwrap_or(NONE)))
                }
                None => (0, NONE),
            })
            .unzip();
        let mut census = Self {
            pack,
            first,
            offsets,
            positions,
            bases,
            kinds,
            child_starts: Vec::new(),
            children: Vec::new(),
        };
        census.link();
        census.spread_kinds();
        census
    }

    /// Fills the lists of children.
    fn link(&mut self) {
        let mut starts = vec![0_u32; self.offsets.len() + 1];
        let has_base = |base: &u32| (*base as usize) < self.offsets.len();
        for base in self.bases.iter().filter(|base| has_base(base)) {
            starts[*base as usize + 1] += 1;
        }
        for entry in 1..starts.len() {
            starts[entry] += starts[entry - 1];
        }
        let mut next = starts.clone();
        let mut children = vec![0_u32; *starts.last().expect("one more than entries") as usize];
        for (entry, base) in self.bases.iter().enumerate().filter(|(_, base)| has_base(base)) {
            children[next[*base as usize] as usize] = entry as u32;
            next[*base as usize] += 1;
        }
        (self.child_starts, self.children) = (starts, children);
    }

    /// A delta is of its base's kind. What stands on nothing, or in a circle, keeps none.
    fn spread_kinds(&mut self) {
        let roots: Vec<u32> = (0..self.len()).filter(|entry| self.kinds[*entry as usize] != 0).collect();
        for root in roots {
            self.spread_kind(root, self.kinds[root as usize]);
        }
    }

    fn spread_kind(&mut self, root: u32, kind: u8) {
        self.kinds[root as usize] = kind;
        let mut open = vec![root];
        while let Some(entry) = open.pop() {
            for at in self.child_starts[entry as usize]..self.child_starts[entry as usize + 1] {
                let child = self.children[at as usize];
                self.kinds[child as usize] = kind;
                open.push(child);
            }
        }
    }

    /// What an entry stands on, where that lies outside of the pack.
    pub(super) fn foreign_base(&self, entry: u32) -> Option<Oid> {
        match self.pack.header(self.offset(entry))?.body {
            Body::RefDelta(base) => Some(base),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.offsets.len()).expect("an index counts in 32 bits")
    }

    pub(super) fn children(&self, entry: u32) -> &[u32] {
        let range = self.child_starts[entry as usize]..self.child_starts[entry as usize + 1];
        &self.children[range.start as usize..range.end as usize]
    }

    pub(super) fn base(&self, entry: u32) -> u32 {
        self.bases[entry as usize]
    }

    pub(super) fn kind(&self, entry: u32) -> Option<ObjectKind> {
        [ObjectKind::Commit, ObjectKind::Tree, ObjectKind::Blob, ObjectKind::Tag]
            .into_iter()
            .find(|kind| number(*kind) == self.kinds[entry as usize])
    }

    pub(super) fn offset(&self, entry: u32) -> u64 {
        self.offsets[entry as usize]
    }

    pub(super) fn position(&self, entry: u32) -> u32 {
        self.positions[entry as usize]
    }

    /// Where the entry ends at the latest: where the next one starts.
    pub(super) fn end(&self, entry: u32) -> u64 {
        self.offsets.get(entry as usize + 1).copied().unwrap_or(u64::MAX).min(self.pack.end())
    }
}

fn loose_kind(objects: &Objects, oid: &Oid) -> Option<ObjectKind> {
    objects.folders().iter().find_map(|folder| loose::kind(folder, oid))
}

fn number(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Commit => 1,
        ObjectKind::Tree => 2,
        ObjectKind::Blob => 3,
        ObjectKind::Tag => 4,
    }
}

/// Objects by id: open addressing by the first bytes of the id, which are as good as a hash.
#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    mask: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    /// [`NONE`] in an empty slot.
    gid: Gid,
    /// Other bytes of the id: few ids need be read to see that they are others.
    tag: u32,
}

impl Table {
    fn with_room_for(len: usize) -> Self {
        let size = (len * 2 + 16).next_power_of_two();
        Self { slots: vec![Slot { gid: NONE, tag: 0 }; size], mask: size - 1 }
    }

    /// Where to begin, and the tag.
    fn start(&self, id: &[u8]) -> (usize, u32) {
        let head = id.first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head));
        // Ids may be chosen to collide in some bits, at a cost; multiplied they collide no more cheaply.
        let mixed = head.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed >> 20) as usize & self.mask, head as u32)
    }

    /// The slot of this id, or the empty one where it would stand.
    fn slot<'i>(&self, id: &[u8], id_of: impl Fn(Gid) -> &'i [u8]) -> (usize, u32) {
        let (mut at, tag) = self.start(id);
        loop {
            let slot = self.slots[at];
            if slot.gid == NONE || (slot.tag == tag && id_of(slot.gid) == id) {
                return (at, tag);
            }
            at = (at + 1) & self.mask;
        }
    }

    fn insert<'i>(&mut self, gid: Gid, id: &[u8], id_of: impl Fn(Gid) -> &'i [u8]) -> Result<(), ()> {
        let (at, tag) = self.slot(id, id_of);
        let slot = &mut self.slots[at];
        if slot.gid != NONE {
            return Err(());
        }
        *slot = Slot { gid, tag };
        Ok(())
    }

    fn find<'i>(&self, id: &[u8], id_of: impl Fn(Gid) -> &'i [u8]) -> Option<Gid> {
        let gid = self.slots[self.slot(id, id_of).0].gid;
        (gid != NONE).then_some(gid)
    }
}

/// A set of object numbers.
#[derive(Debug, Default, Clone)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn of_len(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// Those of a range.
    pub(super) fn of_range(range: std::ops::Range<u32>, len: usize) -> Self {
        let mut bits = Self::of_len(len);
        range.for_each(|at| bits.set(at));
        bits
    }

    /// All that are not among them, below `len`.
    pub(super) fn others(&self, len: usize) -> Self {
        let mut others = Self(self.0.iter().map(|word| !word).collect());
        if let Some(last) = others.0.last_mut().filter(|_| !len.is_multiple_of(64)) {
            *last &= (1 << (len % 64)) - 1;
        }
        others
    }

    pub(super) fn clear(&mut self, at: u32) {
        self.0[at as usize / 64] &= !(1 << (at % 64));
    }

    pub(super) fn set(&mut self, at: u32) {
        self.0[at as usize / 64] |= 1 << (at % 64);
    }

    /// Takes away what another set holds.
    pub(super) fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= !other);
    }

    /// Keeps what the condition holds for.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        for at in 0..self.0.len() as u32 * 64 {
            if self.get(at) && !is_kept(at) {
                self.0[at as usize / 64] &= !(1 << (at % 64));
            }
        }
    }

    pub(super) fn get(&self, at: u32) -> bool {
        self.0.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}
