//! Where the cluster is and who asks it, found as kubectl finds it.
//!
//! All of it comes from the user's own environment and files, never from what is scanned.

mod kubeconfig;
mod plugin;

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use plugin::{Plugin, Ticket};

use super::cluster;
use crate::{
    model::Secret,
    net::{AddressPolicy, ClientIdentity, DriverOptions, Origin, TlsOptions},
};

/// Where every pod finds who it is.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// No file of these is longer, in bytes.
const LONGEST_FILE: u64 = 4 << 20;

/// Why there is no way to a cluster. No text in it holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Nobody says where a cluster is.
    #[error(
        "there is no access to a cluster: set HEKATE_KUBECONFIG or KUBECONFIG to a kubeconfig, or run in a pod with a service account"
    )]
    Nothing,
    /// A file.
    #[error("read {}: {why}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// What a kubeconfig says.
    #[error("the kubeconfig {}: {why}", .file.display())]
    Kubeconfig {
        /// Which; of several, the one that has the context.
        file: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// What the environment of a pod says.
    #[error("the service account of this pod: {0}")]
    ServiceAccount(String),
    /// The program that makes credentials.
    #[error("the credential plugin `{command}`: {why}")]
    Plugin {
        /// As the kubeconfig has it.
        command: String,
        /// What it did.
        why: String,
    },
}

/// The way to a cluster, and who asks.
pub struct Access {
    name: String,
    origin: Origin,
    /// What stands before every path: empty, or `/k8s/clusters/…` where one server fronts many clusters.
    base: String,
    /// The cluster's CA in PEM; empty where everybody's roots do.
    roots: Vec<u8>,
    server_name: Option<String>,
    identity: Option<ClientIdentity>,
    bearer: Bearer,
}

/// By what the server knows who asks, beside a certificate.
enum Bearer {
    Nothing,
    Fixed(Secret),
    /// It is read again for each request: it is replaced every hour or so.
    File(PathBuf),
    /// A program says it. Whoever asks at the same time waits for one run of it, hence the lock.
    Plugin {
        plugin: Box<Plugin>,
        ticket: Mutex<Option<Ticket>>,
    },
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}{}", self.name, self.origin, self.base)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({self})")
    }
}

impl Access {
    /// The first there is of: `HEKATE_KUBECONFIG`, `KUBECONFIG` (a list, merged), `.kube/config` at home, the pod's service account. In a kubeconfig
    /// the context of that name counts, else its current one; a service account has no contexts.
    ///
    /// # Errors
    /// See [`AccessError`]. What kubectl would do and this does not (a server whose certificate is not verified, a proxy, passwords, acting as
    /// somebody else) is an error that says so.
    pub fn find(
        variable: &dyn Fn(&str) -> Option<String>,
        context: Option<&str>,
    ) -> Result<Self, AccessError> {
        Self::find_with(variable, context, Path::new(SERVICE_ACCOUNT))
    }

