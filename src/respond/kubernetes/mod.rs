//! Kubernetes: what reads a secret is synced and restarted, and waited for.
//!
//! A consumer of the inventory comes in; it is asked to take the new value, and seen to have it: [`sync()`] for what the manager's operator writes,
//! [`restart()`] for workloads, [`set_next_env`] for those that take a second key beside the first. All of it may be done again after a crash. This
//! room keeps nothing, and knows neither journal nor plan. [`Access`] finds the cluster; a [`Cluster`] is that behind whatever sends.

mod access;
mod check;
mod cluster;
mod entry;
mod fault;
mod managed;
mod next_env;
mod object;
mod restart;
mod rollout;
mod sync;
mod wait;
mod workload;

pub use access::{Access, AccessError};
pub use check::{check, requests};
pub use cluster::Cluster;
pub use entry::SecretEntry;
pub use managed::Expect;
pub use next_env::{NextEnv, SecretKey, next_env_requests, set_next_env, unset_next_env};
pub use restart::{Restarted, restart};
pub use sync::{Synced, sync};
pub use wait::Wait;

use crate::inventory::{ConsumerType, Inventory, Target};

/// Whether an inventory has anything in Kubernetes.
pub fn is_needed(inventory: &Inventory) -> bool {
    let reads = |entry: &crate::inventory::Entry| {
        entry.consumers.iter().any(|consumer| consumer.kind != ConsumerType::Command)
    };
    let holds = |entry: &crate::inventory::Entry| {
        let targets = inventory.environments.iter().filter_map(|name| entry.targets.in_environment(name));
        targets.into_iter().any(|target| matches!(target, Target::Kubernetes(_)))
    };
    inventory.entries.iter().any(|entry| reads(entry) || holds(entry))
}
