//! `hekate hook run`: what the installed hooks do.

use std::{
    env,
    io::{self, Read},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use super::pushed;
use crate::{
    cli::{
        Exit,
        args::{HookRun, HookScanArgs, OnTimeout},
        exit,
        history::scan_range,
        sink, staged,
    },
    config::{Flags, PolicyFrom},
    git::Repository,
    history::CommitRange,
    model::Report,
    output::brief,
    scan::NoProgress,
    source::Scope,
};

/// A list of refs is shorter, in bytes: a hundred bytes for each of a million.
const MOST_INPUT: u64 = 256 << 20;

/// What a hook says when it refuses.
struct Words {
    /// What is going on, before the number of secrets.
    headline: &'static str,
    /// What is refused.
    what: &'static str,
    /// What to do about it, a line each.
    advice: &'static [&'static str],
}

const PRE_COMMIT: Words = Words {
    headline: "this commit would add",
    what: "this commit",
    advice: &[
        "Fix:    take it out of the file, `git add` the file again, and keep the value in a secret manager.",
        "Accept: put `hekate:allow` into a comment on its line, or run `hekate baseline write`; then stage that.",
        "Look:   `hekate staged` says more. `git commit --no-verify` goes on without this check.",
    ],
};

const PRE_PUSH: Words = Words {
    headline: "this push would send",
    what: "this push",
    advice: &[
        "Fix:    rewrite the commits, with `git commit --amend` or `git rebase -i`; a later commit that takes it out is not enough.",
        "        If it was ever sent anywhere before, revoke or rotate it first.",
        "Accept: put `hekate:allow` into a comment on its line in that commit, or run `hekate baseline write`.",
        "        `git push --no-verify` goes on without this check.",
    ],
};

const PRE_RECEIVE: Words = Words {
    headline: "this push brings",
    what: "this push",
    advice: &[
        "Fix:    rewrite the commits, with `git commit --amend` or `git rebase -i`, and push again; a later commit that takes it out",
        "        is not enough. If it was ever sent anywhere before, revoke or rotate it first.",
        "Accept: the default branch decides here, with its hekate.toml and hekate.baseline; marks that a push brings along don't count.",
    ],
};

pub(super) fn run(hook: &HookRun) -> Result<Exit> {
    match hook {
        HookRun::Commit(scan) => pre_commit(scan),
        HookRun::Push { scan, remote, .. } => pre_push(scan, remote),
        HookRun::Receive { scan, deadline, on_timeout } => pre_receive(scan, *deadline, *on_timeout),
    }
}

fn pre_commit(scan: &HookScanArgs) -> Result<Exit> {
    let report = staged::scan_index(&scan.flags(), Scope::Changes, false, &NoProgress)?;
    Ok(conclude(&report, &PRE_COMMIT))
}

fn pre_push(scan: &HookScanArgs, remote: &str) -> Result<Exit> {
    let moves = pushed::parse_push(&read_input()?)?;
    let repository = repository()?;
    let range = pushed::to_remote(&repository, remote, &moves)?;
    pushed::check(&repository, &range)?;
    let Some(report) = scan_unless_empty(&repository, range, &scan.flags())? else { return Ok(Exit::Clean) };
    Ok(conclude(&report, &PRE_PUSH))
}

fn pre_receive(scan: &HookScanArgs, deadline: Duration, on_timeout: OnTimeout) -> Result<Exit> {
    // A push must not be judged by what it brings along.
    let flags = Flags { policy_from: Some(PolicyFrom::Head), ..scan.flags() };
    let (sender, receiver) = mpsc::channel();
    // Nobody waits for this thread when time is over: the process ends, and the thread with it.
    thread::spawn(move || {
        let scan = || {
            let moves = pushed::parse_receive(&read_input()?)?;
            let repository = repository()?;
            let range = pushed::from_push(&repository, &moves)?;
            pushed::check(&repository, &range)?;
            scan_unless_empty(&repository, range, &flags)
        };
        // Who no longer listens has ended the process already.
        drop(sender.send(scan()));
    });
    match receiver.recv_timeout(deadline) {
        Ok(Ok(None)) => Ok(Exit::Clean),
        Ok(Ok(Some(report))) => Ok(conclude(&report, &PRE_RECEIVE)),
        Ok(Err(error)) => Err(error),
        Err(RecvTimeoutError::Disconnected) => {
            anyhow::bail!("the scan ended without a result; please report it")
        }
        Err(RecvTimeoutError::Timeout) => Ok(time_is_over(deadline, on_timeout)),
    }
}

fn time_is_over(deadline: Duration, on_timeout: OnTimeout) -> Exit {
    let (what, exit) = match on_timeout {
        OnTimeout::Refuse => (
            "it is refused; push fewer commits at once, or ask whoever looks after this server",
            Exit::Incomplete,
        ),
        OnTimeout::Allow => ("it is let in without having been scanned", Exit::Clean),
    };
    sink::warn(&format!("hekate: scanning this push took longer than {deadline:?}, so {what}."));
    exit
}

fn scan_unless_empty(repository: &Repository, range: CommitRange, flags: &Flags) -> Result<Option<Report>> {
    if range.tips.is_empty() { Ok(None) } else { scan_range(repository, range, flags).map(Some) }
}

fn repository() -> Result<Repository> {
    let here = env::current_dir().context("find the working directory")?;
    Ok(Repository::from_env(&here, |name| env::var_os(name))?)
}

fn read_input() -> Result<Vec<u8>> {
    let mut input = Vec::new();
    io::stdin().lock().take(MOST_INPUT).read_to_end(&mut input).context("read standard input")?;
    anyhow::ensure!((input.len() as u64) < MOST_INPUT, "read standard input: more than {MOST_INPUT} bytes");
    Ok(input)
}

/// Says why something is refused. Where nothing is, a hook is not heard of.
fn conclude(report: &Report, words: &Words) -> Exit {
    let exit = exit::of_report(report, false);
    if exit == Exit::Clean {
        return exit;
    }
    let secrets = match report.findings.len() {
        0 => format!("not everything could be scanned, so {} is refused:", words.what),
        1 => format!("{} a secret:", words.headline),
        more => format!("{} {more} secrets:", words.headline),
    };
    let advice = if report.findings.is_empty() { &[] } else { words.advice };
    let advice: String = advice.iter().map(|line| format!("\n{line}")).collect();
    sink::warn(&format!("hekate: {secrets}\n{}{advice}", brief(report)));
    exit
}
