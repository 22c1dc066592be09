//! What stands around a value: the name it is assigned to.

use std::ops::Range;

/// How far back a name is looked for, in bytes. Part of what a match may depend on.
pub(super) const LOOK_BACK: usize = 160;

/// The name that the value at `start` is assigned to: `NAME=`, `name: "`, `"name": "`, `<name>`, `name => '`, `--name `.
pub(super) fn assigned_name(bytes: &[u8], start: usize) -> Option<String> {
    let name = String::from_utf8_lossy(&bytes[assigned_to(bytes, start)?]);
    let name = name.trim_matches(['-', '.']);
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    (has_letter && name.len() <= 80).then(|| name.to_owned())
}

/// Where that name stands, with joints at its ends.
pub(super) fn assigned_to(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let line_start = line_start(bytes, start);
    let before = bytes[line_start..start].trim_ascii_end();
    let before = trim_end(before, b"\"'`\\([{@rbuf");
    let before = strip_operator(before.trim_ascii_end())?;
    let before = trim_end(before.trim_ascii_end(), b"\"'`)]\\ \t");
    let name = name_before(before);
    // The user of a URL is no name for its password.
    (!before[..name.start].ends_with(b"://")).then(|| line_start + name.start..line_start + name.end)
}

/// Where the line of a place begins, if it is not too long; not farther away than [`LOOK_BACK`].
pub(super) fn line_start(bytes: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(LOOK_BACK);
    memchr::memrchr2(b'\n', b'\r', &bytes[from..at]).map_or(from, |newline| from + newline + 1)
}

/// The name that ends where the bytes do.
pub(super) fn name_before(bytes: &[u8]) -> Range<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes.iter().rev().take_while(|byte| is_name(byte)).count();
    bytes.len() - length..bytes.len()
}

/// Whether the bytes begin with a word, without case.
pub(super) fn starts_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word))
}

/// Whether the bytes end with a word, without case.
pub(super) fn ends_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes.len().checked_sub(word.len()).is_some_and(|at| bytes[at..].eq_ignore_ascii_case(word))
}

/// Without trailing bytes of the set; letters in it (string prefixes as in `r"…"`) only directly before a quote.
pub(super) fn trim_end<'a>(mut bytes: &'a [u8], set: &[u8]) -> &'a [u8] {
    let mut after_quote = false;
    while let Some((&last, rest)) = bytes.split_last() {
        if !set.contains(&last) || (last.is_ascii_alphabetic() && !after_quote) {
            break;
        }
        after_quote = matches!(last, b'"' | b'\'');
        bytes = rest;
    }
    bytes
}

fn strip_operator(before: &[u8]) -> Option<&[u8]> {
    const OPERATORS: &[&[u8]] = &[b"=>", b":=", b":-", b"->", b"==", b"?=", b"=", b":", b">", b","];
    OPERATORS.iter().find_map(|operator| before.strip_suffix(*operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_across_syntaxes() {
        for (line, name) in [
            ("DB_PASSWORD=@", Some("DB_PASSWORD")),
            ("  password: \"@", Some("password")),
            ("{\"api_key\": \"@", Some("api_key")),
            ("<token>@", Some("token")),
            ("'secret' => '@", Some("secret")),
            ("key := `@", Some("key")),
            ("auth = b\"@", Some("auth")),
            ("no operator @", None),
            ("url: https://user:@", None),
            ("@", None),
        ] {
            let start = line.find('@').unwrap();
            assert_eq!(assigned_name(line.as_bytes(), start).as_deref(), name, "{line}");
        }
    }
}
