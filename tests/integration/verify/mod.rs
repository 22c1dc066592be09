//! Which findings are live: asked of doubles on this machine.

mod databases;
mod double;

use serde_json::Value;

use super::{
    harness::{Outcome, Project, text},
    secrets::{in_base64, token, utf16},
};
use double::Double;

/// A kind of secret whose host only trusted config can name.
const RULE: &str = "grafana-service-account-token";
const LIVE: &str = r#"{"users:read":["*"]}"#;
const REFUSED: &str = r#"{"message":"Invalid API key"}"#;

/// Trusted config that names a double as Grafana's host.
fn trust(project: &Project, double: &Double) {
    let text = format!(
        "[verify]\nallow-private = [\"127.0.0.1\"]\nhosts = {{ grafana = [\"{}\"] }}\ntimeout = 20\n",
        double.origin()
    );
    project.file(&trusted_name(project), text);
}

/// Beside the scanned folder, not in it.
fn trusted_name(project: &Project) -> String {
    let name = project.root().file_name().expect("it has a name").to_string_lossy().into_owned();
    format!("../{name}.trusted.toml")
}

/// Runs a command under that config.
fn trusting(project: &Project, args: &[&str]) -> Outcome {
    let config = trusted_name(project);
    project.hekate(&[args, &["--config", &config]].concat())
}

fn verdict(outcome: &Outcome) -> String {
    text(&outcome.findings().first().expect("something is found")["verdict"])
}

/// What providers are said to have said.
fn said(outcome: &Outcome) -> Vec<Value> {
    let finding = outcome.findings().remove(0);
    let evidence = finding["evidence"].as_array().expect("a list").clone();
    evidence.into_iter().filter(|one| one["kind"] == "provider").collect()
}

fn project(value: &str) -> Project {
    let project = Project::new();
    project.file("app.env", format!("GRAFANA_TOKEN={value}\n"));
    project
}

#[test]
fn a_live_token_is_confirmed_by_the_host_that_trusted_config_names() {
    let (value, double) = (token(RULE, 1), Double::saying(200, LIVE));
    let project = project(&value);
    trust(&project, &double);
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(4);
    assert_eq!(verdict(&outcome), "active");
    assert_eq!(said(&outcome)[0]["name"], "grafana");
    let seen = double.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("GET /api/access-control/user/permissions HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].contains(&value), "the provider is shown the whole of it");
}

#[test]
fn nothing_of_a_value_is_in_any_report_and_its_verdict_is_in_each() {
    let (value, double) = (token(RULE, 2), Double::saying(200, LIVE));
    let project = project(&value);
    trust(&project, &double);
    project.hekate(&["scan", "--output", "json:report.json"]).ends(1);
    for format in ["human", "json", "jsonl", "sarif", "gitleaks", "gitlab", "csv"] {
        let outcome = trusting(&project, &["verify", "report.json", "--format", format]).ends(4);
        assert!(outcome.stdout.contains("active"), "{format}: {}", outcome.stdout);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains(&value) && !text.contains(&value[8..24]), "{format}: {text}");
        }
    }
}

#[test]
fn a_refused_token_is_inactive_and_left_out_where_only_confirmed_ones_are_wanted() {
    let (value, double) = (token(RULE, 3), Double::saying(401, REFUSED));
    let project = project(&value);
    trust(&project, &double);
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(1);
    assert_eq!(verdict(&outcome), "inactive");
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify", "--only-confirmed"]).ends(0);
    assert_eq!(outcome.findings(), Vec::<Value>::new());
}

#[test]
fn a_page_of_a_proxy_says_nothing_of_a_token() {
    let double = Double::saying(200, "<html>Please log in</html>");
    let project = project(&token(RULE, 4));
    trust(&project, &double);
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(1);
    assert!(verdict(&outcome).starts_with("unknown("), "{}", verdict(&outcome));
}

