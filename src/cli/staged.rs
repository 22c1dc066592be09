//! `hekate staged`.

use std::{env, ffi::OsStr, time::Instant};

use anyhow::{Context, Result};

use super::{
    Exit,
    args::StagedArgs,
    confirm::{Wish, confirm},
    history::{named_range, scan_range},
    progress::Bar,
    scan::{detector, finish, with_threads},
    sink,
};
use crate::{
    config::{self, Flags, Settings},
    git::Repository,
    model::Report,
    scan::{Progress, ScanOptions, scan},
    source::{Scope, Staged, StagedError},
    triage::Triage,
};

fn wish(args: &StagedArgs) -> Wish<'_> {
    Wish {
        confirm: &args.confirm,
        #[cfg(feature = "network")]
        hand_over: None,
    }
}

pub(super) fn run(args: &StagedArgs) -> Result<Exit> {
    let started = Instant::now();
    let under_pre_commit = env::var_os("PRE_COMMIT").is_some_and(|value| value == "1");
    if under_pre_commit && !args.all {
        let revision = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        if let (Some(from), Some(to)) = (revision("PRE_COMMIT_FROM_REF"), revision("PRE_COMMIT_TO_REF")) {
            return range(args, &from, &to, started);
        }
    }
    let scope = match (args.all, under_pre_commit) {
        (true, _) => Scope::All,
        // With `--all-files` nothing is staged, and all files are meant.
        (false, true) => Scope::ChangesOrAll,
        (false, false) => Scope::Changes,
    };
    let flags = flags(args);
    let bar = Bar::new(!args.output.quiet && !args.run.no_progress);
    let scan = || scan_index(&flags, scope, args.output.show_suppressed, &bar);
    let mut report = with_threads(args.run.jobs, scan)?;
    bar.finish();
    confirm(&mut report, &wish(args), &flags, None)?;
    finish(&report, &args.output, &args.run, started)
}

/// What the commits between two revisions bring in.
fn range(args: &StagedArgs, from: &OsStr, to: &OsStr, started: Instant) -> Result<Exit> {
    let flags = flags(args);
    let here = env::current_dir().context("find the working directory")?;
    let repository = Repository::from_env(&here, |name| env::var_os(name))?;
    let range = named_range(&repository, &format!("{}..{}", from.to_string_lossy(), to.to_string_lossy()))?;
    let mut report = with_threads(args.run.jobs, || scan_range(&repository, range, &flags))?;
    confirm(&mut report, &wish(args), &flags, None)?;
    finish(&report, &args.output, &args.run, started)
}

fn flags(args: &StagedArgs) -> Flags {
    Flags {
        baseline: args.output.baseline.clone(),
        min_confidence: args.output.min_confidence,
        show_secrets: args.output.show_secrets,
        policy_from: args.policy.source(),
        ..args.select.flags()
    }
}

/// Scans the index of the repository one works in.
pub(super) fn scan_index(
    flags: &Flags,
    scope: Scope,
    show_suppressed: bool,
    progress: &dyn Progress,
) -> Result<Report> {
    let here = env::current_dir().context("find the working directory")?;
    let repository = Repository::from_env(&here, |name| env::var_os(name))?;
    let Some(root) = repository.work_tree.clone() else {
        return Err(StagedError::Bare(repository.git_dir.display().to_string()).into());
    };
    let settings = Settings::load(flags, Some(&root), &root)?;
    let source = Staged::new(&repository, scope)?;
    let detector = detector(settings.rules, settings.known, settings.archives)?;
    let triage = Triage::new(detector, settings.policy)?;
    let options = ScanOptions {
        min_confidence: settings.min_confidence,
        show_suppressed,
        repository: Some(config::describe_git(&repository)),
    };
    settings.notes.iter().for_each(|note| sink::warn(note));
    Ok(scan(&source, &triage, &options, progress))
}
