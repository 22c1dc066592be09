//! Which route answers what, and how refusals look. See `facts/infisical-http.md` for the real answers.

use serde_json::{Value, json};

use super::{
    auth::{self, Actor},
    http::{Received, Reply},
    project, secrets, tokens,
    world::World,
};

/// The server fails on longer bodies.
const LONGEST_BODY: usize = 1 << 20;

/// An answer, or the refusal to give it.
pub(crate) type Outcome = Result<Value, Reply>;

/// A refusal as Infisical words it.
pub(crate) fn refusal(status: u16, error: &str, message: impl Into<Value>) -> Reply {
    let body = json!({"reqId": "req-0", "statusCode": status, "message": message.into(), "error": error});
    Reply::json(status, &body)
}

pub(crate) fn not_found(message: impl Into<String>) -> Reply {
    refusal(404, "NotFound", message.into())
}

pub(crate) fn bad_request(message: &str) -> Reply {
    refusal(400, "BadRequest", message)
}

/// `You are not allowed to edit on secrets`.
pub(crate) fn denied(to: &str) -> Reply {
    let mut reply = refusal(403, "PermissionDenied", format!("You are not allowed to {to}"));
    reply.body = reply.body.replacen("\"error\"", "\"details\":[],\"error\"", 1);
    reply
}

/// The route does not take this kind of token.
pub(crate) fn wrong_kind(request: &Received) -> Reply {
    let path = format!("/{}", request.path.join("/"));
    refusal(403, &format!("Forbidden access to {path}"), "You are not allowed to access this resource")
}

/// What a body lacks, as the server's validator says it.
pub(crate) fn invalid(code: &str, field: &str) -> Reply {
    let issue = json!([{"code": code, "expected": "string", "received": "undefined", "path": [field], "message": "Required"}]);
    refusal(422, "ValidationFailure", issue)
}

/// A text that the body has to have.
pub(crate) fn required(request: &Received, name: &str) -> Result<String, Reply> {
    request.field(name).ok_or_else(|| invalid("invalid_type", name))
}

fn broken() -> Reply {
    refusal(500, "InternalServerError", "Something went wrong")
}

/// What the server answers.
pub(crate) fn answer(world: &mut World, request: &Received) -> Reply {
    let is_json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if request.body.len() > LONGEST_BODY || (is_json && request.body.is_empty()) {
        return named(world, broken());
    }
    if world.settings.requests_left == Some(0) {
        let message = "Rate limit exceeded. Please try again in 3 seconds";
        return named(world, refusal(429, "RateLimitError", message).header("retry-after", 3));
    }
    world.settings.requests_left = world.settings.requests_left.map(|left| left - 1);
    match route(world, request) {
        Ok(body) => tagged(request, Reply::json(200, &body)),
        Err(reply) => named(world, reply),
    }
}

/// With an id of its own.
fn named(world: &mut World, mut reply: Reply) -> Reply {
    reply.body = reply.body.replacen("req-0", &world.request_id(), 1);
    reply
}

/// Lists of secrets have a tag, and are not sent again to who has them.
fn tagged(request: &Received, reply: Reply) -> Reply {
    let is_list =
        request.method == "GET" && request.path.len() == 3 && request.path[1..] == ["v4", "secrets"];
    if !is_list {
        return reply;
    }
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    reply.body.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    if request.header("if-none-match") == Some(tag.as_str()) {
        return Reply { status: 304, headers: vec![("etag".into(), tag)], body: String::new() };
    }
    reply.header("etag", tag)
}

fn no_route(request: &Received) -> Reply {
    let path = format!("/{}", request.path.join("/"));
    let message = format!("Route {}:{path} not found", request.method);
    Reply::json(404, &json!({"message": message, "error": "Not Found", "statusCode": 404}))
}

fn route(world: &mut World, request: &Received) -> Outcome {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let ["api", rest @ ..] = path.as_slice() else { return Err(no_route(request)) };
    match (request.method.as_str(), rest) {
        ("GET", ["status"]) => {
            Ok(json!({"message": "Ok", "emailConfigured": false, "redisConfigured": true}))
        }
        (_, ["v1", "auth", rest @ ..]) => {
            tokens::auth_route(world, request, rest).unwrap_or_else(|| Err(no_route(request)))
        }
        _ => {
            let actor = auth::actor(world, request);
            known_route(world, request, rest, actor).unwrap_or_else(|| Err(no_route(request)))
        }
    }
}

/// Routes that want a token; `None` where there is no such route.
fn known_route(
    world: &mut World,
    request: &Received,
    rest: &[&str],
    actor: Result<Actor, Reply>,
) -> Option<Outcome> {
    let is_known = project::is_route(&request.method, rest)
        || secrets::is_route(world, &request.method, rest)
        || tokens::is_route(&request.method, rest)
        || licensed(rest).is_some();
    if !is_known {
        return None;
    }
    let actor = match actor {
        Ok(actor) => actor,
        Err(reply) => return Some(Err(reply)),
    };
    let outcome = project::route(world, request, rest, &actor)
        .or_else(|| secrets::route(world, request, rest, &actor))
        .or_else(|| tokens::route(world, request, rest, &actor));
    outcome.or_else(|| licensed(rest).map(|message| Err(bad_request(message))))
}

/// What the licence does not hold.
fn licensed(rest: &[&str]) -> Option<&'static str> {
    match rest {
        ["v2", "secret-rotations", .., "rotate-secrets"] => Some(
            "Failed to rotate secret rotation secrets due to plan restriction. Upgrade plan to rotate secrets.",
        ),
        ["v2", "secret-rotations", ..] => Some(
            "Failed to access secret rotations due to plan restriction. Upgrade plan to access secret rotations.",
        ),
        ["v2", "secret-scanning", ..] => Some(
            "Failed to access Secret Scanning Findings due to plan restriction. Upgrade plan to enable it.",
        ),
        ["v1", "events", "subscribe", ..] => Some(
            "Event subscriptions are not available on your current plan. Please upgrade to access this feature.",
        ),
        _ => None,
    }
}
