//! The whole of a history, swept once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
};

use rayon::prelude::*;

use super::{
    blob::{BlobVisitor, Blobs, Tell, is_pointer, tell_all},
    cache::{CacheFile, Recall, Remembered, Seen},
    census::{Bits, Census, Gid, NONE},
    closure::{KnownLists, Lists},
    exposure::Exposure,
    graph::{Graph, Node, TellText, Texts},
    latest::latest,
    name::Names,
    stream::BigBlob,
    tree::{Folders, KnownNames, TreeVisitor},
    walk::{Budget, walk},
};
use crate::{
    detect::{Content, Detector, RawMatch},
    git::{EntryError, EntryKind, ObjectKind, Objects, Oid},
    model::{Gap, ObjectCounts as Counts},
};

/// How blobs are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Of a blob that is stored as a delta, where it differs from its base.
    #[default]
    Delta,
    /// Each one whole, and read by itself: slow, and what the other is measured by.
    Plain,
}

/// How a history is swept.
#[derive(Debug, Clone, Copy)]
pub struct SweepOptions<'c> {
    /// How blobs are scanned.
    pub engine: Engine,
    /// For buffers, in bytes.
    pub memory: u64,
    /// Where to look up and put down what need not be scanned again.
    pub cache: Option<&'c CacheFile>,
}

/// An object that should have been scanned and was not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// Which.
    pub oid: Oid,
    /// What it is, or should be; `None` where that can't be told.
    pub kind: Option<ObjectKind>,
    /// Why; `None` where it is not there.
    pub why: Option<String>,
    /// Where it stands: raw path and commit.
    pub place: Option<(Vec<u8>, Oid)>,
}

/// A blob at a path in a commit, where no parent has it at that path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appearance {
    /// The commit.
    pub commit: Oid,
    /// Raw bytes, `/`-separated.
    pub path: Vec<u8>,
    /// The blob.
    pub blob: Oid,
    /// Blobs with matches that parents have at that path.
    pub before: Vec<Oid>,
}

/// A blob at a path, with the newest commit that has it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// The commit.
    pub commit: Oid,
    /// Raw bytes, `/`-separated.
    pub path: Vec<u8>,
    /// The blob.
    pub blob: Oid,
}

/// Who is told of content and texts with matches.
pub struct Listener<'l, T> {
    /// Of a blob's content.
    pub blob: Tell<'l, T>,
    /// Of a commit's or tag's text.
    pub text: TellText<'l, T>,
}

/// What of a history matters.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// What refs point to.
    pub tips: &'s [Oid],
    /// What these reach does not matter.
    pub hidden: &'s [Oid],
    /// Of the commits and tags that are left, these; `None`: all.
    pub only: Option<&'s BTreeSet<Oid>>,
    /// The commits at which a shallow clone ends.
    pub shallow: &'s BTreeSet<Oid>,
}

/// A swept history.
pub struct Swept<'a, T> {
    census: Census<'a>,
    graph: Graph,
    folders: Folders,
    lists: Lists,
    found: HashMap<Gid, Vec<T>>,
    texts: BTreeMap<Oid, (Gid, Vec<T>)>,
    /// Commits and tags that the tips reach.
    reached: Bits,
    /// Objects of the database, each counted once.
    pub expected: Counts,
    /// Of these, what was scanned.
    pub scanned: Counts,
    /// Bytes of the scanned blobs.
    pub bytes: u64,
    /// What was not scanned.
    pub broken: Vec<Broken>,
    /// Pointers of Git LFS: the files are not in the repository.
    pub pointers: Vec<Oid>,
    /// Names under which submodules stand.
    pub submodules: Vec<Vec<u8>>,
    /// Packs and folders that can't be read, and what in blobs was not opened or decoded.
    pub gaps: Vec<Gap>,
}

