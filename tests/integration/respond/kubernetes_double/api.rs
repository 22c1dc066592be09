//! The API server.

use serde_json::{Value, json};

use super::{operator, patch, token, world::World};
use crate::infisical::http::{Received, Reply};

/// A `Status`, as it comes with every refusal.
pub(super) fn status(code: u16, reason: &str, message: &str, field: Option<&str>) -> Reply {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    if let Some(field) = field {
        body["details"] =
            json!({"causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}]});
    }
    Reply::json(code, &body)
}

/// Answers a request, and does what it asks.
pub(super) fn answer(world: &mut World, request: &Received) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {}", token())) {
        return status(401, "Unauthorized", "Unauthorized", None);
    }
    let path = format!("/{}", request.path.join("/"));
    if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" {
        return review(world, request);
    }
    let verb = match request.method.as_str() {
        "GET" => "get",
        "PATCH" => "patch",
        _ => return status(405, "MethodNotAllowed", "the double does not know this method", None),
    };
    let plural = request.path.iter().rev().nth(1).cloned().unwrap_or_default();
    if world.denied.contains(&(verb.to_owned(), plural.clone())) {
        let message = format!("User \"hekate\" cannot {verb} resource \"{plural}\"");
        return status(403, "Forbidden", &message, None);
    }
    if !world.objects.contains_key(&path) {
        return status(404, "NotFound", "not found", None);
    }
    match verb {
        "get" => Reply::json(200, &world.objects[&path]),
        _ => patched(world, &path, request).unwrap_or_else(|refusal| refusal),
    }
}

fn review(world: &World, request: &Received) -> Reply {
    if request.method != "POST" || request.header("content-type") != Some("application/json") {
        return status(415, "UnsupportedMediaType", "not a review", None);
    }
    let mut review = request.json();
    let attributes = &review["spec"]["resourceAttributes"];
    let text = |key: &str| attributes[key].as_str().unwrap_or_default().to_owned();
    let is_asked_well = review["kind"] == "SelfSubjectAccessReview"
        && ["namespace", "verb", "resource", "name"].iter().all(|key| !text(key).is_empty());
    if !is_asked_well {
        return status(422, "Invalid", "a review needs attributes", Some("spec"));
    }
    let is_allowed = !world.denied.contains(&(text("verb"), text("resource")));
    review["status"] = json!({"allowed": is_allowed});
    Reply::json(201, &review)
}

fn patched(world: &mut World, path: &str, request: &Received) -> Result<Reply, Reply> {
    let is_custom = path.starts_with("/apis/secrets.infisical.com/");
    for (name, _) in &request.query {
        if name != "fieldManager" {
            return Err(status(400, "BadRequest", "unknown parameter", None));
        }
    }
    let before = world.objects[path].clone();
    let change: Value = serde_json::from_slice(&request.body)
        .map_err(|_| status(400, "BadRequest", "error decoding patch", None))?;
    let mut after = match request.header("content-type") {
        Some("application/merge-patch+json") => patch::merge(before.clone(), &change),
        Some("application/strategic-merge-patch+json") if !is_custom => {
            patch::strategic(before.clone(), &change).map_err(|why| status(400, "BadRequest", &why, None))?
        }
        _ => {
            return Err(status(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format",
                None,
            ));
        }
    };
    let asked = &change["metadata"]["resourceVersion"];
    if !asked.is_null() && *asked != before["metadata"]["resourceVersion"] {
        return Err(status(409, "Conflict", "the object has been modified", None));
    }
    after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    validate(world, &before, &mut after)?;
    Ok(Reply::json(200, &world.store(path, after)))
}

/// What the server does not take, and what it drops.
fn validate(world: &World, before: &Value, after: &mut Value) -> Result<(), Reply> {
    let invalid = |field: &str, value: &Value| {
        Err(status(422, "Invalid", &format!("{field}: Invalid value: {value}"), Some(field)))
    };
    for field in ["name", "namespace", "generation"] {
        if before["metadata"][field] != after["metadata"][field] {
            return invalid(&format!("metadata.{field}"), &after["metadata"][field]);
        }
    }
    if before["status"] != after["status"] {
        // A subresource of its own.
        after["status"] = before["status"].clone();
    }
    let annotations = after["metadata"]["annotations"].as_object();
    for (name, value) in annotations.into_iter().flatten() {
        let bare = name.rsplit('/').next().unwrap_or_default();
        let is_name = !bare.is_empty()
            && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_name || !value.is_string() {
            return invalid("metadata.annotations", value);
        }
    }
    match after["kind"].as_str() {
        Some("Secret") => secret(before, after),
        Some("InfisicalSecret") => infisical_secret(world, after),
        Some("Deployment" | "StatefulSet" | "DaemonSet") => workload(after),
        _ => Ok(()),
    }
}

fn secret(before: &Value, after: &Value) -> Result<(), Reply> {
    let data = after["data"].as_object();
    for (key, value) in data.into_iter().flatten() {
        if operator::decoded(value).is_none() {
            // The real one quotes what it can't decode.
            return Err(status(400, "BadRequest", &format!("illegal base64 data in {key}: {value}"), None));
        }
    }
    if before["immutable"] == true && before["data"] != after["data"] {
        return Err(status(422, "Invalid", "data: Forbidden: field is immutable", Some("data")));
    }
    Ok(())
}

fn infisical_secret(world: &World, after: &mut Value) -> Result<(), Reply> {
    let Some(spec) = after["spec"].as_object_mut() else {
        return Err(status(422, "Invalid", "spec: Required value", Some("spec")));
    };
    if world.has_old_definition {
        spec.remove("syncConfig");
    }
    let number = spec.get("resyncInterval").is_none_or(Value::is_i64);
    let config = spec.get("syncConfig").is_none_or(|config| {
        config.is_object() && (config["resyncInterval"].is_null() || config["resyncInterval"].is_string())
    });
    match (number, config) {
        (true, true) => Ok(()),
        (false, _) => Err(status(422, "Invalid", "must be of type integer", Some("spec.resyncInterval"))),
        (_, false) => {
            Err(status(422, "Invalid", "must be of type string", Some("spec.syncConfig.resyncInterval")))
        }
    }
}

fn workload(after: &Value) -> Result<(), Reply> {
    let template = &after["spec"]["template"];
    let annotations = template["metadata"]["annotations"].as_object();
    if annotations.into_iter().flatten().any(|(_, value)| !value.is_string()) {
        return Err(status(400, "BadRequest", "an annotation is no text", None));
    }
    for container in template["spec"]["containers"].as_array().into_iter().flatten() {
        if container["image"].as_str().is_none() {
            return Err(status(
                422,
                "Invalid",
                "image: Required value",
                Some("spec.template.spec.containers[0].image"),
            ));
        }
        for env in container["env"].as_array().into_iter().flatten() {
            let from = &env["valueFrom"]["secretKeyRef"];
            let is_whole =
                env["valueFrom"].is_null() || (from["name"].is_string() && from["key"].is_string());
            if !is_whole || (env.get("value").is_some() && env.get("valueFrom").is_some()) {
                let message =
                    format!("env: Invalid value: {env}: may not be specified when `value` is not empty");
                return Err(status(
                    422,
                    "Invalid",
                    &message,
                    Some("spec.template.spec.containers[0].env[0].valueFrom"),
                ));
            }
        }
    }
    Ok(())
}
