//! Objects that move to other packs, come late, or are no more what they were.

use std::{collections::BTreeSet, fs, path::Path};

use fastrand::Rng;

use super::{
    super::{
        git::{Import, Repo, file, overwrite},
        is_long,
        storage::edits,
        text::{code, leaky},
    },
    clean, commit, commit_loose, flip, places, restore, same, same_in_every_view, same_with_and_without,
    some_history, turn_a_bit, written,
};
use crate::harness::{Outcome, text};

#[test]
fn objects_packed_in_every_other_way() {
    let repo = some_history();
    let before = same_with_and_without(&repo, &[]).ends(1);
    commit_loose(&repo, "main", &[file("a.py", &code(1, 60))]);
    let grown = same_with_and_without(&repo, &[]).findings();
    assert_eq!(grown.len(), before.findings().len());
    for args in [
        &["repack", "--quiet", "-d"][..],
        &["repack", "--quiet", "-adf", "--depth=50", "--window=50"],
        &["-c", "pack.indexVersion=1", "repack", "--quiet", "-adf"],
        &["-c", "repack.useDeltaBaseOffset=false", "repack", "--quiet", "-adf"],
        &["multi-pack-index", "write"],
        &["repack", "--quiet", "-adf", "--depth=0", "--window=0"],
        &["commit-graph", "write", "--reachable", "--changed-paths"],
        &["gc", "--quiet", "--prune=now"],
    ] {
        repo.git(args);
        same_with_and_without(&repo, &[]);
    }
    unpack(&repo);
    assert_eq!(same_with_and_without(&repo, &[]).findings(), grown);
}

/// Makes all packed objects loose.
pub(crate) fn unpack(repo: &Repo) {
    for index in repo.packs("idx") {
        let pack = index.with_extension("pack");
        let bytes = fs::read(&pack).expect("read a pack");
        fs::remove_file(&index).expect("remove an index");
        fs::remove_file(&pack).expect("remove a pack");
        repo.git_fed(&bytes, &["unpack-objects", "-q"]);
    }
    let _ = fs::remove_file(repo.git_path("objects/pack/multi-pack-index"));
}

#[test]
fn an_alternate_whose_objects_change() {
    let base = some_history();
    let repo = base.cloned("second", &["--shared"]);
    same_in_every_view(&repo);
    commit(&base, "main", &[file("base.py", &leaky(60, 60))]);
    base.blob(&leaky(61, 61));
    let grown = same_with_and_without(&repo, &["--unreachable"]);
    assert!(grown.paths().contains(&"base.py".to_owned()), "{:?}", grown.paths());
    base.git(&["repack", "--quiet", "-adf"]);
    same_in_every_view(&repo);
    let (alternates, aside) = (repo.git_path("objects/info/alternates"), repo.path("../aside"));
    fs::rename(&alternates, &aside).expect("take the alternates away");
    assert!(same_with_and_without(&repo, &[]).gaps().iter().any(|gap| gap.ends_with("missing")));
    fs::rename(&aside, &alternates).expect("give them back");
    same_with_and_without(&repo, &[]);
    fs::rename(base.git_path("objects"), base.git_path("gone")).expect("take its objects away");
    assert!(!same_with_and_without(&repo, &[]).gaps().is_empty());
    fs::rename(base.git_path("gone"), base.git_path("objects")).expect("give them back");
    same_with_and_without(&repo, &[]);
}

#[test]
fn a_missing_blob_that_comes_later() {
    let source = clean();
    let repo = source.cloned("partial", &["--filter=blob:none", "--no-checkout"]);
    let mut gaps = same_with_and_without(&repo, &[]).ends(3).gaps().len();
    for version in ["main~3", "main~1", "main", "main~2"] {
        let bytes = source.git(&["cat-file", "blob", &format!("{version}:a.py")]);
        repo.blob(&bytes);
        let now = same_with_and_without(&repo, &[]);
        assert_eq!(now.gaps().len(), gaps - 1);
        gaps -= 1;
    }
    same_with_and_without(&repo, &[]).ends(0);
}

#[test]
fn a_missing_blob_that_comes_later_and_leaks() {
    let source = some_history();
    let repo = source.cloned("partial", &["--filter=blob:none", "--no-checkout"]);
    same_with_and_without(&repo, &[]);
    let bytes = source.git(&["cat-file", "blob", "side:lib/b.py"]);
    repo.blob(&bytes);
    let found = same_with_and_without(&repo, &[]).paths();
    assert!(found.contains(&"lib/b.py".to_owned()), "{found:?}");
}

