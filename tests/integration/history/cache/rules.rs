//! Rules that come, change and go between two scans, and policy, which no cache knows of.

use std::fs;

use fastrand::Rng;

use super::{
    super::{
        git::{Change, Import, Repo, file},
        text::{code, leak, leaky},
    },
    commit, same, same_with_and_without,
};
use crate::harness::{Outcome, run, text};

/// A value that only rules of this module know.
fn own(kind: &str, seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let digits: String = (0..32).map(|_| rng.digit(16)).collect();
    format!("{kind}_{digits}")
}

fn own_line(kind: &str, seed: u64) -> Vec<u8> {
    [code(seed, 30), format!("x = {}\n", own(kind, seed)).into_bytes(), code(seed + 1, 30)].concat()
}

/// Values of three kinds in files, in the text of a commit and of a tag, and what built-in rules find.
fn repository() -> Repo {
    let mut import = Import::default();
    let (acme, beta, built_in) = (own_line("acme", 1), own_line("beta", 2), leaky(3, 3));
    let root =
        import.commit("main", &[], &[file("a.py", &acme), file("b.env", &beta), file("c.py", &built_in)]);
    let text = format!("it was {}\n", own("acme", 4));
    let next = import.commit_saying(&text, "main", &[root], &[file("a.py", &code(9, 30))]);
    import.commit("main", &[next], &[file("a.py", &own_line("acme", 5)), Change::Delete(b"c.py")]);
    import.tag("v1", next, &format!("{}\n", own("beta", 6)));
    let repo = Repo::of(&import);
    repo.git(&["repack", "--quiet", "-adf"]);
    repo
}

/// How many secrets each rule names.
fn by_rule(outcome: &Outcome, rule: &str) -> usize {
    outcome.rules().iter().filter(|found| *found == rule).count()
}

/// A rule of `[[rules]]`, with more lines.
fn rule(id: &str, regex: &str, more: &str) -> String {
    format!("[[rules]]\nid = \"{id}\"\ndescription = \"{id}\"\nregex = '''{regex}'''\n{more}\n")
}

const ACME: &str = r"\b(acme_[0-9a-f]{32})\b";
const BETA: &str = r"\b(beta_[0-9a-f]{32})\b";

#[test]
fn a_rule_that_is_added_changed_and_taken_away() {
    let repo = repository();
    let path = repo.path("../rules.toml");
    let args: &[&str] = &["--rules", "rules.toml"];
    same_with_and_without(&repo, &[]);
    for (text, count) in [
        (rule("own", ACME, ""), 3),
        (rule("own", BETA, ""), 2),
        (rule("own", ACME, "entropy = 4.5"), 0),
        (rule("own", ACME, "keywords = [\"nowhere_at_all\"]"), 0),
        (rule("own", ACME, "keywords = [\"acme\"]"), 3),
        (rule("own", BETA, r"path = '''\.py$'''"), 0),
        (rule("own", BETA, r"path = '''\.env$'''"), 1),
        (rule("own", r"(x) = acme_[0-9a-f]{32}", "secretGroup = 1"), 1),
        (rule("own", ACME, "severity = \"low\"\nconfidence = \"low\"\ntags = [\"generic\"]"), 3),
        (rule("own", ACME, "[[rules.allowlists]]\npaths = ['''\\.py$''']"), 1),
        (rule("own", ACME, "[[rules.allowlists]]\nstopwords = [\"acme\"]"), 0),
        (rule("own", ACME, "") + &rule("second", BETA, "[[rules.required]]\nid = \"own\""), 3),
        (rule("own", ACME, "skipReport = true"), 0),
        (rule("own", ACME, ""), 3),
    ] {
        fs::write(&path, &text).expect("write rules");
        println!("{text}");
        assert_eq!(by_rule(&same_with_and_without(&repo, args), "own"), count, "{text}");
    }
    same_with_and_without(&repo, &[]);
}

#[test]
fn a_rule_that_has_no_literal_or_no_regex() {
    let repo = repository();
    let path = repo.path("../rules.toml");
    same_with_and_without(&repo, &[]);
    for text in [
        String::from("[[rules]]\nid = \"own\"\ndescription = \"a file\"\npath = '''\\.env$'''\n"),
        rule("own", "[0-9a-f]{32}", ""),
        rule("own", "[0-9a-f]{32}", "keywords = [\"beta\"]"),
    ] {
        fs::write(&path, &text).expect("write rules");
        same_with_and_without(&repo, &["--rules", "rules.toml"]);
        same_with_and_without(&repo, &["--rules", "rules.toml", "--no-default-rules"]);
    }
}

#[test]
fn rules_that_are_left_out_come_back() {
    let repo = repository();
    fs::write(repo.path("../rules.toml"), rule("own", ACME, "") + &rule("second", BETA, "")).expect("write");
    for (args, counts) in [
        (&[][..], [0, 0, 1]),
        (&["--rules", "rules.toml"], [3, 2, 1]),
        (&["--rules", "rules.toml", "--skip-rule", "own"], [0, 2, 1]),
        (&["--rules", "rules.toml", "--only-rule", "own"], [3, 0, 0]),
        (&["--rules", "rules.toml", "--no-default-rules"], [3, 2, 0]),
        (&["--skip-rule", "github-pat"], [0, 0, 0]),
        (&["--only-rule", "github-pat"], [0, 0, 1]),
        (&["--rules", "rules.toml"], [3, 2, 1]),
        (&["--only-rule", "npm-access-token"], [0, 0, 0]),
        (&[], [0, 0, 1]),
    ] {
        let outcome = same_with_and_without(&repo, args);
        let found = ["own", "second", "github-pat"].map(|rule| by_rule(&outcome, rule));
        assert_eq!(found, counts, "{args:?}");
    }
}