#[test]
fn a_token_goes_nowhere_that_only_scanned_content_names() {
    let double = Double::saying(200, LIVE);
    let project = Project::new();
    let text = format!("GRAFANA_URL={}\nGRAFANA_TOKEN={}\n", double.origin(), token(RULE, 5));
    project.git_init().file("app.env", text);
    let outcome = project.scan(&["--verify"]).ends(1);
    assert!(verdict(&outcome).contains("not in trusted config"), "{}", verdict(&outcome));
    // Nor may the repository trust itself.
    let own = format!("[verify]\nhosts = {{ grafana = [\"{}\"] }}\n", double.origin());
    project.file("hekate.toml", own);
    project.scan(&["--verify"]).refuses(&["verify"]);
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn a_host_at_a_private_address_has_to_be_allowed() {
    let double = Double::saying(200, LIVE);
    let project = project(&token(RULE, 6));
    let text = format!("[verify]\nhosts = {{ grafana = [\"{}\"] }}\n", double.origin());
    project.file(&trusted_name(&project), text);
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(1);
    assert!(verdict(&outcome).contains("allow-private"), "{}", verdict(&outcome));
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn a_dry_run_shows_requests_without_secrets_and_sends_none() {
    let (value, double) = (token(RULE, 7), Double::saying(200, LIVE));
    let project = project(&value);
    trust(&project, &double);
    project.hekate(&["scan", "--output", "json:report.json"]).ends(1);
    let outcome = trusting(&project, &["verify", "report.json", "--dry-run"]).ends(0);
    let request = format!("GET {}/api/access-control/user/permissions", double.origin());
    assert!(outcome.stdout.contains(&request), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("authorization: Bearer glsa********"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains(&value) && !outcome.stdout.contains(&value[8..24]));
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn a_value_that_is_gone_is_not_asked_about() {
    let double = Double::saying(200, LIVE);
    let project = project(&token(RULE, 8));
    trust(&project, &double);
    project.hekate(&["scan", "--output", "json:report.json"]).ends(1);
    let verify = || trusting(&project, &["verify", "report.json", "--format", "json"]).ends(1);
    project.file("app.env", format!("GRAFANA_TOKEN={}\n", token(RULE, 9)));
    assert!(verdict(&verify()).starts_with("unknown(value not at hand: it does not stand there"));
    std::fs::remove_file(project.path("app.env")).expect("remove it");
    assert!(verdict(&verify()).starts_with("unknown(value not at hand: its file is not there"));
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn a_report_names_no_files_outside_of_what_was_scanned() {
    let double = Double::saying(200, LIVE);
    let project = Project::new();
    project.file("tree/app.env", format!("GRAFANA_TOKEN={}\n", token(RULE, 10)));
    trust(&project, &double);
    let report = project.hekate(&["scan", "tree", "--format", "json"]).ends(1).stdout;
    std::fs::rename(project.path("tree/app.env"), project.path("outside.env")).expect("move it");
    let outside = project.path("outside.env").display().to_string();
    for path in ["../outside.env".to_owned(), "x/../../outside.env".to_owned(), outside] {
        let forged = report.replace("\"app.env\"", &Value::String(path.clone()).to_string());
        assert_ne!(forged, report);
        project.file("report.json", forged);
        let outcome = trusting(&project, &["verify", "report.json", "--format", "json"]).ends(1);
        assert!(verdict(&outcome).contains("leads out"), "{path}: {}", verdict(&outcome));
    }
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn values_are_read_again_from_every_source() {
    let double = Double::saying(200, LIVE);
    let value = token(RULE, 11);
    let project = project(&value);
    trust(&project, &double);
    project.git_init().git(&["add", "--all"]);
    // What is staged counts, not what lies in the folder.
    project.file("app.env", "GRAFANA_TOKEN=\n");
    let verdict_of = |args: &[&str]| verdict(&trusting(&project, args).ends(4));
    assert_eq!(verdict_of(&["staged", "--format", "json", "--verify"]), "active");
    project.git(&["commit", "--quiet", "-m", "a commit"]);
    project.commit_all();
    assert_eq!(verdict_of(&["history", "--format", "json", "--verify"]), "active");
    project.hekate(&["history", "--output", "json:report.json"]).ends(1);
    assert_eq!(verdict_of(&["verify", "report.json", "--format", "json"]), "active");
    project.git(&["commit", "--quiet", "--allow-empty", "-m", &format!("mind GRAFANA_TOKEN={value}")]);
    assert_eq!(verdict_of(&["history", "--format", "json", "--verify", "--range", "HEAD~1..HEAD"]), "active");
    let wide = Project::new();
    wide.file("app.txt", utf16(&format!("\u{feff}first line\nGRAFANA_TOKEN={value}\n"), false));
    trust(&wide, &double);
    assert_eq!(verdict(&trusting(&wide, &["scan", "--format", "json", "--verify"]).ends(4)), "active");
    let config = trusted_name(&project);
    let stdin = format!("GRAFANA_TOKEN={value}\n");
    let args = ["scan", "-", "--format", "json", "--verify", "--config", &config];
    assert_eq!(verdict(&project.hekate_with(stdin.as_bytes(), &[], &args).ends(4)), "active");
    assert!(double.seen().iter().all(|request| request.contains(&value)));
}

#[test]
fn a_report_made_under_a_key_is_verified_under_it() {
    let double = Double::saying(200, LIVE);
    let project = project(&token(RULE, 12));
    trust(&project, &double);
    let key = "5".repeat(64);
    let env = [("HEKATE_KEY", key.as_str())];
    project.hekate_with(b"", &env, &["scan", "--output", "json:report.json"]).ends(1);
    let config = trusted_name(&project);
    let args = ["verify", "report.json", "--format", "json", "--config", &config];
    assert_eq!(verdict(&project.hekate_with(b"", &env, &args).ends(4)), "active");
    assert!(verdict(&project.hekate(&args).ends(1)).contains("value not at hand"));
}

#[test]
fn what_is_suppressed_is_not_asked_about() {
    let double = Double::saying(200, LIVE);
    let project = Project::new();
    project.file("app.env", format!("GRAFANA_TOKEN={} # hekate:allow\n", token(RULE, 13)));
    trust(&project, &double);
    trusting(&project, &["scan", "--format", "json", "--verify", "--show-suppressed"]).ends(0);
    assert_eq!(double.seen(), Vec::<String>::new());
}

#[test]
fn a_rule_of_trusted_config_brings_its_own_check() {
    let double = Double::saying(200, r#"{"ok":true}"#);
    let project = Project::new();
    let value = format!("acme_{}", "0123456789abcdef".repeat(2));
    project.file("app.env", format!("TOKEN={value}\n"));
    let rule = format!(
        r#"
[verify]
allow-private = ["127.0.0.1"]
[[rules]]
id = "acme-token"
description = "ACME internal token"
regex = '''\b(acme_[0-9a-f]{{32}})\b'''
[rules.verify]
origins = ["{}"]
path = "/whoami"
headers = {{ authorization = "Bearer {{value}}" }}
answers = [{{ status = 200, when = [{{ json = "/ok", equals = true }}], verdict = "active" }}]
"#,
        double.origin()
    );
    project.file(&trusted_name(&project), rule);
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(4);
    assert_eq!((verdict(&outcome).as_str(), outcome.rules()), ("active", vec!["acme-token".to_owned()]));
    assert_eq!(double.seen().len(), 1);
}

#[test]
fn an_expired_token_is_inactive_and_nobody_is_told() {
    let project = Project::new();
    let part = |text: &str| in_base64(text).trim_end_matches('=').to_owned();
    let (head, signature) = (part(r#"{"alg":"RS256","typ":"JWT"}"#), part(&"s".repeat(48)));
    let token =
        |expiry: u64| format!("{head}.{}.{signature}", part(&format!(r#"{{"iss":"x","exp":{expiry}}}"#)));
    for (expiry, expected) in [(1_000_000_000, "inactive"), (9_000_000_000, "unknown(it has not expired")] {
        project.file("app.env", format!("TOKEN={}\n", token(expiry)));
        let outcome = project.scan(&["--verify", "--only-rule", "jwt"]).ends(1);
        assert!(verdict(&outcome).starts_with(expected), "{}", verdict(&outcome));
        assert_eq!(said(&outcome)[0]["name"], "offline");
    }
}

#[test]
fn verify_says_what_to_give_it() {
    let project = Project::new();
    project.hekate(&["verify"]).refuses(&["say which report"]);
    project.hekate(&["verify", "nothing.json"]).refuses(&["nothing.json"]);
}

#[test]
fn what_is_wrong_in_trusted_config_is_said() {
    let project = project(&token(RULE, 14));
    for (section, part) in [
        ("hosts = { grafanna = [\"https://g.example\"] }", "did you mean `grafana`?"),
        ("hosts = { grafana = [\"https://g.example/x\"] }", "g.example/x"),
        ("timeout = 0", "timeout: it is a number of seconds from 1 to 600"),
        ("ca-file = \"nothing.pem\"", "nothing.pem"),
        ("colour = 1", "colour"),
        ("public-keys = [\"https://u@k.example/x\"]", "public-keys: write https://HOST/PATH"),
        ("public-keys = [\"nothing.json\"]", "nothing.json"),
        ("[[verify.databases]]\ntype = \"oracle\"\nhost = \"db\"", "type is one of postgres"),
        ("[[verify.databases]]\ntype = \"redis\"\nhost = \"db/x\"", "host is a name"),
        ("[[verify.databases]]\ntype = \"redis\"\nhost = \"db\"\ntls = \"maybe\"", "tls is one of"),
        ("proxy = \"socks5://u:hunter@p\"", "the proxy can't be used"),
    ] {
        project.file(&trusted_name(&project), format!("[verify]\n{section}\n"));
        let outcome = trusting(&project, &["scan", "--verify"]).refuses(&[part]);
        assert!(!outcome.stderr.contains("hunter"), "{}", outcome.stderr);
    }
}
