//! What the commits of a range bring in, read commit by commit: nothing else of the database is looked at.
//!
//! `commits` says which commits these are, `changes` what they change against their parents, `blobs` scans what that brings in.
//! What comes out answers the same questions as a sweep of everything.

mod blobs;
mod changes;
mod commits;
mod lead;
mod read;
mod trees;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use rayon::prelude::*;

use self::{
    blobs::{Outcome, Scan, Scanned},
    changes::{Change, Changes},
    commits::{Commits, Shown},
    lead::Lead,
    trees::Lookup,
};
use super::{
    name::Names,
    sweep::{Appearance, Broken, Latest, Listener, of_blob},
    view::{Facts, History},
    walk::Budget,
};
use crate::{
    detect::Detector,
    git::{ObjectKind, Objects, Oid},
    model::{Gap, ObjectCounts as Counts},
};

/// A range that holds more than one commit for so many objects of the database is quicker swept with all the rest.
const SPARSE: usize = 100;
/// Below this it never is.
const FEW: usize = 500;
/// Commits, tags and folders are read up to here, in bytes, whatever may be used for blobs.
const MOST_TEXT: u64 = 64 << 20;

/// Which commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitRange {
    /// What these reach, …
    pub tips: Vec<Oid>,
    /// … with what all refs reach, …
    pub of_refs: bool,
    /// … and these do not, …
    pub hidden: Vec<Oid>,
    /// … and was committed at this time or later, in seconds since 1970.
    pub since: Option<i64>,
    /// Of merges only the first parent is followed and compared with.
    pub first_parent: bool,
}

/// Whether an appearance brings in something, given what was kept of each blob.
pub type Adds<'f, T> = &'f (dyn Fn(&Appearance, &HashMap<Oid, Vec<T>>) -> bool + Sync);

/// What decides on what is found in a range.
pub struct Judge<'f, T> {
    /// Who is told of content and texts.
    pub listener: &'f Listener<'f, T>,
    /// Whether an appearance brings in something, given what was kept of each blob.
    pub adds: Adds<'f, T>,
    /// The commits at which a shallow clone ends.
    pub shallow: &'f BTreeSet<Oid>,
    /// What refs point to: whether they still carry what is found.
    pub refs: &'f [Oid],
}

/// The commits of a range, not looked at yet.
pub struct RangeWalk<'a> {
    objects: &'a Objects,
    commits: Commits<'a>,
    is_first_parent: bool,
}

impl<'a> RangeWalk<'a> {
    /// Finds the commits of a range. The database is not listed for it.
    pub fn new(objects: &'a Objects, range: &CommitRange) -> Self {
        let commits = Commits::walk(objects, range, MOST_TEXT);
        Self { objects, commits, is_first_parent: range.first_parent }
    }

    /// Whether the whole database is swept in less time than it takes to look at commit after commit.
    pub fn is_better_swept(&self) -> bool {
        let count = self.commits.shown_count();
        if count < FEW || self.is_first_parent {
            return false;
        }
        let packed = self.objects.packs().filter_map(|(_, pack)| pack.ok());
        let packed: usize = packed.map(|pack| pack.index.count() as usize).sum();
        count > packed / SPARSE
    }

    /// The commits and tags of the range, exactly.
    pub fn exact(mut self) -> BTreeSet<Oid> {
        self.commits.finish();
        let commits = self.commits.shown().into_iter().map(|one| one.oid);
        commits.chain(self.commits.tags().map(|(oid, _)| oid)).collect()
    }

    /// Scans what the commits bring in. `memory` is for buffers, in bytes.
    pub fn scan<T: Send + Sync>(
        mut self,
        detector: &Detector,
        judge: &Judge<'_, T>,
        memory: u64,
    ) -> Ranged<'a, T> {
        let most = Budget::share(memory, rayon::current_num_threads()).object;
        let names = Names::of(detector);
        let scan = Scan { objects: self.objects, detector, listener: judge.listener, most, names: &names };
        let mut ranged = look(self.objects, &scan, &self.commits, judge);
        // Only where something is to be said of it does it matter whether a commit belongs to the range after all.
        if ranged.says_something() && self.commits.finish() {
            ranged = look(self.objects, &scan, &self.commits, judge);
        }
        ranged.find_carriers(&scan, judge.refs);
        ranged
    }
}

/// What a range brings in.
pub struct Ranged<'a, T> {
    objects: &'a Objects,
    found: HashMap<Oid, Vec<T>>,
    texts: BTreeMap<Oid, Vec<T>>,
    appearances: Vec<Appearance>,
    /// Tips that lead to no commit, with what they hold.
    outside: BTreeMap<Oid, Vec<(Vec<u8>, Oid)>>,
    /// The commits of the range.
    shown: Vec<Shown>,
    /// When each commit and tag of the range was made.
    times: HashMap<Oid, i64>,
    /// For each ref's target what it leads to.
    leads: HashMap<Oid, Lead>,
    /// For each root folder the blobs with matches at paths that matter.
    carried: HashMap<Oid, Vec<(Vec<u8>, Oid)>>,
    expected: Counts,
    scanned: Counts,
    bytes: u64,
    broken: Vec<Broken>,
    pointers: Vec<Oid>,
    submodules: Vec<Vec<u8>>,
    /// What in blobs was not opened or decoded.
    gaps: Vec<Gap>,
}