#[test]
fn a_commit_that_comes_with_a_rule() {
    let repo = repository();
    same_with_and_without(&repo, &["--only-rule", "github-pat"]);
    fs::write(repo.path("../rules.toml"), rule("own", ACME, "")).expect("write rules");
    commit(&repo, "main", &[file("new.py", &own_line("acme", 8)), file("more.py", &leaky(8, 8))]);
    let outcome = same_with_and_without(&repo, &["--rules", "rules.toml"]);
    assert_eq!((by_rule(&outcome, "own"), by_rule(&outcome, "github-pat")), (4, 2));
}

#[test]
fn a_clean_blob_comes_to_a_path_where_a_rule_looks() {
    let repo = repository();
    fs::write(repo.path("../rules.toml"), rule("own", ACME, r"path = '''\.env$'''")).expect("write rules");
    let args: &[&str] = &["--rules", "rules.toml"];
    assert_eq!(by_rule(&same_with_and_without(&repo, args), "own"), 0);
    let blob = repo.git_line(&["rev-parse", "main:a.py"]);
    commit(&repo, "main", &[Change::Blob(b"moved/a.env", blob)]);
    let outcome = same_with_and_without(&repo, args);
    assert_eq!((by_rule(&outcome, "own"), outcome.paths().contains(&"moved/a.env".to_owned())), (1, true));
    fs::write(repo.path("../rules.toml"), rule("own", ACME, r"path = '''^moved/'''")).expect("write rules");
    assert_eq!(by_rule(&same_with_and_without(&repo, args), "own"), 1);
}

#[test]
fn an_allowlist_or_baseline_that_changes() {
    let repo = repository();
    let all = same_with_and_without(&repo, &[]).ends(1);
    let fingerprint = all.fingerprint();
    let config = "[[allowlists]]\ndescription = \"old\"\npaths = ['''^c\\.py$''']\n";
    fs::write(repo.path("../allow.toml"), config).expect("write a config");
    fs::write(repo.path("../nothing.toml"), config.replace("c\\.py", "d\\.py")).expect("write a config");
    fs::write(repo.path("../accepted"), format!("{fingerprint} github-pat accepted\n")).expect("write");
    fs::write(repo.path("../other"), format!("k1:{} github-pat other\n", "7".repeat(64))).expect("write");
    for (args, code) in [
        (["--config", "allow.toml"], 0),
        (["--config", "nothing.toml"], 1),
        (["--baseline", "accepted"], 0),
        (["--baseline", "other"], 1),
        (["--baseline", "accepted"], 0),
    ] {
        same_with_and_without(&repo, &args).ends(code);
    }
    same_with_and_without(&repo, &[]).ends(1);
}

/// From inside the repository, under whatever policy lies there; as much is believed as is asked for.
#[track_caller]
fn inside(repo: &Repo, args: &[&str]) -> Outcome {
    let scan = |more: &[&str]| {
        repo.hekate(&[&["history", "--format", "json", "--show-suppressed"], args, more].concat())
    };
    let without = scan(&["--no-cache"]);
    for threads in ["1", "2", "8"] {
        same(&without, &scan(&["-j", threads]), threads);
    }
    without
}

#[test]
fn policy_in_the_repository_that_changes() {
    let repo = repository();
    repo.git(&["reset", "--quiet", "--hard"]);
    let all = inside(&repo, &[]).ends(1);
    let write = |name: &str, text: &str| fs::write(repo.path(name), text).expect("write policy");
    let line = all.occurrences()[0]["start"]["line"].clone();
    write(".gitleaksignore", &format!("c.py:github-pat:{line}\n"));
    inside(&repo, &[]).ends(0);
    write(".gitleaksignore", "c.py:github-pat:1\n");
    inside(&repo, &[]).ends(1);
    write("hekate.baseline", &format!("{} github-pat accepted\n", all.fingerprint()));
    inside(&repo, &[]).ends(0);
    write("hekate.baseline", "");
    write("hekate.toml", &format!("[scan]\nskip-rules = [\"github-pat\"]\n{}", rule("own", ACME, "")));
    let own = inside(&repo, &[]).ends(1);
    assert_eq!((by_rule(&own, "own"), by_rule(&own, "github-pat")), (3, 0));
    write("hekate.toml", "");
    assert_eq!(inside(&repo, &[]).findings(), all.findings());
}

#[test]
fn confidence_and_place_of_a_mark_that_change() {
    let repo = repository();
    let marked = leak(9).replace('\n', " # hekate:allow\n");
    let weak = format!("smtp_password = \"{}\"\n", ["Bx7n", "kq2w"].concat());
    commit(&repo, "main", &[file("weak.env", &weak), file("m.py", &marked)]);
    for args in [
        &["--min-confidence", "high"][..],
        &["--min-confidence", "low"],
        &["--policy-from", "main"],
        &["--policy-from", "main~1"],
        &["--min-confidence", "medium"],
        &["--show-secrets"],
        &["--refs"],
        &["--policy-from", "main"],
    ] {
        inside(&repo, args);
    }
}

#[test]
fn a_key_of_fingerprints_that_changes() {
    let repo = repository();
    for key in ["1", "2", "1"] {
        let scan = |args: &[&str]| {
            let mut command = repo.history_command("repo", args);
            command.env("HEKATE_KEY", key.repeat(64));
            run(command, b"")
        };
        let without = scan(&["--no-cache"]);
        same(&without, &scan(&["-j", "2"]), "an earlier cache");
        same(&without, &scan(&["-j", "8"]), "its own cache");
        assert!(text(&without.findings()[0]["fingerprint"]).starts_with("k1:"));
    }
}
