//! `hekate staged`: what the next commit would add, whatever git does with its index.

use std::fs;

use hekate::{
    git::Repository,
    source::{Scope, Source, Staged},
};

use crate::{
    harness::{Outcome, Project, run},
    secrets::{pem, token},
};

/// A repository with a commit of one file without secrets.
fn repository() -> Project {
    let project = Project::new();
    project.git_init().file("app.env", "NAME=app\nPORT=80\n").commit_all();
    project
}

/// A line with a secret.
fn line(seed: u64) -> String {
    format!("GITHUB_TOKEN={}\n", token("github-pat", seed))
}

impl Project {
    /// Writes a file and stages it.
    pub(crate) fn stage(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        self.file(path, bytes);
        self.git(&["add", "--sparse", path]);
        self
    }
}

impl Outcome {
    /// Itself, if it found nothing and missed nothing.
    #[track_caller]
    fn finds_nothing(self) -> Self {
        let outcome = self.ends(0);
        assert_eq!(outcome.places(), Vec::<String>::new());
        outcome
    }

    /// Itself, if these are all places.
    #[track_caller]
    fn finds(self, places: &[&str]) -> Self {
        let outcome = self.ends(1);
        assert_eq!(outcome.places(), places);
        outcome
    }
}

#[test]
fn staged_scan_reads_the_index_not_the_file() {
    let project = repository();
    project.stage("staged.env", line(1)).file("staged.env", "");
    project.stage("clean.env", "A=1\n").file("clean.env", line(2));
    project.staged(&[]).finds(&["staged.env:1:14"]);
}

#[test]
fn only_added_and_changed_lines_count() {
    let project = repository();
    project.file("old.env", format!("A=1\n{}B=2\n", line(1))).commit_all();
    project.stage("old.env", format!("A=2\n{}B=2\nC=3", line(1)));
    project.staged(&[]).finds_nothing();
    project.stage("old.env", format!("A=2\n{}B=2\n{}", line(1), line(2)));
    project.staged(&[]).finds(&["old.env:4:14"]);
}

#[test]
fn a_line_that_only_lost_its_newline_is_not_reported() {
    let project = repository();
    project.file("old.env", format!("A=1\n{}", line(1).trim_end())).commit_all();
    project.stage("old.env", format!("A=1\n{}B=2\n", line(1)));
    project.staged(&[]).finds_nothing();
}

#[test]
fn the_whole_file_is_what_a_match_is_seen_in() {
    let project = repository();
    let key = pem(1);
    let (head, rest) = key.split_once('\n').unwrap();
    project.file("key.pem", format!("{head}\n")).commit_all();
    project.stage("key.pem", format!("{head}\n{rest}"));
    let outcome = project.staged(&[]).ends(1);
    assert_eq!(outcome.rules(), ["private-key"]);
}

#[test]
fn nothing_committed_yet_means_all_is_new() {
    let project = Project::new();
    project.git_init();
    project.staged(&[]).finds_nothing();
    project.stage("a.env", line(1));
    project.staged(&[]).finds(&["a.env:1:14"]);
}

#[test]
fn a_detached_head_is_compared_with_its_commit() {
    let project = repository();
    project.git(&["checkout", "--quiet", "--detach"]);
    project.stage("a.env", line(1));
    project.staged(&[]).finds(&["a.env:1:14"]);
}

#[test]
fn a_finding_is_staged_and_the_report_says_where_from() {
    let project = repository();
    project.stage("a.env", line(1));
    let json = project.staged(&[]).ends(1).json();
    assert_eq!(json["source"]["kind"], "staged");
    assert_eq!(json["findings"][0]["exposure"], "staged");
    let head = project.git(&["rev-parse", "HEAD"]);
    assert_eq!(json["source"]["repository"]["revision"], head.trim());
}

#[test]
fn a_moved_file_holds_nothing_new() {
    let project = repository();
    project.file("folder/a.env", line(1)).file("b.env", line(2)).commit_all();
    project.git(&["mv", "folder", "other"]);
    project.git(&["mv", "b.env", "c.env"]);
    let outcome = project.staged(&[]).finds_nothing();
    assert_eq!(outcome.json()["coverage"]["files"], 0);
}

