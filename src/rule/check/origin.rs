//! Where requests go to.

/// Reads `https://host[:port]` or `http://host[:port]`, lower-cased, without the slash at its end.
///
/// # Errors
/// Anything more or less than that: a path, a user, another scheme.
pub fn origin(text: &str) -> Result<String, String> {
    let lower = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let fail = |what: &str| Err(format!("`{}` {what}; write https://host[:port]", text.escape_default()));
    let Some(host) = host else { return fail("is no https:// address") };
    let (name, port) = split_port(host);
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return fail("has no valid port");
    }
    let is_address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inside| {
        inside.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')
    });
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if is_address || name.trim_end_matches('.').split('.').all(is_label) {
        Ok(lower)
    } else {
        fail("is more than a host and a port, or names none")
    }
}

/// The port is behind the last colon which is not within an IPv6 address.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for (text, expected) in [
            ("https://api.example.com", Some("https://api.example.com")),
            ("https://API.example.com/", Some("https://api.example.com")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://[::1]:8443", Some("https://[::1]:8443")),
            ("https://[fe80::1]", Some("https://[fe80::1]")),
            ("https://example.com/path", None),
            ("https://user@example.com", None),
            ("https://example.com?x=1", None),
            ("https://example.com#x", None),
            ("https://exam ple.com", None),
            ("https://example.com:99999", None),
            ("https://example.com:", None),
            ("https://a..b", None),
            ("https://", None),
            ("ftp://example.com", None),
            ("example.com", None),
            ("https://ex\nample.com", None),
        ] {
            assert_eq!(origin(text).ok().as_deref(), expected, "{text}");
        }
    }
}
