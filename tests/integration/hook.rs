//! `hekate hook`: into a hooks folder and out of it, and what the hooks refuse.

use std::fs;

use super::harness::{Outcome, Project};

/// Everything in the hooks folder: name, mode and text (or a link's target).
#[cfg(unix)]
fn hooks(project: &Project, folder: &str) -> Vec<(String, u32, String)> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = fs::read_dir(project.path(folder)) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "sample"))
        .map(|path| {
            let metadata = path.symlink_metadata().unwrap();
            let text = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                fs::read_to_string(&path).unwrap()
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, metadata.permissions().mode() & 0o7777, text)
        })
        .collect();
    all.sort();
    all
}

#[cfg(unix)]
fn set_mode(project: &Project, path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).unwrap();
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
    super::harness::run(command, b"").ends(0);
    assert_eq!(names(&hooks(&project, "team/hooks")), ["pre-commit"]);
    assert_eq!(hooks(&project, ".git/hooks"), []);
}

#[cfg(unix)]
#[test]
fn hooks_of_all_repositories_are_touched_only_when_that_is_said() {
    let project = repository();
    project.file("gitconfig", format!("[core]\n\thooksPath = {}\n", project.path("all").display()));
    let config = project.path("gitconfig").display().to_string();
    let run = |args: &[&str]| {
        project.hekate_with(b"", &[("GIT_CONFIG_GLOBAL", &config)], &[&["hook", "install"], args].concat())
    };
    run(&[]).refuses(&["core.hooksPath", "all repositories", "--shared"]);
    assert!(run(&["--shared"]).ends(0).stderr.contains("serves all repositories"));
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
    let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    project.run("git", &[&identity[..], &["commit", "--quiet", "--allow-empty", "-m", "one"]].concat());
    project.run("git", &["worktree", "add", "--quiet", "linked"]);
    let mut command = project.command();
    command.current_dir(project.path("linked")).args(["hook", "install"]);
    super::harness::run(command, b"").ends(0);
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
