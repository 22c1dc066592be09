//! Public halves of keys, so that they can be compared whatever they were written in.

use pkcs1::RsaPublicKeyRef;
use pkcs8::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Decode, asn1::AnyRef},
};

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
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point is its x and whether its y is odd: compressed and whole points compare.
    Ec {
        curve: &'static str,
        x: Vec<u8>,
        is_odd: bool,
    },
    Ed25519(Vec<u8>),
}

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
            x: number(x),
            is_odd,
        })
    }

    /// From a point, as SEC 1, section 2.3.3, writes it.
    pub(super) fn point(curve: &Curve, point: &[u8]) -> Option<Self> {
        let (form, rest) = point.split_first()?;
        match form {
            2 | 3 if rest.len() == curve.width => {
                Some(Self::Ec { curve: curve.name, x: number(rest), is_odd: form & 1 == 1 })
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

/// The curve that the parameters of an algorithm name.
pub(super) fn curve_of(parameters: Option<AnyRef<'_>>) -> Option<&'static Curve> {
    Curve::of(&parameters?.decode_as::<ObjectIdentifier>().ok()?)
}

fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}
