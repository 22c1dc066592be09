//! Where the key of a cache comes from, and where nothing is written.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::{
    super::git::Repo, allow, cache_of, clean, kept, link, restore, same, some_history, turn_a_bit, written,
};
use crate::harness::{Outcome, is_root, run};

/// A folder beside the repository.
fn folder(repo: &Repo, name: &str) -> PathBuf {
    let path = repo.path("..").canonicalize().expect("it is there").join(name);
    fs::create_dir_all(&path).expect("make a folder");
    path
}

/// A scan without any key in the environment, with these folders for whoever runs it.
fn command(repo: &Repo, home: Option<&str>, state: Option<&str>, args: &[&str]) -> Command {
    let mut command = repo.history_command("repo", args);
    command.env_remove("HEKATE_KEY").env_remove("HOME").env_remove("XDG_STATE_HOME");
    for (name, value) in [("HOME", home), ("XDG_STATE_HOME", state)] {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

/// What both kinds of scan come to.
#[track_caller]
fn scan(repo: &Repo, home: Option<&str>, state: Option<&str>) -> Outcome {
    let without = run(command(repo, home, state, &["--no-cache"]), b"");
    for threads in ["2", "8"] {
        let with = run(command(repo, home, state, &["-j", threads]), b"");
        same(&without, &with, &format!("HOME={home:?} XDG_STATE_HOME={state:?}"));
    }
    without
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

#[track_caller]
fn key_in(state: &Path) -> Vec<u8> {
    let path = state.join("hekate/cache.key");
    let mode = fs::metadata(&path).expect("a key was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::read(path).expect("read it")
}

#[test]
fn a_key_is_made_once_and_for_its_owner_only() {
    let repo = some_history();
    let (home, state) = (folder(&repo, "home"), folder(&repo, "state"));
    scan(&repo, Some(text(&home)), Some(text(&state))).ends(1);
    let key = key_in(&state);
    assert!(key.len() >= 32, "it can't be guessed");
    assert!(!home.join(".local").exists());
    let cache = written(&repo);
    assert!(!cache.windows(16).any(|window| key.windows(16).any(|piece| piece == window)));
    scan(&repo, Some(text(&home)), Some(text(&state))).ends(1);
    assert_eq!(key_in(&state), key);
    // Without that folder it is made in the home, and it is another one.
    for state in [None, Some("")] {
        scan(&repo, Some(text(&home)), state).ends(1);
        assert_ne!(key_in(&home.join(".local/state")), key);
    }
}

#[test]
fn a_key_of_the_environment_needs_no_file() {
    let repo = some_history();
    let (home, state) = (folder(&repo, "home"), folder(&repo, "state"));
    fs::write(repo.path("../key"), format!("{}\n", "ab".repeat(32))).expect("write a key");
    for (name, value) in [("HEKATE_KEY", "ab".repeat(32)), ("HEKATE_KEY_FILE", "key".to_owned())] {
        restore(&repo, None);
        for args in [&["--no-cache"][..], &[], &["-j", "8"]] {
            let mut command = command(&repo, Some(text(&home)), Some(text(&state)), args);
            run(command_with(&mut command, name, &value), b"").ends(1);
        }
        assert!(cache_of(&repo).is_file(), "{name}");
    }
    assert!(!home.join(".local").exists() && !state.join("hekate").exists());
}

fn command_with(command: &mut Command, name: &str, value: &str) -> Command {
    command.env(name, value);
    std::mem::replace(command, Command::new("true"))
}

#[test]
fn nothing_is_kept_and_no_key_made_when_none_is_asked_for() {
    let repo = some_history();
    let state = folder(&repo, "state");
    run(command(&repo, None, Some(text(&state)), &["--no-cache"]), b"").ends(1);
    run(command(&repo, None, Some(text(&state)), &["--engine", "plain"]), b"").ends(1);
    run(command(&repo, None, Some(text(&state)), &["--branch", "main"]), b"");
    assert!(!state.join("hekate").exists() && kept(&repo).is_none());
}

#[test]
fn without_a_place_for_a_key_there_is_no_cache() {
    let repo = some_history();
    let names = |path: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(path).expect("list it").map(|entry| entry.expect("list it").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    let around = names(&repo.path(".."));
    for (home, state) in [
        (None, None),
        (Some(""), None),
        (None, Some("")),
        (Some(""), Some("")),
        // Relative ones would lead into whatever is scanned.
        (None, Some("repo")),
        (None, Some(".")),
        (Some("."), None),
        (Some("repo"), Some("repo/.git")),
        (Some("/dev/null"), None),
        (None, Some("/dev/null")),
        (None, Some("/proc/self")),
    ] {
        scan(&repo, home, state).ends(1);
        assert_eq!(kept(&repo), None, "{home:?} {state:?}");
        assert_eq!(names(&repo.path("..")), around, "{home:?} {state:?}");
        assert!(!repo.path("hekate").exists() && !repo.path(".local").exists());
        assert!(!repo.git_path("hekate/cache.key").exists());
    }
}

#[test]
fn a_key_that_is_none_does_no_harm() {
    let repo = some_history();
    let state = folder(&repo, "state");
    let path = folder(&repo, "state/hekate").join("cache.key");
    let check = |what: &str| {
        println!("{what}");
        restore(&repo, None);
        scan(&repo, None, Some(text(&state))).ends(1);
    };
    fs::create_dir(&path).expect("make a folder");
    check("a folder");
    fs::remove_dir(&path).expect("remove it");
    let made = Command::new("mkfifo").arg(&path).status().expect("run mkfifo");
    assert!(made.success());
    check("a pipe");
    fs::remove_file(&path).expect("remove it");
    link("/dev/zero", &path);
    check("a link to a device");
    fs::remove_file(&path).expect("remove it");
    link("nowhere", &path);
    check("a link that leads nowhere");
    fs::remove_file(&path).expect("remove it");
    for bytes in [&b""[..], b"x", &[0; 31], &[0; 33], &[b'a'; 4096], "größe".as_bytes()] {
        fs::write(&path, bytes).expect("write it");
        check(&format!("{} bytes", bytes.len()));
    }
    let file = fs::File::create(&path).expect("make it");
    file.set_len(1 << 36).expect("a sparse file");
    check("a huge file");
}

#[test]
fn a_state_folder_that_is_read_only_is_done_without() {
    let repo = some_history();
    let state = folder(&repo, "state");
    allow(&state, 0o500);
    scan(&repo, None, Some(text(&state))).ends(1);
    allow(&state, 0o700);
    assert!(is_root() || kept(&repo).is_none());
    fs::write(state.join("hekate"), "a file\n")
        .or_else(|_| fs::remove_dir_all(state.join("hekate")))
        .expect("write");
    scan(&repo, None, Some(text(&state))).ends(1);
}

/// Whoever can write to a repository has no key of those who scan it.
#[test]
fn a_cache_of_somebody_else_is_not_believed() {
    let repo = clean();
    let (mine, theirs) = (folder(&repo, "mine"), folder(&repo, "theirs"));
    let code = |state: &Path| run(command(&repo, None, Some(text(state)), &[]), b"").code;
    assert_eq!((code(&mine), code(&theirs)), (0, 0));
    let cache = written(&repo);
    turn_a_bit(&repo, &repo.git_line(&["rev-parse", "main~2:a.py"]));
    assert_eq!(code(&theirs), 0, "who made it believes it");
    restore(&repo, Some(&cache));
    assert_eq!(code(&mine), 3);
    restore(&repo, Some(&cache));
    fs::remove_file(theirs.join("hekate/cache.key")).expect("lose the key");
    assert_eq!(code(&theirs), 3, "a new key is another key");
}

#[test]
fn several_first_scans_at_once_agree_on_a_key() {
    let repo = some_history();
    let state = folder(&repo, "state");
    let without = run(command(&repo, None, Some(text(&state)), &["--no-cache"]), b"");
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let started: Vec<_> = (0..6)
            .map(|_| command(&repo, None, Some(text(&state)), &[]))
            .map(|command| scope.spawn(|| run(command, b"")))
            .collect();
        started.into_iter().map(|thread| thread.join().expect("a scan ends")).collect()
    });
    outcomes.iter().for_each(|with| same(&without, with, "six at once"));
    let key = key_in(&state);
    scan(&repo, None, Some(text(&state)));
    assert_eq!(key_in(&state), key);
    let names = fs::read_dir(state.join("hekate")).expect("list it").count();
    assert_eq!(names, 1, "nothing is left beside the key");
}
