//! Response: from a finding to a dead secret.

mod audit;
mod databases;
mod kubernetes;
mod notify;
mod platform;
mod providers;
mod rotation;
mod services;
mod signing;
mod tokens;
mod verifier;
