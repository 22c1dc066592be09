//! Whether a workload's pods are all new, in the order that `kubectl rollout status` asks it
//! ([its source](https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go)).

use super::{
    cluster::Cluster,
    fault::shown,
    object::Object,
    wait::Watch,
    workload::{Status, Workload},
};
use crate::{inventory::ConsumerType, respond::target::Trouble};

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// All pods are new.
    Done,
    /// Not yet, in words.
    Waiting(String),
    /// It will not get done by itself, in words.
    Failed(String),
    /// The controller leaves old pods alone: this many at least, which a person has to delete.
    ByHand(ByHand),
}

/// Old pods that no controller replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ByHand {
    /// Its strategy is `OnDelete`.
    OnDelete,
    /// Those whose number is below the partition.
    Below(i64),
}

/// Waits until all pods are new.
pub(super) fn wait(
    cluster: &Cluster<'_>,
    object: &Object,
    kind: ConsumerType,
    watch: &Watch<'_>,
) -> Result<(), Trouble> {
    loop {
        let read = cluster.find::<Workload>(object, watch).map_err(after_the_change)?;
        let Some(workload) = read else {
            return Err(Trouble::Unclear(format!("{object} is gone while its rollout was waited for")));
        };
        let how_far = match state(kind, &workload) {
            State::Done => return Ok(()),
            State::Failed(why) => return Err(Trouble::Unclear(format!("{object}: {why}"))),
            State::ByHand(what) => return Err(Trouble::Person(by_hand(object, &workload, &what))),
            State::Waiting(how_far) => how_far,
        };
        let late = |over| Trouble::Unclear(format!("{object} is not rolled out {over}: {how_far}"));
        watch.pause(None).map_err(late)?;
    }
}

/// The restart is made: what fails now does not undo it.
fn after_the_change(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused(text) => Trouble::Unclear(text),
        other => other,
    }
}

/// How far a rollout is.
pub(super) fn state(kind: ConsumerType, workload: &Workload) -> State {
    match kind {
        ConsumerType::StatefulSet => of_stateful_set(workload),
        ConsumerType::DaemonSet => of_daemon_set(workload),
        _ => of_deployment(workload),
    }
}

const UNSEEN: &str = "its controller has not seen the change yet";

fn of_deployment(workload: &Workload) -> State {
    let status = &workload.status;
    if workload.metadata.generation > status.observed_generation {
        return State::Waiting(UNSEEN.to_owned());
    }
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let is_over = conditions
        .iter()
        .any(|condition| condition.kind == "Progressing" && condition.reason == "ProgressDeadlineExceeded");
    let Status { replicas, updated_replicas: updated, available_replicas: available, .. } = *status;
    if is_over {
        State::Failed("its rollout exceeded its progress deadline: look at its new pods".to_owned())
    } else if let Some(wanted) = workload.spec.replicas.filter(|wanted| updated < *wanted) {
        State::Waiting(format!("{updated} of {wanted} new pods are there"))
    } else if replicas > updated {
        State::Waiting(format!("{} old pods have not ended", replicas - updated))
    } else if available < updated {
        State::Waiting(format!("{available} of {updated} new pods are available"))
    } else {
        State::Done
    }
}

fn of_stateful_set(workload: &Workload) -> State {
    let status = &workload.status;
    if status.observed_generation == 0 || workload.metadata.generation > status.observed_generation {
        return State::Waiting(UNSEEN.to_owned());
    }
    let wanted = workload.spec.replicas.unwrap_or(1);
    if is_on_delete(workload) {
        let is_done = status.updated_replicas >= wanted && status.ready_replicas >= wanted;
        return if is_done { State::Done } else { State::ByHand(ByHand::OnDelete) };
    }
    if status.ready_replicas < wanted {
        return State::Waiting(format!("{} of {wanted} pods are ready", status.ready_replicas));
    }
    let strategy = workload.spec.update_strategy.as_ref();
    let partition = strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.partition).unwrap_or(0);
    if partition > 0 {
        let due = (wanted - partition).max(0);
        if status.updated_replicas < due {
            return State::Waiting(format!("{} of {due} new pods are there", status.updated_replicas));
        }
        let below = partition.min(wanted);
        return if below == 0 { State::Done } else { State::ByHand(ByHand::Below(below)) };
    }
    // kubectl takes the partition's way also where it is 0; the count and the revisions say the same in the end.
    if status.updated_replicas < wanted || status.update_revision != status.current_revision {
        return State::Waiting(format!("{} of {wanted} pods are new", status.updated_replicas));
    }
    State::Done
}

fn of_daemon_set(workload: &Workload) -> State {
    let status = &workload.status;
    if workload.metadata.generation > status.observed_generation {
        return State::Waiting(UNSEEN.to_owned());
    }
    let (wanted, updated) = (status.desired_number_scheduled, status.updated_number_scheduled);
    if is_on_delete(workload) {
        let is_done = updated >= wanted && status.number_available >= wanted;
        return if is_done { State::Done } else { State::ByHand(ByHand::OnDelete) };
    }
    if updated < wanted {
        State::Waiting(format!("{updated} of {wanted} new pods are there"))
    } else if status.number_available < wanted {
        State::Waiting(format!("{} of {wanted} new pods are available", status.number_available))
    } else {
        State::Done
    }
}

