//! How the commits and folders of packs lie: the graph, and which folders lead to blobs with matches.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::bytes::{Reader, Writer};
use crate::{
    git::{EntryKind, ObjectKind, Oid},
    history::{
        census::{Bits, Census, Gid, NONE},
        closure::{KnownLists, Lists, Named},
        graph::{Absent, Graph},
        name::Names,
        tree::{Folders, KnownNames},
    },
};

/// The graph and the lists of folders. Numbers below that of the packs' objects are objects; those from there on name what lies
/// outside of the packs, by `outside`, and behind these what is not there at all.
#[derive(Default)]
pub(in crate::history) struct Shape {
    /// How many objects the packs hold.
    end: Gid,
    outside: Vec<Oid>,
    /// Commits and tags with matches in their texts.
    pub(in crate::history) marked: Vec<Gid>,
    /// Of each commit: itself, its tree, how many parents.
    commits: Vec<[u32; 3]>,
    times: Vec<u64>,
    parents: Vec<Gid>,
    /// Itself and its target.
    tags: Vec<[u32; 2]>,
    tag_times: Vec<u64>,
    absent: Vec<(Oid, Option<ObjectKind>, Gid)>,
    /// Names what the lists lead to.
    wanted: [u8; 32],
    names: Vec<Vec<u8>>,
    folders_absent: Vec<(Oid, EntryKind)>,
    submodules: Vec<Vec<u8>>,
    lists: Vec<Vec<Named>>,
    of: Vec<[u32; 2]>,
}

/// Turns an object's number into one that a file can hold.
struct Outside<'c> {
    census: &'c Census<'c>,
    end: Gid,
    all: Vec<Oid>,
    numbers: HashMap<Gid, Gid>,
}

impl Outside<'_> {
    fn number(&mut self, gid: Gid) -> Gid {
        if gid < self.end || gid == NONE {
            return gid;
        }
        *self.numbers.entry(gid).or_insert_with(|| {
            self.all.push(self.census.oid(gid));
            self.end + self.all.len() as Gid - 1
        })
    }
}

/// Names a set of blobs, and the names of files that matter beside them.
pub(super) fn digest_of(mut blobs: Vec<Oid>, names: &Names) -> [u8; 32] {
    blobs.sort_unstable();
    let mut digest = Sha256::new();
    digest.update(names.digest());
    blobs.iter().for_each(|oid| digest.update(oid.as_bytes()));
    digest.finalize().into()
}

impl Shape {
    /// Of all packs of the census. `marked` are commits and tags with matches in their texts, `wanted` names what the lists lead to. `None` where
    /// so much lies outside of the packs that it is not worth it.
    pub(in crate::history) fn of(
        census: &Census<'_>,
        (graph, marked): (&Graph, &[Gid]),
        (folders, lists): (&Folders, &Lists),
        wanted: [u8; 32],
    ) -> Option<Self> {
        const MOST_OUTSIDE: usize = 10_000;
        let end = census.end_of_packs();
        let mut outside = Outside { census, end, all: Vec::new(), numbers: HashMap::new() };
        let mut shape = Self {
            end,
            marked: marked.iter().copied().filter(|gid| *gid < end).collect(),
            ..Self::default()
        };
        for node in graph.commits().iter().filter(|node| node.gid < end) {
            let first = shape.parents.len();
            shape.parents.extend(graph.all_parents(node).iter().map(|parent| outside.number(*parent)));
            let count = (shape.parents.len() - first) as u32;
            shape.commits.push([node.gid, outside.number(node.tree), count]);
            shape.times.push(node.time.cast_unsigned());
        }
        for (gid, target, time) in graph.tags().filter(|(gid, ..)| *gid < end) {
            shape.tags.push([gid, outside.number(target)]);
            shape.tag_times.push(time.cast_unsigned());
        }
        let absent = graph.absent.iter().filter(|absent| absent.by < end);
        shape.absent = absent.map(|absent| (absent.oid, absent.kind, absent.by)).collect();
        shape.take_lists((folders, lists), &mut outside);
        shape.wanted = wanted;
        (shape.names, shape.submodules) = (folders.names.clone(), folders.submodules.clone());
        shape.folders_absent.clone_from(&folders.absent);
        shape.outside = outside.all;
        (shape.outside.len() <= MOST_OUTSIDE).then_some(shape)
    }