fn look<'a, T: Send + Sync>(
    objects: &'a Objects,
    scan: &Scan<'_, T>,
    commits: &Commits<'_>,
    judge: &Judge<'_, T>,
) -> Ranged<'a, T> {
    let shown = commits.shown();
    let changes = Changes::work_out(objects, MOST_TEXT.max(scan.most), &shown, commits.outside.iter());
    let mut ranged = Ranged {
        objects,
        found: HashMap::new(),
        texts: BTreeMap::new(),
        appearances: Vec::new(),
        outside: BTreeMap::new(),
        shown: Vec::new(),
        times: shown.iter().map(|one| (one.oid, one.time)).chain(commits.tags()).collect(),
        leads: HashMap::new(),
        carried: HashMap::new(),
        expected: Counts::default(),
        scanned: Counts::default(),
        bytes: 0,
        broken: commits.broken(judge.shallow),
        pointers: Vec::new(),
        submodules: changes.submodules.iter().cloned().collect(),
        gaps: Vec::new(),
    };
    let ids = shown.iter().map(|one| one.oid).collect();
    (ranged.expected.commits, ranged.scanned.commits) = ranged.add_texts(scan.texts(ids), ObjectKind::Commit);
    let tags = commits.tags().map(|(oid, _)| oid).collect();
    (ranged.expected.tags, ranged.scanned.tags) = ranged.add_texts(scan.texts(tags), ObjectKind::Tag);
    let (trees, broken) = changes.trees();
    let is_missing = |one: &&Broken| one.why.is_none();
    ranged.expected.trees = trees - broken.iter().filter(is_missing).count() as u64;
    ranged.scanned.trees = trees - broken.len() as u64;
    ranged.broken.extend(broken);
    ranged.add_blobs(scan, &changes);
    ranged.add_places(scan, &changes, judge);
    ranged.broken.sort_unstable();
    ranged.broken.dedup_by_key(|one| one.oid);
    ranged.shown = shown;
    ranged
}

