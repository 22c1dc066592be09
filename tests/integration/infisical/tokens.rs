//! Logins, and the manager's own credentials: made, listed and revoked.

use serde_json::{Value, json};

use super::{
    auth::{self, Actor},
    http::{Received, Reply},
    routes::{Outcome, bad_request, denied, invalid, not_found, refusal, required, wrong_kind},
    world::{AccessToken, ClientSecret, Owner, ServiceToken, World},
};

/// So many wrong logins lock an identity.
const THRESHOLD: usize = 3;
const LOCKED: &str = "This identity auth method is temporarily locked, please try again later";

fn unauthorized(message: &str) -> Reply {
    refusal(401, "UnauthorizedError", message)
}

/// Routes below `/api/v1/auth`.
pub(crate) fn auth_route(world: &mut World, request: &Received, rest: &[&str]) -> Option<Outcome> {
    match (request.method.as_str(), rest) {
        ("POST", ["universal-auth", "login"]) => Some(log_in(world, request)),
        ("POST", ["token", "renew"]) => Some(renew(world, request)),
        ("POST", ["token", "revoke"]) => Some(revoke_token(world, request)),
        (_, ["universal-auth", "identities", ..] | ["token-auth", ..]) => {
            let actor = match auth::actor(world, request) {
                Ok(actor) => actor,
                Err(reply) => return Some(Err(reply)),
            };
            managed(world, request, rest, &actor)
        }
        _ => None,
    }
}

/// What an admin does with the logins of identities.
fn managed(world: &mut World, request: &Received, rest: &[&str], actor: &Actor) -> Option<Outcome> {
    let rights = actor.rights(world);
    let may = |to: &str| if rights.is_admin { Ok(()) } else { Err(denied(to)) };
    Some(match (request.method.as_str(), rest) {
        ("GET", ["universal-auth", "identities", id, "client-secrets"]) => {
            may("read on identity").and_then(|()| client_secrets(world, id))
        }
        ("POST", ["universal-auth", "identities", id, "client-secrets"]) => {
            may("create on identity").and_then(|()| make_client_secret(world, request, id))
        }
        ("POST", ["universal-auth", "identities", id, "client-secrets", secret, "revoke"]) => {
            may("delete on identity").and_then(|()| revoke_client_secret(world, id, secret))
        }
        ("POST", ["universal-auth", "identities", id, "clear-lockouts"]) => {
            may("edit on identity").and_then(|()| clear_lockouts(world, id))
        }
        ("DELETE", ["universal-auth", "identities", id]) => {
            may("delete on identity").and_then(|()| detach(world, id))
        }
        ("POST", ["token-auth", "identities", id, "tokens"]) => {
            may("create on identity").and_then(|()| make_token(world, id))
        }
        ("POST", ["token-auth", "tokens", id, "revoke"]) => {
            may("delete on identity").and_then(|()| revoke_token_by_id(world, id))
        }
        _ => return None,
    })
}

pub(crate) fn is_route(method: &str, rest: &[&str]) -> bool {
    matches!(
        (method, rest),
        ("GET" | "POST", ["v2", "service-token"])
            | ("DELETE", ["v2", "service-token", _])
            | ("GET", ["v1", "projects", _, "service-token-data"])
            | ("GET", ["v1", "identities", "details"])
            | ("DELETE", ["v1", "identities", _])
    )
}

pub(crate) fn route(world: &mut World, request: &Received, rest: &[&str], actor: &Actor) -> Option<Outcome> {
    let is_user = *actor == Actor::User;
    Some(match (request.method.as_str(), rest) {
        ("GET", ["v2", "service-token"]) => own_token(world, request, actor),
        ("POST", ["v2", "service-token"]) if is_user => make_service_token(world, request),
        ("DELETE", ["v2", "service-token", id]) if is_user => delete_service_token(world, id),
        ("GET", ["v1", "projects", id, "service-token-data"]) if is_user => service_tokens(world, id),
        ("GET", ["v1", "identities", "details"]) if matches!(actor, Actor::Identity(_)) => Ok(
            json!({"identityDetails": {"organization": {"id": "org", "name": "kosmos-org", "slug": "kosmos-org"}}}),
        ),
        ("DELETE", ["v1", "identities", id]) if actor.rights(world).is_admin => delete_identity(world, id),
        _ if is_route(&request.method, rest) => Err(wrong_kind(request)),
        _ => return None,
    })
}

