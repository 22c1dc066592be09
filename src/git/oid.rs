//! Object ids.

use std::fmt;

use sha2::Digest;

/// How a repository names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashKind {
    /// 20 bytes.
    #[default]
    Sha1,
    /// 32 bytes (`extensions.objectFormat = sha256`).
    Sha256,
}

impl HashKind {
    /// Length of an id, in bytes.
    pub fn id_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The id of these bytes, given in pieces.
    pub fn digest(self, pieces: &[&[u8]]) -> Oid {
        fn of<D: Digest>(pieces: &[&[u8]]) -> Oid {
            let mut digest = D::new();
            pieces.iter().for_each(|piece| digest.update(piece));
            Oid::from_bytes(&digest.finalize()).expect("digests have the length of ids")
        }
        match self {
            Self::Sha1 => of::<sha1::Sha1>(pieces),
            Self::Sha256 => of::<sha2::Sha256>(pieces),
        }
    }

    /// The id that stands for no object.
    pub fn null(self) -> Oid {
        Oid { bytes: [0; 32], len: self.id_len() as u8 }
    }
}

/// What each byte is as a hex digit; those that are none are 16 and more.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        digits[digit as usize] = value as u8;
        digits[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Name of an object, of either kind of hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    /// Zeros behind `len`.
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// From raw bytes; `None` unless there are 20 or 32.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let len = u8::try_from(raw.len()).ok().filter(|len| matches!(len, 20 | 32))?;
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, len })
    }

    /// From 40 or 64 hex digits.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let len = u8::try_from(text.len() / 2).ok().filter(|len| matches!(len, 20 | 32))?;
        let (pairs, []) = text.as_chunks::<2>() else { return None };
        let mut bytes = [0; 32];
        let mut all = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
            *byte = high << 4 | low & 15;
            all |= high | low;
        }
        (all < 16).then_some(Self { bytes, len })
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether it stands for no object.
    pub fn is_null(&self) -> bool {
        self.bytes == [0; 32]
    }

    /// The first 12 hex digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_kinds_are_read_and_written() {
        for text in ["a".repeat(40), "0b".repeat(32)] {
            assert_eq!(Oid::from_hex(text.as_bytes()).unwrap().to_string(), text);
        }
        for text in ["a".repeat(39), "a".repeat(41), "g".repeat(40), "é".repeat(20), String::new()] {
            assert_eq!(Oid::from_hex(text.as_bytes()), None, "{text}");
        }
        assert!(HashKind::Sha256.null().is_null());
    }
}
