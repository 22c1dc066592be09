//! Packs that no honest program writes: what they hold is said to be unreadable, and nothing beside them is lost.

use std::fs;

use super::{
    exactness::{FEW, agreed, agreed_by},
    faults::complaint,
    git::{Import, Repo, file},
    oracle::Oracle,
    pack::{Delta, Kind, Op, Pack, distance, header, hex, object_id, raw_id},
    text::{code, leak, leaky},
};

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

/// What is wrong with a run over such a pack: it has to be incomplete, and to find the leak beside it.
fn wrong(what: &str, build: impl FnOnce(&mut Pack) -> Vec<[u8; 20]>) -> Option<String> {
    let (repo, oracle) = beside_a_leak(build);
    let all = agreed_by(FEW, &repo, &["--unreachable", "--exit-zero"]);
    let reached = repo.history(&["--exit-zero", "-j", "2"]);
    let complaint = complaint(&repo, &oracle, &all).or_else(|| {
        let found = [&all, &reached].map(|outcome| (outcome.code, outcome.paths()));
        (found != [(); 2].map(|()| (3, vec!["sound.py".to_owned()]))).then(|| format!("{found:?}"))
    })?;
    Some(format!("{what}: {complaint}"))
}

#[track_caller]
fn none_wrong(wrongs: impl IntoIterator<Item = Option<String>>) {
    let wrongs: Vec<String> = wrongs.into_iter().flatten().collect();
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}

const NAME: [u8; 20] = [0xAB; 20];
const OTHER: [u8; 20] = [0xCD; 20];

#[test]
fn deltas_that_lead_round_in_a_circle() {
    let mut wrongs = Vec::new();
    let step = |length| Delta::lying(length, length, &[Op::Copy(0, length)]);
    wrongs.push(wrong("a delta of itself by name", |pack| {
        pack.ref_delta(NAME, &step(10), NAME);
        vec![NAME]
    }));
    wrongs.push(wrong("two deltas of each other", |pack| {
        pack.ref_delta(OTHER, &step(10), NAME);
        pack.ref_delta(NAME, &step(10), OTHER);
        vec![NAME, OTHER]
    }));
    wrongs.push(wrong("a delta of itself by distance", |pack| {
        let delta = step(10);
        pack.entry(NAME, &[header(6, delta.bytes.len()), distance(0)].concat(), &delta.bytes);
        vec![NAME]
    }));
    none_wrong(wrongs);
}

#[test]
fn deltas_whose_base_is_nowhere() {
    let mut wrongs = Vec::new();
    let delta = Delta::lying(10, 10, &[Op::Copy(0, 10)]);
    wrongs.push(wrong("a base that is missing", |pack| {
        pack.ref_delta(OTHER, &delta, NAME);
        vec![NAME]
    }));
    for back in [1, 5, 12, 13, 1 << 20, 1 << 62] {
        wrongs.push(wrong(&format!("a base {back} bytes back"), |pack| {
            pack.whole(Kind::Blob, &code(1, 20));
            pack.entry(NAME, &[header(6, delta.bytes.len()), distance(back)].concat(), &delta.bytes);
            vec![NAME]
        }));
    }
    none_wrong(wrongs);
}

#[test]
fn deltas_that_lie() {
    let mut wrongs = Vec::new();
    let base = code(1, 30);
    let length = base.len();
    let text = leak(9).into_bytes();
    let raw = |bytes: &[u8]| Delta { bytes: bytes.to_vec(), result: Vec::new() };
    let cases = [
        ("a copy beyond the base", Delta::lying(length, 100, &[Op::Copy(length - 50, 100)])),
        ("a copy from far beyond", Delta::lying(length, 4, &[Op::Copy(0xffff_fff0, 4)])),
        ("a base of another size", Delta::lying(length + 1, 10, &[Op::Copy(0, 10)])),
        ("a result that is longer", Delta::lying(length, 5, &[Op::Copy(0, 10), Op::Insert(text)])),
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
    ];
    for (what, delta) in cases {
        wrongs.push(wrong(what, |pack| {
            let at = pack.end();
            pack.whole(Kind::Blob, &base);
            pack.ofs_delta(at, &delta, NAME);
            vec![NAME]
        }));
    }
    none_wrong(wrongs);
}

#[test]
fn entries_that_lie() {
    let mut wrongs = Vec::new();
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
        wrongs.push(wrong(what, |pack| {
            pack.entry(NAME, &head, &bytes);
            vec![NAME]
        }));
    }
    wrongs.push(wrong("a bomb of 2 GiB", |pack| {
        pack.entry(NAME, &header(3, 2 << 30), &vec![0; 1 << 20]);
        vec![NAME]
    }));
    none_wrong(wrongs);
}

/// An object of the right name with content that git would never write.
fn whole(kind: Kind, bytes: Vec<u8>) -> impl FnOnce(&mut Pack) -> Vec<[u8; 20]> {
    move |pack| vec![raw_id(&pack.whole(kind, &bytes))]
}

