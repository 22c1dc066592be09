//! Checks that ask nobody: what a token says of itself, and whether a private key belongs to a public half that is in use.
//!
//! Bytes and the time come in, an [`Outcome`](super::Outcome) goes out. Where a JWKS or a certificate comes from is the caller's matter.

pub mod jwt;
pub mod key;
mod listed;
pub(crate) mod pem;
mod public;

pub use listed::{Listed, ListedError};
pub use public::PublicKey;
