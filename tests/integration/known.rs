//! What the secret manager holds is found wherever it stands, without network and without a rule.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    harness::{Outcome, Project, text},
    secrets::{password, pem, token},
};

const KEY: &str = "HEKATE_KEY";

fn key(digit: &str) -> String {
    digit.repeat(64)
}

// A store that is edited by hand keeps no older versions: the index before remembers them.

/// A project with a store of dotenv files beside what is scanned.
struct Known {
    project: Project,
    key: String,
}

impl Known {
    /// With one secret in production, and an older value of it.
    fn with_database_password() -> Self {
        let known = Self { project: Project::new(), key: key("7") };
        known.store("production", "infrastructure", "POSTGRES_PASSWORD", &old());
        known.pull(&[]).ends(0);
        known.store("production", "infrastructure", "POSTGRES_PASSWORD", &new());
        known.pull(&[]).ends(0);
        known
    }

    fn store(&self, environment: &str, folder: &str, name: &str, value: &str) {
        let quoted = if value.contains('\n') { format!("'{value}'") } else { value.to_owned() };
        self.project.file(
            &format!("../{}/{environment}/{folder}.env", self.store_name()),
            format!("{name}={quoted}\n"),
        );
    }

    fn store_name(&self) -> String {
        let name = self.project.root().file_name().expect("it has a name").to_string_lossy();
        format!("{name}-store")
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.project.hekate_with(b"", &[(KEY, &self.key)], args)
    }

    fn pull(&self, args: &[&str]) -> Outcome {
        let store = format!("dir:../{}", self.store_name());
        let index = self.index();
        self.run(&[&["inventory", "pull", "--store", &store, "--index", &index], args].concat())
    }

    fn index(&self) -> String {
        format!("../{}/hekate.idx", self.store_name())
    }

    fn scan(&self, args: &[&str]) -> Outcome {
        self.run(&[&["scan", "--format", "json", "--index", &self.index()], args].concat())
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.project.path(&format!("../{}", self.store_name())));
    }
}

/// As `openssl rand -base64 32` makes them.
fn random(seed: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed);
    STANDARD.encode((0..32).map(|_| rng.u8(..)).collect::<Vec<u8>>())
}

fn new() -> String {
    random(2)
}

fn old() -> String {
    random(1)
}

fn percent(value: &str) -> String {
    value.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn inventory(finding: &Value) -> Vec<String> {
    let of_inventory = |evidence: &&Value| evidence["kind"] == "inventory";
    let evidence = finding["evidence"].as_array().expect("a list");
    let say = |one: &Value| {
        format!("{}:{} v{} {}", text(&one["environment"]), text(&one["path"]), one["version"], one["current"])
    };
    evidence.iter().filter(of_inventory).map(say).collect()
}

/// Lines in which no name tells of a secret.
fn hidden(value: &str) -> String {
    format!("x {value} y\n- {}\nz={}\n", STANDARD.encode(value), percent(value))
}

#[test]
fn a_current_value_is_known_in_plain_base64_and_percent_encoded_form() {
    let known = Known::with_database_password();
    known.project.file("notes.txt", hidden(&new()));
    let outcome = known.scan(&[]).ends(4);
    let findings = outcome.findings();
    assert_eq!(findings.len(), 1, "{}", outcome.stdout);
    assert_eq!(findings[0]["verdict"], "known");
    assert_eq!(inventory(&findings[0]), ["production:/infrastructure/POSTGRES_PASSWORD v1 true"]);
    assert_eq!(outcome.places(), ["notes.txt:1:3", "notes.txt:2:3", "notes.txt:3:3"]);
}

#[test]
fn an_older_value_is_retired_and_confirms_nothing() {
    let known = Known::with_database_password();
    known.project.file("notes.txt", hidden(&old()));
    let outcome = known.scan(&[]).ends(1);
    let findings = outcome.findings();
    assert_eq!(findings.len(), 1, "{}", outcome.stdout);
    assert_eq!(findings[0]["verdict"], "retired");
    assert_eq!(inventory(&findings[0]), ["production:/infrastructure/POSTGRES_PASSWORD v1 false"]);
}

#[test]
fn staged_and_history_know_what_scan_knows() {
    let known = Known::with_database_password();
    known.project.git_init().file("a.txt", "nothing\n").commit_all();
    known.project.file("notes.txt", hidden(&new()) + &hidden(&old()));
    known.project.git(&["add", "--all"]);
    let index = known.index();
    let verdicts = |outcome: &Outcome| {
        let mut all: Vec<String> = outcome.findings().iter().map(|one| text(&one["verdict"])).collect();
        all.sort();
        all
    };
    let staged = known.run(&["staged", "--format", "json", "--index", &index]).ends(4);
    assert_eq!(verdicts(&staged), ["known", "retired"]);
    known.project.commit_all().file("notes.txt", "gone\n").commit_all();
    let history = |args: &[&str]| {
        known.run(&[&["history", "--format", "json", "--index", &index], args].concat()).ends(4)
    };
    let first = history(&["--no-cache"]);
    assert_eq!(verdicts(&first), ["known", "retired"]);
    assert_eq!(first.stdout, history(&["--engine", "plain"]).stdout);
    // The cache remembers what it was made with: a scan without the index first, then with it, then again.
    known.run(&["history"]).ends(0);
    assert_eq!(first.stdout, history(&[]).stdout);
    assert_eq!(first.stdout, history(&[]).stdout);
}

#[test]
fn what_a_rule_finds_keeps_its_name_and_is_known() {
    let known = Known { project: Project::new(), key: key("7") };
    let github = token("github-pat", 5);
    known.store("production", "external-services", "GITHUB_TOKEN", &github);
    known.pull(&[]).ends(0);
    known
        .project
        .file("a.sh", format!("export GITHUB_TOKEN={github}\n"))
        .file("b.txt", format!("{}\n", STANDARD.encode(&github)));
    let outcome = known.scan(&[]).ends(4);
    assert_eq!(outcome.rules(), ["github-pat"]);
    assert_eq!(outcome.paths(), ["a.sh", "b.txt"]);
}

#[test]
fn a_key_is_known_however_it_is_wrapped() {
    let known = Known { project: Project::new(), key: key("7") };
    let pem = pem(3);
    known.store("production", "authentication", "JWT_SIGNING_KEY", &pem);
    known.pull(&[]).ends(0);
    let forms = [
        pem.clone(),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\r\n    "),
        STANDARD.encode(&pem),
        STANDARD.encode(pem.trim_end()),
    ];
    for (number, form) in forms.iter().enumerate() {
        known.project.file(&format!("{number}.txt"), format!("k: \"{form}\"\n"));
    }
    let outcome = known.scan(&[]).ends(4);
    assert_eq!(outcome.findings().len(), 1, "{}", outcome.stdout);
    assert_eq!(outcome.paths(), ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]);
}

