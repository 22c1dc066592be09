//! Damage: never called clean, never a panic, and whatever else can be read is still scanned.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fastrand::Rng;

use super::{
    exactness::{FEW, agreed_by},
    git::{Import, Repo, file, overwrite},
    is_long,
    oracle::{Kind as Found, Oracle, Seen, parse_batch},
    pack::{self, deflated},
    report::Reported,
    storage::edits,
    text::{code, leaky},
};
use crate::harness::Outcome;

/// Some history, in a pack with deltas.
fn packed() -> Repo {
    let mut import = Import::default();
    edits(&mut import, 24, 1);
    let repo = Repo::of(&import);
    repo.git(&["repack", "--quiet", "-adf", "--depth=20", "--window=30"]);
    repo
}

fn loose() -> Repo {
    let mut import = Import::default();
    edits(&mut import, 8, 1);
    let repo = Repo::new();
    repo.import_with(&import, &["-c", "fastimport.unpackLimit=10000"], &[]);
    repo
}

fn only(mut paths: Vec<PathBuf>) -> PathBuf {
    assert_eq!(paths.len(), 1);
    paths.remove(0)
}

/// What a run over something damaged comes to: the same by every engine, orderly, and with all that git can still read.
#[track_caller]
fn survives(repo: &Repo, before: &Oracle, what: &str) -> Outcome {
    println!("{what}");
    let outcome = agreed_by(FEW, repo, &["--unreachable", "--exit-zero"]);
    assert_eq!(complaint(repo, before, &outcome), None, "{what}");
    outcome
}

/// What is wrong with a run over something damaged.
pub(crate) fn complaint(repo: &Repo, before: &Oracle, outcome: &Outcome) -> Option<String> {
    if !matches!(outcome.code, 0 | 3) || outcome.stderr.contains("panicked") {
        return Some(format!("it ends with {}: {}", outcome.code, outcome.stderr));
    }
    let (readable, lost) = split(repo, before);
    let found: BTreeSet<Seen> = Reported::of(outcome).seen;
    for id in before.of_kind(&readable, Found::Blob) {
        // Paths decide little about these contents: who counts is decided by lines.
        let held = before.of_blob(id, "a.py");
        if let Some(missed) = held.difference(&found).next() {
            return Some(format!("{id} can be read, and {missed:?} in it is lost"));
        }
    }
    if outcome.code == 3 {
        return None;
    }
    if let Some(id) = lost.first() {
        return Some(format!("{} objects can't be read, {id} among them, and that is not said", lost.len()));
    }
    let (is_sound, _, said) = repo.try_git(b"", &["fsck", "--full", "--no-dangling"]);
    (!is_sound).then(|| format!("called complete, and git fsck says {said}"))
}

/// The objects that git reads as they were, and the others.
fn split(repo: &Repo, before: &Oracle) -> (BTreeSet<String>, BTreeSet<String>) {
    let all: Vec<String> = before.all().into_iter().collect();
    let mut readable = BTreeSet::new();
    let mut first = 0;
    // It ends at the first object that it can't read: then it is asked for those behind.
    while first < all.len() {
        let ids = all[first..].join("\n");
        let (_, answers, _) = repo.try_git(ids.as_bytes(), &["cat-file", "--batch"]);
        let answers = parse_batch(&answers);
        let as_it_was = answers.iter().filter(|(id, kind, bytes)| before.holds(id, *kind, bytes));
        readable.extend(as_it_was.map(|(id, ..)| id.clone()));
        first += answers.len() + 1;
    }
    all.into_iter().partition(|id| readable.contains(id))
}

/// Damages a file at many places, one at a time.
fn each_flip(repo: &Repo, path: &Path, offsets: impl IntoIterator<Item = usize>, rng: &mut Rng) {
    let before = Oracle::of(repo);
    let sound = fs::read(path).expect("read what is to be damaged");
    let mut complaints = Vec::new();
    for at in offsets {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << rng.u8(..8);
        overwrite(path, &bytes);
        let outcome = agreed_by(FEW, repo, &["--unreachable", "--exit-zero"]);
        let complaint = complaint(repo, &before, &outcome);
        complaints.extend(complaint.map(|complaint| format!("byte {at} of {}: {complaint}", sound.len())));
    }
    overwrite(path, &sound);
    assert!(complaints.is_empty(), "{}: {complaints:#?}", path.display());
    agreed_by(FEW, repo, &[]).ends(1);
}

/// So many offsets of a file, its ends among them.
fn offsets(path: &Path, most: usize, rng: &mut Rng) -> BTreeSet<usize> {
    let length = fs::metadata(path).expect("it is there").len() as usize;
    let edges = [0, 4, 7, 11, 12, 13, length - 41, length - 30, length - 21, length - 20, length - 1];
    let inside = (0..if is_long() { 20 * most } else { most }).map(|_| rng.usize(..length));
    edges.into_iter().chain(inside).collect()
}

