//! Marks in a line that accept the secret in it: our own and those of the other scanners.

use std::sync::LazyLock;

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

/// Whether one of the match's own lines, or the line before them, accepts it.
pub(super) fn is_marked(lines: &[u8], line_before: &[u8]) -> bool {
    SAME_LINE.is_match(lines) || NEXT_LINE.is_match(line_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_every_scanner_count() {
        for mark in MARKS {
            assert!(is_marked(format!("key = x # {mark}").as_bytes(), b""), "{mark}");
            assert!(!is_marked(b"key = x", mark.as_bytes()), "{mark}");
        }
        assert!(is_marked(b"key = x", b"# pragma: allowlist nextline secret"));
    }
}