    fn take_lists(&mut self, (_, lists): (&Folders, &Lists), outside: &mut Outside<'_>) {
        let len = lists.len();
        let mut is_used = vec![false; lists.count()];
        for folder in 0..self.end {
            let list = lists.of(folder);
            if list != 0 {
                self.of.push([folder, list]);
                is_used[list as usize] = true;
            }
        }
        for (id, is_used) in is_used.into_iter().enumerate() {
            let entries = if is_used { lists.entries(id as u32) } else { &[] };
            let entries = entries.iter().map(|&(name, child)| match child.checked_sub(len) {
                // What is not there is told apart when all that lies outside is known.
                Some(absent) => (name, NONE - 1 - absent),
                None => (name, outside.number(child)),
            });
            self.lists.push(entries.collect());
        }
    }

    /// The graph, if all that its commits name is still as it was.
    pub(super) fn graph(&self, census: &Census<'_>) -> Option<Graph> {
        if self.absent.iter().any(|(oid, ..)| census.find(oid.as_bytes()).is_some()) {
            return None;
        }
        let outside = self.resolve(census)?;
        let number = |gid: Gid| {
            if gid < self.end || gid == NONE {
                Some(gid)
            } else {
                outside.get((gid - self.end) as usize).copied()
            }
        };
        let mut graph = Graph::default();
        let mut parents = self.parents.iter();
        for (commit, time) in self.commits.iter().zip(&self.times) {
            let of_commit: Option<Vec<Gid>> =
                parents.by_ref().take(commit[2] as usize).map(|parent| number(*parent)).collect();
            graph.add_known((commit[0], number(commit[1])?), time.cast_signed(), &of_commit?);
        }
        for (tag, time) in self.tags.iter().zip(&self.tag_times) {
            graph.add_known_tag(tag[0], number(tag[1])?, time.cast_signed());
        }
        let absent = self.absent.iter().map(|(oid, kind, by)| Absent { oid: *oid, kind: *kind, by: *by });
        graph.absent = absent.collect();
        Some(graph)
    }

    /// The lists, if they lead to just what this names and all that folders name is still as it was.
    pub(super) fn folders(&self, census: &Census<'_>, wanted: [u8; 32]) -> Option<(KnownNames, KnownLists)> {
        let is_there = |(oid, kind): &(Oid, EntryKind)| {
            let kind = if *kind == EntryKind::Tree { ObjectKind::Tree } else { ObjectKind::Blob };
            census.find(oid.as_bytes()).is_some_and(|gid| census.kind(gid) == Some(kind))
        };
        if self.wanted != wanted || self.folders_absent.iter().any(is_there) {
            return None;
        }
        let outside = self.resolve(census)?;
        let len = census.len() as Gid;
        let number = |gid: Gid| match gid {
            gid if gid < self.end => Some(gid),
            gid if ((gid - self.end) as usize) < outside.len() => Some(outside[(gid - self.end) as usize]),
            gid => (NONE - 1)
                .checked_sub(gid)
                .filter(|absent| (*absent as usize) < self.folders_absent.len())
                .map(|absent| len + absent),
        };
        let mut lists = Vec::with_capacity(self.lists.len());
        for list in &self.lists {
            let entries: Option<Vec<Named>> =
                list.iter().map(|&(name, child)| Some((name, number(child)?))).collect();
            let mut entries = entries?;
            entries.sort_unstable();
            lists.push(entries.into_boxed_slice());
        }
        let of: Vec<(Gid, u32)> = self.of.iter().map(|of| (of[0], of[1])).collect();
        let is_sound = of.iter().all(|(folder, list)| *folder < self.end && (*list as usize) < lists.len())
            && lists.iter().flat_map(|list| list.iter()).all(|(name, _)| (*name as usize) < self.names.len());
        let names = KnownNames {
            names: self.names.clone(),
            absent: self.folders_absent.clone(),
            submodules: self.submodules.clone(),
        };
        is_sound.then_some((names, KnownLists { lists, of }))
    }

    fn resolve(&self, census: &Census<'_>) -> Option<Vec<Gid>> {
        self.outside.iter().map(|oid| census.find(oid.as_bytes())).collect()
    }

    /// How many objects the packs hold.
    pub(super) fn end(&self) -> Gid {
        self.end
    }

