//! Commits and tags: what stands on what, and what refs reach.

use std::collections::BTreeMap;

use super::{
    census::{Bits, Census, Gid, NONE},
    walk::{Made, Visit},
};
use crate::{
    detect::{Detector, RawMatch, Tracer},
    git::{Commit, EntryError, ObjectKind, Oid, Tag},
};

/// Every commit and tag.
#[derive(Default)]
pub(super) struct Graph {
    commits: Vec<Node>,
    parents: Vec<Gid>,
    /// What each tag names, and when it was made.
    tags: BTreeMap<Gid, (Gid, i64)>,
    /// For each object its place among the commits.
    places: Vec<u32>,
    /// Objects that are named and not there, with who names them.
    pub(super) absent: Vec<Absent>,
}

/// An object that is named and not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Absent {
    pub(super) oid: Oid,
    /// What it should be; a tag's target may be anything.
    pub(super) kind: Option<ObjectKind>,
    /// The commit or tag that names it.
    pub(super) by: Gid,
}

/// A commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) gid: Gid,
    /// Its root folder; [`NONE`] where that is not there.
    pub(super) tree: Gid,
    /// When it was committed, in seconds since 1970.
    pub(super) time: i64,
    first_parent: u32,
    parents: u32,
}

impl Graph {
    /// Joins what several visitors saw.
    pub(super) fn join(census: &Census<'_>, parts: impl IntoIterator<Item = Graph>) -> Self {
        let mut graph = Self { places: vec![NONE; census.len()], ..Self::default() };
        for part in parts {
            let shift = graph.parents.len() as u32;
            graph.parents.extend(part.parents);
            let moved = |node: Node| Node { first_parent: node.first_parent + shift, ..node };
            graph.commits.extend(part.commits.into_iter().map(moved));
            graph.tags.extend(part.tags);
            graph.absent.extend(part.absent);
        }
        graph.commits.sort_unstable_by_key(|node| node.gid);
        for (place, node) in graph.commits.iter().enumerate() {
            graph.places[node.gid as usize] = place as u32;
        }
        graph
    }

    pub(super) fn commit(&self, gid: Gid) -> Option<&Node> {
        let place = *self.places.get(gid as usize)?;
        self.commits.get(place as usize)
    }

    /// Parents that are there.
    pub(super) fn parents(&self, node: &Node) -> impl Iterator<Item = Gid> {
        self.all_parents(node).iter().copied().filter(|parent| *parent != NONE)
    }

    /// What a tag names in the end: past tags of tags. `None` where a tag's target is not there.
    pub(super) fn peel(&self, gid: Gid) -> Option<Gid> {
        self.line(gid).last().filter(|last| !self.tags.contains_key(last))
    }

    /// An object and, of a tag, what it names, and what that names.
    pub(super) fn line(&self, gid: Gid) -> impl Iterator<Item = Gid> {
        let target = |gid: &Gid| self.tags.get(gid).map(|(target, _)| *target).filter(|gid| *gid != NONE);
        // A circle of tags takes a hash collision; it would end here all the same.
        std::iter::successors(Some(gid), target).take(self.tags.len() + 1)
    }

    /// When a commit or tag was made, in seconds since 1970.
    pub(super) fn time(&self, gid: Gid) -> Option<i64> {
        let of_tag = || self.tags.get(&gid).map(|(_, time)| *time);
        self.commit(gid).map(|node| node.time).or_else(of_tag)
    }

    /// Every commit and tag that the tips reach.
    pub(super) fn reach(&self, tips: impl IntoIterator<Item = Gid>) -> Bits {
        let mut reached = Bits::of_len(self.places.len());
        let mut open: Vec<Gid> = tips.into_iter().collect();
        while let Some(gid) = open.pop() {
            if reached.get(gid) {
                continue;
            }
            reached.set(gid);
            if let Some(node) = self.commit(gid) {
                open.extend(self.parents(node).filter(|parent| !reached.get(*parent)));
            } else if let Some((target, _)) = self.tags.get(&gid).filter(|(target, _)| *target != NONE) {
                open.push(*target);
            }
        }
        reached
    }

    /// Parents, [`NONE`] for those that are not there.
    pub(super) fn all_parents(&self, node: &Node) -> &[Gid] {
        &self.parents[node.first_parent as usize..(node.first_parent + node.parents) as usize]
    }

    /// Every tag, with what it names and when it was made.
    pub(super) fn tags(&self) -> impl Iterator<Item = (Gid, Gid, i64)> {
        self.tags.iter().map(|(tag, (target, time))| (*tag, *target, *time))
    }

