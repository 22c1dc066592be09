//! Response: from a finding to a dead secret.

mod audit;
mod databases;
mod kubernetes;
mod kubernetes_access;
mod kubernetes_double;
mod notify;
mod providers;
mod services;
mod signing;
mod tokens;