fn granted(world: &World, token: &AccessToken) -> Value {
    let ttl = world.settings.token_ttl;
    json!({"accessToken": token.value, "expiresIn": ttl, "accessTokenMaxTTL": ttl, "tokenType": "Bearer"})
}

fn log_in(world: &mut World, request: &Received) -> Outcome {
    let client_id = required(request, "clientId")?;
    let client_secret = required(request, "clientSecret")?;
    let wrong = || unauthorized("Invalid credentials");
    let identity = world.identities.iter_mut().find(|identity| {
        identity.client_id == client_id && identity.has_universal_auth && !identity.is_deleted
    });
    let identity = identity.ok_or_else(wrong)?;
    if identity.wrong_logins >= THRESHOLD {
        return Err(unauthorized(LOCKED));
    }
    let is_right = |secret: &&mut ClientSecret| secret.value == client_secret && !secret.is_revoked;
    let Some(secret) = identity.client_secrets.iter_mut().find(is_right) else {
        identity.wrong_logins += 1;
        return Err(wrong());
    };
    identity.wrong_logins = 0;
    secret.uses += 1;
    let (owner, secret) = (Owner::Identity(identity.id.clone()), secret.id.clone());
    let token = world.access_token(owner, Some(secret));
    Ok(granted(world, &token))
}

fn renew(world: &mut World, request: &Received) -> Outcome {
    let token = auth::access(world, &required(request, "accessToken")?)?.clone();
    if token.is_revoked {
        return Err(unauthorized("Failed to authorize: token has been revoked"));
    }
    let renewed = world.access_token(token.owner, token.client_secret);
    Ok(granted(world, &renewed))
}

fn revoke_token(world: &mut World, request: &Received) -> Outcome {
    let id = auth::access(world, &required(request, "accessToken")?)?.id.clone();
    revoke_token_by_id(world, &id)
}

fn revoke_token_by_id(world: &mut World, id: &str) -> Outcome {
    let token = world.tokens.iter_mut().find(|token| token.id == id);
    token.ok_or_else(|| not_found(format!("Token with ID '{id}' not found")))?.is_revoked = true;
    Ok(json!({"message": "Successfully revoked access token"}))
}

fn identity(world: &World, id: &str) -> Result<usize, Reply> {
    let at = world.identities.iter().position(|identity| identity.id == id && !identity.is_deleted);
    at.ok_or_else(|| not_found(format!("Failed to find identity with ID {id}")))
}

/// What a client secret is known by: never itself.
fn secret_row(secret: &ClientSecret) -> Value {
    json!({
        "id": secret.id, "description": secret.description, "clientSecretPrefix": &secret.value[..4],
        "clientSecretNumUses": secret.uses, "clientSecretNumUsesLimit": 0, "clientSecretTTL": 0,
        "isClientSecretRevoked": secret.is_revoked,
    })
}

fn client_secrets(world: &World, id: &str) -> Outcome {
    let secrets = &world.identities[identity(world, id)?].client_secrets;
    let rows: Vec<Value> = secrets.iter().filter(|secret| !secret.is_revoked).map(secret_row).collect();
    Ok(json!({"clientSecretData": rows}))
}

fn make_client_secret(world: &mut World, request: &Received, id: &str) -> Outcome {
    let at = identity(world, id)?;
    let secret = world.client_secret(at, &request.field("description").unwrap_or_default());
    Ok(json!({"clientSecret": secret.value, "clientSecretData": secret_row(&secret)}))
}

