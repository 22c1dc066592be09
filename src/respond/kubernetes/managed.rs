//! Secrets that the manager's operator writes: which they are, and what they hold.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{object::Object, workload::Annotations};
use crate::{
    inventory::{Consumer, ConsumerType},
    model::Secret,
    respond::target::Trouble,
    store::as_stored,
};

/// A hash of what the operator wrote, by which it knows whether to restart workloads.
pub(super) const VERSION: &str = "secrets.infisical.com/version";
/// A shorter value is looked for whole only: in a longer text it may stand by chance.
const SHORTEST_PART: usize = 8;

/// What a Secret is expected to hold.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The secret's name in the manager: also its key, unless a template says otherwise.
    pub key: &'a str,
    /// Its value.
    pub value: &'a Secret,
}

/// A Secret of Kubernetes. What it holds is wiped when it is dropped.
#[derive(Deserialize)]
pub(super) struct Managed {
    metadata: Metadata,
    #[serde(default)]
    data: Option<BTreeMap<String, Zeroizing<String>>>,
    #[serde(default)]
    pub(super) immutable: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    annotations: Option<Annotations>,
}

impl Managed {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Which writing of it this is.
    pub(super) fn resource_version(&self) -> &str {
        &self.metadata.resource_version
    }

    /// A value of it; none where there is no such key, or no base64 behind it.
    pub(super) fn value(&self, key: &str) -> Option<Secret> {
        STANDARD.decode(self.data.as_ref()?.get(key)?.as_bytes()).ok().map(Secret::new)
    }

    fn has(&self, key: &str) -> bool {
        self.data.as_ref().is_some_and(|data| data.contains_key(key))
    }

    /// Whether it holds a value: under the secret's own name, or where it has no such key under any.
    fn carries(&self, expect: &Expect<'_>) -> bool {
        let holds = |key: &str| self.value(key).is_some_and(|value| holds(&value, expect.value));
        if self.has(expect.key) {
            return holds(expect.key);
        }
        self.data.iter().flatten().any(|(key, _)| holds(key))
    }
}

/// Whether a value is the expected one as the manager stores it, or a template has put that into a longer text, as it is or percent-encoded.
fn holds(value: &Secret, expected: &Secret) -> bool {
    let (value, expected) = (as_stored(value), as_stored(expected));
    let part = expected.expose().trim_ascii();
    if part.is_empty() {
        return false;
    }
    if value == expected || value.expose().trim_ascii() == part {
        return true;
    }
    if part.len() < SHORTEST_PART {
        return false;
    }
    let encoded = Zeroizing::new(percent_encode(part, NON_ALPHANUMERIC).to_string());
    [part, encoded.as_bytes()].iter().any(|part| memchr::memmem::find(value.expose(), part).is_some())
}

/// Whether Secrets, read at one time, are synced: those that have the secret's key hold the value, and one of them does at least.
pub(super) fn are_synced(secrets: &[Option<Managed>], expect: &Expect<'_>) -> bool {
    let found = || secrets.iter().flatten();
    found().any(|secret| secret.carries(expect))
        && found().all(|secret| !secret.has(expect.key) || secret.carries(expect))
}

/// The Secrets that a resource of the manager's operator has it write.
///
/// # Errors
/// That it has it write none, or one whose name is none.
pub(super) fn of_resource(
    consumer: &Consumer,
    object: &Object,
    resource: &Value,
) -> Result<Vec<Object>, Trouble> {
    let spec = &resource["spec"];
    let mut named = match consumer.kind {
        ConsumerType::InfisicalStaticSecret => targets(spec),
        _ => references(spec),
    };
    if let Some(secret) = &consumer.secret {
        named.retain(|(_, name)| name == secret);
        if named.is_empty() {
            named.push((consumer.namespace.clone(), secret.clone()));
        }
    }
    if named.is_empty() {
        return Err(Trouble::Refused(format!(
            "{object} has no Secret written: name the one to look at as `secret` of the consumer"
        )));
    }
    named.sort();
    named.dedup();
    named.iter().map(|(namespace, name)| Object::secret(namespace, name)).collect()
}

/// Of an `InfisicalSecret`: the one of old, and the list of today.
fn references(spec: &Value) -> Vec<(String, String)> {
    let list = spec["managedKubeSecretReferences"].as_array();
    let all = list.into_iter().flatten().chain([&spec["managedSecretReference"]]);
    all.filter_map(|reference| pair(reference, "secretNamespace", "secretName")).collect()
}

