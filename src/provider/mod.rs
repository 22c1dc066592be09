//! What each service is asked about a secret, and what its answer means.
//!
//! A [`Credential`] comes in, [`crate::net::Request`]s go out; an [`crate::net::Answer`] comes in, an [`Outcome`] goes out. Nothing is
//! sent from here, and no finding, report or scanned file is known. Checks are data, `checks.toml`; what can't be data is a pure
//! function in `computed/`. A secret goes to an origin of its check or to one that trusted config names for its provider, and to
//! no other: what stood beside a secret never says where.

mod check;
mod computed;
mod credential;
mod fields;
mod hosts;
pub mod login;
pub mod offline;
mod outcome;
mod reading;
pub mod revoke;
mod table;

pub use check::{Check, Occasion};
pub(crate) use computed::aws::minio_admin;
pub use credential::{Credential, Role};
pub use hosts::{HostError, TrustedHosts};
pub use outcome::Outcome;
pub use table::{check_of, checks, nearest, providers};
