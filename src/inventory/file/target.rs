//! Where a secret's value is in force: what has to be told of a new one.

use serde_saphyr::{Location, Spanned};

use super::{
    error::{Fault, hint},
    fields::Fields,
    raw::{Entries, Node, RawTarget},
};

/// The targets of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    all: Option<Target>,
    by_environment: Vec<(String, Target)>,
}

impl Targets {
    /// That of an environment.
    pub fn in_environment(&self, environment: &str) -> Option<&Target> {
        let own = self.by_environment.iter().find(|(name, _)| name == environment);
        own.map(|(_, target)| target).or(self.all.as_ref())
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.by_environment.is_empty()
    }
}

/// Something that holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A role of PostgreSQL.
    Postgres(Postgres),
    /// A user of Redis or Dragonfly.
    Cache(Cache),
    /// A user of nats-server's configuration.
    Nats(Nats),
    /// MinIO's root, or one of its access keys.
    Minio(Minio),
    /// A user of Keycloak.
    Keycloak(Keycloak),
    /// A user of Grafana.
    Grafana(WebLogin),
    /// A Secret of Kubernetes that no operator syncs.
    Kubernetes(Kubernetes),
    /// A key that a provider gave out.
    Provider(Provider),
    /// A machine identity of Infisical, whose client secret it is.
    InfisicalIdentity(InfisicalIdentity),
}

/// A role of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// Where it listens.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// The database to log in to.
    pub database: String,
    /// Whose password it is.
    pub role: String,
    /// Whether the role logs in for replication only.
    pub replication: bool,
    /// The environment variable that holds the administrator's URL.
    pub admin_url_env: Option<String>,
}

/// Which server speaks Redis' protocol: they differ in how a password is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheFlavour {
    /// Redis, or Valkey.
    Redis,
    /// Dragonfly.
    Dragonfly,
}

/// A user of Redis or Dragonfly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Which of them.
    pub flavour: CacheFlavour,
    /// Where it listens.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// Whose password it is.
    pub user: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The environment variable that holds the administrator's URL; without one the user changes its own password.
    pub admin_url_env: Option<String>,
}

/// A user of nats-server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// Where it listens.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// Whose password it is.
    pub user: String,
    /// The account that the user belongs to.
    pub account: Option<String>,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// MinIO's root, or one of its access keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minio {
    /// Its address.
    pub url: String,
    /// The access key whose secret it is; none for root.
    pub access_key: Option<String>,
    /// Root's name, where it is root's password.
    pub user: Option<String>,
    /// The environment variable that holds the administrator's URL.
    pub admin_url_env: Option<String>,
}

/// A user of Keycloak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keycloak {
    /// Its address.
    pub url: String,
    /// The user's realm.
    pub realm: String,
    /// Whose password it is.
    pub user: String,
    /// The environment variable that holds another administrator's URL.
    pub admin_url_env: Option<String>,
}

/// A user of a web service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebLogin {
    /// Its address.
    pub url: String,
    /// Whose password it is.
    pub user: String,
    /// The environment variable that holds another administrator's URL.
    pub admin_url_env: Option<String>,
}

/// A Secret of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubernetes {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key in it; the secret's own name where the file has none.
    pub key: Option<String>,
}

/// A key that a provider gave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Whose: `openai`, `cloudflare`, …
    pub provider: String,
    /// Its address, where it is a server of one's own.
    pub url: Option<String>,
    /// The account, organisation or project that the key belongs to.
    pub account: Option<String>,
    /// The key's id or name there, where that is not in the key.
    pub key_id: Option<String>,
    /// The environment variable that holds a key that may revoke this one and make others.
    pub admin_key_env: Option<String>,
    /// The page on which a person makes a new one.
    pub page: Option<String>,
}

/// A machine identity of Infisical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfisicalIdentity {
    /// Its id.
    pub identity_id: String,
    /// The client id with which it logs in.
    pub client_id: Option<String>,
}

type Reader = fn(&mut Fields) -> Result<Target, Fault>;

/// The one list of types.
const TYPES: &[(&str, Reader)] = &[
    ("postgres", postgres),
    ("redis", |fields| cache(fields, CacheFlavour::Redis)),
    ("dragonfly", |fields| cache(fields, CacheFlavour::Dragonfly)),
    ("nats", nats),
    ("minio", minio),
    ("keycloak", keycloak),
    ("grafana", grafana),
    ("kubernetes", kubernetes),
    ("provider", provider),
    ("infisical-identity", infisical_identity),
];

/// Every key that some type of target has: what else stands in a target's map is an environment.
const FIELDS: &[&str] = &[
    "type",
    "host",
    "port",
    "database",
    "role",
    "replication",
    "user",
    "tls",
    "account",
    "url",
    "access_key",
    "realm",
    "namespace",
    "name",
    "key",
    "provider",
    "key_id",
    "identity_id",
    "client_id",
    "page",
    "admin_url_env",
    "admin_key_env",
];

