//! Routes of secrets: v4, v3 raw, and versions.

use serde_json::{Value, json};

use super::{
    auth::Actor,
    http::{Received, Reply},
    project::{check_id, check_member},
    routes::{Outcome, bad_request, denied, invalid, not_found, refusal, required, wrong_kind},
    world::{Held, StoredSecret, Version, World},
};

const HIDDEN: &str = "<hidden-by-infisical>";

/// The two shapes of the routes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    V4,
    V3,
}

/// What a path of a route of secrets names.
enum Target<'a> {
    All,
    Batch,
    One(&'a str),
}

impl Api {
    fn project(self) -> &'static str {
        if self == Self::V4 { "projectId" } else { "workspaceId" }
    }

    /// Whether a switch of a query is on. Without it, v4 expands and imports, and v3 does not.
    fn is_on(self, request: &Received, v4: &str, v3: &str) -> bool {
        match request.parameter(if self == Self::V4 { v4 } else { v3 }) {
            Some(value) => value == "true",
            None => self == Self::V4,
        }
    }
}

fn target<'a>(world: &World, rest: &[&'a str]) -> Option<(Api, Target<'a>)> {
    Some(match rest {
        ["v4", ..] if world.settings.is_old => return None,
        ["v4", "secrets"] => (Api::V4, Target::All),
        ["v4", "secrets", "batch"] => (Api::V4, Target::Batch),
        ["v4", "secrets", name] => (Api::V4, Target::One(name)),
        ["v3", "secrets", "raw"] => (Api::V3, Target::All),
        ["v3", "secrets", "batch", "raw"] => (Api::V3, Target::Batch),
        ["v3", "secrets", "raw", name] => (Api::V3, Target::One(name)),
        _ => return None,
    })
}

pub(crate) fn is_route(world: &World, method: &str, rest: &[&str]) -> bool {
    match (method, rest) {
        ("GET", ["v1", "secret", _, "secret-versions"]) => true,
        ("DELETE", ["v2", "secret-versions", _, "redact-value"]) => true,
        (method, rest) => match target(world, rest) {
            Some((_, Target::All)) => method == "GET",
            Some((_, Target::Batch)) => matches!(method, "POST" | "PATCH" | "DELETE"),
            Some((_, Target::One(_))) => matches!(method, "GET" | "POST" | "PATCH" | "DELETE"),
            None => false,
        },
    }
}

pub(crate) fn route(world: &mut World, request: &Received, rest: &[&str], actor: &Actor) -> Option<Outcome> {
    if let ["v1", "secret", id, "secret-versions"] = rest {
        return Some(versions(world, request, actor, id));
    }
    if let ["v2", "secret-versions", id, "redact-value"] = rest {
        return Some(redact(world, request, actor, id));
    }
    let (api, target) = target(world, rest)?;
    Some(match (request.method.as_str(), target) {
        ("GET", Target::All) => list(world, request, actor, api),
        ("GET", Target::One(name)) => get(world, request, actor, (api, name)),
        (_, Target::Batch) => batch(world, request, actor, api),
        (_, Target::One(name)) => change(world, request, actor, (api, name)),
        _ => return None,
    })
}

/// Where a request looks, as the server sees it.
struct Place {
    environment: String,
    folder: String,
}

impl Place {
    fn new(environment: String, folder: &str) -> Self {
        let folder = folder.trim();
        let folder = if folder.len() > 1 { folder.trim_end_matches('/') } else { folder };
        Self { environment, folder: folder.to_owned() }
    }
}

pub(crate) fn folder_missing(environment: &str, folder: &str, error: &str) -> Reply {
    let message = if error == "CreateSecret" {
        format!("Folder with path '{folder}' in environment with slug '{environment}' not found")
    } else {
        format!(
            "Folder with path '{folder}' in environment '{environment}' was not found. Please ensure the environment slug and secret path is correct."
        )
    };
    refusal(404, error, message)
}

/// The place of a read. A service token with one scope that is no pattern reads from that, whatever is asked.
fn read_place(world: &World, request: &Received, actor: &Actor, api: Api) -> Result<Place, Reply> {
    if let Actor::Service(at) = actor
        && let [(environment, folder)] = world.service_tokens[*at].scopes.as_slice()
        && !folder.contains('*')
    {
        return Ok(Place::new(environment.clone(), folder));
    }
    let by_slug = request.parameter("workspaceSlug").filter(|_| api == Api::V3);
    let project = match by_slug {
        Some(slug) if slug == world.project_slug => Some(world.project_id.as_str()),
        _ => request.parameter(api.project()),
    };
    let (Some(project), Some(environment)) = (project, request.parameter("environment")) else {
        return Err(bad_request("Missing project id or environment"));
    };
    check_id(world, project)?;
    check_member(world, actor)?;
    Ok(Place::new(environment.to_owned(), request.parameter("secretPath").unwrap_or("/")))
}

