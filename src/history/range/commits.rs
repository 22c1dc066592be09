//! Which commits a range holds: what its tips reach and what is hidden does not.
//!
//! Newest first, by the committers' dates, until nothing is left to be shown and all that is left is older: then, as a rule, the
//! hidden side leads to nothing that is shown. A wrong clock can break the rule, and the dates of a hostile repository say what they
//! like; so a walk that has come so far may hold commits too many, never too few. [`Commits::finish`] walks the rest.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};

use super::{
    CommitRange,
    read::{Read, misfit, read},
};
use crate::{
    git::{Commit, EntryError, ObjectKind, Objects, Oid, Tag},
    history::sweep::Broken,
};

/// Number of a commit in a walk.
type Id = u32;

/// Hidden commits that are walked on when all seems to be over, for clocks that are a little wrong.
const SLACK: usize = 32;

/// A walk over the commits of a range.
pub(super) struct Commits<'a> {
    objects: &'a Objects,
    /// How many bytes a commit may have.
    most: u64,
    first_parent: bool,
    since: Option<i64>,
    nodes: Vec<Node>,
    known: HashMap<Oid, Id>,
    /// Not walked yet, newest on top.
    due: BinaryHeap<(i64, Reverse<Id>)>,
    /// How many of them are not hidden.
    shown_due: usize,
    /// Date of the oldest commit that was shown, in seconds.
    oldest: i64,
    /// Tags on the way from the tips.
    tags: BTreeMap<Oid, PassedTag>,
    /// Tips that lead to no commit but to a folder or file.
    pub(super) outside: BTreeMap<Oid, (ObjectKind, Oid)>,
    /// Folders and files that hidden tips lead to.
    hidden_outside: BTreeSet<Oid>,
    broken: Vec<Broken>,
}

/// An object in the place of a commit.
struct Node {
    oid: Oid,
    /// `None` where it is no commit that can be read.
    tree: Option<Oid>,
    parents: Box<[Oid]>,
    time: i64,
    /// Why it can't be read; `None` within: it is not there.
    failure: Option<Option<String>>,
    is_hidden: bool,
    is_walked: bool,
}

#[derive(Clone, Copy)]
struct PassedTag {
    time: i64,
    is_hidden: bool,
}

/// A commit of the range.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) oid: Oid,
    /// By its committer's clock, in seconds since 1970.
    pub(super) time: i64,
    /// Its root folder.
    pub(super) tree: Oid,
    /// Root folders of the parents that are there and that it is compared with.
    pub(super) before: Vec<Oid>,
}

impl<'a> Commits<'a> {
    /// Walks until the commits of the range are known, provided that dates can be relied on.
    pub(super) fn walk(objects: &'a Objects, range: &CommitRange, most: u64) -> Self {
        let mut commits = Self {
            objects,
            most,
            first_parent: range.first_parent,
            since: range.since,
            nodes: Vec::new(),
            known: HashMap::new(),
            due: BinaryHeap::new(),
            shown_due: 0,
            oldest: i64::MAX,
            tags: BTreeMap::new(),
            outside: BTreeMap::new(),
            hidden_outside: BTreeSet::new(),
            broken: Vec::new(),
        };
        range.hidden.iter().for_each(|tip| commits.add_tip(*tip, true));
        range.tips.iter().for_each(|tip| commits.add_tip(*tip, false));
        commits.run();
        commits
    }

    /// Adds what a tip leads to, past tags of tags.
    fn add_tip(&mut self, tip: Oid, is_hidden: bool) {
        let mut at = tip;
        let mut passed = BTreeSet::new();
        // A circle of tags takes a hash collision; it would end here all the same.
        while passed.insert(at) {
            if self.known.contains_key(&at) {
                return self.add(at, is_hidden);
            }
            let object = match read(self.objects, &at, self.most) {
                Read::Object(object) => object,
                Read::Missing => return self.lose(at, None, None, is_hidden),
                // A file that is too big for this is none of the tags and commits.
                Read::TooBig(_) => return self.add_outside(tip, ObjectKind::Blob, at, is_hidden),
                Read::Failed(why) => return self.lose(at, None, Some(why), is_hidden),
            };
            match object.kind {
                ObjectKind::Commit => return self.add(at, is_hidden),
                ObjectKind::Tree | ObjectKind::Blob => {
                    return self.add_outside(tip, object.kind, at, is_hidden);
                }
                ObjectKind::Tag => match Tag::parse(&object.bytes, self.objects.hash()) {
                    Some(tag) => {
                        let passed = PassedTag { time: tag.time.0, is_hidden };
                        // Hidden tips come first.
                        self.tags.entry(at).or_insert(passed);
                        at = tag.target;
                    }
                    None => {
                        return self.lose(
                            at,
                            Some(ObjectKind::Tag),
                            Some("it is malformed".into()),
                            is_hidden,
                        );
                    }
                },
            }
        }
    }

    fn add_outside(&mut self, tip: Oid, kind: ObjectKind, at: Oid, is_hidden: bool) {
        if is_hidden {
            self.hidden_outside.insert(at);
        } else if !self.hidden_outside.contains(&at) {
            self.outside.insert(tip, (kind, at));
        }
    }

    /// Notes what is not there; on the hidden side that hides nothing, and nothing is lost.
    fn lose(&mut self, oid: Oid, kind: Option<ObjectKind>, why: Option<String>, is_hidden: bool) {
        if !is_hidden {
            self.broken.push(Broken { oid, kind, why, place: None });
        }
    }

