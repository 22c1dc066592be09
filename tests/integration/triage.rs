//! What does not count, and what is never shown.

use crate::{
    harness::{Outcome, Project},
    secrets::{in_base64, password, pem, token},
};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn line(seed: u64) -> String {
    format!("token = \"{}\"\n", token("github-pat", seed))
}

/// A line whose value is too weak to have a public fingerprint.
fn weak(seed: u64) -> String {
    format!("smtp_password = \"{}\"\n", password(seed, 10))
}

/// Accepts everything that a scan of the project finds.
fn accept(project: &Project) {
    project.hekate(&["baseline", "write", "--reason", "known since the audit"]).ends(0);
}

#[test]
fn a_mark_on_the_line_accepts_its_secret() {
    for mark in [
        "hekate:allow",
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "pragma: allowlist secret",
    ] {
        let project = Project::new();
        project.file("a.py", format!("{}  # {mark}\n", line(1).trim()));
        let outcome = project.scan(&[]).ends(0);
        assert_eq!(outcome.suppressed("inline-mark"), 1, "{mark}");
        project.file("a.py", format!("# {mark}\n\n{}", line(1)));
        project.scan(&[]).ends(1);
    }
}

#[test]
fn a_mark_accepts_one_place_of_a_secret_and_not_the_others() {
    let project = Project::new();
    project.file("a.py", format!("{}  # hekate:allow\n{}", line(1).trim(), line(1)));
    let outcome = project.scan(&[]).ends(1);
    assert_eq!((outcome.places(), outcome.suppressed("inline-mark")), (vec!["a.py:2:10".to_owned()], 1));
}

#[test]
fn an_allowlist_of_a_rule_accepts_by_path_value_and_stop_word() {
    let secret = format!("acme_{}", "0a1b2c3d".repeat(4));
    for list in ["paths = ['^fixtures/']", "regexes = ['^acme_0a1b']", "stopwords = ['1B2C']"] {
        let project = Project::new();
        let rule = "[[rules]]\nid = 'acme-token'\nregex = '(acme_[0-9a-f]{32})'\n[[rules.allowlists]]\n";
        project.file("hekate.toml", format!("{rule}{list}\n"));
        project.file("fixtures/a.py", format!("x = '{secret}'\n"));
        let outcome = project.scan(&["."]).ends(0);
        assert_eq!(outcome.suppressed("rule-allowlist"), 1, "{list}");
    }
}

#[test]
fn a_global_allowlist_accepts_for_all_rules_or_for_those_it_names() {
    let project = Project::new();
    project
        .file("tests/a.py", line(1))
        .file("tests/b.py", format!("k = '{}'\n", token("anthropic-api-key", 2)));
    project.file("hekate.toml", "[[allowlists]]\npaths = ['^tests/']\n");
    assert_eq!(project.scan(&[]).ends(0).suppressed("global-allowlist"), 2);
    project.file("hekate.toml", "[[allowlists]]\npaths = ['^tests/']\ntargetRules = ['github-pat']\n");
    assert_eq!(project.scan(&[]).ends(1).rules(), ["anthropic-api-key"]);
}

#[test]
fn reasons_are_tried_in_their_fixed_order() {
    let project = Project::new();
    project.file("a.py", line(1)).file("hekate.toml", "[[allowlists]]\npaths = ['a.py']\n");
    project.file(".gitleaksignore", "a.py:github-pat:1\n");
    assert_eq!(project.scan(&[]).ends(0).suppressed("global-allowlist"), 1);
    project.file("hekate.toml", "");
    assert_eq!(project.scan(&[]).ends(0).suppressed("ignore-file"), 1);
    project.file("a.py", format!("{} # gitleaks:allow\n", line(1).trim()));
    assert_eq!(project.scan(&[]).ends(0).suppressed("inline-mark"), 1);
}

#[test]
fn gitleaksignore_accepts_by_place_from_wherever_one_scans() {
    let project = Project::new();
    project.git_init().file("src/a.py", line(1).repeat(2)).file(".gitleaksignore", "src/a.py:github-pat:2\n");
    for root in [".", "src"] {
        let outcome = project.scan(&[root]).ends(1);
        assert_eq!((outcome.occurrences().len(), outcome.suppressed("ignore-file")), (1, 1), "{root}");
    }
    project.file(".gitleaksignore", "# ok\nwhat is this\n");
    project.scan(&[]).refuses(&[".gitleaksignore", "line 2"]);
}

