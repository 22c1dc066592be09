//! `hekate scan` and the commands around it: what is scanned, what is written, how it ends.

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;

use crate::{
    harness::{Project, text},
    secrets::{in_base64, password, pem, token},
};

/// A line that holds a secret of its own, which only its own rule can name.
fn line(seed: u64) -> String {
    format!("value = \"{}\"\n", token("github-pat", seed))
}

#[test]
fn paths_are_relative_to_the_scanned_root() {
    let project = Project::new();
    project.file("app/src/a.py", line(1)).file("b.py", line(2));
    assert_eq!(project.scan(&["."]).paths(), ["app/src/a.py", "b.py"]);
    assert_eq!(project.scan(&["app"]).paths(), ["src/a.py"]);
    let absolute = project.path("app");
    assert_eq!(project.scan(&[absolute.to_str().unwrap()]).paths(), ["src/a.py"]);
}

#[test]
fn a_finding_says_where_its_secret_starts_and_ends() {
    let project = Project::new();
    let secret = token("github-pat", 3);
    project.file("a.py", format!("# äöü\n  key = \"{secret}\"\n"));
    let place = project.scan(&[]).ends(1).occurrences()[0].clone();
    assert_eq!((&place["start"]["line"], &place["start"]["column"]), (&2.into(), &10.into()));
    assert_eq!((&place["end"]["line"], &place["end"]["column"]), (&2.into(), &50.into()));
    assert_eq!((&place["span"]["start"], &place["span"]["end"]), (&18.into(), &58.into()));
}

#[test]
fn what_gitignore_names_is_left_out_unless_asked_for() {
    let project = Project::new();
    project.file(".gitignore", "build/\n*.log\n").file("build/a.py", line(1)).file("x.log", line(2));
    project.file("kept.py", line(3));
    assert_eq!(project.scan(&[]).paths(), ["kept.py"]);
    assert_eq!(project.scan(&["--no-ignore"]).paths(), ["build/a.py", "kept.py", "x.log"]);
}

#[test]
fn hidden_files_are_scanned_unless_skipped() {
    let project = Project::new();
    project.file(".env", line(1)).file(".github/ci.yml", line(2)).file("a.py", line(3));
    assert_eq!(project.scan(&[]).paths(), [".env", ".github/ci.yml", "a.py"]);
    assert_eq!(project.scan(&["--hidden"]).paths(), [".env", ".github/ci.yml", "a.py"]);
    assert_eq!(project.scan(&["--skip-hidden"]).paths(), ["a.py"]);
}

#[test]
fn git_folders_are_not_walked() {
    let project = Project::new();
    project.git_init().file(".git/description", line(1)).file("vendor/lib/.git/config", line(2));
    project.scan(&["--no-ignore"]).ends(0);
}

#[test]
fn a_file_may_be_named_also_if_it_is_ignored_or_a_link() {
    let project = Project::new();
    project.file(".gitignore", "*.log\n").file("x.log", line(1));
    symlink("x.log", project.path("link")).unwrap();
    assert_eq!(project.scan(&["x.log"]).paths(), ["x.log"]);
    assert_eq!(project.scan(&["./link"]).paths(), ["link"]);
}

#[test]
fn several_paths_keep_their_names() {
    let project = Project::new();
    project.file("one/a.py", line(1)).file("two/a.py", line(2)).file("three/a.py", line(3));
    assert_eq!(project.scan(&["one", "./two/a.py"]).paths(), ["one/a.py", "two/a.py"]);
}

#[test]
fn paths_that_overlap_are_scanned_once() {
    let project = Project::new();
    project.file("src/a.py", line(1)).file("src/sub/b.py", line(2));
    let absolute = project.path("src");
    for paths in [
        ["src", "src/sub", "src/a.py"],
        [".", "src", "./src/a.py"],
        ["src", absolute.to_str().unwrap(), "src/../src/sub"],
    ] {
        let outcome = project.scan(&paths);
        assert_eq!(outcome.occurrences().len(), 2, "{paths:?}");
        assert_eq!(outcome.json()["coverage"]["files"], 2, "{paths:?}");
    }
}

#[test]
fn the_root_is_reported_as_it_was_given() {
    let project = Project::new();
    project.file("src/a.py", "");
    for (paths, root) in [(vec!["."], "."), (vec!["src"], "src"), (vec![".", "src"], ". src")] {
        assert_eq!(project.scan(&paths).json()["source"]["root"], root);
    }
}

