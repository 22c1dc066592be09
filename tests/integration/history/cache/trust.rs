//! Caches that somebody wrote to, brought along or put something else in place of.
//!
//! The witness is a repository with a blob that was sound when it was scanned and is so no more: who believes a cache of before sees
//! nothing wrong, who does not says so and ends with 3.

use std::{fs, path::Path};

use fastrand::Rng;

use super::{
    super::git::{Repo, overwrite},
    allow, cache_of, clean, link, places, restore, same, some_history, turn_a_bit, written,
};
use crate::harness::{Outcome, run};

/// A repository that was damaged after it was scanned, and the cache of before.
struct Witness {
    repo: Repo,
    cache: Vec<u8>,
    /// What a scan reports that believes nothing.
    truth: Outcome,
}

impl Witness {
    fn new() -> Self {
        let repo = clean();
        repo.history(&[]).ends(0);
        let cache = written(&repo);
        turn_a_bit(&repo, &repo.git_line(&["rev-parse", "main~2:a.py"]));
        let truth = repo.history(&["--no-cache"]).ends(3);
        let witness = Self { repo, cache, truth };
        assert!(witness.is_believed(), "the cache of before is in use");
        restore(&witness.repo, Some(&witness.cache));
        witness
    }

    /// Whether a scan believes the cache that lies there; what it reports then is the truth of before or that of now.
    #[track_caller]
    fn is_believed(&self) -> bool {
        let outcome = self.repo.history(&["-j", "2"]);
        if outcome.code == 0 {
            return true;
        }
        same(&self.truth, &outcome, "a cache that is not believed");
        false
    }

    /// With this as the cache: it is not believed, nor after a scan.
    #[track_caller]
    fn refuses(&self, bytes: &[u8], what: &str) {
        restore(&self.repo, Some(bytes));
        assert!(!self.is_believed(), "{what}");
        assert!(!self.is_believed(), "{what}, scanned again");
    }
}

#[test]
fn a_cut_or_longer_cache_is_not_believed() {
    let witness = Witness::new();
    let cache = &witness.cache;
    for at in places(cache.len(), 8) {
        witness.refuses(&cache[..at], &format!("cut to {at} of {}", cache.len()));
    }
    for at in [1, 8, 32, 64] {
        witness.refuses(&cache[at..], &format!("without its first {at} bytes"));
    }
    witness.refuses(&[cache, &b"\0"[..]].concat(), "a byte more");
    witness.refuses(&[&cache[..], cache].concat(), "twice");
    witness.refuses(b"no cache\n", "something else");
    let mut rng = Rng::with_seed(1);
    let noise: Vec<u8> = (0..cache.len()).map(|_| rng.u8(..)).collect();
    witness.refuses(&noise, "noise");
    witness.refuses(&vec![0; cache.len()], "zeros");
    witness.refuses(&vec![0xff; cache.len()], "ones");
}

#[test]
fn a_cache_with_a_turned_bit_is_not_believed() {
    let witness = Witness::new();
    let mut rng = Rng::with_seed(2);
    for at in places(witness.cache.len(), 16) {
        let mut bytes = witness.cache.clone();
        bytes[at] ^= 1 << rng.u8(..8);
        witness.refuses(&bytes, &format!("byte {at} of {}", bytes.len()));
    }
}

#[test]
fn parts_of_two_caches_are_not_believed() {
    let witness = Witness::new();
    let other = {
        let repo = some_history();
        repo.history(&[]).ends(1);
        written(&repo)
    };
    witness.refuses(&other, "of another repository");
    let half = witness.cache.len() / 2;
    for at in [8, 16, 32, 55, half] {
        let at = at.min(other.len());
        for mixed in [[&witness.cache[..at], &other[at..]], [&other[..at], &witness.cache[at..]]] {
            let mixed = mixed.concat();
            // Both begin alike.
            if mixed != witness.cache {
                witness.refuses(&mixed, &format!("mixed at {at}"));
            }
        }
    }
}

#[test]
fn a_cache_made_with_another_key_is_not_believed() {
    let witness = Witness::new();
    let with_key = |key: &str| {
        let mut command = witness.repo.history_command("repo", &[]);
        command.env("HEKATE_KEY", key);
        run(command, b"").code
    };
    let without_key = || {
        let mut command = witness.repo.history_command("repo", &[]);
        command.env_remove("HEKATE_KEY");
        run(command, b"").code
    };
    assert_eq!(with_key(&"ab".repeat(32)), 3);
    restore(&witness.repo, Some(&witness.cache));
    assert_eq!(without_key(), 3);
    restore(&witness.repo, Some(&witness.cache));
    assert!(witness.is_believed());
}

#[test]
fn a_repository_that_was_copied_or_moved_takes_no_cache_along() {
    let witness = Witness::new();
    let (repo, copy) = (&witness.repo, witness.repo.beside("copy"));
    repo.git(&["--version"]);
    let status = std::process::Command::new("cp").arg("-a").arg(repo.path("")).arg(copy.path("")).status();
    assert!(status.expect("run cp").success());
    assert_eq!(written(&copy), witness.cache);
    copy.history(&[]).ends(3);
    let moved = repo.beside("moved");
    fs::rename(repo.path(""), moved.path("")).expect("move it");
    moved.history(&[]).ends(3);
    // Another one in its old place, with the cache that belongs there: it has the same objects.
    fs::rename(copy.path(""), repo.path("")).expect("move the copy");
    restore(repo, Some(&witness.cache));
    repo.history(&[]).ends(0);
}

