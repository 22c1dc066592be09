//! What hekate reads of a repository by itself, against what git says.

use std::{ffi::OsString, fs, path::Path};

use fastrand::Rng;
use hekate::git::{HashKind, Head, Index, IndexError, Oid, Refs, Repository, RepositoryError, reflogs};

use crate::harness::Project;

/// A repository with folders, a link, and files of odd names.
fn repository(format: &str) -> Project {
    let project = Project::new();
    project.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={format}")]);
    for folder in ["", "a/", "a/b/", "a/b.c/", "a/b/d/e/", "z/"] {
        for name in ["one", "two words", "zwei\u{e9}", "x\ty"] {
            project.file(&format!("{folder}{name}"), format!("{folder}{name}\n"));
        }
    }
    project.file(&format!("long/{}/end", "n".repeat(200)), "long\n");
    project.commit_all();
    project
}

/// The entries as `git ls-files --stage -z` writes them.
fn listed(index: &Index) -> String {
    let mut out = String::new();
    let mut entries = index.entries();
    while let Some(entry) = entries.peek() {
        let path = String::from_utf8_lossy(entry.path);
        out.push_str(&format!("{:06o} {} {}\t{path}\0", entry.mode, entry.oid, entry.stage));
        entries.advance();
    }
    out
}

fn read(project: &Project) -> Result<Index, IndexError> {
    let repository = Repository::open(project.root()).expect("open a repository");
    Index::read(&repository.index_path, &repository.git_dir, repository.hash)
}

#[track_caller]
fn equals_git(project: &Project) {
    let git = project.git(&["ls-files", "--stage", "--sparse", "-z"]);
    assert!(!git.is_empty());
    assert_eq!(listed(&read(project).expect("read an index")), git);
}

/// What people do to an index, each time compared with git.
fn work_on(project: &Project) {
    equals_git(project);
    project.file("a/new", "new\n").file("a/one", "changed\n").file("m/first", "m\n");
    project.git(&["add", "--all", "--sparse"]);
    equals_git(project);
    project.file("intended", "later\n");
    project.git(&["add", "--intent-to-add", "intended"]);
    project.git(&["update-index", "--assume-unchanged", "a/one"]);
    project.git(&["rm", "--quiet", "--cached", "a/two words", "z/one"]);
    equals_git(project);
    project.git(&["commit", "--quiet", "-m", "second", "--", "a/new"]);
    equals_git(project);
}

#[test]
fn an_index_of_every_version_and_form_is_what_git_lists() {
    let forms: [&[&str]; 5] = [
        &["update-index", "--index-version", "2"],
        &["update-index", "--index-version", "3"],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "a", "z", "m"],
    ];
    for format in ["sha1", "sha256"] {
        for form in forms {
            let project = repository(format);
            project.git(form);
            work_on(&project);
        }
        let project = repository(format);
        project.git(&["update-index", "--index-version", "4"]);
        project.git(&["update-index", "--split-index"]);
        work_on(&project);
        // Folds and splits again.
        project.git(&["update-index", "--no-split-index"]);
        project.git(&["update-index", "--split-index"]);
        equals_git(&project);
    }
}

#[test]
fn the_sides_of_a_conflict_are_entries_of_their_own() {
    let project = repository("sha1");
    project.git(&["update-index", "--split-index"]);
    project.git(&["checkout", "--quiet", "-b", "other"]);
    project.file("a/one", "other\n").commit_all();
    project.git(&["checkout", "--quiet", "main"]);
    project.file("a/one", "main\n").commit_all();
    let mut merge = std::process::Command::new("git");
    merge.current_dir(project.root()).args(["-c", "user.name=A", "-c", "user.email=a@b", "merge", "other"]);
    crate::harness::run(merge, b"").ends(1);
    assert!(project.git(&["ls-files", "--unmerged"]).lines().count() == 3);
    equals_git(&project);
}

#[test]
fn the_cache_tree_knows_what_git_wrote() {
    let project = repository("sha1");
    let index = read(&project).unwrap();
    let root = index.cache_tree().root().unwrap();
    let tree = project.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(root.tree().unwrap().1.to_string(), tree.trim());
    project.file("a/b/one", "changed\n");
    project.git(&["add", "a/b/one"]);
    let index = read(&project).unwrap();
    let known: Vec<_> = index.cache_tree().root().unwrap().children();
    let names: Vec<_> = known.iter().map(|(name, node)| (*name, node.tree().is_some())).collect();
    assert_eq!(names, [(&b"a"[..], false), (b"long", true), (b"z", true)]);
}

