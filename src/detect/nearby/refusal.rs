//! What is no secret, however random it looks: hashes, versions, ids, parts of names and paths. The one place that says so.

use std::ops::Range;

use super::run::is_run;
use crate::detect::context::{ends_with, starts_with};

/// In a name, each of these says that its value is a hash of something; a word such as `secret` in it says otherwise.
const OF_HASHES: &[&str] = &[
    "sha",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "md5",
    "crc",
    "crc32",
    "commit",
    "digest",
    "checksum",
    "integrity",
    "etag",
    "fingerprint",
    "thumbprint",
    "revision",
    "gitsha",
    "githash",
    "h1",
    "blake2b",
    "blake3",
];

/// As a name's last word, each of these says that its value tells something apart, or where or when it is.
const LAST: &[&str] = &[
    "id",
    "ids",
    "uuid",
    "guid",
    "uid",
    "oid",
    "version",
    "ver",
    "v",
    "hash",
    "rev",
    "ref",
    "tree",
    "parent",
    "blob",
    "class",
    "classname",
    "href",
    "src",
    "style",
    "file",
    "filename",
    "path",
    "dir",
    "time",
    "date",
    "timestamp",
    "size",
    "length",
    "count",
    "port",
    "color",
    "colour",
    "branch",
    "tag",
    "image",
    "slug",
    "locale",
    "address",
    "email",
    "username",
    "index",
    "offset",
    "build",
    "release",
    "fill",
    "stroke",
    "transform",
    "viewbox",
    "sum",
    "resolved",
    "name",
    "model",
    "domain",
    "host",
    "hostname",
    "region",
    "zone",
    "env",
    "environment",
    "service",
    "channel",
    "tx",
    "txid",
];

/// Words by which a name is one of a secret after all.
const OF_SECRETS: &[&str] =
    &["key", "token", "secret", "password", "passwd", "credential", "credentials", "apikey", "auth"];

/// Right before a hash.
const BEFORE_HASHES: &[&[u8]] = &[b"sha1:", b"sha256:", b"sha384:", b"sha512:", b"md5:", b"h1:"];
/// A run that begins so is one.
const BEGIN_HASHES: &[&[u8]] = &[b"sha1-", b"sha256-", b"sha384-", b"sha512-", b"md5-"];
/// Names of compiled C++ and Rust begin so.
const MANGLED: &[&[u8]] = &[b"_ZN", b"__ZN", b"_ZT", b"__ZT", b"_RNv"];

/// Before these a value goes on as a path, a dotted name, an expression or a longer value.
const GOES_ON: &[u8] = b"+~*[=$#";
/// Behind these it is the rest of one.
const CAME_ON: &[u8] = b"./+~*%\\]$#@";

/// Whether a run is a name or a number of code, by what stands next to it.
pub(super) fn is_in_code(bytes: &[u8], run: &Range<usize>) -> bool {
    let value = &bytes[run.clone()];
    let before = &bytes[run.start.saturating_sub(8)..run.start];
    let after = &bytes[run.end..bytes.len().min(run.end + 4)];
    let is_hash = BEFORE_HASHES.iter().any(|word| ends_with(before, word))
        || BEGIN_HASHES.iter().any(|word| starts_with(value, word))
        || MANGLED.iter().any(|word| value.starts_with(word));
    let is_number = matches!(value, [b'0', b'x' | b'X', digits @ ..] if digits.len() < 32);
    let is_count = matches!(after, [b',' | b';' | b')' | b'}' | b']', ..])
        && !matches!(before, [.., b'"' | b'\'' | b'=' | b':'])
        && value.iter().all(u8::is_ascii_digit);
    is_hash || is_number || is_count || is_target(before, after)
}

/// Whether what stands between these is called, or something is assigned to it.
fn is_target(before: &[u8], after: &[u8]) -> bool {
    match after {
        [b'(', ..]
        | [b' ', b'=', b' ', ..]
        | [b' ', b'=', b'>', ..]
        | [b':', b':' | b'=', ..]
        | [b' ', b':', b'=', ..] => true,
        // A key of an object.
        [b'"' | b'\'', b':', ..] | [b'"' | b'\'', b' ', b':' | b'=', ..] => true,
        // Padding of base64 stands at a value's end; a name before a quote begins a word.
        [b'=', b'"' | b'\'', ..] => {
            before.last().is_none_or(|byte| byte.is_ascii_whitespace() || b"(,{<&?;:".contains(byte))
        }
        [b'=', next, ..] => is_run(*next),
        _ => false,
    }
}