/// Whether a word is a key of a target.
pub(super) fn is_field(word: &str) -> bool {
    FIELDS.contains(&word)
}

fn postgres(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Postgres(Postgres {
        host: fields.host()?,
        port: fields.port_or(5432)?,
        database: fields.text_or("database", "postgres")?,
        role: fields.text("role")?,
        replication: fields.flag("replication")?,
        admin_url_env: fields.variable("admin_url_env")?,
    }))
}

fn cache(fields: &mut Fields, flavour: CacheFlavour) -> Result<Target, Fault> {
    Ok(Target::Cache(Cache {
        flavour,
        host: fields.host()?,
        port: fields.port_or(6379)?,
        user: fields.text_or("user", "default")?,
        tls: fields.flag("tls")?,
        admin_url_env: fields.variable("admin_url_env")?,
    }))
}

fn nats(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Nats(Nats {
        host: fields.host()?,
        port: fields.port_or(4222)?,
        user: fields.text("user")?,
        account: fields.optional_text("account")?,
        tls: fields.flag("tls")?,
    }))
}

fn minio(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Minio(Minio {
        url: fields.address("url")?,
        access_key: fields.optional_text("access_key")?,
        user: fields.optional_text("user")?,
        admin_url_env: fields.variable("admin_url_env")?,
    }))
}

fn keycloak(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Keycloak(Keycloak {
        url: fields.address("url")?,
        realm: fields.text_or("realm", "master")?,
        user: fields.text_or("user", "admin")?,
        admin_url_env: fields.variable("admin_url_env")?,
    }))
}

fn grafana(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Grafana(WebLogin {
        url: fields.address("url")?,
        user: fields.text_or("user", "admin")?,
        admin_url_env: fields.variable("admin_url_env")?,
    }))
}

fn kubernetes(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Kubernetes(Kubernetes {
        namespace: fields.text("namespace")?,
        name: fields.text("name")?,
        key: fields.optional_text("key")?,
    }))
}

fn provider(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::Provider(Provider {
        provider: fields.text("provider")?,
        url: fields.optional_address("url")?,
        account: fields.optional_text("account")?,
        key_id: fields.optional_text("key_id")?,
        admin_key_env: fields.variable("admin_key_env")?,
        page: fields.optional_address("page")?,
    }))
}

fn infisical_identity(fields: &mut Fields) -> Result<Target, Fault> {
    Ok(Target::InfisicalIdentity(InfisicalIdentity {
        identity_id: fields.text("identity_id")?,
        client_id: fields.optional_text("client_id")?,
    }))
}

/// Reads one target, or one for each environment.
pub(super) fn targets(raw: Spanned<RawTarget>, environments: &[String]) -> Result<Targets, Fault> {
    let location = raw.referenced;
    let each = match raw.value {
        RawTarget::One(entries) => {
            return Ok(Targets { all: Some(target(entries, location)?), by_environment: Vec::new() });
        }
        RawTarget::ByEnvironment(each) => each,
    };
    let mut by_environment = Vec::with_capacity(each.0.len());
    for (name, node) in each.0 {
        if !environments.contains(&name.value) {
            let hint =
                hint(&name.value, FIELDS.iter().copied().chain(environments.iter().map(String::as_str)));
            let known = environments.join(", ");
            let message =
                format!("`{}` is neither a target's key nor an environment ({known}){hint}", name.value);
            return Err(Fault::at(&name, message));
        }
        let Node::Map(entries) = node else {
            return Err(Fault::at(&name, "an environment has a target of its own: a map with its `type`"));
        };
        by_environment.push((name.value.clone(), target(entries, name.referenced)?));
    }
    Ok(Targets { all: None, by_environment })
}

fn target(entries: Entries<Spanned<String>>, location: Location) -> Result<Target, Fault> {
    let (mut fields, reader) = Fields::open("target", location, entries, TYPES)?;
    let target = reader(&mut fields)?;
    fields.close()?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_a_type_reads_is_in_the_list_of_keys() {
        for (word, reader) in TYPES {
            // Every address is well-formed, so each reader asks for all of its keys.
            let value = |key: &str| match key {
                "url" => Some("https://host"),
                "host" | "role" | "user" | "namespace" | "name" | "provider" | "identity_id" => Some("host"),
                _ => None,
            };
            let mut fields = Fields::of_test(value);
            reader(&mut fields).unwrap_or_else(|fault| panic!("{word}: {fault:?}"));
            let asked = fields.into_asked();
            assert!(asked.iter().all(|key| is_field(key)), "{word}: {asked:?}");
        }
    }
}
