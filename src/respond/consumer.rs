//! Who reads a secret is told of a new value: synced, restarted, waited for.

use super::{
    Program,
    kubernetes::{self, Cluster, Expect, NextEnv, Restarted, SecretKey, Wait},
    target::Trouble,
};
use crate::{
    inventory::{Consumer, ConsumerType},
    model::Secret,
};

/// How consumers are reached.
pub struct Delivery<'a> {
    /// Kubernetes, or why it can't be reached.
    pub cluster: Result<Cluster<'a>, String>,
    /// How long is waited for a sync or a rollout.
    pub wait: Wait<'a>,
    /// The operator's own programs.
    pub programs: &'a [Program],
    /// What marks a restart in the cluster; each incident's own, unless many share one.
    pub mark: Option<&'a str>,
}

/// What consumers have to read in the end.
pub(super) struct Expected<'a> {
    /// Under which name.
    pub(super) name: &'a str,
    /// Which value.
    pub(super) value: &'a Secret,
}

/// What a restart brings.
pub(super) enum Round<'a> {
    /// Nothing but the new value.
    Plain,
    /// The next signing key beside the old one.
    WithNext(Expected<'a>),
    /// No next signing key any more, which was under this name.
    WithoutNext(&'a str),
}

impl<'a> Delivery<'a> {
    fn cluster(&self) -> Result<&Cluster<'a>, Trouble> {
        self.cluster.as_ref().map_err(|why| Trouble::Refused(why.clone()))
    }

    pub(super) fn program(&self, name: &str) -> Result<&'a Program, String> {
        let found = self.programs.iter().find(|program| program.name == name);
        found.ok_or_else(|| {
            format!("there is no program `{name}`: add [respond.commands.{name}] to the trusted config")
        })
    }
}

/// `deployment kosmos-core/auth-service`.
pub(super) fn named(consumer: &Consumer) -> String {
    match consumer.kind {
        ConsumerType::Command => format!("command {}", consumer.name),
        kind => format!("{kind} {}/{}", consumer.namespace, consumer.name),
    }
}

/// Whether it is told by the operator of the manager; others are restarted.
fn is_synced(consumer: &&Consumer) -> bool {
    consumer.kind.is_synced()
}

fn is_command(consumer: &Consumer) -> bool {
    consumer.kind == ConsumerType::Command
}

/// What looking at consumers sends.
pub(super) fn check_requests(consumers: &[Consumer]) -> Vec<String> {
    consumers
        .iter()
        .filter(|consumer| !is_command(consumer))
        .map(|consumer| format!("look at {}", named(consumer)))
        .collect()
}

/// What syncing them sends.
pub(super) fn sync_requests(consumers: &[Consumer]) -> Vec<String> {
    consumers.iter().filter(is_synced).flat_map(kubernetes::requests).collect()
}

/// What restarting them sends; signers are restarted by what becomes of their next key.
pub(super) fn restart_requests(consumers: &[Consumer], next: Option<NextEnv<'_>>) -> Vec<String> {
    let lines = |consumer: &Consumer| match (consumer.kind, next) {
        (ConsumerType::Command, _) => vec![format!("run {} (action restart)", consumer.name)],
        (_, Some(next)) => {
            kubernetes::next_env_requests(consumer, next).unwrap_or_else(|| kubernetes::requests(consumer))
        }
        (_, None) => kubernetes::requests(consumer),
    };
    consumers.iter().filter(|consumer| !is_synced(consumer)).flat_map(lines).collect()
}