/// Of an `InfisicalStaticSecret`.
fn targets(spec: &Value) -> Vec<(String, String)> {
    let all = spec["targets"].as_array().into_iter().flatten();
    all.filter(|target| target["kind"] == "Secret")
        .filter_map(|target| pair(target, "namespace", "name"))
        .collect()
}

fn pair(reference: &Value, namespace: &str, name: &str) -> Option<(String, String)> {
    let text = |key: &str| reference[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some((text(namespace)?, text(name)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(data: &[(&str, &str)]) -> Managed {
        let data: BTreeMap<&str, String> =
            data.iter().map(|(key, value)| (*key, STANDARD.encode(value))).collect();
        serde_json::from_value(json!({"metadata": {"resourceVersion": "1"}, "data": data})).unwrap()
    }

    fn is_synced(secrets: Vec<Managed>, value: &str) -> bool {
        let value = Secret::new(value);
        let secrets: Vec<Option<Managed>> = secrets.into_iter().map(Some).collect();
        are_synced(&secrets, &Expect { key: "PASSWORD", value: &value })
    }

    /// No password, and none that stands here whole.
    fn word(which: &str) -> String {
        format!("{which}/word+1")
    }

    #[test]
    fn the_secrets_own_key_decides() {
        let (old, new) = (word("old"), word("new"));
        assert!(is_synced(vec![secret(&[("PASSWORD", &new)])], &new));
        let (stored, given) = (format!("{new}\n"), format!(" {new} "));
        assert!(is_synced(vec![secret(&[("PASSWORD", &stored)])], &given), "the manager trims");
        assert!(!is_synced(vec![secret(&[("PASSWORD", &old), ("COPY", &new)])], &new));
        assert!(!is_synced(vec![secret(&[])], &new));
    }

    #[test]
    fn a_template_may_rename_the_key_or_put_the_value_into_a_text() {
        let new = word("new");
        assert!(is_synced(vec![secret(&[("renamed", &new)])], &new));
        let url = format!("postgres://kosmos:{}@db", new.replace('/', "%2F").replace('+', "%2B"));
        assert!(is_synced(vec![secret(&[("URL", &url)])], &new));
        assert!(!is_synced(vec![secret(&[("URL", "postgres://db/new")])], "new"), "too short to be told");
        assert!(!is_synced(vec![secret(&[("A", "")])], ""));
    }

    #[test]
    fn of_several_secrets_none_may_lag_behind() {
        let (old, word) = (word("old"), word("new"));
        let new = || secret(&[("PASSWORD", &word)]);
        assert!(is_synced(vec![new(), secret(&[("OTHER", "x")])], &word));
        assert!(!is_synced(vec![new(), secret(&[("PASSWORD", &old)])], &word));
    }

    fn consumer(kind: ConsumerType, secret: Option<&str>) -> Consumer {
        Consumer {
            kind,
            namespace: "kosmos-db".into(),
            name: "credentials".into(),
            next_env: None,
            secret: secret.map(str::to_owned),
            token: None,
        }
    }

    #[test]
    fn the_resource_says_which_secrets_it_has_written() {
        let old = json!({"spec": {"managedSecretReference": {"secretName": "a", "secretNamespace": "n"}}});
        let new = json!({"spec": {"managedSecretReference": {"secretName": ""}, "managedKubeSecretReferences": [
            {"secretName": "b", "secretNamespace": "n"}, {"secretName": "c", "secretNamespace": "m"}]}});
        let fixed = json!({"spec": {"targets": [
            {"kind": "ConfigMap", "name": "x", "namespace": "n"}, {"kind": "Secret", "name": "d", "namespace": "n"}]}});
        let (plain, constant) = (ConsumerType::InfisicalSecret, ConsumerType::InfisicalStaticSecret);
        for (kind, secret, resource, expected) in [
            (plain, None, &old, vec!["n/a"]),
            (plain, None, &new, vec!["m/c", "n/b"]),
            (plain, Some("c"), &new, vec!["m/c"]),
            (plain, Some("z"), &new, vec!["kosmos-db/z"]),
            (constant, None, &fixed, vec!["n/d"]),
            (constant, None, &old, vec![]),
        ] {
            let consumer = consumer(kind, secret);
            let object = Object::of(&consumer).unwrap();
            let found = of_resource(&consumer, &object, resource).unwrap_or_default();
            let found: Vec<String> =
                found.iter().map(|object| format!("{}/{}", object.namespace, object.name)).collect();
            assert_eq!(found, expected, "{resource}");
        }
    }
}
