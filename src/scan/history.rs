//! A history: what its blobs hold, where that came in, and where it still is.

mod quote;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use self::quote::Quotes;
use super::{ScanOptions, reflog::Logged, submodules};
use crate::{
    detect::{Content, RawMatch},
    git::{Head, Objects, ObjectsError, Oid, Refs, Repository, RepositoryError},
    history::{
        Appearance, Broken, CacheFile, CacheKey, CommitRange, Engine, Facts, History, Judge, Listener,
        RangeWalk, Scope, SweepOptions, sweep,
    },
    model::{
        Coverage, Exposure, Gap, GapReason, HistoryCoverage, Report, SCHEMA, Secret, Source as Origin,
        SourceKind, Suppression,
    },
    source::display_bytes,
    triage::{Examined, Shared, Sighting, Site, Stamp, Triage, assemble, canonical_path},
};

/// Refs that are listed with a place.
const MOST_REFS: usize = 20;

/// How a history is scanned.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that stands for itself")]
pub struct HistoryOptions {
    /// How blobs are scanned.
    pub engine: Engine,
    /// For buffers, in bytes.
    pub memory: u64,
    /// Report what no ref reaches, too.
    pub unreachable: bool,
    /// List all refs with a place, not the first few.
    pub all_refs: bool,
    /// What to look at in place of all that refs reach.
    pub range: Option<CommitRange>,
    /// What reflogs name counts as if a ref pointed there, and their messages are scanned.
    pub reflogs: bool,
    /// The submodules' repositories that are there are scanned, too.
    pub submodules: bool,
    /// Authenticates the cache in the repository's git folder; `None`: there is no cache.
    pub cache_key: Option<CacheKey>,
    /// Its name in the report.
    pub root: String,
}

/// A history that can't be scanned at all.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The repository.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// Its objects.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

/// Something that points into a history.
struct Tip {
    name: String,
    oid: Oid,
    exposure: Exposure,
}

/// Scans all that a repository's refs reach, and says what could not be scanned.
///
/// # Errors
/// A repository whose refs or folders can't be listed.
pub fn scan_history(
    repository: &Repository,
    triage: &Triage<'_>,
    scan: &ScanOptions,
    options: &HistoryOptions,
) -> Result<Report, HistoryError> {
    let shared = Shared::default();
    let (mut sightings, mut coverage) = scan_one(repository, "", (triage, &shared), options)?;
    if options.submodules {
        let one =
            |repository: &Repository, prefix: &str| scan_one(repository, prefix, (triage, &shared), options);
        submodules::add(repository, one, (&mut sightings, &mut coverage))?;
    }
    coverage.gaps.sort();
    coverage.gaps.dedup();
    let assembled = assemble(triage, scan.min_confidence, sightings);
    Ok(Report {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Origin {
            kind: SourceKind::History,
            root: options.root.clone(),
            repository: scan.repository.clone(),
        },
        findings: assembled.findings,
        suppressed: assembled.suppressed,
        suppressed_findings: if scan.show_suppressed { assembled.suppressed_findings } else { Vec::new() },
        coverage,
    })
}

