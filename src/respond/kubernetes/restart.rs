//! Restarting workloads, as `kubectl rollout restart` does it, or letting the manager's operator do it where it will.

use serde_json::json;

use super::{
    cluster::{Cluster, Patch},
    managed::{self, Managed},
    object::Object,
    rollout,
    wait::{Wait, Watch},
    workload::Workload,
};
use crate::{inventory::Consumer, respond::target::Trouble};

/// What `kubectl rollout restart` writes.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// For what a restart was made, so that after a crash it is not made again.
const RESTARTED_FOR: &str = "hekate.dev/incident";
/// Asks the manager's operator to restart a workload when a Secret that it uses changes.
const AUTO_RELOAD: &str = "secrets.infisical.com/auto-reload";
/// Which version of a Secret the operator restarted it for; the Secret's name follows.
const RELOADED_FOR: &str = "secrets.infisical.com/managed-secret.";

/// How a workload came to its new pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restarted {
    /// It was restarted and is rolled out.
    Rolled,
    /// An earlier try had restarted it; it is rolled out.
    RolledBefore,
    /// The manager's operator restarted it by itself; it is rolled out.
    ReloadedByOperator,
}

/// Restarts a workload and waits until all of its pods are new.
///
/// `incident` says for what: a restart that was made under the same text is waited for and not made again, so each restart that is wanted needs a text
/// of its own (of two secrets in one incident, or two phases of one rotation, each its own). It is written into the object.
///
/// # Errors
/// [`Trouble::Refused`] for what can't be restarted (it is paused, not there, or we may not), [`Trouble::Unclear`] for a rollout that fails or does not end
/// in time, [`Trouble::Person`] for pods that no controller replaces.
pub fn restart(
    cluster: &Cluster<'_>,
    consumer: &Consumer,
    incident: &str,
    wait: &Wait<'_>,
) -> Result<Restarted, Trouble> {
    let watch = wait.start();
    let object = workload_of(consumer)?;
    let workload: Workload = cluster.read(&object, &watch)?;
    if is_restarted_for(&workload, incident) {
        rollout::wait(cluster, &object, consumer.kind, &watch)?;
        return Ok(Restarted::RolledBefore);
    }
    if is_reloaded(cluster, &object, workload, &wait.start_for(wait.within / 2))? {
        rollout::wait(cluster, &object, consumer.kind, &watch)?;
        return Ok(Restarted::ReloadedByOperator);
    }
    let now = wait.timestamp();
    cluster.change(&object, &watch, &mut |current: &Workload| {
        if is_restarted_for(current, incident) {
            return Ok(None);
        }
        if current.spec.paused {
            return Err(Trouble::Refused(format!(
                "{object} is paused: `kubectl rollout resume -n {} deployment/{}` first",
                object.namespace, object.name
            )));
        }
        Ok(Some(restart_patch(&now, incident)))
    })?;
    rollout::wait(cluster, &object, consumer.kind, &watch)?;
    Ok(Restarted::Rolled)
}

/// The object of a consumer that can be restarted.
pub(super) fn workload_of(consumer: &Consumer) -> Result<Object, Trouble> {
    let object = Object::of(consumer)?;
    if consumer.kind.is_synced() {
        return Err(Trouble::Refused(format!("{object} is synced, not restarted")));
    }
    Ok(object)
}

fn is_restarted_for(workload: &Workload, incident: &str) -> bool {
    workload.template_annotation(RESTARTED_FOR) == Some(incident)
}

/// kubectl's patch, and for what it is made: that rolls nothing that the other does not.
pub(super) fn restart_patch(now: &str, incident: &str) -> Patch {
    let annotations = json!({RESTARTED_AT: now, RESTARTED_FOR: incident});
    let body = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    Patch::strategic("kubectl-rollout", &body)
}

/// Whether the manager's operator restarts it, and has done so for the Secrets as they are now. It is waited for as long as `watch` says.
fn is_reloaded(
    cluster: &Cluster<'_>,
    object: &Object,
    workload: Workload,
    watch: &Watch<'_>,
) -> Result<bool, Trouble> {
    let mut workload = workload;
    loop {
        if workload.annotation(AUTO_RELOAD) != Some("true") || workload.spec.paused {
            return Ok(false);
        }
        let versions = versions(cluster, object, &workload, watch)?;
        if versions.is_empty() {
            return Ok(false);
        }
        let is_current = |(secret, version): &(String, String)| {
            workload.template_annotation(&format!("{RELOADED_FOR}{secret}")) == Some(version)
        };
        if versions.iter().all(is_current) {
            return Ok(true);
        }
        if watch.pause(None).is_err() {
            return Ok(false);
        }
        workload = cluster.read(object, watch)?;
    }
}

/// The Secrets which a workload uses and the operator writes, each with the version that it holds. Those that we may not read are not ours to wait for.
fn versions(
    cluster: &Cluster<'_>,
    object: &Object,
    workload: &Workload,
    watch: &Watch<'_>,
) -> Result<Vec<(String, String)>, Trouble> {
    let mut versions = Vec::new();
    for name in workload.secrets() {
        let Ok(secret) = Object::secret(&object.namespace, &name) else { continue };
        let Some(managed) = cluster.find_if_allowed::<Managed>(&secret, watch)? else { continue };
        if let Some(version) = managed.annotation(managed::VERSION) {
            versions.push((name, version.to_owned()));
        }
    }
    Ok(versions)
}