#[test]
fn a_moved_and_edited_file_is_compared_with_where_it_came_from() {
    let project = repository();
    let filler: String = (0..20).map(|number| format!("NAME_{number}=value\n")).collect();
    project.file("folder/a.env", format!("{filler}{}", line(1))).commit_all();
    project.git(&["mv", "folder", "other"]);
    project.stage("other/a.env", format!("{}{filler}{}", line(2), line(1)));
    project.staged(&[]).finds(&["other/a.env:1:14"]);
}

#[test]
fn a_copy_is_new() {
    let project = repository();
    project.file("a.env", line(1)).commit_all();
    project.stage("b.env", line(1));
    project.staged(&[]).finds(&["b.env:1:14"]);
}

#[test]
fn a_change_of_mode_adds_nothing() {
    let project = repository();
    project.file("run.sh", line(1)).commit_all();
    project.git(&["update-index", "--chmod=+x", "run.sh"]);
    project.staged(&[]).finds_nothing();
}

#[test]
fn a_deleted_file_adds_nothing() {
    let project = repository();
    project.file("folder/a.env", line(1)).commit_all();
    project.git(&["rm", "-rq", "folder"]);
    project.staged(&[]).finds_nothing();
}

#[cfg(unix)]
#[test]
fn of_a_link_the_target_is_read_as_text() {
    let project = repository();
    let target = format!("https://host.example/?token={}", token("github-pat", 1));
    std::os::unix::fs::symlink(target, project.path("link")).unwrap();
    project.git(&["add", "link"]);
    project.staged(&[]).finds(&["link:1:29"]);
}

#[test]
fn a_file_that_becomes_a_folder_is_seen() {
    let project = repository();
    project.file("name", "text\n").commit_all();
    fs::remove_file(project.path("name")).unwrap();
    project.file("name/a.env", line(1));
    project.git(&["add", "--all"]);
    project.staged(&[]).finds(&["name/a.env:1:14"]);
}

#[test]
fn a_submodule_is_a_note_and_no_failure() {
    let project = repository();
    let id = "1".repeat(40);
    project.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},sub")]);
    let outcome = project.staged(&[]).finds_nothing();
    assert_eq!(outcome.gaps(), ["sub: submodule"]);
}

#[test]
fn a_file_that_is_only_intended_has_no_content_yet() {
    let project = repository();
    project.file("new.env", line(1));
    project.git(&["add", "--intent-to-add", "new.env"]);
    project.staged(&[]).finds_nothing();
}

#[test]
fn both_sides_of_a_conflict_are_scanned() {
    let project = repository();
    project.git(&["checkout", "--quiet", "-b", "theirs"]);
    project.file("app.env", format!("{}PORT=80\n", line(1))).commit_all();
    project.git(&["checkout", "--quiet", "-b", "ours", "HEAD~1"]);
    project.file("app.env", "NAME=other\nPORT=80\n").commit_all();
    let mut merge = std::process::Command::new("git");
    merge.current_dir(project.root()).args(["-c", "user.name=A", "-c", "user.email=a@b", "merge", "theirs"]);
    run(merge, b"").ends(1);
    assert!(project.git(&["ls-files", "--unmerged"]).lines().count() == 3);
    project.staged(&[]).finds(&["app.env:1:14"]);
}

#[test]
fn a_missing_blob_is_never_clean() {
    let project = repository();
    project.stage("a.env", "A=1\n");
    let oid = project.git(&["rev-parse", ":a.env"]);
    let (first, rest) = oid.trim().split_at(2);
    fs::remove_file(project.path(&format!(".git/objects/{first}/{rest}"))).unwrap();
    let outcome = project.staged(&[]).ends(3);
    assert_eq!(outcome.gaps(), ["a.env: missing"]);
}

#[test]
fn a_pointer_of_lfs_is_a_note() {
    let project = repository();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n", "a".repeat(64));
    project.stage("big.bin", pointer);
    assert_eq!(project.staged(&[]).finds_nothing().gaps(), ["big.bin: lfs"]);
}

