//! `hekate hook`: into a hooks folder and out of it, and what the hooks refuse.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::{
    harness::{HEKATE, Outcome, Project, run},
    secrets::token,
};

/// Everything in the hooks folder: name, mode and text (or a link's target).
#[cfg(unix)]
fn hooks(project: &Project, folder: &str) -> Vec<(String, u32, String)> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = fs::read_dir(project.path(folder)) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .map(|entry| entry.expect("list a hooks folder").path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "sample"))
        .map(|path| {
            let metadata = path.symlink_metadata().expect("look at a hook");
            let text = if metadata.is_symlink() {
                fs::read_link(&path).expect("read a link").display().to_string()
            } else {
                fs::read_to_string(&path).expect("read a hook")
            };
            let name = path.file_name().expect("a hook has a name").to_string_lossy().into_owned();
            (name, metadata.permissions().mode() & 0o7777, text)
        })
        .collect();
    all.sort();
    all
}

#[cfg(unix)]
fn set_mode(project: &Project, path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).expect("set a mode");
}

fn names(hooks: &[(String, u32, String)]) -> Vec<&str> {
    hooks.iter().map(|(name, _, _)| name.as_str()).collect()
}

fn repository() -> Project {
    let project = Project::new();
    project.git_init();
    project
}

fn install(project: &Project, args: &[&str]) -> Outcome {
    project.hekate(&[&["hook", "install"], args].concat())
}

fn uninstall(project: &Project, args: &[&str]) -> Outcome {
    project.hekate(&[&["hook", "uninstall"], args].concat())
}

#[cfg(unix)]
#[test]
fn install_and_uninstall_leave_the_folder_as_it_was() {
    let project = repository();
    let before = hooks(&project, ".git/hooks");
    install(&project, &[]).ends(0);
    let installed = hooks(&project, ".git/hooks");
    assert_eq!((names(&installed), installed[0].1), (vec!["pre-commit"], 0o755));
    assert!(install(&project, &[]).ends(0).stderr.contains("is up to date"));
    assert_eq!(hooks(&project, ".git/hooks"), installed);
    uninstall(&project, &[]).ends(0);
    assert_eq!(hooks(&project, ".git/hooks"), before);
    assert!(uninstall(&project, &[]).ends(0).stderr.contains("no hook of hekate's"));
}

#[cfg(unix)]
#[test]
fn a_hook_that_was_there_is_kept_and_comes_back_with_its_mode() {
    let project = repository();
    project.file(".git/hooks/pre-push", "#!/bin/sh\nexit 0\n");
    set_mode(&project, ".git/hooks/pre-push", 0o751);
    std::os::unix::fs::symlink("../elsewhere", project.path(".git/hooks/pre-commit")).unwrap();
    let before = hooks(&project, ".git/hooks");
    install(&project, &["pre-commit", "pre-push"]).ends(0);
    install(&project, &["pre-commit", "pre-push"]).ends(0);
    let installed = hooks(&project, ".git/hooks");
    assert_eq!(
        names(&installed),
        ["pre-commit", "pre-commit.before-hekate", "pre-push", "pre-push.before-hekate"]
    );
    uninstall(&project, &["pre-push", "pre-commit"]).ends(0);
    assert_eq!(hooks(&project, ".git/hooks"), before);
}

#[cfg(unix)]
#[test]
fn a_dry_run_changes_nothing_and_shows_the_script() {
    let project = repository();
    project.file(".git/hooks/pre-commit", "mine");
    let before = hooks(&project, ".git/hooks");
    let outcome = install(&project, &["--dry-run"]).ends(0);
    assert!(outcome.stdout.starts_with("#!/bin/sh\n"));
    assert!(outcome.stderr.contains("would keep") && outcome.stderr.contains("would write"));
    assert_eq!(hooks(&project, ".git/hooks"), before);
}

#[cfg(unix)]
#[test]
fn two_hooks_of_others_are_never_mixed_up() {
    let project = repository();
    project.file(".git/hooks/pre-commit", "first");
    install(&project, &[]).ends(0);
    project.file(".git/hooks/pre-commit", "second");
    let before = hooks(&project, ".git/hooks");
    install(&project, &[]).refuses(&["pre-commit is not ours", "pre-commit.before-hekate is there"]);
    uninstall(&project, &[]).ends(0);
    assert_eq!(hooks(&project, ".git/hooks"), before);
}

