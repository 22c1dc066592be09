//! The manager's operator: it writes Secrets, and restarts workloads that ask for it.

use std::{collections::BTreeMap, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Manager,
    world::{Operator, Seen, World},
};

const VERSION: &str = "secrets.infisical.com/version";

pub(super) fn encoded(value: &str) -> String {
    STANDARD.encode(value)
}

pub(super) fn decoded(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}

/// Looks at every resource, and does what is due.
pub(super) fn step(world: &mut World, manager: &Manager) {
    if world.operator == Operator::Down {
        return;
    }
    let paths: Vec<String> =
        world.objects.keys().filter(|path| path.contains("/infisical")).cloned().collect();
    for path in paths {
        let state = what_matters(world.operator, &world.objects[&path]);
        let due = Instant::now() + world.delay;
        let seen = world.seen.entry(path.clone()).or_insert_with(|| Seen { state: Value::Null, due: None });
        if seen.state != state {
            *seen = Seen { state, due: Some(due) };
        }
        if seen.due.is_some_and(|due| due <= Instant::now()) {
            seen.due = None;
            reconcile(world, &path, manager);
        }
    }
}

/// What makes the operator act when it changes.
pub(super) fn what_matters(operator: Operator, resource: &Value) -> Value {
    let metadata = &resource["metadata"];
    match (operator, resource["kind"].as_str()) {
        (Operator::Old, _) => metadata["resourceVersion"].clone(),
        (_, Some("InfisicalStaticSecret")) => {
            json!([metadata["generation"], metadata["annotations"], metadata["labels"]])
        }
        _ => metadata["generation"].clone(),
    }
}

fn reconcile(world: &mut World, path: &str, manager: &Manager) {
    let resource = world.objects[path].clone();
    let spec = &resource["spec"];
    let (environment, folder, references) = if resource["kind"] == "InfisicalStaticSecret" {
        let source = &spec["sources"][0];
        (&source["environmentSlug"], &source["secretPath"], list(&spec["targets"]))
    } else {
        let scope = &spec["authentication"]["universalAuth"]["secretsScope"];
        let mut all = list(&spec["managedKubeSecretReferences"]);
        all.extend(Some(spec["managedSecretReference"].clone()).filter(Value::is_object));
        (&scope["envSlug"], &scope["secretsPath"], all)
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let values = manager(&text(environment), &text(folder));
    for reference in references {
        let either =
            |a: &str, b: &str| text(if reference[a].is_null() { &reference[b] } else { &reference[a] });
        let (namespace, name) = (either("secretNamespace", "namespace"), either("secretName", "name"));
        write(world, &resource, &namespace, &name, &rendered(&values, &reference["template"]));
        reload(world, &namespace, &name);
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The manager trims; a template puts `{{ .NAME.Value }}` into texts.
fn rendered(values: &BTreeMap<String, String>, template: &Value) -> BTreeMap<String, String> {
    let trimmed: BTreeMap<String, String> =
        values.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())).collect();
    let Some(template) = template["data"].as_object() else { return trimmed };
    let fill = |text: &str| {
        trimmed.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{ .{name}.Value }}}}"), value)
        })
    };
    template.iter().map(|(key, text)| (key.clone(), fill(text.as_str().unwrap_or_default()))).collect()
}

/// Writes a Secret, where what is in it differs from what was.
fn write(world: &mut World, resource: &Value, namespace: &str, name: &str, data: &BTreeMap<String, String>) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    let data: BTreeMap<&String, String> = data.iter().map(|(key, value)| (key, encoded(value))).collect();
    let data = json!(data);
    let version = format!("{:x}", Sha256::digest(data.to_string()));
    let before = world.objects.get(&path).cloned().unwrap_or_default();
    if before["metadata"]["annotations"][VERSION] == version.as_str() {
        return;
    }
    // Annotations that it does not know go onto the Secret.
    let mut annotations = resource["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(VERSION.to_owned(), json!(version));
    let mut secret = before;
    secret["apiVersion"] = json!("v1");
    secret["kind"] = json!("Secret");
    secret["metadata"]["namespace"] = json!(namespace);
    secret["metadata"]["name"] = json!(name);
    secret["metadata"]["annotations"] = json!(annotations);
    secret["data"] = data;
    world.store(&path, secret);
}

/// Sets the Secret's version on the workloads that use it and ask for that.
fn reload(world: &mut World, namespace: &str, secret: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
    let version = world.objects[&path]["metadata"]["annotations"][VERSION].clone();
    let annotation = format!("secrets.infisical.com/managed-secret.{secret}");
    let root = format!("/apis/apps/v1/namespaces/{namespace}/");
    let paths: Vec<String> = world.objects.keys().filter(|path| path.starts_with(&root)).cloned().collect();
    for path in paths {
        let mut workload = world.objects[&path].clone();
        let asks = workload["metadata"]["annotations"]["secrets.infisical.com/auto-reload"] == "true";
        if asks && uses(&workload["spec"]["template"]["spec"], secret) {
            workload["metadata"]["annotations"][&annotation] = version.clone();
            workload["spec"]["template"]["metadata"]["annotations"][&annotation] = version.clone();
            world.store(&path, workload);
        }
    }
}

fn uses(pod: &Value, secret: &str) -> bool {
    let containers = list(&pod["containers"]);
    let of_container = containers.iter().any(|container| {
        list(&container["envFrom"]).iter().any(|from| from["secretRef"]["name"] == secret)
            || list(&container["env"]).iter().any(|env| env["valueFrom"]["secretKeyRef"]["name"] == secret)
    });
    of_container || list(&pod["volumes"]).iter().any(|volume| volume["secret"]["secretName"] == secret)
}