/// Scans one repository. `prefix` goes before its paths: empty, or with a `/` at the end.
fn scan_one(
    repository: &Repository,
    prefix: &str,
    (triage, shared): (&Triage<'_>, &Shared),
    options: &HistoryOptions,
) -> Result<(Vec<Sighting>, Coverage), HistoryError> {
    let objects = Objects::open(repository.object_folders(), repository.hash)?;
    let refs = Refs::read(repository)?;
    let tips = tips(&refs);
    let shallow = repository.shallow_commits()?;
    let blob = |content: &dyn Content, entry: Option<&str>, matches: Vec<RawMatch>| {
        let examined = triage.examine(content, &matches, shared)?;
        Ok(examined.into_iter().map(|one| one.within(entry)).collect())
    };
    let text = |text: &[u8], matches: Vec<RawMatch>| {
        triage.examine(&text, &matches, shared).expect("bytes in memory can be read")
    };
    let listener = Listener { blob: &blob, text: &text };
    let reflogs = if options.reflogs { Logged::read(repository, &objects)? } else { Logged::default() };
    let range = options.range.clone().map(|range| with_tips(range, &tips, &reflogs));
    let scope = Whole {
        tips: &tips,
        logged: &reflogs.tips,
        shallow: &shallow,
        range: range.as_ref(),
        prefix,
        cache: options.cache_key.and_then(|key| CacheFile::of(&repository.common_dir, key)),
    };
    let history = look(&objects, triage, &scope, &listener, options);
    let view = View {
        objects: &objects,
        swept: &*history,
        triage,
        options,
        quotes: Quotes::default(),
        range: range.as_ref(),
        prefix,
    };
    let mut sightings = view.of_blobs(&tips, &reflogs.tips);
    view.see_last(&mut sightings);
    sightings.extend(view.of_texts(&tips));
    sightings.extend(reflogs.sightings(triage, shared, prefix));
    let mut coverage =
        coverage(&history.facts(), refs.entries.len() as u64, !shallow.is_empty(), repository.is_partial()?);
    let is_there = |tip: &&Tip| !matches!(objects.read(&tip.oid, u64::MAX), Ok(None));
    let all = tips.iter().filter(|_| range.is_none());
    for tip in all.filter(|tip| history.carried_by(&tip.oid).is_none()).filter(|tip| !is_there(tip)) {
        let detail = format!("it points to {}, which is not there", tip.oid);
        coverage.gaps.push(Gap { path: tip.name.clone(), reason: GapReason::Missing, detail });
    }
    let broken = refs.broken.iter().map(|(name, why)| Gap {
        path: display_bytes(name),
        reason: GapReason::Unreadable,
        detail: why.clone(),
    });
    coverage.gaps.extend(broken);
    if let Head::Broken(why) = &refs.head {
        let (path, detail) = ("HEAD".to_owned(), why.clone());
        coverage.gaps.push(Gap { path, reason: GapReason::Unreadable, detail });
    }
    coverage.gaps.extend(reflogs.gaps);
    coverage.gaps.extend(view.cut());
    Ok((sightings, coverage))
}

/// The tips of a range that starts from all refs.
fn with_tips(mut range: CommitRange, tips: &[Tip], reflogs: &Logged) -> CommitRange {
    if range.of_refs {
        range.tips.extend(tips.iter().map(|tip| tip.oid).chain(reflogs.tips.iter().copied()));
    }
    range
}

/// What there is to look at.
struct Whole<'w> {
    tips: &'w [Tip],
    /// What only reflogs name.
    logged: &'w [Oid],
    shallow: &'w BTreeSet<Oid>,
    range: Option<&'w CommitRange>,
    prefix: &'w str,
    cache: Option<CacheFile>,
}

/// Looks at all of a history, or at what the commits of a range bring in.
fn look<'h>(
    objects: &'h Objects,
    triage: &Triage<'_>,
    whole: &Whole<'_>,
    listener: &Listener<'_, Examined>,
    options: &HistoryOptions,
) -> Box<dyn History<Examined> + 'h> {
    let (shallow, prefix) = (whole.shallow, whole.prefix);
    let refs: Vec<Oid> = whole.tips.iter().map(|tip| tip.oid).collect();
    let sweep = |scope: Scope<'_>| {
        let how =
            SweepOptions { engine: options.engine, memory: options.memory, cache: whole.cache.as_ref() };
        Box::new(sweep(objects, triage.detector(), &scope, listener, how))
    };
    let Some(range) = whole.range else {
        let all = [&refs, whole.logged].concat();
        return sweep(Scope { tips: &all, hidden: &[], only: None, shallow });
    };
    let walk = RangeWalk::new(objects, range);
    // Only commit by commit can merges be compared with their first parents alone.
    if !range.first_parent && (options.engine == Engine::Plain || walk.is_better_swept()) {
        let only = range.since.map(|_| walk.exact());
        return sweep(Scope { tips: &range.tips, hidden: &range.hidden, only: only.as_ref(), shallow });
    }
    let adds = |one: &Appearance, found: &HashMap<Oid, Vec<Examined>>| {
        let found = |blob: &Oid| found.get(blob).map(Vec::as_slice).unwrap_or_default();
        !added(triage, prefix, one, found).is_empty()
    };
    let judge = Judge { listener, adds: &adds, shallow, refs: &refs };
    Box::new(walk.scan(triage.detector(), &judge, options.memory))
}

