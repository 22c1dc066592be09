//! The manager's own credentials: whether they are alive, made, listed and taken out of service.
//!
//! An access token revokes itself. Client secrets need rights on their identity; service tokens are a user's matter only. Nothing here logs in
//! with a credential that is asked about: three wrong logins lock an identity for all its users.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Ask, Infisical, InfisicalOptions,
    fault::{Fault, Kind},
    segment,
    wire::{Field, WireScope, body},
};
use crate::{
    model::Secret,
    net::{Method, Send, Text},
    store::{Store, StoreError},
};

/// A credential that could not be dealt with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Certainly nothing has changed.
    #[error(transparent)]
    Refused(StoreError),
    /// It may have been done: the answer was lost, or the server failed.
    #[error(transparent)]
    Lost(StoreError),
    /// Only a user may do it.
    #[error("{store}: {what} takes a user's token; set HEKATE_INFISICAL_USER_TOKEN")]
    NoUserToken {
        /// Which manager.
        store: String,
        /// What was to be done.
        what: &'static str,
    },
}

impl From<Fault> for CredentialError {
    fn from(fault: Fault) -> Self {
        if fault.kind == Kind::Lost { Self::Lost(fault.error) } else { Self::Refused(fault.error) }
    }
}

impl From<StoreError> for CredentialError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// A client secret of an identity, as far as the manager tells: never itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Its id.
    pub id: String,
    /// What people wrote about it.
    pub description: String,
    /// Its first characters.
    pub prefix: String,
    /// Seconds that it lives; 0 is for ever.
    pub ttl: u64,
    /// Logins that it is good for; 0 is any number.
    pub uses_limit: u64,
    /// Whether it can be logged in with, as of the time of the list.
    pub is_usable: bool,
}

impl ClientSecret {
    /// Whether a value may be this client secret.
    pub fn may_be(&self, value: &Secret) -> bool {
        !self.prefix.is_empty() && value.expose().starts_with(self.prefix.as_bytes())
    }
}

/// A service token, as the manager lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceToken {
    /// Its id, which is also the second part of its value.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Environment and folder of each scope.
    pub scopes: Vec<(String, String)>,
    /// `read`, `write`.
    pub permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireClientSecret {
    id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    client_secret_prefix: String,
    #[serde(default)]
    client_secret_num_uses: u64,
    #[serde(default)]
    client_secret_num_uses_limit: u64,
    #[serde(default, rename = "clientSecretTTL")]
    client_secret_ttl: u64,
    #[serde(default)]
    is_client_secret_revoked: bool,
    created_at: Option<String>,
}

impl WireClientSecret {
    fn is_usable(&self, now: Timestamp) -> bool {
        let ttl = i64::try_from(self.client_secret_ttl).unwrap_or(i64::MAX);
        let created = self.created_at.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
        let end = created.and_then(|created| created.checked_add(SignedDuration::from_secs(ttl)).ok());
        let is_over = ttl > 0 && end.is_some_and(|end| end <= now);
        let limit = self.client_secret_num_uses_limit;
        let is_used_up = limit > 0 && self.client_secret_num_uses >= limit;
        !self.is_client_secret_revoked && !is_used_up && !is_over
    }