#[test]
fn the_other_forms_of_an_index_are_read() {
    for form in [
        &["update-index", "--index-version", "4"][..],
        &["update-index", "--split-index"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "kept"],
    ] {
        let project = repository();
        project
            .file("kept/a.env", "A=1\n")
            .file("left/out/b.env", "B=1\n")
            .file("z.env", "Z=1\n")
            .commit_all();
        project.git(form);
        project.staged(&[]).finds_nothing();
        project.stage("kept/a.env", line(1)).stage("z.env", line(2)).stage("zz/new.env", line(3));
        project.staged(&[]).finds(&["kept/a.env:1:14", "z.env:1:14", "zz/new.env:1:14"]);
        project.git(&["rm", "--quiet", "--sparse", "--cached", "app.env"]);
        project.git(&["commit", "--quiet", "-m", "all of it"]);
        project.staged(&[]).finds_nothing();
    }
}

#[test]
fn a_folder_of_a_sparse_index_is_looked_into() {
    let project = repository();
    project.file("kept/a.env", "A=1\n").file("left/out/b.env", line(1)).commit_all();
    project.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "kept"]);
    assert!(project.git(&["ls-files", "--sparse"]).contains("left/\n"));
    project.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    project.staged(&[]).finds(&["left/out/b.env:1:14"]);
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let project = repository();
    let inner = repository();
    let url = inner.root().to_str().unwrap();
    project.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    project.file("sub/folder/a.env", line(1));
    project.git_at("sub", &["add", "."]);
    let outcome = project.staged(&[]).finds_nothing();
    assert_eq!(outcome.gaps(), ["sub: submodule"]);
    let mut command = project.command();
    command.current_dir(project.path("sub/folder")).args(["staged", "--format", "json"]);
    run(command, b"").finds(&["folder/a.env:1:14"]);
}

#[test]
fn repositories_with_long_ids_are_read() {
    let project = Project::new();
    project.git(&["init", "--quiet", "--object-format=sha256"]);
    project.file("a/b.env", "A=1\n").commit_all();
    project.stage("a/b.env", line(1));
    project.staged(&[]).finds(&["a/b.env:1:14"]);
}

#[test]
fn refs_that_cannot_be_read_are_an_error_and_not_clean() {
    let project = Project::new();
    project.git_init();
    project.git(&["config", "core.repositoryFormatVersion", "1"]);
    project.file(
        ".git/config",
        format!("{}[extensions]\n\trefStorage = reftable\n", project.read(".git/config")),
    );
    let outcome = project.hekate(&["staged"]).ends(3);
    assert_eq!(
        outcome.stderr,
        "error: this repository keeps its refs in a reftable, which hekate can't read yet\n"
    );
}

#[test]
fn a_damaged_index_is_an_error_and_not_clean() {
    let project = repository();
    let bytes = fs::read(project.path(".git/index")).unwrap();
    fs::write(project.path(".git/index"), &bytes[..bytes.len() - 30]).unwrap();
    let outcome = project.hekate(&["staged"]).ends(3);
    assert!(outcome.stderr.starts_with("error: read "), "{}", outcome.stderr);
}

#[test]
fn it_runs_in_a_folder_below_and_in_a_linked_worktree() {
    let project = repository();
    project.git(&["worktree", "add", "--quiet", "linked"]);
    project.file("linked/folder/a.env", line(1));
    project.git_at("linked", &["add", "."]);
    project.staged(&[]).finds_nothing();
    for folder in ["linked", "linked/folder"] {
        let mut command = project.command();
        command.current_dir(project.path(folder)).args(["staged", "--format", "json"]);
        run(command, b"").finds(&["folder/a.env:1:14"]);
    }
}

#[test]
fn the_variables_that_git_sets_in_hooks_are_followed() {
    let project = repository();
    project.file("a.env", line(1));
    let index = project.path(".git/other-index");
    let index = index.to_str().unwrap();
    let mut add = std::process::Command::new("git");
    add.current_dir(project.root()).env("GIT_INDEX_FILE", index).args(["add", "a.env"]);
    run(add, b"").ends(0);
    project.staged(&[]).finds_nothing();
    let args = ["staged", "--format", "json"];
    project.hekate_with(b"", &[("GIT_INDEX_FILE", index)], &args).finds(&["a.env:1:14"]);
    // A name that is not absolute starts at the root of the work tree.
    let mut command = project.command();
    fs::create_dir(project.path("below")).unwrap();
    command.current_dir(project.path("below")).env("GIT_INDEX_FILE", ".git/other-index").args(args);
    run(command, b"").finds(&["a.env:1:14"]);
    let elsewhere = Project::new();
    let (git_dir, root) = (project.path(".git"), project.root());
    let env = [("GIT_DIR", &*git_dir), ("GIT_WORK_TREE", root), ("GIT_INDEX_FILE", index.as_ref())];
    let mut command = elsewhere.command();
    command.envs(env).args(args);
    run(command, b"").finds(&["a.env:1:14"]);
}