    /// As [`Access::find`], with the folder that a pod's service account is mounted at.
    ///
    /// # Errors
    /// The same.
    pub fn find_with(
        variable: &dyn Fn(&str) -> Option<String>,
        context: Option<&str>,
        service_account: &Path,
    ) -> Result<Self, AccessError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(list) = set("HEKATE_KUBECONFIG").or_else(|| set("KUBECONFIG")) {
            let files: Vec<PathBuf> = std::env::split_paths(&list).collect();
            return kubeconfig::load(&files, context);
        }
        let at_home =
            set("HOME").or_else(|| set("USERPROFILE")).map(|home| PathBuf::from(home).join(".kube/config"));
        if let Some(file) = at_home.filter(|file| file.is_file()) {
            return kubeconfig::load(&[file], context);
        }
        match (set("KUBERNETES_SERVICE_HOST"), context) {
            (Some(host), None) => in_pod(&host, set("KUBERNETES_SERVICE_PORT"), service_account),
            (Some(_), Some(context)) => Err(AccessError::ServiceAccount(format!(
                "it has no context `{context}`: set HEKATE_KUBECONFIG, or name none"
            ))),
            (None, _) => Err(AccessError::Nothing),
        }
    }

    /// Where requests go.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// What a driver needs for this cluster, which may lie at a private address: whoever wrote the kubeconfig means it. A credential plugin is run
    /// for it, since it may answer with a certificate.
    ///
    /// # Errors
    /// A plugin that fails.
    pub fn driver_options(&self) -> Result<DriverOptions, AccessError> {
        let of_plugin = match &self.bearer {
            Bearer::Plugin { plugin, ticket } => {
                let fresh = plugin.run()?;
                let identity = fresh.identity.clone();
                *ticket.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
                identity
            }
            _ => None,
        };
        Ok(DriverOptions {
            origins: vec![self.origin.clone()],
            addresses: AddressPolicy::allowing([self.origin.host()]),
            extra_roots: self.roots.clone(),
            tls: TlsOptions {
                only_extra_roots: !self.roots.is_empty(),
                identity: of_plugin.or_else(|| self.identity.clone()),
                server_name: self.server_name.clone(),
            },
            proxy: None,
            limits: cluster::limits(),
        })
    }

    /// The token to show, if there is one; not the one that was refused, where that can be helped.
    pub(super) fn bearer(&self, refused: Option<&Secret>) -> Result<Option<Secret>, AccessError> {
        match &self.bearer {
            Bearer::Nothing => Ok(None),
            Bearer::Fixed(token) => Ok(Some(token.clone())),
            Bearer::File(file) => token_in(file).map(Some),
            Bearer::Plugin { plugin, ticket } => {
                let mut ticket = ticket.lock().unwrap_or_else(PoisonError::into_inner);
                let is_good = |known: &Ticket| {
                    known.is_fresh() && (refused.is_none() || known.token.as_ref() != refused)
                };
                if !ticket.as_ref().is_some_and(is_good) {
                    *ticket = Some(plugin.run()?);
                }
                Ok(ticket.as_ref().and_then(|ticket| ticket.token.clone()))
            }
        }
    }
}

fn in_pod(host: &str, port: Option<String>, folder: &Path) -> Result<Access, AccessError> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let port = port.unwrap_or_else(|| "443".to_owned());
    let wrong = |_| {
        AccessError::ServiceAccount(
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no host and port".to_owned(),
        )
    };
    let origin: Origin = format!("https://{host}:{port}").parse().map_err(wrong)?;
    let token = folder.join("token");
    // What can't be read later can't be read now.
    token_in(&token)?;
    Ok(Access {
        name: "the service account of this pod".to_owned(),
        origin,
        base: String::new(),
        roots: read(&folder.join("ca.crt"))?.expose().to_vec(),
        server_name: None,
        identity: None,
        bearer: Bearer::File(token),
    })
}

fn token_in(file: &Path) -> Result<Secret, AccessError> {
    let content = read(file)?;
    let token = token(content.expose()).map_err(|why| file_error(file, why))?;
    Ok(token)
}

/// A token as it stands in a file, or comes from a program.
fn token(text: &[u8]) -> Result<Secret, String> {
    let token = text.trim_ascii();
    if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
        return Err("it holds no token".to_owned());
    }
    Ok(Secret::new(token))
}

fn file_error(file: &Path, why: impl Into<String>) -> AccessError {
    AccessError::File { file: file.to_owned(), why: why.into() }
}

/// Reads a regular file of a length that can be meant.
fn read(file: &Path) -> Result<Secret, AccessError> {
    let failed = |error: std::io::Error| file_error(file, error.kind().to_string());
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(file_error(file, "it is no file"));
    }
    let mut content = Vec::new();
    let opened = fs::File::open(file).map_err(failed)?;
    opened.take(LONGEST_FILE + 1).read_to_end(&mut content).map_err(failed)?;
    let content = Secret::new(content);
    if u64::try_from(content.len()).is_ok_and(|length| length <= LONGEST_FILE) {
        Ok(content)
    } else {
        Err(file_error(file, format!("it is longer than {LONGEST_FILE} bytes")))
    }
}

#[cfg(test)]
mod tests;
