//! Marks in a line that accept the secret in it: our own and those of the other scanners.

use std::{borrow::Cow, sync::LazyLock};

use aho_corasick::AhoCorasick;

const MARKS: &[&str] = &[
    "hekate:allow",
    "gitleaks:allow",
    "betterleaks:allow",
    "trufflehog:ignore",
    "kingfisher:ignore",
    "pragma: allowlist secret",
    "pragma: whitelist secret",
];

/// detect-secrets accepts the line after this one.
const NEXT_LINE_MARKS: &[&str] = &["pragma: allowlist nextline secret", "pragma: whitelist nextline secret"];

fn searcher(marks: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(marks).expect("a short list of plain words")
}

static SAME_LINE: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(MARKS));
static NEXT_LINE: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(NEXT_LINE_MARKS));

/// The text by which a match is accepted: its own lines, where the mark is in them, else with the line before that has it.
pub(super) fn marked<'a>(lines: &'a [u8], line_before: &[u8]) -> Option<Cow<'a, [u8]>> {
    if SAME_LINE.is_match(lines) {
        return Some(Cow::Borrowed(lines));
    }
    NEXT_LINE.is_match(line_before).then(|| Cow::Owned([line_before, b"\n", lines].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_every_scanner_count() {
        for mark in MARKS {
            let line = format!("key = x # {mark}");
            assert_eq!(marked(line.as_bytes(), b"").as_deref(), Some(line.as_bytes()), "{mark}");
            assert_eq!(marked(b"key = x", mark.as_bytes()), None, "{mark}");
        }
        let before = b"# pragma: allowlist nextline secret";
        let both = b"# pragma: allowlist nextline secret\nkey = x";
        assert_eq!(marked(b"key = x", before).as_deref(), Some(&both[..]));
    }
}
