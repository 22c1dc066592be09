//! The next signing key beside the current one: a variable of a workload's containers, taken from a key of a Secret.

use serde_json::{Value, json};

use super::{
    cluster::{Cluster, Patch},
    fault::shown,
    object::Object,
    restart::workload_of,
    rollout,
    wait::Wait,
    workload::{Container, KeyReference, Workload},
};
use crate::{inventory::Consumer, respond::target::Trouble};

/// A key of a Secret, in the namespace of who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretKey<'a> {
    /// The Secret's name.
    pub secret: &'a str,
    /// The key in it.
    pub key: &'a str,
}

impl SecretKey<'_> {
    fn is(self, reference: &KeyReference) -> bool {
        self.secret == reference.name && self.key == reference.key
    }
}

/// What becomes of a workload's next key, which is under this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextEnv<'a> {
    /// The workload gets it.
    Given(&'a str),
    /// It is taken away.
    Taken(&'a str),
}

/// What that sends: a line for each request; `None` for a workload that has no `next_env`.
pub fn next_env_requests(consumer: &Consumer, next: NextEnv<'_>) -> Option<Vec<String>> {
    let variable = consumer.next_env.as_deref()?;
    let path = workload_of(consumer).ok()?.path();
    let change = match next {
        NextEnv::Given(key) => format!("the variable {variable} from {key} of the synced Secret"),
        NextEnv::Taken(key) => format!("no variable {variable} from {key} any more"),
    };
    Some(vec![
        format!("GET {path}"),
        format!("PATCH {path}?fieldManager=hekate (strategic merge patch: {change})"),
        format!("GET {path}, until all pods are new"),
    ])
}

/// Gives a workload its next key, in the variable that the inventory has as `next_env`, and waits until all of its pods have it.
///
/// The variable goes to the one container that reads that Secret already, else to all containers. Init containers are left alone. Where it is there
/// already, nothing is changed.
///
/// # Errors
/// As [`restart`](super::restart()); refused too where a container has that variable from elsewhere.
pub fn set_next_env(
    cluster: &Cluster<'_>,
    consumer: &Consumer,
    from: SecretKey<'_>,
    wait: &Wait<'_>,
) -> Result<(), Trouble> {
    change(cluster, consumer, wait, &|workload, variable| {
        let lacking = chosen(workload, from.secret)
            .into_iter()
            .filter_map(|container| match container.variable(variable) {
                None => Some(Ok(container.name.clone())),
                Some(env) if env.secret_key().is_some_and(|reference| from.is(reference)) => None,
                Some(_) => Some(Err(container.name.clone())),
            })
            .collect::<Result<Vec<_>, _>>();
        let reference = json!({"name": from.secret, "key": from.key});
        let env = json!({"name": variable, "valueFrom": {"secretKeyRef": reference}});
        Ok(lacking?.into_iter().map(|container| (container, env.clone())).collect())
    })
}

/// Takes the variable away again where it has this key of a Secret, and waits until all pods are without it. One that comes from elsewhere stays.
///
/// # Errors
/// As [`restart`](super::restart()).
pub fn unset_next_env(
    cluster: &Cluster<'_>,
    consumer: &Consumer,
    key: &str,
    wait: &Wait<'_>,
) -> Result<(), Trouble> {
    change(cluster, consumer, wait, &|workload, variable| {
        let is_ours = |container: &&Container| {
            let reference = container.variable(variable).and_then(|env| env.secret_key());
            reference.is_some_and(|reference| reference.key == key)
        };
        let gone = json!({"name": variable, "$patch": "delete"});
        let ours = workload.containers().iter().filter(is_ours);
        Ok(ours.map(|container| (container.name.clone(), gone.clone())).collect())
    })
}

/// What is to be done to which containers' variables, or the container in which something else is in the way.
type Decide<'a> = &'a dyn Fn(&Workload, &str) -> Result<Vec<(String, Value)>, String>;

fn change(
    cluster: &Cluster<'_>,
    consumer: &Consumer,
    wait: &Wait<'_>,
    decide: Decide<'_>,
) -> Result<(), Trouble> {
    let watch = wait.start();
    let object = workload_of(consumer)?;
    let variable = variable_of(consumer, &object)?;
    cluster.change(&object, &watch, &mut |workload: &Workload| {
        let changes = decide(workload, variable).map_err(|container| {
            let container = shown(&container);
            Trouble::Refused(format!(
                "the container {container} of {object} has the variable {variable} from elsewhere: take it away, or name another as `next_env`"
            ))
        })?;
        if changes.is_empty() {
            return Ok(None);
        }
        if workload.spec.paused {
            return Err(Trouble::Refused(format!("{object} is paused: its pods would not follow")));
        }
        Ok(Some(patch(&changes)))
    })?;
    rollout::wait(cluster, &object, consumer.kind, &watch)
}

fn variable_of<'a>(consumer: &'a Consumer, object: &Object) -> Result<&'a str, Trouble> {
    let none = || Trouble::Refused(format!("{object} has no `next_env` in the inventory"));
    consumer.next_env.as_deref().ok_or_else(none)
}

/// The one container that reads the Secret; all of them where none or several do.
fn chosen<'a>(workload: &'a Workload, secret: &str) -> Vec<&'a Container> {
    let all = workload.containers();
    let readers: Vec<&Container> = all.iter().filter(|container| workload.reads(container, secret)).collect();
    if readers.len() == 1 { readers } else { all.iter().collect() }
}

/// Containers and their variables are merged by name.
fn patch(changes: &[(String, Value)]) -> Patch {
    let containers: Vec<Value> =
        changes.iter().map(|(container, env)| json!({"name": container, "env": [env]})).collect();
    let body = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    Patch::strategic("hekate", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_of(containers: Value) -> Vec<String> {
        let workload = json!({"metadata": {}, "spec": {"template": {"spec": {
            "containers": containers,
            "volumes": [{"name": "keys", "secret": {"secretName": "auth"}}, {"name": "tmp", "emptyDir": {}}],
        }}}});
        let workload: Workload = serde_json::from_value(workload).unwrap();
        chosen(&workload, "auth").iter().map(|container| container.name.clone()).collect()
    }

    #[test]
    fn the_one_container_that_reads_the_secret_gets_the_variable_else_all_do() {
        let key = json!({"name": "a", "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "auth", "key": "KEY"}}}]});
        let whole = json!({"name": "b", "envFrom": [{"secretRef": {"name": "auth"}}]});
        let mounted = json!({"name": "c", "volumeMounts": [{"name": "keys", "mountPath": "/keys"}]});
        let other =
            json!({"name": "d", "env": [{"name": "MODE", "value": "x"}], "volumeMounts": [{"name": "tmp"}]});
        for (containers, expected) in [
            (json!([key, other]), vec!["a"]),
            (json!([other, whole]), vec!["b"]),
            (json!([mounted, other]), vec!["c"]),
            (json!([key, whole, other]), vec!["a", "b", "d"]),
            (json!([other]), vec!["d"]),
        ] {
            assert_eq!(chosen_of(containers.clone()), expected, "{containers}");
        }
    }
}
