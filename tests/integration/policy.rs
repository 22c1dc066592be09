//! `--policy-from`: what a change can't allow itself.

use super::{
    harness::{Outcome, Project},
    secrets::token,
};

/// A repository whose branch `base` holds these files; what is written after that is the change.
fn repository(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.git_init();
    for (path, text) in files {
        project.file(path, text);
    }
    project.git(&["add", "--all", "--force"]);
    project.git(&["commit", "--quiet", "--allow-empty", "-m", "base"]);
    project.git(&["branch", "base"]);
    project
}

fn pinned(project: &Project, args: &[&str]) -> Outcome {
    project.scan(&[&["--policy-from", "base"], args].concat())
}

fn secret_line(seed: u64) -> String {
    format!("token = \"{}\"", token("github-pat", seed))
}

const ALLOW_A: &str = "[[allowlists]]\npaths = ['''^a\\.txt$''']\n";

#[test]
fn a_change_cannot_allow_its_own_leak_by_config_baseline_or_ignore_file() {
    let project = repository(&[]);
    project.file("a.txt", secret_line(1)).file("b.txt", secret_line(2)).file("c.txt", secret_line(3));
    project.file("hekate.toml", ALLOW_A).file(".gitleaksignore", "b.txt:github-pat:1\n");
    project.hekate(&["baseline", "write", "c.txt"]).ends(0);
    project.scan(&[]).ends(0);
    assert_eq!(pinned(&project, &[]).ends(1).paths(), ["a.txt", "b.txt", "c.txt"]);
}

#[test]
fn what_the_base_accepts_stays_accepted_whatever_the_change_does_to_the_files() {
    let project = repository(&[("hekate.toml", ALLOW_A), (".gitleaksignore", "b.txt:github-pat:1\n")]);
    project.file("a.txt", secret_line(1)).file("b.txt", secret_line(2));
    project.file("hekate.toml", "not even TOML").file(".gitleaksignore", "nonsense");
    let outcome = pinned(&project, &[]).ends(0);
    assert_eq!((outcome.suppressed("global-allowlist"), outcome.suppressed("ignore-file")), (1, 1));
}

#[test]
fn rule_files_and_baseline_that_the_config_names_come_from_the_base_too() {
    let rule = "[[rules]]\nid = 'acme'\nregex = '''acme_[0-9]{12}'''\n";
    let config = "[scan]\nrules = ['rules/one.toml', './rules/more']\nbaseline = 'accepted/list'\nonly-rules = ['acme', 'zeta']\n";
    let project = repository(&[
        ("hekate.toml", config),
        ("rules/one.toml", rule),
        ("rules/more/two.toml", &rule.replace("acme", "zeta")),
        ("accepted/list", "# nothing\n"),
    ]);
    for gone in ["rules/one.toml", "rules/more/two.toml", "accepted/list", "hekate.toml"] {
        project.file(gone, "broken [");
    }
    project.file("a.txt", "x = acme_904817365294\ny = zeta_174920573816\n");
    assert_eq!(pinned(&project, &["a.txt", "--min-confidence", "low"]).ends(1).rules().len(), 2);
}

#[test]
fn a_mark_counts_only_where_its_line_stood_before() {
    let marked = format!("{} # hekate:allow", secret_line(1));
    let project = repository(&[("old.txt", &format!("one\n{marked}\ntwo\n")), ("empty.txt", "")]);
    pinned(&project, &[]).ends(0);
    // The line moves, its end changes: it is still the same line.
    project.file("old.txt", format!("two\r\nthree\r\n{marked}\r\none"));
    assert_eq!(pinned(&project, &[]).ends(0).suppressed("inline-mark"), 1);
    let new = format!("{} # hekate:allow", secret_line(2));
    project.file("old.txt", format!("{marked}\n{new}\n")).file("new.txt", &marked).file("empty.txt", &new);
    project.scan(&[]).ends(0);
    assert_eq!(pinned(&project, &[]).ends(1).places(), ["empty.txt:1:10", "new.txt:1:10", "old.txt:2:10"]);
}

#[test]
fn no_secret_slips_under_a_mark_for_the_next_line_that_stood_before() {
    let mark = "# pragma: allowlist nextline secret";
    let project = repository(&[("a.txt", &format!("{mark}\n{}\n", secret_line(1)))]);
    assert_eq!(pinned(&project, &[]).ends(0).suppressed("inline-mark"), 1);
    project.file("a.txt", format!("{mark}\n{}\n{}\n", secret_line(2), secret_line(1)));
    assert_eq!(pinned(&project, &[]).ends(1).places(), ["a.txt:2:10", "a.txt:3:10"]);
}

#[test]
fn marks_in_a_sub_folder_are_held_against_the_right_file() {
    let marked = format!("{} # hekate:allow", secret_line(1));
    let project = repository(&[("sub/a.txt", &marked)]);
    for folder in ["sub", "sub/a.txt"] {
        assert_eq!(pinned(&project, &[folder]).ends(0).suppressed("inline-mark"), 1, "{folder}");
    }
}

#[test]
fn a_change_cannot_hide_a_committed_file_by_gitignore() {
    let project = repository(&[]);
    project.file(".gitignore", "leak.env\n").file("leak.env", secret_line(1));
    project.scan(&[]).ends(0);
    assert_eq!(pinned(&project, &[]).ends(1).paths(), ["leak.env"]);
}

#[test]
fn flags_win_over_the_policy_of_the_base() {
    let project = repository(&[("hekate.toml", ALLOW_A)]);
    project.file("a.txt", secret_line(1)).file("own.toml", "[scan]\nmin-confidence = 'low'\n");
    pinned(&project, &["--config", "own.toml"]).ends(1);
    project.hekate(&["baseline", "write", "--baseline", "mine", "--config", "own.toml", "a.txt"]).ends(0);
    pinned(&project, &["--config", "own.toml", "--baseline", "mine"]).ends(0);
}

#[test]
fn a_ref_that_is_not_there_says_how_to_fetch_it() {
    let project = repository(&[]);
    project.scan(&["--policy-from", "origin/main"]).refuses(&[
        "--policy-from origin/main: no such commit here",
        "git fetch",
        "fetch-depth: 0",
    ]);
    Project::new().scan(&["--policy-from", "main"]).refuses(&["open the repository"]);
}

#[test]
fn a_policy_file_of_the_base_that_is_broken_is_named_with_its_commit() {
    let project = repository(&[("hekate.toml", "[scan]\nrules = ['gone.toml']\n")]);
    pinned(&project, &[]).refuses(&["base:gone.toml", "it is not in that commit"]);
    let project = repository(&[("hekate.toml", "[scan]\nrules = ['../out.toml']\n")]);
    pinned(&project, &[]).refuses(&["base:hekate.toml", "leads out"]);
}

#[test]
fn what_is_staged_is_judged_by_the_base_too() {
    let project = repository(&[]);
    project.file("hekate.toml", ALLOW_A).file("a.txt", secret_line(1));
    project.file("b.txt", format!("{} # hekate:allow", secret_line(2)));
    project.git(&["add", "--all"]);
    project.staged(&[]).ends(0);
    assert_eq!(project.staged(&["--policy-from", "base"]).ends(1).paths(), ["a.txt", "b.txt"]);
}