#[test]
fn a_written_baseline_makes_the_next_scan_clean() {
    let project = Project::new();
    project.git_init().file("a.py", line(1)).file("b.py", weak(2)).file("c.pem", pem(3));
    project.scan(&[]).ends(1);
    accept(&project);
    let outcome = project.scan(&[]).ends(0);
    assert_eq!(outcome.suppressed("baseline"), 3);
    project.file("d.py", line(4));
    assert_eq!(project.scan(&[]).ends(1).paths(), ["d.py"]);
}

#[test]
fn a_baseline_is_sorted_and_holds_no_secret_line_number_or_date() {
    let project = Project::new();
    project.file("a.py", (1..9).map(line).collect::<String>()).file("b.py", weak(20));
    accept(&project);
    let text = project.read("hekate.baseline");
    let entries: Vec<&str> = text.lines().skip(1).collect();
    let mut sorted = entries.clone();
    sorted.sort_unstable();
    assert_eq!((entries.len(), &entries), (9, &sorted));
    assert!(entries.iter().all(|entry| entry.ends_with("known since the audit")), "{text}");
    assert!(entries[0].starts_with("l1:") && entries[0].contains(" path=b.py "), "{text}");
    assert!(entries[1..].iter().all(|entry| entry.starts_with("p1:") && entry.contains(" github-pat ")));
    assert!(
        (1..9).all(|seed| !text.contains(&token("github-pat", seed))) && !text.contains(&password(20, 10))
    );
    accept(&project);
    assert_eq!(project.read("hekate.baseline"), text);
}

#[test]
fn strong_secrets_stay_accepted_when_they_move() {
    let project = Project::new();
    project.file("a.py", line(1));
    accept(&project);
    std::fs::remove_file(project.path("a.py")).unwrap();
    project.file("deep/b.yml", format!("\n\nother: {}\n", token("github-pat", 1)));
    assert_eq!(project.scan(&[]).ends(0).suppressed("baseline"), 1);
}

#[test]
fn weak_secrets_are_accepted_by_place_whatever_the_line_number_or_value() {
    let project = Project::new();
    project.file("a.py", weak(1));
    accept(&project);
    project.file("a.py", format!("\n# moved down\n{}", weak(1)));
    project.scan(&[]).ends(0);
    // The place is accepted: its value is not in the baseline, and may change.
    project.file("a.py", weak(2));
    project.scan(&[]).ends(0);
    project.file("a.py", weak(1).replace("smtp", "imap"));
    project.scan(&[]).ends(1);
    project.file("a.py", "").file("b.py", weak(1));
    project.scan(&[]).ends(1);
}

#[test]
fn weak_secrets_accepted_from_the_root_stay_accepted_in_a_scan_of_a_subfolder() {
    let project = Project::new();
    project.git_init().file("src/a.py", weak(1));
    accept(&project);
    project.scan(&["src"]).ends(0);
    project.scan(&["src/a.py"]).ends(0);
    project.scan(&[&project.path("src/a.py").to_string_lossy()]).ends(0);
    project.scan(&["src", "hekate.baseline"]).ends(0);
}

#[test]
fn allowlists_mean_paths_of_the_repository_whichever_folder_is_scanned() {
    let project = Project::new();
    project.git_init().file("src/a.py", line(1));
    project.file("hekate.toml", "[[allowlists]]\npaths = ['^src/a']\n");
    for args in [&["."][..], &["src"], &["src/a.py"], &["src", "hekate.toml"]] {
        assert_eq!(project.scan(args).ends(0).suppressed("global-allowlist"), 1, "{args:?}");
    }
}