fn is_on_delete(workload: &Workload) -> bool {
    workload.spec.update_strategy.as_ref().is_some_and(|strategy| strategy.kind == "OnDelete")
}

/// What a person has to do, a line each.
fn by_hand(object: &Object, workload: &Workload, what: &ByHand) -> Vec<String> {
    let Object { namespace, name, .. } = object;
    match what {
        ByHand::OnDelete => {
            let labels = workload.spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref());
            let selector: Vec<String> = labels
                .into_iter()
                .flatten()
                .map(|(name, value)| format!("{}={}", shown(name), shown(value)))
                .collect();
            vec![format!(
                "{object} replaces pods only when they are deleted (its update strategy is OnDelete): kubectl delete pods -n {namespace} -l {}",
                selector.join(",")
            )]
        }
        ByHand::Below(count) => {
            // Each is one command; more than a screen of them helps nobody.
            const MOST: i64 = 20;
            let named = (0..(*count).min(MOST)).map(|number| {
                format!("delete a pod that the partition of {object} holds back: kubectl delete pod -n {namespace} {name}-{number}")
            });
            let rest = (*count > MOST).then(|| format!("and so on, up to {name}-{}", count - 1));
            named.chain(rest).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn workload(spec: Value, status: Value) -> Workload {
        let mut spec = spec;
        spec["template"] = json!({});
        serde_json::from_value(json!({"metadata": {"generation": 3}, "spec": spec, "status": status}))
            .unwrap()
    }

    fn waiting(text: &str) -> State {
        State::Waiting(text.to_owned())
    }

    #[test]
    fn a_deployment_is_asked_in_kubectls_order() {
        let deadline =
            json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
        for (status, expected) in [
            (json!({"observedGeneration": 2, "conditions": deadline}), waiting(UNSEEN)),
            (json!({}), waiting(UNSEEN)),
            (
                json!({"observedGeneration": 3, "conditions": deadline}),
                State::Failed("its rollout exceeded its progress deadline: look at its new pods".into()),
            ),
            (
                json!({"observedGeneration": 3, "updatedReplicas": 1, "replicas": 4, "availableReplicas": 3}),
                waiting("1 of 3 new pods are there"),
            ),
            (
                json!({"observedGeneration": 3, "updatedReplicas": 3, "replicas": 4, "availableReplicas": 3}),
                waiting("1 old pods have not ended"),
            ),
            (
                json!({"observedGeneration": 3, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}),
                waiting("2 of 3 new pods are available"),
            ),
            (
                json!({"observedGeneration": 4, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
                State::Done,
            ),
        ] {
            let found = state(ConsumerType::Deployment, &workload(json!({"replicas": 3}), status.clone()));
            assert_eq!(found, expected, "{status}");
        }
    }

    #[test]
    fn a_stateful_set_leaves_some_pods_to_a_person() {
        let done = json!({"observedGeneration": 3, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "updateRevision": "b", "currentRevision": "b"});
        let half = json!({"observedGeneration": 3, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"});
        let rolling = |partition: i64| json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}});
        let on_delete = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
        for (spec, status, expected) in [
            (rolling(0), json!({}), waiting(UNSEEN)),
            (
                rolling(0),
                json!({"observedGeneration": 3, "readyReplicas": 2}),
                waiting("2 of 3 pods are ready"),
            ),
            (rolling(0), half.clone(), waiting("1 of 3 pods are new")),
            (rolling(0), done.clone(), State::Done),
            (rolling(1), half.clone(), waiting("1 of 2 new pods are there")),
            (rolling(2), half.clone(), State::ByHand(ByHand::Below(2))),
            (rolling(9), half.clone(), State::ByHand(ByHand::Below(3))),
            (on_delete.clone(), half, State::ByHand(ByHand::OnDelete)),
            (on_delete, done, State::Done),
        ] {
            let found = state(ConsumerType::StatefulSet, &workload(spec.clone(), status.clone()));
            assert_eq!(found, expected, "{spec} {status}");
        }
    }

    #[test]
    fn a_daemon_set_is_done_when_every_node_has_a_new_pod() {
        let status = |updated: i64, available: i64| json!({"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available});
        for (status, expected) in [
            (json!({"observedGeneration": 2}), waiting(UNSEEN)),
            (status(1, 2), waiting("1 of 2 new pods are there")),
            (status(2, 1), waiting("1 of 2 new pods are available")),
            (status(2, 2), State::Done),
        ] {
            assert_eq!(
                state(ConsumerType::DaemonSet, &workload(json!({}), status.clone())),
                expected,
                "{status}"
            );
        }
        let on_delete = workload(json!({"updateStrategy": {"type": "OnDelete"}}), status(0, 2));
        assert_eq!(state(ConsumerType::DaemonSet, &on_delete), State::ByHand(ByHand::OnDelete));
    }
}
