//! `hekate history`, and ranges of commits for hooks.

use std::{env, fs, path::Path, time::Instant};

use anyhow::{Context, Result, bail};

use super::{
    Exit,
    args::{EngineArg, HistoryArgs},
    scan::{finish, usage_lines, with_threads},
    sink,
};
use crate::{
    config::{self, Flags, Settings},
    detect::Detector,
    git::{Oid, Refs, Repository, resolve},
    history::Engine,
    model::Report,
    scan::{HistoryOptions, ScanOptions, scan_history},
    source::display,
    triage::Triage,
};

/// Commits that can be reached from some and not from others.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) tips: Vec<Oid>,
    pub(super) hidden: Vec<Oid>,
}

impl Range {
    /// Of `A..B`: what B reaches and A does not. Without an end it is HEAD.
    pub(super) fn named(repository: &Repository, text: &str) -> Result<Self> {
        if text.contains("...") {
            bail!("`{text}`: a range is A..B, what B reaches and A does not; A...B is none");
        }
        let Some((from, to)) = text.split_once("..") else {
            bail!("`{text}` is no range: write A..B, what B reaches and A does not");
        };
        let refs = Refs::read(repository)?;
        let find = |name: &str| resolve(repository, &refs, if name.is_empty() { "HEAD" } else { name });
        Ok(Self { tips: vec![find(to)?], hidden: vec![find(from)?] })
    }
}

pub(super) fn run(args: &HistoryArgs) -> Result<Exit> {
    let started = Instant::now();
    let flags = Flags {
        baseline: args.output.baseline.clone(),
        min_confidence: args.output.min_confidence,
        show_secrets: args.output.show_secrets,
        policy_from: args.policy.source(),
        ..args.select.flags()
    };
    let repository = if args.repository == Path::new(".") {
        let here = env::current_dir().context("find the working directory")?;
        Repository::from_env(&here, |name| env::var_os(name))?
    } else {
        Repository::discover(&args.repository)?
    };
    let range = match (&args.range, &args.branch) {
        (Some(range), _) => Some(Range::named(&repository, range)?),
        (None, Some(branch)) => {
            let tip = resolve(&repository, &Refs::read(&repository)?, branch)?;
            Some(Range { tips: vec![tip], hidden: Vec::new() })
        }
        (None, None) => None,
    };
    let options = HistoryOptions {
        engine: match args.engine {
            EngineArg::Delta => Engine::Delta,
            EngineArg::Plain => Engine::Plain,
        },
        memory: args.memory.unwrap_or_else(default_memory),
        unreachable: args.unreachable,
        all_refs: args.refs,
        range: range.map(|range| (range.tips, range.hidden)),
        root: display(&args.repository),
    };
    let scan = || scan_with(&repository, &flags, args.output.show_suppressed, &options);
    let (report, usage) = with_threads(args.run.jobs, scan)?;
    // What a part of the history does not meet, another part may.
    if !args.output.quiet && options.range.is_none() {
        usage.iter().for_each(|line| sink::warn(line));
    }
    finish(&report, &args.output, &args.run, started)
}

/// Scans what the commits of a range introduce.
pub(super) fn scan_range(repository: &Repository, range: Range, flags: &Flags) -> Result<Report> {
    let options = HistoryOptions {
        engine: Engine::Delta,
        memory: default_memory(),
        unreachable: false,
        all_refs: false,
        range: Some((range.tips, range.hidden)),
        root: String::from("."),
    };
    Ok(scan_with(repository, flags, false, &options)?.0)
}

fn scan_with(
    repository: &Repository,
    flags: &Flags,
    show_suppressed: bool,
    options: &HistoryOptions,
) -> Result<(Report, Vec<String>)> {
    let root = repository.work_tree.as_ref().unwrap_or(&repository.git_dir);
    let settings = Settings::load(flags, Some(root), root)?;
    let detector = Detector::new(settings.rules)?;
    let triage = Triage::new(&detector, settings.policy)?;
    let scan = ScanOptions {
        min_confidence: settings.min_confidence,
        show_suppressed,
        repository: Some(config::describe_git(repository)),
    };
    let report = scan_history(repository, &triage, &scan, options)?;
    let policy = triage.into_policy();
    let usage = policy.baseline.usage(policy.today);
    Ok((report, usage_lines(&usage, "hekate baseline prune --report FILE")))
}

/// A quarter of what the machine has, 1 GiB at most.
fn default_memory() -> u64 {
    const MOST: u64 = 1 << 30;
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map_or(MOST, |kibibytes| (kibibytes * 1024 / 4).min(MOST))
}
