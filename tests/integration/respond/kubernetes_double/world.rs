//! The objects, and how the cluster behaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How the manager's operator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Operator {
    /// As v0.11: of an `InfisicalSecret` it sees nothing but a new generation, of a static one annotations and labels too.
    #[default]
    Current,
    /// As v0.5: it acts on any change.
    Old,
    /// It is down.
    Down,
}

/// What becomes of rollouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rollout {
    /// They go well.
    #[default]
    Well,
    /// New pods never become available.
    Never,
    /// The same, and the controller says so.
    ExceedsDeadline,
}

/// A reconciliation that is due.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// What the object was like when it was last looked at, as far as its operator cares.
    pub(super) state: Value,
    pub(super) due: Option<Instant>,
}

/// A rollout on its way.
#[derive(Debug, Clone, Default)]
pub(super) struct Rolling {
    /// The template that the pods are of.
    pub(super) template: Value,
    pub(super) stage: usize,
    /// There were no pods before.
    pub(super) is_first: bool,
    pub(super) next: Option<Instant>,
    /// Finished rollouts.
    pub(super) count: usize,
    /// The environment of the pods, as it was when they started.
    pub(super) environment: BTreeMap<String, String>,
}

impl Rolling {
    fn is_done(&self) -> bool {
        self.stage == super::controller::STAGES
    }
}

/// Everything in the cluster.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// How the operator behaves.
    pub(crate) operator: Operator,
    /// What becomes of rollouts.
    pub(crate) rollout: Rollout,
    /// How long the operator and the controllers wait before each step.
    pub(crate) delay: Duration,
    /// The definition of `InfisicalSecret` knows no `syncConfig`, as old ones.
    pub(crate) has_old_definition: bool,
    /// What the account may not do: verb and plural (`get`, `secrets`).
    pub(crate) denied: BTreeSet<(String, String)>,
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) seen: BTreeMap<String, Seen>,
    pub(super) rolling: BTreeMap<String, Rolling>,
    version: u64,
}

impl World {
    /// Puts an object there, as `kubectl create` does.
    pub(crate) fn put(&mut self, object: Value) {
        let mut object = object;
        let path = path_of(&object);
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if object["kind"] != "Secret" {
            object["metadata"]["generation"] = json!(1);
        }
        self.objects.insert(path, object);
    }

    /// What kept new pods from coming up is mended.
    pub(crate) fn mend_rollouts(&mut self) {
        self.rollout = Rollout::Well;
        for rolling in self.rolling.values_mut() {
            rolling.next = rolling.next.or_else(|| (!rolling.is_done()).then(Instant::now));
        }
    }

    /// An object, by its path or the end of it: `deployments/zeus`.
    pub(crate) fn object(&self, path: &str) -> &Value {
        let found = self.objects.iter().find(|(known, _)| known.ends_with(path));
        found.map(|(_, object)| object).unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// Changes an object as somebody else would.
    pub(crate) fn edit(&mut self, path: &str, change: impl FnOnce(&mut Value)) {
        let path = self.objects.keys().find(|known| known.ends_with(path)).expect("there is one").clone();
        let mut object = self.objects[&path].clone();
        change(&mut object);
        self.store(&path, object);
    }

    /// What a Secret holds under a key.
    pub(crate) fn secret(&self, name: &str, key: &str) -> Option<String> {
        super::operator::decoded(&self.object(&format!("secrets/{name}"))["data"][key])
    }

    /// The environment of a workload's pods, as it was when they started.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> BTreeMap<String, String> {
        self.rolling_of(namespace, name).environment.clone()
    }

    /// How often a workload has been rolled out, the first time included.
    pub(crate) fn rollouts(&self, namespace: &str, name: &str) -> usize {
        self.rolling_of(namespace, name).count
    }

    fn rolling_of(&self, namespace: &str, name: &str) -> &Rolling {
        let is_it = |path: &str| {
            path.contains(&format!("/namespaces/{namespace}/")) && path.ends_with(&format!("/{name}"))
        };
        let found = self.rolling.iter().find(|(path, _)| is_it(path));
        found.map(|(_, rolling)| rolling).unwrap_or_else(|| panic!("there is no workload {namespace}/{name}"))
    }

    /// Stores an object in the place of another: a new version if anything changed, a new generation if its spec did.
    pub(super) fn store(&mut self, path: &str, mut object: Value) -> Value {
        let before = self.objects.get(path).cloned().unwrap_or_default();
        if object == before {
            return object;
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if object["kind"] != "Secret" && object["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    /// Somebody else writes to an object.
    pub(super) fn interfere(&mut self, path: &str) {
        if let Some(mut object) = self.objects.get(path).cloned() {
            object["metadata"]["labels"]["touched"] = json!(self.version.to_string());
            self.store(path, object);
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.objects.iter().all(|(path, object)| {
            if path.contains("/infisical") {
                let state = super::operator::what_matters(self.operator, object);
                let is_done = |seen: &Seen| seen.due.is_none() && seen.state == state;
                self.operator == Operator::Down || self.seen.get(path).is_some_and(is_done)
            } else if path.starts_with("/apis/apps/") {
                let is_seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
                let template = &object["spec"]["template"];
                let is_done = |rolling: &Rolling| rolling.next.is_none() && rolling.template == *template;
                is_seen && self.rolling.get(path).is_some_and(is_done)
            } else {
                true
            }
        })
    }

    pub(super) fn is_due(&self, next: Option<Instant>) -> bool {
        next.is_none_or(|next| next <= Instant::now())
    }
}

/// Where an object is.
pub(super) fn path_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("an object has it").to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (namespace, name) = (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    format!("{root}/namespaces/{namespace}/{}s/{name}", kind.to_lowercase())
}
