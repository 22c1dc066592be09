//! Making key pairs.

use getrandom::SysRng;
use pkcs8::{
    EncodePrivateKey, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
    der::{Decode, asn1::OctetStringRef},
    spki::AlgorithmIdentifierRef,
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    },
};
use rsa::PrivateKey;
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::{SigningError, form::Form, public_like};
use crate::{
    inventory::{Algorithm, Signing},
    model::Secret,
};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Where the inventory names no length: that of the platform's keys.
const USUAL_BITS: u32 = 4_096;

/// A key pair, both halves in the form of the key that it follows.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The half that signs.
    pub private: Secret,
    /// The half that everybody may know: a SubjectPublicKeyInfo. It goes the way of values, and is one.
    pub public: Secret,
}

/// Makes a key pair, with random numbers of the operating system. `like` is the key that it follows: PEM, PEM with `\n` for line breaks,
/// the base64 of PEM or of DER; PKCS#8, PKCS#1 or SEC 1. Where it is no key, the pair comes as the base64 of PKCS#8 in PEM, in one line.
///
/// # Errors
/// It can't be made, or the key before is encrypted.
pub fn make(signing: &Signing, like: &Secret) -> Result<KeyPair, SigningError> {
    let form = Form::of(like)?;
    let failed = |why: String| SigningError::NotMade { algorithm: signing.algorithm.as_str(), why };
    let pkcs8 = match signing.algorithm {
        Algorithm::Es256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDsa => ed25519(),
        _ => rsa(signing.bits.unwrap_or(USUAL_BITS)),
    };
    let pkcs8 = pkcs8.map_err(failed)?;
    let encoded = if form.is_traditional { traditional(&pkcs8) } else { None };
    let (label, der) = encoded.unwrap_or(("PRIVATE KEY", pkcs8));
    let private = form.private(label, &der).map_err(|error| failed(error.to_string()))?;
    // Read back: what is given out is known to be readable, and the halves to belong together.
    let public = public_like(&private)?;
    Ok(KeyPair { private, public })
}

type Made = Result<SecretDocument, String>;

fn rsa(bits: u32) -> Made {
    let key = PrivateKey::new(&mut SysRng, bits as usize).map_err(|error| error.to_string())?;
    key.to_pkcs8_der().map_err(|error| error.to_string())
}

/// ring gives its document no way to be wiped; this copy of it is.
fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> Made {
    let document =
        EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).map_err(|error| error.to_string())?;
    SecretDocument::try_from(document.as_ref()).map_err(|error| error.to_string())
}

/// By hand, for ring writes a newer version of PKCS#8 (RFC 5958) that OpenSSL 1 does not read.
fn ed25519() -> Made {
    /// An OCTET STRING of 32 bytes, in DER (RFC 8410, section 7).
    const HEAD: [u8; 2] = [4, 32];
    let mut seed = Zeroizing::new([0; 34]);
    seed[..2].copy_from_slice(&HEAD);
    getrandom::fill(&mut seed[2..]).map_err(|error| error.to_string())?;
    let algorithm = AlgorithmIdentifierRef { oid: ED25519, parameters: None };
    let seed = <&OctetStringRef>::try_from(seed.as_slice()).map_err(|error| error.to_string())?;
    SecretDocument::try_from(PrivateKeyInfoRef::new(algorithm, seed)).map_err(|error| error.to_string())
}

/// The same key as PKCS#1 or SEC 1, with its label, where there is such a form of it.
fn traditional(pkcs8: &SecretDocument) -> Option<(&'static str, SecretDocument)> {
    let key = PrivateKeyInfoRef::from_der(pkcs8.as_bytes()).ok()?;
    let inner = key.private_key.as_bytes();
    if let Ok(key) = EcPrivateKey::from_der(inner) {
        let curve = PrivateKeyInfoRef::from_der(pkcs8.as_bytes()).ok()?.algorithm.parameters_oid().ok()?;
        let named = EcPrivateKey { parameters: Some(EcParameters::NamedCurve(curve)), ..key };
        return Some(("EC PRIVATE KEY", SecretDocument::encode_msg(&named).ok()?));
    }
    pkcs1::RsaPrivateKeyRef::from_der(inner).ok()?;
    Some(("RSA PRIVATE KEY", SecretDocument::try_from(inner).ok()?))
}