    /// Objects of the packs, each of which need not be looked at again.
    pub(super) fn bits(&self, len: usize) -> Bits {
        Bits::of_range(0..self.end, len)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.number(u64::from(self.end));
        oids(writer, self.outside.iter());
        writer.u32s(self.marked.iter().copied());
        writer.u32s(self.commits.as_flattened().iter().copied());
        writer.u64s(self.times.iter().copied());
        writer.u32s(self.parents.iter().copied());
        writer.u32s(self.tags.as_flattened().iter().copied());
        writer.u64s(self.tag_times.iter().copied());
        oids(writer, self.absent.iter().map(|(oid, ..)| oid));
        writer.bytes(&self.absent.iter().map(|(_, kind, _)| letter(*kind)).collect::<Vec<u8>>());
        writer.u32s(self.absent.iter().map(|(.., by)| *by));
        writer.bytes(&self.wanted);
        writer.texts(self.names.iter().map(Vec::as_slice));
        oids(writer, self.folders_absent.iter().map(|(oid, _)| oid));
        writer.bytes(&self.folders_absent.iter().map(|(_, kind)| entry_letter(*kind)).collect::<Vec<u8>>());
        writer.texts(self.submodules.iter().map(Vec::as_slice));
        writer.u32s(self.lists.iter().map(|list| list.len() as u32));
        let entries: Vec<u32> =
            self.lists.iter().flatten().flat_map(|&(name, child)| [name, child]).collect();
        writer.u32s(entries.into_iter());
        writer.u32s(self.of.as_flattened().iter().copied());
    }

    pub(super) fn read(reader: &mut Reader<'_>, id_len: usize) -> Option<Self> {
        let end = Gid::try_from(reader.number()?).ok()?;
        let outside = read_oids(reader, id_len)?;
        let marked = reader.u32s()?;
        let commits = chunks::<3>(&reader.u32s()?)?;
        let (times, parents) = (reader.u64s()?, reader.u32s()?);
        let tags = chunks::<2>(&reader.u32s()?)?;
        let tag_times = reader.u64s()?;
        let (ids, kinds, by) = (read_oids(reader, id_len)?, reader.bytes()?, reader.u32s()?);
        let absent = ids.into_iter().zip(kinds).zip(by).map(|((oid, kind), by)| (oid, kind_of(*kind), by));
        let absent = absent.collect();
        let wanted = reader.bytes()?.try_into().ok()?;
        let names = reader.texts()?;
        let (ids, kinds) = (read_oids(reader, id_len)?, reader.bytes()?);
        let folders_absent = ids.into_iter().zip(kinds.iter().map(|letter| entry_kind_of(*letter))).collect();
        let submodules = reader.texts()?;
        let lens = reader.u32s()?;
        let entries = chunks::<2>(&reader.u32s()?)?;
        let mut entries = entries.into_iter().map(|[name, child]| (name, child));
        let lists = lens.into_iter().map(|len| entries.by_ref().take(len as usize).collect()).collect();
        let of = chunks::<2>(&reader.u32s()?)?;
        let shape = Self {
            end,
            outside,
            marked,
            commits,
            times,
            parents,
            tags,
            tag_times,
            absent,
            wanted,
            names,
            folders_absent,
            submodules,
            lists,
            of,
        };
        let is_sound = shape.commits.iter().all(|commit| commit[0] < end)
            && shape.tags.iter().all(|tag| tag[0] < end)
            && shape.absent.iter().all(|(.., by)| *by < end)
            && shape.marked.iter().all(|gid| *gid < end);
        is_sound.then_some(shape)
    }
}

fn oids<'o>(writer: &mut Writer, oids: impl Iterator<Item = &'o Oid>) {
    writer.bytes(&oids.flat_map(|oid| oid.as_bytes().to_vec()).collect::<Vec<u8>>());
}

fn read_oids(reader: &mut Reader<'_>, id_len: usize) -> Option<Vec<Oid>> {
    reader.bytes()?.chunks(id_len).map(Oid::from_bytes).collect()
}

fn chunks<const N: usize>(numbers: &[u32]) -> Option<Vec<[u32; N]>> {
    let (chunks, rest) = numbers.as_chunks::<N>();
    rest.is_empty().then(|| chunks.to_vec())
}

fn letter(kind: Option<ObjectKind>) -> u8 {
    kind.map_or(b'?', |kind| kind.as_str().as_bytes()[1])
}

fn kind_of(letter: u8) -> Option<ObjectKind> {
    [ObjectKind::Commit, ObjectKind::Tree, ObjectKind::Blob, ObjectKind::Tag]
        .into_iter()
        .find(|kind| self::letter(Some(*kind)) == letter)
}

fn entry_letter(kind: EntryKind) -> u8 {
    u8::from(kind == EntryKind::Tree)
}

fn entry_kind_of(letter: u8) -> EntryKind {
    if letter == 1 { EntryKind::Tree } else { EntryKind::Blob }
}
