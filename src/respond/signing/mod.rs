//! Key pairs that tokens are signed with: made in memory, in the form of the key that they follow.
//!
//! [`make`] gives a pair, [`public_of`] the public half of any private key that stands in a manager, [`published`] says whether a JWKS lists
//! it. Nothing here is written to a file, and nothing is signed.

mod form;
mod make;
mod published;

pub use make::{KeyPair, make};
pub use published::published;

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

/// Whether these are the two halves of one key.
///
/// # Errors
/// That one of them can't be read.
pub fn same_pair(private: &Secret, public: &str) -> Result<bool, SigningError> {
    let public = PublicKey::read(public.as_bytes()).ok_or(SigningError::Public)?;
    Ok(public_of(private)? == public)
}

/// The public half of a private key, in the form of that: what stands beside it in the manager.
///
/// # Errors
/// A key that can't be read.
pub fn public_like(private: &Secret) -> Result<Secret, SigningError> {
    let der = public_of(private)?.to_der().ok_or(SigningError::Public)?;
    let text = form::Form::of(private)?.public(&der);
    text.map(Secret::new).map_err(|_| SigningError::Public)
}