    fn add(&mut self, oid: Oid, is_hidden: bool) {
        if let Some(&id) = self.known.get(&oid) {
            if is_hidden {
                self.hide(id);
            }
            return;
        }
        let node = self.read(oid, is_hidden);
        let id = Id::try_from(self.nodes.len()).expect("packs count in 32 bits");
        if node.tree.is_some() {
            self.due.push((node.time, Reverse(id)));
            self.shown_due += usize::from(!is_hidden);
        }
        self.known.insert(oid, id);
        self.nodes.push(node);
    }

    fn read(&self, oid: Oid, is_hidden: bool) -> Node {
        let mut node = Node {
            oid,
            tree: None,
            parents: Box::default(),
            time: 0,
            failure: None,
            is_hidden,
            is_walked: false,
        };
        match read(self.objects, &oid, self.most) {
            Read::Object(object) => match Commit::parse(&object.bytes, self.objects.hash()) {
                Some(commit) if object.kind == ObjectKind::Commit => {
                    (node.tree, node.time) = (Some(commit.tree), commit.time);
                    node.parents = commit.parents.into_boxed_slice();
                }
                _ => node.failure = Some(Some(misfit(object.kind, ObjectKind::Commit))),
            },
            Read::Missing => node.failure = Some(None),
            Read::TooBig(size) => node.failure = Some(Some(EntryError::TooBig(size).to_string())),
            Read::Failed(why) => node.failure = Some(Some(why)),
        }
        node.is_walked = node.tree.is_none();
        node
    }

    /// Hides a commit, and what is known to stand behind it.
    fn hide(&mut self, id: Id) {
        let mut due = vec![id];
        while let Some(id) = due.pop() {
            let node = &mut self.nodes[id as usize];
            if std::mem::replace(&mut node.is_hidden, true) {
                continue;
            }
            if !node.is_walked {
                self.shown_due -= 1;
                continue;
            }
            for parent in node.parents.clone() {
                match self.known.get(&parent) {
                    Some(&id) => due.push(id),
                    // Only first parents were walked.
                    None => self.add(parent, true),
                }
            }
        }
    }

    fn run(&mut self) {
        let mut slack = SLACK;
        while let Some(&(time, _)) = self.due.peek() {
            if self.shown_due > 0 || time >= self.oldest {
                slack = SLACK;
            } else if slack == 0 {
                return;
            } else {
                slack -= 1;
            }
            self.step();
        }
    }

    /// Walks everything that is hidden. Whether that hid something more.
    pub(super) fn finish(&mut self) -> bool {
        let before = self.shown_count();
        while self.step() {}
        before != self.shown_count()
    }

    fn step(&mut self) -> bool {
        let Some((time, Reverse(id))) = self.due.pop() else { return false };
        let node = &mut self.nodes[id as usize];
        node.is_walked = true;
        let is_hidden = node.is_hidden;
        let count = if self.first_parent && !is_hidden { 1 } else { usize::MAX };
        let parents: Vec<Oid> = node.parents.iter().take(count).copied().collect();
        if !is_hidden {
            self.shown_due -= 1;
            self.oldest = self.oldest.min(time);
        }
        parents.into_iter().for_each(|parent| self.add(parent, is_hidden));
        true
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let is_shown = |node: &&Node| !node.is_hidden && node.tree.is_some() && self.is_young(node.time);
        self.nodes.iter().filter(is_shown)
    }

    fn is_young(&self, time: i64) -> bool {
        self.since.is_none_or(|since| time >= since)
    }

    /// How many commits the range holds.
    pub(super) fn shown_count(&self) -> usize {
        self.nodes().count()
    }

    /// The commits of the range, in the order in which they were met.
    pub(super) fn shown(&self) -> Vec<Shown> {
        let tree = |parent: &Oid| self.nodes[*self.known.get(parent)? as usize].tree;
        let shown = |node: &Node| {
            let count = if self.first_parent { 1 } else { usize::MAX };
            let mut before: Vec<Oid> = node.parents.iter().take(count).filter_map(tree).collect();
            before.sort_unstable();
            before.dedup();
            Some(Shown { oid: node.oid, time: node.time, tree: node.tree?, before })
        };
        self.nodes().filter_map(shown).collect()
    }

    /// The tags of the range, with when they were made, in seconds since 1970.
    pub(super) fn tags(&self) -> impl Iterator<Item = (Oid, i64)> {
        let is_shown = |tag: &PassedTag| !tag.is_hidden && self.is_young(tag.time);
        self.tags.iter().filter(move |(_, tag)| is_shown(tag)).map(|(oid, tag)| (*oid, tag.time))
    }

    /// What the range names and what can't be read; at the commits in `shallow` it ends on purpose.
    pub(super) fn broken(&self, shallow: &BTreeSet<Oid>) -> Vec<Broken> {
        let mut broken = self.broken.clone();
        let lost = |node: &Node, place| {
            let why = node.failure.clone()?;
            Some(Broken { oid: node.oid, kind: Some(ObjectKind::Commit), why, place })
        };
        for node in self.nodes() {
            for parent in node.parents.iter().filter_map(|parent| self.known.get(parent)) {
                let parent = &self.nodes[*parent as usize];
                let is_edge = parent.failure == Some(None) && shallow.contains(&node.oid);
                broken.extend(lost(parent, None).filter(|_| !is_edge));
            }
        }
        broken
    }
}
