//! `hekate history`, and ranges of commits for hooks.

use std::{
    env, fs,
    path::Path,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

#[cfg(feature = "network")]
use super::respond::auto::HandOver;
use super::{
    Exit,
    args::{EngineArg, HistoryArgs},
    confirm::{Wish, confirm},
    scan::{PRUNE_BY_REPORT, detector, finish, usage_lines, with_threads},
    since, sink,
};
use crate::{
    config::{self, Flags, Settings},
    git::{Objects, Oid, Repository, resolve},
    history::{CommitRange, Engine},
    model::Report,
    scan::{HistoryOptions, ScanOptions, scan_history},
    source::display,
    triage::Triage,
};

/// The commits of `A..B`: what B reaches and A does not. Without an end it is HEAD.
pub(super) fn named_range(repository: &Repository, text: &str) -> Result<CommitRange> {
    if text.contains("...") {
        bail!("`{text}`: a range is A..B, what B reaches and A does not; A...B is none");
    }
    let Some((from, to)) = text.split_once("..") else {
        bail!("`{text}` is no range: write A..B, what B reaches and A does not");
    };
    let objects = Objects::open(repository.object_folders(), repository.hash)?;
    let find = |name: &str| -> Result<Oid> {
        let oid = resolve(repository, if name.is_empty() { "HEAD" } else { name })?;
        // A shallow clone may lack what is compared with: that must not look like a range that holds everything.
        if matches!(objects.read(&oid, u64::MAX), Ok(None)) {
            bail!("`{name}` is not in this repository; fetch more of it (in CI: fetch-depth: 0)");
        }
        Ok(oid)
    };
    Ok(CommitRange { tips: vec![find(to)?], hidden: vec![find(from)?], ..CommitRange::default() })
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
    #[cfg(feature = "network")]
    let hand_over =
        HandOver { wish: &args.hand_over, config: flags.config.clone(), root: Some(&args.repository) };
    #[cfg(feature = "network")]
    hand_over.check()?;
    let range = range_of(args, &repository)?;
    let is_cached = !args.no_cache && range.is_none() && matches!(args.engine, EngineArg::Delta);
    let options = HistoryOptions {
        engine: match args.engine {
            EngineArg::Delta => Engine::Delta,
            EngineArg::Plain => Engine::Plain,
        },
        memory: args.memory.unwrap_or_else(default_memory),
        unreachable: args.unreachable,
        all_refs: args.refs,
        range,
        reflogs: args.reflog,
        submodules: args.recurse_submodules,
        cache_key: if is_cached { config::cache_key() } else { None },
        root: display(&args.repository),
    };
    let scan = || scan_with(&repository, &flags, args.output.show_suppressed, &options);
    let (mut report, notes) = with_threads(args.run.jobs, scan)?;
    let wish = Wish {
        confirm: &args.confirm,
        #[cfg(feature = "network")]
        hand_over: Some(&args.hand_over),
    };
    confirm(&mut report, &wish, &flags, None)?;
    if !args.output.quiet {
        notes.iter().for_each(|line| sink::warn(line));
    }
    let exit = finish(&report, &args.output, &args.run, started)?;
    #[cfg(feature = "network")]
    hand_over.run(&report)?;
    Ok(exit)
}

/// The commits that the arguments ask for; `None`: all.
fn range_of(args: &HistoryArgs, repository: &Repository) -> Result<Option<CommitRange>> {
    if let Some(text) = &args.range {
        let range = named_range(repository, text)?;
        return Ok(Some(CommitRange { first_parent: args.first_parent, ..range }));
    }
    if args.branch.is_none() && args.since.is_none() && !args.first_parent {
        return Ok(None);
    }
    let mut range = CommitRange { first_parent: args.first_parent, ..CommitRange::default() };
    match &args.branch {
        Some(branch) => range.tips.push(resolve(repository, branch)?),
        None => range.of_refs = true,
    }
    if let Some(text) = &args.since {
        match resolve(repository, text) {
            Ok(hidden) => range.hidden.push(hidden),
            Err(_) => range.since = Some(since::parse(text, now()?)?),
        }
    }
    Ok(Some(range))
}

/// In seconds since 1970.
fn now() -> Result<i64> {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?;
    i64::try_from(passed.as_secs()).context("read the clock")
}

/// Scans what the commits of a range introduce.
pub(super) fn scan_range(repository: &Repository, range: CommitRange, flags: &Flags) -> Result<Report> {
    let options = HistoryOptions {
        engine: Engine::Delta,
        memory: default_memory(),
        unreachable: false,
        all_refs: false,
        range: Some(range),
        reflogs: false,
        submodules: false,
        cache_key: None,
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
    let detector = detector(settings.rules, settings.known, settings.archives)?;
    let triage = Triage::new(detector, settings.policy)?;
    let scan = ScanOptions {
        min_confidence: settings.min_confidence,
        show_suppressed,
        repository: Some(config::describe_git(repository)),
    };
    let report = scan_history(repository, &triage, &scan, options)?;
    let policy = triage.into_policy();
    let usage = policy.baseline.usage(policy.today);
    // What a part of the history does not meet, another part may.
    let usage = if options.range.is_none() { usage_lines(&usage, PRUNE_BY_REPORT) } else { Vec::new() };
    let notes = settings.notes.into_iter().chain(usage).collect();
    Ok((report, notes))
}

/// A quarter of what the machine has, 1 GiB at most.
fn default_memory() -> u64 {
    const MOST: u64 = 1 << 30;
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map_or(MOST, |kibibytes| (kibibytes * 1024 / 4).min(MOST))
}
