//! Objects as one writes them into files.

use serde_json::{Value, json};

/// An `InfisicalSecret` that writes a Secret of its own name, from a folder of the manager.
pub(crate) fn infisical_secret(namespace: &str, name: &str, environment: &str, folder: &str) -> Value {
    json!({
        "apiVersion": "secrets.infisical.com/v1alpha1",
        "kind": "InfisicalSecret",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "authentication": {"universalAuth": {"secretsScope": {"envSlug": environment, "secretsPath": folder}}},
            "managedKubeSecretReferences": [{"secretName": name, "secretNamespace": namespace, "creationPolicy": "Owner"}],
        },
    })
}

/// An `InfisicalStaticSecret` of the same.
pub(crate) fn static_secret(namespace: &str, name: &str, environment: &str, folder: &str) -> Value {
    json!({
        "apiVersion": "secrets.infisical.com/v1beta1",
        "kind": "InfisicalStaticSecret",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "syncOptions": {"refreshInterval": "1h"},
            "sources": [{"projectSlug": "kosmos", "environmentSlug": environment, "secretPath": folder}],
            "targets": [{"kind": "Secret", "name": name, "namespace": namespace, "creationPolicy": "Owner"}],
        },
    })
}

/// A Deployment of three pods, whose one container has all keys of a Secret as variables.
pub(crate) fn deployment(namespace: &str, name: &str, secret: &str) -> Value {
    workload("Deployment", namespace, name, secret)
}

/// The same as a `StatefulSet` or `DaemonSet`.
pub(crate) fn workload(kind: &str, namespace: &str, name: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": name,
                    "image": "kosmos:1",
                    "env": [{"name": "MODE", "value": "live"}],
                    "envFrom": [{"secretRef": {"name": secret}}],
                }]},
            },
        },
    })
}

/// A Secret.
pub(crate) fn secret(namespace: &str, name: &str, data: &[(&str, &str)]) -> Value {
    let encoded = |(key, value): &(&str, &str)| ((*key).to_owned(), json!(super::operator::encoded(value)));
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"namespace": namespace, "name": name},
        "data": data.iter().map(encoded).collect::<serde_json::Map<_, _>>(),
    })
}