#[test]
fn a_flipped_bit_in_a_pack() {
    let (repo, mut rng) = (packed(), Rng::with_seed(1));
    let path = only(repo.packs("pack"));
    let places = offsets(&path, 10, &mut rng);
    each_flip(&repo, &path, places, &mut rng);
}

#[test]
fn a_flipped_bit_in_the_header_of_an_entry() {
    let (repo, mut rng) = (packed(), Rng::with_seed(2));
    let path = only(repo.packs("pack"));
    let listed =
        String::from_utf8(repo.git(&["verify-pack", "-v", &path.to_string_lossy()])).expect("it is text");
    let offset = |line: &str| line.split_whitespace().nth(4)?.parse::<usize>().ok();
    let mut places: Vec<usize> = listed.lines().filter_map(offset).collect();
    rng.shuffle(&mut places);
    places.truncate(if is_long() { 100 } else { 6 });
    let places: BTreeSet<usize> = places.into_iter().flat_map(|at| [at, at + 1, at + 2]).collect();
    each_flip(&repo, &path, places, &mut rng);
}

#[test]
fn a_flipped_bit_in_an_index() {
    let (repo, mut rng) = (packed(), Rng::with_seed(3));
    let path = only(repo.packs("idx"));
    let places: BTreeSet<usize> =
        offsets(&path, 10, &mut rng).into_iter().chain([8, 8 + 1020, 1035]).collect();
    each_flip(&repo, &path, places, &mut rng);
}

#[test]
fn a_flipped_bit_in_a_loose_object() {
    let (repo, mut rng) = (loose(), Rng::with_seed(4));
    let oracle = Oracle::of(&repo);
    let mut ids: Vec<String> = oracle.all().into_iter().collect();
    rng.shuffle(&mut ids);
    for id in ids.iter().take(if is_long() { 40 } else { 5 }) {
        let path = repo.loose(id);
        let length = fs::metadata(&path).expect("it is there").len() as usize;
        let places: BTreeSet<usize> = [0, 1, 2, 5, rng.usize(..length), length - 1].into();
        each_flip(&repo, &path, places, &mut rng);
    }
}

#[test]
fn a_cut_pack_or_index() {
    let repo = packed();
    let before = Oracle::of(&repo);
    for extension in ["pack", "idx"] {
        let path = only(repo.packs(extension));
        let sound = fs::read(&path).expect("read it");
        for length in [0, 3, 12, 20, 500, 1032, 1200, sound.len() / 2, sound.len() - 21, sound.len() - 1] {
            overwrite(&path, &sound[..length]);
            let outcome = survives(&repo, &before, &format!("{extension} cut to {length}"));
            assert_eq!(outcome.code, 3);
        }
        overwrite(&path, &[&sound[..], b"and more"].concat());
        survives(&repo, &before, &format!("{extension} made longer"));
        overwrite(&path, &sound);
    }
}

#[test]
fn a_pack_without_index_and_an_index_without_pack() {
    for extension in ["pack", "idx"] {
        let repo = packed();
        let before = Oracle::of(&repo);
        fs::remove_file(only(repo.packs(extension))).expect("remove it");
        assert_eq!(survives(&repo, &before, extension).code, 3);
    }
}

#[test]
fn objects_that_are_gone_or_empty_or_foreign() {
    let repo = loose();
    let oracle = Oracle::of(&repo);
    let text = code(1, 9);
    for kind in [Found::Commit, Found::Tree, Found::Blob] {
        let all = oracle.all();
        let ids = oracle.of_kind(&all, kind);
        let id = ids.iter().nth(ids.len() / 2).expect("there is one");
        let other = ids.iter().next().expect("there is one");
        let path = repo.loose(id);
        let sound = fs::read(&path).expect("read it");
        for (what, bytes) in [
            ("gone", None),
            ("empty", Some(Vec::new())),
            ("no zlib", Some(b"hello".to_vec())),
            ("no header", Some(deflated(b"nothing here"))),
            ("huge", Some(pack::loose("blob 1099511627776", &text))),
            ("beyond numbers", Some(pack::loose("blob 99999999999999999999999", &text))),
            ("negative", Some(pack::loose("blob -1", &text))),
            ("longer than said", Some(pack::loose("blob 3", &text))),
            ("another kind", Some(pack::loose(&format!("tag {}", text.len()), &text))),
            ("no kind", Some(pack::loose("blub 3", b"abc"))),
            ("another object", Some(fs::read(repo.loose(other)).expect("read it"))),
        ] {
            match bytes {
                None => fs::remove_file(&path).expect("remove it"),
                Some(bytes) => overwrite(&path, &bytes),
            }
            let outcome = survives(&repo, &oracle, &format!("{kind:?} {what}"));
            assert_eq!(outcome.code, 3, "{kind:?} {what}");
            overwrite(&path, &sound);
        }
    }
}

