//! `[verify]` of trusted config: whom secrets may be shown to, and how they are reached.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// `[verify]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct VerifySection {
    /// Hosts of one's own, by provider: `gitlab = ["https://git.example.com"]`.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// Databases where passwords may be tried.
    pub databases: Vec<DatabaseSection>,
    /// What private keys are compared with: URLs or files of a JWKS or of certificates.
    pub public_keys: Vec<String>,
    /// Hosts among these that may lie at private addresses. Databases may without.
    pub allow_private: Vec<String>,
    /// Certificates (PEM) that TLS trusts beside the usual ones.
    pub ca_file: Option<PathBuf>,
    /// A proxy for HTTPS, in place of what `HTTPS_PROXY` says.
    pub proxy: Option<ProxyUrl>,
    /// Hosts that are reached without it, as in `NO_PROXY`.
    pub no_proxy: Vec<String>,
    /// Seconds for a connection.
    pub connect_timeout: Option<u64>,
    /// Seconds for a request with its answer.
    pub timeout: Option<u64>,
}

/// `[[verify.databases]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatabaseSection {
    /// `postgres`, `mysql`, `redis` or `nats`.
    #[serde(rename = "type")]
    pub service: String,
    /// Its name or address.
    pub host: String,
    /// Its port, where it is not the usual one.
    pub port: Option<u16>,
    /// `required` (the default), `preferred` or `off`.
    pub tls: Option<String>,
    /// Certificates (PEM) of the authorities that signed its own.
    pub ca_file: Option<PathBuf>,
    /// Who logs in, where the scanned text does not say.
    pub user: Option<String>,
    /// The database, where the scanned text does not say.
    pub database: Option<String>,
}

/// The URL of a proxy: it may hold a password, and is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ProxyUrl(String);

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyUrl")
    }
}

impl VerifySection {
    /// Takes the files that it names as relative to a folder: that of the config.
    pub(super) fn settle(&mut self, folder: &Path) {
        let of_databases = self.databases.iter_mut().filter_map(|one| one.ca_file.as_mut());
        for file in self.ca_file.iter_mut().chain(of_databases) {
            *file = folder.join(&*file);
        }
        for file in self.public_keys.iter_mut().filter(|text| !text.contains("://")) {
            *file = folder.join(&*file).to_string_lossy().into_owned();
        }
    }
}

#[cfg(feature = "network")]
mod trust {
    use std::{env, fs, path::Path, time::Duration};

    use super::{DatabaseSection, VerifySection};
    use crate::{
        config::{ConfigError, Trusted},
        model::Secret,
        net::{Limits, Origin, Proxy},
        provider::{
            TrustedHosts,
            login::{Service, Tls},
        },
        verify::{Database, PublicKeys, Trust},
    };

    /// The longest file of certificates that is read, in bytes.
    const MOST: u64 = 8 << 20;
    /// Nobody waits longer, in seconds.
    const LONGEST: u64 = 600;

    impl Trusted {
        /// What `[verify]` says, read and checked; what the environment says of proxies, where it says nothing.
        ///
        /// # Errors
        /// A host, database, file or time that can't be used.
        pub fn trust(&self) -> Result<Trust, ConfigError> {
            let path = self.file.clone().unwrap_or_default();
            self.verify.trust().map_err(|why| ConfigError::Section { config: path, section: "verify", why })
        }
    }

    impl VerifySection {
        fn trust(&self) -> Result<Trust, String> {
            let usual = Limits::default();
            let limits = Limits {
                connect: seconds("connect-timeout", self.connect_timeout)?.unwrap_or(usual.connect),
                total: seconds("timeout", self.timeout)?.unwrap_or(usual.total),
                ..usual
            };
            Ok(Trust {
                hosts: TrustedHosts::new(self.hosts.clone()).map_err(|error| error.to_string())?,
                databases: self.databases.iter().map(database).collect::<Result<_, _>>()?,
                public_keys: self
                    .public_keys
                    .iter()
                    .map(|text| public_keys(text))
                    .collect::<Result<_, _>>()?,
                allow_private: self.allow_private.clone(),
                extra_roots: self.ca_file.as_deref().map(read).transpose()?.unwrap_or_default(),
                proxy: self.proxy(),
                limits,
                ..Trust::default()
            })
        }

        fn proxy(&self) -> Option<Proxy> {
            match &self.proxy {
                Some(url) => Some(Proxy::new(Secret::new(url.0.as_str()), &self.no_proxy.join(","))),
                None => Proxy::from_env(|name| env::var(name).ok()),
            }
        }
    }

    fn seconds(name: &str, number: Option<u64>) -> Result<Option<Duration>, String> {
        match number {
            None => Ok(None),
            Some(number @ 1..=LONGEST) => Ok(Some(Duration::from_secs(number))),
            Some(_) => Err(format!("{name}: it is a number of seconds from 1 to {LONGEST}")),
        }
    }

    fn database(section: &DatabaseSection) -> Result<Database, String> {
        let fail = |why: &str| format!("databases, {}: {why}", section.host.escape_default());
        let service = Service::named(&section.service)
            .ok_or_else(|| fail("type is one of postgres, mysql, redis and nats"))?;
        if section.host.is_empty() || section.host.contains(['/', '@', ' ']) {
            return Err(fail("host is a name or an address, with nothing around it"));
        }
        let ca = section.ca_file.as_deref().map(read).transpose()?;
        let tls = Tls::named(section.tls.as_deref().unwrap_or("required"), ca)
            .ok_or_else(|| fail("tls is one of required, preferred and off"))?;
        Ok(Database {
            service,
            host: section.host.to_ascii_lowercase(),
            port: section.port.unwrap_or(service.default_port()),
            tls,
            user: section.user.clone(),
            database: section.database.clone(),
            is_replication: false,
        })
    }

    /// A URL, or a file.
    fn public_keys(text: &str) -> Result<PublicKeys, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return read(Path::new(text)).map(PublicKeys::Document);
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let origin: Origin = format!("{scheme}://{host}").parse().map_err(|_| {
            "public-keys: write https://HOST/PATH, with no user in it, or the path of a file".to_owned()
        })?;
        Ok(PublicKeys::At { origin, path: format!("/{path}") })
    }

    fn read(path: &Path) -> Result<Vec<u8>, String> {
        let fail = |why: String| format!("read {}: {why}", path.display());
        let length = fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
        if length > MOST {
            return Err(fail(format!("it is longer than {MOST} bytes")));
        }
        fs::read(path).map_err(|error| fail(error.to_string()))
    }
}
