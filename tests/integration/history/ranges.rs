//! What the commits of a range bring in: found commit by commit, it is what a sweep of everything finds, and what git says.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::Value;

use super::{
    git::{Change, Import, Repo, file},
    graphs, is_long,
    oracle::{Introduction, Oracle},
    random,
    report::Reported,
    storage,
    text::{code, leak, leaky},
};
use crate::harness::{Outcome, text};

/// Everything that a report says but what it covered: the reference covers the whole database.
fn said(outcome: &Outcome) -> Value {
    let mut json = outcome.json();
    json.as_object_mut().expect("a report is an object").remove("coverage");
    json
}

/// What a range holds, found commit by commit at several numbers of threads, and by the reference.
#[track_caller]
fn agreed(repo: &Repo, args: &[&str]) -> Outcome {
    let run = |more: &[&str]| repo.history(&[more, args].concat());
    let first = run(&["-j", "1"]);
    for jobs in ["2", "8"] {
        let other = run(&["-j", jobs]);
        assert_eq!((&other.stdout, other.code), (&first.stdout, first.code), "{args:?} -j {jobs}");
    }
    let plain = run(&["--engine", "plain"]);
    assert_eq!(said(&first), said(&plain), "{args:?}: {} {}", first.stderr, plain.stderr);
    first
}

/// The ids of the commits that git lists.
fn listed(repo: &Repo, args: &[&str]) -> Vec<String> {
    let list = repo.git(&[&["rev-list"], args].concat());
    String::from_utf8(list).expect("ids are text").lines().map(str::to_owned).collect()
}

/// Compares a range's report with what git lists as its commits.
#[track_caller]
fn check(repo: &Repo, oracle: &Oracle, from: &str, to: &str) {
    let range = format!("{from}..{to}");
    let outcome = agreed(repo, &["--range", &range]);
    let commits = listed(repo, &[&range]);
    let expected = oracle.introductions(commits.iter().map(String::as_str));
    let reported: BTreeSet<Introduction> = Reported::of(&outcome).introductions;
    assert_eq!(reported, expected, "{range}");
    let covered = &outcome.json()["coverage"]["history"];
    assert_eq!(covered["expected"]["commits"], commits.len(), "{range}");
    assert_eq!(covered["expected"], covered["scanned"], "{range}");
}

/// Random pairs of commits of a repository.
#[track_caller]
fn check_pairs(repo: &Repo, seed: u64, count: usize) {
    let oracle = Oracle::of(repo);
    let all = listed(repo, &["--all"]);
    let mut rng = Rng::with_seed(seed);
    for _ in 0..count {
        let (from, to) = (rng.choice(&all).expect("some"), rng.choice(&all).expect("some"));
        check(repo, &oracle, from, to);
    }
}

macro_rules! exact {
    ($($module:ident: $($name:ident),+;)+) => {
        $($(#[test] fn $name() {
            check_pairs(&$module::$name(&mut Rng::with_seed(1)), 1, if is_long() { 40 } else { 4 });
        })+)+
    };
}

exact! {
    graphs: octopus_merge, criss_cross_merges, content_only_in_a_merge, renames_edits_and_returns, unrelated_roots,
        one_blob_at_many_paths, names_of_any_bytes, links_and_submodules, texts_that_leak,
        stash_worktrees_and_reflogs, replaced_and_grafted, hundreds_of_refs, accepted_and_not;
    storage: loose_only, ref_deltas_only, alternates_two_deep, sha256, multi_pack_index;
}

#[test]
fn random_ranges() {
    for seed in 0..if is_long() { 100 } else { 2 } {
        println!("random ranges of seed {seed}");
        check_pairs(&random::random(&mut Rng::with_seed(seed)), seed, if is_long() { 20 } else { 4 });
    }
}

/// A commit whose date is this many hours after the first one's.
fn dated(import: &mut Import, hour: i64, branch: &str, parents: &[usize], change: Change<'_>) -> usize {
    let start = import.stream.len();
    let mark = import.commit(branch, parents, &[change]);
    let who = |date: i64| format!("committer Ada Test <ada@example.com> {date} +0000\n");
    let (old, new) = (who(1_600_000_000 + 3600 * mark as i64), who(1_600_000_000 + 3600 * hour));
    let stream = import.stream.split_off(start);
    let at = memchr::memmem::find(&stream, old.as_bytes()).expect("it says who committed");
    import.stream.extend([&stream[..at], new.as_bytes(), &stream[at + old.len()..]].concat());
    mark
}

#[test]
fn clocks_that_go_wrong_bring_no_commit_in() {
    // The commit of both sides is the youngest by its date, and hundreds of older ones stand before it on the hidden side.
    let mut import = Import::default();
    let root = dated(&mut import, 0, "main", &[], file("a.py", "1\n"));
    let both = dated(&mut import, 9000, "main", &[root], file("both.py", &leaky(1, 1)));
    dated(&mut import, 9001, "new", &[both], file("new.py", &leaky(2, 2)));
    let mut last = both;
    for hour in 0..200 {
        last = dated(&mut import, 200 - hour, "old", &[last], file("old.py", &format!("{hour}\n")));
    }
    let repo = Repo::of(&import);
    check(&repo, &Oracle::of(&repo), "old", "new");
    assert_eq!(Reported::of(&agreed(&repo, &["--range", "old..new"])).introductions.len(), 1);
}

