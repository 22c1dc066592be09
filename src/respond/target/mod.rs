//! Where a secret's value is in force: what a rotation changes, and what proves it.
//!
//! A [`Target`] is told what to do by the saga and does it in any order and as often as it is told: it keeps no state of its own, and what
//! was done already is done again without harm. It journals nothing and decides nothing.

mod admin;
mod cache;
mod command;
mod grafana;
mod keycloak;
mod kubernetes;
mod manager;
mod manual;
mod minio;
mod nats;
mod open;
mod postgres;
mod provider;
mod scram;
mod signing;
mod web;

use std::fmt;

pub use cache::CacheUser;
pub use command::Operator;
pub use grafana::Grafana;
pub use keycloak::Keycloak;
pub use kubernetes::KubernetesSecret;
pub use manager::{ManagerCredential, Shape};
pub use manual::Manual;
pub use minio::Minio;
pub use nats::Nats;
pub use open::origins;
pub(super) use open::{of_entry, unmanaged};
pub use postgres::PostgresRole;
pub use provider::Provider;
pub use signing::SigningKey;

use crate::{
    inventory::Signing,
    model::{Secret, Verdict},
    net::{Limits, Send},
    provider::TrustedHosts,
};

/// One thing that a target can be told to do. What each means for a kind of target, [`Target::requests`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// Look whether it can be changed at all: the administrator's login, the role, its rights. Changes nothing.
    Check,
    /// Take the leaked value out of service at once, whoever is cut off by it. Can be undone by `Release`.
    Contain,
    /// Take a containment back.
    Release,
    /// Make the new value valid. Where the target can, the old one stays valid beside it.
    Introduce,
    /// Take `Introduce` back: the old value alone is valid again.
    Withdraw,
    /// Make the old value invalid, where `Introduce` left it valid.
    Retire,
    /// End what was opened with the old value.
    EndSessions,
}

/// Who makes the new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Birth {
    /// hekate: random letters and digits, 256 bits.
    Random,
    /// hekate: a key pair.
    KeyPair(Signing),
    /// The target itself, by [`Target::issue`].
    Issued,
    /// A person, on a page of the provider.
    Person {
        /// Where.
        page: Option<String>,
        /// What to do there, in one sentence.
        what: String,
    },
    /// Nobody: it is taken out of service, and nothing follows it.
    None,
}

/// The values that an act is about.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The value that is to be replaced.
    pub old: &'a Secret,
    /// The one that follows; none before it is born, and where there will be none.
    pub new: Option<&'a Secret>,
    /// The incident's id: what is made at a provider is named `hekate-<id>`, so that it can be found again after a crash.
    pub incident: &'a str,
}

/// Whether a value is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepts {
    /// It is.
    Yes,
    /// It is refused, in the target's own words.
    No,
    /// Nobody can tell, and why.
    Unknown(String),
}

/// What a check's verdict says of whether a value is accepted: one that may do little is, one that is switched off is not.
fn verdict(verdict: Verdict) -> Accepts {
    match verdict {
        Verdict::Active | Verdict::Restricted => Accepts::Yes,
        Verdict::Inactive | Verdict::Disabled => Accepts::No,
        Verdict::Unknown(why) => Accepts::Unknown(why),
        other => Accepts::Unknown(other.to_string()),
    }
}

/// An act that did not go well. No text in it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It was refused, or never got there: certainly nothing has changed.
    #[error("{0}")]
    Refused(String),
    /// The answer was lost or is unclear: it may have been done.
    #[error("{0}; it is not known whether it was done")]
    Unclear(String),
    /// A person has to do it: what exactly, a line each. It counts as done once the new value is accepted.
    #[error("a person has to do it: {}", .0.join(" · "))]
    Person(Vec<String>),
}

/// A value's place in the world.
pub trait Target: std::marker::Send + Sync {
    /// For plans and messages: `PostgreSQL role kosmos at db:5432`. Never a secret.
    fn name(&self) -> String;

    /// Who makes its new value.
    fn birth(&self) -> Birth {
        Birth::Random
    }

    /// Whether old and new value can be valid side by side for a while.
    fn overlaps(&self) -> bool;

    /// What an act sends, redacted, a line for each request; `None` where there is nothing to do for it.
    fn requests(&self, act: Act) -> Option<Vec<String>>;

    /// Does it. Done already is done; an act that has no requests does nothing.
    ///
    /// # Errors
    /// See [`Trouble`].
    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble>;

    /// Whether it can be asked at all whether a value is accepted: where it can't, there is nothing to prove.
    fn can_tell(&self) -> bool {
        true
    }

    /// Whether it accepts this value. Changes nothing and locks nobody out.
    fn accepts(&self, value: &Secret) -> Accepts;

    /// What is left for a person, so that what was done lasts: a line each, none where all is well. Asked for once the old value is
    /// refused. It may write to the target's own files what is in force already; it changes nothing else.
    ///
    /// # Errors
    /// See [`Trouble`]: the target can't be asked.
    fn remains(&self, _values: &Values<'_>) -> Result<Vec<String>, Trouble> {
        Ok(Vec::new())
    }

    /// Has a new value made, where [`Birth::Issued`] says so. What an earlier try under the same incident made and lost is taken back.
    ///
    /// # Errors
    /// See [`Trouble`].
    fn issue(&self, _values: &Values<'_>) -> Result<Secret, Trouble> {
        Err(Trouble::Refused(format!("{} makes no values", self.name())))
    }
}

/// What targets act with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Who sends requests.
    pub send: &'a dyn Send,
    /// Hosts of providers that trusted config names: they come in place of the built-in ones.
    pub hosts: &'a TrustedHosts,
    /// The environment variables that the inventory names: administrators' URLs and keys.
    pub variable: &'a (dyn Fn(&str) -> Option<Secret> + Sync),
    /// How long is waited for a connection, and for an answer.
    pub limits: &'a Limits,
}

impl fmt::Debug for Means<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Means")
    }
}
