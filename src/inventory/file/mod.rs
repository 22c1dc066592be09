//! `inventory.yaml`: read strictly, with the place of every error, and checked as a whole.
//!
//! The way of the file: `yaml` reads it into the shapes of `raw`, `resolve` checks what they say together and makes an [`Inventory`].

mod consumer;
mod defaults;
mod error;
mod fields;
mod name;
mod pattern;
mod period;
mod policy;
mod raw;
mod resolve;
mod signing;
mod target;
mod token;
mod word;
mod yaml;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

use crate::store::SecretPath;

pub use consumer::{Consumer, ConsumerType};
pub use defaults::{Kind, Rotation, Trigger};
pub use error::InventoryError;
pub use name::{is_development, is_production};
pub use pattern::PathPattern;
#[cfg(feature = "network")]
pub(crate) use pattern::matches_part;
pub use period::Period;
pub use policy::{Permission, Policy, Role};
pub use signing::{Algorithm, Signing};
pub use target::{
    Cache, CacheFlavour, InfisicalIdentity, Keycloak, Kubernetes, Minio, Nats, Postgres, Provider, Target,
    Targets, WebLogin,
};
pub use token::{Scope, Token};

pub(crate) use word::words;

/// Bigger files are refused: an inventory of thousands of names is far smaller.
const MAX_BYTES: u64 = 1 << 20;

/// The folder of the manager in which a rotation keeps a new value until it is in force.
pub const PENDING_FOLDER: &str = "/hekate-pending";

/// What a project's secret manager should hold, and what is known of each secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// The project, as the manager calls it.
    pub project: String,
    /// Environments, in the file's order.
    pub environments: Vec<String>,
    /// Every secret, by folder and name.
    pub entries: Vec<Entry>,
    /// Tokens of the manager itself.
    pub tokens: Vec<Token>,
    /// Addresses that answer when the platform works.
    pub health: Vec<String>,
    /// Who may do what, in the file's order.
    pub policies: Vec<Policy>,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Where in `entries` each name stands.
    by_name: HashMap<String, usize>,
}

/// A secret of the inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its folder: `/infrastructure`.
    pub folder: String,
    /// Its name: `POSTGRES_PASSWORD`. No other folder has it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How often it is rotated, and by whom.
    pub rotation: Rotation,
    /// Environments that should have it; all, unless the file says otherwise.
    pub environments: Vec<String>,
    /// Where its value is in force, where that is known.
    pub targets: Targets,
    /// Who reads it, and has to be told of a new value.
    pub consumers: Vec<Consumer>,
    /// Of a signing key: how it is followed by the next one.
    pub signing: Option<Signing>,
    /// How it is rotated, where that is not what its kind says.
    pub playbook: Option<Playbook>,
}

/// How a secret is rotated, where its kind does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Playbook {
    /// As secrets of this kind are.
    Kind(Kind),
    /// By a person.
    Manual,
    /// By the operator's own program, which trusted config has under this name.
    Command(String),
}

impl Entry {
    /// Folder and name: `/infrastructure/POSTGRES_PASSWORD`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder.trim_end_matches('/'), self.name)
    }

    /// Where it lies in an environment of the manager.
    pub fn in_environment(&self, environment: &str) -> SecretPath {
        SecretPath {
            environment: environment.to_owned(),
            folder: self.folder.clone(),
            name: self.name.clone(),
        }
    }

    /// Whether this environment should have it.
    pub fn is_in(&self, environment: &str) -> bool {
        self.environments.iter().any(|own| own == environment)
    }
}

impl Inventory {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What can't be read, is too big, or is no inventory: with file, line and column, and what is allowed there.
    pub fn load(path: &Path) -> Result<Self, InventoryError> {
        let fail = |source| InventoryError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        // One byte more tells a file of just that size from a bigger one; an endless one ends there, too.
        File::open(path).map_err(fail)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(InventoryError::TooBig { path: path.to_owned(), most: MAX_BYTES });
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| InventoryError::NotText { path: path.to_owned() })?;
        Self::parse(&path.to_string_lossy(), text)
    }

    /// Reads and checks text; `file` names it in errors.
    ///
    /// # Errors
    /// As [`Inventory::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, InventoryError> {
        let digest = Sha256::digest(text).into();
        let raw = yaml::read(file, text.strip_prefix('\u{feff}').unwrap_or(text))?;
        resolve::inventory(raw, digest).map_err(|fault| fault.in_file(file))
    }

    /// The secret of this name: a name stands in one folder only.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|index| &self.entries[*index])
    }

    /// The signing key whose rotation brings this name to its folder for a while.
    pub fn followed_by(&self, folder: &str, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            let is_next = |signing: &Signing| signing.next_name == name || signing.next_public_name == name;
            entry.folder == folder && entry.signing.as_ref().is_some_and(is_next)
        })
    }

    /// The policy of this role.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }
}