#[test]
fn one_value_under_two_names_names_both() {
    let known = Known::with_database_password();
    known.store("staging", "infrastructure", "POSTGRES_PASSWORD", &new());
    known.pull(&[]).ends(0);
    known.project.file("notes.txt", new());
    let outcome = known.scan(&[]).ends(4);
    let places = inventory(&outcome.findings()[0]);
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(
        places.iter().any(|place| place.starts_with("staging:/infrastructure/POSTGRES_PASSWORD")),
        "{places:?}"
    );
}

#[test]
fn weak_values_are_left_out_and_named() {
    let known = Known { project: Project::new(), key: key("7") };
    known.store("development", "infrastructure", "POSTGRES_PASSWORD", "postgres");
    known.store("development", "observability", "GRAFANA_ADMIN_PASSWORD", "admin");
    let pulled = known.pull(&[]).ends(0);
    for named in [
        "development:/infrastructure/POSTGRES_PASSWORD is left out",
        "development:/observability/GRAFANA_ADMIN_PASSWORD is left out",
    ] {
        assert!(pulled.stderr.contains(named), "{}", pulled.stderr);
    }
    known.project.file("compose.yaml", "image: postgres\nuser: admin\n");
    known.scan(&[]).ends(0);
    known.pull(&["--include-weak"]).ends(0);
    let outcome = known.scan(&[]).ends(4);
    assert_eq!(outcome.places(), ["compose.yaml:1:8"]);
}

#[test]
fn a_repositorys_own_config_hides_nothing_that_is_known() {
    let known = Known::with_database_password();
    let config = "[scan]\nskip-rules = [\"postgres-password\"]\n[[allowlists]]\npaths = ['.*']\n";
    known.project.git_init().file("hekate.toml", config);
    known.project.file("notes.txt", format!("POSTGRES_PASSWORD={}\n", new()));
    known.scan(&[]).ends(4);
    // The user's own may.
    known.scan(&["--config", "hekate.toml"]).ends(0);
}

#[test]
fn a_mark_and_a_baseline_accept_what_is_known_and_are_counted() {
    let known = Known::with_database_password();
    known.project.git_init().file("notes.txt", format!("{} # hekate:allow\n", new()));
    assert_eq!(known.scan(&[]).ends(0).suppressed("inline-mark"), 1);
    known.project.file("notes.txt", new());
    let index = known.index();
    known.run(&["baseline", "write", "--index", &index]).ends(0);
    assert_eq!(known.scan(&[]).ends(0).suppressed("baseline"), 1);
}