#[test]
fn an_object_that_is_gone_after_it_was_scanned_is_missing_again() {
    for (kind, name) in
        [("blob", "main~1:a.py"), ("tree", "main~2^{tree}"), ("commit", "main~1"), ("tip", "main")]
    {
        let repo = clean();
        unpack(&repo);
        same_with_and_without(&repo, &[]).ends(0);
        let path = repo.loose(&repo.git_line(&["rev-parse", name]));
        let sound = fs::read(&path).expect("read it");
        let cache = written(&repo);
        fs::remove_file(&path).expect("remove it");
        println!("{kind}");
        same_with_and_without(&repo, &[]).ends(3);
        overwrite(&path, &sound);
        same_with_and_without(&repo, &[]).ends(0);
        // The cache of the time when all was there.
        fs::remove_file(&path).expect("remove it");
        restore(&repo, Some(&cache));
        same_with_and_without(&repo, &["--unreachable"]).ends(3);
    }
}

#[test]
fn a_pack_that_is_gone_after_it_was_scanned_is_missing_again() {
    let repo = clean();
    commit(&repo, "main", &[file("b.py", &code(9, 60))]);
    same_with_and_without(&repo, &[]).ends(0);
    for index in repo.packs("idx") {
        let aside = repo.path("aside");
        fs::rename(&index, &aside).expect("take an index away");
        same_with_and_without(&repo, &[]).ends(3);
        fs::rename(&aside, &index).expect("give it back");
        same_with_and_without(&repo, &[]).ends(0);
        let pack = index.with_extension("pack");
        fs::rename(&pack, &aside).expect("take a pack away");
        same_with_and_without(&repo, &[]).ends(3);
        fs::rename(&aside, &pack).expect("give it back");
    }
}

#[test]
fn what_was_sound_when_it_was_scanned_is_not_read_again() {
    let repo = clean();
    let sound = repo.history(&[]).ends(0);
    turn_a_bit(&repo, &repo.git_line(&["rev-parse", "main~2:a.py"]));
    repo.history(&["--no-cache"]).ends(3);
    same(&sound, &repo.history(&["-j", "1"]), "a cache of the sound pack");
    repo.history(&["--engine", "plain"]).ends(3);
    // Once the pack is another, all that is in it is read.
    let pack = repo.packs("pack").pop().expect("there is one");
    let bytes = fs::read(&pack).expect("read it");
    overwrite(&pack, &bytes[..bytes.len() - 1]);
    same_with_and_without(&repo, &[]).ends(3);
}

#[test]
fn what_was_not_sound_is_read_again() {
    let repo = clean();
    let pack = repo.packs("pack").pop().expect("there is one");
    let sound = fs::read(&pack).expect("read it");
    turn_a_bit(&repo, &repo.git_line(&["rev-parse", "main~2:a.py"]));
    let gaps = same_with_and_without(&repo, &[]).ends(3).gaps();
    assert_eq!(same_with_and_without(&repo, &[]).ends(3).gaps(), gaps);
    overwrite(&pack, &sound);
    same_with_and_without(&repo, &[]).ends(0);
}

/// The ids of what is found.
fn found(outcome: &Outcome) -> BTreeSet<String> {
    outcome.findings().iter().map(|finding| text(&finding["fingerprint"])).collect()
}

/// With a cache from before the damage: nothing that can still be read is lost, and what is lost is said.
#[track_caller]
fn nothing_is_lost(sound: &Outcome, repo: &Repo, what: &str) {
    let without = repo.history(&["--no-cache", "--unreachable"]);
    for threads in ["1", "8"] {
        let with = repo.history(&["--unreachable", "-j", threads]);
        assert!(matches!(with.code, 0 | 1 | 3), "{what}: {}", with.stderr);
        assert!(found(&with).is_superset(&found(&without)), "{what}: lost with a cache");
        let lost = found(sound).difference(&found(&with)).count();
        assert!(lost == 0 || !with.gaps().is_empty(), "{what}: {lost} secrets lost, and nothing said");
        let gaps: BTreeSet<String> = without.gaps().into_iter().collect();
        if gaps.is_empty() {
            same(&without, &with, what);
        }
    }
}

/// Some history in a pack with deltas.
fn packed() -> Repo {
    let mut import = Import::default();
    edits(&mut import, 24, 1);
    let repo = Repo::of(&import);
    repo.git(&["repack", "--quiet", "-adf", "--depth=20", "--window=30"]);
    repo
}