#[cfg(unix)]
#[test]
fn hooks_go_where_core_hooks_path_says() {
    let project = repository();
    project.run("git", &["config", "core.hooksPath", "team/hooks"]);
    project.file("sub/x", "");
    let mut command = project.command();
    command.current_dir(project.path("sub")).args(["hook", "install"]);
    run(command, b"").ends(0);
    assert_eq!(names(&hooks(&project, "team/hooks")), ["pre-commit"]);
    assert_eq!(hooks(&project, ".git/hooks"), []);
}

#[cfg(unix)]
#[test]
fn hooks_of_all_repositories_are_touched_only_when_that_is_said() {
    let project = repository();
    project.file("gitconfig", format!("[core]\n\thooksPath = {}\n", project.path("all").display()));
    let config = project.path("gitconfig").display().to_string();
    let install = |args: &[&str]| {
        project.hekate_with(b"", &[("GIT_CONFIG_GLOBAL", &config)], &[&["hook", "install"], args].concat())
    };
    install(&[]).refuses(&["core.hooksPath", "all repositories", "--shared"]);
    assert!(install(&["--shared"]).ends(0).stderr.contains("serves all repositories"));
    assert_eq!(names(&hooks(&project, "all")), ["pre-commit"]);
}

#[cfg(unix)]
#[test]
fn a_hooks_folder_that_leads_out_is_refused() {
    let project = repository();
    fs::remove_dir_all(project.path(".git/hooks")).unwrap();
    fs::create_dir(project.path("out")).unwrap();
    std::os::unix::fs::symlink("../out", project.path(".git/hooks")).unwrap();
    install(&project, &[]).refuses(&["is a link to", "core.hooksPath"]);
    assert_eq!(hooks(&project, "out"), []);
}

#[cfg(unix)]
#[test]
fn linked_worktrees_share_the_hooks_of_their_repository() {
    let project = repository();
    project.commit_all().git(&["worktree", "add", "--quiet", "linked"]);
    let mut command = project.command();
    command.current_dir(project.path("linked")).args(["hook", "install"]);
    run(command, b"").ends(0);
    assert_eq!(names(&hooks(&project, ".git/hooks")), ["pre-commit"]);
}

#[cfg(unix)]
#[test]
fn a_bare_repository_gets_the_hook_of_a_server() {
    let project = Project::new();
    project.run("git", &["init", "--quiet", "--bare", "."]);
    install(&project, &["--", "--deadline", "5s", "--on-timeout", "allow"]).ends(0);
    let all = hooks(&project, "hooks");
    assert_eq!(names(&all), ["pre-receive"]);
    assert!(all[0].2.contains("hook run pre-receive '--deadline' '5s' '--on-timeout' 'allow' \"$@\""));
}

#[cfg(unix)]
#[test]
fn outside_of_a_repository_nothing_is_installed() {
    install(&Project::new(), &[]).refuses(&["open the repository"]);
}

/// A line with a secret, and the part of it that no message may hold.
fn secret(seed: u64) -> (String, String) {
    let token = token("github-pat", seed);
    (format!("GITHUB_TOKEN={token}\n"), token[12..].to_owned())
}

impl Project {
    fn commit(&self) -> Outcome {
        self.try_git_at("", &["commit", "--quiet", "-m", "a commit"])
    }
}

#[cfg(unix)]
#[test]
fn a_commit_with_a_staged_secret_is_refused_and_told_where_and_how_to_fix_it() {
    let project = repository();
    install(&project, &[]).ends(0);
    let (line, hidden) = secret(1);
    let outcome = project.stage("app.env", format!("A=1\n{line}")).commit().ends(1);
    let said = &outcome.stderr;
    for part in ["this commit would add a secret", "app.env:2", "Fix:", "Accept:", "--no-verify"] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    assert!(!said.contains(&hidden) && !outcome.stdout.contains(&hidden));
    // Gone from the file, and still staged.
    project.file("app.env", "A=1\n").commit().ends(1);
    // Fixed, and another one in the file that is not staged.
    project.stage("app.env", "A=1\n").file("app.env", &line);
    assert_eq!(project.commit().ends(0).stderr, "");
}

