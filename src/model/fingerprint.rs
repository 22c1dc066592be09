//! Who a secret is, without saying what it is.

use std::{fmt, str::FromStr};

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Public fingerprints are made under this constant: the same everywhere, with no set-up, and guessable for weak values.
const PUBLIC_KEY: &[u8; 32] = b"hekate public fingerprint key v1";

/// An identity made by HMAC-SHA-256.
///
/// `p1:` and `k1:` name a secret (under the public constant, or a key derived from `HEKATE_KEY`); `l1:` names a place by its
/// path and its line with the secrets masked. Each is followed by 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    kind: Kind,
    digest: [u8; 32],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Keyed,
    Place,
    Public,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Keyed, Self::Place, Self::Public];

    fn prefix(self) -> &'static str {
        match self {
            Self::Keyed => "k1:",
            Self::Place => "l1:",
            Self::Public => "p1:",
        }
    }
}

/// What is kept of a line with every secret masked, until its path is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDigest([u8; 32]);

impl LineDigest {
    /// Of a line in which every secret is masked.
    pub fn of(masked_line: &[u8]) -> Self {
        Self(Sha256::digest(masked_line).into())
    }
}

impl Fingerprint {
    /// Identity of a place: its path and its line with every secret masked.
    pub fn of_place(path: &str, line: &LineDigest) -> Self {
        let mut mac = keyed_mac(PUBLIC_KEY);
        mac.update(b"place\0");
        mac.update(path.as_bytes());
        mac.update(b"\0");
        mac.update(&line.0);
        Self { kind: Kind::Place, digest: mac.finalize().into_bytes().into() }
    }

    /// Whether it was made under a key from `HEKATE_KEY`.
    pub fn is_keyed(&self) -> bool {
        self.kind == Kind::Keyed
    }

    /// Whether it names a place, not a secret.
    pub fn is_place(&self) -> bool {
        self.kind == Kind::Place
    }
}

fn keyed_mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.prefix())?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is no fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a fingerprint is p1:, k1: or l1: and 64 lower-case hexadecimal digits")]
pub struct ParseFingerprintError;

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
            .ok_or(ParseFingerprintError)?;
        let digits = &text[kind.prefix().len()..];
        Ok(Self { kind, digest: parse_hex(digits).ok_or(ParseFingerprintError)? })
    }
}

/// The bytes of 64 lower-case hexadecimal digits.
pub(crate) fn parse_hex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).expect("hexadecimal digits are ASCII");
        *byte = u8::from_str_radix(pair, 16).expect("two hexadecimal digits");
    }
    Some(bytes)
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The key that fingerprints are made under: the public constant, or one derived from `HEKATE_KEY`.
pub struct FingerprintKey {
    kind: Kind,
    key: Zeroizing<[u8; 32]>,
}

/// A `HEKATE_KEY` that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a hekate key is 64 hexadecimal digits (32 random bytes); make one with `openssl rand -hex 32`")]
pub struct KeyError;

/// The key for one purpose, from the user's `HEKATE_KEY`, given as 64 hexadecimal digits.
///
/// HKDF-SHA-256 gives each purpose its own key, so a fingerprint says nothing of the index or audit key.
///
/// # Errors
/// When the text is not 64 hexadecimal digits.
pub fn derived_key(text: &str, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let master = Zeroizing::new(parse_hex(&text.trim().to_ascii_lowercase()).ok_or(KeyError)?);
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, master.as_slice())
        .expand(purpose, key.as_mut_slice())
        .expect("32 bytes are a valid HKDF-SHA-256 length");
    Ok(key)
}

impl FingerprintKey {
    /// The public constant: stable in CI without set-up.
    pub fn public() -> Self {
        Self { kind: Kind::Public, key: Zeroizing::new(*PUBLIC_KEY) }
    }

    /// The fingerprint key of the user's `HEKATE_KEY`, given as 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the text is not 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Ok(Self { kind: Kind::Keyed, key: derived_key(text, b"hekate fingerprint v1")? })
    }

    /// Whether it comes from the user's own key.
    pub fn is_keyed(&self) -> bool {
        self.kind == Kind::Keyed
    }

    /// The identity of a secret. `canonical` is its canonical form, so that a PEM key in raw, escaped and base64 form is one.
    pub fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        let mut mac = keyed_mac(self.key.as_slice());
        mac.update(canonical);
        Fingerprint { kind: self.kind, digest: mac.finalize().into_bytes().into() }
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_keyed() { "FingerprintKey(keyed)" } else { "FingerprintKey(public)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_reads_back() {
        let print = FingerprintKey::public().fingerprint(b"value");
        assert_eq!(print.to_string().parse(), Ok(print));
        assert!(print.to_string().starts_with("p1:"));
    }

    #[test]
    fn keys_separate_fingerprints() {
        let one = FingerprintKey::from_hex(&"1".repeat(64)).unwrap();
        let two = FingerprintKey::from_hex(&"2".repeat(64)).unwrap();
        assert_ne!(one.fingerprint(b"value"), two.fingerprint(b"value"));
        assert!(one.fingerprint(b"value").to_string().starts_with("k1:"));
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in [
            "",
            "p1:",
            "p1:zz",
            "x1:00",
            &format!("p1:{}", "A".repeat(64)),
            &format!("k1:{}", "0".repeat(63)),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(ParseFingerprintError), "{text}");
        }
        assert_eq!(FingerprintKey::from_hex("abc").unwrap_err(), KeyError);
    }
}
