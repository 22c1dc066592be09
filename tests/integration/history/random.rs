//! Histories nobody thought of: random edits to random files in a random graph, packed anyhow.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::{
    git::{Change, Import, Mark, Repo},
    text::{leak, line, lines, rule_text, spliced, text, two_lines},
};
use crate::secrets::pem;

type Tree = BTreeMap<String, Vec<u8>>;

/// A repository from a seed.
pub(crate) fn random(rng: &mut Rng) -> Repo {
    let mut import = Import::default();
    let mut commits: Vec<(Mark, Tree)> = Vec::new();
    for _ in 0..rng.usize(20..90) {
        let (parents, mut tree, before) = parents(rng, &commits);
        (0..rng.usize(1..4)).for_each(|_| change(rng, &mut tree));
        let gone = before.keys().filter(|path| !tree.contains_key(*path));
        let mut changes: Vec<Change<'_>> = gone.map(|path| Change::Delete(path.as_bytes())).collect();
        let new = tree.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes));
        changes.extend(new.map(|(path, bytes)| Change::File(path.as_bytes(), bytes)));
        let branch = ["main", "side", "topic/x"][rng.usize(..3)];
        let commit = import.commit(branch, &parents, &changes);
        if rng.u8(..12) == 0 {
            import.tag(&format!("t{commit}"), commit, "a tag\n");
        }
        if rng.u8(..8) == 0 {
            import.reference(&format!("refs/remotes/origin/b{commit}"), commit);
        }
        commits.push((commit, tree));
    }
    let repo = Repo::new();
    repo.import_with(&import, &[], &[&format!("--depth={}", [1, 10, 50, 4000][rng.usize(..4)])]);
    repack(rng, &repo);
    repo.lay_out_all();
    repo
}

/// Parents of a commit to come, the tree to start from, and the first parent's tree.
fn parents(rng: &mut Rng, commits: &[(Mark, Tree)]) -> (Vec<Mark>, Tree, Tree) {
    let Some((last, _)) = commits.len().checked_sub(1).zip(commits.last()) else {
        return (Vec::new(), Tree::new(), Tree::new());
    };
    let recent = |rng: &mut Rng| rng.usize(last.saturating_sub(8)..=last);
    let mut chosen = vec![recent(rng)];
    let more = [0, 0, 0, 0, 1, 1, 2][rng.usize(..7)];
    chosen.extend((0..more).map(|_| recent(rng)));
    chosen.sort_unstable();
    chosen.dedup();
    rng.shuffle(&mut chosen);
    let before = commits[chosen[0]].1.clone();
    let mut tree = before.clone();
    for parent in &chosen[1..] {
        // Of a merge's sides one wins, file by file.
        let theirs = commits[*parent].1.iter().filter(|_| rng.bool());
        tree.extend(theirs.map(|(path, bytes)| (path.clone(), bytes.clone())));
    }
    (chosen.iter().map(|index| commits[*index].0).collect(), tree, before)
}

/// Paths that are findings whatever stands there, and some that are nearly so.
const SECRET_FILES: &[&str] = &[
    ".ssh/id_rsa",
    ".ssh/id_rsa.pub",
    "conf/server.jks",
    ".aws/credentials",
    "credentials",
    "terraform.tfstate",
];

pub(crate) fn name(rng: &mut Rng) -> String {
    if rng.u8(..6) == 0 {
        return SECRET_FILES[rng.usize(..SECRET_FILES.len())].to_owned();
    }
    let folder = ["", "src/", "src/deep/er/", "tests/", "conf/"][rng.usize(..5)];
    let end = ["py", "yaml", "env", "js"][rng.usize(..4)];
    format!("{folder}{}.{end}", rng.u8(..12))
}

/// One thing that a person does to a tree.
fn change(rng: &mut Rng, tree: &mut Tree) {
    let paths: Vec<String> = tree.keys().cloned().collect();
    let Some(path) = (!paths.is_empty()).then(|| paths[rng.usize(..paths.len())].clone()) else {
        tree.insert("first.py".into(), start(rng));
        return;
    };
    match rng.u8(..16) {
        0 | 1 => drop(tree.insert(name(rng), start(rng))),
        2 => drop(tree.remove(&path)),
        3 => {
            let bytes = tree.remove(&path).expect("it is there");
            tree.insert(name(rng), bytes);
        }
        4 => {
            let bytes = tree[&path].clone();
            tree.insert(name(rng), bytes);
        }
        _ => {
            let bytes = tree[&path].clone();
            let edits = rng.usize(1..6);
            let edited = (0..edits).fold(bytes, |bytes, _| edited(rng, &bytes));
            tree.insert(path, edited);
        }
    }
}

fn start(rng: &mut Rng) -> Vec<u8> {
    let count = rng.usize(0..150);
    let mut code = lines(rng, count);
    (0..rng.usize(..6)).for_each(|_| code.insert(rng.usize(..=code.len()), held(rng)));
    text(&code)
}

/// Something worth finding, or nearly.
pub(crate) fn held(rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => leak(rng.u64(..30)).trim_end().to_owned(),
        1 => pem(rng.u64(..5)),
        2 => two_lines(rng.u64(..9)).join("\n"),
        3 => format!("{} # hekate:allow", leak(rng.u64(..30)).trim_end()),
        _ => String::from_utf8_lossy(&rule_text(rng)).into_owned(),
    }
}

/// Lines or bytes put in, taken out, changed, moved or doubled.
fn edited(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let by_lines = rng.u8(..4) > 0;
    let at = place(rng, bytes, by_lines);
    let size = if by_lines { 400 } else { 60 };
    let end = place(rng, bytes, by_lines).clamp(at, (at + size).min(bytes.len()));
    let block = &bytes[at..end];
    match rng.u8(..8) {
        0 => spliced(bytes, at, 0, format!("{}\n", line(rng)).as_bytes()),
        1 => spliced(bytes, at, end - at, b""),
        2 => spliced(bytes, at, end - at, format!("{}\n", line(rng)).as_bytes()),
        3 => {
            let rest = spliced(bytes, at, end - at, b"");
            let to = place(rng, &rest, by_lines);
            spliced(&rest, to, 0, block)
        }
        4 => spliced(bytes, place(rng, bytes, by_lines), 0, block),
        5 => spliced(bytes, at, 0, held(rng).as_bytes()),
        _ => spliced(bytes, at, 0, format!("{}\n", held(rng)).as_bytes()),
    }
}

/// An offset, or the start of a line.
fn place(rng: &mut Rng, bytes: &[u8], by_lines: bool) -> usize {
    let at = rng.usize(..=bytes.len());
    let line = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
    if by_lines { line } else { at }
}

fn repack(rng: &mut Rng, repo: &Repo) {
    let offsets = ["repack.useDeltaBaseOffset=true", "repack.useDeltaBaseOffset=false"][rng.usize(..2)];
    let depth = ["--depth=2", "--depth=20", "--depth=200", "--depth=4095"][rng.usize(..4)];
    let window = ["--window=3", "--window=50", "--window=250"][rng.usize(..3)];
    match rng.u8(..6) {
        0 => {}
        1 => {
            repo.git(&["repack", "--quiet", "-d", "--cruft"]);
        }
        _ => {
            repo.git(&["-c", offsets, "repack", "--quiet", "-adf", depth, window]);
        }
    }
}
