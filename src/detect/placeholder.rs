//! Values that only stand in for a secret: placeholders, references, plain words.

use std::ops::Range;

use super::score;
use crate::rule::{Specificity, surprise};

/// Longer values hold such words by chance.
const LONGEST: usize = 400;

/// Whether the value at `secret` only stands in for a secret. Values of generic rules are weighed instead.
pub(super) fn is_ruled_out(bytes: &[u8], secret: &Range<usize>, specificity: Specificity) -> bool {
    let value = &bytes[secret.clone()];
    if value.len() > LONGEST {
        return false;
    }
    if score::is_filler(value) || score::holds_stand_in(value) {
        return true;
    }
    specificity <= Specificity::Provider
        && (score::is_reference(bytes, secret) || score::is_something_else(value))
}

/// Whether a value, whatever it is for, only stands in for a secret: filler, words such as `changeme`, `password123`, `<token>`.
pub fn is_placeholder(value: &[u8]) -> bool {
    value.len() <= LONGEST && score::is_placeholder(value)
}

/// Whether it is made of letters and joints only, and its letters follow each other as in ordinary text and identifiers.
pub fn reads_like_words(value: &[u8]) -> bool {
    /// Bits per window of four: random letters have 17 to 19, words and identifiers 12 to 16.
    const RANDOM: f32 = 16.5;
    let is_joint =
        |byte: u8| matches!(byte, b'_' | b'-' | b'.' | b' ' | b'/' | b':' | b',' | b'\'' | b'!' | b'?');
    if !value.iter().all(|byte| byte.is_ascii_alphabetic() || is_joint(*byte)) {
        return false;
    }
    surprise(value).is_none_or(|bits| bits < RANDOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruled_out(value: &str, specificity: Specificity) -> bool {
        is_ruled_out(value.as_bytes(), &(0..value.len()), specificity)
    }

    #[test]
    fn stand_ins_are_ruled_out_whatever_the_rule() {
        for value in [
            "xxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "your_api_key_goes",
            "1234567812345678",
            "abcdefghijklmnop",
            "00000000000000000000",
        ] {
            assert!(ruled_out(value, Specificity::Format), "{value}");
        }
    }

    #[test]
    fn references_and_words_are_ruled_out_for_values_known_by_what_is_around() {
        for value in [
            "${DB_PASSWORD}",
            "%NUGET_PASSWORD%",
            "__DB_PASSWORD__",
            "{{ .Values.password }}",
            "os.environ['X']",
            "application/json",
            "getAccessTokenSilently",
            "Enter your password",
            "op://vault/item/field",
            "secrets.GITHUB_TOKEN",
            "supersecret",
        ] {
            assert!(ruled_out(value, Specificity::Provider), "{value}");
        }
    }

    #[test]
    fn random_values_stay() {
        for value in ["kJ8#mQ2$vL9pXz", "xkqvzjwpqnrt", "9f86d081884c7d65", "Tr0ub4dor&3xyz"] {
            assert!(!ruled_out(value, Specificity::Provider), "{value}");
        }
    }
}