/// Secrets of a blob that no parent of the commit has at its path.
fn added<'f>(
    triage: &Triage<'_>,
    prefix: &str,
    one: &Appearance,
    found: impl Fn(&Oid) -> &'f [Examined],
) -> Vec<Sighting> {
    let (path, commit) = (format!("{prefix}{}", display_bytes(&one.path)), one.commit.to_string());
    let site = Site { path: &path, commit: Some(&commit) };
    let judge = |blob: &Oid| judged(triage, site, found(blob));
    let before: BTreeSet<Decided> =
        one.before.iter().flat_map(judge).map(|sighting| decided(&sighting)).collect();
    let mut found = judge(&one.blob);
    found.retain(|sighting| !before.contains(&decided(sighting)));
    found
}

/// Secrets of a blob that stands at a path, and what the path itself says.
fn judged(triage: &Triage<'_>, site: Site<'_>, found: &[Examined]) -> Vec<Sighting> {
    let mut sightings = triage.judge_path_at(site);
    sightings.extend(triage.judge_at(site, found));
    sightings
}

fn tips(refs: &Refs) -> Vec<Tip> {
    let head = match &refs.head {
        Head::Branch { commit, .. } => *commit,
        Head::Detached(commit) => Some(*commit),
        Head::Broken(_) => None,
    };
    let head = head.map(|oid| Tip { name: "HEAD".into(), oid, exposure: Exposure::Head });
    let others = refs.entries.iter().map(|one| {
        let exposure = match one.name.as_slice() {
            name if name.starts_with(b"refs/heads/") || name.starts_with(b"refs/remotes/") => {
                Exposure::Branch
            }
            name if name.starts_with(b"refs/tags/") => Exposure::Tag,
            // What another work tree has checked out: the report is the same from each of them.
            b"main-worktree/HEAD" => Exposure::Head,
            name if name.starts_with(b"worktrees/") && name.ends_with(b"/HEAD") => Exposure::Head,
            _ => Exposure::Past,
        };
        Tip { name: display_bytes(&one.name), oid: one.target, exposure }
    });
    let mut tips: Vec<Tip> = head.into_iter().chain(others).collect();
    // Where not all are listed, pull requests must not stand in the way of tags.
    tips.sort_by_key(|tip| tip.exposure);
    tips
}

/// What makes two places the same in the eyes of whoever reads a report: the secret, and whether it counts.
type Decided = (Secret, Option<Suppression>);
/// Who has something.
#[derive(Clone)]
struct Carried {
    exposure: Exposure,
    refs: Vec<String>,
    /// Refs that are not listed.
    more: u64,
}

impl Carried {
    /// By nobody yet; this far out.
    fn nowhere(exposure: Exposure) -> Self {
        Self { exposure, refs: Vec::new(), more: 0 }
    }

    fn put(&self, sighting: &mut Sighting) {
        sighting.exposure = self.exposure;
        sighting.occurrence.refs.clone_from(&self.refs);
        sighting.occurrence.more_refs = self.more;
    }
}

/// For each secret at a path, who has it there.
type Carriers = BTreeMap<(Vec<u8>, Decided), Carried>;

fn decided(sighting: &Sighting) -> Decided {
    (sighting.canonical.clone(), sighting.suppression)
}