#[test]
fn an_ignore_file_of_gitleaks_counts_from_where_the_match_starts() {
    let project = Project::new();
    let secret = token("github-pat", 1);
    project.git_init().file("deploy.sh", format!("first\nacme \\\n  --key {secret}\n"));
    let regex = r"acme \\\n  --key (ghp_\w{36})";
    project.file("own.toml", format!("[[rules]]\nid = 'acme-key'\nregex = '{regex}'\n"));
    let scan = ["--no-default-rules", "--rules", "own.toml", "deploy.sh"];
    assert_eq!(project.scan(&scan).ends(1).places(), ["deploy.sh:3:9"]);
    project.file(".gitleaksignore", "deploy.sh:acme-key:2\n");
    assert_eq!(project.scan(&scan).ends(0).suppressed("ignore-file"), 1);
}

#[test]
fn prune_drops_what_matches_nothing_and_says_so() {
    let project = Project::new();
    project.file("a.py", line(1)).file("b.py", line(2));
    accept(&project);
    project.file("b.py", "");
    let outcome = project.scan(&[]).ends(0);
    assert!(outcome.stderr.contains("1 baseline entry matched nothing"), "{}", outcome.stderr);
    assert_eq!(project.scan(&["--quiet"]).stderr, "");
    project.hekate(&["baseline", "prune"]).ends(0);
    assert_eq!(project.read("hekate.baseline").lines().count(), 2);
    project.scan(&[]).ends(0);
    project.file("b.py", line(2));
    project.scan(&[]).ends(1);
}

#[test]
fn an_expired_entry_accepts_no_longer_and_is_reported() {
    let project = Project::new();
    project.file("a.py", line(1));
    accept(&project);
    let entry =
        |until: &str| project.read("hekate.baseline").replace("github-pat ", &format!("github-pat {until} "));
    project
        .file("future.baseline", entry("until=2999-01-01"))
        .file("past.baseline", entry("until=2020-01-01"));
    project.scan(&["--baseline", "future.baseline"]).ends(0);
    let outcome = project.scan(&["--baseline", "past.baseline"]).ends(1);
    assert!(outcome.stderr.contains("1 baseline entry expired"), "{}", outcome.stderr);
    project.file("wrong.baseline", entry("until=soon"));
    project.scan(&["--baseline", "wrong.baseline"]).refuses(&["wrong.baseline", "line 2", "`soon`"]);
}

#[test]
fn writing_a_baseline_renews_an_expired_entry() {
    let project = Project::new();
    project.file("a.py", line(1));
    accept(&project);
    project.file("hekate.baseline", project.read("hekate.baseline").replace("pat ", "pat until=2020-01-01 "));
    project.scan(&[]).ends(1);
    accept(&project);
    project.scan(&[]).ends(0);
}

#[test]
fn of_two_entries_for_one_secret_the_longer_one_counts() {
    let project = Project::new();
    project.file("a.py", line(1));
    accept(&project);
    let text = project.read("hekate.baseline");
    let entry = text.lines().nth(1).expect("one secret was accepted");
    // As a merge leaves them: both branches accepted it.
    for until in ["until=2020-01-01", "until=2999-01-01"] {
        let other = entry.replace("github-pat ", &format!("github-pat {until} "));
        project.file("hekate.baseline", format!("{text}{other}\n"));
        let outcome = project.scan(&[]).ends(0);
        assert!(!outcome.stderr.contains("matched nothing"), "{}", outcome.stderr);
    }
}

#[test]
fn a_baseline_that_is_named_must_be_there() {
    let project = Project::new();
    project.scan(&["--baseline", "absent.baseline"]).refuses(&["absent.baseline"]);
}

#[test]
fn a_conflict_marker_in_a_baseline_is_refused_with_its_line() {
    let project = Project::new();
    project.file("a.py", line(1));
    accept(&project);
    let text = project.read("hekate.baseline");
    for marker in ["<<<<<<< ours", "=======", ">>>>>>> theirs"] {
        project.file("hekate.baseline", format!("{text}{marker}\n"));
        project.scan(&[]).refuses(&["hekate.baseline", "line 3", "conflict marker"]);
    }
}

fn keyed(project: &Project, args: &[&str]) -> Outcome {
    project.hekate_with(b"", &[("HEKATE_KEY", KEY)], args)
}

