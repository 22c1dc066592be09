//! The public keys that are in use: a JWKS, or certificates.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

use super::{
    pem,
    public::{Curve, PublicHalf, PublicKey},
};

/// No document of public keys is longer, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Why a document lists no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListedError {
    /// More than any issuer has.
    #[error("the document of public keys is longer than {LONGEST} bytes")]
    TooLong,
    /// It is no JWKS.
    #[error("the document is no JWKS: JSON with a list named keys")]
    NoJwks,
    /// It is no certificate or public key.
    #[error("the document is no certificate or public key in PEM, and no certificate in DER")]
    NoCertificate,
    /// Without one nothing can be said to be absent.
    #[error("the document lists no public key of a kind that can be compared (RSA, EC, Ed25519)")]
    Empty,
}

/// Public keys that are in use.
#[derive(Debug, Clone)]
pub struct Listed {
    keys: Vec<PublicHalf>,
    kids: Vec<String>,
    /// Some could not be read, so that no key is known to be absent.
    has_unread: bool,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

/// A key of a JWKS, as far as it matters (RFC 7517, RFC 7518, RFC 8037).
#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Listed {
    /// The keys of a JWKS document.
    ///
    /// # Errors
    /// It is too long, no JWKS, or without a key that can be compared.
    pub fn jwks(document: &[u8]) -> Result<Self, ListedError> {
        within_cap(document)?;
        let jwks: Jwks = serde_json::from_slice(document).map_err(|_| ListedError::NoJwks)?;
        let kids = jwks.keys.iter().filter_map(|key| key.kid.clone()).collect();
        Self::new(jwks.keys.iter().map(Jwk::public_half).collect(), kids)
    }

    /// The keys of certificates or of bare public keys, in PEM, or of one certificate in DER.
    ///
    /// # Errors
    /// It is too long, nothing of the kind, or without a key that can be compared.
    pub fn certificates(document: &[u8]) -> Result<Self, ListedError> {
        within_cap(document)?;
        let blocks = pem::blocks(document);
        if blocks.is_empty() {
            let certificate = Certificate::from_der(document).map_err(|_| ListedError::NoCertificate)?;
            return Self::new(vec![of_certificate(&certificate)], Vec::new());
        }
        Self::new(blocks.iter().map(of_block).collect(), Vec::new())
    }

    fn new(found: Vec<Option<PublicHalf>>, kids: Vec<String>) -> Result<Self, ListedError> {
        let has_unread = found.contains(&None);
        let keys: Vec<PublicHalf> = found.into_iter().flatten().collect();
        if keys.is_empty() { Err(ListedError::Empty) } else { Ok(Self { keys, kids, has_unread }) }
    }

    /// Whether a key is listed; nothing where that can't be said, as some that are listed can't be read.
    pub fn lists(&self, key: &PublicKey) -> Option<bool> {
        self.holds(&key.0)
    }

    /// Whether a key is listed; nothing where that can't be said.
    pub(super) fn holds(&self, key: &PublicHalf) -> Option<bool> {
        match self.keys.contains(key) {
            false if self.has_unread => None,
            known => Some(known),
        }
    }

    /// Whether a key of this name is listed, or none has a name.
    pub(super) fn has_kid(&self, kid: &str) -> bool {
        self.kids.is_empty() || self.kids.iter().any(|known| known == kid)
    }
}

fn within_cap(document: &[u8]) -> Result<(), ListedError> {
    if document.len() > LONGEST { Err(ListedError::TooLong) } else { Ok(()) }
}

fn of_block(block: &pem::Block) -> Option<PublicHalf> {
    let der = block.der.as_ref()?.expose();
    match block.label.as_str() {
        "CERTIFICATE" => of_certificate(&Certificate::from_der(der).ok()?),
        "PUBLIC KEY" => PublicHalf::from_spki(der),
        "RSA PUBLIC KEY" => PublicHalf::from_pkcs1(der),
        _ => None,
    }
}

fn of_certificate(certificate: &Certificate) -> Option<PublicHalf> {
    PublicHalf::from_spki(&certificate.tbs_certificate().subject_public_key_info().to_der().ok()?)
}

impl Jwk {
    fn public_half(&self) -> Option<PublicHalf> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicHalf::rsa(&bytes(self.n.as_ref())?, &bytes(self.e.as_ref())?),
            ("EC", Some(curve)) => {
                PublicHalf::ec(Curve::named(curve)?, &bytes(self.x.as_ref())?, &bytes(self.y.as_ref())?)
            }
            ("OKP", Some("Ed25519")) => PublicHalf::ed25519(&bytes(self.x.as_ref())?),
            _ => None,
        }
    }
}

fn bytes(text: Option<&String>) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()
}
