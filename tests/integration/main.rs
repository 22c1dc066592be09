//! What a user sees of hekate, and how its house is built: one binary, a file per topic, one harness.

mod architecture;
mod ci;
mod companion;
mod demo;
mod determinism;
mod encoded;
mod explain;
mod git;
mod gitleaks;
mod harness;
mod history;
mod hook;
mod hostile;
#[cfg(feature = "network")]
mod infisical;
mod inventory;
mod known;
#[cfg(feature = "network")]
mod logins;
mod pieces;
mod policy;
mod readme;
#[cfg(feature = "network")]
mod respond;
mod scan;
mod secrets;
mod staged;
mod triage;
#[cfg(feature = "network")]
mod verify;