#[test]
fn a_damaged_index_never_panics_and_ends() {
    let forms: [&[&str]; 4] = [
        &["update-index", "--index-version", "2"],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "a"],
    ];
    let mut rng = Rng::with_seed(7);
    for form in forms {
        let project = repository("sha1");
        project.git(form);
        project.file("a/one", "changed\n").file("a/new", "new\n");
        project.git(&["add", "--all"]);
        let mut files = vec![project.path(".git/index")];
        let shared = |name: &OsString| name.to_string_lossy().starts_with("sharedindex.");
        let names = fs::read_dir(project.path(".git")).unwrap().map(|entry| entry.unwrap().file_name());
        files.extend(names.filter(shared).map(|name| project.path(".git").join(name)));
        for file in files {
            let whole = fs::read(&file).unwrap();
            for _ in 0..1000 {
                let mut bytes = whole.clone();
                match rng.u8(..4) {
                    0 => bytes.truncate(rng.usize(..bytes.len())),
                    1 => bytes[rng.usize(..whole.len())] = rng.u8(..),
                    2 => bytes[rng.usize(..whole.len())] ^= 1 << rng.u8(..8),
                    _ => bytes[rng.usize(..whole.len())] = 0xff,
                }
                fs::write(&file, &bytes).unwrap();
                if let Ok(index) = read(&project) {
                    listed(&index);
                    index.cache_tree().root().map(|root| root.children());
                }
            }
            fs::write(&file, &whole).unwrap();
        }
        equals_git(&project);
    }
}

