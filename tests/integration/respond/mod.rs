//! Response: from a finding to a dead secret.

mod audit;
mod auto;
#[cfg(unix)]
mod commands;
mod crash;
mod databases;
mod emergency;
mod faults;
mod kubernetes;
mod kubernetes_access;
mod kubernetes_double;
mod notify;
mod platform;
#[cfg(unix)]
mod playbooks;
mod providers;
mod rotation;
mod services;
mod signing;
mod tokens;
mod verifier;
mod web;