#[test]
fn links_are_not_followed_and_those_that_lead_out_are_reported() {
    let project = Project::new();
    let outside = Project::new();
    outside.file("secret.py", line(1)).file("folder/secret.py", line(2));
    project.file("a.py", line(3));
    symlink("a.py", project.path("inside")).unwrap();
    symlink(outside.path("secret.py"), project.path("file-out")).unwrap();
    symlink(outside.path("folder"), project.path("folder-out")).unwrap();
    let outcome = project.scan(&[]);
    assert_eq!(outcome.paths(), ["a.py"]);
    assert_eq!(outcome.gaps(), ["file-out: link", "folder-out: link"]);
}

#[test]
fn a_link_alone_does_not_make_a_scan_incomplete() {
    let project = Project::new();
    symlink("/etc", project.path("out")).unwrap();
    project.scan(&[]).ends(0);
}

#[test]
fn binary_files_are_scanned_unless_skipped() {
    let project = Project::new();
    project.file("core.bin", [b"\x7fELF\0\0".as_slice(), line(1).as_bytes()].concat());
    assert_eq!(project.scan(&[]).paths(), ["core.bin"]);
    let skipped = project.scan(&["--skip-binary"]).ends(0);
    assert_eq!(skipped.gaps(), ["core.bin: binary"]);
}

#[test]
fn files_over_the_size_limit_are_left_out_and_reported() {
    let project = Project::new();
    project.file("big.py", [line(1).as_bytes(), &[b'\n'; 2048]].concat()).file("small.py", line(2));
    let outcome = project.scan(&["--max-file-size", "2K"]).ends(1);
    assert_eq!(outcome.paths(), ["small.py"]);
    assert_eq!(outcome.gaps(), ["big.py: too-large"]);
    assert_eq!(project.scan(&["--max-file-size", "3K"]).paths().len(), 2);
}

#[test]
fn standard_input_is_scanned_under_the_name_it_is_given() {
    let project = Project::new();
    let scan = |args: &[&str]| project.hekate_with(line(1).as_bytes(), &[], args).ends(1);
    assert_eq!(scan(&["scan", "-", "--format", "json"]).places(), ["stdin:1:10"]);
    let named = scan(&["scan", "-", "--format", "json", "--stdin-path", "src/a.py"]);
    assert_eq!(named.places(), ["src/a.py:1:10"]);
    assert_eq!(named.json()["source"]["kind"], "stdin");
    project.hekate(&["scan", "-", "."]).refuses(&["standard input"]);
}

#[test]
fn one_secret_in_several_places_is_one_finding() {
    let project = Project::new();
    project.file("a.py", line(1).repeat(2)).file("b/c.yml", format!("key: {}\n", token("github-pat", 1)));
    let outcome = project.scan(&[]);
    assert_eq!(outcome.rules(), ["github-pat"]);
    assert_eq!(outcome.places(), ["a.py:1:10", "a.py:2:10", "b/c.yml:1:6"]);
}

#[test]
fn a_key_in_raw_escaped_and_base64_form_is_one_finding() {
    let project = Project::new();
    let key = pem(1);
    project.file("raw.txt", &key);
    project.file("escaped.json", format!("{{\"key\": \"{}\"}}\n", key.replace('\n', "\\n")));
    project.file("base64.yml", format!("signing: {}\n", in_base64(&key)));
    let outcome = project.scan(&[]).ends(1);
    assert_eq!(outcome.rules().len(), 1, "{:?}", outcome.rules());
    assert_eq!(outcome.paths(), ["base64.yml", "escaped.json", "raw.txt"]);
}

#[test]
fn exit_codes_are_the_documented_ones() {
    let project = Project::new();
    project.file("clean.py", "x = 1\n").file("dirty.py", line(1));
    project.scan(&["clean.py"]).ends(0);
    project.scan(&["dirty.py"]).ends(1);
    project.scan(&["dirty.py", "--exit-zero"]).ends(0);
    project.scan(&["absent.py"]).refuses(&["absent.py"]);
    project.scan(&["--no-such-flag"]).refuses(&["--no-such-flag"]);
    project.scan(&["--max-file-size", "5 parsecs"]).refuses(&["a size is a number of bytes"]);
    project.scan(&["--min-confidence", "certain"]).refuses(&["--min-confidence"]);
    project.hekate(&["scan", "--format", "morse"]).refuses(&["morse", "json"]);
    project.hekate(&[]).ends(2);
    project.hekate(&["--help"]).ends(0);
    project.hekate(&["--version"]).ends(0);
}

