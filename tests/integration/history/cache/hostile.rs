//! What else could go wrong around a cache: no place to write, several scans at once, and what must not be in it.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, thread};

use fastrand::Rng;

use super::{
    super::{
        git::{Change, Repo, file},
        graphs,
        text::{code, leak, leaky, two_lines},
    },
    allow, cache_of, commit, kept, restore, same, same_with_and_without, some_history, written,
};
use crate::{
    harness::{is_root, run},
    secrets::{password, pem, token},
};

#[test]
fn a_git_folder_that_is_read_only_is_scanned_without() {
    let repo = some_history();
    let without = repo.history(&["--no-cache"]).ends(1);
    let git = repo.git_path("");
    allow(&git, 0o555);
    let with = [repo.history(&[]), repo.history(&["-j", "8"])];
    // Root can write there all the same.
    let is_empty = kept(&repo).is_none();
    allow(&git, 0o755);
    with.iter().for_each(|with| same(&without, with, "a read-only git folder"));
    assert!(is_empty || is_root());
}

#[test]
fn a_cache_that_can_not_be_read_or_replaced_is_done_without() {
    let repo = some_history();
    let without = same_with_and_without(&repo, &[]).ends(1);
    let path = cache_of(&repo);
    let folder = path.parent().expect("it has a folder").to_owned();
    for (file_mode, folder_mode) in [(0o000, 0o700), (0o600, 0o500), (0o000, 0o000)] {
        commit(&repo, "main", &[]);
        let without = repo.history(&["--no-cache"]);
        allow(&path, file_mode);
        allow(&folder, folder_mode);
        let with = [repo.history(&[]), repo.history(&["-j", "8"])];
        allow(&folder, 0o700);
        allow(&path, 0o600);
        with.iter().for_each(|with| same(&without, with, &format!("{file_mode:o} in {folder_mode:o}")));
    }
    assert_eq!(same_with_and_without(&repo, &[]).findings(), without.findings());
}

/// The names beside the cache.
fn beside(repo: &Repo) -> BTreeSet<String> {
    let folder = cache_of(repo).parent().expect("it has a folder").to_owned();
    let entries = fs::read_dir(folder).expect("list its folder").map(|entry| entry.expect("list it"));
    entries.map(|entry| entry.file_name().into_string().expect("a name is text")).collect()
}

#[test]
fn a_cache_is_for_its_owner_and_nothing_is_left_beside_it() {
    let repo = some_history();
    same_with_and_without(&repo, &[]).ends(1);
    let mode = fs::metadata(cache_of(&repo)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(beside(&repo), BTreeSet::from(["history.cache".to_owned()]));
    // git sees nothing of it.
    repo.git(&["fsck", "--full", "--strict"]);
    assert!(
        repo.git_line(&["status", "--porcelain", "--ignored"]).lines().all(|line| !line.contains("hekate"))
    );
}

#[test]
fn several_scans_at_once() {
    let repo = some_history();
    for round in 0..3 {
        let without = repo.history(&["--no-cache"]).ends(1);
        let commands: Vec<_> =
            (0..6).map(|at| repo.history_command("repo", &["-j", ["1", "2", "8"][at % 3]])).collect();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let started: Vec<_> =
                commands.into_iter().map(|command| scope.spawn(|| run(command, b""))).collect();
            started.into_iter().map(|thread| thread.join().expect("a scan ends")).collect()
        });
        outcomes.iter().for_each(|with| same(&without, with, &format!("six at once, round {round}")));
        assert_eq!(beside(&repo), BTreeSet::from(["history.cache".to_owned()]));
        same_with_and_without(&repo, &[]);
        commit(&repo, "main", &[file("more.py", &leaky(round, 100 + round))]);
    }
}