fn revoke_client_secret(world: &mut World, id: &str, secret: &str) -> Outcome {
    let at = identity(world, id)?;
    let found = world.identities[at].client_secrets.iter_mut().find(|known| known.id == secret);
    let found = found.ok_or_else(|| not_found(format!("Client secret with ID '{secret}' not found")))?;
    found.is_revoked = true;
    Ok(json!({"clientSecretData": secret_row(found)}))
}

fn clear_lockouts(world: &mut World, id: &str) -> Outcome {
    let at = identity(world, id)?;
    let was_locked = std::mem::take(&mut world.identities[at].wrong_logins) > 0;
    Ok(json!({"deleted": usize::from(was_locked)}))
}

fn detach(world: &mut World, id: &str) -> Outcome {
    let at = identity(world, id)?;
    world.identities[at].has_universal_auth = false;
    Ok(json!({"identityUniversalAuth": {"clientId": world.identities[at].client_id, "identityId": id}}))
}

fn delete_identity(world: &mut World, id: &str) -> Outcome {
    let at = identity(world, id)?;
    world.identities[at].is_deleted = true;
    Ok(json!({"identity": {"id": id, "name": world.identities[at].name}}))
}

fn make_token(world: &mut World, id: &str) -> Outcome {
    identity(world, id)?;
    let token = world.access_token(Owner::Identity(id.to_owned()), None);
    let mut answer = granted(world, &token);
    answer["tokenData"] = json!({"id": token.id, "isAccessTokenRevoked": false, "identityId": id});
    Ok(answer)
}

fn token_row(world: &World, token: &ServiceToken) -> Value {
    let scope =
        |(environment, path): &(String, String)| json!({"secretPath": path, "environment": environment});
    json!({
        "id": token.id, "name": token.name, "scopes": token.scopes.iter().map(scope).collect::<Vec<_>>(),
        "permissions": token.permissions, "projectId": world.project_id, "expiryNotificationSent": false,
    })
}

/// What a service token says of itself: more than one would want to log.
fn own_token(world: &World, request: &Received, actor: &Actor) -> Outcome {
    let Actor::Service(at) = actor else { return Err(wrong_kind(request)) };
    let mut row = token_row(world, &world.service_tokens[*at]);
    row["secretHash"] = format!("$2b$10${}", "h".repeat(53)).into();
    row["workspace"] = world.project_id.clone().into();
    row["user"] = json!({"email": "admin@example.com", "firstName": "Admin"});
    Ok(row)
}

fn make_service_token(world: &mut World, request: &Received) -> Outcome {
    let body = request.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let scopes: Vec<(String, String)> = body["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|scope| (text(&scope["environment"]), text(&scope["secretPath"])))
        .collect();
    if scopes.is_empty() {
        return Err(invalid("too_small", "scopes"));
    }
    if required(request, "workspaceId")? != world.project_id {
        return Err(bad_request("Invalid project"));
    }
    let token = ServiceToken {
        id: world.uuid(),
        secret: world.hex(32),
        name: required(request, "name")?,
        scopes,
        permissions: body["permissions"].as_array().into_iter().flatten().map(text).collect(),
        is_expired: false,
    };
    let answer = json!({"serviceToken": token.value(), "serviceTokenData": token_row(world, &token)});
    world.service_tokens.push(token);
    Ok(answer)
}

fn delete_service_token(world: &mut World, id: &str) -> Outcome {
    let at = world.service_tokens.iter().position(|token| token.id == id);
    let at = at.ok_or_else(|| not_found(format!("Service token with ID '{id}' not found")))?;
    let token = world.service_tokens.remove(at);
    Ok(json!({"serviceTokenData": token_row(world, &token)}))
}

fn service_tokens(world: &World, id: &str) -> Outcome {
    super::project::check_id(world, id)?;
    let rows: Vec<Value> = world.service_tokens.iter().map(|token| token_row(world, token)).collect();
    Ok(json!({"serviceTokenData": rows}))
}