#[test]
fn a_pack_that_is_gone_beside_one_that_is_there() {
    let repo = packed();
    let mut more = Import::default();
    more.commit("other", &[], &[file("c.py", &leaky(4, 40))]);
    repo.import(&more);
    let before = Oracle::of(&repo);
    let pack = repo.packs("pack").into_iter().max_by_key(|path| fs::metadata(path).expect("there").len());
    fs::remove_file(pack.expect("there are two")).expect("remove it");
    let outcome = survives(&repo, &before, "one of two packs");
    assert_eq!(outcome.code, 3);
    assert_eq!(outcome.paths(), ["c.py"]);
}

#[test]
fn refs_that_lead_nowhere() {
    let nowhere = "0123456789abcdef0123456789abcdef01234567";
    for (path, text) in [
        ("refs/heads/lost", format!("{nowhere}\n")),
        ("refs/tags/lost", format!("{nowhere}\n")),
        ("refs/heads/garbage", "not an id\n".to_owned()),
        ("refs/heads/empty", String::new()),
        ("packed-refs", format!("{nowhere} refs/heads/packed\n")),
        ("packed-refs", "garbage in here\n".to_owned()),
        ("refs/heads/loop", "ref: refs/heads/loop\n".to_owned()),
        ("HEAD", format!("{nowhere}\n")),
    ] {
        let repo = loose();
        let before = Oracle::of(&repo);
        overwrite(&repo.git_path(path), text.as_bytes());
        let outcome = survives(&repo, &before, &format!("{path}: {text}"));
        assert_eq!(outcome.code, 3, "{path}: {text}");
    }
}

#[test]
fn links_to_a_device_are_not_read_to_its_end() {
    // git itself would read the device to its end.
    for path in ["refs/heads/zero", "objects/info/alternates", "packed-refs", "shallow"] {
        let repo = loose();
        std::os::unix::fs::symlink("/dev/zero", repo.git_path(path)).expect("make a link");
        let outcome = agreed_by(FEW, &repo, &["--exit-zero"]);
        assert!(matches!(outcome.code, 2 | 3), "{path}: {} {}", outcome.code, outcome.stderr);
    }
}

#[test]
fn alternates_that_are_gone_or_lead_round() {
    let base = packed();
    let repo = base.cloned("second", &["--shared"]);
    let before = Oracle::of(&repo);
    fs::write(base.git_path("objects/info/alternates"), "../../second/.git/objects\n").expect("write");
    fs::write(
        base.git_path("objects/info/alternates"),
        repo.git_path("objects").to_string_lossy().as_bytes(),
    )
    .expect("write");
    assert_eq!(survives(&repo, &before, "a circle of alternates").code, 0);
    fs::remove_dir_all(base.git_path("objects/pack")).expect("remove it");
    assert_eq!(survives(&repo, &before, "an alternate that is gone").code, 3);
}

#[test]
fn what_no_repository_is_refused() {
    let repo = loose();
    for name in ["nowhere", "marks"] {
        let outcome = repo.history_from(name, &[]);
        assert_eq!(outcome.code, 2, "{name}: {}", outcome.stdout);
        assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
    }
    overwrite(&repo.git_path("HEAD"), b"");
    // git calls this no repository; its refs are there all the same.
    let outcome = repo.history(&["--exit-zero"]);
    assert!(matches!(outcome.code, 2 | 3), "{}", outcome.code);
}

#[test]
fn what_is_gone_from_many_paths_is_told_with_the_same_one_by_any_number_of_threads() {
    let mut import = Import::default();
    let bytes = leaky(1, 1);
    for branch in 0..60 {
        let paths: Vec<String> =
            (0..9).map(|at| format!("{}/{}.py", branch * 7 % 11, at * 31 + branch)).collect();
        let changes: Vec<_> = paths.iter().map(|path| file(path, &bytes)).collect();
        import.commit(&format!("b{branch}"), &[], &changes);
    }
    let repo = Repo::new();
    repo.import_with(&import, &["-c", "fastimport.unpackLimit=10000"], &[]);
    let blob = repo.git_line(&["rev-parse", "b0:0/0.py"]);
    fs::remove_file(repo.loose(&blob)).expect("remove it");
    let outcome = agreed_by(FEW, &repo, &[]).ends(3);
    assert!(outcome.stdout.contains("0/0.py in "), "{}", outcome.stdout);
}