#[test]
fn an_index_needs_its_own_key() {
    let mut known = Known::with_database_password();
    known.project.file("notes.txt", new());
    let index = known.index();
    let without = known.project.hekate(&["scan", "--index", &index]);
    without.refuses(&["HEKATE_KEY", "openssl rand -hex 32"]);
    known.key = key("8");
    known.scan(&[]).refuses(&["made under another key"]);
    known.key = "no key".to_owned();
    known.scan(&[]).refuses(&["HEKATE_KEY", "64 hexadecimal digits"]);
}

#[test]
fn a_pull_without_a_key_asks_nobody() {
    let known = Known { project: Project::new(), key: key("7") };
    let outcome = known.project.hekate(&["inventory", "pull", "--store", "dir:nowhere"]);
    outcome.refuses(&["HEKATE_KEY", "openssl rand -hex 32"]);
}

#[test]
fn a_changed_index_is_refused_and_one_of_something_else_too() {
    let known = Known::with_database_password();
    let path = known.project.path(&known.index());
    let mut bytes = std::fs::read(&path).expect("read the index");
    *bytes.last_mut().expect("it holds something") ^= 1;
    std::fs::write(&path, &bytes).expect("write the index");
    known.scan(&[]).refuses(&["cut or changed", "pull it anew"]);
    std::fs::write(&path, "POSTGRES_PASSWORD=x\n").expect("write the index");
    known.scan(&[]).refuses(&["no index", "hekate inventory pull"]);
    std::fs::remove_file(&path).expect("remove the index");
    known.scan(&[]).refuses(&["read the index", "hekate.idx"]);
}

#[test]
fn a_failed_pull_leaves_the_index_that_is_there() {
    let known = Known::with_database_password();
    let path = known.project.path(&known.index());
    let before = std::fs::read(&path).expect("read the index");
    known.project.file(&format!("../{}/production/broken.env", known.store_name()), "A='never closed\n");
    let outcome = known.pull(&[]);
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.contains("broken.env"), "{}", outcome.stderr);
    assert_eq!(std::fs::read(&path).expect("read the index"), before);
}

#[test]
fn nothing_that_is_written_holds_a_value_or_the_key() {
    let known = Known::with_database_password();
    let short = password(4, 12);
    known.store("production", "observability", "GRAFANA_ADMIN_PASSWORD", &short);
    let pulled = known.pull(&[]).ends(0);
    known.project.file(
        "notes.txt",
        hidden(&new())
            + &hidden(&old())
            + &hidden(&short)
            + "q=postgres://ada:"
            + &percent(&new())
            + "@db/x\n",
    );
    let index = known.index();
    let mut written = vec![
        String::from_utf8_lossy(&std::fs::read(known.project.path(&index)).expect("read the index"))
            .into_owned(),
        pulled.stdout,
        pulled.stderr,
    ];
    for format in ["human", "json", "jsonl", "sarif", "gitleaks", "gitlab", "csv"] {
        let outcome = known.run(&["scan", "-v", "--timings", "--format", format, "--index", &index]).ends(4);
        written.extend([outcome.stdout, outcome.stderr]);
    }
    for value in [new(), old(), short] {
        for form in [value.clone(), STANDARD.encode(&value), percent(&value), value[..10].to_owned()] {
            assert!(written.iter().all(|text| !text.contains(&form)), "a value is written");
        }
    }
    for named in ["POSTGRES_PASSWORD", "production", &known.key, &known.key[..32]] {
        assert!(!written[0].contains(named), "{named} stands in the index");
    }
    assert!(written.iter().all(|text| !text.contains(&known.key)));
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads_and_content_over_many_blocks() {
    let known = Known::with_database_password();
    let filler = "lorem ipsum dolor sit amet consectetur 0123456789\n".repeat(21_000);
    let mut big = String::new();
    for number in 0..3 {
        big += &filler[..(1 << 20) - big.len() % (1 << 20) - 13 * (number + 1)];
        big += &format!("\n{}\n{}\n", new(), STANDARD.encode(format!("ada:{}", new())));
    }
    known.project.file("big.txt", &big).file("small.txt", hidden(&old()));
    let one = known.scan(&["-j", "1"]).ends(4);
    assert_eq!(
        one.occurrences().iter().filter(|place| place["path"] == "big.txt").count(),
        6,
        "{}",
        one.stdout
    );
    assert_eq!(one.stdout, known.scan(&["-j", "7"]).stdout);
}