#[test]
fn with_a_key_every_fingerprint_is_keyed() {
    let project = Project::new();
    project.file("a.py", line(1)).file("b.py", weak(2)).file("key", KEY);
    let public = project.scan(&["a.py"]).fingerprint();
    assert!(public.starts_with("p1:"), "{public}");
    let outcome = keyed(&project, &["scan", "--format", "json", "a.py", "b.py"]).ends(1);
    for finding in outcome.findings() {
        assert!(finding["fingerprint"].as_str().unwrap().starts_with("k1:"), "{finding}");
        assert!(finding["occurrences"][0].get("place").is_none(), "{finding}");
    }
    let from_file = project.hekate_with(
        b"",
        &[("HEKATE_KEY_FILE", "key")],
        &["scan", "--format", "json", "a.py", "b.py"],
    );
    assert_eq!(from_file.stdout, outcome.stdout);
}

#[test]
fn a_keyed_entry_without_its_key_is_an_error_that_says_so() {
    let project = Project::new();
    project.file("a.py", line(1));
    keyed(&project, &["baseline", "write"]).ends(0);
    keyed(&project, &["scan"]).ends(0);
    project.scan(&[]).refuses(&["hekate.baseline", "line 2", "HEKATE_KEY"]);
}

#[test]
fn a_malformed_key_is_refused_and_not_shown() {
    let project = Project::new();
    let key = &KEY[..60];
    let outcome = project.hekate_with(b"", &[("HEKATE_KEY", key)], &["scan"]).refuses(&["HEKATE_KEY", "64"]);
    assert!(!outcome.stderr.contains(key), "{}", outcome.stderr);
    project
        .file("key", "zz")
        .hekate_with(b"", &[("HEKATE_KEY_FILE", "key")], &["scan"])
        .refuses(&["HEKATE_KEY_FILE"]);
    project.hekate_with(b"", &[("HEKATE_KEY_FILE", "absent")], &["scan"]).refuses(&["absent"]);
}

#[test]
fn a_key_that_is_no_utf8_is_refused_and_not_passed_over() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let project = Project::new();
    let mut command = project.command();
    command.arg("scan").env("HEKATE_KEY", OsStr::from_bytes(b"\xff\xfe"));
    crate::harness::run(command, b"").refuses(&["HEKATE_KEY", "64"]);
}