    /// Adds a commit that was read another time.
    pub(super) fn add_known(&mut self, (gid, tree): (Gid, Gid), time: i64, parents: &[Gid]) {
        let first_parent = self.parents.len() as u32;
        self.parents.extend_from_slice(parents);
        self.commits.push(Node { gid, tree, time, first_parent, parents: parents.len() as u32 });
    }

    /// Adds a tag that was read another time.
    pub(super) fn add_known_tag(&mut self, gid: Gid, target: Gid, time: i64) {
        self.tags.insert(gid, (target, time));
    }

    /// Every commit.
    pub(super) fn commits(&self) -> &[Node] {
        &self.commits
    }

    fn add_commit(&mut self, census: &Census<'_>, gid: Gid, commit: &Commit<'_>) {
        let first_parent = self.parents.len() as u32;
        let mut find = |oid: &Oid, kind| {
            let is_fit = |found: &Gid| census.kind(*found).is_none_or(|other| other == kind);
            census.find(oid.as_bytes()).filter(is_fit).unwrap_or_else(|| {
                self.absent.push(Absent { oid: *oid, kind: Some(kind), by: gid });
                NONE
            })
        };
        let tree = find(&commit.tree, ObjectKind::Tree);
        let parents: Vec<Gid> = commit.parents.iter().map(|oid| find(oid, ObjectKind::Commit)).collect();
        self.parents.extend(&parents);
        let node = Node { gid, tree, time: commit.time, first_parent, parents: parents.len() as u32 };
        self.commits.push(node);
    }

    fn add_tag(&mut self, census: &Census<'_>, gid: Gid, tag: &Tag<'_>) {
        let target = census.find(tag.target.as_bytes());
        if target.is_none() {
            self.absent.push(Absent { oid: tag.target, kind: None, by: gid });
        }
        self.tags.insert(gid, (target.unwrap_or(NONE), tag.time.0));
    }
}

/// Who is told of a text with matches.
pub type TellText<'a, T> = &'a (dyn Fn(&[u8], Vec<RawMatch>) -> Vec<T> + Sync);

/// Reads commits and tags, and scans their texts.
pub(super) struct Texts<'a, T> {
    census: &'a Census<'a>,
    tracer: Tracer<'a>,
    tell: TellText<'a, T>,
    pub(super) graph: Graph,
    pub(super) found: Vec<(Gid, Vec<T>)>,
    /// Texts with matches.
    pub(super) marked: Vec<Gid>,
    pub(super) failed: Vec<(Gid, EntryError)>,
    pub(super) count: u64,
    kind: ObjectKind,
    /// Commits and tags of which only the text is still to be scanned.
    known: Option<&'a Bits>,
}

impl<'a, T> Texts<'a, T> {
    pub(super) fn new(
        census: &'a Census<'a>,
        kind: ObjectKind,
        (detector, tell): (&'a Detector, TellText<'a, T>),
        known: Option<&'a Bits>,
    ) -> Self {
        Self {
            census,
            tracer: detector.tracer(),
            tell,
            graph: Graph::default(),
            found: Vec::new(),
            marked: Vec::new(),
            failed: Vec::new(),
            count: 0,
            kind,
            known,
        }
    }
}

impl<T: Send> Visit for Texts<'_, T> {
    type State = ();

    fn visit(&mut self, gid: Gid, bytes: &[u8], _: Option<Made<'_, ()>>) {
        if self.census.is_repeated(gid) {
            return;
        }
        let hash = self.census.hash();
        let is_new = self.known.is_none_or(|known| !known.get(gid));
        let message = match self.kind {
            ObjectKind::Commit => Commit::parse(bytes, hash).map(|commit| {
                if is_new {
                    self.graph.add_commit(self.census, gid, &commit);
                }
                commit.message
            }),
            _ => Tag::parse(bytes, hash).map(|tag| {
                if is_new {
                    self.graph.add_tag(self.census, gid, &tag);
                }
                tag.message
            }),
        };
        let Some(message) = message else {
            self.failed.push((gid, EntryError::Malformed));
            return;
        };
        self.count += u64::from(is_new);
        let trace = self.tracer.trace(message);
        let matches = self.tracer.matches(message, &trace);
        if !matches.is_empty() {
            self.marked.push(gid);
            self.found.push((gid, (self.tell)(message, matches)));
        }
    }

    fn skip(&mut self) {}

    fn fail(&mut self, gid: Gid, error: EntryError) {
        self.failed.push((gid, error));
    }
}
