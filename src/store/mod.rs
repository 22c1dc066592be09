//! Secret managers: what they hold, by environment, folder and name, and how it is changed.
//!
//! A [`Store`] lists, reads and writes. This room knows of no inventory and of no finding. Values are [`Secret`]s and stand in no error.

mod dotenv;
pub(crate) mod file;
#[cfg(feature = "network")]
mod infisical;
pub(crate) mod lock;
mod machine_key;
mod select;

pub use dotenv::DotenvStore;
#[cfg(feature = "network")]
pub use infisical::{
    ClientSecret, CredentialError, Infisical, InfisicalOptions, Login, ServiceToken, Tokens, as_stored,
};
pub(crate) use machine_key::machine_key;
pub use select::{StoreKind, UnknownStore};

use crate::model::Secret;

/// Where a secret lies in the manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath {
    /// Its environment's slug, `production`; or the name that the store was asked with, where it knows the environment by that too.
    pub environment: String,
    /// Its folder: `/`, or `/infrastructure`, or `/a/b`; no slash at the end.
    pub folder: String,
    /// Its name: `POSTGRES_PASSWORD`.
    pub name: String,
}

impl SecretPath {
    /// Folder and name: `/infrastructure/POSTGRES_PASSWORD`.
    pub fn in_environment(&self) -> String {
        let folder = self.folder.trim_end_matches('/');
        format!("{folder}/{}", self.name)
    }
}

impl std::fmt::Display for SecretPath {
    /// `production:/infrastructure/POSTGRES_PASSWORD`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.environment, self.in_environment())
    }
}

/// One version of a secret.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where it lies.
    pub path: SecretPath,
    /// Counted from 1; it grows with each write.
    pub version: u64,
    /// The value of this version.
    pub value: Secret,
    /// When this version was written, seconds since 1970, where the manager says so.
    pub written: Option<i64>,
}

/// What an environment holds.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Current versions, by path.
    pub secrets: Vec<Stored>,
    /// What is there and could not be read: a folder or a secret, and why.
    pub denied: Vec<Denied>,
}

/// Something that the manager did not let us read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// `production:/infrastructure`, or with a name behind it.
    pub path: String,
    /// In the manager's words, or ours.
    pub why: String,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is stored, as this version.
    Stored(u64),
    /// A policy of the manager holds it until somebody approves: it is not in force.
    Pending {
        /// What the manager calls the request.
        approval: String,
    },
}

/// A secret manager.
pub trait Store: Sync {
    /// For messages: `dir:store`, or `host (project kosmos)`.
    fn name(&self) -> String;

    /// Slugs of all environments that are there, sorted.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn environments(&self) -> Result<Vec<String>, StoreError>;

    /// Current versions of all secrets of an environment, in all folders.
    ///
    /// # Errors
    /// See [`StoreError`]; what only a part of could not be read is in the listing.
    fn list(&self, environment: &str) -> Result<Listing, StoreError>;

    /// Older versions of a secret, newest first, at most `most`, as far as the manager gives them.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn older(&self, current: &Stored, most: usize) -> Result<Vec<Stored>, StoreError>;

    /// One secret: its current version, or the one asked for; `None` where there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn read(&self, path: &SecretPath, version: Option<u64>) -> Result<Option<Stored>, StoreError>;

    /// Writes a new version, and makes the folder and the secret where they are not there. `note` says why, for people.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn write(&self, path: &SecretPath, value: &Secret, note: &str) -> Result<Written, StoreError>;

    /// Removes a secret with all its versions; `false` where there was none.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn remove(&self, path: &SecretPath) -> Result<bool, StoreError>;
}

/// A manager that can't do what it is asked. Each says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing to log in with.
    #[error("{store}: {what}")]
    Credentials {
        /// Which manager.
        store: String,
        /// What is missing or malformed, and how it is given.
        what: String,
    },
    /// The manager does not take them.
    #[error("{store}: {what}")]
    Unauthenticated {
        /// Which manager.
        store: String,
        /// Wrong, expired or revoked, and what to do.
        what: String,
    },
    /// The login is locked for a while.
    #[error(
        "{store}: the identity is locked after too many wrong logins; try again in 5 minutes, or clear the lockout there"
    )]
    Locked {
        /// Which manager.
        store: String,
    },
    /// The login is right and may not do this.
    #[error("{store}: no permission for {what}")]
    Forbidden {
        /// Which manager.
        store: String,
        /// To do what, where.
        what: String,
    },
    /// A project, environment or folder that is not there.
    #[error("{store}: {what}")]
    NotFound {
        /// Which manager.
        store: String,
        /// What was looked for, and what there is.
        what: String,
    },
    /// A part that the manager's licence does not hold.
    #[error("{store}: its licence does not include {what}")]
    Licence {
        /// Which manager.
        store: String,
        /// Which part.
        what: String,
    },
    /// Somebody else changed the same thing at the same time.
    #[error("{store}: {what}")]
    Conflict {
        /// Which manager.
        store: String,
        /// What, and what to look at.
        what: String,
    },
    /// It is down, too slow, or overloaded.
    #[error("{store} can't be reached: {why}")]
    Unreachable {
        /// Which manager.
        store: String,
        /// What happened.
        why: String,
    },
    /// An answer or a file that is not as it should be.
    #[error("{store}: {what}")]
    Malformed {
        /// Which manager.
        store: String,
        /// What, with file and line where there are.
        what: String,
    },
    /// A folder or file.
    #[error("{action} {path}: {why}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// Which.
        path: String,
        /// What the system said.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        let path = |folder: &str| SecretPath {
            environment: "production".into(),
            folder: folder.into(),
            name: "TOKEN".into(),
        };
        assert_eq!(path("/").to_string(), "production:/TOKEN");
        assert_eq!(path("/a/b").to_string(), "production:/a/b/TOKEN");
    }
}
