use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::{
    model::{Secret, Verdict},
    net::{Answer, Request},
    provider::{Credential, Occasion, Role, TrustedHosts},
    rule::{AnswerRow, Condition, Kind, Meaning, Rule, Scalar, Templater, Test, builtin},
};

/// Entries as they stand, beside what is made of them.
fn entries() -> Vec<RawEntry> {
    let raw: RawTable = read_toml("checks.toml", include_str!("../checks.toml")).unwrap();
    raw.check
}

/// The rules that checks with a request are for.
fn asked_rules() -> Vec<Rule> {
    let asked: BTreeSet<String> = asked().flat_map(|(entry, _)| entry.rules).collect();
    builtin().into_iter().filter(|rule| asked.contains(&rule.id)).collect()
}

/// A value of a rule's own form.
fn value_of(rule: &Rule) -> Secret {
    let rendered = Templater::new(rule).render("{token}", 7).unwrap();
    Secret::new(rendered.tokens[0].clone())
}

fn companions() -> Vec<(Role, Secret)> {
    [
        Role::User,
        Role::Email,
        Role::KeyId,
        Role::KeySecret,
        Role::Account,
        Role::Tenant,
        Role::ClientId,
        Role::PublicKey,
    ]
    .map(|role| (role, Secret::new(format!("beside-{}", role.as_str()))))
    .to_vec()
}

fn occasion() -> Occasion {
    Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n-1".into() }
}

fn everywhere_trusted() -> TrustedHosts {
    let host = |name: &str| (name.to_owned(), vec![format!("https://{name}.example.com")]);
    TrustedHosts::new(providers().into_iter().map(host)).unwrap()
}

fn asked() -> impl Iterator<Item = (RawEntry, HttpCheck)> {
    entries().into_iter().filter_map(|entry| entry.verify.clone().map(|http| (entry, http)))
}

fn requests(rule: &Rule, value: &Secret) -> Result<Vec<Request>, String> {
    let credential = Credential { rule: &rule.id, value, companions: companions() };
    check_of(&rule.id).unwrap().requests(&credential, &everywhere_trusted(), &occasion())
}