#[test]
fn a_repository_has_one_cache_by_whatever_name_it_is_called() {
    let witness = Witness::new();
    let repo = &witness.repo;
    link(repo.path(""), &repo.path("../alias"));
    fs::create_dir(repo.path("below")).expect("make a folder");
    repo.git(&["worktree", "add", "--quiet", "--no-checkout", "--detach", "../tree", "main"]);
    for name in ["alias", "repo/.git", "./repo/../repo", "repo/below", "tree"] {
        restore(repo, Some(&witness.cache));
        assert_eq!(repo.history_from(name, &[]).code, 0, "{name}");
    }
}

#[test]
fn a_cache_that_is_a_link_is_left_alone() {
    let witness = Witness::new();
    let (path, aside) = (cache_of(&witness.repo), witness.repo.path("../aside"));
    overwrite(&aside, &witness.cache);
    allow(&aside, 0o600);
    for target in
        [aside.as_path(), Path::new("/dev/zero"), Path::new("/dev/full"), Path::new("../../nowhere"), &path]
    {
        fs::remove_file(&path).expect("remove what was there");
        link(target, &path);
        for _ in 0..2 {
            assert!(!witness.is_believed(), "{}", target.display());
        }
        assert_eq!(fs::read_link(&path).expect("it is still a link"), target);
    }
    assert_eq!(fs::read(&aside).expect("read it"), witness.cache);
    assert!(!witness.repo.path("nowhere").exists(), "nothing is written through a link");
}

#[test]
fn a_cache_that_is_a_pipe_or_a_folder_is_left_alone() {
    let witness = Witness::new();
    let path = cache_of(&witness.repo);
    fs::remove_file(&path).expect("remove the cache");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("run mkfifo");
    assert!(made.success());
    for _ in 0..2 {
        assert!(!witness.is_believed(), "a pipe");
    }
    assert!(!fs::symlink_metadata(&path).expect("it is there").is_file());
    fs::remove_file(&path).expect("remove the pipe");
    fs::create_dir(&path).expect("make a folder");
    for _ in 0..2 {
        assert!(!witness.is_believed(), "an empty folder");
    }
    fs::write(path.join("history.cache"), &witness.cache).expect("write into it");
    assert!(!witness.is_believed(), "a folder");
    assert_eq!(fs::read(path.join("history.cache")).expect("it is there"), witness.cache);
}

#[test]
fn a_cache_that_is_no_good_is_replaced() {
    let repo = clean();
    let sound = repo.history(&[]).ends(0);
    let cache = written(&repo);
    let turned: Vec<u8> = cache.iter().map(|byte| byte ^ 1).collect();
    for bytes in [b"", &b"no cache\n"[..], &cache[..cache.len() / 2], &cache[..cache.len() - 1], &turned] {
        restore(&repo, Some(bytes));
        same(&sound, &repo.history(&["-j", "2"]), "a cache that is no good");
        assert_eq!(written(&repo), cache, "what is written does not depend on what was there");
        same(&sound, &repo.history(&["-j", "8"]), "the next one");
    }
}

#[test]
fn a_huge_cache_costs_neither_memory_nor_time() {
    let witness = Witness::new();
    let path = cache_of(&witness.repo);
    for (start, length) in [(&b""[..], 1_u64 << 36), (&witness.cache[..], 1 << 36), (b"", 3 << 30)] {
        restore(&witness.repo, Some(start));
        let file = fs::File::options().write(true).open(&path).expect("open it");
        file.set_len(length).expect("a sparse file");
        // Its address space would not hold it.
        assert!(!witness.is_believed(), "{length} bytes");
    }
    let repo = clean();
    let sound = repo.history(&[]).ends(0);
    let file = fs::File::options().write(true).open(cache_of(&repo)).expect("open it");
    file.set_len(1 << 36).expect("a sparse file");
    same(&sound, &repo.history(&[]), "a huge cache");
    assert!(fs::metadata(cache_of(&repo)).expect("it is there").len() < 1 << 20, "it is replaced");
}

#[test]
fn another_name_of_the_cache_is_not_written_to() {
    let repo = clean();
    let sound = repo.history(&[]).ends(0);
    let (path, victim) = (cache_of(&repo), repo.path("../victim"));
    fs::write(&victim, "of somebody else\n").expect("write a file");
    fs::remove_file(&path).expect("remove the cache");
    fs::hard_link(&victim, &path).expect("make a second name");
    same(&sound, &repo.history(&[]), "a file of somebody else");
    assert_eq!(fs::read_to_string(&victim).expect("read it"), "of somebody else\n");
    assert_ne!(fs::read(&path).expect("read it"), b"of somebody else\n");
}

#[test]
fn a_folder_of_the_cache_that_is_none_is_left_alone() {
    let witness = Witness::new();
    let folder = cache_of(&witness.repo).parent().expect("it has a folder").to_owned();
    let elsewhere = witness.repo.path("../elsewhere");
    fs::rename(&folder, &elsewhere).expect("move the folder");
    link(&elsewhere, &folder);
    for _ in 0..2 {
        assert!(!witness.is_believed(), "a link to a folder");
    }
    assert_eq!(fs::read(elsewhere.join("history.cache")).expect("read it"), witness.cache);
    fs::remove_file(elsewhere.join("history.cache")).expect("remove the cache");
    assert!(!witness.is_believed());
    assert_eq!(fs::read_dir(&elsewhere).expect("list it").count(), 0, "nothing is written through a link");
    fs::remove_file(&folder).expect("remove the link");
    link("../../nowhere", &folder);
    assert!(!witness.is_believed());
    assert!(!witness.repo.path("../nowhere").exists() && !witness.repo.path("nowhere").exists());
    fs::remove_file(&folder).expect("remove the link");
    fs::write(&folder, "a file\n").expect("write a file");
    assert!(!witness.is_believed());
    assert_eq!(fs::read_to_string(&folder).expect("read it"), "a file\n");
}