#[test]
fn what_is_believed_too_little_is_neither_shown_nor_counted() {
    let project = Project::new();
    let mut mistyped = token("github-pat", 1);
    // Its checksum is wrong now: no such token was ever issued.
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    project.file("a.txt", format!("see {mistyped}\n"));
    assert_eq!(project.scan(&[]).ends(0).json()["suppressed"], Value::Object(serde_json::Map::new()));
    let low = project.scan(&["--min-confidence", "low"]).ends(1);
    assert_eq!(low.findings()[0]["confidence"], "low");
}

#[test]
fn reports_go_to_every_output_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new();
    project.file("a.py", line(1)).file("old.json", "{}");
    let outcome = project.scan(&["-o", "json:one.txt", "--output", "old.json"]).ends(1);
    for name in ["one.txt", "old.json"] {
        assert_eq!(project.read(name), outcome.stdout, "{name}");
        assert_eq!(fs::metadata(project.path(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let dash = project.hekate(&["scan", "a.py", "-o", "json:-", "-o", "json:two.txt"]).ends(1);
    assert_eq!(project.read("two.txt"), dash.stdout);
    assert_eq!(dash.rules(), ["github-pat"]);
}

#[test]
fn a_report_that_can_not_be_written_is_an_error() {
    let project = Project::new();
    project.scan(&["-o", "json:no/such/folder/report.json"]).refuses(&["no/such/folder/report.json"]);
}

#[test]
fn a_saved_report_reads_back_the_same() {
    let project = Project::new();
    project.file("a.py", line(1)).file("b.pem", pem(2));
    let scanned = project.scan(&["-o", "json:report.txt"]).ends(1);
    let shown = project.hekate(&["report", "report.txt", "--format", "json"]).ends(0);
    assert_eq!(shown.stdout, scanned.stdout);
    project.file("broken.json", "{");
    project.hekate(&["report", "broken.json"]).refuses(&["broken.json"]);
}

#[test]
fn rules_are_chosen_by_id() {
    let project = Project::new();
    let key = token("anthropic-api-key", 1);
    project.file("a.py", format!("{}other = \"{key}\"\n", line(1)));
    assert_eq!(project.scan(&["--only-rule", "github-pat"]).rules(), ["github-pat"]);
    assert_eq!(project.scan(&["--skip-rule", "github-pat"]).rules(), ["anthropic-api-key"]);
}

#[test]
fn an_unknown_rule_id_is_refused_with_the_nearest_one() {
    let project = Project::new();
    for flag in ["--only-rule", "--skip-rule"] {
        project.scan(&[flag, "github-pta"]).refuses(&["`github-pta`", "did you mean `github-pat`?"]);
    }
    project.hekate(&["rules", "show", "github-pta"]).refuses(&["did you mean `github-pat`?"]);
}

#[test]
fn config_at_the_repository_root_is_read_from_anywhere_inside() {
    let project = Project::new();
    project.git_init().file("hekate.toml", "[scan]\nskip-rules = ['github-pat']\n").file("sub/a.py", line(1));
    project.scan(&[]).ends(0);
    let mut command = project.command();
    command.args(["scan", "--format", "json", "."]).current_dir(project.path("sub"));
    crate::harness::run(command, b"").ends(0);
}

#[test]
fn config_inside_another_scanned_tree_is_not_read() {
    let project = Project::new();
    let other = Project::new();
    other.git_init().file("hekate.toml", "[scan]\nskip-rules = ['github-pat']\n");
    other.file("a.py", format!("{}  # plain\n", line(1).trim()));
    other.file(".gitleaksignore", "a.py:github-pat:1\n");
    project.scan(&[other.root().to_str().unwrap()]).ends(1);
    project.git_init().scan(&[other.root().to_str().unwrap()]).ends(1);
}

#[test]
fn config_in_a_scanned_subfolder_is_not_read() {
    let project = Project::new();
    project.git_init().file("vendor/hekate.toml", "[scan]\nskip-rules = ['github-pat']\n");
    project.file("vendor/a.py", line(1));
    project.scan(&["vendor"]).ends(1);
}

#[test]
fn an_unknown_key_in_the_config_is_refused_with_its_place_and_the_nearest_one() {
    let project = Project::new();
    project.file("hekate.toml", "# policy\n[scan]\nmin-confidnce = 'low'\n");
    project.scan(&[]).refuses(&["hekate.toml:3:1", "did you mean `min-confidence`?"]);
    project.file("hekate.toml", "[scam]\n");
    project.scan(&[]).refuses(&["hekate.toml:1:", "did you mean `scan`?"]);
}

#[test]
fn a_named_config_replaces_the_repositorys_own() {
    let project = Project::new();
    project.file("hekate.toml", "[scan]\nskip-rules = ['github-pat']\n").file("a.py", line(1));
    project.file("ci.toml", "[scan]\nmin-confidence = 'high'\n");
    assert_eq!(project.scan(&["--config", "ci.toml"]).rules(), ["github-pat"]);
    project.scan(&["--config", "absent.toml"]).refuses(&["absent.toml"]);
}

#[test]
fn a_repositorys_own_config_can_not_name_files_outside() {
    let project = Project::new();
    for path in ["../rules.toml", "/etc/rules.toml"] {
        project.file("hekate.toml", format!("[scan]\nrules = ['{path}']\n"));
        project.scan(&[]).refuses(&[path, "leads out of the repository"]);
    }
}

#[test]
fn a_hostile_config_can_not_write_to_the_terminal() {
    let project = Project::new();
    for config in [
        "[scan]\nrules = [\"\\u001b]0;pwned\\u0007.toml\"]\n",
        "[scan]\nonly-rules = [\"\\u001b[2J\"]\n",
        "[[rules]]\nid = \"x\"\nregex = \"\\u001b[31m(\"\n",
    ] {
        project.file("hekate.toml", config);
        let outcome = project.scan(&[]).ends(2);
        assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", outcome.stderr);
    }
}

const ACME: &str = r#"
[[rules]]
id = "acme-token"
description = "ACME token"
regex = '''\b(acme_[0-9a-f]{32})\b'''
examples = ['token = "{token}"', 'acme: {token}']
negatives = ['acme_token_name', 'token = "{token:short}"']
"#;

#[test]
fn rules_of_ones_own_are_added() {
    let project = Project::new();
    let secret = format!("acme_{}", "0a1b2c3d".repeat(4));
    project.file("rules/acme.toml", ACME).file("a.py", format!("x = '{secret}'\n{}", line(1)));
    for rules in ["rules", "rules/acme.toml"] {
        let mut found = project.scan(&["a.py", "--rules", rules]).ends(1).rules();
        found.sort();
        assert_eq!(found, ["acme-token", "github-pat"]);
    }
    let own = project.scan(&["a.py", "--rules", "rules", "--no-default-rules"]);
    assert_eq!(own.rules(), ["acme-token"]);
}

#[test]
fn a_bad_rule_file_is_refused_with_file_rule_and_place() {
    let project = Project::new();
    let cases: [(&str, &[&str]); 6] = [
        ("regex = 'acme_(['", &["rules/bad.toml", "`broken`", "regex", "unclosed character class", "^"]),
        ("regex = 'a*'", &["rules/bad.toml", "`broken`", "empty string"]),
        ("regexp = 'acme_x'", &["rules/bad.toml:3:1", "did you mean `regex`?"]),
        ("regex = 'acme_x'\nsecretGroup = 1", &["`broken`", "secretGroup", "0 groups"]),
        ("regex = 'acme_x'\n[[rules]]\nid = 'broken'\nregex = 'acme_y'", &["`broken`", "twice"]),
        ("regex = 'acme_x", &["rules/bad.toml:3:"]),
    ];
    for (body, parts) in cases {
        project.file("rules/bad.toml", format!("[[rules]]\nid = 'broken'\n{body}\n"));
        project.scan(&["--rules", "rules/bad.toml"]).refuses(parts);
    }
}

#[test]
fn one_id_in_two_files_of_a_folder_is_refused() {
    let project = Project::new();
    project.file("rules/one.toml", ACME).file("rules/two.toml", ACME);
    project.scan(&["--rules", "rules"]).refuses(&["two.toml", "`acme-token`"]);
}

#[test]
fn rules_are_listed_as_an_array_of_rules() {
    let project = Project::new();
    let listed = project.hekate(&["rules", "list", "--format", "json"]).ends(0).json();
    let rules = listed.as_array().expect("an array");
    assert!(rules.len() >= 120, "{}", rules.len());
    let pat = rules.iter().find(|rule| rule["id"] == "github-pat").unwrap();
    assert_eq!((&pat["severity"], &pat["checksum"]), (&"critical".into(), &"github".into()));
    let plain = project.hekate(&["rules", "list"]).ends(0).stdout;
    assert!(rules.iter().all(|rule| plain.contains(&text(&rule["id"]))));
}

#[test]
fn a_rule_is_shown_with_what_follows_from_it() {
    let project = Project::new();
    let shown = project.hekate(&["rules", "show", "github-pat"]).ends(0).stdout;
    for part in ["GitHub personal access token", "critical", "ghp_", "reach", "token = {token}"] {
        assert!(shown.to_lowercase().contains(&part.to_lowercase()) || part.contains('='), "{part}: {shown}");
    }
}

#[test]
fn rules_prove_themselves_and_a_broken_example_fails() {
    let project = Project::new();
    project.file("acme.toml", ACME);
    let test = ["rules", "test", "--no-default-rules", "--rules", "acme.toml"];
    let passed = project.hekate(&test).ends(0);
    assert!(passed.stdout.starts_with("1 rules"), "{}", passed.stdout);
    project.file("acme.toml", ACME.replace("'acme: {token}'", "'acme: none'"));
    let failed = project.hekate(&test).ends(1);
    assert!(
        failed.stderr.contains("acme-token") && failed.stderr.contains("acme: none"),
        "{}",
        failed.stderr
    );
    project.file("acme.toml", ACME.replace("'acme_token_name'", "'acme: {token}'"));
    let failed = project.hekate(&test).ends(1);
    assert!(failed.stderr.contains("should not be"), "{}", failed.stderr);
}

#[test]
fn commands_about_rules_take_a_whole_config() {
    let project = Project::new();
    project
        .file("acme.toml", ACME)
        .file("ci.toml", "[scan]\nrules = ['acme.toml']\n[extend]\ndisabledRules = ['jwt']\n");
    let listed = project.hekate(&["rules", "list", "--config", "ci.toml"]).ends(0).stdout;
    assert!(listed.contains("acme-token"), "{listed}");
    assert!(
        project
            .hekate(&["rules", "show", "acme-token", "--config", "ci.toml"])
            .ends(0)
            .stdout
            .contains("acme_")
    );
}

#[test]
fn init_writes_a_config_that_loads_and_names_what_gitignore_misses() {
    let project = Project::new();
    project.file(".gitignore", ".env\n*.pem\n");
    let outcome = project.hekate(&["init"]).ends(0);
    assert!(outcome.stderr.contains(".env.*") && outcome.stderr.contains("secrets/"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("*.pem"), "{}", outcome.stderr);
    project.scan(&[]).ends(0);
    project.file("hekate.toml", "[scan]\nskip-hidden = true\n");
    project.hekate(&["init"]).ends(0);
    assert_eq!(project.read("hekate.toml"), "[scan]\nskip-hidden = true\n");
    project.file(".gitignore", ".env\n.env.*\n*.pem\nsecrets/\n");
    assert!(project.hekate(&["init"]).ends(0).stderr.contains("ok:"));
}

#[test]
fn values_without_a_format_are_found_by_the_name_they_are_assigned_to() {
    let project = Project::new();
    project.file("a.py", format!("smtp_password = \"{}\"\n", password(1, 20)));
    let finding = project.scan(&[]).ends(1).findings()[0].clone();
    assert_eq!(finding["rule"], "generic-password");
    let evidence = finding["evidence"].as_array().unwrap().clone();
    let context = evidence.iter().find(|evidence| evidence["kind"] == "context").unwrap();
    assert_eq!(context["name"], "smtp_password");
}

#[test]
fn a_repositorys_config_reads_no_file_outside_of_it() {
    let project = Project::new();
    project.file("outside.toml", "secret_key_of_the_host = 1\n").file("repository/a.py", line(1));
    project.run("git", &["init", "-q", "repository"]);
    project.run("ln", &["-s", "../outside.toml", "repository/link.toml"]);
    let scan = |config: &str| {
        project.file("repository/hekate.toml", config);
        let mut command = project.command();
        command.current_dir(project.path("repository")).args(["scan", "--format", "json"]);
        crate::harness::run(command, b"")
    };
    for config in [
        "[extend]\npath = '../outside.toml'\n",
        "[scan]\nrules = ['../outside.toml']\n",
        "[scan]\nrules = ['link.toml']\n",
        "[scan]\nbaseline = 'link.toml'\n",
    ] {
        let outcome = scan(config).ends(2);
        assert!(!outcome.stderr.contains("secret_key_of_the_host"), "{}", outcome.stderr);
    }
    scan("").ends(1);
}

#[test]
fn an_error_is_said_once() {
    let outcome = Project::new().hekate(&["scan", "not-there"]).ends(2);
    assert_eq!(outcome.stderr.matches("No such file").count(), 1, "{}", outcome.stderr);
}
