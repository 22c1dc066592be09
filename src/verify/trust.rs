//! What trusted config says about whom secrets may be shown to.

use std::collections::BTreeMap;

use crate::{
    inventory::{Inventory, Target},
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
    /// Whether logins are for replication.
    pub is_replication: bool,
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
    /// Where the passwords of the inventory are in force, by `environment:/folder/NAME`.
    pub targets: BTreeMap<String, Database>,
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
    /// With the databases, caches and brokers that an inventory names for its secrets: it is trusted, as config is.
    #[must_use]
    pub fn with_inventory(mut self, inventory: &Inventory) -> Self {
        for entry in &inventory.entries {
            for environment in &entry.environments {
                let database = entry.targets.in_environment(environment).and_then(database);
                self.targets
                    .extend(database.map(|database| (format!("{environment}:{}", entry.path()), database)));
            }
        }
        self
    }

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
        let all = self.databases.iter().chain(self.targets.values());
        AddressPolicy::allowing(all.map(|database| &database.host))
    }
}

/// What can be logged in to of a target of the inventory.
fn database(target: &Target) -> Option<Database> {
    let at = |service: Service, host: &str, port: u16, user: &str| Database {
        service,
        host: host.to_owned(),
        port,
        tls: Tls::Preferred { ca: None },
        user: Some(user.to_owned()),
        database: None,
        is_replication: false,
    };
    Some(match target {
        Target::Postgres(role) => Database {
            database: Some(role.database.clone()),
            is_replication: role.replication,
            ..at(Service::Postgres, &role.host, role.port, &role.role)
        },
        Target::Cache(cache) => Database {
            tls: if cache.tls { Tls::Required { ca: None } } else { Tls::Preferred { ca: None } },
            ..at(Service::Redis, &cache.host, cache.port, &cache.user)
        },
        Target::Nats(nats) => Database {
            tls: if nats.tls { Tls::Required { ca: None } } else { Tls::Preferred { ca: None } },
            ..at(Service::Nats, &nats.host, nats.port, &nats.user)
        },
        _ => return None,
    })
}