/// `name id peeled` as `git for-each-ref` writes it.
fn refs_of_git(project: &Project) -> Vec<String> {
    let format = "--format=%(refname) %(objectname)";
    let mut lines: Vec<String> =
        project.git(&["for-each-ref", format]).lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

fn refs_read(refs: &Refs) -> Vec<String> {
    let is_shared = |name: &str| name.starts_with("refs/");
    let line = |name: &[u8], target: Oid| format!("{} {target}", String::from_utf8_lossy(name));
    refs.entries.iter().map(|one| line(&one.name, one.target)).filter(|line| is_shared(line)).collect()
}

#[test]
fn refs_are_those_that_git_lists_loose_or_packed() {
    let project = repository("sha1");
    project.git(&["branch", "side/one"]);
    project.git(&["tag", "light"]);
    project.git(&["tag", "-m", "text", "heavy"]);
    project.git(&["notes", "add", "-m", "note"]);
    project.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"]);
    project.file("a/one", "stashed\n").git(&["stash"]);
    let read = || Refs::read(&Repository::open(project.root()).unwrap()).unwrap();
    assert_eq!(refs_read(&read()), refs_of_git(&project));
    project.git(&["pack-refs", "--all"]);
    project.file("a/one", "more\n").commit_all();
    project.git(&["branch", "-D", "-q", "side/one"]);
    project.git(&["branch", "side"]);
    let refs = read();
    assert_eq!(refs_read(&refs), refs_of_git(&project));
    assert_eq!(refs.broken, []);
    let commit = Oid::from_hex(project.git(&["rev-parse", "HEAD"]).trim().as_bytes());
    assert_eq!(refs.head, Head::Branch { name: b"refs/heads/main".to_vec(), commit });
    let heavy = refs.find(b"refs/tags/heavy").unwrap();
    let peeled = project.git(&["rev-parse", "heavy^{commit}"]);
    assert_eq!(heavy.peeled.unwrap().to_string(), peeled.trim());
}

#[test]
fn what_other_worktrees_have_checked_out_is_a_ref() {
    let project = repository("sha1");
    project.git(&["worktree", "add", "--quiet", "--detach", "linked"]);
    let names = |root: &Path| -> Vec<String> {
        let refs = Refs::read(&Repository::discover(root).unwrap()).unwrap();
        refs.entries.iter().map(|one| String::from_utf8_lossy(&one.name).into_owned()).collect()
    };
    assert_eq!(names(project.root()), ["refs/heads/main", "worktrees/linked/HEAD"]);
    assert_eq!(names(&project.path("linked/a")), ["main-worktree/HEAD", "refs/heads/main"]);
}

#[test]
fn refs_that_are_none_are_told_of() {
    let project = repository("sha1");
    project.file(".git/refs/heads/empty", "").file(".git/refs/heads/out", "ref: ../../config\n");
    project.file(".git/refs/heads/circle", "ref: refs/heads/circle\n");
    project.file(".git/refs/heads/nowhere", "ref: refs/heads/none\n");
    project.file(".git/refs/heads/held.lock", "");
    project.file(".git/packed-refs", "# pack-refs with: peeled\nnonsense\n1234 refs/heads/short\n");
    let refs = Refs::read(&Repository::open(project.root()).unwrap()).unwrap();
    let mut names: Vec<_> = refs.broken.iter().map(|(name, _)| String::from_utf8_lossy(name)).collect();
    names.sort();
    assert_eq!(
        names,
        ["1234 refs/heads/short", "nonsense", "refs/heads/circle", "refs/heads/empty", "refs/heads/out"]
    );
    assert_eq!(refs.dangling, [b"refs/heads/nowhere".to_vec()]);
    assert_eq!(refs_read(&refs).len(), 1);
}

#[test]
fn many_packed_refs_are_read_and_found() {
    let project = repository("sha1");
    let id = project.git(&["rev-parse", "HEAD"]);
    let line = |number: u32| format!("{} refs/pull/{number:06}/head\n", id.trim());
    let text: String = (0..100_000).map(line).collect();
    // Nobody but git has to end the last line.
    let text = format!("# pack-refs with: peeled fully-peeled sorted \n{text}{} refs/zz/last", id.trim());
    project.file(".git/packed-refs", text).file(".git/HEAD", "ref: refs/zz/last\n");
    let refs = Refs::read(&Repository::open(project.root()).unwrap()).unwrap();
    assert_eq!((refs.entries.len(), refs.broken.len()), (100_002, 0));
    let commit = Oid::from_hex(id.trim().as_bytes());
    assert_eq!(refs.head, Head::Branch { name: b"refs/zz/last".to_vec(), commit });
    assert!(refs.find(b"refs/pull/099999/head").is_some());
}

#[test]
fn logs_say_where_refs_were() {
    let project = repository("sha1");
    let first = project.git(&["rev-parse", "HEAD"]);
    project.file("a/one", "second\n").commit_all();
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let logs = reflogs(&Repository::open(project.root()).unwrap()).unwrap();
    let names: Vec<_> = logs.iter().map(|log| String::from_utf8_lossy(&log.name)).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main"]);
    let entries = &logs[1].entries;
    assert_eq!((entries.len(), logs[1].broken.len()), (3, 0));
    assert_eq!(entries[0].old, None);
    assert_eq!(entries[2].new.unwrap().to_string(), first.trim());
    assert_eq!(entries[2].message, b"reset: moving to HEAD~1");
}

#[test]
fn a_repository_is_found_from_wherever_it_is_seen() {
    let project = repository("sha1");
    project.git(&["worktree", "add", "--quiet", "linked"]);
    let root = project.root().canonicalize().unwrap();
    let main = Repository::discover(&project.path("a/b/d")).unwrap();
    assert_eq!(main.work_tree.as_deref(), Some(&*root));
    assert_eq!(main.git_dir, root.join(".git"));
    let linked = Repository::discover(&project.path("linked/a")).unwrap();
    assert_eq!(linked.work_tree.as_deref(), Some(&*root.join("linked")));
    assert_eq!(linked.git_dir, root.join(".git/worktrees/linked"));
    assert_eq!(linked.common_dir.canonicalize().unwrap(), root.join(".git"));
    assert_eq!(main.worktrees().unwrap().len(), 1);
    let inside = Repository::open(&project.path(".git")).unwrap();
    assert_eq!((inside.work_tree, inside.git_dir), (None, root.join(".git")));
}

#[test]
fn bare_shallow_and_borrowing_clones_say_so() {
    let project = repository("sha1");
    project.file("a/one", "second\n").commit_all();
    let clones = Project::new();
    let url = format!("file://{}", project.root().display());
    clones.git(&["clone", "--quiet", "--bare", "--depth=1", &url, "shallow.git"]);
    clones.git(&["clone", "--quiet", "--shared", project.root().to_str().unwrap(), "borrowing"]);
    let shallow = Repository::open(&clones.path("shallow.git")).unwrap();
    let head = project.git(&["rev-parse", "HEAD"]);
    let ends: Vec<String> = shallow.shallow_commits().unwrap().iter().map(Oid::to_string).collect();
    assert_eq!(ends, [head.trim()]);
    assert!(shallow.work_tree.is_none() && shallow.is_shallow().unwrap());
    let borrowing = Repository::open(&clones.path("borrowing")).unwrap();
    assert!(!borrowing.is_shallow().unwrap() && !borrowing.is_partial().unwrap());
    let real = |path: &Path| path.canonicalize().unwrap();
    let folders: Vec<_> = borrowing.object_folders().iter().map(|folder| real(folder)).collect();
    assert_eq!(folders, [real(&clones.path("borrowing/.git/objects")), real(&project.path(".git/objects"))]);
    clones.git(&["-C", "borrowing", "config", "remote.origin.promisor", "true"]);
    assert!(Repository::open(&clones.path("borrowing")).unwrap().is_partial().unwrap());
}

#[test]
fn formats_that_are_not_known_are_refused_by_name() {
    let project = repository("sha256");
    assert_eq!(Repository::open(project.root()).unwrap().hash, HashKind::Sha256);
    let config = project.read(".git/config");
    project.file(".git/config", format!("{config}[extensions]\n\tfromTheFuture = true\n"));
    let error = Repository::open(project.root()).unwrap_err();
    assert!(error.is_unreadable() && error.to_string().contains("`fromthefuture`"), "{error}");
    let nothing = Project::new();
    assert!(matches!(Repository::discover(nothing.root()), Err(RepositoryError::NotFound { .. })));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_git_folder_is_an_error_and_nobody_waits() {
    let project = repository("sha1");
    for name in ["index", "config", "HEAD", "packed-refs", "commondir"] {
        let path = project.path(&format!(".git/{name}"));
        let kept = fs::read(&path).ok();
        fs::remove_file(&path)
            .or_else(|_| fs::write(&path, "").and_then(|()| fs::remove_file(&path)))
            .unwrap();
        project.run("mkfifo", &[path.to_str().unwrap()]);
        project.hekate(&["staged"]).ends(3);
        fs::remove_file(&path).unwrap();
        if let Some(bytes) = kept {
            fs::write(&path, bytes).unwrap();
        }
    }
    project.staged(&[]).ends(0);
}