/// Scans every object of a database.
pub fn sweep<'a, T: Send + Sync>(
    objects: &'a Objects,
    detector: &Detector,
    scope: &Scope<'_>,
    listener: &Listener<'_, T>,
    options: SweepOptions<'_>,
) -> Swept<'a, T> {
    // The other engine is what this one is measured by.
    let cache = options.cache.filter(|_| options.engine == Engine::Delta);
    let budget = Budget::share(options.memory, rayon::current_num_threads());
    let mut remembered = cache.map(|file| Remembered::load(file, objects.hash())).unwrap_or_default();
    let mut census = Census::take(objects, &remembered.packs);
    // What is damaged is looked at anew, and so is what could not be read with so little memory.
    if !census.gaps.is_empty() || remembered.largest > budget.object {
        remembered = Remembered::default();
    }
    if !remembered.looked_into(detector) {
        remembered = Remembered::default();
    }
    let mut recall = Recall::of(remembered, &census, detector);
    let gaps = std::mem::take(&mut census.gaps);
    let names = Names::of(detector);
    let scan = Scan { census: &census, detector, listener, budget, names: &names };
    scan.catch_up(&mut recall);
    let texts = scan.texts(&recall);
    let blobs = scan.blobs(options.engine, &recall);
    let trees = scan.trees(&recall, &blobs.marked);
    let failed: Vec<(Gid, EntryError)> = [&texts.failed[..], &blobs.failed, &trees.failed].concat();
    let scanned = Counts { blobs: blobs.count, trees: trees.count, ..texts.count };
    let (graph, mut folders, lists) = (texts.graph, trees.folders, trees.lists);
    if let Some(file) = cache.filter(|_| gaps.is_empty()) {
        let is_whole = texts.failed.is_empty() && trees.failed.is_empty();
        let seen = Seen {
            graph: &graph,
            texts: &texts.marked,
            folders: &folders,
            lists: &lists,
            is_whole,
            names: &names,
        };
        if let Some(next) = recall.next(&census, detector, &blobs, &seen) {
            next.save(file);
        }
    }
    let found = texts.found;
    let known =
        |oids: &[Oid]| -> Vec<Gid> { oids.iter().filter_map(|tip| census.find(tip.as_bytes())).collect() };
    let mut reached = graph.reach(known(scope.tips));
    reached.remove(&graph.reach(known(scope.hidden)));
    if let Some(only) = scope.only {
        reached.retain(|gid| only.contains(&census.oid(gid)));
    }
    let in_blobs = blobs.gaps.into_iter().map(|(gid, gap)| of_blob(&census.oid(gid), gap));
    let gaps = gaps.into_iter().chain(in_blobs).collect();
    let expected = expected(&census);
    let mut pointers: Vec<Oid> = blobs.pointers.iter().map(|gid| census.oid(*gid)).collect();
    pointers.sort_unstable();
    let mut swept = Swept {
        submodules: std::mem::take(&mut folders.submodules),
        found: blobs.found.into_iter().collect(),
        texts: found.into_iter().map(|(gid, found)| (census.oid(gid), (gid, found))).collect(),
        graph,
        folders,
        lists,
        reached,
        expected,
        scanned,
        bytes: blobs.bytes,
        broken: Vec::new(),
        pointers,
        gaps,
        census,
    };
    swept.broken = swept.all_broken(failed, scope);
    swept
}

/// What was not opened or decoded of a blob; its own path is known to commits only.
pub(super) fn of_blob(blob: &Oid, gap: Gap) -> Gap {
    Gap { path: format!("blob {blob}{}", gap.path), ..gap }
}

fn expected(census: &Census<'_>) -> Counts {
    let mut counts = Counts::default();
    for gid in (0..census.len() as Gid).filter(|gid| !census.is_repeated(*gid)) {
        match census.kind(gid) {
            Some(ObjectKind::Commit) => counts.commits += 1,
            Some(ObjectKind::Tree) => counts.trees += 1,
            Some(ObjectKind::Blob) => counts.blobs += 1,
            Some(ObjectKind::Tag) => counts.tags += 1,
            // Among the broken ones.
            None => {}
        }
    }
    counts
}

/// What the scan of objects needs.
struct Scan<'s, T> {
    census: &'s Census<'s>,
    detector: &'s Detector,
    listener: &'s Listener<'s, T>,
    budget: Budget,
    names: &'s Names,
}