fn is_in(folder: &str, base: &str) -> bool {
    let base = base.trim_end_matches('/');
    folder.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an actor may read a folder's secrets.
fn may_read(world: &World, actor: &Actor, environment: &str, folder: &str) -> bool {
    match actor {
        Actor::User => true,
        Actor::Service(at) => {
            let token = &world.service_tokens[*at];
            token.permissions.iter().any(|word| word == "read")
                && is_scoped(&token.scopes, environment, folder)
        }
        Actor::Identity(at) => {
            let reads = &world.identities[*at].rights.reads;
            reads.as_ref().is_none_or(|folders| folders.iter().any(|base| is_in(folder, base)))
        }
    }
}

fn may_write(world: &World, actor: &Actor, place: &Place) -> bool {
    match actor {
        Actor::Service(at) => {
            let token = &world.service_tokens[*at];
            token.permissions.iter().any(|word| word == "write")
                && is_scoped(&token.scopes, &place.environment, &place.folder)
        }
        other => {
            let rights = other.rights(world);
            rights.writes && !rights.keeps_off.iter().any(|base| is_in(&place.folder, base))
        }
    }
}

fn is_scoped(scopes: &[(String, String)], environment: &str, folder: &str) -> bool {
    let fits = |path: &str| match path.strip_suffix("/**") {
        Some(base) => is_in(folder, base),
        None => folder == path,
    };
    scopes.iter().any(|(slug, path)| slug == environment && fits(path))
}

fn is_hidden(world: &World, request: &Received, actor: &Actor, folder: &str) -> bool {
    let describes = actor.rights(world).describes;
    request.parameter("viewSecretValue") == Some("false") || describes.iter().any(|base| is_in(folder, base))
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).expect("the world's clock is right");
    time.to_string().replace('Z', ".641Z")
}

/// A secret in a version, as the server shows it.
fn shown(world: &World, secret: &StoredSecret, version: &Version) -> Value {
    let is_current = version.number == secret.current().number;
    let first = secret.versions.first().map_or(version.time, |first| first.time);
    json!({
        "id": secret.id, "_id": secret.id, "workspace": world.project_id, "environment": secret.environment,
        "version": version.number, "type": if secret.is_personal { "personal" } else { "shared" },
        "secretKey": secret.name, "secretValue": version.value, "secretComment": version.comment,
        "secretReminderNote": null, "skipMultilineEncoding": false,
        "createdAt": time(if is_current { first } else { version.time }), "updatedAt": time(version.time),
        "isRotatedSecret": false, "rotationId": null, "secretPath": secret.folder, "secretValueHidden": false,
        "isRedacted": version.is_redacted, "secretMetadata": [], "tags": [],
    })
}

/// The same for a request: hidden or expanded where it is to be.
fn shown_to(world: &World, request: &Received, actor: &Actor, secret: &StoredSecret, api: Api) -> Value {
    let mut json = shown(world, secret, secret.current());
    if api.is_on(request, "expandSecretReferences", "expandSecretReferences") {
        json["secretValue"] = expanded(world, secret, &secret.current().value).into();
    }
    hide(world, request, actor, secret, json)
}

fn hide(world: &World, request: &Received, actor: &Actor, secret: &StoredSecret, mut json: Value) -> Value {
    if is_hidden(world, request, actor, &secret.folder) {
        json["secretValue"] = HIDDEN.into();
        json["secretValueHidden"] = true.into();
    }
    json
}

/// `${NAME}` of the same folder and `${environment.folder.NAME}`, once.
fn expanded(world: &World, secret: &StoredSecret, value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((reference, after)) = after.split_once('}') else { break };
        let parts: Vec<&str> = reference.split('.').collect();
        let found = match parts.as_slice() {
            [name] => world.value(&secret.environment, &secret.folder, name),
            [environment, folders @ .., name] => {
                world.value(environment, &format!("/{}", folders.join("/")), name)
            }
            [] => None,
        };
        out.push_str(before);
        out.push_str(&found.unwrap_or_default());
        rest = after;
    }
    out + rest
}

