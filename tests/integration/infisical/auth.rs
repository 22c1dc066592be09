//! Who asks.

use super::{
    http::{Received, Reply},
    routes::{not_found, refusal},
    world::{AccessToken, Owner, Rights, World},
};

/// Who asks, by their token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    User,
    /// Its place in the world's list.
    Identity(usize),
    /// Its place in the world's list.
    Service(usize),
}

impl Actor {
    /// What an identity may do; everything, for a user.
    pub(crate) fn rights(&self, world: &World) -> Rights {
        match self {
            Self::Identity(at) => world.identities[*at].rights.clone(),
            Self::User | Self::Service(_) => Rights { is_admin: true, ..Rights::all() },
        }
    }
}

fn unauthorized(message: &str) -> Reply {
    refusal(401, "UnauthorizedError", message)
}

const MALFORMED: &str =
    "The provided access token is malformed. Please use a valid token or generate a new one and try again.";

/// Who sent a request.
pub(crate) fn actor(world: &World, request: &Received) -> Result<Actor, Reply> {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| unauthorized("Token missing"))?;
    if token.starts_with("st.") {
        return service(world, token);
    }
    let token = access(world, token)?;
    owner(world, token)
}

/// An access token that the server made.
pub(crate) fn access<'a>(world: &'a World, token: &str) -> Result<&'a AccessToken, Reply> {
    let is_jwt = token.split('.').count() == 3;
    let unknown = || refusal(403, "TokenError", if is_jwt { "invalid signature" } else { MALFORMED });
    world.tokens.iter().find(|known| known.value == token).ok_or_else(unknown)
}

fn owner(world: &World, token: &AccessToken) -> Result<Actor, Reply> {
    if token.is_expired {
        return Err(refusal(403, "TokenError", "Your token has expired. Please re-authenticate."));
    }
    let Owner::Identity(id) = &token.owner else { return Ok(Actor::User) };
    let at =
        world.identities.iter().position(|identity| identity.id == *id).expect("identities stay in the list");
    let identity = &world.identities[at];
    if identity.is_deleted {
        return Err(unauthorized("Identity is not a member of the organization"));
    }
    if !identity.has_universal_auth {
        return Err(unauthorized("Failed to authorize: auth method has been revoked"));
    }
    let is_of = |secret: &&super::world::ClientSecret| Some(&secret.id) == token.client_secret.as_ref();
    if identity.client_secrets.iter().find(is_of).is_some_and(|secret| secret.is_revoked) {
        return Err(unauthorized("Failed to authorize: client secret has been revoked"));
    }
    if token.is_revoked {
        return Err(unauthorized("Failed to authorize: token has been revoked"));
    }
    Ok(Actor::Identity(at))
}

fn service(world: &World, token: &str) -> Result<Actor, Reply> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, id, secret] = parts.as_slice() else { return Err(unauthorized("Invalid service token")) };
    let at = world.service_tokens.iter().position(|known| known.id == *id);
    let at = at.ok_or_else(|| not_found(format!("Service token with ID '{id}' not found")))?;
    let known = &world.service_tokens[at];
    if known.is_expired {
        return Err(refusal(403, "Service token has expired", "Service token has expired"));
    }
    if known.secret != *secret {
        return Err(unauthorized("Invalid service token"));
    }
    Ok(Actor::Service(at))
}