#[cfg(unix)]
#[test]
fn commits_in_linked_worktrees_are_checked() {
    let project = repository();
    project.commit_all().git(&["worktree", "add", "--quiet", "linked"]);
    install(&project, &[]).ends(0);
    project.file("linked/app.env", secret(1).0).git_at("linked", &["add", "app.env"]);
    assert!(project.try_git_at("linked", &["commit", "-m", "x"]).ends(1).stderr.contains("app.env:1"));
}

#[cfg(unix)]
#[test]
fn a_hook_that_was_there_runs_first_and_its_failure_is_one() {
    let project = repository();
    project.file(".git/hooks/pre-commit", "#!/bin/sh\necho before >&2\nexit \"$(cat code)\"\n");
    set_mode(&project, ".git/hooks/pre-commit", 0o755);
    install(&project, &[]).ends(0);
    project.stage("app.env", secret(1).0).file("code", "7");
    assert_eq!(project.commit().ends(1).stderr, "before\n");
    assert!(project.file("code", "0").commit().ends(1).stderr.starts_with("before\nhekate: "));
    project.stage("app.env", "A=1\n").commit().ends(0);
}

#[cfg(unix)]
#[test]
fn a_hook_before_a_push_gets_what_git_says_and_so_does_hekate() {
    let project = repository();
    project.file(".git/hooks/pre-push", "#!/bin/sh\necho \"$1 $2\" >seen\ncat >>seen\n");
    set_mode(&project, ".git/hooks/pre-push", 0o755);
    install(&project, &["pre-push"]).ends(0);
    let mut command = Command::new(project.path(".git/hooks/pre-push"));
    command.current_dir(project.root()).args(["origin", "url"]);
    let zero = "0".repeat(40);
    let line = format!("(delete) {zero} refs/heads/x {}\n", "a".repeat(40));
    run(command, line.as_bytes()).ends(0);
    assert_eq!(project.read("seen"), format!("origin url\n{line}"));
}

