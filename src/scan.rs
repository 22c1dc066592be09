//! The spine: sources × detector × triage → report.

mod explain;
mod history;
mod reflog;
mod submodules;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use crate::{
    detect::{Content, Inside, RawMatch, capped_gap, is_split},
    model::{Confidence, Coverage, Gap, GapReason, Report, Repository, SCHEMA, Source as Origin},
    source::{Entry, Source},
    triage::{Sighting, Triage, assemble},
};

/// So many small files are scanned before threads have started.
const FEW: usize = 16;

pub use explain::{Candidate, Outcome, explain};
pub use history::{HistoryError, HistoryOptions, scan_history};

/// What a scan is told beside its rules and policy.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// Findings that are believed less are left out.
    pub min_confidence: Confidence,
    /// Whether the report lists what was suppressed.
    pub show_suppressed: bool,
    /// The repository that the root lies in.
    pub repository: Option<Repository>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { min_confidence: Confidence::Medium, show_suppressed: false, repository: None }
    }
}

/// Told how far a scan is, from any thread.
pub trait Progress: Sync {
    /// So many files there are.
    fn start(&self, files: u64);
    /// One more is done, of so many bytes.
    fn advance(&self, bytes: u64);
}

/// Tells nobody.
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// Scans all of a source, on the threads of the rayon pool it is called in.
pub fn scan(
    source: &dyn Source,
    triage: &Triage<'_>,
    options: &ScanOptions,
    progress: &dyn Progress,
) -> Report {
    let listing = source.list();
    progress.start(listing.entries.len() as u64);
    let buffers = Buffers::default();
    let run = |entry: &Entry| {
        let mut buffer = buffers.take();
        let part = Job { source, entry, triage }.run(&mut buffer, Split::PutOff);
        buffers.give_back(buffer);
        part.inspect(|part| progress.advance(part.coverage.bytes))
    };
    let parts: Vec<Option<Part>> = if listing.entries.len() <= FEW {
        listing.entries.iter().map(run).collect()
    } else {
        listing.entries.par_iter().map(run).collect()
    };
    let mut coverage = Coverage { gaps: listing.gaps, ..Coverage::default() };
    let mut sightings = Vec::new();
    for (entry, part) in listing.entries.iter().zip(parts) {
        // Big content is searched by all threads together, one after the other: so memory stays bounded, however many there are.
        let part = part.or_else(|| {
            let part = Job { source, entry, triage }.run(&mut Vec::new(), Split::Now);
            part.inspect(|part| progress.advance(part.coverage.bytes))
        });
        let part = part.expect("nothing is put off twice");
        coverage.merge(part.coverage);
        sightings.extend(part.sightings);
    }
    let exposure = source.kind().exposure();
    sightings.iter_mut().for_each(|sighting| sighting.exposure = exposure);
    coverage.gaps.sort();
    let assembled = assemble(triage, options.min_confidence, sightings);
    Report {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Origin { kind: source.kind(), root: source.root(), repository: options.repository.clone() },
        findings: assembled.findings,
        suppressed: assembled.suppressed.into_iter().collect::<BTreeMap<_, _>>(),
        suppressed_findings: if options.show_suppressed { assembled.suppressed_findings } else { Vec::new() },
        coverage,
    }
}

#[derive(Default)]
struct Part {
    sightings: Vec<Sighting>,
    coverage: Coverage,
}

impl Part {
    fn gap(gap: Gap) -> Self {
        Self { sightings: Vec::new(), coverage: Coverage { gaps: vec![gap], ..Coverage::default() } }
    }
}

/// What to do with content that is searched in several blocks at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    PutOff,
    Now,
}

/// One entry to scan.
struct Job<'a> {
    source: &'a dyn Source,
    entry: &'a Entry,
    triage: &'a Triage<'a>,
}

impl Job<'_> {
    /// Scans the entry, unless it is put off. Whatever fails becomes a gap; the rest of the scan goes on.
    fn run(&self, buffer: &mut Vec<u8>, split: Split) -> Option<Part> {
        let name = &self.entry.name;
        let failed = |reason, detail: String| Part::gap(Gap { path: name.clone(), reason, detail });
        let opened = match self.source.open(self.entry, buffer) {
            Ok(opened) => opened,
            Err(gap) => return Some(Part { sightings: self.triage.judge_path(name), ..Part::gap(gap) }),
        };
        if split == Split::PutOff && opened.contents().any(is_split) {
            return None;
        }
        let search = || {
            let mut sightings = self.triage.judge_path(name);
            let (inside, mut within) = self.look_inside(opened.raw())?;
            let mut gaps: Vec<Gap> = opened.gap.iter().cloned().collect();
            for content in opened.contents() {
                let (mut matches, caps) = self.triage.detector().scan_telling(content)?;
                inside.retain_untold(&mut matches);
                gaps.extend(capped_gap(name, &caps));
                let cut = matches.iter().filter(|found| found.is_last).map(|found| found.rule);
                gaps.extend(self.triage.cut(name, cut));
                sightings.extend(self.triage.judge(content, name, matches)?);
            }
            gaps.extend(inside.gaps);
            if !sightings.is_empty() {
                let added = self.source.added(self.entry, opened.raw());
                sightings.iter_mut().for_each(|one| one.is_added = added.touches(one.occurrence.span));
            }
            sightings.append(&mut within);
            Ok::<_, io::Error>((sightings, gaps))
        };
        // A bug that one file brings to light must not hide what the others hold.
        Some(match catch_unwind(AssertUnwindSafe(search)) {
            Ok(Ok((sightings, gaps))) => Part {
                sightings,
                coverage: Coverage { files: 1, bytes: opened.file_len(), gaps, history: None },
            },
            Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                failed(GapReason::Changed, error.to_string())
            }
            Ok(Err(error)) => failed(GapReason::Unreadable, error.to_string()),
            Err(_) => failed(GapReason::Failed, "a bug in hekate; please report it".into()),
        })
    }

    /// What stands in an archive: all of it counts as brought in.
    fn look_inside(&self, content: &dyn Content) -> io::Result<(Inside, Vec<Sighting>)> {
        let mut sightings = Vec::new();
        let mut paths = BTreeSet::new();
        let mut tell = |path: &str, content: &dyn Content, matches: Vec<RawMatch>| {
            if paths.insert(path.to_owned()) {
                sightings.extend(self.triage.judge_path(path));
            }
            sightings.extend(self.triage.judge(content, path, matches)?);
            Ok(())
        };
        let inside = self.triage.detector().search_inside(content, &self.entry.name, &mut tell)?;
        Ok((inside, sightings))
    }
}

/// Read buffers between two files: whoever scans takes one and gives it back.
#[derive(Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
