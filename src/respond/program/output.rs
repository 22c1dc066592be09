//! What a program says: its last line, if that can be shown.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use memchr::memmem;
use zeroize::Zeroizing;

use crate::model::Secret;

/// So much is kept of the end of an output, in bytes.
pub(super) const KEPT: usize = 4 * 1024;
/// So much of a line is shown, in characters.
const SHOWN: usize = 200;
/// A line that has so many bytes in a row with a secret shows a part of it.
const GRAIN: usize = 8;

/// The last bytes of an output.
#[derive(Default)]
pub(super) struct Tail {
    bytes: Zeroizing<Vec<u8>>,
    /// There was more before it.
    is_cut: bool,
}

impl Tail {
    pub(super) fn new() -> Self {
        // With room for all of it, so that growing leaves no copy behind.
        Self { bytes: Zeroizing::new(Vec::with_capacity(2 * KEPT)), is_cut: false }
    }

    /// Takes at most [`KEPT`] bytes more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.is_cut |= over > 0;
        drop(self.bytes.drain(..over));
    }

    /// The last line that is not empty, in printable ASCII; none where it holds a part of a secret, or its start is not known.
    pub(super) fn line(&self, secrets: &[&Secret]) -> Option<String> {
        let text = self.bytes.trim_ascii_end();
        let start = memchr::memrchr2(b'\n', b'\r', text).map(|at| at + 1);
        let line = match start {
            Some(start) => text.get(start..)?,
            None if self.is_cut => return None,
            None => text,
        };
        if line.is_empty() || secrets.iter().any(|secret| is_told(line, secret)) {
            return None;
        }
        let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '?' };
        Some(line.trim_ascii().iter().take(SHOWN).map(shown).collect())
    }
}

/// Whether a line holds a secret, a part of it, or its base64 or hexadecimal form.
fn is_told(line: &[u8], secret: &Secret) -> bool {
    let hex = |upper: bool| {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
        let text: Zeroizing<String> = Zeroizing::new(
            secret.expose().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect(),
        );
        Zeroizing::new(if upper { text.to_ascii_uppercase() } else { text.to_string() })
    };
    let base64 = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(secret.expose()));
    holds_part(line, secret.expose())
        || [hex(false), hex(true), base64].iter().any(|form| holds_part(line, form.as_bytes()))
}

fn holds_part(line: &[u8], secret: &[u8]) -> bool {
    if secret.len() <= GRAIN {
        return !secret.is_empty() && memmem::find(line, secret).is_some();
    }
    line.windows(GRAIN).any(|window| memmem::find(secret, window).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &[u8], secrets: &[&Secret]) -> Option<String> {
        let mut tail = Tail::new();
        tail.push(text);
        tail.line(secrets)
    }

    #[test]
    fn the_last_line_is_shown_in_printable_ascii() {
        assert_eq!(line(b"first\nsecond\n\n", &[]).as_deref(), Some("second"));
        assert_eq!(line("\u{1b}[31mrouge é".as_bytes(), &[]).as_deref(), Some("?[31mrouge ??"));
        assert_eq!(line(b"10%\r20%", &[]).as_deref(), Some("20%"));
        assert_eq!(line(b"", &[]), None);
        assert_eq!(line(b" \n\n", &[]), None);
        assert_eq!(line("a".repeat(500).as_bytes(), &[]).map(|line| line.len()), Some(SHOWN));
    }

    #[test]
    fn a_line_with_a_part_of_a_secret_is_not_shown() {
        let secret = Secret::new("correct-horse-battery");
        let base64 = BASE64_STANDARD_NO_PAD.encode("correct-horse-battery");
        for told in [
            "set to correct-horse-battery",
            "ct-horse",
            &format!("x{base64}="),
            "636f72726563742d686f727365",
            "2D686F7273652D62",
        ] {
            assert_eq!(line(told.as_bytes(), &[&secret]), None, "{told}");
        }
        assert!(line(b"correct battery", &[&secret]).is_some());
        assert_eq!(line(b"it is abc now", &[&Secret::new("abc")]), None);
        assert!(line(b"anything", &[&Secret::new("")]).is_some());
    }

    #[test]
    fn only_the_end_of_a_long_output_is_kept() {
        let mut tail = Tail::new();
        for _ in 0..100 {
            tail.push(&[b'a'; KEPT]);
        }
        assert_eq!(tail.bytes.len(), KEPT);
        // Whether a secret stood before it in the same line, nobody knows.
        assert_eq!(tail.line(&[]), None);
        tail.push(b"\nend\n");
        assert_eq!(tail.line(&[]).as_deref(), Some("end"));
    }
}
