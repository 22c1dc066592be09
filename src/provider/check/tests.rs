use super::*;
use crate::{
    model::Secret,
    provider::check_of,
    rule::{Extends, RulePack},
};

fn occasion() -> Occasion {
    Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n-1".into() }
}

fn trusted(provider: &str, origins: &[&str]) -> TrustedHosts {
    let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    TrustedHosts::new([(provider.to_owned(), origins)]).unwrap()
}

fn origins(
    rule: &str,
    companions: Vec<(Role, Secret)>,
    trusted: &TrustedHosts,
) -> Result<Vec<String>, String> {
    let value = Secret::new("v".repeat(40));
    let credential = Credential { rule, value: &value, companions };
    let requests = check_of(rule).unwrap().requests(&credential, trusted, &occasion())?;
    Ok(requests.into_iter().map(|request| request.origin).collect())
}

fn host(text: &str) -> Vec<(Role, Secret)> {
    vec![(Role::Host, Secret::new(text))]
}

#[test]
fn a_self_hosted_secret_goes_nowhere_until_its_host_is_trusted() {
    let rule = "grafana-service-account-token";
    let why = origins(rule, host("https://grafana.example.com"), &TrustedHosts::default()).unwrap_err();
    assert_eq!(why, "its host is not in trusted config; name it under `grafana` there to have it asked");
    let known = trusted("grafana", &["https://grafana.example.com"]);
    assert_eq!(origins(rule, Vec::new(), &known).unwrap(), ["https://grafana.example.com"]);
}

#[test]
fn a_host_beside_a_secret_is_never_asked_for_that() {
    let known = trusted("gitlab", &["https://git.example.com"]);
    let all = ["https://git.example.com", "https://gitlab.com"];
    assert_eq!(origins("gitlab-pat", host("https://git.attacker.example"), &known).unwrap(), all);
    assert_eq!(
        origins("github-pat", host("https://api.attacker.example"), &known).unwrap(),
        ["https://api.github.com"]
    );
}

#[test]
fn a_host_beside_a_secret_says_which_of_the_known_ones_is_asked_first() {
    let known = trusted("gitlab", &["https://git.example.com", "https://code.example.com"]);
    let asked = origins("gitlab-pat", host("code.example.com"), &known).unwrap();
    assert_eq!(asked, ["https://code.example.com", "https://git.example.com", "https://gitlab.com"]);
    let asked = origins("gitlab-pat", host("https://gitlab.com/g/p"), &known).unwrap();
    assert_eq!(asked[0], "https://gitlab.com");
}

#[test]
fn a_login_that_counts_is_tried_where_it_is_meant_for_only() {
    let known = trusted("grafana", &["https://a.example.com", "https://b.example.com"]);
    let asked = origins("grafana-admin-password", host("https://b.example.com"), &known).unwrap();
    assert_eq!(asked, ["https://b.example.com"]);
}

#[test]
fn beside_the_id_of_a_key_another_id_is_not_its_secret() {
    let another = vec![(Role::KeyId, Secret::new("another-id"))];
    let error = origins("aws-access-token", another, &TrustedHosts::default()).unwrap_err();
    assert_eq!(error, "the other half of the key, id or secret, is not at hand");
    let secret = vec![(Role::KeyId, Secret::new("another-id")), (Role::KeySecret, Secret::new("secret"))];
    assert_eq!(origins("aws-access-token", secret, &TrustedHosts::default()).unwrap().len(), 3);
}

#[test]
fn trust_in_one_provider_is_none_in_another() {
    let known = trusted("grafana", &["https://grafana.example.com"]);
    assert!(origins("vault-service-token", Vec::new(), &known).is_err());
    assert_eq!(origins("github-pat", Vec::new(), &known).unwrap(), ["https://api.github.com"]);
}

#[test]
fn what_belongs_to_a_secret_is_named_where_it_is_missing() {
    for (rule, expected) in [
        ("langfuse-secret-key", "the public-key that belongs to it is not at hand"),
        ("infisical-client-secret", "the client-id that belongs to it is not at hand"),
        ("azure-ad-client-secret", "the tenant that belongs to it is not at hand"),
        ("twilio-auth-token", "the account that belongs to it is not at hand"),
        ("aws-secret-access-key", "the other half of the key, id or secret, is not at hand"),
        ("alibaba-secret-key", "the other half of the key, id or secret, is not at hand"),
    ] {
        assert_eq!(origins(rule, Vec::new(), &TrustedHosts::default()).unwrap_err(), expected, "{rule}");
    }
}

