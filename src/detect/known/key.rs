//! The key of an index, and what is hashed under it.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Table;

/// The shortest form that is looked for, in bytes.
pub const SHORTEST: usize = 8;
/// The longest, in bytes.
pub const LONGEST: usize = 8192;

/// Bits of a mark that come from the first eight bytes of a form, and from its last eight.
const HEAD_BITS: u32 = 20;
const TAIL_BITS: u32 = 12;

/// The first 16 bytes of the HMAC-SHA-256 of a form.
pub type Tag = [u8; 16];

/// Keys for one set of known values, all derived from one secret.
///
/// A *mark* is 32 bits of a form's first and last eight bytes, hashed quickly: whoever has the key and an opened index learns so much, and no
/// more, of a value beyond what guessing it whole tells. Weak values must not be in it.
#[derive(Clone)]
pub struct KnownKey {
    mac: Hmac<Sha256>,
    head: [u64; 2],
    tail: [u64; 2],
}

impl KnownKey {
    /// From 32 secret bytes that serve nothing else.
    pub fn new(secret: &[u8; 32]) -> Self {
        let expand = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            Hkdf::<Sha256>::new(None, secret)
                .expand(purpose, key.as_mut_slice())
                .expect("32 bytes are a valid HKDF-SHA-256 length");
            key
        };
        let quick = expand(b"marks");
        let word = |at: usize| u64::from_le_bytes(quick[at..at + 8].try_into().expect("eight bytes"));
        let mac = Hmac::new_from_slice(expand(b"tags").as_slice()).expect("HMAC takes a key of any length");
        // Odd factors lose nothing.
        Self { mac, head: [word(0), word(8) | 1], tail: [word(16), word(24) | 1] }
    }

    /// Compares a form with those of a table.
    pub(super) fn tag(&self, form: &[u8]) -> Tag {
        let mut mac = self.mac.clone();
        mac.update(form);
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        *bytes.first_chunk().expect("it has 32 bytes")
    }

    /// A hash of the first eight bytes, of [`HEAD_BITS`] bits.
    #[inline]
    pub(super) fn head(&self, first: u64) -> u32 {
        // The high bits of a product depend on all of its factors' bits once these are folded.
        let mixed = (first ^ self.head[0]).wrapping_mul(self.head[1]);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(self.head[1]);
        (mixed >> (64 - HEAD_BITS)) as u32
    }

    /// The mark of a form of at least [`SHORTEST`] bytes.
    pub(super) fn mark(&self, form: &[u8]) -> u32 {
        let first = u64::from_le_bytes(*form.first_chunk().expect("a form has eight bytes"));
        self.head(first) << TAIL_BITS | self.tail(form)
    }

    /// The part of the mark that comes from the last eight bytes.
    pub(super) fn tail(&self, form: &[u8]) -> u32 {
        let last = u64::from_le_bytes(*form.last_chunk().expect("a form has eight bytes"));
        let mixed = (last ^ self.tail[0]).wrapping_mul(self.tail[1]);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(self.tail[1]);
        (mixed >> (64 - TAIL_BITS)) as u32
    }

    /// Names a table without telling anything of it.
    pub fn name_of(&self, table: &Table) -> String {
        let mut hash = Sha256::new();
        for entry in table.entries() {
            hash.update(entry.tag);
            hash.update(entry.value.0.to_le_bytes());
            hash.update([entry.form as u8]);
        }
        let tag = self.tag(&hash.finalize());
        tag.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The two parts of a mark.
pub(super) fn head_of(mark: u32) -> u32 {
    mark >> TAIL_BITS
}

/// See [`head_of`].
pub(super) fn tail_of(mark: u32) -> u32 {
    mark & ((1 << TAIL_BITS) - 1)
}

impl fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownKey(..)")
    }
}
