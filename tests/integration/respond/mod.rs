//! Response: from a finding to a dead secret.

mod audit;
#[cfg(unix)]
mod commands;
mod crash;
mod databases;
mod faults;
mod kubernetes;
mod kubernetes_access;
mod kubernetes_double;
mod notify;
mod platform;
mod providers;
mod rotation;
mod services;
mod signing;
mod tokens;
mod verifier;
mod web;
