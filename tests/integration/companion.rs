//! What stands near a secret and belongs to it, and files that are secrets by their names.

use serde_json::Value;

use crate::{
    harness::{Outcome, Project, text},
    secrets::token,
};

/// A key's id and its secret, with so many lines between.
fn pair(seed: u64, between: usize) -> String {
    let (id, secret) = (token("aws-access-token", seed), token("aws-secret-access-key", seed));
    format!("aws_access_key_id = {id}\n{}aws_secret_access_key = {secret}\n", "# nothing\n".repeat(between))
}

fn companions(finding: &Value) -> Vec<(String, String)> {
    let all = finding.get("companions").and_then(Value::as_array).cloned().unwrap_or_default();
    all.iter()
        .map(|one| (text(&one["rule"]), format!("{}:{}", text(&one["path"]), one["start"]["line"])))
        .collect()
}

fn scan(text: &str) -> Outcome {
    let project = Project::new();
    project.file("a.ini", text);
    project.scan(&["."])
}

#[test]
fn an_id_and_its_secret_are_one_finding_that_has_both() {
    let outcome = scan(&pair(1, 3)).ends(1);
    assert_eq!(outcome.rules(), ["aws-secret-access-key"]);
    let finding = &outcome.findings()[0];
    assert_eq!(companions(finding), [("aws-access-token".to_owned(), "a.ini:1".to_owned())]);
    assert!(text(&finding["companions"][0]["secret"]["redacted"]).contains("****"), "{finding}");
}

#[test]
fn what_stands_too_far_away_is_a_finding_of_its_own() {
    let mut rules = scan(&pair(1, 12)).ends(1).rules();
    rules.sort();
    assert_eq!(rules, ["aws-access-token", "aws-secret-access-key"]);
}

#[test]
fn each_secret_has_the_id_that_is_nearest_to_it() {
    let outcome = scan(&[pair(1, 0), pair(2, 0), pair(3, 0)].concat()).ends(1);
    let mut places: Vec<(u64, String)> = outcome
        .findings()
        .iter()
        .map(|one| {
            let line = one["occurrences"][0]["start"]["line"].as_u64().expect("a line");
            (line, companions(one)[0].1.clone())
        })
        .collect();
    places.sort();
    let near = |line: u64| (line, format!("a.ini:{}", line - 1));
    assert_eq!(places, [near(2), near(4), near(6)]);
}

#[test]
fn what_is_no_secret_by_itself_is_not_reported_alone() {
    let sid = format!("TWILIO_ACCOUNT_SID=AC{}\n", "0a1b2c3d4e5f6789".repeat(2));
    scan(&sid).ends(0);
    let both = format!("{sid}TWILIO_AUTH_TOKEN={}\n", token("twilio-auth-token", 4));
    let outcome = scan(&both).ends(1);
    assert_eq!(outcome.rules(), ["twilio-auth-token"]);
    assert_eq!(companions(&outcome.findings()[0])[0].0, "twilio-account-sid");
}

#[test]
fn a_secret_without_a_name_is_found_by_the_id_beside_it() {
    let (id, secret) = (token("aws-access-token", 5), token("aws-secret-access-key", 5));
    let outcome = scan(&format!("{id} (ci)\nregion eu-west-1\n{secret}\n")).ends(1);
    assert_eq!(outcome.rules(), ["aws-secret-access-key-nearby"]);
    assert!(scan(&format!("region eu-west-1\n{secret}\n")).rules().is_empty());
}

#[test]
fn a_mark_on_the_secret_accepts_the_pair() {
    scan(&format!("{}  # hekate:allow\n", pair(6, 0).trim_end())).ends(0);
}

#[test]
fn formats_with_a_line_for_each_place_have_the_id_too() {
    let project = Project::new();
    project.file("a.ini", pair(7, 0));
    let entries = project.hekate(&["scan", ".", "--format", "gitleaks"]).ends(1).json();
    let rules: Vec<String> =
        entries.as_array().expect("a list").iter().map(|one| text(&one["RuleID"])).collect();
    assert_eq!(rules, ["aws-secret-access-key", "aws-access-token"]);
}

/// One file's content at several names.
fn named(names: &[&str]) -> Vec<String> {
    let project = Project::new();
    for name in names {
        project.file(name, "nothing of interest\n");
    }
    let mut paths = project.scan(&["."]).paths();
    paths.sort();
    paths
}

#[test]
fn files_are_findings_by_their_names_and_templates_and_public_keys_are_not() {
    let found = named(&[
        "a/.ssh/id_rsa",
        "a/.ssh/id_rsa.pub",
        "b/id_ed25519.example",
        "c/server.jks",
        "c/server.jks.sample",
        "d/terraform.tfstate",
        "e/wallet.dat.template",
        "f/.aws/credentials",
        "f/credentials",
        "g/server.crt",
    ]);
    assert_eq!(found, ["a/.ssh/id_rsa", "c/server.jks", "d/terraform.tfstate", "f/.aws/credentials"]);
}

#[test]
fn what_is_staged_and_what_a_range_brings_in_is_judged_by_its_name() {
    let project = Project::new();
    project.git_init().file("readme", "hello\n").commit_all();
    project.file("x/id_rsa", "nothing of interest\n");
    project.git(&["add", "."]);
    assert_eq!(project.staged(&[]).ends(1).rules(), ["ssh-private-key-file"]);
    project.commit_all();
    project.file("x/id_rsa", "changed\n").commit_all();
    let history = |args: &[&str]| project.hekate(&[&["history", "--format", "json"], args].concat());
    let whole = history(&[]).ends(1);
    assert_eq!((whole.rules(), whole.occurrences().len()), (vec!["ssh-private-key-file".to_owned()], 1));
    assert_eq!(history(&["--range", "HEAD~2..HEAD~1"]).ends(1).paths(), ["x/id_rsa"]);
    history(&["--range", "HEAD~1..HEAD"]).ends(0);
}
