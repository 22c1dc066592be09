//! Lines of JSON that say what they are by a MAC of their own bytes.

use std::{fmt, str::FromStr};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::parse_hex;

/// What stands before a MAC in a line, and after it.
const BEFORE: &str = r#","mac":""#;
const AFTER: &str = "\"}";
const DIGITS: usize = 64;

/// The key that an audit log is chained with: wiped when dropped, never shown.
pub struct AuditKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

/// What a line is, so that none passes for one of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Entry,
    Head,
    Start,
    KeyId,
}

impl Purpose {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Entry => b"hekate audit entry v1\0",
            Self::Head => b"hekate audit head v1\0",
            Self::Start => b"hekate audit start v1\0",
            Self::KeyId => b"hekate audit key id v1\0",
        }
    }
}

impl AuditKey {
    /// What [`crate::model::derived_key`] makes the key from.
    pub const PURPOSE: &[u8] = b"hekate audit v1";

    /// A key from [`crate::model::derived_key`] with [`AuditKey::PURPOSE`].
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn mac(&self, purpose: Purpose, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        mac.update(purpose.word());
        mac.update(bytes);
        mac
    }

    /// What the first entry follows.
    pub(super) fn start(&self) -> Digest {
        Digest(self.mac(Purpose::Start, b"").finalize().into_bytes().into())
    }

    /// Tells keys from each other, and says nothing of them.
    pub(super) fn id(&self) -> String {
        Digest(self.mac(Purpose::KeyId, b"").finalize().into_bytes().into()).to_string()[..16].to_owned()
    }

    /// A JSON object with its MAC as the last member.
    pub(super) fn seal(&self, purpose: Purpose, object: &str) -> (String, Digest) {
        let body = object.strip_suffix('}').expect("an object ends with a brace");
        let digest = Digest(self.mac(purpose, body.as_bytes()).finalize().into_bytes().into());
        (format!("{body}{BEFORE}{digest}{AFTER}"), digest)
    }

    /// Whether a sealed line is as it was written, byte for byte; the time does not tell how far it is right.
    pub(super) fn is_authentic(&self, purpose: Purpose, line: &Sealed<'_>) -> bool {
        self.mac(purpose, line.body.as_bytes()).verify_slice(&line.digest.0).is_ok()
    }
}

/// A line that has the form of a sealed one.
pub(super) struct Sealed<'a> {
    body: &'a str,
    pub(super) digest: Digest,
}

impl<'a> Sealed<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let rest = line.strip_suffix(AFTER)?;
        let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        Some(Self { body: rest.strip_suffix(BEFORE)?, digest: Digest(parse_hex(digits)?) })
    }
}

/// The MAC of a line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        parse_hex(text).map(Self).ok_or(())
    }
}

/// How far the log is: how many entries it has, and what the last one's MAC is. Written `COUNT:HEAD`; it tells nothing of the entries or the
/// key, and goes out with notifications.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// Entries.
    pub count: u64,
    pub(super) head: Digest,
}

impl Receipt {
    /// The last entry's MAC, 64 hexadecimal digits.
    pub fn head(&self) -> String {
        self.head.to_string()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.head)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write COUNT:HEAD as the notification has it: a number, a colon, and 64 hexadecimal digits")]
pub struct ReceiptError;

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let (count, head) = text.trim().split_once(':').ok_or(ReceiptError)?;
        let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|_| is_number).ok_or(ReceiptError)?;
        let head = head.to_ascii_lowercase().parse().map_err(|()| ReceiptError)?;
        Ok(Self { count, head })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_is_authentic_until_a_byte_of_it_changes() {
        let key = AuditKey::new([7; 32]);
        let (line, digest) = key.seal(Purpose::Entry, r#"{"a":1}"#);
        let is_authentic = |key: &AuditKey, purpose, line: &[u8]| {
            Sealed::parse(line).is_some_and(|line| key.is_authentic(purpose, &line))
        };
        assert!(is_authentic(&key, Purpose::Entry, line.as_bytes()));
        assert_eq!(Sealed::parse(line.as_bytes()).unwrap().digest, digest);
        assert!(!is_authentic(&key, Purpose::Head, line.as_bytes()));
        assert!(!is_authentic(&AuditKey::new([8; 32]), Purpose::Entry, line.as_bytes()));
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut changed = line.clone().into_bytes();
                changed[at] ^= 1 << bit;
                assert!(!is_authentic(&key, Purpose::Entry, &changed), "{at} {bit}");
            }
        }
    }

    #[test]
    fn receipts_read_back_and_nothing_else_is_one() {
        let receipt = Receipt { count: 12, head: AuditKey::new([1; 32]).start() };
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
        let head = receipt.head();
        for text in [
            String::new(),
            "12".into(),
            format!(":{head}"),
            format!("+1:{head}"),
            format!("1:{}", &head[1..]),
        ] {
            assert_eq!(text.parse::<Receipt>(), Err(ReceiptError), "{text}");
        }
    }
}