#[test]
fn every_check_is_for_rules_that_exist() {
    let known: BTreeSet<String> = builtin().into_iter().map(|rule| rule.id).collect();
    let named = entries().into_iter().flat_map(|entry| entry.rules);
    assert_eq!(named.filter(|id| !known.contains(id)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn built_in_origins_are_https_and_stand_where_the_host_policy_says() {
    for (entry, http) in asked() {
        assert!(http.origins.iter().all(|origin| origin.starts_with("https://")), "{}", entry.provider);
        assert_eq!(http.origins.is_empty(), entry.hosts == Hosts::Trusted, "{}", entry.provider);
    }
}

#[test]
fn a_provider_has_one_policy_of_hosts() {
    let mut policies: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (entry, _) in asked() {
        policies.entry(entry.provider).or_default().insert(format!("{:?}", entry.hosts));
    }
    let mixed: Vec<_> = policies.into_iter().filter(|(_, policies)| policies.len() > 1).collect();
    assert_eq!(mixed, Vec::new());
}

#[test]
fn templates_name_fields_that_exist() {
    for (entry, http) in asked() {
        let headers = http.headers.iter().map(|(_, template)| template);
        for template in headers.chain([&http.path]).chain(&http.body) {
            for field in template.fields() {
                let is_known =
                    matches!(field, "value" | "pair-id" | "pair-secret") || Role::parse(field).is_some();
                assert!(is_known, "{}: {{{field}}}", entry.provider);
            }
        }
    }
}

/// What may be sent twice is listed here, so that nobody marks a login as safe by accident.
#[test]
fn logins_that_count_or_act_are_sent_once() {
    let unsafe_rules: BTreeSet<String> =
        asked().filter(|(_, http)| !http.is_safe).flat_map(|(entry, _)| entry.rules).collect();
    let expected = [
        "azure-ad-client-secret",
        "docker-hub-oat",
        "docker-hub-pat",
        "grafana-admin-password",
        "infisical-client-secret",
        "keycloak-admin-password",
        "slack-webhook-url",
    ];
    assert_eq!(unsafe_rules.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    let safe_posts: BTreeSet<String> =
        asked().filter(|(_, http)| http.is_post && http.is_safe).map(|(entry, _)| entry.provider).collect();
    assert_eq!(
        safe_posts.iter().map(String::as_str).collect::<Vec<_>>(),
        ["dropbox", "linear", "newrelic", "slack"]
    );
}

#[test]
fn secrets_that_a_check_would_use_up_have_none() {
    for id in [
        "digitalocean-refresh-token",
        "github-refresh-token",
        "slack-config-refresh-token",
        "pagerduty-integration-key",
    ] {
        let value = Secret::new("x".repeat(40));
        let credential = Credential { rule: id, value: &value, companions: companions() };
        let check = check_of(id).unwrap();
        assert!(check.requests(&credential, &everywhere_trusted(), &occasion()).is_err(), "{id}");
        assert!(check.origins().is_empty(), "{id}");
    }
}

#[test]
fn every_check_makes_requests_of_a_value_of_its_rule_that_do_not_show_it() {
    let rules = asked_rules();
    assert!(rules.len() > 150);
    for rule in rules {
        let value = value_of(&rule);
        let made = requests(&rule, &value).unwrap_or_else(|why| panic!("{}: {why}", rule.id));
        assert!(!made.is_empty(), "{}", rule.id);
        let text = String::from_utf8_lossy(value.expose()).into_owned();
        for request in made {
            let shown = format!("{request:?}");
            assert!(!shown.contains(&text), "{}", rule.id);
            // Nor the end of it, which is what is secret in a value with a known beginning.
            assert!(!shown.contains(&text[text.len() - text.len().min(12)..]), "{}", rule.id);
        }
    }
}

#[test]
fn a_value_is_in_what_is_sent_and_only_there() {
    let value = Secret::new("v".repeat(40));
    let credential = Credential { rule: "github-pat", value: &value, companions: Vec::new() };
    let requests = check_of("github-pat").unwrap();
    let requests = requests.requests(&credential, &TrustedHosts::default(), &occasion()).unwrap();
    let (_, sent) = requests[0].headers.iter().find(|(name, _)| name == "authorization").unwrap();
    assert_eq!(sent.expose().expose(), format!("Bearer {}", "v".repeat(40)).as_bytes());
    assert!(!requests[0].origin.contains("vvvv"));
}

/// What comes from elsewhere than the service: a captive portal, a proxy, a fault on the way.
fn foreign_answers() -> Vec<Answer> {
    let html = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Access denied, log in first</body></html>";
    let of_html = |status: u16| (status, "text/html", html);
    let mut answers: Vec<(u16, &str, &str)> =
        [200, 302, 400, 401, 403, 404, 407, 429, 500, 502, 503].map(of_html).to_vec();
    for status in [200, 400, 401, 403, 404] {
        answers.push((status, "application/json", ""));
        answers.push((status, "application/json", "{\"error\": {\"type\": \"auth"));
        answers.push((status, "application/json", "[[[["));
        answers.push((status, "application/json", "null"));
        answers.push((status, "text/plain", "Unauthorized"));
    }
    for status in [302, 429, 500, 503] {
        answers.push((status, "application/json", "{\"ok\":true,\"id\":\"x\",\"message\":\"x\"}"));
    }
    let answer = |(status, kind, body): (u16, &str, &str)| Answer {
        status,
        headers: vec![("content-type".into(), kind.into()), ("server".into(), "proxy".into())],
        body: Secret::new(body),
    };
    answers.into_iter().map(answer).collect()
}

#[test]
fn an_answer_of_somebody_else_says_nothing() {
    for check in checks() {
        let value = Secret::new("x".repeat(40));
        let credential = Credential { rule: "x", value: &value, companions: Vec::new() };
        for answer in foreign_answers() {
            let outcome = check.read(&credential, &answer);
            let body = String::from_utf8_lossy(answer.body.expose()).into_owned();
            let Verdict::Unknown(why) = outcome.verdict else {
                panic!("{}: {} {body} is {}", check.provider, answer.status, outcome.verdict);
            };
            assert!(!why.is_empty(), "{}", check.provider);
        }
    }
}

/// Puts a value at a place, making what is above it.
fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut at = root;
    for token in pointer.split('/').skip(1) {
        at = match token.parse::<usize>() {
            Ok(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let items = at.as_array_mut().unwrap();
                while items.len() <= index {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            Err(_) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut().unwrap().entry(token.to_owned()).or_insert(Value::Null)
            }
        };
    }
    if at.is_null() || !(value.is_array() || value.is_object()) {
        *at = value;
    }
}

fn sample(test: &Test) -> Value {
    match test {
        Test::Exists => json!("x"),
        Test::Equals(wanted) => match &wanted[0] {
            Scalar::Flag(flag) => json!(flag),
            Scalar::Number(number) => json!(number),
            Scalar::Text(text) => json!(text),
        },
        Test::Contains(part) => json!(part),
        Test::Is(Kind::String) => json!("x"),
        Test::Is(Kind::Number) => json!(1),
        Test::Is(Kind::Boolean) => json!(true),
        Test::Is(Kind::Object) => json!({}),
        Test::Is(Kind::Array) => json!([]),
    }
}

/// The least answer that a row is about.
fn answer_for(http: &HttpCheck, row: &AnswerRow, status: u16) -> Answer {
    let (mut root, mut text, mut headers) = (Value::Null, String::new(), Vec::new());
    for condition in http.signature.iter().take(1).chain(&row.when) {
        match condition {
            Condition::Json { pointer, test } => put(&mut root, pointer, sample(test)),
            Condition::Header { name, contains } => headers.push((name.clone(), format!("x{contains}"))),
            Condition::Body(part) | Condition::Text(part) => text.clone_from(part),
        }
    }
    if root.is_object() && !text.is_empty() {
        put(&mut root, "/note", json!(text));
    }
    let body = if root.is_null() { text } else { root.to_string() };
    Answer { status, headers, body: Secret::new(body) }
}

fn meaning(verdict: &Verdict) -> Meaning {
    match verdict {
        Verdict::Active => Meaning::Active,
        Verdict::Inactive => Meaning::Inactive,
        Verdict::Restricted => Meaning::Restricted,
        Verdict::Disabled => Meaning::Disabled,
        Verdict::Locked => Meaning::Locked,
        _ => Meaning::Unknown,
    }
}

#[test]
fn every_row_of_every_table_can_be_reached_and_means_what_it_says() {
    for (entry, http) in asked().filter(|(entry, _)| entry.reader.is_none()) {
        let check = check_of(&entry.rules[0]).unwrap();
        let value = Secret::new("x".repeat(40));
        let credential = Credential { rule: &entry.rules[0], value: &value, companions: Vec::new() };
        for row in &http.answers {
            for status in &row.status {
                let answer = answer_for(&http, row, *status);
                let outcome = check.read(&credential, &answer);
                let body = String::from_utf8_lossy(answer.body.expose()).into_owned();
                assert_eq!(meaning(&outcome.verdict), row.verdict, "{}: {status} {body}", entry.provider);
                if let (Verdict::Unknown(why), Some(expected)) = (&outcome.verdict, &row.why) {
                    assert_eq!(why, expected);
                }
            }
        }
    }
}

#[test]
fn a_detail_never_repeats_the_secret() {
    for (entry, http) in asked().filter(|(entry, _)| entry.reader.is_none()) {
        let check = check_of(&entry.rules[0]).unwrap();
        let value = Secret::new("s3cr3t-".repeat(5));
        let credential = Credential { rule: &entry.rules[0], value: &value, companions: Vec::new() };
        for row in &http.answers {
            let mut answer = answer_for(&http, row, row.status[0]);
            let mut root = answer.json().unwrap_or(Value::Null);
            for (_, source) in &row.detail {
                match source {
                    crate::rule::Source::Json(pointer) => put(&mut root, pointer, json!("s3cr3t-".repeat(5))),
                    crate::rule::Source::Header(name) => {
                        answer.headers.push((name.clone(), "s3cr3t-".repeat(5)))
                    }
                }
            }
            answer.body = Secret::new(root.to_string());
            let detail = check.read(&credential, &answer).detail.unwrap_or_default();
            assert!(!detail.contains("s3cr3t"), "{}", entry.provider);
        }
    }
}

#[test]
fn a_table_that_is_wrong_says_where() {
    let entry = |rest: &str| format!("[[check]]\nprovider = 'x'\nrules = ['github-pat']\n{rest}");
    let verify = "[check.verify]\norigins = ['https://x.example.com']\npath = '/'\n";
    for (text, expected) in [
        (entry(""), "one of verify and never"),
        (entry("never = 'x'\n[check.verify]\npath = '/'\nanswers = []\n"), "answers: there is none"),
        (format!("{0}{0}", entry("never = 'x'\n")), "rule `github-pat` has two checks"),
        (
            entry("signer = 'y'\n")
                + verify
                + "answers = [{ status = 200, when = [{ json = '/id' }], verdict = 'active' }]",
            "no signer `y`",
        ),
        (entry("") + verify + "answers = [{ status = 200, verdict = 'active' }]", "answers[0]: any proxy"),
        (
            entry("") + verify + "answers = [{ status = 200, when = [{ json = 'id' }], verdict = 'active' }]",
            "starts with `/`",
        ),
        (
            entry("") + verify + "answers = [{ status = 99, when = [{ json = '/id' }], verdict = 'active' }]",
            "from 200 to 599",
        ),
        (
            entry("")
                + verify
                + "answers = [{ status = 200, when = [{ json = '/id' }], verdict = 'unknown' }]",
            "says why",
        ),
        (entry("") + verify + "anwsers = []", "did you mean `answers`?"),
        (entry("") + "[check.verify]\npath = 'v1'\nanswers = []", "path: it starts with `/`"),
        (entry("") + "[check.verify]\npath = '/{value'\nanswers = []", "not closed"),
        (
            entry("")
                + "[check.verify]\npath = '/'\nbody = 'x'\nanswers = [{ status = 200, when = [{ text = 'x' }], verdict = 'active' }]",
            "only a POST",
        ),
        (
            entry("")
                + "[check.verify]\npath = '/'\nheaders = { 'a b' = 'x' }\nanswers = [{ status = 200, when = [{ text = 'x' }], verdict = 'active' }]",
            "no name of a header",
        ),
    ] {
        let error = load(&text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(error.contains(expected), "{error}\n{text}");
    }
}