impl<T: Send + Sync> Ranged<'_, T> {
    fn says_something(&self) -> bool {
        !self.appearances.is_empty() || !self.texts.is_empty() || !self.broken.is_empty()
    }

    /// How many texts there were, and how many of them were scanned.
    fn add_texts(&mut self, texts: Vec<Scanned<T>>, kind: ObjectKind) -> (u64, u64) {
        let (mut expected, mut scanned) = (0, 0);
        for Scanned { oid, outcome } in texts {
            expected += u64::from(!matches!(outcome, Outcome::Failed(None)));
            match outcome {
                Outcome::Found { found, .. } => {
                    scanned += 1;
                    if !found.is_empty() {
                        self.texts.insert(oid, found);
                    }
                }
                Outcome::Failed(why) => self.broken.push(Broken { oid, kind: Some(kind), why, place: None }),
            }
        }
        (expected, scanned)
    }

    /// Scans the blobs that came in.
    fn add_blobs(&mut self, scan: &Scan<'_, T>, changes: &Changes) {
        let blobs = changes.blobs();
        for Scanned { oid, outcome } in scan.blobs(blobs.keys().copied().collect()) {
            self.expected.blobs += u64::from(!matches!(outcome, Outcome::Failed(None)));
            match outcome {
                Outcome::Found { found, gaps, bytes, is_pointer } => {
                    self.gaps.extend(gaps.into_iter().map(|gap| of_blob(&oid, gap)));
                    self.scanned.blobs += 1;
                    self.bytes += bytes;
                    if is_pointer {
                        self.pointers.push(oid);
                    }
                    if !found.is_empty() {
                        self.found.insert(oid, found);
                    }
                }
                Outcome::Failed(why) => {
                    let place = Some(changes.place_of(blobs[&oid]));
                    self.broken.push(Broken { oid, kind: Some(ObjectKind::Blob), why, place });
                }
            }
        }
    }

    /// Scans blobs that did not come in, but stood somewhere before or after. What can't be read holds nothing that is known.
    fn add_others(&mut self, scan: &Scan<'_, T>, oids: impl Iterator<Item = Oid>) {
        let due: BTreeSet<Oid> = oids.filter(|oid| !self.found.contains_key(oid)).collect();
        for Scanned { oid, outcome } in scan.blobs(due.into_iter().collect()) {
            if let Outcome::Found { found, .. } = outcome
                && !found.is_empty()
            {
                self.found.insert(oid, found);
            }
        }
    }

    /// Finds where blobs with matches came in, and keeps the places at which that brings in something.
    fn add_places(&mut self, scan: &Scan<'_, T>, changes: &Changes, judge: &Judge<'_, T>) {
        let places = changes.places(|name, blob| self.found.contains_key(blob) || scan.names.want(name));
        self.add_others(scan, places.iter().flat_map(|change| change.before.iter().copied()));
        let (found, mut outside) = (&self.found, BTreeMap::<Oid, Vec<(Vec<u8>, Oid)>>::new());
        let mut appearances = Vec::new();
        for Change { commit, tip, path, blob, before } in places {
            let Some(commit) = commit else {
                outside.entry(tip).or_default().push((path, blob));
                continue;
            };
            // What stood there before has the same path, and says as much where that is what matters.
            let is_named = scan.names.want_path(&path);
            let matters = |oid: &&Oid| is_named || found.contains_key(*oid);
            let before = before.iter().filter(matters).copied().collect();
            appearances.push(Appearance { commit, path, blob, before });
        }
        appearances.retain(|one| (judge.adds)(one, found));
        appearances.sort_unstable();
        (self.appearances, self.outside) = (appearances, outside);
    }

    /// Looks up at all refs what stands at the paths at which something came in.
    fn find_carriers(&mut self, scan: &Scan<'_, T>, refs: &[Oid]) {
        let paths: BTreeSet<&[u8]> = self.appearances.iter().map(|one| one.path.as_slice()).collect();
        let paths: Vec<&[u8]> = paths.into_iter().collect();
        if paths.is_empty() && self.texts.is_empty() {
            return;
        }
        let tips: BTreeSet<Oid> = refs.iter().copied().collect();
        let leads: HashMap<Oid, Lead> =
            tips.into_par_iter().map(|tip| (tip, Lead::of(self.objects, tip))).collect();
        let mut carried: HashMap<Oid, Vec<(Vec<u8>, Oid)>> = HashMap::new();
        if !paths.is_empty() {
            let of_refs = leads.values().filter_map(|lead| lead.root);
            let folders: BTreeSet<Oid> = of_refs.chain(self.shown.iter().map(|one| one.tree)).collect();
            let lookup = Lookup::new(self.objects, MOST_TEXT);
            carried = folders.into_par_iter().map(|folder| (folder, lookup.at(&folder, &paths))).collect();
        }
        self.add_others(scan, carried.values().flatten().map(|(_, blob)| *blob));
        let matters =
            |(path, blob): &(Vec<u8>, Oid)| self.found.contains_key(blob) || scan.names.want_path(path);
        carried.values_mut().for_each(|there| there.retain(matters));
        (self.leads, self.carried) = (leads, carried);
    }
}

impl<T: Send + Sync> History<T> for Ranged<'_, T> {
    fn found(&self, blob: &Oid) -> &[T] {
        self.found.get(blob).map(Vec::as_slice).unwrap_or_default()
    }

    fn blobs(&self) -> Vec<Oid> {
        let mut blobs: Vec<Oid> = self.found.keys().copied().collect();
        blobs.sort_unstable();
        blobs
    }

    fn texts(&self) -> Vec<(&Oid, bool, &[T])> {
        self.texts.iter().map(|(oid, found)| (oid, true, found.as_slice())).collect()
    }

    fn appearances(&self, are_reached: bool) -> Vec<Appearance> {
        if are_reached { self.appearances.clone() } else { Vec::new() }
    }

    fn carried_by(&self, tip: &Oid) -> Option<Vec<(Vec<u8>, Oid)>> {
        if let Some(held) = self.outside.get(tip) {
            return Some(held.clone());
        }
        self.carried.get(&self.leads.get(tip)?.root?).cloned()
    }

    fn latest(&self, _: bool) -> Vec<Latest> {
        let mut shown: Vec<&Shown> = self.shown.iter().collect();
        shown.sort_unstable_by_key(|one| Reverse((one.time, one.oid)));
        let mut known = HashSet::new();
        let mut latest = Vec::new();
        for (commit, tree) in shown.into_iter().map(|one| (one.oid, one.tree)) {
            for (path, blob) in self.carried.get(&tree).into_iter().flatten() {
                if known.insert((path, blob)) {
                    latest.push(Latest { commit, path: path.clone(), blob: *blob });
                }
            }
        }
        latest
    }

    fn time(&self, oid: &Oid) -> Option<i64> {
        self.times.get(oid).copied()
    }

    fn named_by(&self, tip: &Oid) -> Vec<Oid> {
        self.leads.get(tip).map(|lead| lead.line.clone()).unwrap_or_default()
    }

    fn outside(&self, tips: &[Oid]) -> Vec<Oid> {
        tips.iter().filter(|tip| self.outside.contains_key(tip)).copied().collect()
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            expected: self.expected,
            scanned: self.scanned,
            bytes: self.bytes,
            broken: &self.broken,
            pointers: &self.pointers,
            submodules: &self.submodules,
            gaps: &self.gaps,
        }
    }
}
