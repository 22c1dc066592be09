//! A history: what its blobs hold, where that came in, and where it still is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::{ScanOptions, reflog::Logged, submodules};
use crate::{
    detect::{Content, RawMatch},
    git::{Commit, Head, Objects, ObjectsError, Oid, Refs, Repository, RepositoryError, Tag},
    history::{
        Appearance, Broken, CommitRange, Engine, Facts, History, Judge, Listener, RangeWalk, Scope,
        SweepOptions, sweep,
    },
    model::{
        Coverage, Exposure, Gap, GapReason, HistoryCoverage, Report, SCHEMA, Secret, Source as Origin,
        SourceKind, Suppression,
    },
    source::display_bytes,
    triage::{Examined, Shared, Sighting, Site, Triage, assemble},
};

/// Refs that are listed with a place.
const MOST_REFS: usize = 20;
/// Texts of commits are read up to here to be quoted, in bytes.
const MOST_TEXT: u64 = 64 << 20;

/// How a history is scanned.
#[derive(Debug, Clone)]
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
    let blob = |content: &dyn Content, matches: Vec<RawMatch>| triage.examine(content, &matches, shared);
    let text = |text: &[u8], matches: Vec<RawMatch>| {
        triage.examine(&text, &matches, shared).expect("bytes in memory can be read")
    };
    let listener = Listener { blob: &blob, text: &text };
    let reflogs = if options.reflogs { Logged::read(repository, &objects)? } else { Logged::default() };
    let range = options.range.clone().map(|range| with_tips(range, &tips, &reflogs));
    let scope =
        Whole { tips: &tips, logged: &reflogs.tips, shallow: &shallow, range: range.as_ref(), prefix };
    let history = look(&objects, triage, &scope, &listener, options);
    let view = View { objects: &objects, swept: &*history, triage, options, range: range.as_ref(), prefix };
    let mut sightings = view.of_blobs(&tips, &reflogs.tips);
    sightings.extend(view.of_texts());
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
    coverage.gaps.extend(reflogs.gaps);
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
        let how = SweepOptions { engine: options.engine, memory: options.memory };
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
    let judge = |blob: &Oid| triage.judge_at(Site { path: &path, commit: Some(&commit) }, found(blob));
    let before: BTreeSet<Decided> =
        one.before.iter().flat_map(judge).map(|sighting| decided(&sighting)).collect();
    let mut found = judge(&one.blob);
    found.retain(|sighting| !before.contains(&decided(sighting)));
    found
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
            // What another work tree has checked out.
            name if name.ends_with(b"/HEAD") => Exposure::Branch,
            _ => Exposure::Past,
        };
        Tip { name: display_bytes(&one.name), oid: one.target, exposure }
    });
    head.into_iter().chain(others).collect()
}

/// What makes two places the same in the eyes of whoever reads a report: the secret, and whether it counts.
type Decided = (Secret, Option<Suppression>);
/// For each secret at a path, how far it is out, and the refs that have it there.
type Carriers = BTreeMap<(Vec<u8>, Decided), (Exposure, Vec<String>)>;

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
}

