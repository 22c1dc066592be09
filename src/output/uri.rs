//! Paths and addresses as URIs (RFC 3986).

use std::fmt::Write;

/// A `/`-separated path as a relative URI reference: whatever may not stand in a path is percent-encoded, also `:`, so that
/// the first segment is no scheme, and `%` and `\`, so that they stay what they are.
pub(super) fn path(path: &str) -> String {
    let relative = encode(path, |byte| is_unreserved(byte) || b"/!$&'()*+,;=@".contains(&byte));
    // Two slashes at the start would name a host.
    if relative.starts_with("//") { format!("/.{relative}") } else { relative }
}

/// The URI of a git remote; `None` of one that has none, such as a relative path.
///
/// git's `host:path` form is that of ssh (<https://git-scm.com/docs/git-clone#_git_urls>).
pub(super) fn remote(remote: &str) -> Option<String> {
    let kept = |byte| is_unreserved(byte) || b":/?#[]@!$&'()*+,;=%".contains(&byte);
    if remote.contains("://") {
        return remote.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| encode(remote, kept));
    }
    if remote.starts_with('/') {
        return Some(format!("file://{}", path(remote)));
    }
    let (host, folder) = remote.split_once(':')?;
    let is_host = !host.is_empty() && host.bytes().all(|byte| is_unreserved(byte) || byte == b'@');
    is_host.then(|| format!("ssh://{host}/{}", path(folder.trim_start_matches('/'))))
}

/// Whether a text can stand as a link to a web page as it is.
pub(super) fn is_web_address(text: &str) -> bool {
    let is_plain = |byte| is_unreserved(byte) || b":/?#@!$&'*+,;=%".contains(&byte);
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_plain))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn encode(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_kept(byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("a String takes whatever is written to it");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_what_a_uri_allows_and_encode_the_rest() {
        for (given, wanted) in [
            ("src/main.rs", "src/main.rs"),
            ("app/(group)/@modal/[id]/a+b,c=d.ts", "app/(group)/@modal/%5Bid%5D/a+b,c=d.ts"),
            ("a b/100%/ü.txt", "a%20b/100%25/%C3%BC.txt"),
            ("c:/x?y#z", "c%3A/x%3Fy%23z"),
            (r"bytes\xff.txt", "bytes%5Cxff.txt"),
            ("line\nfeed", "line%0Afeed"),
            ("//host/share", "/.//host/share"),
        ] {
            assert_eq!(path(given), wanted);
        }
    }

    #[test]
    fn remotes_become_uris_where_they_can() {
        for (given, wanted) in [
            ("https://github.com/a/b.git", Some("https://github.com/a/b.git")),
            ("ssh://git@host:22/a b", Some("ssh://git@host:22/a%20b")),
            ("git@github.com:a/b.git", Some("ssh://git@github.com/a/b.git")),
            ("github.com:a/b.git", Some("ssh://github.com/a/b.git")),
            ("/srv/git/a.git", Some("file:///srv/git/a.git")),
            ("../a.git", None),
            ("://a", None),
            ("", None),
        ] {
            assert_eq!(remote(given).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn only_plain_web_addresses_are_links() {
        assert!(is_web_address("https://example.com/a?b=c#d"));
        for text in
            ["", "https://", "ftp://a", "javascript:alert(1)", "https://a b", "https://a)(b", "see https://a"]
        {
            assert!(!is_web_address(text), "{text}");
        }
    }
}