/// Commits and tags.
struct ScannedTexts<T> {
    graph: Graph,
    found: Vec<(Gid, Vec<T>)>,
    /// Those with matches in their texts.
    marked: Vec<Gid>,
    failed: Vec<(Gid, EntryError)>,
    count: Counts,
}

/// Folders.
struct ScannedTrees {
    folders: Folders,
    lists: Lists,
    failed: Vec<(Gid, EntryError)>,
    count: u64,
}

impl<T: Send + Sync> Scan<'_, T> {
    /// Scans blobs that are known to be clean by the rules that they were not scanned by yet.
    fn catch_up(&self, recall: &mut Recall) {
        if recall.missing_rules.is_empty() {
            return;
        }
        let detector =
            self.detector.subset(recall.missing_rules.clone()).expect("rules of a detector make another one");
        let tell = |_: &dyn Content, _: Option<&str>, _: Vec<RawMatch>| Ok(Vec::<()>::new());
        let new = || BlobVisitor::new(self.census, &detector, &tell);
        let due = Some(recall.clean());
        let parts = walk(self.census, ObjectKind::Blob, due, self.budget, new);
        let blobs = Blobs::join(parts.into_iter().map(|visitor| visitor.blobs));
        let failed = blobs.failed.iter().map(|(gid, _)| *gid).chain(blobs.big.iter().map(|(gid, _)| *gid));
        recall.forget(&blobs.marked.iter().copied().chain(failed).collect::<Vec<_>>());
    }

    /// Reads all commits and tags, and scans their texts.
    fn texts(&self, recall: &Recall) -> ScannedTexts<T> {
        let (mut graphs, mut known, mut due) = (Vec::new(), None, None);
        let mut all = ScannedTexts {
            graph: Graph::default(),
            found: Vec::new(),
            marked: Vec::new(),
            failed: Vec::new(),
            count: Counts::default(),
        };
        if let Some((graph, seen, marked)) = recall.graph(self.census) {
            (all.count.commits, all.count.tags) = (graph.commits().len() as u64, graph.tags().count() as u64);
            graphs.push(graph);
            let mut others = seen.others(self.census.len());
            marked.iter().for_each(|gid| others.set(*gid));
            (known, due) = (Some(seen), Some(others));
        }
        for kind in [ObjectKind::Commit, ObjectKind::Tag] {
            let new = || Texts::new(self.census, kind, (self.detector, self.listener.text), known.as_ref());
            for part in walk(self.census, kind, due.as_ref(), self.budget, new) {
                let count =
                    if kind == ObjectKind::Commit { &mut all.count.commits } else { &mut all.count.tags };
                *count += part.count;
                all.failed.extend(part.failed);
                all.found.extend(part.found);
                all.marked.extend(part.marked);
                graphs.push(part.graph);
            }
        }
        all.graph = Graph::join(self.census, graphs);
        all
    }

    /// Reads all folders, and keeps what leads to these blobs.
    fn trees(&self, recall: &Recall, wanted: &[Gid]) -> ScannedTrees {
        let len = self.census.len();
        let mut bits = Bits::of_len(len);
        wanted.iter().for_each(|gid| bits.set(*gid));
        let (mut names, mut lists, mut due) = (KnownNames::default(), KnownLists::default(), None);
        let (mut failed, mut named, mut count) = (Vec::new(), Vec::new(), 0);
        if let Some((known_names, known_lists, seen)) = recall.folders(self.census, wanted, self.names) {
            let is_tree = |gid: &Gid| seen.get(*gid) && self.census.kind(*gid) == Some(ObjectKind::Tree);
            let trees = (0..len as Gid).filter(is_tree).filter(|gid| !self.census.is_repeated(*gid));
            count = trees.count() as u64;
            (names, lists, due) = (known_names, known_lists, Some(seen.others(len)));
        }
        let new = || TreeVisitor::new(self.census, &bits, self.names);
        let mut visitors = walk(self.census, ObjectKind::Tree, due.as_ref(), self.budget, new);
        for visitor in &mut visitors {
            count += visitor.count;
            failed.append(&mut visitor.failed);
            named.append(&mut visitor.named);
        }
        let folders = Folders::join(self.census, visitors, names);
        named.into_iter().for_each(|gid| bits.set(gid));
        let mut lists = Lists::close(&folders, &bits, len, lists);
        failed.extend(lists.cut_circles().into_iter().map(|folder| (folder, EntryError::Circle)));
        ScannedTrees { folders, lists, failed, count }
    }

    fn blobs(&self, engine: Engine, recall: &Recall) -> Blobs<T> {
        let mut blobs = match engine {
            Engine::Delta => {
                let new = || BlobVisitor::new(self.census, self.detector, self.listener.blob);
                let due = (!recall.is_empty()).then(|| recall.clean().others(self.census.len()));
                let parts = walk(self.census, ObjectKind::Blob, due.as_ref(), self.budget, new);
                Blobs::join(parts.into_iter().map(|visitor| visitor.blobs))
            }
            Engine::Plain => {
                let is_due = |gid: &Gid| {
                    !self.census.is_repeated(*gid) && self.census.kind(*gid) == Some(ObjectKind::Blob)
                };
                let gids: Vec<Gid> = (0..self.census.len() as Gid).filter(is_due).collect();
                Blobs::join(gids.par_iter().map(|gid| self.plain(*gid)).collect::<Vec<_>>())
            }
        };
        // A damaged object may stand whole in another pack, or as a file.
        let again: Vec<Gid> = std::mem::take(&mut blobs.failed)
            .into_iter()
            .filter_map(|(gid, error)| {
                let is_ours = !self.census.is_repeated(gid);
                if is_ours && error == EntryError::Bug {
                    blobs.failed.push((gid, error));
                    return None;
                }
                is_ours.then_some(gid)
            })
            .collect();
        let retried = match engine {
            Engine::Delta => again.par_iter().map(|gid| self.plain(*gid)).collect::<Vec<_>>(),
            Engine::Plain => again.iter().map(|gid| self.plain(*gid)).collect(),
        };
        let mut blobs = Blobs::join(retried.into_iter().chain([blobs]));
        for (gid, size) in std::mem::take(&mut blobs.big) {
            self.stream(gid, size, &mut blobs);
        }
        let (count, bytes) = recall.clean_size();
        blobs.count += count;
        blobs.bytes += bytes;
        blobs.pointers.extend(&recall.pointers);
        blobs.largest = blobs.largest.max(recall.largest);
        blobs
    }

    /// Reads and scans one blob whole.
    fn plain(&self, gid: Gid) -> Blobs<T> {
        let mut blobs = Blobs::default();
        match self.census.objects.read(&self.census.oid(gid), self.budget.object) {
            Ok(Some(object)) => {
                let bytes = object.bytes.as_slice();
                let scan = || {
                    let scanned = self.detector.scan_telling(&bytes)?;
                    tell_all(self.detector, self.listener.blob, &bytes, scanned)
                };
                match catch_unwind(AssertUnwindSafe(scan)) {
                    Ok(told) => blobs.keep(gid, &bytes, told),
                    Err(_) => blobs.failed.push((gid, EntryError::Bug)),
                }
                if is_pointer(bytes) {
                    blobs.pointers.push(gid);
                }
            }
            Ok(None) => blobs.failed.push((gid, EntryError::NoBase)),
            Err(error) => match error.size() {
                Some(size) => blobs.big.push((gid, size)),
                None => blobs.failed.push((gid, error.entry())),
            },
        }
        blobs
    }

    /// Scans a blob that is too big to be held.
    fn stream(&self, gid: Gid, size: u64, blobs: &mut Blobs<T>) {
        let oid = self.census.oid(gid);
        if !matches!(self.census.objects.stream(&oid), Ok(Some(_))) {
            blobs.failed.push((gid, EntryError::TooBig(size)));
            return;
        }
        let content = BigBlob::new(self.census.objects, oid, size);
        let scan = || {
            let scanned = self.detector.scan_telling(&content)?;
            tell_all(self.detector, self.listener.blob, &content, scanned)
        };
        match catch_unwind(AssertUnwindSafe(scan)) {
            Ok(told) => blobs.keep(gid, &content, told),
            Err(_) => blobs.failed.push((gid, EntryError::Bug)),
        }
    }
}

