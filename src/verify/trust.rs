//! What trusted config says about whom secrets may be shown to.

use std::collections::BTreeMap;

use crate::{
    net::{AddressPolicy, DriverOptions, Limits, Origin, Proxy, TlsOptions},
    provider::{
        Check, TrustedHosts, checks,
        login::{Service, Tls},
    },
    rule::Rule,
};

/// A database, cache or broker where passwords may be tried.
#[derive(Debug, Clone)]
pub struct Database {
    /// What it is.
    pub service: Service,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the connection has to be.
    pub tls: Tls,
    /// Who logs in where the scanned text does not say.
    pub user: Option<String>,
    /// The database to enter where the scanned text does not say.
    pub database: Option<String>,
}

/// Public keys that are in use: what private ones are compared with.
#[derive(Debug, Clone)]
pub enum PublicKeys {
    /// A JWKS, or certificates or public keys in PEM, or one certificate in DER.
    Document(Vec<u8>),
    /// Where such a document is to be had.
    At {
        /// The host.
        origin: Origin,
        /// The path there.
        path: String,
    },
}

/// All that trusted config says. By default only the built-in hosts of providers may be asked.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Origins by provider.
    pub hosts: TrustedHosts,
    /// Where passwords may be tried. These may lie at private addresses.
    pub databases: Vec<Database>,
    /// What private keys are compared with.
    pub public_keys: Vec<PublicKeys>,
    /// Hosts of origins that may lie at private addresses.
    pub allow_private: Vec<String>,
    /// Certificates to trust beside the usual ones, in PEM; empty for none.
    pub extra_roots: Vec<u8>,
    /// Through what HTTPS goes.
    pub proxy: Option<Proxy>,
    /// How long, how much, how often.
    pub limits: Limits,
    /// Checks of rules from trusted config, by the rule's id; they come before the built-in ones.
    pub checks: BTreeMap<String, Check>,
}

impl Trust {
    /// With the checks that rules carry.
    #[must_use]
    pub fn with_rules(mut self, rules: &[Rule]) -> Self {
        let own = rules.iter().filter_map(|rule| Some((rule.id.clone(), Check::of_rule(rule)?)));
        self.checks.extend(own);
        self
    }

    /// What a driver may do that asks for this.
    pub fn driver_options(&self) -> DriverOptions {
        let built_in = checks().iter().chain(self.checks.values()).flat_map(Check::origins);
        let all = built_in.map(String::as_str).chain(self.hosts.origins());
        let of_keys = self.public_keys.iter().filter_map(|source| match source {
            PublicKeys::At { origin, .. } => Some(origin.clone()),
            PublicKeys::Document(_) => None,
        });
        DriverOptions {
            // What is no origin is asked by nobody: a request to it is refused.
            origins: all.filter_map(|text| text.parse::<Origin>().ok()).chain(of_keys).collect(),
            addresses: AddressPolicy::allowing(&self.allow_private),
            extra_roots: self.extra_roots.clone(),
            tls: TlsOptions::default(),
            proxy: self.proxy.clone(),
            limits: self.limits.clone(),
        }
    }

    /// Where databases may lie.
    pub(super) fn database_addresses(&self) -> AddressPolicy {
        AddressPolicy::allowing(self.databases.iter().map(|database| &database.host))
    }
}
