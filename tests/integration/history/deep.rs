//! Folders in folders, deeper than any file system and git itself would have them.

use std::fs;

use super::{
    exactness::agreed,
    git::Repo,
    is_long,
    pack::{Kind, Pack, raw_id},
    text::leak,
};
use crate::harness::Outcome;

/// A folder that holds one thing.
fn folder(pack: &mut Pack, entry: &str, id: &str) -> String {
    pack.whole(Kind::Tree, &[format!("{entry}\0").as_bytes(), &raw_id(id)].concat())
}

fn commit(pack: &mut Pack, tree: &str, parent: &str, time: u32) -> String {
    let who = format!("A <a@b> {time} +0000");
    let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nx\n");
    pack.whole(Kind::Commit, text.as_bytes())
}

fn nested(pack: &mut Pack, depth: usize, text: &[u8]) -> String {
    let blob = pack.whole(Kind::Blob, text);
    let bottom = folder(pack, "100644 a.py", &blob);
    (0..depth).fold(bottom, |inner, _| folder(pack, "40000 d", &inner))
}

/// Two commits with a file so deep: the second one adds a line to it. With the id of the first.
fn repository(depth: usize, line: &str) -> (Repo, String) {
    let repo = Repo::new();
    let mut pack = Pack::new();
    let clean = nested(&mut pack, depth, b"x = 1\n");
    let first = commit(&mut pack, &clean, "", 1);
    let leaky = nested(&mut pack, depth, format!("x = 1\n{line}").as_bytes());
    let second = commit(&mut pack, &leaky, &format!("parent {first}\n"), 2);
    pack.write(&repo);
    fs::write(repo.git_path("refs/heads/main"), format!("{second}\n")).expect("write a ref");
    (repo, first)
}

#[track_caller]
fn finds_it(outcome: &Outcome, depth: usize) {
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert_eq!(outcome.paths(), [format!("{}a.py", "d/".repeat(depth))]);
    assert_eq!(outcome.gaps(), [""; 0]);
}

#[test]
fn a_leak_below_thousands_of_folders_is_found() {
    let depth = if is_long() { 100_000 } else { 20_000 };
    let (repo, first) = repository(depth, &leak(1));
    finds_it(&agreed(&repo, &[]), depth);
    let range = format!("{first}..main");
    for jobs in ["1", "2"] {
        for engine in ["delta", "plain"] {
            finds_it(&repo.history(&["--range", &range, "--engine", engine, "-j", jobs]), depth);
        }
    }
}

#[test]
fn what_people_read_of_a_leak_below_thousands_of_folders_is_not_its_whole_path() {
    let (repo, _) = repository(20_000, &leak(1));
    let outcome = repo.hekate(&["history", ".", "--no-progress", "--color", "never"]).ends(1);
    assert!(outcome.stdout.len() < 8000, "{} bytes", outcome.stdout.len());
    assert!(outcome.stdout.contains("a.py"), "{}", outcome.stdout);
}

#[test]
fn a_mark_below_thousands_of_folders_is_held_against_the_pinned_policy() {
    let depth = 20_000;
    let (repo, first) = repository(depth, &format!("{} # hekate:allow\n", leak(1).trim_end()));
    repo.history(&[]).ends(0);
    finds_it(&repo.history(&["--policy-from", &first]), depth);
    repo.history(&["--policy-from", "main"]).ends(0);
}
