//! Response: from a finding to a dead secret.

mod audit;
#[cfg(unix)]
mod commands;
mod databases;
mod kubernetes;
mod notify;
mod providers;
mod services;
mod signing;
mod tokens;
mod verifier;