fn each_flip(repo: &Repo, path: &Path, most: usize, check: impl Fn(&Outcome, &str)) {
    let sound = repo.history(&["--unreachable"]).ends(1);
    let (bytes, cache, mut rng) =
        (fs::read(path).expect("read it"), written(repo), Rng::with_seed(most as u64));
    let mut places = places(bytes.len(), most);
    if !is_long() {
        rng.shuffle(&mut places);
        places.truncate(most);
    }
    for at in places {
        restore(repo, Some(&cache));
        flip(path, at, rng.u8(..8));
        check(&sound, &format!("byte {at} of {} of {}", bytes.len(), path.display()));
        overwrite(path, &bytes);
    }
    same_with_and_without(repo, &[]).ends(1);
}

#[test]
fn a_bit_that_turns_in_a_pack_after_it_was_scanned_loses_nothing_that_can_be_read() {
    let repo = packed();
    let pack = repo.packs("pack").pop().expect("there is one");
    each_flip(&repo, &pack, 12, |sound, what| nothing_is_lost(sound, &repo, what));
}

#[test]
fn a_bit_that_turns_in_a_loose_object_after_it_was_scanned_loses_nothing_that_can_be_read() {
    let repo = some_history();
    unpack(&repo);
    for name in ["main~4:a.py", "side:lib/b.py", "main~4^{tree}", "main~2", "v1"] {
        let path = repo.loose(&repo.git_line(&["rev-parse", name]));
        each_flip(&repo, &path, 3, |sound, what| nothing_is_lost(sound, &repo, &format!("{name}: {what}")));
    }
}

#[test]
fn a_bit_that_turns_in_an_index_is_noticed() {
    let repo = packed();
    let index = repo.packs("idx").pop().expect("there is one");
    each_flip(&repo, &index, 12, |_, what| {
        println!("{what}");
        same_with_and_without(&repo, &["--unreachable"]);
    });
}

#[test]
fn a_pack_of_another_size_or_trailer_is_noticed() {
    let repo = packed();
    same_with_and_without(&repo, &[]).ends(1);
    let cache = written(&repo);
    let pack = repo.packs("pack").pop().expect("there is one");
    let sound = fs::read(&pack).expect("read it");
    let end = sound.len();
    let turned = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        bytes
    };
    let others = [
        Vec::new(),
        sound[..20].to_vec(),
        sound[..end / 2].to_vec(),
        sound[..end - 1].to_vec(),
        [&sound[..], b"more"].concat(),
        turned(end - 1),
        turned(end - 20),
    ];
    for bytes in others {
        restore(&repo, Some(&cache));
        overwrite(&pack, &bytes);
        println!("{} of {end} bytes", bytes.len());
        same_with_and_without(&repo, &["--unreachable"]);
    }
}

#[test]
fn a_shallow_clone_that_gets_deeper_and_shallower() {
    let source = some_history();
    let repo = source.cloned("shallow", &["--depth=2", "--no-single-branch"]);
    same_in_every_view(&repo);
    for args in [
        &["fetch", "--quiet", "--deepen=3"][..],
        &["fetch", "--quiet", "--unshallow"],
        &["fetch", "--quiet", "--depth=1"],
        &["reflog", "expire", "--expire=now", "--all"],
        &["gc", "--quiet", "--prune=now"],
        &["fetch", "--quiet", "--unshallow"],
    ] {
        repo.git(args);
        same_with_and_without(&repo, &[]);
        same_with_and_without(&repo, &["--unreachable"]);
    }
    assert!(same_with_and_without(&repo, &[]).gaps().is_empty());
}

#[test]
fn blobs_that_are_bigger_than_the_memory_for_them() {
    let repo = some_history();
    let big = code(5, 60_000);
    commit(&repo, "main", &[file("big.py", &big)]);
    commit(&repo, "main", &[file("big.py", &[&big[..], &leaky(6, 66)].concat())]);
    repo.git(&["repack", "--quiet", "-adf"]);
    // How big one object may be depends on how many share the memory.
    let same = |memory: &str| {
        let without = repo.history(&["--no-cache", "-j", "1", "--memory", memory]);
        for what in ["an earlier cache", "its own cache"] {
            same(&without, &repo.history(&["-j", "1", "--memory", memory]), &format!("{what}, {memory}"));
        }
    };
    ["1G", "64K", "1K", "6M", "1G"].into_iter().for_each(same);
    commit(&repo, "main", &[file("big.py", &[&leaky(6, 67)[..], &big].concat())]);
    ["64K", "1G", "1K"].into_iter().for_each(same);
}