/// A swept history with what it is judged by.
struct View<'v> {
    objects: &'v Objects,
    swept: &'v dyn History<Examined>,
    triage: &'v Triage<'v>,
    options: &'v HistoryOptions,
    range: Option<&'v CommitRange>,
    /// Goes before every path.
    prefix: &'v str,
    quotes: Quotes,
}

impl View<'_> {
    /// Sightings of secrets in blobs: where each came to a path.
    fn of_blobs(&self, tips: &[Tip], logged: &[Oid]) -> Vec<Sighting> {
        let carriers = self.carriers(tips);
        let reached = self.swept.appearances(true);
        let mut seen: BTreeSet<Oid> = reached.iter().map(|one| one.blob).collect();
        let judge = |exposure: Exposure| {
            let carriers = &carriers;
            move |one: &Appearance| self.introduced(one, exposure, carriers)
        };
        let mut sightings: Vec<Sighting> = reached.par_iter().flat_map_iter(judge(Exposure::Past)).collect();
        if self.range.is_none() {
            for tip in tips {
                sightings.extend(self.outside_commits(tip, &mut seen));
            }
        }
        let nameless = self.range.map_or(logged, |range| &range.tips);
        for tip in self.outside_refs(nameless, tips) {
            sightings.extend(self.outside_commits(&tip, &mut seen));
        }
        if self.options.unreachable {
            let rest = self.swept.appearances(false);
            seen.extend(rest.iter().map(|one| one.blob));
            sightings.extend(rest.iter().flat_map(judge(Exposure::Unreachable)));
            for blob in self.swept.blobs().into_iter().filter(|blob| !seen.contains(blob)) {
                let path = format!("blob {}", blob.short());
                let found = self.judge(path.as_bytes(), None, &blob);
                sightings.extend(found.into_iter().map(|mut sighting| {
                    sighting.exposure = Exposure::Unreachable;
                    sighting.occurrence.blob = Some(blob.to_string());
                    sighting
                }));
            }
        }
        sightings
    }

    /// What is left out of blobs in which a rule has too many matches, at each of their paths.
    fn cut(&self) -> Vec<Gap> {
        let rules = |blob: &Oid| self.swept.found(blob).iter().filter_map(Examined::cut_rule);
        let blobs: BTreeSet<Oid> =
            self.swept.blobs().into_iter().filter(|blob| rules(blob).next().is_some()).collect();
        if blobs.is_empty() {
            return Vec::new();
        }
        let mut places = self.swept.appearances(true);
        if self.options.unreachable {
            places.extend(self.swept.appearances(false));
        }
        places.retain(|one| blobs.contains(&one.blob));
        places.iter().flat_map(|one| self.triage.cut(&self.shown(&one.path), rules(&one.blob))).collect()
    }

    /// A path as the report has it.
    fn shown(&self, path: &[u8]) -> String {
        format!("{}{}", self.prefix, display_bytes(path))
    }

    fn judge(&self, path: &[u8], commit: Option<&str>, blob: &Oid) -> Vec<Sighting> {
        judged(self.triage, Site { path: &self.shown(path), commit }, self.swept.found(blob))
    }

    /// Secrets of a blob that no parent of the commit has at its path.
    fn introduced(&self, one: &Appearance, exposure: Exposure, carriers: &Carriers) -> Vec<Sighting> {
        let mut found = added(self.triage, self.prefix, one, |blob| self.swept.found(blob));
        for sighting in &mut found {
            let carried = carriers.get(&(one.path.clone(), decided(sighting)));
            carried.unwrap_or(&Carried::nowhere(exposure)).put(sighting);
            sighting.occurrence.blob = Some(one.blob.to_string());
            self.sign(&one.commit, sighting);
        }
        found
    }

    /// What is started from without a ref and leads to no commit: a push brings it before there is one, or a reflog names it.
    fn outside_refs(&self, starts: &[Oid], tips: &[Tip]) -> Vec<Tip> {
        let is_hidden = |oid: &Oid| self.range.is_some_and(|range| range.hidden.contains(oid));
        let starts: Vec<Oid> = starts.iter().filter(|oid| !is_hidden(oid)).copied().collect();
        let known = |oid: Oid| tips.iter().find(|tip| tip.oid == oid);
        let tip = |oid: Oid| Tip {
            name: known(oid).map_or_else(|| format!("object {}", oid.short()), |tip| tip.name.clone()),
            oid,
            exposure: known(oid).map_or(Exposure::Past, |tip| tip.exposure),
        };
        self.swept.outside(&starts).into_iter().map(tip).collect()
    }

    /// Says which commit, or tag, a sighting is of.
    fn sign(&self, oid: &Oid, sighting: &mut Sighting) {
        self.quotes.put(self.objects, oid, &mut sighting.occurrence);
        sighting.seen.extend(self.stamp(oid));
    }

    fn stamp(&self, oid: &Oid) -> Option<Stamp> {
        Some(Stamp { time: self.swept.time(oid)?, moment: self.quotes.moment(self.objects, oid) })
    }

    /// Says until when secrets stood at a path where they count: to one sighting of each, which is enough.
    fn see_last(&self, sightings: &mut [Sighting]) {
        let mut due: BTreeMap<Secret, BTreeMap<Option<Suppression>, usize>> = BTreeMap::new();
        for (index, sighting) in sightings.iter().enumerate() {
            due.entry(sighting.canonical.clone()).or_default().insert(sighting.suppression, index);
        }
        // Of a range only the paths are known at which it brings in something.
        let paths: BTreeSet<String> =
            sightings.iter().map(|sighting| sighting.occurrence.path.clone()).collect();
        let is_known = |path: &[u8]| self.range.is_none() || paths.contains(&self.shown(path));
        for one in self.swept.latest(self.options.unreachable) {
            if due.is_empty() {
                break;
            }
            if !is_known(&one.path) {
                continue;
            }
            let is_due = |found: &Examined| due.contains_key(found.canonical());
            let of_path = canonical_path(&self.shown(&one.path));
            if !due.contains_key(&of_path) && !self.swept.found(&one.blob).iter().any(is_due) {
                continue;
            }
            for here in self.judge(&one.path, None, &one.blob) {
                let Some(of_value) = due.get_mut(&here.canonical) else { continue };
                if let Some(index) = of_value.remove(&here.suppression) {
                    sightings[index].seen.extend(self.stamp(&one.commit));
                }
                if of_value.is_empty() {
                    due.remove(&here.canonical);
                }
            }
        }
    }

    /// What a ref has that no commit brought in: it points to a folder or a file.
    fn outside_commits(&self, tip: &Tip, seen: &mut BTreeSet<Oid>) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for (path, blob) in self.swept.carried_by(&tip.oid).unwrap_or_default() {
            if !seen.insert(blob) {
                continue;
            }
            let path = if path.is_empty() { tip.name.clone().into_bytes() } else { path };
            for mut sighting in self.judge(&path, None, &blob) {
                sighting.exposure = tip.exposure;
                sighting.occurrence.blob = Some(blob.to_string());
                sighting.occurrence.refs = vec![tip.name.clone()];
                sightings.push(sighting);
            }
        }
        sightings
    }

    /// Which refs still have which secret at which path.
    fn carriers(&self, tips: &[Tip]) -> Carriers {
        let mut carriers = Carriers::new();
        let mut known: HashMap<(Vec<u8>, Oid), Vec<Decided>> = HashMap::new();
        for tip in tips {
            let mut here: BTreeSet<(Vec<u8>, Decided)> = BTreeSet::new();
            for (path, blob) in self.swept.carried_by(&tip.oid).unwrap_or_default() {
                let there = known
                    .entry((path.clone(), blob))
                    .or_insert_with(|| self.judge(&path, None, &blob).iter().map(decided).collect());
                here.extend(there.iter().map(|one| (path.clone(), one.clone())));
            }
            for place in here {
                self.carry(tip, carriers.entry(place).or_insert_with(|| Carried::nowhere(tip.exposure)));
            }
        }
        carriers
    }

    /// Sightings of secrets in the texts of commits and tags: as far out as the refs that point to these.
    fn of_texts(&self, tips: &[Tip]) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let carriers = self.carriers_of_texts(tips);
        let path = format!("{}message", self.prefix);
        for (oid, is_reached, examined) in self.swept.texts() {
            let is_wanted = self.options.unreachable && self.range.is_none();
            if !is_reached && !is_wanted {
                continue;
            }
            let id = oid.to_string();
            let beyond = if is_reached { Exposure::Past } else { Exposure::Unreachable };
            let carried = carriers.get(oid).cloned().unwrap_or(Carried::nowhere(beyond));
            for mut sighting in self.triage.judge_at(Site { path: &path, commit: Some(&id) }, examined) {
                carried.put(&mut sighting);
                self.sign(oid, &mut sighting);
                sightings.push(sighting);
            }
        }
        sightings
    }

    /// Which refs point to which commit or tag with a text that matters: of a tag of a tag, to both.
    fn carriers_of_texts(&self, tips: &[Tip]) -> BTreeMap<Oid, Carried> {
        let texts: BTreeSet<&Oid> = self.swept.texts().into_iter().map(|(oid, ..)| oid).collect();
        let mut carriers = BTreeMap::new();
        for tip in tips {
            for oid in self.swept.named_by(&tip.oid).into_iter().filter(|oid| texts.contains(oid)) {
                self.carry(tip, carriers.entry(oid).or_insert_with(|| Carried::nowhere(tip.exposure)));
            }
        }
        carriers
    }

    /// Adds a ref to those that carry something.
    fn carry(&self, tip: &Tip, carried: &mut Carried) {
        carried.exposure = carried.exposure.min(tip.exposure);
        if self.options.all_refs || carried.refs.len() < MOST_REFS {
            carried.refs.push(tip.name.clone());
        } else {
            carried.more += 1;
        }
    }
}

