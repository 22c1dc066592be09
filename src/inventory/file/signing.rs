//! How a signing key is followed by the next one.

use super::{
    Period,
    error::Fault,
    name,
    raw::{RawSigning, checked, parsed},
    words,
};

words! {
    /// What a key signs with (RFC 7518, section 3.1; RFC 8037).
    Algorithm {
        /// RSA PKCS #1 v1.5 with SHA-256.
        Rs256 = "RS256",
        /// The same with SHA-384.
        Rs384 = "RS384",
        /// The same with SHA-512.
        Rs512 = "RS512",
        /// RSA PSS with SHA-256.
        Ps256 = "PS256",
        /// The same with SHA-384.
        Ps384 = "PS384",
        /// The same with SHA-512.
        Ps512 = "PS512",
        /// ECDSA on P-256.
        Es256 = "ES256",
        /// ECDSA on P-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

impl Algorithm {
    /// Whether it takes RSA keys, whose length is a choice.
    pub fn is_rsa(self) -> bool {
        !matches!(self, Self::Es256 | Self::Es384 | Self::EdDsa)
    }
}

/// How a signing key is followed by the next one: both are accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Length of an RSA key.
    pub bits: Option<u32>,
    /// The name under which the next key stands beside it until it is promoted.
    pub next_name: String,
    /// The same for its public half.
    pub next_public_name: String,
    /// How long tokens live that the old key signed.
    pub grace: Period,
    /// Where the public halves are published.
    pub jwks_url: Option<String>,
}

/// RSA keys under 2,048 bits can be broken (NIST SP 800-131A); over 16,384 they take minutes to make.
const BITS: std::ops::RangeInclusive<u32> = 2_048..=16_384;

pub(super) fn signing(raw: RawSigning) -> Result<Signing, Fault> {
    let algorithm = raw.algorithm;
    let bits = match raw.bits {
        Some(bits) if !algorithm.is_rsa() => {
            return Err(Fault::at(&bits, format!("keys of {algorithm} have one length: leave `bits` out")));
        }
        Some(bits) if !BITS.contains(&bits.value) => {
            let message = format!("`bits` is from {} to {}", BITS.start(), BITS.end());
            return Err(Fault::at(&bits, message));
        }
        Some(bits) => Some(bits.value),
        None => algorithm.is_rsa().then_some(4_096),
    };
    if raw.next_name.value == raw.next_public_name.value {
        return Err(Fault::at(&raw.next_public_name, "the next key and its public half need two names"));
    }
    Ok(Signing {
        algorithm,
        bits,
        next_name: checked(raw.next_name, name::secret_name)?,
        next_public_name: checked(raw.next_public_name, name::secret_name)?,
        grace: parsed(&raw.grace)?,
        jwks_url: raw.jwks_url.map(|url| checked(url, name::address)).transpose()?,
    })
}