#[test]
fn several_scans_of_different_kinds_at_once() {
    let repo = some_history();
    let kinds: &[&[&str]] =
        &[&[], &["--unreachable"], &["--only-rule", "github-pat"], &["--engine", "plain"], &["--reflog"]];
    let without: Vec<_> = kinds.iter().map(|args| repo.history(&[*args, &["--no-cache"]].concat())).collect();
    let commands: Vec<_> = kinds.iter().map(|args| repo.history_command("repo", args)).collect();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = commands.into_iter().map(|command| scope.spawn(|| run(command, b""))).collect();
        started.into_iter().map(|thread| thread.join().expect("a scan ends")).collect()
    });
    for ((without, with), args) in without.iter().zip(&outcomes).zip(kinds) {
        same(without, with, &format!("at once, {args:?}"));
    }
    kinds[..3].iter().for_each(|args| drop(same_with_and_without(&repo, args)));
}

#[test]
fn no_secret_stands_in_a_cache() {
    let repo = graphs::texts_that_leak(&mut Rng::with_seed(1));
    let mut secrets: Vec<String> = (1..8).map(|number| token("github-pat", number)).collect();
    let weak = password(5, 20);
    let key = pem(3);
    commit(
        &repo,
        "main",
        &[
            file("b.env", &format!("smtp_password = \"{weak}\"\n")),
            file("c.pem", &key),
            file("d.yaml", &two_lines(8).join("\n")),
            Change::Link(b"link", leak(9).trim().as_bytes()),
        ],
    );
    secrets.extend([weak, password(8, 20), token("github-pat", 9)]);
    secrets.extend(key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    for args in [&[][..], &["--show-secrets"]] {
        restore(&repo, None);
        repo.history(args).ends(1);
        let cache = written(&repo);
        for secret in secrets.iter().filter(|secret| secret.len() > 12) {
            for piece in secret.as_bytes().windows(12) {
                let at = cache.windows(12).position(|window| window == piece);
                assert_eq!(at, None, "a piece of a secret stands in the cache");
            }
        }
    }
}

#[test]
fn only_a_sweep_of_all_by_deltas_has_a_cache() {
    let repo = some_history();
    for args in [
        &["--no-cache"][..],
        &["--no-cache", "--unreachable"],
        &["--engine", "plain"],
        &["--engine", "plain", "--no-cache"],
        &["--range", "main~3..main"],
        &["--branch", "main"],
        &["--since", "main~2"],
        &["--since", "2000-01-01"],
        &["--first-parent"],
    ] {
        repo.history(args);
        assert!(!cache_of(&repo).exists(), "{args:?}");
        assert!(!cache_of(&repo).parent().expect("it has a folder").exists(), "{args:?}");
    }
    repo.history(&[]);
    let cache = written(&repo);
    commit(&repo, "main", &[file("new.py", &code(33, 20))]);
    for args in
        [&["--no-cache"][..], &["--engine", "plain"], &["--range", "main~3..main"], &["--branch", "main"]]
    {
        repo.history(args);
        assert_eq!(written(&repo), cache, "{args:?}");
    }
    repo.history(&[]);
    assert_ne!(written(&repo), cache);
}

#[test]
fn parts_of_a_history_are_the_same_beside_a_cache() {
    let repo = some_history();
    let parts: &[&[&str]] =
        &[&["--range", "main~3..main"], &["--branch", "side"], &["--since", "main~2"], &["--first-parent"]];
    let before: Vec<_> = parts.iter().map(|args| repo.history(args)).collect();
    repo.history(&[]).ends(1);
    for (args, before) in parts.iter().zip(&before) {
        same(before, &repo.history(args), "beside a cache");
    }
    restore(&repo, Some(b"garbage"));
    for (args, before) in parts.iter().zip(&before) {
        same(before, &repo.history(args), "beside garbage");
    }
}

#[test]
fn a_hook_has_no_cache() {
    let repo = some_history();
    let (tip, old) = (repo.git_line(&["rev-parse", "main"]), repo.git_line(&["rev-parse", "main~4"]));
    let input = format!("refs/heads/main {tip} refs/heads/main {old}\n");
    let hook = || repo.hekate_fed(input.as_bytes(), &["hook", "run", "pre-push", "origin", "url"]);
    let before = hook();
    assert!(!cache_of(&repo).exists());
    repo.history(&[]).ends(1);
    let cache = written(&repo);
    same(&before, &hook(), "beside a cache");
    assert_eq!(written(&repo), cache);
}