fn concluded(
    rule: &str,
    verdicts: &[Verdict],
    companions: Vec<(Role, Secret)>,
    trusted: &TrustedHosts,
) -> Verdict {
    let value = Secret::new("v".repeat(40));
    let credential = Credential { rule, value: &value, companions };
    let outcomes = verdicts.iter().cloned().map(Outcome::of).collect();
    check_of(rule).unwrap().conclude(outcomes, &credential, trusted).verdict
}

#[test]
fn a_secret_is_inactive_only_where_every_region_says_so() {
    let down = Verdict::Unknown("down".into());
    let nobody = TrustedHosts::default();
    for (verdicts, expected) in [
        (vec![Verdict::Inactive, Verdict::Inactive, Verdict::Inactive], Verdict::Inactive),
        (vec![Verdict::Inactive, down.clone()], down.clone()),
        (vec![down.clone(), Verdict::Active], Verdict::Active),
        (vec![Verdict::Inactive, Verdict::Restricted], Verdict::Restricted),
        (vec![Verdict::Locked], Verdict::Locked),
    ] {
        assert_eq!(concluded("datadog-api-key", &verdicts, Vec::new(), &nobody), expected);
    }
    assert!(matches!(concluded("datadog-api-key", &[], Vec::new(), &nobody), Verdict::Unknown(_)));
}

#[test]
fn a_refusal_by_the_public_host_says_nothing_of_a_secret_that_may_live_on_ones_own() {
    let refused = [Verdict::Inactive];
    let Verdict::Unknown(why) = concluded("gitlab-pat", &refused, Vec::new(), &TrustedHosts::default())
    else {
        panic!("it may belong to another host");
    };
    assert!(why.starts_with("refused by gitlab.com; if it belongs to a host of your own"), "{why}");
    let known = trusted("gitlab", &["https://git.example.com"]);
    assert_eq!(concluded("gitlab-pat", &refused, Vec::new(), &known), Verdict::Inactive);
    let beside = host("https://gitlab.com");
    assert_eq!(concluded("gitlab-pat", &refused, beside, &TrustedHosts::default()), Verdict::Inactive);
}

const OWN: &str = "
[[rules]]
id = 'acme-key'
regex = '''acme_[0-9a-z]{32}'''
[rules.verify]
origins = ['https://api.acme.example']
path = '/v1/me'
headers = { authorization = 'Bearer {value}' }
answers = [
  { status = 200, when = [{ json = '/account' }], verdict = 'active', detail = { account = '/account' } },
  { status = 401, when = [{ json = '/code', equals = 'bad_key' }], verdict = 'inactive' },
]
";

fn parsed(extends: Extends) -> Result<RulePack, String> {
    RulePack::parse(OWN, std::path::Path::new("own.toml"), extends).map_err(|error| error.to_string())
}

#[test]
fn a_rule_of_trusted_config_brings_its_own_check() {
    let pack = parsed(Extends::Allowed).unwrap();
    let check = Check::of_rule(&pack.rules[0]).unwrap();
    assert_eq!(
        (check.provider.as_str(), check.origins()),
        ("acme-key", ["https://api.acme.example".to_owned()].as_slice())
    );
    let value = Secret::new(format!("acme_{}", "a".repeat(32)));
    let credential = Credential { rule: "acme-key", value: &value, companions: host("https://evil.example") };
    let requests = check.requests(&credential, &TrustedHosts::default(), &occasion()).unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].origin, "https://api.acme.example");
    let answer = |status, body: &str| Answer { status, headers: Vec::new(), body: Secret::new(body) };
    let active = check.read(&credential, &answer(200, r#"{"account":"kosmos"}"#));
    assert_eq!((active.verdict, active.detail.as_deref()), (Verdict::Active, Some("account kosmos")));
    assert_eq!(check.read(&credential, &answer(401, r#"{"code":"bad_key"}"#)).verdict, Verdict::Inactive);
    assert!(check.read(&credential, &answer(200, "<html>")).is_open());
}

#[test]
fn a_rule_of_a_scanned_repository_can_bring_none() {
    let error = parsed(Extends::Refused).unwrap_err();
    assert!(
        error.starts_with("own.toml: rule `acme-key`: verify: a repository's own rules can't say"),
        "{error}"
    );
}

#[test]
fn a_check_is_no_part_of_what_is_compiled_or_cached() {
    let with = parsed(Extends::Allowed).unwrap().rules.remove(0);
    let without = Rule { verify: None, ..with.clone() };
    assert_eq!(postcard::to_stdvec(&with).unwrap(), postcard::to_stdvec(&without).unwrap());
}
