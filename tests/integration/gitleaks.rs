//! Configs of gitleaks and betterleaks. What betterleaks itself finds was recorded by tests/gitleaks/compare.py.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;

use super::{harness::Project, secrets::token};

/// Rule, file, line and secret.
type Row = (String, String, u64, String);

fn recorded<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&fs::read_to_string(path(name)).expect("read a file")).expect("it is JSON")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gitleaks").join(name)
}

/// A finding that only one of the two has.
#[derive(serde::Deserialize)]
struct Difference {
    only: String,
    finding: Row,
    why: String,
}

#[test]
fn a_config_with_every_feature_gives_the_findings_of_betterleaks() {
    let project = Project::new();
    for (name, lines) in recorded::<BTreeMap<String, Vec<String>>>("tree.json") {
        project.file(&name, lines.join("\n"));
    }
    let config = path("config.toml");
    let config = config.to_str().expect("it is UTF-8");
    let args = [
        "scan",
        "--no-default-rules",
        "--config",
        config,
        "--format",
        "gitleaks",
        "--show-secrets",
        "--no-ignore",
        ".",
    ];
    let found: Vec<Value> = serde_json::from_str(&project.hekate(&args).ends(1).stdout).expect("it is JSON");
    let row = |one: &Value| -> Row {
        let text = |key: &str| one[key].as_str().expect("it is text").to_owned();
        // The file itself is the finding.
        let is_path = one["EndColumn"] == 0 && one["EndLine"] == 1;
        let secret = if is_path { String::new() } else { text("Secret") };
        (text("RuleID"), text("File"), one["StartLine"].as_u64().expect("it is a number"), secret)
    };
    let ours: BTreeSet<Row> = found.iter().map(row).collect();
    let mut expected: BTreeSet<Row> = recorded::<Vec<Row>>("expected.json").into_iter().collect();
    for difference in recorded::<Vec<Difference>>("differences.json") {
        assert!(!difference.why.is_empty(), "{:?} has its reason", difference.finding);
        match difference.only.as_str() {
            "betterleaks" => assert!(expected.remove(&difference.finding), "{:?}", difference.finding),
            _ => assert!(expected.insert(difference.finding.clone()), "{:?}", difference.finding),
        }
    }
    let list =
        |rows: BTreeSet<&Row>| rows.into_iter().map(|row| format!("{row:?}")).collect::<Vec<_>>().join("\n");
    assert_eq!(list(ours.difference(&expected).collect()), "", "found beyond what is expected");
    assert_eq!(list(expected.difference(&ours).collect()), "", "not found");
}

const OWN: &str = "[[rules]]\nid = 'acme'\nregex = '''wqh_[0-9a-z]{8}'''\n";

#[test]
fn the_config_at_the_root_of_the_repository_counts() {
    for name in [".gitleaks.toml", ".betterleaks.toml"] {
        let project = Project::new();
        project.git_init().file("a.txt", "wqh_ab12cd34").file(name, OWN);
        assert_eq!(project.scan(&[]).ends(1).rules(), ["acme"], "{name}");
        // Another config in its place, or one in a tree that is scanned from elsewhere, does not.
        project.file("other.toml", "").file("sub/.gitleaks.toml", OWN.replace("acme", "sub"));
        project.scan(&["--config", "other.toml"]).ends(0);
    }
}

#[test]
fn the_config_of_betterleaks_goes_before_that_of_gitleaks_and_ours_over_both() {
    let project = Project::new();
    project.git_init().file("a.txt", "wqh_ab12cd34");
    project
        .file(".gitleaks.toml", OWN.replace("acme", "old"))
        .file(".betterleaks.toml", OWN.replace("acme", "new"));
    assert_eq!(project.scan(&[]).ends(1).rules(), ["new"]);
    project.file("hekate.toml", "[[rules]]\nid = 'new'\n[[rules.allowlists]]\nregexes = ['^wqh_']\n");
    project.scan(&[]).ends(0);
}

