//! `hekate baseline write|prune`.

use std::path::Path;

use anyhow::{Context, Result};

use super::{
    Exit,
    args::{BaselineArgs, BaselineCommand, BaselineScanArgs},
    scan::{Job, Scanned},
    sink,
};
use crate::{
    config::{Flags, Settings},
    model::Report,
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
    let (text, gone) = policy.baseline.pruned(policy.today);
    if gone > 0 {
        store(&baseline_path, &text)?;
    }
    let noun = if gone == 1 { "entry" } else { "entries" };
    sink::warn(&format!("{gone} {noun} dropped from {}", baseline_path.display()));
    Ok(Exit::Clean)
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
    Ok(Scanned { report, usage: Vec::new(), policy, baseline_path })
}

fn store(path: &Path, text: &str) -> Result<()> {
    sink::write_private(path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

fn incomplete_or_clean(report: &Report) -> Exit {
    if report.coverage.is_incomplete() { Exit::Incomplete } else { Exit::Clean }
}