#[test]
fn a_push_that_is_a_tag_of_a_file_or_folder_is_scanned() {
    let repo = Repo::of(&{
        let mut import = Import::default();
        import.commit("main", &[], &[file("a.py", "1\n")]);
        import
    });
    repo.git(&["tag", "-a", "-m", &leak(1), "a-file", &repo.blob(&leaky(2, 2))]);
    let inner = repo.blob(&leaky(3, 3));
    let tree = repo.git_fed(format!("100644 blob {inner}\tinside.py\n").as_bytes(), &["mktree"]);
    repo.git(&["tag", "a-folder", String::from_utf8(tree).expect("an id").trim()]);
    assert_eq!(
        agreed(&repo, &["--range", "main..a-file"]).json()["findings"].as_array().map(Vec::len),
        Some(2)
    );
    let places = agreed(&repo, &["--range", "main..a-folder"]).occurrences();
    assert_eq!(places.iter().map(|place| text(&place["path"])).collect::<Vec<_>>(), ["inside.py"]);
}

#[test]
fn what_a_range_lacks_is_said_and_what_it_does_not_hold_does_not_matter() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("old.py", &code(1, 20)), file("a.py", "1\n")]);
    let next = import.commit("main", &[root], &[file("b.py", &leaky(1, 1))]);
    import.commit("main", &[next], &[file("c.py", "2\n")]);
    let repo = Repo::of(&import);
    let unpack = |repo: &Repo| {
        let pack = repo.packs("pack").pop().expect("one pack");
        let bytes = std::fs::read(&pack).expect("read the pack");
        for extension in ["pack", "idx", "rev"] {
            drop(std::fs::remove_file(pack.with_extension(extension)));
        }
        repo.git_fed(&bytes, &["unpack-objects", "-q"]);
    };
    unpack(&repo);
    let remove = |name: &str| {
        std::fs::remove_file(repo.loose(&repo.git_line(&["rev-parse", name]))).expect("remove an object");
    };
    remove("main~2:old.py");
    assert_eq!(repo.history(&["--range", "main~1..main"]).code, 0);
    remove("main:c.py");
    let outcome = repo.history(&["--range", "main~1..main"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    let gaps = outcome.json()["coverage"]["gaps"].clone();
    assert!(text(&gaps[0]["detail"]).starts_with("c.py in "), "{gaps}");
}

#[test]
fn a_shallow_clone_counts_its_last_commits_as_first_ones() {
    let mut import = Import::default();
    import.series("a.py", [leaky(1, 1).as_slice(), &leaky(1, 2), b"clean\n", &leaky(3, 3)]);
    let repo = Repo::of(&import).cloned("shallow", &["--depth", "3"]);
    let reported = Reported::of(&agreed(&repo, &["--branch", "main"]));
    assert_eq!(
        reported.introductions,
        Oracle::of(&repo).introductions(listed(&repo, &["main"]).iter().map(String::as_str))
    );
}

#[test]
fn since_takes_refs_and_dates() {
    let mut import = Import::default();
    let old = dated(&mut import, 0, "main", &[], file("old.py", &leaky(1, 1)));
    let new = dated(&mut import, 48, "main", &[old], file("new.py", &leaky(2, 2)));
    // Its date lies before that of its parent.
    let back = dated(&mut import, 1, "main", &[new], file("back.py", &leaky(3, 3)));
    dated(&mut import, 49, "side", &[back], file("side.py", &leaky(4, 4)));
    let repo = Repo::of(&import);
    let paths = |args: &[&str]| -> Vec<String> {
        let introductions = Reported::of(&agreed(&repo, args)).introductions;
        let mut paths: Vec<String> = introductions.into_iter().map(|one| one.path).collect();
        paths.sort();
        paths
    };
    assert_eq!(paths(&["--since", "main~2"]), ["back.py", "new.py", "side.py"]);
    // The first commit is of 2020-09-13T12:26:40Z.
    assert_eq!(paths(&["--since", "2020-09-14"]), ["new.py", "side.py"]);
    assert_eq!(paths(&["--since", "2020-09-13T12:26:41Z"]), ["back.py", "new.py", "side.py"]);
    assert_eq!(paths(&["--since", "2020-09-13T12:26:40Z"]).len(), 4);
    assert_eq!(paths(&["--since", "2020-09-14", "--branch", "main"]), ["new.py"]);
    assert!(paths(&["--since", "yesterday"]).is_empty());
    let wrong = repo.history(&["--since", "some day"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("neither a ref or commit here nor a date"), "{}", wrong.stderr);
}

#[test]
fn with_first_parents_alone_a_merge_brings_in_what_others_brought() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "1\n")]);
    let side = import.commit("side", &[root], &[file("side.py", &leaky(1, 1))]);
    let main = import.commit("main", &[root], &[file("main.py", &leaky(2, 2))]);
    import.commit("main", &[main, side], &[file("side.py", &leaky(1, 1))]);
    let repo = Repo::of(&import);
    let merge = repo.git_line(&["rev-parse", "main"]);
    for args in [&["--branch", "main", "--first-parent"][..], &["--range", "main~2..main", "--first-parent"]]
    {
        let introductions = Reported::of(&repo.history(args)).introductions;
        let commits: Vec<(String, String)> =
            introductions.into_iter().map(|one| (one.path, one.commit)).collect();
        assert!(commits.contains(&("side.py".into(), merge.clone())), "{commits:?}");
        assert_eq!(commits.len(), 2, "{commits:?}");
    }
    let all = Reported::of(&repo.history(&["--first-parent"])).introductions;
    assert_eq!(all.len(), 3, "the other branch is a ref of its own: {all:?}");
}

