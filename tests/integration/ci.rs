//! `ci/scan.sh` with events as they come, and `action.yml`.

use std::{fs, path::Path, process::Command};

use super::harness::{Outcome, Project, run};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A clone with a default branch, a branch of two commits, and a program that writes down what it is called with.
struct Checkout {
    project: Project,
    main: String,
    branch: String,
}

impl Checkout {
    fn new() -> Self {
        let project = Project::new();
        project.git(&["init", "--quiet", "--initial-branch=main", "upstream"]);
        let commit = |message: &str| {
            project.git_at("upstream", &["commit", "--quiet", "--allow-empty", "-m", message]);
            project.git_at("upstream", &["rev-parse", "HEAD"]).trim().to_owned()
        };
        commit("one");
        let main = commit("two");
        project.git_at("upstream", &["checkout", "--quiet", "-b", "topic"]);
        commit("three");
        let branch = commit("four");
        project.git(&["clone", "--quiet", "upstream", "checkout"]);
        project.file("fake", "#!/bin/sh\nfor arg; do echo \"$arg\"; done >>\"$OUT\"\nexit \"${CODE:-0}\"\n");
        project.run("chmod", &["+x", "fake"]);
        Self { project, main, branch }
    }

    fn scan(&self, env: &[(&str, &str)]) -> Outcome {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/scan.sh"));
        command.env_clear().current_dir(self.project.path("checkout"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HEKATE", self.project.path("fake")).env("OUT", self.project.path("out"));
        command.env("HEKATE_DEFAULT_BRANCH", "main").envs(env.iter().copied());
        run(command, b"")
    }

    /// What hekate is called with, in one line.
    fn called(&self, env: &[(&str, &str)]) -> String {
        drop(fs::remove_file(self.project.path("out")));
        self.scan(env).ends(0);
        self.project.read("out").lines().collect::<Vec<_>>().join(" ")
    }

    fn is_not_called(&self) {
        assert!(!self.project.path("out").exists());
    }
}

#[test]
fn a_pull_request_is_scanned_from_base_to_head_with_the_policy_of_its_base() {
    let checkout = Checkout::new();
    let (base, head) = (checkout.main.as_str(), checkout.branch.as_str());
    for event in ["pull_request", "pull_request_target", "merge_group"] {
        let called =
            checkout.called(&[("HEKATE_EVENT", event), ("HEKATE_BASE", base), ("HEKATE_HEAD", head)]);
        assert_eq!(called, format!("history --range {base}..{head} --policy-from {base}"), "{event}");
    }
}

#[test]
fn a_push_is_scanned_from_what_was_there_with_the_policy_of_the_default_branch() {
    let checkout = Checkout::new();
    let (main, head) = (checkout.main.as_str(), checkout.branch.as_str());
    let push = |reference: &str, before: &str| {
        let event = [("HEKATE_EVENT", "push"), ("HEKATE_REF", reference)];
        checkout.called(&[&event[..], &[("HEKATE_BEFORE", before), ("HEKATE_AFTER", head)]].concat())
    };
    let parent = checkout.project.git_at("checkout", &["rev-parse", "HEAD~1"]);
    let parent = parent.trim();
    assert_eq!(
        push("refs/heads/topic", parent),
        format!("history --range {parent}..{head} --policy-from {main}")
    );
    // A new branch; and one whose old commits a forced push has taken away.
    let gone = "1".repeat(40);
    for before in [ZERO, gone.as_str()] {
        assert_eq!(
            push("refs/heads/topic", before),
            format!("history --range {main}..{head} --policy-from {main}")
        );
    }
    assert_eq!(
        push("refs/heads/main", parent),
        format!("history --range {parent}..{head} --policy-from {head}")
    );
    assert_eq!(push("refs/heads/main", ZERO), format!("history --policy-from {head}"));
}

#[test]
fn a_deleted_branch_needs_no_scan() {
    let checkout = Checkout::new();
    let event = [("HEKATE_EVENT", "push"), ("HEKATE_BEFORE", &checkout.main), ("HEKATE_AFTER", ZERO)];
    checkout.scan(&event).ends(0);
    checkout.is_not_called();
}

#[test]
fn any_other_event_scans_the_whole_history() {
    let checkout = Checkout::new();
    for event in ["schedule", "workflow_dispatch", ""] {
        assert_eq!(checkout.called(&[("HEKATE_EVENT", event)]), "history", "{event}");
    }
}

#[test]
fn a_shallow_checkout_says_what_to_change() {
    let checkout = Checkout::new();
    let upstream = format!("file://{}", checkout.project.path("upstream").display());
    fs::remove_dir_all(checkout.project.path("checkout")).unwrap();
    checkout.project.git(&["clone", "--quiet", "--depth=1", &upstream, "checkout"]);
    let (base, head) = (checkout.main.as_str(), checkout.branch.as_str());
    let pull = [("HEKATE_EVENT", "pull_request"), ("HEKATE_BASE", base), ("HEKATE_HEAD", head)];
    let push = [("HEKATE_EVENT", "push"), ("HEKATE_BEFORE", base), ("HEKATE_AFTER", head)];
    for event in [&pull[..], &push, &[("HEKATE_EVENT", "schedule")]] {
        checkout.scan(event).refuses(&["fetch-depth: 0"]);
    }
    checkout.is_not_called();
}

#[test]
fn outside_of_a_repository_nothing_is_taken_for_clean() {
    let checkout = Checkout::new();
    fs::remove_dir_all(checkout.project.path("checkout/.git")).unwrap();
    checkout.scan(&[("HEKATE_EVENT", "schedule")]).refuses(&["no repository that git will open"]);
    checkout.is_not_called();
}

#[test]
fn what_is_no_commit_id_reaches_no_command() {
    let checkout = Checkout::new();
    for hostile in ["", "main", "--output=x", "$(touch out)", "a b", "HEAD", &"g".repeat(40)] {
        let event = [("HEKATE_EVENT", "pull_request"), ("HEKATE_BASE", hostile), ("HEKATE_HEAD", hostile)];
        checkout.scan(&event).refuses(&["is no commit id"]);
        if !hostile.is_empty() {
            let event = [("HEKATE_EVENT", "push"), ("HEKATE_BEFORE", ZERO), ("HEKATE_AFTER", hostile)];
            checkout.scan(&event).refuses(&["is no commit id"]);
        }
    }
    checkout.is_not_called();
}

#[test]
fn more_arguments_are_words_and_no_patterns() {
    let checkout = Checkout::new();
    let called =
        checkout.called(&[("HEKATE_ARGS", "--only-rule * --jobs 2"), ("HEKATE_SARIF", "/x y.sarif")]);
    assert_eq!(called, "history --only-rule * --jobs 2 --output sarif:/x y.sarif");
}

#[test]
fn the_exit_code_is_hekates_now_or_in_a_later_step() {
    let checkout = Checkout::new();
    let output = checkout.project.path("github-output");
    let output = output.to_str().unwrap();
    let sarif = checkout.project.path("report.sarif");
    let sarif = sarif.to_str().unwrap();
    for code in ["0", "1", "2", "3", "4"] {
        checkout.scan(&[("CODE", code)]).ends(code.parse().unwrap());
    }
    let deferred = [("GITHUB_OUTPUT", output), ("HEKATE_DEFER", "1"), ("HEKATE_SARIF", sarif), ("CODE", "4")];
    checkout.scan(&deferred).ends(0);
    assert_eq!(checkout.project.read("github-output"), "exit-code=4\n");
    checkout.project.file("github-output", "").file("report.sarif", "{}");
    checkout.scan(&deferred).ends(0);
    assert_eq!(
        checkout.project.read("github-output"),
        format!("exit-code=4\nsarif-file={sarif}\ncategory=hekate-history\n")
    );
    // Without a later step there is nobody to fail.
    checkout.scan(&[("HEKATE_DEFER", "1"), ("CODE", "1")]).ends(1);
}

/// What is written for the step that uploads.
fn category(checkout: &Checkout, report: &str, env: &[(&str, &str)]) -> Option<String> {
    checkout.project.file("github-output", "").file("report.sarif", report);
    let path = |name: &str| checkout.project.path(name).display().to_string();
    let (output, sarif) = (path("github-output"), path("report.sarif"));
    let own = [("GITHUB_OUTPUT", output.as_str()), ("HEKATE_DEFER", "1"), ("HEKATE_SARIF", &sarif)];
    checkout.scan(&[&own[..], env].concat()).ends(0);
    let written = checkout.project.read("github-output");
    written.lines().find_map(|line| line.strip_prefix("category=").map(str::to_owned))
}

/// Code scanning takes what a later report of the same category lacks for mended.
#[test]
fn what_a_push_brings_closes_no_alert_of_another_scan() {
    let checkout = Checkout::new();
    let (base, head) = (checkout.main.as_str(), checkout.branch.as_str());
    let (clean, found) = (r#"{"results":[]}"#, r#"{"results":[{"ruleId":"x"}]}"#);
    let own = |of: &str| Some(format!("hekate-push-{}", &of[..12]));
    for reference in ["refs/heads/branch", "refs/heads/main"] {
        let push = |before, after| {
            [
                ("HEKATE_EVENT", "push"),
                ("HEKATE_REF", reference),
                ("HEKATE_BEFORE", before),
                ("HEKATE_AFTER", after),
            ]
        };
        assert_eq!(category(&checkout, found, &push(base, head)), own(head));
        assert_eq!(category(&checkout, found, &push(head, base)), own(base));
        assert_eq!(category(&checkout, clean, &push(base, head)), None);
    }
    let whole = [("HEKATE_EVENT", "push"), ("HEKATE_REF", "refs/heads/main"), ("HEKATE_AFTER", head)];
    assert_eq!(category(&checkout, clean, &whole).as_deref(), Some("hekate-history"));
    let pull = [("HEKATE_EVENT", "pull_request"), ("HEKATE_BASE", base), ("HEKATE_HEAD", head)];
    for report in [clean, found] {
        assert_eq!(category(&checkout, report, &pull).as_deref(), Some("hekate-pull-request"));
        let named = [("HEKATE_EVENT", "schedule"), ("HEKATE_CATEGORY", "own")];
        assert_eq!(category(&checkout, report, &named).as_deref(), Some("own-history"));
    }
}

#[test]
fn the_action_puts_no_expression_into_a_script() {
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let mut script_indent = None;
    let mut scripts = 0;
    for line in action.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        if script_indent.is_some_and(|script| indent <= script) {
            script_indent = None;
        }
        if let Some(inline) = line.trim_start().trim_start_matches("- ").strip_prefix("run:") {
            scripts += 1;
            script_indent = Some(indent);
            assert!(!inline.contains("${{"), "{line}");
        } else if script_indent.is_some() {
            assert!(!line.contains("${{"), "{line}");
        }
    }
    assert_eq!(scripts, 4);
}
