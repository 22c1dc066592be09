//! Key pairs that tokens are signed with: made in memory, in the form of the key that they follow.
//!
//! [`make()`] gives a pair, [`public_of`] and [`public_like`] the public half of any private key that stands in a manager, [`published()`] says whether a JWKS lists
//! it. Nothing here is written to a file, and nothing is signed.

mod form;
mod make;
mod published;

pub use make::{KeyPair, make};
pub use published::published;

use self::form::Form;
use crate::{
    model::Secret,
    provider::offline::{PublicKey, key},
};

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The operating system's random numbers, or the arithmetic on them.
    #[error("a key of {algorithm} can't be made: {why}")]
    NotMade {
        /// For which algorithm.
        algorithm: &'static str,
        /// What was said.
        why: String,
    },
    /// The one that is there can't be followed in its form.
    #[error(
        "the key that is to be followed is encrypted; store it without a passphrase, or rotate it by hand"
    )]
    Encrypted,
    /// What should be a private key is none, or none that can be read.
    #[error("the private key can't be read: {0}")]
    Private(&'static str),
    /// The same of a public key.
    #[error("the public key can't be read: it is no public key in PEM or DER of RSA, EC or Ed25519")]
    Public,
}

/// The public half of a private key, in any of the forms in which keys stand in managers.
///
/// # Errors
/// [`SigningError::Private`].
pub fn public_of(private: &Secret) -> Result<PublicKey, SigningError> {
    key::public_of(private).map_err(SigningError::Private)
}

/// The public half of a private key as a SubjectPublicKeyInfo, in the private half's own outer form.
///
/// # Errors
/// That the private key can't be read, or is encrypted.
pub fn public_like(private: &Secret) -> Result<Secret, SigningError> {
    let der = public_of(private)?.to_der().ok_or(SigningError::Public)?;
    Form::of(private)?.public(&der).ok_or(SigningError::Public)
}

/// Whether these are the two halves of one key.
///
/// # Errors
/// That one of them can't be read.
pub fn same_pair(private: &Secret, public: &Secret) -> Result<bool, SigningError> {
    let public = PublicKey::read(public.expose()).ok_or(SigningError::Public)?;
    Ok(public_of(private)? == public)
}
