//! Damage: never called clean, never a panic, and whatever else can be read is still scanned.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fastrand::Rng;

use super::{
    contents::commit_each,
    exactness::agreed,
    git::{Import, Repo, file, overwrite},
    is_long,
    oracle::{Kind as Found, Oracle, Seen},
    pack::{self, Delta, Kind, Op, Pack, deflated, distance, header, hex, raw_id},
    report::Reported,
    storage::edits,
    text::{code, leak, leaky},
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
    let outcome = agreed(repo, &["--unreachable", "--exit-zero"]);
    assert!(matches!(outcome.code, 0 | 3), "{what}: {} {}", outcome.code, outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{what}: {}", outcome.stderr);
    let (readable, lost) = split(repo, before);
    let found: BTreeSet<Seen> = Reported::of(&outcome).seen;
    for id in before.of_kind(&readable, Found::Blob) {
        // Paths decide little about these contents: who counts is decided by lines.
        let held = before.of_blob(id, "a.py");
        let missed: Vec<&Seen> = held.difference(&found).collect();
        assert!(missed.is_empty(), "{what}: {id} can be read, and {missed:?} in it is lost");
    }
    if !lost.is_empty() {
        assert_eq!(outcome.code, 3, "{what}: {lost:?} can't be read, and that is not said");
    }
    if outcome.code == 0 {
        let (is_sound, _, said) = repo.try_git(b"", &["fsck", "--full", "--no-dangling"]);
        assert!(is_sound, "{what}: called complete, and git says {said}");
    }
    outcome
}

/// The objects that git reads as they were, and the others.
fn split(repo: &Repo, before: &Oracle) -> (BTreeSet<String>, BTreeSet<String>) {
    let reads = |id: &String| {
        let kind = match before.kind(id) {
            Some(Found::Blob) => "blob",
            Some(Found::Commit) => "commit",
            Some(Found::Tag) => "tag",
            _ => "tree",
        };
        let (success, bytes, _) = repo.try_git(b"", &["cat-file", kind, id]);
        success && Some(bytes.as_slice()) == before.bytes(id)
    };
    before.all().into_iter().partition(reads)
}

/// Damages a file at many places, one at a time.
fn each_flip(repo: &Repo, path: &Path, offsets: impl IntoIterator<Item = usize>, rng: &mut Rng) {
    let before = Oracle::of(repo);
    let sound = fs::read(path).expect("read what is to be damaged");
    for at in offsets {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << rng.u8(..8);
        overwrite(path, &bytes);
        survives(repo, &before, &format!("byte {at} of {} of {}", sound.len(), path.display()));
    }
    overwrite(path, &sound);
    agreed(repo, &[]).ends(1);
}

/// So many offsets of a file, its ends among them.
fn offsets(path: &Path, most: usize, rng: &mut Rng) -> BTreeSet<usize> {
    let length = fs::metadata(path).expect("it is there").len() as usize;
    let edges = [0, 4, 7, 11, 12, 13, length - 41, length - 30, length - 21, length - 20, length - 1];
    let inside = (0..if is_long() { 20 * most } else { most }).map(|_| rng.usize(..length));
    edges.into_iter().chain(inside).collect()
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn a_flipped_bit_in_a_pack() {
    let (repo, mut rng) = (packed(), Rng::with_seed(1));
    let path = only(repo.packs("pack"));
    let places = offsets(&path, 10, &mut rng);
    each_flip(&repo, &path, places, &mut rng);
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn a_flipped_bit_in_an_index() {
    let (repo, mut rng) = (packed(), Rng::with_seed(3));
    let path = only(repo.packs("idx"));
    let places: BTreeSet<usize> =
        offsets(&path, 10, &mut rng).into_iter().chain([8, 8 + 1020, 1035]).collect();
    each_flip(&repo, &path, places, &mut rng);
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn a_pack_without_index_and_an_index_without_pack() {
    for extension in ["pack", "idx"] {
        let repo = packed();
        let before = Oracle::of(&repo);
        fs::remove_file(only(repo.packs(extension))).expect("remove it");
        assert_eq!(survives(&repo, &before, extension).code, 3);
    }
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn objects_that_are_gone_or_empty_or_foreign() {
    let oracle = Oracle::of(&loose());
    for kind in [Found::Commit, Found::Tree, Found::Blob] {
        let all = oracle.all();
        let ids = oracle.of_kind(&all, kind);
        let id = ids.iter().nth(ids.len() / 2).expect("there is one");
        let other = ids.iter().next().expect("there is one");
        let word = format!("{kind:?}");
        for (what, bytes) in [
            ("gone", None),
            ("empty", Some(Vec::new())),
            ("no zlib", Some(b"hello".to_vec())),
            ("no header", Some(deflated(b"nothing here"))),
            ("huge", Some(pack::loose("blob 1099511627776", &code(1, 9)))),
            ("beyond numbers", Some(pack::loose("blob 99999999999999999999999", &code(1, 9)))),
            ("negative", Some(pack::loose("blob -1", &code(1, 9)))),
            ("longer than said", Some(pack::loose("blob 3", &code(1, 9)))),
            ("another kind", Some(pack::loose(&format!("tag {}", code(1, 9).len()), &code(1, 9)))),
            ("no kind", Some(pack::loose("blub 3", b"abc"))),
            ("another object", Some(fs::read(loose_copy(&oracle, other)).expect("read it"))),
        ] {
            let repo = loose();
            let path = repo.loose(id);
            match bytes {
                None => fs::remove_file(&path).expect("remove it"),
                Some(bytes) => overwrite(&path, &bytes),
            }
            let outcome = survives(&repo, &oracle, &format!("{word} {what}"));
            assert_eq!(outcome.code, 3, "{word} {what}");
        }
    }
}

/// An object of the oracle as a loose file.
fn loose_copy(oracle: &Oracle, id: &str) -> PathBuf {
    let kind = format!("{:?}", oracle.kind(id).expect("it is there")).to_lowercase();
    let bytes = oracle.bytes(id).expect("it is there");
    let folder = tempfile::tempdir().expect("make a folder").keep();
    let path = folder.join("object");
    fs::write(&path, pack::loose(&format!("{kind} {}", bytes.len()), bytes)).expect("write it");
    path
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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

/// A repository with a leak in a sound commit, and a pack that holds what no program writes.
fn beside_a_leak(build: impl FnOnce(&mut Pack) -> Vec<[u8; 20]>) -> (Repo, Oracle) {
    let mut import = Import::default();
    import.commit("main", &[], &[file("sound.py", &leaky(1, 1))]);
    let repo = Repo::of(&import);
    let oracle = Oracle::of(&repo);
    let mut pack = Pack::new();
    let named = build(&mut pack);
    pack.write(&repo);
    // Refs to what is damaged, so that it is asked for.
    let lines: String =
        named.iter().enumerate().map(|(at, id)| format!("{} refs/tags/bad{at}\n", hex(*id))).collect();
    fs::write(repo.git_path("packed-refs"), lines).expect("write refs");
    (repo, oracle)
}

#[track_caller]
fn is_incomplete(what: &str, build: impl FnOnce(&mut Pack) -> Vec<[u8; 20]>) {
    let (repo, oracle) = beside_a_leak(build);
    let outcome = survives(&repo, &oracle, what);
    assert_eq!((outcome.code, outcome.paths()), (3, vec!["sound.py".to_owned()]), "{what}");
    let outcome = agreed(&repo, &["--exit-zero"]).ends(3);
    assert_eq!(outcome.paths(), ["sound.py"], "{what}");
}

const NAME: [u8; 20] = [0xAB; 20];
const OTHER: [u8; 20] = [0xCD; 20];

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn deltas_that_lead_round_in_a_circle() {
    let step = |length| Delta::lying(length, length, &[Op::Copy(0, length)]);
    is_incomplete("a delta of itself by name", |pack| {
        pack.ref_delta(NAME, &step(10), NAME);
        vec![NAME]
    });
    is_incomplete("two deltas of each other", |pack| {
        pack.ref_delta(OTHER, &step(10), NAME);
        pack.ref_delta(NAME, &step(10), OTHER);
        vec![NAME, OTHER]
    });
    is_incomplete("a delta of itself by distance", |pack| {
        let delta = step(10);
        pack.entry(NAME, &[header(6, delta.bytes.len()), distance(0)].concat(), &delta.bytes);
        vec![NAME]
    });
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn deltas_whose_base_is_nowhere() {
    let delta = Delta::lying(10, 10, &[Op::Copy(0, 10)]);
    is_incomplete("a base that is missing", |pack| {
        pack.ref_delta(OTHER, &delta, NAME);
        vec![NAME]
    });
    for back in [1, 5, 12, 13, 1 << 20, 1 << 62] {
        is_incomplete(&format!("a base {back} bytes back"), |pack| {
            pack.whole(Kind::Blob, &code(1, 20));
            pack.entry(NAME, &[header(6, delta.bytes.len()), distance(back)].concat(), &delta.bytes);
            vec![NAME]
        });
    }
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn deltas_that_lie() {
    let base = code(1, 30);
    let length = base.len();
    let text = leak(9).into_bytes();
    let raw = |bytes: &[u8]| Delta { bytes: bytes.to_vec(), result: Vec::new() };
    let cases = [
        ("a copy beyond the base", Delta::lying(length, 100, &[Op::Copy(length - 50, 100)])),
        ("a copy from far beyond", Delta::lying(length, 4, &[Op::Copy(0xffff_fff0, 4)])),
        ("a base of another size", Delta::lying(length + 1, 10, &[Op::Copy(0, 10)])),
        ("a result that is longer", Delta::lying(length, 5, &[Op::Copy(0, 10), Op::Insert(text.clone())])),
        ("a result that is shorter", Delta::lying(length, 5000, &[Op::Copy(0, 10)])),
        ("a result of a terabyte", Delta::lying(length, 1 << 40, &[Op::Copy(0, 10)])),
        (
            "a result beyond numbers",
            raw(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ),
        ("an instruction of no kind", raw(&[&Delta::lying(length, 1, &[]).bytes[..], &[0]].concat())),
        ("an insert that is cut", raw(&[&Delta::lying(length, 90, &[]).bytes[..], &[90, b'x']].concat())),
        ("a copy that is cut", raw(&[&Delta::lying(length, 90, &[]).bytes[..], &[0xff, 1]].concat())),
        ("nothing at all", raw(b"")),
        ("a size without an end", raw(&[0x80, 0x80])),
        ("a result that is another object", Delta::lying(length, text.len(), &[Op::Insert(text)])),
    ];
    for (what, delta) in cases {
        is_incomplete(what, |pack| {
            let at = pack.end();
            pack.whole(Kind::Blob, &base);
            pack.ofs_delta(at, &delta, NAME);
            vec![NAME]
        });
    }
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn entries_that_lie() {
    let bytes = leak(9).into_bytes();
    for (what, head) in [
        ("a size that is too small", header(3, 10)),
        ("a size that is too big", header(3, 100_000)),
        ("a size of a terabyte", header(3, 1 << 40)),
        (
            "a size beyond numbers",
            vec![0xBF, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("no type", header(0, bytes.len())),
        ("the reserved type", header(5, bytes.len())),
        ("a tag that is none", header(4, bytes.len())),
        ("a commit that is none", header(1, bytes.len())),
        ("a tree that is none", header(2, bytes.len())),
    ] {
        is_incomplete(what, |pack| {
            pack.entry(NAME, &head, &bytes);
            vec![NAME]
        });
    }
    is_incomplete("content of another name", |pack| {
        pack.entry(NAME, &header(3, bytes.len()), &bytes);
        vec![NAME]
    });
    is_incomplete("a bomb of 2 GiB", |pack| {
        pack.entry(NAME, &header(3, 2 << 30), &vec![0; 1 << 20]);
        vec![NAME]
    });
}

/// An object of the right name with content that git would never write.
fn whole(kind: Kind, bytes: Vec<u8>) -> impl FnOnce(&mut Pack) -> Vec<[u8; 20]> {
    move |pack| vec![raw_id(&pack.whole(kind, &bytes))]
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn trees_and_commits_that_are_none() {
    let id = hex([0x11; 20]);
    for (what, bytes) in [
        ("an entry without a zero byte", b"100644 name".to_vec()),
        ("an entry that is cut", b"100644 name\0abc".to_vec()),
        ("an entry without a mode", [b"name\0".as_slice(), &NAME].concat()),
        ("an entry without a name", [b"100644 \0".as_slice(), &NAME].concat()),
        ("an entry that is not there", [b"100644 name\0".as_slice(), &NAME].concat()),
        ("a folder that is not there", [b"40000 name\0".as_slice(), &NAME].concat()),
        ("a mode of no kind", [b"777777777777777777777 name\0".as_slice(), &NAME].concat()),
    ] {
        is_incomplete(what, whole(Kind::Tree, bytes));
    }
    for (what, text) in [
        ("no tree", "author A <a@b> 1 +0000\n\nx\n".to_owned()),
        (
            "a tree that is not there",
            format!("tree {id}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"),
        ),
        ("a tree that is no id", "tree hello\n\nx\n".to_owned()),
        ("nothing", String::new()),
    ] {
        is_incomplete(what, whole(Kind::Commit, text.into_bytes()));
    }
    is_incomplete("a parent that is not there", |pack| {
        let tree = pack.whole(Kind::Tree, b"");
        let text =
            format!("tree {tree}\nparent {id}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    });
    is_incomplete("a parent that is a blob", |pack| {
        let (tree, blob) = (pack.whole(Kind::Tree, b""), pack.whole(Kind::Blob, b"x"));
        let text =
            format!("tree {tree}\nparent {blob}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    });
    is_incomplete("a folder that is a blob", |pack| {
        let blob = raw_id(&pack.whole(Kind::Blob, b"x"));
        vec![raw_id(&pack.whole(Kind::Tree, &[b"40000 name\0".as_slice(), &blob].concat()))]
    });
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn commits_with_odd_headers_are_read_as_git_reads_them() {
    let (repo, _) = beside_a_leak(|pack| {
        let blob = raw_id(&pack.whole(Kind::Blob, leak(8).as_bytes()));
        let tree = pack.whole(Kind::Tree, &[b"100644 odd.py\0".as_slice(), &blob].concat());
        let texts = [
            format!("tree {tree}\nauthor nobody\ncommitter <> 99999999999999999999 +9999\n\n{}", leak(7)),
            format!("tree {tree}\nauthor A <a@b> -1 -0000\ncommitter\nencoding \u{ff}\nmergetag x\n y\n\n"),
            format!("tree {tree}\nauthor \x1b[31m\u{202e} <a\"b> 1 +0000\ncommitter A <a> 1\n"),
        ];
        texts.iter().map(|text| raw_id(&pack.whole(Kind::Commit, text.as_bytes()))).collect()
    });
    let outcome = agreed(&repo, &[]).ends(1);
    assert_eq!(outcome.findings().len(), 3);
    assert!(!outcome.stdout.contains('\x1b'));
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn a_link_of_a_ref_or_pack_out_of_the_repository_is_not_followed_silently() {
    let repo = loose();
    let before = Oracle::of(&repo);
    std::os::unix::fs::symlink("/dev/zero", repo.git_path("refs/heads/zero")).expect("make a link");
    std::os::unix::fs::symlink("/dev/zero", repo.git_path("objects/info/alternates")).expect("make a link");
    survives(&repo, &before, "links to a device");
}

#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
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
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn what_no_repository_is_refused() {
    let repo = loose();
    for name in ["nowhere", "marks"] {
        let outcome = repo.history_from(name, &[]);
        assert_eq!(outcome.code, 2, "{name}: {}", outcome.stdout);
        assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
    }
    overwrite(&repo.git_path("HEAD"), b"");
    let outcome = repo.history(&[]);
    assert!(matches!(outcome.code, 2 | 3), "{}", outcome.code);
}

/// Objects that can't be read must not come back as something else's content.
#[test]
#[ignore = "a run over damaged repositories takes minutes, and not all of it passes yet"]
fn a_thin_pack_left_over_takes_its_bases_from_elsewhere() {
    let repo = Repo::new();
    let base = leaky(1, 1);
    let mut import = Import::default();
    import.commit("main", &[], &[file("a.py", &base)]);
    repo.import(&import);
    let id = raw_id(&repo.git_line(&["rev-parse", "main:a.py"]));
    let delta = Delta::new(&base, &[Op::Copy(0, base.len()), Op::Insert(leak(2).into_bytes())]);
    let mut pack = Pack::new();
    pack.ref_delta(id, &delta, delta.id());
    pack.write(&repo);
    commit_each(&repo, &[hex(delta.id())]);
    assert_eq!(agreed(&repo, &[]).ends(1).findings().len(), 2);
}
