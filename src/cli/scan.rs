//! `hekate scan`.

use std::{io, num::NonZeroUsize, path::Path, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};

#[cfg(feature = "network")]
use super::respond::auto::HandOver;
use super::{
    Exit,
    args::{OutputArgs, RunArgs, ScanArgs},
    baseline::has_history,
    confirm::{Wish, confirm},
    exit,
    progress::Bar,
    sink::{self, Look, Target},
};
use crate::{
    config::{self, Flags, Settings},
    detect::{Detector, known::KnownValues},
    model::Report,
    rule::Rule,
    scan::{Progress, ScanOptions, scan},
    source::{Source, Stdin, WalkOptions, Worktree},
    triage::{BaselineUse, Policy, Triage},
};

pub(super) fn run(args: &ScanArgs) -> Result<Exit> {
    let started = Instant::now();
    let flags = Flags {
        baseline: args.output.baseline.clone(),
        min_confidence: args.output.min_confidence,
        show_secrets: args.output.show_secrets,
        policy_from: args.policy.source(),
        walk: args.walk.flags(),
        ..args.select.flags()
    };
    #[cfg(feature = "network")]
    let hand_over = HandOver { wish: &args.hand_over, config: flags.config.clone(), root: None };
    #[cfg(feature = "network")]
    hand_over.check()?;
    let is_stdin = args.paths.iter().any(|path| path == Path::new("-"));
    if is_stdin && args.paths.len() > 1 {
        bail!("`-` (standard input) can't be scanned together with other paths");
    }
    let job =
        Job { paths: &args.paths, stdin_name: is_stdin.then_some(args.stdin_path.as_str()), flags: &flags };
    let bar = Bar::new(!args.output.quiet && !args.run.no_progress);
    let run = || job.run(args.output.show_suppressed, &bar);
    let Scanned { mut report, notes, stdin, .. } = with_threads(args.run.jobs, run)?;
    bar.finish();
    let wish = Wish {
        confirm: &args.confirm,
        #[cfg(feature = "network")]
        hand_over: Some(&args.hand_over),
    };
    confirm(&mut report, &wish, &flags, stdin)?;
    if !args.output.quiet {
        notes.iter().for_each(|line| sink::warn(line));
    }
    let exit = finish(&report, &args.output, &args.run, started)?;
    #[cfg(feature = "network")]
    hand_over.run(&report)?;
    Ok(exit)
}

/// Runs a scan on as many threads as are asked for.
pub(super) fn with_threads<T: Send>(
    jobs: Option<NonZeroUsize>,
    run: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    match jobs {
        Some(jobs) => rayon::ThreadPoolBuilder::new()
            .num_threads(jobs.get())
            .build()
            .context("start threads")?
            .install(run),
        None => run(),
    }
}

/// Writes the report wherever it is wanted, and makes the exit of it.
pub(super) fn finish(report: &Report, output: &OutputArgs, run: &RunArgs, started: Instant) -> Result<Exit> {
    let targets = sink::targets(&output.output, output.format);
    let look = Look { color: output.color, verbose: output.verbose };
    targets.iter().try_for_each(|target: &Target| target.write(report, look))?;
    if run.timings {
        let (files, bytes) = (report.coverage.files, report.coverage.bytes);
        sink::warn(&format!("{files} files, {bytes} bytes in {:.3} s", started.elapsed().as_secs_f64()));
    }
    Ok(exit::of_report(report, run.exit_zero))
}

/// What is to be scanned, and how.
pub(super) struct Job<'a> {
    pub(super) paths: &'a [PathBuf],
    /// What standard input is called, where that is what is scanned.
    pub(super) stdin_name: Option<&'a str>,
    pub(super) flags: &'a Flags,
}

/// A report, and what there is to say beside it.
pub(super) struct Scanned {
    pub(super) report: Report,
    pub(super) notes: Vec<String>,
    pub(super) policy: Policy,
    pub(super) baseline_path: PathBuf,
    /// What came in by standard input: it can't be read again.
    pub(super) stdin: Option<Vec<u8>>,
}

impl Job<'_> {
    /// Loads what there is to load, and scans.
    pub(super) fn run(&self, show_suppressed: bool, progress: &dyn Progress) -> Result<Scanned> {
        let here = std::env::current_dir().context("find the working directory")?;
        let scanned = match (self.stdin_name, self.paths) {
            (None, [only]) => Some(only.as_path()),
            _ => None,
        };
        let settings = Settings::load(self.flags, scanned, &here)?;
        let read = |name: &str| Stdin::read(io::stdin().lock(), name.to_owned());
        let stdin = self.stdin_name.map(read).transpose()?;
        let walk = WalkOptions { threads: rayon::current_num_threads(), ..settings.walk };
        let tree = stdin.is_none().then(|| Worktree::new(self.paths.to_vec(), walk)).transpose()?;
        let detector = detector(settings.rules, settings.known, settings.archives)?;
        let triage = Triage::new(detector, settings.policy)?;
        let options = ScanOptions {
            min_confidence: settings.min_confidence,
            show_suppressed,
            repository: settings.repository.as_deref().and_then(config::describe),
        };
        let sources = [stdin.as_ref().map(|stdin| stdin as &dyn Source), tree.as_ref().map(|tree| tree as _)];
        let source = sources.into_iter().flatten().next().expect("it is one of the two");
        let report = scan(source, &triage, &options, progress);
        let policy = triage.into_policy();
        let usage = policy.baseline.usage(policy.today);
        // What no file meets, the history may.
        let may_be_older = !usage.unused.is_empty() && has_history(&here);
        let mut notes = settings.notes;
        let prune = if may_be_older { PRUNE_BY_REPORT } else { "hekate baseline prune" };
        notes.extend(usage_lines(&usage, prune));
        let stdin = stdin.map(Stdin::into_bytes);
        Ok(Scanned { report, notes, policy, baseline_path: settings.baseline_path, stdin })
    }
}

/// The detector of a command, which ends with it: to take thousands of rules apart takes longer than a small scan.
pub(super) fn detector(
    rules: Vec<Rule>,
    known: Option<Arc<KnownValues>>,
    opens_archives: bool,
) -> Result<&'static Detector> {
    let detector = Detector::with_known(rules, known)?.with_archives(opens_archives);
    Ok(Box::leak(Box::new(detector)))
}

/// The command that drops entries where a history may need them.
pub(super) const PRUNE_BY_REPORT: &str = "hekate baseline prune --report FILE";

/// What to say of entries that did nothing, and which command drops them.
pub(super) fn usage_lines(usage: &BaselineUse, prune: &str) -> Vec<String> {
    let line = |entries: &[crate::triage::BaselineEntry], what: &str| {
        let number = entries.len();
        let noun = if number == 1 { "entry" } else { "entries" };
        (number > 0).then(|| format!("note: {number} baseline {noun} {what}; `{prune}` drops them"))
    };
    [line(&usage.expired, "expired"), line(&usage.unused, "matched nothing in this scan")]
        .into_iter()
        .flatten()
        .collect()
}
