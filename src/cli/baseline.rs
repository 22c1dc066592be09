//! `hekate baseline write|prune`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{
    Exit,
    args::{BaselineArgs, BaselineCommand, BaselineScanArgs},
    scan::{Job, Scanned},
    sink,
};
use crate::{
    config::{Flags, Settings},
    git::{Head, Refs, Repository},
    model::{Report, SourceKind},
    scan::NoProgress,
};

pub(super) fn run(args: &BaselineArgs) -> Result<Exit> {
    match &args.command {
        BaselineCommand::Write { scan, reason } => write(scan, reason),
        BaselineCommand::Prune { scan } => prune(scan),
    }
}

fn write(args: &BaselineScanArgs, reason: &str) -> Result<Exit> {
    let Scanned { report, policy, baseline_path, .. } = scan(args)?;
    if policy.baseline.is_gitleaks() {
        anyhow::bail!("{} is gitleaks' own; name another file to write to", baseline_path.display());
    }
    let text = policy.baseline.with(&report.findings, reason);
    store(&baseline_path, &text)?;
    let number = report.findings.len();
    let noun = if number == 1 { "secret" } else { "secrets" };
    sink::warn(&format!("{number} {noun} accepted in {}", baseline_path.display()));
    Ok(incomplete_or_clean(&report))
}

fn prune(args: &BaselineScanArgs) -> Result<Exit> {
    let Scanned { report, policy, baseline_path, .. } = scan(args)?;
    if args.report.is_some() {
        let suppressed = report.suppressed.values().any(|count| *count > 0);
        if suppressed && report.suppressed_findings.is_empty() {
            anyhow::bail!("the report does not list what was suppressed; write it with --show-suppressed");
        }
        policy.baseline.meet(&report);
    }
    if report.coverage.is_incomplete() {
        anyhow::bail!(
            "not everything could be scanned, so no entry can be said to match nothing; {} is unchanged",
            baseline_path.display()
        );
    }
    let mut idle = policy.baseline.usage(policy.today);
    let mut kept = 0;
    if report.source.kind != SourceKind::History && !idle.unused.is_empty() {
        let folder = baseline_path.parent().unwrap_or(Path::new(""));
        let places = args.paths.iter().map(PathBuf::as_path).chain([Path::new("."), folder]);
        if places.into_iter().any(has_history) {
            // Files do not tell what older commits need.
            let unused = std::mem::take(&mut idle.unused);
            kept = unused.iter().filter(|entry| !idle.expired.contains(entry)).count();
        }
    }
    let (text, gone) = policy.baseline.without(&idle);
    if gone > 0 {
        store(&baseline_path, &text)?;
    }
    sink::warn(&format!("{} dropped from {}", entries(gone), baseline_path.display()));
    if kept > 0 {
        sink::warn(&format!(
            "{} kept that no file meets, as the repository's history may: run `hekate history --show-suppressed --exit-zero \
             -o report.json`, then `hekate baseline prune --report report.json`",
            entries(kept)
        ));
    }
    Ok(Exit::Clean)
}

fn entries(number: usize) -> String {
    format!("{number} {}", if number == 1 { "entry" } else { "entries" })
}

/// Whether something was committed in the repository around a file or folder; yes, where that can't be told.
pub(super) fn has_history(path: &Path) -> bool {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let refs = Repository::discover(path).and_then(|repository| Refs::read(&repository));
    match refs {
        Ok(Refs { head: Head::Branch { commit: None, .. }, entries, broken, .. }) => {
            !entries.is_empty() || !broken.is_empty()
        }
        Ok(_) => true,
        Err(error) => error.is_unreadable(),
    }
}

/// What there is to accept, or was accepted: by a saved report, or by a scan.
fn scan(args: &BaselineScanArgs) -> Result<Scanned> {
    let flags = Flags {
        baseline: args.baseline.clone().filter(|path| path.exists()),
        min_confidence: args.min_confidence,
        walk: args.walk.flags(),
        ..args.select.flags()
    };
    let mut scanned = match &args.report {
        Some(file) => saved(file, &flags)?,
        None => Job { paths: &args.paths, stdin_name: None, flags: &flags }.run(false, &NoProgress)?,
    };
    if let Some(path) = &args.baseline {
        scanned.baseline_path.clone_from(path);
    }
    Ok(scanned)
}

fn saved(file: &Path, flags: &Flags) -> Result<Scanned> {
    let report = super::report::read(file)?;
    let here = std::env::current_dir().context("find the working directory")?;
    let Settings { policy, baseline_path, .. } = Settings::load(flags, None, &here)?;
    Ok(Scanned { report, notes: Vec::new(), policy, baseline_path, stdin: None })
}

fn store(path: &Path, text: &str) -> Result<()> {
    sink::write_private(path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

fn incomplete_or_clean(report: &Report) -> Exit {
    if report.coverage.is_incomplete() { Exit::Incomplete } else { Exit::Clean }
}