#[test]
fn trees_and_commits_that_are_none() {
    let mut wrongs = Vec::new();
    let id = hex([0x11; 20]);
    for (what, bytes) in [
        ("an entry without a zero byte", b"100644 name".to_vec()),
        ("an entry that is cut", b"100644 name\0abc".to_vec()),
        ("an entry without a mode", [b"name\0".as_slice(), &NAME].concat()),
        ("an entry that is not there", [b"100644 name\0".as_slice(), &NAME].concat()),
        ("a folder that is not there", [b"40000 name\0".as_slice(), &NAME].concat()),
    ] {
        wrongs.push(wrong(what, whole(Kind::Tree, bytes)));
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
        wrongs.push(wrong(what, whole(Kind::Commit, text.into_bytes())));
    }
    wrongs.push(wrong("a parent that is not there", |pack| {
        let tree = pack.whole(Kind::Tree, b"");
        let text =
            format!("tree {tree}\nparent {id}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    }));
    wrongs.push(wrong("a parent that is a blob", |pack| {
        let (tree, blob) = (pack.whole(Kind::Tree, b""), pack.whole(Kind::Blob, b"x"));
        let text =
            format!("tree {tree}\nparent {blob}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    }));
    wrongs.push(wrong("a folder that is a blob", |pack| {
        let blob = raw_id(&pack.whole(Kind::Blob, b"x"));
        vec![raw_id(&pack.whole(Kind::Tree, &[b"40000 name\0".as_slice(), &blob].concat()))]
    }));
    none_wrong(wrongs);
}

#[test]
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

/// A path in such a folder has no end; each of these has a leak in it.
#[test]
fn folders_that_hold_themselves() {
    let folder = |entries: &[(&str, [u8; 20])]| -> Vec<u8> {
        entries.iter().flat_map(|(name, id)| [format!("{name}\0").as_bytes(), id].concat()).collect()
    };
    let commit = |pack: &mut Pack, tree: [u8; 20]| {
        let tree = hex(tree);
        let text = format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        raw_id(&pack.whole(Kind::Commit, text.as_bytes()))
    };
    let put = |pack: &mut Pack, id: [u8; 20], entries: &[(&str, [u8; 20])]| {
        let bytes = folder(entries);
        pack.entry(id, &header(2, bytes.len()), &bytes);
    };
    for is_pair in [false, true] {
        let (repo, _) = beside_a_leak(|pack| {
            let blob = raw_id(&pack.whole(Kind::Blob, leak(8).as_bytes()));
            if is_pair {
                put(pack, NAME, &[("100644 a.py", blob), ("40000 b", OTHER), ("40000 c", OTHER)]);
                put(pack, OTHER, &[("40000 d", NAME), ("40000 e", NAME)]);
            } else {
                put(pack, NAME, &[("100644 a.py", blob), ("40000 b", NAME), ("40000 c", NAME)]);
            }
            vec![commit(pack, NAME)]
        });
        let outcome = agreed(&repo, &["--exit-zero"]).ends(3);
        assert_eq!(outcome.paths(), ["a.py", "sound.py"]);
        let gaps = outcome.gaps().concat();
        assert!(gaps.contains(&hex(NAME)) && gaps.contains(&hex(OTHER)) == is_pair, "{gaps}");
        // Commit by commit objects are held against their names.
        repo.history(&["--range", "main..refs/tags/bad0", "--exit-zero"]).ends(3);
    }
}

/// No honest program writes this, and only `git fsck` would see it; what stands there is scanned all the same.
#[test]
fn content_under_the_name_of_another_object_is_scanned() {
    let base = code(1, 30);
    let held = leak(9).into_bytes();
    let delta = Delta::lying(base.len(), held.len(), &[Op::Insert(held.clone())]);
    let (repo, _) = beside_a_leak(|pack| {
        pack.entry(NAME, &header(3, held.len()), &held);
        let at = pack.end();
        pack.whole(Kind::Blob, &base);
        pack.ofs_delta(at, &delta, OTHER);
        vec![NAME, OTHER]
    });
    assert_eq!(agreed_by(FEW, &repo, &[]).ends(1).findings().len(), 2);
}

/// git reads no such delta; it is what a fetch that was cut may leave behind.
#[test]
fn a_thin_pack_left_over_hides_nothing() {
    let base = leaky(1, 1);
    let delta = Delta::new(&base, &[Op::Copy(0, base.len()), Op::Insert(leak(2).into_bytes())]);
    let (repo, _) = beside_a_leak(|pack| {
        pack.ref_delta(object_id(Kind::Blob, &base), &delta, delta.id());
        let tree = pack.whole(Kind::Tree, &[b"100644 a.py\0".as_slice(), &delta.id()].concat());
        let text = format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    });
    let outcome = agreed_by(FEW, &repo, &["--exit-zero"]);
    assert!(outcome.code == 3 || outcome.findings().len() == 2, "{}", outcome.stdout);
}

/// No checkout would make such files, but whoever reads the objects can read them.
#[test]
fn files_of_forbidden_names_are_scanned() {
    for name in ["", ".", "..", ".git", "a/b", "/etc/passwd", "../../x", ".git/config", "a\\b", "\u{202e}"] {
        let (repo, _) = beside_a_leak(|pack| {
            let blob = raw_id(&pack.whole(Kind::Blob, leak(8).as_bytes()));
            let tree = pack.whole(Kind::Tree, &[format!("100644 {name}\0").as_bytes(), &blob].concat());
            let text = format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
            vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
        });
        assert_eq!(agreed_by(FEW, &repo, &[]).ends(1).findings().len(), 2, "{name:?}");
    }
}

/// Which of two entries of one name a checkout takes is nobody's promise: both are read.
#[test]
fn two_entries_of_one_name_are_both_scanned() {
    let (repo, _) = beside_a_leak(|pack| {
        let blobs = [7, 8].map(|number| raw_id(&pack.whole(Kind::Blob, leak(number).as_bytes())));
        let [one, two] = blobs.map(|blob| [b"100644 a.py\0".as_slice(), &blob].concat());
        let tree = pack.whole(Kind::Tree, &[one, two].concat());
        let text = format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        vec![raw_id(&pack.whole(Kind::Commit, text.as_bytes()))]
    });
    assert_eq!(agreed_by(FEW, &repo, &[]).ends(1).findings().len(), 3);
}