#[test]
fn a_gitleaks_report_is_a_baseline() {
    let project = Project::new();
    project.git_init().file("src/a.py", line(1)).file("b.py", line(2)).file("c.py", line(3));
    let entry = |file: &str, line: u32, secret: &str| {
        format!(r#"{{"RuleID":"github-pat","File":"{file}","StartLine":{line},"Secret":"{secret}"}}"#)
    };
    let moved = token("github-pat", 2);
    let report = format!("[{},{}]", entry("src/a.py", 1, "REDACTED"), entry("gone.py", 9, &moved));
    project.file("leaks.json", &report).file(".gitignore", "leaks.json\n");
    let outcome = project.scan(&["--baseline", "leaks.json"]).ends(1);
    assert_eq!((outcome.suppressed("baseline"), outcome.paths()), (2, vec!["c.py".to_owned()]));
    project.scan(&["src", "--baseline", "leaks.json"]).ends(0);
    // Our text form can't hold its entries: writing over it would lose them.
    project
        .hekate(&["baseline", "write", "--baseline", "leaks.json"])
        .refuses(&["leaks.json", "another file"]);
    assert_eq!(project.read("leaks.json"), report);
}

#[test]
fn a_report_of_our_own_is_a_baseline() {
    let project = Project::new();
    project.file("a.py", line(1)).file("b.py", weak(2));
    project.scan(&["-o", "json:report.txt"]).ends(1);
    project.scan(&["--baseline", "report.txt"]).ends(0);
}

#[test]
fn what_is_suppressed_is_listed_where_asked_for() {
    let project = Project::new();
    project.file("a.py", format!("{} # hekate:allow\n", line(1).trim()));
    assert!(project.scan(&[]).json().get("suppressed_findings").is_none());
    let shown = project.scan(&["--show-suppressed"]).ends(0).json();
    assert_eq!(shown["suppressed_findings"][0]["reason"], "inline-mark");
    assert_eq!(shown["suppressed_findings"][0]["finding"]["rule"], "github-pat");
}

/// A project in which secrets stand in every way that could let one slip through, and these secrets.
fn exposed() -> (Project, Vec<String>) {
    let project = Project::new();
    let tokens: Vec<String> = (1..6).map(|seed| token("github-pat", seed)).collect();
    let weak = password(7, 10);
    let strong = password(8, 24);
    let key = pem(9);
    let (one, two, three) = (&tokens[0], &tokens[1], &tokens[2]);
    project.file("list.py", format!("tokens = [\"{one}\", \"{two}\", \"{three}\"]\n"));
    project.file("map.py", format!("x = {{'{one}':'{two}', '{three}': '{one}'}}\n"));
    project.file("twice.py", format!("smtp_password = \"{weak}\"; check({weak}); use(\"{weak}\")\n"));
    project.file("url.yml", format!("db: postgres://app:{strong}@db:5432/app # {strong}\n"));
    project.file("elsewhere.py", format!("print({strong}); token = '{}'\n", tokens[3]));
    project.file("marked.py", format!("k = '{}' # hekate:allow\n", tokens[4]));
    project
        .file("key.json", format!("{{\"k\": \"{}\"}}\n{}\n{key}", key.replace('\n', "\\n"), in_base64(&key)));
    let body = key.lines().nth(1).expect("a key has a body").to_owned();
    (project, [tokens, vec![weak, strong, body, in_base64(&key)]].concat())
}

#[test]
fn no_output_holds_a_secret() {
    let (project, secrets) = exposed();
    let runs: [&[&str]; 6] = [
        &["scan", "--format", "json", "--show-suppressed", "--min-confidence", "low"],
        &["scan", "--verbose", "--show-suppressed", "--color", "always"],
        &["scan", "-o", "json:report.txt", "--timings"],
        &["report", "report.txt", "--format", "json"],
        &["baseline", "write"],
        &["baseline", "prune"],
    ];
    for args in runs {
        let outcome = project.hekate(args);
        for secret in &secrets {
            assert!(!outcome.stdout.contains(secret.as_str()), "{args:?}: {}", outcome.stdout);
            assert!(!outcome.stderr.contains(secret.as_str()), "{args:?}: {}", outcome.stderr);
        }
    }
    for file in ["report.txt", "hekate.baseline"] {
        let text = project.read(file);
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{file}: {text}");
    }
}

#[test]
fn show_secrets_shows_them() {
    let (project, secrets) = exposed();
    let outcome = project.scan(&["--show-secrets"]).ends(1);
    let values: Vec<_> =
        outcome.findings().iter().map(|finding| finding["secret"]["value"].clone()).collect();
    for secret in secrets.iter().take(4) {
        assert!(values.contains(&secret.as_str().into()), "{values:?}");
    }
    // Lines as they are shown stay masked: the value has its own place.
    let excerpts: Vec<String> =
        outcome.occurrences().iter().map(|place| place["excerpt"].to_string()).collect();
    assert!(secrets.iter().all(|secret| excerpts.iter().all(|excerpt| !excerpt.contains(secret.as_str()))));
}

#[test]
fn other_secrets_of_the_line_are_masked_in_its_excerpt() {
    let project = Project::new();
    let (one, two) = (token("github-pat", 1), token("anthropic-api-key", 2));
    project.file("a.py", format!("a = '{one}', b = '{two}'\n"));
    for place in project.scan(&[]).ends(1).occurrences() {
        assert_eq!(place["excerpt"], "a = 'ghp_********', b = 'sk-a********'");
    }
}

#[test]
fn a_neighbour_in_a_list_is_not_named_as_context() {
    let project = Project::new();
    let tokens: Vec<String> = (1..4).map(|seed| token("github-pat", seed)).collect();
    project.file("a.py", format!("tokens = [\"{}\"]\n", tokens.join("\", \"")));
    let outcome = project.scan(&[]).ends(1);
    let names: Vec<String> = outcome
        .findings()
        .iter()
        .flat_map(|finding| finding["evidence"].as_array().unwrap().clone())
        .filter(|evidence| evidence["kind"] == "context")
        .map(|evidence| evidence["name"].to_string())
        .collect();
    assert_eq!(names, ["\"tokens\""]);
}
