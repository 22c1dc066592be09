//! The controllers of workloads: a new template makes new pods, in steps.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};

use super::{
    operator::decoded,
    world::{Rolling, Rollout, World},
};

/// How many steps a rollout has.
pub(super) const STAGES: usize = 4;

/// Takes every workload one step further.
pub(super) fn step(world: &mut World) {
    let paths: Vec<String> =
        world.objects.keys().filter(|path| path.starts_with("/apis/apps/")).cloned().collect();
    for path in paths {
        let object = world.objects[&path].clone();
        let mut rolling = world.rolling.get(&path).cloned().unwrap_or_default();
        if advance(world, &object, &mut rolling) {
            let status = status(world.rollout, &object, &rolling);
            let mut after = object;
            after["status"] = status;
            // A status is no spec: the generation stays.
            world.store(&path, after);
        }
        world.rolling.insert(path, rolling);
    }
}

/// Whether anything moved.
fn advance(world: &World, object: &Value, rolling: &mut Rolling) -> bool {
    let template = &object["spec"]["template"];
    if rolling.template != *template {
        rolling.template = template.clone();
        rolling.stage = 0;
        rolling.is_first = rolling.count == 0;
        rolling.next = Some(Instant::now() + world.delay);
        return false;
    }
    if let Some(next) = rolling.next {
        if !world.is_due(Some(next)) {
            return false;
        }
        let is_stuck = world.rollout != Rollout::Well && rolling.stage + 2 >= STAGES;
        // The first pods of all come up whatever happens later.
        if is_stuck && !rolling.is_first {
            rolling.next = None;
            return true;
        }
        rolling.stage += 1;
        rolling.next = Some(Instant::now() + world.delay);
        if rolling.stage == STAGES {
            rolling.next = None;
            if !leaves_pods_alone(object) || rolling.is_first {
                rolling.count += 1;
                rolling.environment = environment(world, object);
            }
        }
        return true;
    }
    object["status"]["observedGeneration"] != object["metadata"]["generation"]
}

fn leaves_pods_alone(object: &Value) -> bool {
    object["spec"]["updateStrategy"]["type"] == "OnDelete"
}

fn status(rollout: Rollout, object: &Value, rolling: &Rolling) -> Value {
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let partition = object["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_i64().unwrap_or(0);
    let held = if leaves_pods_alone(object) && !rolling.is_first { wanted } else { partition.min(wanted) };
    let (updated, ready) = match rolling.stage {
        0 | 1 => (0, wanted),
        2 => (1.min(wanted - held), wanted - 1),
        3 => (wanted - held, wanted - 1),
        _ => (wanted - held, wanted),
    };
    let surplus = i64::from(rolling.stage == 2);
    let is_done = rolling.stage == STAGES && held == 0;
    let mut status = json!({
        "observedGeneration": object["metadata"]["generation"],
        "replicas": wanted + surplus,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready.min(updated).max(0),
        "updateRevision": "next",
        "currentRevision": if is_done { "next" } else { "before" },
        "desiredNumberScheduled": wanted,
        "updatedNumberScheduled": updated,
        "numberAvailable": ready,
    });
    if rollout == Rollout::ExceedsDeadline && rolling.stage + 2 == STAGES && rolling.next.is_none() {
        status["conditions"] =
            json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    }
    status
}

/// The variables of all containers, as pods that start now have them.
fn environment(world: &World, object: &Value) -> BTreeMap<String, String> {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let data = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        world
            .objects
            .get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}"))
            .map(|secret| &secret["data"])
    };
    let mut variables = BTreeMap::new();
    for container in object["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten() {
        for from in container["envFrom"].as_array().into_iter().flatten() {
            let all = data(&from["secretRef"]["name"]).and_then(Value::as_object);
            let each =
                all.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), decoded(value)?)));
            variables.extend(each);
        }
        for env in container["env"].as_array().into_iter().flatten() {
            let reference = &env["valueFrom"]["secretKeyRef"];
            let of_secret = data(&reference["name"])
                .and_then(|data| decoded(&data[reference["key"].as_str().unwrap_or_default()]));
            let value = env["value"].as_str().map(str::to_owned).or(of_secret);
            let name = env["name"].as_str().unwrap_or_default().to_owned();
            variables.extend(value.map(|value| (name, value)));
        }
    }
    variables
}