/// Looks whether all of them are there and may be told.
pub(super) fn check(delivery: &Delivery<'_>, consumers: &[Consumer]) -> Result<(), String> {
    let mut wrong = Vec::new();
    for consumer in consumers {
        let looked = match consumer.kind {
            ConsumerType::Command => delivery.program(&consumer.name).map(drop),
            _ => match &delivery.cluster {
                Ok(cluster) => kubernetes::check(cluster, consumer, &delivery.wait),
                Err(why) => Err(why.clone()),
            },
        };
        wrong.extend(looked.err().map(|why| format!("{}: {why}", named(consumer))));
    }
    wrong.dedup();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Has them synced, and waits until what they read is the expected value.
pub(super) fn sync(
    delivery: &Delivery<'_>,
    consumers: &[Consumer],
    expected: &Expected<'_>,
) -> Result<Vec<String>, Trouble> {
    let mut notes = Vec::new();
    for consumer in consumers.iter().filter(is_synced) {
        let secrets = secrets_of(delivery, consumer, expected)?;
        notes.push(format!("{} holds it", secrets.join(", ")));
    }
    Ok(notes)
}

/// The Secrets that hold the value, once they do: `namespace/name`.
fn secrets_of(
    delivery: &Delivery<'_>,
    consumer: &Consumer,
    expected: &Expected<'_>,
) -> Result<Vec<String>, Trouble> {
    let expect = Expect { key: expected.name, value: expected.value };
    Ok(kubernetes::sync(delivery.cluster()?, consumer, &expect, &delivery.wait)?.secrets)
}

/// Restarts what is no operator's, and waits until all of it runs. `mark` tells this restart from others: what has it already was
/// restarted by an earlier try.
pub(super) fn restart(
    delivery: &Delivery<'_>,
    consumers: &[Consumer],
    round: &Round<'_>,
    mark: &str,
) -> Result<Vec<String>, Trouble> {
    let mark = delivery.mark.unwrap_or(mark);
    let mut notes = Vec::new();
    for consumer in consumers.iter().filter(|consumer| !is_synced(consumer)) {
        if is_command(consumer) {
            let program = delivery.program(&consumer.name).map_err(Trouble::Refused)?;
            program.run_for_consumer("restart", mark)?;
            notes.push(format!("{} ran", named(consumer)));
            continue;
        }
        if give_or_take_next(delivery, consumers, consumer, round)? {
            notes.push(format!("{} rolled out", named(consumer)));
            continue;
        }
        let what = match kubernetes::restart(delivery.cluster()?, consumer, mark, &delivery.wait)? {
            Restarted::Rolled => "restarted",
            Restarted::RolledBefore => "was restarted",
            Restarted::ReloadedByOperator => "reloaded by the operator",
        };
        notes.push(format!("{} {what}", named(consumer)));
    }
    Ok(notes)
}

/// Gives a signer its next key, or takes it away: that restarts it. Says whether there was such a thing to do.
fn give_or_take_next(
    delivery: &Delivery<'_>,
    consumers: &[Consumer],
    consumer: &Consumer,
    round: &Round<'_>,
) -> Result<bool, Trouble> {
    if consumer.next_env.is_none() {
        return Ok(false);
    }
    match round {
        Round::Plain => return Ok(false),
        Round::WithNext(expected) => {
            let secret = secret_beside(delivery, consumers, consumer, expected)?;
            let from = SecretKey { secret: &secret, key: expected.name };
            kubernetes::set_next_env(delivery.cluster()?, consumer, from, &delivery.wait)?;
        }
        Round::WithoutNext(key) => {
            kubernetes::unset_next_env(delivery.cluster()?, consumer, key, &delivery.wait)?;
        }
    }
    Ok(true)
}

/// The Secret in a workload's namespace that holds the next key.
fn secret_beside(
    delivery: &Delivery<'_>,
    consumers: &[Consumer],
    workload: &Consumer,
    expected: &Expected<'_>,
) -> Result<String, Trouble> {
    for consumer in consumers.iter().filter(is_synced) {
        let secrets = secrets_of(delivery, consumer, expected)?;
        let own = secrets.iter().find_map(|secret| secret.strip_prefix(&format!("{}/", workload.namespace)));
        if let Some(own) = own {
            return Ok(own.to_owned());
        }
    }
    Err(Trouble::Refused(format!(
        "no consumer of the inventory is synced to the namespace {}, where {} could read its next key",
        workload.namespace,
        named(workload)
    )))
}
