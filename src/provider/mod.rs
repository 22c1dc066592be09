//! What each service is asked about a secret, and what its answer means.

pub mod login;
pub mod offline;
mod outcome;

pub use outcome::Outcome;