#[test]
fn it_holds_back_a_commit_as_a_hook_whatever_the_commit_is_made_of() {
    let project = repository();
    let hook = project.path(".git/hooks/pre-commit");
    project.file(".git/hooks/pre-commit", format!("#!/bin/sh\nexec {} staged\n", crate::harness::HEKATE));
    #[cfg(unix)]
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    project.file("app.env", format!("NAME=app\n{}", line(1)));
    let commit = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let who = ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x"];
        command.current_dir(project.root()).args(who).args(args);
        run(command, b"")
    };
    commit(&["--allow-empty"]).ends(0);
    for args in [&["-a"][..], &["--", "app.env"]] {
        let outcome = commit(args).ends(1);
        assert!(outcome.stderr.contains("app.env:2:14"), "{}", outcome.stderr);
    }
    project.file("app.env", "NAME=app\nTOKEN=none\n");
    commit(&["-a"]).ends(0);
}

#[test]
fn objects_in_a_quarantine_are_found() {
    let project = repository();
    let quarantine = project.path(".git/objects/quarantine");
    fs::create_dir_all(&quarantine).unwrap();
    let env = [
        ("GIT_OBJECT_DIRECTORY", quarantine.to_str().unwrap().to_owned()),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", project.path(".git/objects").to_str().unwrap().to_owned()),
    ];
    project.file("a.env", line(1));
    let mut add = std::process::Command::new("git");
    add.current_dir(project.root()).envs(env.clone()).args(["add", "a.env"]);
    run(add, b"").ends(0);
    project.staged(&[]).ends(3);
    let mut command = project.command();
    command.envs(env).args(["staged", "--format", "json"]);
    run(command, b"").finds(&["a.env:1:14"]);
}

#[test]
fn a_bare_repository_and_no_repository_are_wrong_use() {
    let project = Project::new();
    project.hekate(&["staged"]).refuses(&["not in a git repository"]);
    project.git(&["init", "--quiet", "--bare"]);
    project.hekate(&["staged"]).refuses(&["a bare repository has no index"]);
}

#[test]
fn folders_deeper_than_any_are_a_gap() {
    let project = repository();
    let oid = project.git(&["rev-parse", "HEAD:app.env"]);
    let path = format!("{}file", "a/".repeat(1500));
    project.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},{path}", oid.trim())]);
    let outcome = project.staged(&["-j", "2"]).ends(3);
    assert!(outcome.gaps()[0].ends_with("a/: cap"), "{:?}", outcome.gaps());
}

#[test]
fn all_of_the_index_is_scanned_when_asked() {
    let project = repository();
    project.file("old.env", line(1)).file("folder/old.env", line(2)).commit_all();
    project.staged(&[]).finds_nothing();
    project.staged(&["--all"]).finds(&["folder/old.env:1:14", "old.env:1:14"]);
}

#[test]
fn under_pre_commit_a_clean_index_means_all_files() {
    let project = repository();
    project.file("old.env", line(1)).commit_all();
    let args = ["staged", "--format", "json"];
    let env = [("PRE_COMMIT", "1")];
    project.hekate_with(b"", &env, &args).finds(&["old.env:1:14"]);
    project.stage("new.env", "A=1\n");
    project.hekate_with(b"", &env, &args).finds_nothing();
}

#[test]
fn marks_and_the_baseline_hold_for_staged_files_too() {
    let project = repository();
    project.stage("a.env", format!("{} # hekate:allow\n", line(1).trim_end()));
    let outcome = project.staged(&[]).finds_nothing();
    assert_eq!(outcome.suppressed("inline-mark"), 1);
}

#[test]
fn names_of_any_bytes_are_shown_safely() {
    let project = repository();
    project.stage("new\nline \u{1b}[31m.env", line(1));
    let outcome = project.hekate(&["staged"]).ends(1);
    assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
}

