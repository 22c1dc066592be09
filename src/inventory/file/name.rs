//! How names, folders, hosts and addresses are written.

use std::net::{IpAddr, Ipv6Addr};

const LONGEST: usize = 200;

fn is_word(text: &str, more: &str) -> bool {
    let is_ours = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    (1..=LONGEST).contains(&text.len())
        && text.chars().all(is_ours)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// The name of a secret, as environment variables and managers take it.
pub(super) fn secret_name(text: &str) -> Result<(), &'static str> {
    let is_name = is_word(text, "_-.");
    if is_name { Ok(()) } else { Err("a secret's name is made of letters, digits, `_`, `-` and `.`") }
}

/// The name of an environment, a project, a token or a role.
pub(super) fn plain_name(text: &str) -> Result<(), &'static str> {
    let is_name = is_word(text, "_-.");
    if is_name { Ok(()) } else { Err("a name is made of letters, digits, `_`, `-` and `.`") }
}

/// A folder as the manager writes it, with a slash in front and none at the end: of `a/b` and `/a/b/` it is `/a/b`.
pub(super) fn folder(text: &str) -> Result<String, &'static str> {
    let inner = text.strip_prefix('/').unwrap_or(text);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() && !text.is_empty() {
        return Ok("/".to_owned());
    }
    // A leading dot would make `..` possible, and hidden folders.
    if inner.split('/').all(|part| is_word(part, "_-.")) {
        Ok(format!("/{inner}"))
    } else {
        Err("a folder is made of letters, digits, `_`, `-` and `.`, with `/` between")
    }
}

/// The name of an environment variable that hekate may be told to read.
pub(super) fn own_variable(text: &str) -> Result<(), &'static str> {
    let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if text.len() > "HEKATE_".len() && text.starts_with("HEKATE_") && text.chars().all(is_upper) {
        Ok(())
    } else {
        Err(
            "an environment variable that an inventory names starts with HEKATE_ and is made of capitals, digits and `_`",
        )
    }
}

/// A host: a name or an address, without a port, a scheme or a user.
pub(super) fn host(text: &str) -> Result<(), &'static str> {
    const WHAT: &str = "a host is a name or an address, without scheme, user, port or path";
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    // Digits and dots only: an address that is none.
    let is_number = name.split('.').all(|label| label.chars().all(|c| c.is_ascii_digit()));
    if name.len() <= 253 && !is_number && name.split('.').all(is_label) { Ok(()) } else { Err(WHAT) }
}

/// An `http` or `https` address without a user in it.
pub(super) fn address(text: &str) -> Result<(), &'static str> {
    const WHAT: &str = "an address is http:// or https:// with a host, a port if need be, and a path; no user, no fragment, no blanks";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(WHAT)?;
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '"' | '<' | '>');
    if text.len() > 2_000 || !rest.chars().all(is_plain) {
        return Err(WHAT);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if let Some(inner) = authority.strip_prefix('[') {
        let (inner, port) = inner.split_once(']').ok_or(WHAT)?;
        inner.parse::<Ipv6Addr>().map_err(|_| WHAT)?;
        return if port.is_empty() { Ok(()) } else { number(port.strip_prefix(':').ok_or(WHAT)?) };
    }
    let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
    host(name).map_err(|_| WHAT)?;
    port.map_or(Ok(()), number)
}

fn number(text: &str) -> Result<(), &'static str> {
    port(text).map(|_| ())
}

/// A port.
pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port > 0);
    port.ok_or("a port is a number from 1 to 65535")
}

/// Whether an environment is one that developers play in, by its name or slug: what is worth little there.
pub fn is_development(environment: &str) -> bool {
    let name = environment.to_ascii_lowercase();
    name.starts_with("dev") || matches!(name.as_str(), "local" | "sandbox" | "test")
}

/// Whether an environment is the one that customers use, by its name or slug.
pub fn is_production(environment: &str) -> bool {
    let name = environment.to_ascii_lowercase();
    name.starts_with("prod") || name == "live"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_one_spelling() {
        for (text, folder_) in
            [("infrastructure", "/infrastructure"), ("/a/b/", "/a/b"), ("/", "/"), ("a.b", "/a.b")]
        {
            assert_eq!(folder(text).as_deref(), Ok(folder_), "{text}");
        }
        for text in ["", "//", "a//b", "../a", "a/../b", "a b", "a:b", "-a", ".git"] {
            assert!(folder(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_carry_nothing_but_a_name_or_an_address() {
        for text in ["postgres-0.kosmos-db", "db", "db.example.com.", "10.0.0.7", "::1", "my_db"] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in
            ["", "a b", "db:5432", "https://db", "u@db", "db/x", "-db", "10.0.0", "1.2.3.4.5", "a..b", "ö"]
        {
            assert!(host(text).is_err(), "{text}");
        }
        assert!(host(&"a".repeat(64)).is_err() && host(&"a.".repeat(200)).is_err());
    }

    #[test]
    fn addresses_carry_no_user() {
        for text in
            ["https://api.example.com/health", "http://keycloak.auth:8080", "https://[::1]:8443/x?y=z"]
        {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "ftp://a",
            "https://",
            "https://user@host/",
            "https://host:0/",
            "https://host:x/",
            "https://a b/",
            "https://host/#x",
            "https://[::1",
            "https://host\\@evil/",
            "//host",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_hekates_own() {
        assert!(own_variable("HEKATE_POSTGRES_ADMIN_URL").is_ok());
        for text in ["AWS_SECRET_ACCESS_KEY", "HEKATE_", "HEKATE_a", "PATH", ""] {
            assert!(own_variable(text).is_err(), "{text}");
        }
    }
}
