//! Which values are not looked for: found everywhere, guessed easily, or no secrets at all.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::detect::{
    known::{LONGEST, SHORTEST},
    strength_bits,
};

/// Why a value is not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weakness {
    /// It is too short to be looked for.
    Short,
    /// It is too long to be looked for.
    Long,
    /// It is an address without credentials.
    Address,
    /// It is the public half of something.
    Public,
    /// It is guessed with few tries, or a word that stands everywhere.
    Few,
}

impl Weakness {
    /// Whether it could be looked for nevertheless.
    pub fn can_be_searched(self) -> bool {
        !matches!(self, Self::Short | Self::Long)
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "shorter than {SHORTEST} bytes"),
            Self::Long => write!(f, "longer than {LONGEST} bytes"),
            Self::Address => f.write_str("an address without credentials"),
            Self::Public => f.write_str("public by nature"),
            Self::Few => f.write_str("too easy to guess, or a word that stands everywhere"),
        }
    }
}

/// Bits below which a value is weak, under a name that says it is a secret: words with a few digits lie below.
const BITS_OF_SECRET: f32 = 20.0;
/// The same under any other name: host names, regions and the like lie below.
const BITS_OF_OTHER: f32 = 48.0;
/// What names of secrets hold.
const SECRET_WORDS: &[&str] = &[
    "PASS",
    "PWD",
    "SECRET",
    "TOKEN",
    "KEY",
    "CREDENTIAL",
    "AUTH",
    "SALT",
    "SIGNATURE",
    "CERT",
    "PIN",
    "PRIVATE",
    "DSN",
    "JWT",
    "COOKIE",
    "SESSION",
    "WEBHOOK",
];

/// Why a value is not to be looked for, by its name and itself.
pub fn weakness(name: &str, value: &[u8]) -> Option<Weakness> {
    let is_pem = value.trim_ascii_start().starts_with(b"-----BEGIN ");
    if value.len() < SHORTEST {
        return Some(Weakness::Short);
    }
    if value.len() > LONGEST && !is_pem {
        return Some(Weakness::Long);
    }
    if is_pem {
        return is_public(value).then_some(Weakness::Public);
    }
    let name = name.to_ascii_uppercase();
    let is_named_so = SECRET_WORDS.iter().any(|word| name.contains(word));
    let text = std::str::from_utf8(value).unwrap_or_default();
    if is_address(text) || (!is_named_so && is_host(text)) {
        return Some(Weakness::Address);
    }
    let least = if is_named_so { BITS_OF_SECRET } else { BITS_OF_OTHER };
    (strength_bits(value) < least).then_some(Weakness::Few)
}

/// Whether a PEM text holds nothing private.
fn is_public(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"PRIVATE").is_none()
        && [&b"BEGIN PUBLIC KEY"[..], b"BEGIN RSA PUBLIC KEY", b"BEGIN CERTIFICATE", b"BEGIN X509 CRL"]
            .iter()
            .any(|label| memchr::memmem::find(value, label).is_some())
}

/// Whether it is a URL that carries neither user nor query nor long path, or a mail address.
fn is_address(text: &str) -> bool {
    if let Some((scheme, rest)) = text.split_once("://") {
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        // A webhook's secret is a long part of its path.
        let is_long = |part: &str| part.len() >= 16 && strength_bits(part.as_bytes()) >= 48.0;
        return is_scheme && !rest.contains(['@', '?']) && !path.split('/').any(is_long);
    }
    let is_user = |user: &str| user.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c));
    text.split_once('@').is_some_and(|(user, host)| is_user(user) && is_host(host))
}

/// Whether it is a host's name with a dot in it, or such a host with a port.
fn is_host(text: &str) -> bool {
    const LONGEST_LABEL: usize = 30;
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        let is_name = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (1..=LONGEST_LABEL).contains(&label.len()) && is_name
    };
    host.contains('.') && host.split('.').all(is_label) && port.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_is_left_out() {
        // Made here, so that none of them stands in this file.
        let mixed = |len: usize| -> String {
            let letters = b"aZ4kQ9xW2mB7vT1nJ3Lp8Rs6Yd0Hc5Gf";
            letters.iter().cycle().take(len).map(|letter| char::from(*letter)).collect()
        };
        let url = format!("postgres://ada:{}@db.internal/shop", mixed(10));
        let hook = format!("https://hooks.example.com/services/{}", mixed(16));
        let pem = |kind: &str| format!("-----BEGIN {kind}-----\nMII\n-----END {kind}-----");
        let words = format!("pg-old-{}-1", "Password");
        let (public, private, random) = (pem("PUBLIC KEY"), pem("PRIVATE KEY"), mixed(32));
        for (value, name, expected) in [
            ("admin", "GRAFANA_ADMIN_PASSWORD", Some(Weakness::Short)),
            ("postgres", "POSTGRES_PASSWORD", Some(Weakness::Few)),
            ("true", "FEATURE_X", Some(Weakness::Short)),
            ("eu-central-1", "AWS_REGION", Some(Weakness::Few)),
            ("postgres-0.kosmos-db", "DB_HOST", Some(Weakness::Address)),
            ("https://grafana.example.com/d/home", "GRAFANA_URL", Some(Weakness::Address)),
            ("platform-team@example.com", "NOTIFY_MAIL", Some(Weakness::Address)),
            (&public, "JWT_PUBLIC_KEY", Some(Weakness::Public)),
            (&words, "POSTGRES_PASSWORD", None),
            (&url, "DATABASE_URL", None),
            (&hook, "SLACK_URL", None),
            (&private, "JWT_SIGNING_KEY", None),
            (&random, "SESSION_SECRET", None),
        ] {
            assert_eq!(weakness(name, value.as_bytes()), expected, "{name}");
        }
    }
}
