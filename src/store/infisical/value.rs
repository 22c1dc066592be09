//! What the manager makes of a value.

use crate::model::Secret;

/// A value as the manager stores it, which trims white space from both ends and leaves one line feed where the last character is one. What is compared
/// with its values is compared in this form. A value that is not UTF-8 is as it was; the manager can't hold it.
pub fn as_stored(value: &Secret) -> Secret {
    let Ok(text) = str::from_utf8(value.expose()) else { return value.clone() };
    let trimmed = text.trim_matches(is_white_space);
    let mut stored = Vec::with_capacity(trimmed.len() + 1);
    stored.extend_from_slice(trimmed.as_bytes());
    if text.ends_with('\n') {
        stored.push(b'\n');
    }
    Secret::new(stored)
}

/// What JavaScript's `trim` takes away: [ECMAScript's](https://tc39.es/ecma262/#sec-white-space) white space and line terminators. Against Rust's, it
/// has the byte order mark and lacks NEL.
fn is_white_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_goes_and_one_line_feed_stays() {
        for (value, stored) in [
            ("  padded value \n\n", "padded value\n"),
            ("a\n", "a\n"),
            ("a\n ", "a"),
            ("\n", "\n"),
            (" \t", ""),
            ("\u{feff}a\u{a0}\u{2028}", "a"),
            ("\u{85}a", "\u{85}a"),
            ("a\r\n", "a\n"),
            ("a b", "a b"),
        ] {
            assert_eq!(as_stored(&Secret::new(value)).expose(), stored.as_bytes(), "{value:?}");
        }
        assert_eq!(as_stored(&Secret::new(b" \xff ")).expose(), b" \xff ");
    }
}
