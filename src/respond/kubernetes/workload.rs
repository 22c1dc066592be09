//! Deployments, StatefulSets and DaemonSets: as much of them as is looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

/// Names and texts that anybody may put on an object.
pub(super) type Annotations = BTreeMap<String, String>;

/// A workload. Values that stand in it in clear are not read.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Workload {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) generation: i64,
    pub(super) annotations: Option<Annotations>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) replicas: Option<i64>,
    #[serde(default)]
    pub(super) paused: bool,
    /// Of StatefulSets and DaemonSets.
    pub(super) update_strategy: Option<UpdateStrategy>,
    pub(super) selector: Option<Selector>,
    pub(super) template: Template,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) rolling_update: Option<RollingUpdate>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RollingUpdate {
    pub(super) partition: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    pub(super) metadata: TemplateMetadata,
    pub(super) spec: PodSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateMetadata {
    pub(super) annotations: Option<Annotations>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodSpec {
    pub(super) containers: Vec<Container>,
    pub(super) volumes: Option<Vec<Volume>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) env: Option<Vec<Env>>,
    pub(super) env_from: Option<Vec<EnvFrom>>,
    pub(super) volume_mounts: Option<Vec<VolumeMount>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Env {
    pub(super) name: String,
    pub(super) value_from: Option<ValueFrom>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueFrom {
    pub(super) secret_key_ref: Option<KeyReference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct KeyReference {
    #[serde(default)]
    pub(super) name: String,
    pub(super) key: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvFrom {
    pub(super) secret_ref: Option<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reference {
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct VolumeMount {
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) secret: Option<VolumeSecret>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeSecret {
    pub(super) secret_name: Option<String>,
    #[serde(rename = "items")]
    _items: Option<IgnoredAny>,
}

/// What the controller has got done. The three kinds of workloads have some fields of these each.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) observed_generation: i64,
    pub(super) replicas: i64,
    pub(super) updated_replicas: i64,
    pub(super) ready_replicas: i64,
    pub(super) available_replicas: i64,
    pub(super) current_revision: String,
    pub(super) update_revision: String,
    pub(super) desired_number_scheduled: i64,
    pub(super) updated_number_scheduled: i64,
    pub(super) number_available: i64,
    pub(super) conditions: Option<Vec<Condition>>,
}

/// How an object is, in a word of its controller.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
}

impl Workload {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    pub(super) fn template_annotation(&self, name: &str) -> Option<&str> {
        self.spec.template.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    pub(super) fn containers(&self) -> &[Container] {
        &self.spec.template.spec.containers
    }

    fn volumes(&self) -> impl Iterator<Item = (&str, &str)> {
        let volumes = self.spec.template.spec.volumes.as_deref().unwrap_or_default();
        volumes.iter().filter_map(|volume| {
            Some((volume.name.as_str(), volume.secret.as_ref()?.secret_name.as_deref()?))
        })
    }

    /// Whether a container reads a Secret: as variables, or as files.
    pub(super) fn reads(&self, container: &Container, secret: &str) -> bool {
        let mounts = container.volume_mounts.as_deref().unwrap_or_default();
        let is_mounted =
            |(volume, name): (&str, &str)| name == secret && mounts.iter().any(|mount| mount.name == volume);
        container.variables_from().any(|name| name == secret) || self.volumes().any(is_mounted)
    }

    /// The Secrets that its containers use, as the manager's operator counts them: volumes whether mounted or not, init containers not at all.
    pub(super) fn secrets(&self) -> Vec<String> {
        let of_variables = self.containers().iter().flat_map(Container::variables_from);
        let all = of_variables.chain(self.volumes().map(|(_, secret)| secret));
        let mut secrets: Vec<String> = all.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        secrets.sort();
        secrets.dedup();
        secrets
    }
}

impl Container {
    fn variables_from(&self) -> impl Iterator<Item = &str> {
        let env = self.env.as_deref().unwrap_or_default();
        let whole = self.env_from.as_deref().unwrap_or_default();
        let keys = env.iter().filter_map(|env| Some(env.secret_key()?.name.as_str()));
        keys.chain(whole.iter().filter_map(|from| Some(from.secret_ref.as_ref()?.name.as_str())))
    }

    /// A variable of it.
    pub(super) fn variable(&self, name: &str) -> Option<&Env> {
        self.env.as_deref().unwrap_or_default().iter().find(|env| env.name == name)
    }
}

impl Env {
    /// The key that it is taken from.
    pub(super) fn secret_key(&self) -> Option<&KeyReference> {
        self.value_from.as_ref()?.secret_key_ref.as_ref()
    }
}