#[test]
fn it_extends_files_of_the_repository_and_no_others() {
    let project = Project::new();
    project.git_init().file("a.txt", "wqh_ab12cd34").file("conf/base.toml", OWN);
    project.file(".gitleaks.toml", "[extend]\npath = 'conf/base.toml'\n");
    assert_eq!(project.scan(&[]).ends(1).rules(), ["acme"]);
    project.commit_all();
    project.file("conf/base.toml", "not even TOML");
    assert_eq!(project.scan(&["--policy-from", "HEAD"]).ends(1).rules(), ["acme"]);
    let outside = Project::new();
    outside.file("base.toml", OWN);
    let named = outside.path("base.toml");
    project.file(".gitleaks.toml", format!("[extend]\npath = '{}'\n", named.display()));
    assert!(project.scan(&[]).ends(2).stderr.contains("leads out of the repository"));
    project.commit_all();
    assert!(project.scan(&["--policy-from", "HEAD"]).ends(2).stderr.contains("leads out of the repository"));
}

#[test]
fn a_change_cannot_allow_its_own_leak_by_a_gitleaks_config() {
    let project = Project::new();
    project.git_init().file("old.txt", "x").commit_all();
    project.file("a.txt", format!("token = \"{}\"", token("github-pat", 1)));
    project.file(".gitleaks.toml", "[[allowlists]]\npaths = ['''^a\\.txt$''']\n");
    project.scan(&[]).ends(0);
    assert_eq!(project.scan(&["--policy-from", "HEAD"]).ends(1).paths(), ["a.txt"]);
}

#[test]
fn it_says_what_it_does_not_know_with_file_and_place() {
    for (text, message) in [
        ("[scan]\nmin-confidence = 'low'\n", ".gitleaks.toml: [scan] belongs into hekate.toml"),
        ("[[rules]]\nid = 'r'\nregex = '(?!a)b'\n", ".gitleaks.toml: rule `r`: regex:"),
        ("[[rules]]\nid = 'r'\nregex = 'abc'\nfilter = 'nope(1)'\n", ".gitleaks.toml: rule `r`: filter: at"),
        ("[[rules]]\nid = 'r'\nregex = 'abc'\n[[rules.required]]\nid = 'nope'\n", "rule `r` requires `nope`"),
        ("[extend]\nurl = 'https://example.com'\n", ".gitleaks.toml: [extend] url: no rules are fetched"),
    ] {
        let project = Project::new();
        project.git_init().file(".gitleaks.toml", text);
        let outcome = project.scan(&[]).ends(2);
        assert!(outcome.stderr.contains(message), "{text}: {}", outcome.stderr);
    }
}

#[test]
fn a_rule_that_matches_everything_is_warned_about_and_cut_off_per_file() {
    let project = Project::new();
    project
        .git_init()
        .file("hekate.toml", "[[rules]]\nid = 'all'\nregex = '''[a-z]'''\npath = '''\\.txt$'''\n");
    project.file("a.txt", "abc ".repeat(5_000)).file("b.txt", "abc").file("c.md", "abc ".repeat(5_000));
    project.commit_all();
    for command in ["scan", "history"] {
        let outcome = project.hekate(&[command, "--format", "json", "--no-default-rules"]);
        let outcome = outcome.ends(1);
        assert!(
            outcome.stderr.contains("rule `all` matches ordinary text nearly everywhere"),
            "{}",
            outcome.stderr
        );
        let gaps = outcome.gaps();
        assert_eq!(gaps, ["a.txt: cap"], "{command}");
    }
}

#[test]
fn lint_says_what_is_wrong_and_fails_on_errors_only() {
    let project = Project::new();
    project.git_init().file("own.toml", "[[rules]]\nid = 'all'\nregex = '.'\n").file("good.toml", OWN);
    let outcome = project.hekate(&["rules", "lint", "own.toml"]).ends(1);
    assert!(outcome.stdout.contains("error: all: matches-everything"), "{}", outcome.stdout);
    let outcome = project.hekate(&["rules", "lint", "good.toml", "--format", "json"]).ends(0);
    let remarks: Vec<Value> = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(remarks.len(), 1);
    assert_eq!((&remarks[0]["level"], &remarks[0]["lint"]), (&"note".into(), &"no-examples".into()));
    // Without a file, the repository's own.
    project.file(".gitleaks.toml", "[[rules]]\nid = 'all'\nregex = '.'\n");
    project.hekate(&["rules", "lint"]).ends(1);
}