impl<T> Swept<'_, T> {
    fn exposure(&self) -> Exposure<'_> {
        Exposure { graph: &self.graph, folders: &self.folders, lists: &self.lists }
    }

    /// What was kept of a blob's matches.
    pub fn found(&self, blob: &Oid) -> &[T] {
        let gid = self.census.find(blob.as_bytes());
        gid.and_then(|gid| self.found.get(&gid)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Blobs with matches, by id.
    pub fn blobs(&self) -> Vec<Oid> {
        let mut blobs: Vec<Oid> = self.found.keys().map(|gid| self.census.oid(*gid)).collect();
        blobs.sort_unstable();
        blobs
    }

    /// Texts of commits and tags with matches, by id; with whether a tip reaches them.
    pub fn texts(&self) -> impl Iterator<Item = (&Oid, bool, &[T])> {
        self.texts.iter().map(|(oid, (gid, found))| (oid, self.reached.get(*gid), found.as_slice()))
    }

    /// Whether a tip reaches a commit or tag.
    pub fn reaches(&self, oid: &Oid) -> bool {
        self.census.find(oid.as_bytes()).is_some_and(|gid| self.reached.get(gid))
    }

    /// Which of these lead to no commit but to a folder or file.
    pub fn outside(&self, tips: &[Oid]) -> Vec<Oid> {
        let leads_outside = |tip: &&Oid| {
            let target = self.census.find(tip.as_bytes()).and_then(|gid| self.graph.peel(gid));
            target.is_some_and(|gid| self.graph.commit(gid).is_none())
        };
        tips.iter().filter(leads_outside).copied().collect()
    }

    /// The commits that tips reach, or all the others.
    fn commits(&self, are_reached: bool) -> Bits {
        let mut commits = Bits::of_len(self.census.len());
        let nodes = self.graph.commits().iter();
        nodes.filter(|node| self.reached.get(node.gid) == are_reached).for_each(|node| commits.set(node.gid));
        commits
    }

    /// Every appearance of a blob with matches in the commits that tips reach, or in all the others; sorted.
    pub fn appearances(&self, are_reached: bool) -> Vec<Appearance> {
        let len = self.census.len() as Gid;
        let is_there = |gid: &Gid| *gid < len;
        let appearances = self.exposure().appearances(&self.commits(are_reached)).into_iter();
        let mut appearances: Vec<Appearance> = appearances
            .filter(|one| is_there(&one.blob))
            .map(|one| Appearance {
                commit: self.census.oid(one.commit),
                path: one.path,
                blob: self.census.oid(one.blob),
                before: one
                    .before
                    .iter()
                    .filter(|gid| is_there(gid))
                    .map(|gid| self.census.oid(*gid))
                    .collect(),
            })
            .collect();
        appearances.sort_unstable();
        appearances
    }

    /// The folder that a ref's target stands for, or the file.
    fn tree_of(&self, tip: &Oid) -> Option<Gid> {
        let gid = self.graph.peel(self.census.find(tip.as_bytes())?)?;
        Some(self.graph.commit(gid).map_or(gid, |node| node.tree))
    }

    /// Every blob with matches at every path, with the newest of the commits that have it there: of those that tips reach, or of all.
    /// Newest first, by the committer's clock, then by id.
    pub fn latest(&self, of_all: bool) -> Vec<Latest> {
        let nodes = self.graph.commits().iter();
        let holds = |tree: Gid| tree != NONE && self.lists.of(tree) != 0;
        let is_wanted = |node: &&Node| holds(node.tree) && (of_all || self.reached.get(node.gid));
        let mut nodes: Vec<&Node> = nodes.filter(is_wanted).collect();
        let id = |node: &Node| self.census.id(node.gid);
        nodes.sort_unstable_by(|one, two| two.time.cmp(&one.time).then_with(|| id(two).cmp(id(one))));
        let all = latest(&self.folders, &self.lists, nodes.into_iter().map(|node| (node.gid, node.tree)));
        let there = all.into_iter().filter(|one| (one.blob as usize) < self.census.len());
        let named = |one: super::latest::Latest| Latest {
            commit: self.census.oid(one.commit),
            path: one.path,
            blob: self.census.oid(one.blob),
        };
        there.map(named).collect()
    }

    /// When a commit or tag was made, in seconds since 1970.
    pub fn time(&self, oid: &Oid) -> Option<i64> {
        self.graph.time(self.census.find(oid.as_bytes())?)
    }

    /// What a ref points to and, of a tag, what that names, and so on: as far as it is there.
    pub fn named_by(&self, tip: &Oid) -> Vec<Oid> {
        let line = self.census.find(tip.as_bytes()).map(|gid| self.graph.line(gid));
        line.into_iter().flatten().map(|gid| self.census.oid(gid)).collect()
    }

    /// The blobs with matches that a ref's target holds, with their raw paths; `None` where it is not there. A blob has the empty path.
    pub fn carried_by(&self, tip: &Oid) -> Option<Vec<(Vec<u8>, Oid)>> {
        let tree = self.tree_of(tip)?;
        if self.found.contains_key(&tree) {
            return Some(vec![(Vec::new(), self.census.oid(tree))]);
        }
        let there = self
            .exposure()
            .content(tree)
            .into_iter()
            .filter(|(_, blob)| (*blob as usize) < self.census.len());
        Some(there.map(|(path, blob)| (path, self.census.oid(blob))).collect())
    }

    /// Everything that should have been scanned and was not, each once.
    fn all_broken(&self, failed: Vec<(Gid, EntryError)>, scope: &Scope<'_>) -> Vec<Broken> {
        let mut broken: BTreeMap<Oid, Broken> = BTreeMap::new();
        let mut add = |oid: Oid, kind, why: Option<String>, place| {
            broken.entry(oid).or_insert(Broken { oid, kind, why, place });
        };
        let unknown = (0..self.census.len() as Gid)
            .filter(|gid| self.census.kind(*gid).is_none())
            .map(|gid| (gid, EntryError::BadBase));
        let failed = failed.into_iter().chain(unknown).filter(|(gid, _)| !self.census.is_repeated(*gid));
        for (gid, error) in failed {
            add(self.census.oid(gid), self.census.kind(gid), Some(error.to_string()), None);
        }
        for absent in &self.graph.absent {
            let by_shallow = || scope.shallow.contains(&self.census.oid(absent.by));
            let is_edge = absent.kind == Some(ObjectKind::Commit) && by_shallow();
            if self.reached.get(absent.by) && !is_edge {
                add(absent.oid, absent.kind, self.misfit(&absent.oid, absent.kind), None);
            }
        }
        let len = self.census.len() as Gid;
        let in_commits = self.exposure().appearances(&self.commits(true)).into_iter();
        let in_commits = in_commits.map(|one| (one.path, one.blob, Some(self.census.oid(one.commit))));
        let is_bare = |tree: &Gid| self.graph.commit(*tree).is_none();
        let tips = scope.tips.iter().filter_map(|tip| self.graph.peel(self.census.find(tip.as_bytes())?));
        let tips = tips.filter(is_bare);
        let at_tips =
            tips.flat_map(|tree| self.exposure().content(tree)).map(|(path, blob)| (path, blob, None));
        let mut absent: Vec<_> = in_commits.chain(at_tips).filter(|(_, blob, _)| *blob >= len).collect();
        // Of many places the first one is told, whichever thread saw which.
        absent.sort_unstable_by(|one, two| (&one.0, one.2).cmp(&(&two.0, two.2)));
        for (path, blob, commit) in absent {
            let (oid, kind) = self.folders.absent[(blob - len) as usize];
            let kind = Some(if kind == EntryKind::Tree { ObjectKind::Tree } else { ObjectKind::Blob });
            add(oid, kind, self.misfit(&oid, kind), commit.map(|commit| (path, commit)));
        }
        broken.into_values().collect()
    }

    /// Why an object can't stand where one of this kind should; `None` where it is not there.
    fn misfit(&self, oid: &Oid, kind: Option<ObjectKind>) -> Option<String> {
        let there = self.census.kind(self.census.find(oid.as_bytes())?)?;
        Some(format!("it is a {}, and something names it as a {}", there.as_str(), kind?.as_str()))
    }
}
