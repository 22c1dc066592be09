//! What an earlier scan left behind saves the next one work, and changes nothing of what it reports: not while a repository grows,
//! shrinks and is packed anew, not under other rules, and not after somebody wrote to it.

mod changes;
mod growth;
mod hostile;
mod keys;
mod rules;
mod storage;
mod trust;

use std::{
    fs,
    path::{Path, PathBuf},
};

use fastrand::Rng;

use super::{
    exactness::difference,
    git::{Change, Import, Repo, file, overwrite},
    is_long,
    text::{code, leak, leaky},
};
use crate::harness::Outcome;

/// Where the cache of a repository lies, seen from any of its work trees.
fn cache_of(repo: &Repo) -> PathBuf {
    PathBuf::from(repo.git_line(&["rev-parse", "--path-format=absolute", "--git-common-dir"]))
        .join("hekate/history.cache")
}

/// What is in the cache, if there is one.
fn kept(repo: &Repo) -> Option<Vec<u8>> {
    fs::read(cache_of(repo)).ok()
}

/// What has to be in the cache after a scan.
#[track_caller]
fn written(repo: &Repo) -> Vec<u8> {
    kept(repo).expect("a scan writes a cache")
}

/// Puts an earlier cache in place, or takes it away.
fn restore(repo: &Repo, bytes: Option<&[u8]>) {
    let path = cache_of(repo);
    match bytes {
        Some(bytes) => {
            overwrite(&path, bytes);
            allow(&path, 0o600);
        }
        None if path.exists() => fs::remove_file(path).expect("remove the cache"),
        None => {}
    }
}

/// Sets who may do what with a file.
fn allow(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set permissions");
}

fn link(target: impl AsRef<Path>, path: &Path) {
    std::os::unix::fs::symlink(target, path).expect("make a link");
}

/// How many threads the first and the second scan with a cache have.
const RUNS: &[[&str; 2]] = &[["2", "8"], ["1", "1"], ["8", "2"]];

/// What a scan without the cache reports, one with the cache of an earlier scan, and one with its own.
#[track_caller]
fn same_with_and_without(repo: &Repo, args: &[&str]) -> Outcome {
    let without = repo.history(&[&["--no-cache", "-j", "1"], args].concat());
    let stale = kept(repo);
    for runs in RUNS.iter().take(if is_long() { RUNS.len() } else { 1 }) {
        restore(repo, stale.as_deref());
        for (what, threads) in ["an earlier", "its own"].into_iter().zip(runs) {
            let with = repo.history(&[&["-j", threads], args].concat());
            let what = format!("with {what} cache, {threads} threads, {args:?}");
            same(&without, &with, &what);
        }
    }
    assert!(matches!(without.code, 0 | 1 | 3), "{}", without.stderr);
    without
}

/// The same, also with what is left over, and with what only reflogs name.
#[track_caller]
fn same_in_every_view(repo: &Repo) {
    for args in [&[][..], &["--unreachable"], &["--reflog"], &[]] {
        same_with_and_without(repo, args);
    }
}

/// Two runs that have to come to the same.
#[track_caller]
fn same(without: &Outcome, with: &Outcome, what: &str) {
    if let Some(difference) = difference(&without.stdout, &with.stdout) {
        panic!("without a cache and {what}: {difference}");
    }
    assert_eq!((without.code, &without.stderr), (with.code, &with.stderr), "{what}");
}

/// Some commits with leaks in files and texts, and some without, in one pack.
fn some_history() -> Repo {
    let mut import = Import::default();
    let versions: Vec<Vec<u8>> =
        (0..12).map(|at| if at % 4 == 1 { leaky(at, at) } else { code(at, 60) }).collect();
    let last = import.series("a.py", versions.iter().map(Vec::as_slice));
    let side = import.commit_saying(&leak(70), "side", &[last], &[file("lib/b.py", &leaky(3, 71))]);
    import.commit("main", &[last, side], &[file("lib/b.py", &code(8, 30)), Change::Delete(b"a.py")]);
    import.tag("v1", side, &leak(72));
    Repo::of(&import)
}

/// One more commit on a branch, in a pack of its own.
fn commit(repo: &Repo, branch: &str, changes: &[Change<'_>]) -> String {
    commit_with(repo, branch, changes, &[])
}

/// The same, as loose objects.
fn commit_loose(repo: &Repo, branch: &str, changes: &[Change<'_>]) -> String {
    commit_with(repo, branch, changes, &["-c", "fastimport.unpackLimit=10000"])
}

fn commit_with(repo: &Repo, branch: &str, changes: &[Change<'_>], options: &[&str]) -> String {
    let parent = repo.git_line(&["rev-parse", branch]);
    let mut import = Import::default();
    let mark = import.commit_onto(&parent, branch, changes);
    repo.import_with(&import, options, &[]).swap_remove(mark)
}

/// A repository in which nothing leaks, every object whole in one pack.
fn clean() -> Repo {
    let mut import = Import::default();
    let versions: Vec<Vec<u8>> = (0..4).map(|at| code(at, 60)).collect();
    import.series("a.py", versions.iter().map(Vec::as_slice));
    let repo = Repo::of(&import);
    repo.git(&["repack", "--quiet", "-adf", "--depth=0", "--window=0"]);
    repo
}

/// Turns a bit of an object's content in the one pack, and leaves all else as it was, time included.
fn turn_a_bit(repo: &Repo, id: &str) {
    let index = repo.packs("idx").pop().expect("there is a pack");
    let listed = repo.git_line(&["verify-pack", "-v", &index.to_string_lossy()]);
    let entry = listed.lines().find(|line| line.starts_with(id)).expect("the object is in the pack");
    let mut numbers = entry.split_whitespace().skip(3).map(|word| word.parse::<usize>().expect("a number"));
    let (size, offset) = (numbers.next().expect("a size"), numbers.next().expect("an offset"));
    flip(&index.with_extension("pack"), offset + size / 2, 4);
}

/// Turns a bit of a file's byte; its time stays.
fn flip(path: &Path, at: usize, bit: u8) {
    let time = fs::metadata(path).and_then(|data| data.modified()).expect("it has a time");
    let mut bytes = fs::read(path).expect("read what is to be damaged");
    bytes[at] ^= 1 << bit;
    overwrite(path, &bytes);
    let opened = fs::File::options().append(true).open(path).expect("open it");
    opened.set_modified(time).expect("set its time back");
}

/// So many places in a file of this length, its ends among them.
fn places(length: usize, most: usize) -> Vec<usize> {
    let mut rng = Rng::with_seed(length as u64);
    let edges =
        [0, 1, 7, 8, 16, 31, 32, 33, 64, length / 2, length - 33, length - 32, length - 31, length - 1];
    let inside = (0..if is_long() { 50 * most } else { most }).map(|_| rng.usize(..length));
    edges.into_iter().filter(|at| *at < length).chain(inside).collect()
}
