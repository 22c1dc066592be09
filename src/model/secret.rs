//! The one type that holds a secret's clear text.

use std::{cmp::Ordering, fmt};

use zeroize::Zeroizing;

/// A secret value, as bytes. It is wiped when dropped and prints as `[secret]`.
///
/// It has no `Display`, no `Serialize` and no way to its bytes but [`Secret::expose`], so that every use can be found with grep.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Secret {
    fn cmp(&self, other: &Self) -> Ordering {
        self.expose().cmp(other.expose())
    }
}

impl Secret {
    /// Takes the bytes over; the caller's copy is the one that is wiped later.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The clear text. Never pass it to a log, an error or a command line.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in characters, where bytes that are no UTF-8 count one each.
    pub fn characters(&self) -> usize {
        self.0.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
    }

    /// What may be shown: at most the first four characters, at most a sixth of it, and nothing of a value under 16 bytes
    /// or of several lines; then asterisks that don't tell the length.
    pub fn redacted(&self) -> String {
        const STARS: &str = "********";
        let shown = if self.len() < 16 { 0 } else { (self.len() / 6).min(4) };
        let head = self.0.get(..shown).unwrap_or_default();
        if self.0.starts_with(b"-----BEGIN ") {
            return format!("-----BEGIN {STARS}");
        }
        if head.iter().all(|byte| byte.is_ascii_graphic()) {
            format!("{}{STARS}", String::from_utf8_lossy(head))
        } else {
            STARS.to_owned()
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2hunter2")), "[secret]");
    }

    #[test]
    fn redaction_shows_at_most_four_characters_of_long_values_and_none_of_short_ones() {
        assert_eq!(Secret::new("ghp_0123456789012345678901234567").redacted(), "ghp_********");
        assert_eq!(Secret::new("correct-horse").redacted(), "********");
        assert_eq!(Secret::new("\u{1b}[31mAAAAAAAAAAAAAAAAAAAAAAA").redacted(), "********");
    }
}