/// Whether a value is the rest of something longer. In the path of a URL it stands between slashes, and it may be a URL's user.
pub(super) fn came_on(bytes: &[u8], start: usize, in_path: bool) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let is_in_url = |byte: u8| byte == b'/' && (in_path || bytes[..start].ends_with(b"://"));
    before.is_some_and(|byte| CAME_ON.contains(&byte) && !is_in_url(byte))
}

/// Whether a value goes on as something longer.
pub(super) fn goes_on(bytes: &[u8], end: usize, in_path: bool) -> bool {
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'/'), _) => !in_path,
        // The end of a sentence.
        (Some(b'.'), next) => next.is_some_and(|next| is_run(*next)),
        (Some(byte), _) => GOES_ON.contains(byte) || is_run(*byte),
        (None, _) => false,
    }
}

/// Whether a name says that its value is a hash.
pub(super) fn is_of_hash(name: &[u8]) -> bool {
    words_of(name).any(|word| is_in(word, OF_HASHES)) && !words_of(name).any(|word| is_in(word, OF_SECRETS))
}

/// Whether a name says that its value tells something apart, or where or when it is.
pub(super) fn is_of_id(name: &[u8]) -> bool {
    words_of(name).last().is_some_and(|word| is_in(word, LAST))
}

/// Whether a run is a part of a hash that is written in base64 (`sha512-…`), as files of locked versions have them.
pub(super) fn is_in_hash(bytes: &[u8], run: &Range<usize>) -> bool {
    const LONGEST_HASH: usize = 100;
    let before = &bytes[run.start.saturating_sub(LONGEST_HASH)..run.start];
    let is_base64 = |byte: &u8| is_run(*byte) || matches!(byte, b'+' | b'/' | b'=' | b':');
    let len = before.iter().rev().take_while(|byte| is_base64(byte)).count();
    let stretch = &before[before.len() - len..];
    BEFORE_HASHES.iter().chain(BEGIN_HASHES).any(|word| starts_with(stretch, word))
}

fn is_in(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()))
}

/// The words of a name: `projectId`, `PROJECT_ID` and `project-id` have the same, but for their case.
fn words_of(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_change = |one: &u8, two: &u8| one.is_ascii_lowercase() && two.is_ascii_uppercase();
    let parts = name.split(|byte| !byte.is_ascii_alphanumeric());
    parts.flat_map(move |part| part.chunk_by(move |one, two| !is_change(one, two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hashes_ids_and_versions_are_no_secrets() {
        for name in
            ["commit", "GIT_SHA", "fileSha256", "project_id", "projectId", "apiVersion", "etag", "class"]
        {
            assert!(is_of_hash(name.as_bytes()) || is_of_id(name.as_bytes()), "{name}");
        }
        for name in ["api_key", "hash_key", "idToken", "commit_secret", "version_token", "value"] {
            assert!(!is_of_hash(name.as_bytes()) && !is_of_id(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn code_is_told_by_its_neighbours() {
        let is_code = |text: &str| {
            let start = text.find("V1a2b3c4d5").unwrap();
            is_in_code(text.as_bytes(), &(start..start + 10))
        };
        for text in [
            "V1a2b3c4d5(x)",
            "V1a2b3c4d5 = 1",
            "\"V1a2b3c4d5\": 1",
            "sha256:V1a2b3c4d5",
            "a V1a2b3c4d5=\"x\"",
            "{V1a2b3c4d5=x}",
        ] {
            assert!(is_code(text), "{text}");
        }
        for text in [
            "V1a2b3c4d5",
            "\"V1a2b3c4d5=\"",
            "x=V1a2b3c4d5&y",
            "V1a2b3c4d5:",
            "\\nV1a2b3c4d5",
            "V1a2b3c4d5==",
        ] {
            assert!(!is_code(text), "{text}");
        }
    }
}