fn coverage(swept: &Facts<'_>, refs: u64, shallow: bool, partial: bool) -> Coverage {
    let mut gaps = swept.gaps.to_vec();
    let mut expected = swept.expected;
    gaps.extend(swept.broken.iter().map(|broken| gap(broken, partial)));
    for missing in swept.broken.iter().filter(|broken| broken.why.is_none()) {
        match missing.kind {
            Some(crate::git::ObjectKind::Commit) => expected.commits += 1,
            Some(crate::git::ObjectKind::Tree) => expected.trees += 1,
            Some(crate::git::ObjectKind::Tag) => expected.tags += 1,
            Some(crate::git::ObjectKind::Blob) | None => expected.blobs += 1,
        }
    }
    let note = |path: String, reason| Gap { path, reason, detail: String::new() };
    gaps.extend(swept.pointers.iter().map(|oid| note(format!("blob {oid}"), GapReason::Lfs)));
    gaps.extend(swept.submodules.iter().map(|name| note(display_bytes(name), GapReason::Submodule)));
    if shallow {
        gaps.push(note("history".into(), GapReason::Shallow));
    }
    let history =
        HistoryCoverage { refs, expected, scanned: swept.scanned, blob_bytes: swept.bytes, shallow, partial };
    Coverage { files: swept.scanned.blobs, bytes: swept.bytes, gaps, history: Some(history) }
}

fn gap(broken: &Broken, partial: bool) -> Gap {
    let word = broken.kind.map_or("object", crate::git::ObjectKind::as_str);
    let place = broken.place.as_ref().map(|(path, commit)| format!("{} in {commit}", display_bytes(path)));
    let detail = match (&broken.why, place) {
        (Some(why), _) => why.clone(),
        (None, Some(place)) if partial => format!("{place}; a partial clone, nothing is fetched"),
        (None, place) => place.unwrap_or_default(),
    };
    let reason = if broken.why.is_none() { GapReason::Missing } else { GapReason::Unreadable };
    Gap { path: format!("{word} {}", broken.oid), reason, detail }
}