fn list(world: &World, request: &Received, actor: &Actor, api: Api) -> Outcome {
    let place = read_place(world, request, actor, api)?;
    if !world.has_folder(&place.environment, &place.folder) {
        return Err(folder_missing(&place.environment, &place.folder, "SecretPathNotFound"));
    }
    let is_deep = request.parameter("recursive") == Some("true");
    // A folder that is asked for is refused; of a whole tree, what may not be read is left out without a word.
    if !is_deep && !may_read(world, actor, &place.environment, &place.folder) {
        return Err(denied("read on secrets"));
    }
    let is_listed = |secret: &&StoredSecret| {
        secret.environment == place.environment
            && (if is_deep { is_in(&secret.folder, &place.folder) } else { secret.folder == place.folder })
            && may_read(world, actor, &secret.environment, &secret.folder)
    };
    let mut listed: Vec<&StoredSecret> = world.secrets.iter().filter(is_listed).collect();
    listed.sort_by_key(|secret| (&secret.folder, &secret.name));
    let secrets: Vec<Value> =
        listed.iter().map(|secret| shown_to(world, request, actor, secret, api)).collect();
    let imports = if api.is_on(request, "includeImports", "include_imports") {
        imports(world, &place)
    } else {
        Vec::new()
    };
    Ok(paged(world, request, secrets, &imports))
}

/// One page, of a server that pages.
fn paged(world: &World, request: &Received, secrets: Vec<Value>, imports: &[Value]) -> Value {
    let Some(page) = world.settings.page else { return json!({"secrets": secrets, "imports": imports}) };
    let offset = request.parameter("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    let total = secrets.len();
    let secrets: Vec<Value> = secrets.into_iter().skip(offset).take(page).collect();
    json!({"secrets": secrets, "imports": imports, "totalCount": total})
}

fn imports(world: &World, place: &Place) -> Vec<Value> {
    let into = (place.environment.clone(), place.folder.clone());
    let of = |(environment, folder): &(String, String)| {
        let is_of = |secret: &&StoredSecret| secret.environment == *environment && secret.folder == *folder;
        let secrets: Vec<Value> =
            world.secrets.iter().filter(is_of).map(|secret| shown(world, secret, secret.current())).collect();
        json!({"secretPath": folder, "environment": environment, "secrets": secrets})
    };
    world.imports.iter().filter(|import| import.into == into).map(|import| of(&import.from)).collect()
}

fn get(world: &World, request: &Received, actor: &Actor, (api, name): (Api, &str)) -> Outcome {
    let place = read_place(world, request, actor, api)?;
    if !world.has_folder(&place.environment, &place.folder) {
        return Err(folder_missing(&place.environment, &place.folder, "SecretPathNotFound"));
    }
    if !may_read(world, actor, &place.environment, &place.folder) {
        return Err(denied("read on secrets"));
    }
    let missing = || not_found(format!("Secret with name '{name}' not found"));
    let is_import = api.is_on(request, "includeImports", "include_imports");
    let found = world.find(&place.environment, &place.folder, name).or_else(|| {
        let into = (place.environment.clone(), place.folder.clone());
        let mut from = world.imports.iter().filter(|import| is_import && import.into == into);
        from.find_map(|import| world.find(&import.from.0, &import.from.1, name))
    });
    let secret = &world.secrets[found.ok_or_else(missing)?];
    let Some(number) = request.parameter("version") else {
        return Ok(json!({"secret": shown_to(world, request, actor, secret, api)}));
    };
    let version = secret.versions.iter().find(|version| version.number.to_string() == number);
    let json = shown(world, secret, version.ok_or_else(missing)?);
    Ok(json!({"secret": hide(world, request, actor, secret, json)}))
}

/// The place of a change, for who may make it.
fn change_place(world: &World, request: &Received, actor: &Actor, api: Api) -> Result<Place, Reply> {
    check_id(world, &required(request, api.project())?)?;
    check_member(world, actor)?;
    let folder = request.field("secretPath").unwrap_or_else(|| "/".into());
    let place = Place::new(required(request, "environment")?, &folder);
    let to = match request.method.as_str() {
        "POST" => "create on secrets",
        "PATCH" => "edit on secrets",
        _ => "delete on secrets",
    };
    if may_write(world, actor, &place) { Ok(place) } else { Err(denied(to)) }
}

fn approval(world: &mut World) -> Value {
    json!({"approval": {"id": world.uuid(), "slug": format!("{:08x}", world.clock), "status": "open", "hasMerged": false}})
}

fn change(world: &mut World, request: &Received, actor: &Actor, (api, name): (Api, &str)) -> Outcome {
    let place = change_place(world, request, actor, api)?;
    if name.contains(['/', ':']) {
        let issue = json!([{"code": "custom", "message": "Secret name cannot contain colon or forward slash.", "path": ["secretName"]}]);
        return Err(refusal(422, "ValidationFailure", issue));
    }
    let value = match &request.json()["secretValue"] {
        Value::String(value) => Some(value.clone()),
        Value::Null => None,
        _ => return Err(invalid("invalid_type", "secretValue")),
    };
    let found = world.find(&place.environment, &place.folder, name);
    match (request.method.as_str(), value, found) {
        ("POST", ..) if !world.has_folder(&place.environment, &place.folder) => {
            Err(folder_missing(&place.environment, &place.folder, "CreateSecret"))
        }
        ("POST", _, Some(_)) => Err(bad_request("Secret already exists")),
        ("PATCH", _, None) => Err(not_found(format!("Secret with name {name} not found"))),
        ("DELETE", _, None) => Err(not_found("Secret not found")),
        ("POST", None, _) => Err(invalid("invalid_type", "secretValue")),
        (_, value, _) if world.needs_approval(&place.folder) => {
            let Place { environment, folder } = place;
            world.held.push(Held { environment, folder, name: name.to_owned(), value });
            Ok(approval(world))
        }
        ("DELETE", _, Some(at)) => {
            let secret = world.secrets.remove(at);
            Ok(json!({"secret": shown(world, &secret, secret.current())}))
        }
        (_, value, _) => Ok(put(world, &place, (name, value), request)),
    }
}

fn put(world: &mut World, place: &Place, (name, value): (&str, Option<String>), request: &Received) -> Value {
    let comment = request.field("secretComment").unwrap_or_default();
    let old = world.value(&place.environment, &place.folder, name).unwrap_or_default();
    world.put_with(&place.environment, &place.folder, (name, &value.unwrap_or(old)), &comment);
    let at = world.find(&place.environment, &place.folder, name).expect("it was just stored");
    json!({"secret": shown(world, &world.secrets[at], world.secrets[at].current())})
}

fn batch(world: &mut World, request: &Received, actor: &Actor, api: Api) -> Outcome {
    let place = change_place(world, request, actor, api)?;
    let body = request.json();
    let given: Vec<(String, String)> = body["secrets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|secret| {
            let text = |name: &str| secret[name].as_str().unwrap_or_default().to_owned();
            (text("secretKey"), text("secretValue"))
        })
        .collect();
    if given.is_empty() {
        return Err(invalid("too_small", "secrets"));
    }
    if request.method == "PATCH" && body["mode"] != "upsert" {
        let is_missing =
            |(name, _): &&(String, String)| world.find(&place.environment, &place.folder, name).is_none();
        if let Some((name, _)) = given.iter().find(is_missing) {
            return Err(not_found(format!("Secret does not exist: {name} in path {}", place.folder)));
        }
    }
    if world.needs_approval(&place.folder) {
        return Ok(approval(world));
    }
    let secrets: Vec<Value> = given
        .into_iter()
        .map(|(name, value)| put(world, &place, (&name, Some(value)), request)["secret"].clone())
        .collect();
    Ok(json!({"secrets": secrets}))
}

