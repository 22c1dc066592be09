//! Projects and folders.

use serde_json::{Value, json};

use super::{
    auth::Actor,
    http::Received,
    routes::{Outcome, bad_request, denied, invalid, not_found, refusal, required, wrong_kind},
    secrets::folder_missing,
    world::World,
};

pub(crate) fn is_route(method: &str, rest: &[&str]) -> bool {
    matches!(
        (method, rest),
        ("GET", ["v1", "projects"] | ["v1", "projects", _] | ["v1", "projects", "slug", _])
            | ("GET", ["v1", "workspace"] | ["v2", "workspace", _])
            | ("GET" | "POST", ["v2", "folders"])
            | ("GET", ["v1", "organization", "audit-logs"])
    )
}

pub(crate) fn route(world: &mut World, request: &Received, rest: &[&str], actor: &Actor) -> Option<Outcome> {
    let is_service = matches!(actor, Actor::Service(_));
    Some(match (request.method.as_str(), rest) {
        (
            "GET",
            ["v1", "projects" | "workspace"] | ["v1", "projects", "slug", _] | ["v2", "workspace", _],
        ) if is_service => Err(wrong_kind(request)),
        ("GET", ["v1", "projects"]) => Ok(json!({"projects": seen(world, actor)})),
        ("GET", ["v1", "workspace"]) => Ok(json!({"workspaces": seen(world, actor)})),
        ("GET", ["v1", "projects", "slug", slug] | ["v2", "workspace", slug]) => by_slug(world, actor, slug),
        ("GET", ["v1", "projects", id]) => by_id(world, actor, id),
        ("GET", ["v2", "folders"]) => folders(world, request, actor),
        ("POST", ["v2", "folders"]) => make_folder(world, request, actor),
        ("GET", ["v1", "organization", "audit-logs"]) => Ok(json!({"auditLogs": []})),
        _ => return None,
    })
}

fn project(world: &World) -> Value {
    let environment =
        |(slug, name): &(String, String)| json!({"name": name, "slug": slug, "id": format!("env-{slug}")});
    let environments: Vec<Value> = world.environments.iter().map(environment).collect();
    json!({
        "id": world.project_id, "name": world.project_name, "description": null, "type": "secret-manager",
        "slug": world.project_slug, "version": 3, "pitVersionLimit": 10, "_id": world.project_id,
        "environments": environments, "deletedEnvironments": [],
    })
}

fn seen(world: &World, actor: &Actor) -> Vec<Value> {
    if actor.rights(world).is_member { vec![project(world)] } else { Vec::new() }
}

/// Refuses who is not in the project.
pub(crate) fn check_member(world: &World, actor: &Actor) -> Result<(), super::http::Reply> {
    if actor.rights(world).is_member {
        return Ok(());
    }
    let id = &world.project_id;
    let message =
        format!("You are not a member of this project with ID {id}. Please contact an administrator.");
    Err(refusal(403, "ProjectMembershipNotFound", message))
}

fn by_slug(world: &World, actor: &Actor, slug: &str) -> Outcome {
    let is_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !slug.chars().all(is_slug) {
        return Err(invalid("custom", "slug"));
    }
    if slug != world.project_slug {
        return Err(not_found(format!("Project with slug '{slug}' not found")));
    }
    check_member(world, actor)?;
    Ok(project(world))
}

fn by_id(world: &World, actor: &Actor, id: &str) -> Outcome {
    check_id(world, id)?;
    check_member(world, actor)?;
    Ok(json!({"project": project(world)}))
}

pub(crate) fn check_id(world: &World, id: &str) -> Result<(), super::http::Reply> {
    if id == world.project_id {
        return Ok(());
    }
    Err(not_found(format!(
        "Project with ID '{id}' not found during bot lookup. Are you sure you are using the correct project ID?"
    )))
}

fn folder(path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({"id": format!("folder-{name}"), "name": name, "version": 1, "isReserved": false, "relativePath": path, "path": path})
}

fn folders(world: &World, request: &Received, actor: &Actor) -> Outcome {
    check_id(world, request.parameter("projectId").unwrap_or_default())?;
    check_member(world, actor)?;
    let environment = request.parameter("environment").unwrap_or_default();
    let base = request.parameter("path").unwrap_or("/");
    if !world.has_folder(environment, base) {
        return Err(folder_missing(environment, base, "SecretPathNotFound"));
    }
    let is_deep = request.parameter("recursive") == Some("true");
    let under = format!("{}/", base.trim_end_matches('/'));
    let is_listed =
        |path: &&String| path.strip_prefix(&under).is_some_and(|rest| is_deep || !rest.contains('/'));
    let listed = world.folders.get(environment).into_iter().flatten().filter(is_listed);
    let folders: Vec<Value> = listed.map(|path| folder(path)).collect();
    Ok(json!({"folders": folders}))
}

fn make_folder(world: &mut World, request: &Received, actor: &Actor) -> Outcome {
    check_id(world, &required(request, "projectId")?)?;
    check_member(world, actor)?;
    if !actor.rights(world).writes {
        return Err(denied("create on secret-folders"));
    }
    let (environment, name) = (required(request, "environment")?, required(request, "name")?);
    let parent = request.field("path").unwrap_or_else(|| "/".into());
    let is_right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_right) {
        return Err(invalid("custom", "name"));
    }
    if !world.has_folder(&environment, &parent) {
        return Err(folder_missing(&environment, &parent, "CreateFolder"));
    }
    let path = format!("{}/{name}", parent.trim_end_matches('/'));
    if world.has_folder(&environment, &path) {
        return Err(bad_request("Folder with this name already exists"));
    }
    world.make_folder(&environment, &path);
    Ok(json!({"folder": folder(&path)}))
}