    fn into_listed(self, now: Timestamp) -> ClientSecret {
        ClientSecret {
            is_usable: self.is_usable(now),
            id: self.id,
            description: self.description,
            prefix: self.client_secret_prefix,
            ttl: self.client_secret_ttl,
            uses_limit: self.client_secret_num_uses_limit,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientSecrets {
    client_secret_data: Vec<WireClientSecret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewClientSecret {
    client_secret: Zeroizing<String>,
}

#[derive(Deserialize)]
struct WireServiceToken {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<WireScope>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceTokens {
    service_token_data: Vec<WireServiceToken>,
}

type Outcome<T> = Result<T, CredentialError>;

/// The credentials of a manager.
pub struct Tokens(Infisical);

impl Tokens {
    /// Nothing is sent before something is asked. As whom we come is the options' user, where they have one, else their login.
    pub fn new(options: InfisicalOptions, sender: Box<dyn Send>) -> Self {
        Self(Infisical::new(options, sender))
    }

    /// For messages: the host, and the project.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Where people find the manager.
    pub fn page(&self) -> String {
        format!("{}{}", self.0.options.origin, self.0.options.base)
    }

    /// Whether service tokens can be listed and deleted.
    pub fn has_user(&self) -> bool {
        self.0.options.user_token.is_some()
    }

    /// Whether an access token of a machine identity is accepted.
    ///
    /// # Errors
    /// The server says neither: it made no such token, or can't be reached.
    pub fn is_access_token_live(&self, token: &Secret) -> Outcome<bool> {
        self.is_live(token, "/api/v1/identities/details", "asking about an access token")
    }

    /// Whether a service token is accepted. One that the server does not know (any more) is not.
    ///
    /// # Errors
    /// The server says neither.
    pub fn is_service_token_live(&self, token: &Secret) -> Outcome<bool> {
        self.is_live(token, "/api/v2/service-token", "asking about a service token")
    }

    fn is_live(&self, token: &Secret, path: &str, what: &str) -> Outcome<bool> {
        // The body has more than one would want to hold: a hash of the secret, a user's address.
        match self.0.send::<IgnoredAny>(&Ask::get(path.into(), what), Some(token)) {
            Ok(_) => Ok(true),
            Err(Fault { kind: Kind::Dead | Kind::NoToken, .. }) => Ok(false),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Revokes an access token of a machine identity, by nothing but itself. One that is dead already is no error.
    ///
    /// # Errors
    /// See [`CredentialError`]; a token that this server did not make is refused.
    pub fn revoke_access_token(&self, token: &Secret) -> Outcome<()> {
        let text = str::from_utf8(token.expose()).unwrap_or_default();
        let body = body(&[("accessToken", Field::Secret(text))]);
        let path = "/api/v1/auth/token/revoke".to_owned();
        let ask = Ask::change(Method::Post, path, body, "revoking an access token");
        match self.0.send::<IgnoredAny>(&ask, None) {
            Ok(_) | Err(Fault { kind: Kind::Dead, .. }) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Revokes a token of token auth by its id.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn revoke_token_of_token_auth(&self, id: &str) -> Outcome<()> {
        let path = format!("/api/v1/auth/token-auth/tokens/{}/revoke", segment(id));
        self.change(path, json!({}), "revoking a token of token auth")
    }

    /// All client secrets of an identity that the manager lists.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn client_secrets(&self, identity: &str) -> Outcome<Vec<ClientSecret>> {
        let ask = Ask::get(client_secrets_of(identity), "listing the client secrets of an identity");
        let listed: ClientSecrets = self.ask(&ask)?;
        let now = Timestamp::now();
        Ok(listed.client_secret_data.into_iter().map(|secret| secret.into_listed(now)).collect())
    }

    /// Makes a client secret. `like` is the one whose lifetime and number of uses it gets.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn make_client_secret(
        &self,
        identity: &str,
        description: &str,
        like: Option<&ClientSecret>,
    ) -> Outcome<Secret> {
        let (ttl, uses) = like.map_or((0, 0), |like| (like.ttl, like.uses_limit));
        let body = json!({"description": description, "ttl": ttl, "numUsesLimit": uses});
        let what = "making a client secret";
        let ask = Ask::change(Method::Post, client_secrets_of(identity), Text::from(body.to_string()), what);
        let made: NewClientSecret = self.ask(&ask)?;
        let secret = Secret::new(made.client_secret.as_bytes());
        if secret.is_empty() || !secret.expose().iter().all(u8::is_ascii_graphic) {
            return Err(CredentialError::Lost(
                self.0.malformed("it answers with something that is no client secret".into()),
            ));
        }
        Ok(secret)
    }

    /// Revokes a client secret, and with it all access tokens that came from it. One that is not there is no error.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn revoke_client_secret(&self, identity: &str, id: &str) -> Outcome<()> {
        let path = format!("{}/{}/revoke", client_secrets_of(identity), segment(id));
        self.change(path, json!({}), "revoking a client secret")
    }

    /// All service tokens of the project.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn service_tokens(&self) -> Outcome<Vec<ServiceToken>> {
        let user = self.user("listing service tokens")?;
        let project = self.0.project()?;
        let path = format!("/api/v1/projects/{}/service-token-data", segment(&project.id));
        let listed: ServiceTokens = self.0.send(&Ask::get(path, "listing service tokens"), Some(user))?;
        let token = |wire: WireServiceToken| ServiceToken {
            id: wire.id,
            name: wire.name,
            scopes: wire.scopes.into_iter().map(|scope| (scope.environment, scope.secret_path)).collect(),
            permissions: wire.permissions,
        };
        Ok(listed.service_token_data.into_iter().map(token).collect())
    }

    /// Deletes a service token. One that is not there is no error.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn delete_service_token(&self, id: &str) -> Outcome<()> {
        let what = "deleting a service token";
        let user = self.user(what)?;
        let path = format!("/api/v2/service-token/{}", segment(id));
        let ask = Ask { method: Method::Delete, path, body: None, what, is_safe: false };
        match self.0.send::<IgnoredAny>(&ask, Some(user)) {
            Ok(_) | Err(Fault { kind: Kind::NoToken, .. }) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }

    fn user(&self, what: &'static str) -> Outcome<&Secret> {
        let missing = || CredentialError::NoUserToken { store: self.name(), what };
        self.0.options.user_token.as_ref().ok_or_else(missing)
    }

    fn change(&self, path: String, body: serde_json::Value, what: &str) -> Outcome<()> {
        match self.ask::<IgnoredAny>(&Ask::change(Method::Post, path, Text::from(body.to_string()), what)) {
            // What is not there is gone.
            Ok(_) | Err(Fault { kind: Kind::NoSecret, .. }) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Asks as the user, where there is one: identities are seldom given rights on identities.
    fn ask<T: serde::de::DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Fault> {
        match &self.0.options.user_token {
            Some(user) => self.0.send(ask, Some(user)),
            None => self.0.ask(ask),
        }
    }
}

fn client_secrets_of(identity: &str) -> String {
    format!("/api/v1/auth/universal-auth/identities/{}/client-secrets", segment(identity))
}