#[cfg(unix)]
#[test]
fn a_hook_whose_program_is_gone_refuses_and_looks_in_path_before() {
    let project = repository();
    install(&project, &[]).ends(0);
    let script = project.read(".git/hooks/pre-commit").replace(HEKATE, "/gone/hekate");
    project.file(".git/hooks/pre-commit", script).stage("app.env", "A=1\n");
    let said = project.commit().ends(1).stderr;
    assert!(said.contains("nothing was checked") && said.contains("git commit --no-verify"), "{said}");
    let folder = std::path::Path::new(HEKATE).parent().unwrap();
    let path = std::env::join_paths(
        [folder.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = Command::new(project.path(".git/hooks/pre-commit"));
    command.current_dir(project.root()).env("PATH", path.unwrap());
    run(command, b"").ends(0);
}

/// `hekate hook run` with standard input.
fn hook_run(project: &Project, args: &[&str], input: &str) -> Outcome {
    project.hekate_with(input.as_bytes(), &[], &[&["hook", "run"], args].concat())
}

#[test]
fn deletions_are_let_through_and_lines_of_another_form_are_not() {
    let project = repository();
    let (zero, some) = ("0".repeat(40), "a".repeat(40));
    hook_run(&project, &["pre-receive"], &format!("{some} {zero} refs/heads/x\n")).ends(0);
    hook_run(&project, &["pre-push", "origin", "url"], &format!("(delete) {zero} refs/heads/x {some}\n"))
        .ends(0);
    hook_run(&project, &["pre-receive"], "nonsense\n").refuses(&["`nonsense` is no line of this hook"]);
    hook_run(&project, &["pre-push", "origin"], "a b c\n").refuses(&["is no line of this hook"]);
    let long = format!("{} {} refs/heads/x\n", "0".repeat(64), "a".repeat(64));
    hook_run(&project, &["pre-receive"], &long).refuses(&["is no id of this repository's kind"]);
}

#[test]
fn a_push_that_takes_too_long_is_refused_unless_told_otherwise() {
    let project = repository();
    let run = |args: &[&str]| {
        let mut command = project.command();
        command.args(["hook", "run", "pre-receive"]).args(args).env("HEKATE_HOOK_DEADLINE", "10ms");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // As long as this is open, there may be more to scan.
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&[]);
    assert!(code == 3 && said.contains("longer than 10ms, so it is refused"), "{code} {said}");
    let (code, said) = run(&["--on-timeout", "allow"]);
    assert!(code == 0 && said.contains("without having been scanned"), "{code} {said}");
}

/// A server's bare repository, and a clone of it with one commit; the server has the hook.
#[cfg(unix)]
fn server_and_clone() -> Project {
    let project = Project::new();
    project.git(&["init", "--quiet", "--bare", "--initial-branch=main", "server"]);
    project.git(&["clone", "--quiet", "server", "clone"]);
    project.file("clone/a.txt", "A=1\n").git_at("clone", &["checkout", "--quiet", "-b", "main"]);
    project.commit_in_clone();
    project.git_at("clone", &["push", "--quiet", "origin", "main"]);
    project
}

impl Project {
    fn commit_in_clone(&self) {
        self.git_at("clone", &["add", "--all"]);
        self.git_at("clone", &["commit", "--quiet", "--no-verify", "-m", "a commit"]);
    }

    fn push(&self, args: &[&str]) -> Outcome {
        self.try_git_at("clone", &[&["push", "--quiet", "origin"], args].concat())
    }

    fn install_at(&self, folder: &str, hook: &str) {
        let mut command = self.command();
        command.current_dir(self.path(folder)).args(["hook", "install", hook]);
        run(command, b"").ends(0);
    }
}

#[cfg(unix)]
#[test]
fn a_push_to_a_server_is_refused_with_a_message_that_helps() {
    let project = server_and_clone();
    project.install_at("server", "pre-receive");
    let (line, hidden) = secret(1);
    project.file("clone/b.env", line);
    project.commit_in_clone();
    // A later commit that takes it out is not enough.
    project.file("clone/b.env", "");
    project.commit_in_clone();
    for branch in ["main", "main:new"] {
        let said = project.push(&[branch]).ends(1).stderr;
        for part in ["this push brings a secret", "b.env:1", "Fix:", "pre-receive hook declined"] {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
        assert!(!said.contains(&hidden));
    }
    project.git_at("clone", &["reset", "--quiet", "--hard", "origin/main"]);
    project.file("clone/c.txt", "C=1\n");
    project.commit_in_clone();
    project.push(&["main"]).ends(0);
}

#[cfg(unix)]
#[test]
fn an_update_of_a_branch_is_judged_by_what_it_brings() {
    let project = server_and_clone();
    project.file("clone/old.env", secret(1).0);
    project.commit_in_clone();
    project.push(&["main"]).ends(0);
    project.install_at("server", "pre-receive");
    project.install_at("clone", "pre-push");
    // What is there already is not held against the next push.
    project.file("clone/c.txt", "C=1\n");
    project.commit_in_clone();
    project.push(&["main"]).ends(0);
    project.file("clone/new.env", secret(2).0);
    project.commit_in_clone();
    let said = project.push(&["main"]).ends(1).stderr;
    assert!(said.contains("this push would send a secret") && said.contains("new.env:1"), "{said}");
    let said = project.push(&["--no-verify", "main"]).ends(1).stderr;
    assert!(said.contains("this push brings a secret") && !said.contains("old.env"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_server_judges_a_push_by_its_default_branch() {
    let project = server_and_clone();
    project.install_at("server", "pre-receive");
    let (line, _) = secret(1);
    project.file("clone/b.env", format!("{} # hekate:allow\n", line.trim_end()));
    project.file("clone/hekate.toml", "[[allowlists]]\npaths = ['b.env']\n");
    project.commit_in_clone();
    project.push(&["main"]).ends(1);
}

#[cfg(unix)]
#[test]
fn a_push_is_refused_before_it_leaves_whatever_the_remote_has() {
    let project = server_and_clone();
    project.install_at("clone", "pre-push");
    let (line, hidden) = secret(1);
    project.file("clone/b.env", line);
    project.commit_in_clone();
    for args in [&["main"][..], &["main:new"], &["--force", "main"]] {
        let said = project.push(args).ends(1).stderr;
        assert!(said.contains("this push would send a secret") && said.contains("b.env:1"), "{said}");
        assert!(!said.contains(&hidden));
    }
    // What the remote has already is not sent again.
    project.git_at("clone", &["push", "--quiet", "--no-verify", "origin", "main"]);
    project.file("clone/c.txt", "C=1\n");
    project.commit_in_clone();
    project.push(&["main", "main:other"]).ends(0);
    project.push(&["--delete", "other"]).ends(0);
}