#[test]
fn what_reflogs_name_and_say_is_scanned_when_asked_for() {
    let repo = graphs::stash_worktrees_and_reflogs(&mut Rng::with_seed(1));
    std::fs::write(repo.path("a.py"), "said\n").expect("write a file");
    repo.git(&["commit", "--quiet", "-am", leak(9).trim()]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let paths = |args: &[&str]| -> BTreeSet<String> {
        let outcome = repo.history(args);
        outcome.occurrences().iter().map(|place| text(&place["path"])).collect()
    };
    let (refs, logs) = (paths(&[]), paths(&["--reflog"]));
    assert!(!refs.contains("logs/HEAD") && logs.contains("logs/HEAD"), "{logs:?}");
    let gone = |args: &[&str]| {
        let subject = |place: &Value| place["subject"] == "soon gone";
        repo.history(args).occurrences().iter().any(subject)
    };
    assert!(!gone(&[]) && gone(&["--reflog"]) && gone(&["--reflog", "--since", "2000-01-01"]));
}

#[test]
fn submodules_are_swept_when_asked_for_and_no_link_leads_out() {
    let mut import = Import::default();
    import.commit("main", &[], &[file("inner.py", &leaky(1, 1))]);
    let inner = Repo::of(&import);
    let outer = inner.beside("outer");
    std::fs::create_dir(outer.path("")).expect("make a folder");
    outer.git(&["init", "--quiet"]);
    let url = inner.path("").display().to_string();
    outer.git(&["submodule", "--quiet", "add", "--name", "some/name", &url, "libs/inner"]);
    outer.git(&["commit", "--quiet", "-m", "with a submodule"]);
    let found = |args: &[&str]| -> Vec<String> {
        let outcome = outer.history(args);
        outcome.occurrences().iter().map(|place| text(&place["path"])).collect()
    };
    assert!(found(&[]).is_empty());
    assert_eq!(found(&["--recurse-submodules"]), ["libs/inner/inner.py"]);
    let notes = outer.history(&["--recurse-submodules"]).json()["coverage"]["gaps"].clone();
    assert_eq!(text(&notes[0]["detail"]), "covered: libs/inner");
    // What leads elsewhere is not followed, and not passed over in silence.
    let modules = outer.git_path("modules");
    #[cfg(unix)]
    std::os::unix::fs::symlink(inner.path(".git"), modules.join("link")).expect("make a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(inner.git_path("objects"), modules.join("objects")).expect("make a link");
    std::fs::create_dir_all(modules.join("forged")).expect("make a folder");
    std::fs::write(modules.join("forged/HEAD"), "ref: refs/heads/main\n").expect("write a file");
    std::fs::write(modules.join("forged/commondir"), inner.path(".git").display().to_string())
        .expect("write a file");
    let outcome = outer.history(&["--recurse-submodules"]);
    assert_eq!(outcome.occurrences().len(), 1);
    let unreadable = outcome.gaps().into_iter().filter(|gap| gap.ends_with("unreadable")).count();
    assert_eq!(unreadable, if cfg!(unix) { 3 } else { 1 }, "{:?}", outcome.gaps());
}

#[test]
fn a_range_that_starts_from_what_is_not_here_is_refused() {
    let mut import = Import::default();
    import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    let outcome = Repo::of(&import).history(&["--range", &format!("{}..main", "1".repeat(40))]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("is not in this repository"), "{}", outcome.stderr);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let repo = Repo::new();
    for args in [
        &["--range", "a..b", "--branch", "c"][..],
        &["--range", "a..b", "--since", "c"],
        &["--range", "a..b", "--unreachable"],
        &["--range", "a..b", "--reflog"],
        &["--branch", "a", "--recurse-submodules"],
        &["--since", "a", "--unreachable"],
    ] {
        assert_eq!(repo.history(args).code, 2, "{args:?}");
    }
}
