//! Public halves of keys, so that they can be compared whatever they were written in.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pkcs1::RsaPublicKeyRef;
use pkcs8::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{AnyRef, BitStringRef, Null, UintRef},
    },
    spki::AlgorithmIdentifierRef,
};
use sha2::{Digest, Sha256};

use super::pem;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Which family of keys an algorithm belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    Ec,
    Ed25519,
}

impl Family {
    pub(super) fn of(oid: &ObjectIdentifier) -> Option<Self> {
        [(RSA, Self::Rsa), (RSA_PSS, Self::Rsa), (EC, Self::Ec), (ED25519, Self::Ed25519)]
            .into_iter()
            .find_map(|(known, family)| (known == *oid).then_some(family))
    }
}

/// An elliptic curve: its name in a JWK (RFC 7518, RFC 8812), its identifier, and the bytes of a coordinate.
pub(super) struct Curve {
    pub(super) name: &'static str,
    oid: ObjectIdentifier,
    width: usize,
}

const CURVES: &[Curve] = &[
    Curve { name: "P-256", oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), width: 32 },
    Curve { name: "P-384", oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"), width: 48 },
    Curve { name: "P-521", oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"), width: 66 },
    Curve { name: "secp256k1", oid: ObjectIdentifier::new_unwrap("1.3.132.0.10"), width: 32 },
];

impl Curve {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.name == name)
    }

    pub(super) fn of(oid: &ObjectIdentifier) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.oid == *oid)
    }
}

/// What of a key everybody may know. Numbers are big-endian, without zeros before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicHalf {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ec { curve: &'static str, point: Point },
    Ed25519(Vec<u8>),
}

/// A point is its x and whether its y is odd: compressed and whole points compare.
#[derive(Debug, Clone)]
pub(super) struct Point {
    x: Vec<u8>,
    is_odd: bool,
    /// Of a whole point.
    y: Option<Vec<u8>>,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        (&self.x, self.is_odd) == (&other.x, other.is_odd)
    }
}

impl Eq for Point {}

impl PublicHalf {
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let (modulus, exponent) = (number(modulus), number(exponent));
        (!modulus.is_empty() && !exponent.is_empty()).then_some(Self::Rsa { modulus, exponent })
    }

    /// From coordinates, as a JWK has them.
    pub(super) fn ec(curve: &Curve, x: &[u8], y: &[u8]) -> Option<Self> {
        let is_odd = y.last()? & 1 == 1;
        (x.len() == curve.width && y.len() == curve.width).then(|| Self::Ec {
            curve: curve.name,
            point: Point { x: number(x), is_odd, y: Some(number(y)) },
        })
    }

    /// From a point, as SEC 1, section 2.3.3, writes it.
    pub(super) fn point(curve: &Curve, point: &[u8]) -> Option<Self> {
        let (form, rest) = point.split_first()?;
        match form {
            2 | 3 if rest.len() == curve.width => {
                let point = Point { x: number(rest), is_odd: form & 1 == 1, y: None };
                Some(Self::Ec { curve: curve.name, point })
            }
            4 if rest.len() == 2 * curve.width => {
                let (x, y) = rest.split_at(curve.width);
                Self::ec(curve, x, y)
            }
            _ => None,
        }
    }

    pub(super) fn ed25519(key: &[u8]) -> Option<Self> {
        (key.len() == 32).then(|| Self::Ed25519(key.to_vec()))
    }

    /// From PKCS#1.
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let key = RsaPublicKeyRef::from_der(der).ok()?;
        Self::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// From a SubjectPublicKeyInfo (RFC 5280), which is what certificates hold.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let key = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        let bits = key.subject_public_key.as_bytes()?;
        match Family::of(&key.algorithm.oid)? {
            Family::Rsa => Self::from_pkcs1(bits),
            Family::Ec => Self::point(curve_of(key.algorithm.parameters)?, bits),
            Family::Ed25519 => Self::ed25519(bits),
        }
    }
}

/// The public half of a key. Two are equal if they are of the same key, whatever they were read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) PublicHalf);

impl PublicKey {
    /// A public key in PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`), with line breaks, with `\n` for them or whole in base64; or its DER in base64.
    pub fn read(text: &[u8]) -> Option<Self> {
        let blocks = pem::blocks(text);
        let Some(block) = blocks.first() else {
            return PublicHalf::from_spki(pem::decode(text)?.expose()).map(Self);
        };
        let der = block.der.as_ref()?.expose();
        let half = match block.label.as_str() {
            "PUBLIC KEY" => PublicHalf::from_spki(der),
            "RSA PUBLIC KEY" => PublicHalf::from_pkcs1(der),
            _ => None,
        };
        half.map(Self)
    }

    /// Its thumbprint (RFC 7638) with SHA-256 in base64url, which many issuers take as `kid`; none of a point that was written compressed.
    pub fn thumbprint(&self) -> Option<String> {
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let members = match &self.0 {
            PublicHalf::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(exponent), text(modulus))
            }
            PublicHalf::Ec { curve, point } => {
                let width = Curve::named(curve)?.width;
                let (x, y) = (text(&padded(&point.x, width)), text(&padded(point.y.as_ref()?, width)));
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            PublicHalf::Ed25519(key) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(key)),
        };
        Some(text(&Sha256::digest(members)))
    }

    /// Its SubjectPublicKeyInfo (RFC 5280) in DER; none of a point that was written compressed.
    pub fn to_der(&self) -> Option<Vec<u8>> {
        match &self.0 {
            PublicHalf::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyRef {
                    modulus: UintRef::new(modulus).ok()?,
                    public_exponent: UintRef::new(exponent).ok()?,
                };
                spki(RSA, Some(Null.into()), &key.to_der().ok()?)
            }
            PublicHalf::Ec { curve, point } => {
                let curve = Curve::named(curve)?;
                let (x, y) = (padded(&point.x, curve.width), padded(point.y.as_ref()?, curve.width));
                spki(EC, Some((&curve.oid).into()), &[&[4], x.as_slice(), y.as_slice()].concat())
            }
            PublicHalf::Ed25519(key) => spki(ED25519, None, key),
        }
    }
}

fn spki(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    let subject_public_key = BitStringRef::from_bytes(key).ok()?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()
}

/// A number in its full width. It is never wider: coordinates are read by their width.
fn padded(number: &[u8], width: usize) -> Vec<u8> {
    [vec![0; width.saturating_sub(number.len())].as_slice(), number].concat()
}

/// The curve that the parameters of an algorithm name.
pub(super) fn curve_of(parameters: Option<AnyRef<'_>>) -> Option<&'static Curve> {
    Curve::of(&parameters?.decode_as::<ObjectIdentifier>().ok()?)
}

fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}
