//! A Secret of Kubernetes that no operator syncs: the value is in force where pods read it.

use super::{Accepts, Act, Target, Trouble, Values};
use crate::{
    inventory,
    model::Secret,
    respond::kubernetes::{Cluster, SecretEntry, Wait},
};

/// One key of a Secret.
#[derive(Debug)]
pub struct KubernetesSecret<'a> {
    cluster: Cluster<'a>,
    entry: SecretEntry,
    wait: Wait<'a>,
}

impl<'a> KubernetesSecret<'a> {
    /// The key of the Secret that the inventory says; `name` is the secret's own, which is the key where the inventory has none.
    ///
    /// # Errors
    /// A name that no Secret has.
    pub fn new(
        cluster: Cluster<'a>,
        target: &inventory::Kubernetes,
        name: &str,
        wait: Wait<'a>,
    ) -> Result<Self, Trouble> {
        let key = target.key.as_deref().unwrap_or(name);
        Ok(Self { cluster, entry: SecretEntry::new(&target.namespace, &target.name, key)?, wait })
    }
}

impl Target for KubernetesSecret<'_> {
    fn name(&self) -> String {
        format!("key {} of {}", self.entry.key(), self.entry)
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let get = format!("GET {}", self.entry.path());
        let patch = |what: &str| {
            format!("PATCH {} (merge patch: data.{} = the {what} value)", self.entry.path(), self.entry.key())
        };
        match act {
            Act::Check => {
                Some(vec![get, "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews".into()])
            }
            Act::Introduce => Some(vec![get, patch("new")]),
            Act::Withdraw => Some(vec![get, patch("old")]),
            Act::Contain | Act::Release | Act::Retire | Act::EndSessions => None,
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        let new =
            || values.new.ok_or_else(|| Trouble::Refused(format!("{}: there is no new value", self.name())));
        match act {
            Act::Check => self.entry.check(&self.cluster, &self.wait),
            Act::Introduce => self.entry.replace(&self.cluster, values.old, new()?, &self.wait),
            Act::Withdraw => self.entry.replace(&self.cluster, new()?, values.old, &self.wait),
            Act::Contain | Act::Release | Act::Retire | Act::EndSessions => Ok(()),
        }
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        match self.entry.is(&self.cluster, value, &self.wait) {
            Ok(true) => Accepts::Yes,
            Ok(false) => Accepts::No,
            Err(trouble) => Accepts::Unknown(trouble.to_string()),
        }
    }
}
