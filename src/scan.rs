//! The spine: sources × detector × triage → report.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use crate::{
    model::{Confidence, Coverage, Exposure, Gap, GapReason, Report, Repository, SCHEMA, Source as Origin},
    source::{Entry, Source},
    triage::{Sighting, Triage, assemble},
};

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
    let parts: Vec<Part> = listing
        .entries
        .par_iter()
        .map(|entry| {
            let mut buffer = buffers.take();
            let part = scan_entry(source, entry, triage, &mut buffer);
            buffers.give_back(buffer);
            progress.advance(part.coverage.bytes);
            part
        })
        .collect();
    let mut coverage = Coverage { gaps: listing.gaps, ..Coverage::default() };
    let mut sightings = Vec::new();
    for part in parts {
        coverage.merge(part.coverage);
        sightings.extend(part.sightings);
    }
    coverage.gaps.sort();
    let assembled = assemble(triage, Exposure::Worktree, options.min_confidence, sightings);
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

/// Scans one entry. Whatever fails becomes a gap; the rest of the scan goes on.
fn scan_entry(source: &dyn Source, entry: &Entry, triage: &Triage<'_>, buffer: &mut Vec<u8>) -> Part {
    let failed = |reason, detail: String| Part::gap(Gap { path: entry.name.clone(), reason, detail });
    let opened = match source.open(entry, buffer) {
        Ok(opened) => opened,
        Err(gap) => return Part { sightings: triage.judge_path(&entry.name), ..Part::gap(gap) },
    };
    let content = opened.content();
    let run = || {
        let matches = triage.detector().scan(content)?;
        triage.judge(content, &entry.name, matches)
    };
    // A bug that one file brings to light must not hide what the others hold.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(mut sightings)) => {
            sightings.extend(triage.judge_path(&entry.name));
            Part { sightings, coverage: Coverage { files: 1, bytes: opened.file_len(), gaps: Vec::new() } }
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            failed(GapReason::Changed, error.to_string())
        }
        Ok(Err(error)) => failed(GapReason::Unreadable, error.to_string()),
        Err(_) => failed(
            GapReason::Failed,
            "a bug in hekate; please report it with the file, if it may be shared".into(),
        ),
    }
}

/// Read buffers between two files. A rayon worker that waits for a big file's blocks may take up another file meanwhile, so a
/// buffer belongs to a file, not to a thread.
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