impl View<'_> {
    /// Sightings of secrets in blobs: where each came to a path.
    fn of_blobs(&self, tips: &[Tip], logged: &[Oid]) -> Vec<Sighting> {
        let carriers = self.carriers(tips);
        let reached = self.swept.appearances(true);
        let mut seen: BTreeSet<Oid> = reached.iter().map(|one| one.blob).collect();
        let quotes = Quotes::default();
        let judge = |exposure: Exposure| {
            let carriers = &carriers;
            let quotes = &quotes;
            move |one: &Appearance| self.introduced(one, exposure, carriers, quotes)
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

    fn judge(&self, path: &[u8], commit: Option<&str>, blob: &Oid) -> Vec<Sighting> {
        let path = format!("{}{}", self.prefix, display_bytes(path));
        self.triage.judge_at(Site { path: &path, commit }, self.swept.found(blob))
    }

    /// Secrets of a blob that no parent of the commit has at its path.
    fn introduced(
        &self,
        one: &Appearance,
        exposure: Exposure,
        carriers: &Carriers,
        quotes: &Quotes,
    ) -> Vec<Sighting> {
        let mut found = added(self.triage, self.prefix, one, |blob| self.swept.found(blob));
        for sighting in &mut found {
            let carried = carriers.get(&(one.path.clone(), decided(sighting)));
            sighting.exposure = carried.map_or(exposure, |(carried, _)| *carried);
            let at = &mut sighting.occurrence;
            at.refs = carried.map(|(_, refs)| refs.clone()).unwrap_or_default();
            at.blob = Some(one.blob.to_string());
            quotes.put(self.objects, &one.commit, at);
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
                let (exposure, refs) = carriers.entry(place).or_insert((tip.exposure, Vec::new()));
                *exposure = (*exposure).min(tip.exposure);
                if self.options.all_refs || refs.len() < MOST_REFS {
                    refs.push(tip.name.clone());
                }
            }
        }
        carriers
    }

    /// Sightings of secrets in the texts of commits and tags: no file at a tip holds these.
    fn of_texts(&self) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let quotes = Quotes::default();
        let path = format!("{}message", self.prefix);
        for (oid, is_reached, examined) in self.swept.texts() {
            let is_wanted = self.options.unreachable && self.range.is_none();
            if !is_reached && !is_wanted {
                continue;
            }
            let id = oid.to_string();
            for mut sighting in self.triage.judge_at(Site { path: &path, commit: Some(&id) }, examined) {
                sighting.exposure = if is_reached { Exposure::Past } else { Exposure::Unreachable };
                quotes.put(self.objects, oid, &mut sighting.occurrence);
                sightings.push(sighting);
            }
        }
        sightings
    }
}

/// What commits say of themselves, each read once.
#[derive(Default)]
struct Quotes(std::sync::Mutex<HashMap<Oid, Quote>>);

#[derive(Clone, Default)]
struct Quote {
    author: String,
    date: Option<String>,
    subject: String,
}

impl Quotes {
    /// Writes a commit's id and words to a place.
    fn put(&self, objects: &Objects, oid: &Oid, at: &mut crate::model::Occurrence) {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let quote = known.entry(*oid).or_insert_with(|| Quote::read(objects, oid)).clone();
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        at.commit = Some(oid.to_string());
        (at.author, at.date, at.subject) = (said(quote.author), quote.date, said(quote.subject));
    }
}

impl Quote {
    fn read(objects: &Objects, oid: &Oid) -> Self {
        let Ok(Some(object)) = objects.read(oid, MOST_TEXT) else { return Self::default() };
        let hash = objects.hash();
        let quote = |author: &[u8], time: (i64, i32), message: &[u8]| {
            let subject = message.split(|byte| *byte == b'\n').next().unwrap_or_default();
            Self {
                author: String::from_utf8_lossy(author).into_owned(),
                date: rfc3339(time),
                subject: String::from_utf8_lossy(subject).chars().take(200).collect(),
            }
        };
        let bytes = &object.bytes;
        if let Some(commit) = Commit::parse(bytes, hash) {
            return quote(commit.author, commit.author_time, commit.message);
        }
        Tag::parse(bytes, hash).map(|tag| quote(tag.tagger, tag.time, tag.message)).unwrap_or_default()
    }
}

/// `2026-11-24T01:02:03+01:00`; `None` beyond the years that it can write.
fn rfc3339((seconds, offset): (i64, i32)) -> Option<String> {
    let local = seconds.checked_add(i64::from(offset) * 60)?;
    let (days, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    // Howard Hinnant's civil_from_days: eras of 400 years from 0000-03-01.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
        offset / 60,
        offset % 60
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_with_their_offset() {
        assert_eq!(rfc3339((0, 0)).unwrap(), "1970-01-01T00:00:00+00:00");
        assert_eq!(rfc3339((951_782_400, -90)).unwrap(), "2000-02-28T22:30:00-01:30");
        assert_eq!(rfc3339((i64::MAX, 1)), None);
        assert_eq!(rfc3339((-1, 60)).unwrap(), "1970-01-01T00:59:59+01:00");
    }
}
