//! Who reads a secret, and has to be told of a new value.

use serde_saphyr::Spanned;

use super::{error::Fault, fields::Fields, raw::Entries, words};

words! {
    /// What a consumer is.
    ConsumerType {
        /// An `InfisicalSecret` (v1alpha1) of the manager's operator, which writes a Secret of Kubernetes.
        InfisicalSecret = "infisical-secret",
        /// An `InfisicalStaticSecret` (v1beta1) of the same.
        InfisicalStaticSecret = "infisical-static-secret",
        /// A Deployment.
        Deployment = "deployment",
        /// A StatefulSet.
        StatefulSet = "stateful-set",
        /// A DaemonSet.
        DaemonSet = "daemon-set",
        /// Anything else: a program of the operator, which trusted config has under this name, restarts it.
        Command = "command",
    }
}

/// An object of Kubernetes that reads a secret; or a program that restarts what does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// What it is.
    pub kind: ConsumerType,
    /// Its namespace; empty for a program.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Of a workload that reads a signing key: the environment variable in which it takes the next one.
    pub next_env: Option<String>,
    /// Of the manager's operator: the Secret that it writes, where that has another name.
    pub secret: Option<String>,
    /// The manager's token with which it reads, by its name in the inventory.
    pub token: Option<String>,
}

impl ConsumerType {
    /// Whether it is synced by the manager's operator; the others are workloads, which are restarted.
    pub fn is_synced(self) -> bool {
        matches!(self, Self::InfisicalSecret | Self::InfisicalStaticSecret)
    }
}

pub(super) fn consumer(raw: Spanned<Entries<Spanned<String>>>) -> Result<Consumer, Fault> {
    let types: Vec<(&'static str, ConsumerType)> =
        ConsumerType::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect();
    let (mut fields, kind) = Fields::open("consumer", raw.referenced, raw.value, &types)?;
    let mut consumer = Consumer {
        kind,
        namespace: if kind == ConsumerType::Command { String::new() } else { fields.text("namespace")? },
        name: fields.text("name")?,
        next_env: None,
        secret: None,
        token: fields.optional_text("token")?,
    };
    if kind == ConsumerType::Command {
        fields.close()?;
        return Ok(consumer);
    }
    if kind.is_synced() {
        consumer.secret = fields.optional_text("secret")?;
    } else {
        consumer.next_env = fields.optional_text("next_env")?;
    }
    fields.close()?;
    Ok(consumer)
}