#[test]
fn people_are_told_where_and_what_to_do_and_never_the_secret() {
    let project = repository();
    let secret = token("github-pat", 1);
    project.stage("app.env", format!("NAME=app\nGITHUB_TOKEN={secret}\n"));
    let outcome = project.hekate(&["staged"]).ends(1);
    assert!(!outcome.stdout.contains(&secret));
    // How random the value looks is the token's own.
    let is_fact = |line: &str| ["  why ", "  id ", "           "].iter().any(|start| line.starts_with(start));
    let shown: Vec<&str> = outcome.stdout.lines().filter(|line| !is_fact(line)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    critical  GitHub personal access token (classic) [github-pat]
      app.env:2:14
        2 | GITHUB_TOKEN=ghp_********
          |              ^^^^^^^^^^^^

    Not committed yet: take it out and `git add` the file again, or `git restore --staged FILE`.
    To accept one instead: mark its line with `hekate:allow`, or run `hekate baseline write`.

    1 secret in 1 place · 1 file, 63 B scanned
    ");
}

/// The paths of blobs that git says the next commit changes, without files that were only moved.
fn changed_by_git(project: &Project) -> Vec<String> {
    let raw = project.git(&[
        "diff",
        "--cached",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--ita-invisible-in-index",
        "-z",
    ]);
    let fields: Vec<&str> = raw.split('\0').collect();
    let lines: Vec<(Vec<&str>, &str)> =
        fields.chunks_exact(2).map(|pair| (pair[0].split(' ').collect(), pair[1])).collect();
    let gone: Vec<&str> =
        lines.iter().filter(|(words, _)| words[4] == "D").map(|(words, _)| words[2]).collect();
    let counts = |words: &[&str]| match words[4] {
        "A" => !gone.contains(&words[3]),
        "D" => false,
        _ => words[2] != words[3],
    };
    let mut paths: Vec<String> =
        lines.iter().filter(|(words, _)| counts(words)).map(|(_, path)| (*path).to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn what_is_scanned_is_what_git_says_is_changed() {
    let forms: [&[&str]; 4] = [
        &["update-index", "--index-version", "2"],
        &["update-index", "--index-version", "4"],
        &["update-index", "--split-index"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "a", "b"],
    ];
    for (seed, form) in (0..).zip(forms) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let project = repository();
        for folder in ["a", "a/b", "a-b", "a.b", "b/c/d", "z"] {
            for name in ["one", "two", "a", "b"] {
                project.file(&format!("{folder}/{name}.txt"), format!("{folder}/{name}\n"));
            }
        }
        project.commit_all();
        project.git(form);
        let mut with_changes = 0;
        for step in 0..40 {
            let folder = ["a", "a/b", "b/c/d", "b", "a/b/c"][rng.usize(..5)];
            let name = ["one.txt", "two.txt", "a.txt", "b", "new"][rng.usize(..5)];
            let path = format!("{folder}/{name}");
            let is_folder = project.path(&path).is_dir() || project.path(folder).is_file();
            match rng.u8(..6) {
                _ if is_folder => {}
                0 | 1 => drop(project.stage(&path, format!("step {step}\n"))),
                2 => drop(project.git(&["rm", "-q", "--cached", "--ignore-unmatch", "--sparse", &path])),
                3 => drop(project.git(&["rm", "-rqf", "--cached", "--ignore-unmatch", "--sparse", "a/b"])),
                4 if rng.bool() => drop(project.git(&["commit", "-q", "--allow-empty", "-m", "x"])),
                4 => drop(project.git(&["reset", "-q", "--", "."])),
                _ => drop(project.git(&["write-tree"])),
            }
            let repository = Repository::open(project.root()).expect("open a repository");
            let staged = Staged::new(&repository, Scope::Changes).expect("read what is staged");
            let mut names: Vec<String> = staged.list().entries.into_iter().map(|entry| entry.name).collect();
            names.sort();
            assert_eq!(names, changed_by_git(&project), "{form:?}, step {step}");
            with_changes += usize::from(!names.is_empty());
        }
        assert!(with_changes >= 10, "{form:?}: {with_changes} of the steps have something to compare");
    }
}
