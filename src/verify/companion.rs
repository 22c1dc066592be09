//! What stands near a secret and belongs to it: the id of a key, a user, an account.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::recover::Around;
use crate::{model::Secret, provider::Role};

/// A kind of companion.
struct Companion {
    /// What ids of rules start with whose secrets have it; empty for all.
    rules: &'static str,
    role: Role,
    /// Its first group is the companion.
    pattern: &'static str,
}

const fn of(rules: &'static str, role: Role, pattern: &'static str) -> Companion {
    Companion { rules, role, pattern }
}

/// Of several rows that fit a secret's rule and have one role, the first that is found counts.
const COMPANIONS: &[Companion] = &[
    of("aws-", Role::KeyId, r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b"),
    of(
        "aws-access-token",
        Role::KeySecret,
        r#"(?i)secret[a-z_.-]{0,24}["'\s:=>]{1,8}([a-z0-9/+]{40})(?:[^a-z0-9/+=]|$)"#,
    ),
    of("aws-", Role::SessionToken, r#"(?i)session_?token["'\s:=>]{1,8}([a-z0-9/+=]{100,2000})"#),
    of("alibaba-", Role::KeyId, r"\b(LTAI[A-Za-z0-9]{12,24}|STS\.[A-Za-z0-9]{10,40})\b"),
    of(
        "alibaba-access-key-id",
        Role::KeySecret,
        r#"(?i)secret[a-z_.-]{0,24}["'\s:=>]{1,8}([a-z0-9]{30})(?:[^a-z0-9]|$)"#,
    ),
    of("alibaba-", Role::SessionToken, r"\b(CAIS[A-Za-z0-9+/=]{100,2000})"),
    of("twilio-", Role::Account, r"\b(AC[0-9a-f]{32})\b"),
    of("twilio-", Role::KeyId, r"\b(SK[0-9a-f]{32})\b"),
    of(
        "infisical-client-secret",
        Role::ClientId,
        r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
    ),
    of("langfuse-secret", Role::PublicKey, r"\b(pk-lf-[0-9a-f-]{36})\b"),
    of(
        "azure-",
        Role::Tenant,
        r#"(?i)tenant[a-z_-]{0,12}["'\s:=>/]{1,8}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"#,
    ),
    of(
        "azure-",
        Role::ClientId,
        r#"(?i)(?:client|app(?:lication)?)[_-]?id["'\s:=>]{1,8}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"#,
    ),
    of("gcp-", Role::Email, r"\b([a-z0-9][a-z0-9.-]{2,80}@[a-z0-9.-]{2,80}\.gserviceaccount\.com)\b"),
    of("gcp-", Role::KeyId, r#""private_key_id"\s*:\s*"([0-9a-f]{40})""#),
    of("scaleway-", Role::KeyId, r"\b(SCW[A-Z0-9]{17})\b"),
    of("razorpay-", Role::KeyId, r"\b(rzp_(?:live|test)_[A-Za-z0-9]{14})\b"),
    of("datadog-app", Role::KeyId, r#"(?i)(?:dd|datadog)[_-]?api[_-]?key["'\s:=>]{1,8}([0-9a-f]{32})\b"#),
    of(
        "",
        Role::Email,
        r#"(?i)(?:e-?mail|user(?:name)?|login)["'\s:=>]{1,8}([a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,100}\.[a-z]{2,12})\b"#,
    ),
    of("", Role::User, r#"(?i)(?:user(?:[_-]?name)?|login)["']?[ \t]*[:=][ \t]*["']?([a-z0-9._@%+-]{1,64})"#),
    of("atlassian-", Role::Host, r"\b([a-z0-9-]{1,60}\.atlassian\.net)\b"),
    of("", Role::Host, r#"(?i)https?://([a-z0-9.-]{1,200}(?::[0-9]{1,5})?)(?:[/"'`\s?#]|$)"#),
];

fn patterns() -> &'static [Regex] {
    static PATTERNS: OnceLock<Vec<Regex>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let compile = |one: &Companion| Regex::new(one.pattern).expect("a test compiles every pattern");
        COMPANIONS.iter().map(compile).collect()
    })
}

/// The companions of a secret that a rule names, the nearest of each role.
pub(super) fn companions(rule: &str, places: &[Around]) -> Vec<(Role, Secret)> {
    let mut found: Vec<(Role, Secret)> = Vec::new();
    for (companion, pattern) in COMPANIONS.iter().zip(patterns()) {
        let has = found.iter().any(|(role, _)| *role == companion.role);
        if has || !rule.starts_with(companion.rules) {
            continue;
        }
        let nearest = places.iter().find_map(|around| nearest(pattern, around));
        found.extend(nearest.map(|secret| (companion.role, secret)));
    }
    found
}

/// The match next to a value that is not the value itself.
fn nearest(pattern: &Regex, around: &Around) -> Option<Secret> {
    let text = around.text.expose();
    let groups = pattern.captures_iter(text).filter_map(|found| found.get(1));
    let distance = |start: usize, end: usize| {
        if end <= around.at.start { Some(around.at.start - end) } else { start.checked_sub(around.at.end) }
    };
    let apart = groups.filter_map(|group| Some((distance(group.start(), group.end())?, group)));
    apart.min_by_key(|(distance, _)| *distance).map(|(_, group)| Secret::new(group.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(before: &str, value: &str, after: &str) -> Vec<Around> {
        let text = Secret::new(format!("{before}{value}{after}"));
        vec![Around { text, at: before.len()..before.len() + value.len() }]
    }

    fn companion(rule: &str, role: Role, places: &[Around]) -> Option<String> {
        let found = companions(rule, places);
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
        found.iter().find(|(known, _)| *known == role).map(|(_, secret)| text(secret))
    }

    #[test]
    fn every_pattern_compiles_and_has_a_group() {
        assert!(patterns().iter().all(|pattern| pattern.captures_len() == 2));
    }

    #[test]
    fn the_nearest_id_belongs_to_a_secret() {
        let id = |letter: &str| format!("{}{}", "AKIA", letter.repeat(16));
        let value = "v".repeat(40);
        let far = format!("first={}\n{}\nid={}\nsecret=", id("B"), "#".repeat(200), id("C"));
        let places = around(&far, &value, "\n");
        assert_eq!(companion("aws-secret-access-key", Role::KeyId, &places), Some(id("C")));
        let places = around("secret=", &value, &format!("\nid={}", id("D")));
        assert_eq!(companion("aws-secret-access-key", Role::KeyId, &places), Some(id("D")));
        assert_eq!(companion("github-pat", Role::KeyId, &places), None);
    }

    #[test]
    fn a_value_is_no_companion_of_itself() {
        let account = format!("AC{}", "1".repeat(32));
        assert_eq!(companion("twilio-auth-token", Role::Account, &around("a ", &account, " b")), None);
    }

    #[test]
    fn users_hosts_and_keys_are_found_by_their_names() {
        let value = "v".repeat(20);
        let text = format!(
            "POSTGRES_USER=app\nurl: https://git.example.com:8443/x\nemail = \"a@b.example\"\npk-lf-{}\n",
            "1".repeat(36)
        );
        let places = around(&text, &value, "");
        assert_eq!(companion("postgres-password", Role::User, &places).as_deref(), Some("app"));
        assert_eq!(companion("gitlab-pat", Role::Host, &places).as_deref(), Some("git.example.com:8443"));
        assert_eq!(companion("atlassian-api-token", Role::Email, &places).as_deref(), Some("a@b.example"));
        assert_eq!(
            companion("langfuse-secret-key", Role::PublicKey, &places),
            Some(format!("pk-lf-{}", "1".repeat(36)))
        );
    }
}