/// All versions of a secret, newest first: for users only.
fn versions(world: &World, request: &Received, actor: &Actor, id: &str) -> Outcome {
    if *actor != Actor::User {
        return Err(wrong_kind(request));
    }
    let secret = world.secrets.iter().find(|secret| secret.id == id);
    let secret = secret.ok_or_else(|| not_found(format!("Secret with ID '{id}' not found")))?;
    let number =
        |name: &str, default| request.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(default);
    let versions = secret.versions.iter().rev().skip(number("offset", 0)).take(number("limit", 20));
    let shown = |version: &Version| {
        let mut json = shown(world, secret, version);
        json["id"] = version.id.clone().into();
        json["createdAt"] = time(version.time).into();
        json
    };
    Ok(json!({"secretVersions": versions.map(shown).collect::<Vec<_>>()}))
}

fn redact(world: &mut World, request: &Received, actor: &Actor, id: &str) -> Outcome {
    if *actor != Actor::User {
        return Err(wrong_kind(request));
    }
    let mut versions = world.secrets.iter_mut().flat_map(|secret| &mut secret.versions);
    let version = versions.find(|version| version.id == id);
    let version = version.ok_or_else(|| not_found(format!("Secret version with ID '{id}' not found")))?;
    version.value = String::new();
    version.is_redacted = true;
    Ok(json!({"message": "redacted"}))
}
