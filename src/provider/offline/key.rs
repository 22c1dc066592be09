//! Private keys: whether their public half is in use.
//!
//! Read are PKCS#8, PKCS#1 and SEC 1, in PEM, in PEM with escaped line breaks, and in base64 of either; rotation-api.md, JWT_SIGNING_KEY.

use pkcs1::RsaPrivateKeyRef;
use pkcs8::{
    PrivateKeyInfoRef,
    der::{Decode, asn1::AnyRef},
};
use rustls::{
    crypto::ring::sign::{any_ecdsa_type, any_eddsa_type, any_supported_type},
    pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer},
};
use sec1::EcPrivateKey;

use super::{
    Listed, pem,
    public::{Curve, Family, PublicHalf, PublicKey, curve_of},
};
use crate::{
    model::{Secret, Verdict},
    provider::Outcome,
};

#[cfg(test)]
mod tests;

/// No private key is longer, in bytes; RSA of 16,384 bits has 18,000 in base64 of PEM.
const LONGEST: usize = 64 * 1024;
/// The sizes of RSA whose parts the provider of TLS can check against each other, in bytes of the modulus.
const CHECKED_RSA: [usize; 3] = [256, 384, 512];
const CHECKED_CURVES: [&str; 2] = ["P-256", "P-384"];

type Parsed = Result<PublicHalf, &'static str>;

const MALFORMED: &str = "it is no private key that can be read";
const ENCRYPTED: &str = "the key is encrypted, and its passphrase is not at hand";
const MISMATCHED: &str = "the parts of the key don't belong together";
const NO_PUBLIC_HALF: &str = "the key does not hold its public half";
const UNSUPPORTED: &str = "it is a key of a kind that can't be compared; RSA, EC and Ed25519 can";

/// Whether a private key's public half is listed: then it is active, else retired.
pub fn check(secret: &Secret, listed: &Listed) -> Outcome {
    match public_half(secret) {
        Ok(half) => match listed.holds(&half) {
            Some(true) => Outcome::of(Verdict::Active).with_detail("its public half is listed"),
            Some(false) => Outcome::of(Verdict::Retired).with_detail("its public half is not listed"),
            None => Outcome::unknown("its public half is not among those listed that can be read"),
        },
        Err(why) => Outcome::unknown(why),
    }
}

/// The public half of a private key.
///
/// # Errors
/// Why there is none: it is no private key, or encrypted, or of a kind that can't be read, or its parts don't belong together.
pub fn public_of(secret: &Secret) -> Result<PublicKey, &'static str> {
    public_half(secret).map(PublicKey)
}

fn public_half(secret: &Secret) -> Parsed {
    if secret.len() > LONGEST {
        return Err("it is longer than any private key");
    }
    let blocks = pem::blocks(secret.expose());
    // EC keys often come with their parameters in a block before.
    if let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
        return from_block(block);
    }
    match pem::decode(secret.expose()) {
        Some(der) if blocks.is_empty() => from_der(der.expose()),
        _ => Err(MALFORMED),
    }
}

fn from_block(block: &pem::Block) -> Parsed {
    if block.is_encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
        return Err(ENCRYPTED);
    }
    let der = block.der.as_ref().ok_or(MALFORMED)?.expose();
    match block.label.as_str() {
        "PRIVATE KEY" => from_pkcs8(der),
        "RSA PRIVATE KEY" => from_pkcs1(der),
        "EC PRIVATE KEY" => from_sec1(der, None),
        _ => Err(UNSUPPORTED),
    }
}

/// By trying, where nothing says what it is.
fn from_der(der: &[u8]) -> Parsed {
    if PrivateKeyInfoRef::from_der(der).is_ok() {
        from_pkcs8(der)
    } else if EcPrivateKey::from_der(der).is_ok() {
        from_sec1(der, None)
    } else {
        from_pkcs1(der)
    }
}

fn from_pkcs8(der: &[u8]) -> Parsed {
    let key = PrivateKeyInfoRef::from_der(der).map_err(|_| MALFORMED)?;
    match Family::of(&key.algorithm.oid) {
        Some(Family::Rsa) => from_pkcs1(key.private_key.as_bytes()),
        Some(Family::Ec) => from_sec1(key.private_key.as_bytes(), key.algorithm.parameters),
        Some(Family::Ed25519) => from_ed25519(der),
        None => Err(UNSUPPORTED),
    }
}

fn from_pkcs1(der: &[u8]) -> Parsed {
    let key = RsaPrivateKeyRef::from_der(der).map_err(|_| MALFORMED)?;
    let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let can_be_checked = CHECKED_RSA.contains(&modulus.len()) && exponent == [1, 0, 1];
    // A public half is no secret: who has only that could make a "key" of it that looks live.
    if can_be_checked && any_supported_type(&PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der))).is_err() {
        return Err(MISMATCHED);
    }
    PublicHalf::rsa(modulus, exponent).ok_or(MALFORMED)
}

/// SEC 1 in a block of its own names its curve itself; in PKCS#8 the algorithm does.
fn from_sec1(der: &[u8], parameters: Option<AnyRef<'_>>) -> Parsed {
    let key = EcPrivateKey::from_der(der).map_err(|_| MALFORMED)?;
    let named_inside = key.parameters.and_then(sec1::EcParameters::named_curve);
    let curve = curve_of(parameters).or_else(|| Curve::of(&named_inside?)).ok_or(UNSUPPORTED)?;
    let point = key.public_key.ok_or(NO_PUBLIC_HALF)?;
    let is_whole = point.first() == Some(&4);
    if is_whole && CHECKED_CURVES.contains(&curve.name) {
        any_ecdsa_type(&PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der))).map_err(|_| MISMATCHED)?;
    }
    PublicHalf::point(curve, point).ok_or(MALFORMED)
}

fn from_ed25519(der: &[u8]) -> Parsed {
    let key = any_eddsa_type(&PrivatePkcs8KeyDer::from(der)).map_err(|_| MALFORMED)?;
    let spki = key.public_key().ok_or(NO_PUBLIC_HALF)?;
    PublicHalf::from_spki(spki.as_ref()).ok_or(MALFORMED)
}
