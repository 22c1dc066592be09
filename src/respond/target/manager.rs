//! Credentials of the secret manager itself: service tokens, access tokens of machine identities, client secrets.

use super::{Accepts, Act, Birth, Target, Trouble, Values};
use crate::{
    inventory::{InfisicalIdentity, Token},
    model::Secret,
    provider::offline::jwt,
    store::{ClientSecret, CredentialError, Tokens},
};

/// How often a new client secret is made until it can be told from the old one by its first characters.
const TRIES: usize = 3;

/// What a credential of Infisical is, by its looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `st.ID.SECRET`, and a fourth part that the server never sees.
    ServiceToken {
        /// Its id.
        id: String,
    },
    /// The access token of a machine identity.
    AccessToken,
    /// The access token of a person.
    UserToken,
    /// 64 hexadecimal digits.
    ClientSecret,
}

impl Shape {
    /// What a value is; `None` where it is nothing of Infisical's.
    pub fn of(value: &Secret) -> Option<Self> {
        let bytes = value.expose();
        if bytes.starts_with(b"st.") {
            let id = bytes.split(|byte| *byte == b'.').nth(1)?;
            return service_token(bytes)
                .map(|_| Self::ServiceToken { id: String::from_utf8_lossy(id).into_owned() });
        }
        if bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit) {
            return Some(Self::ClientSecret);
        }
        match jwt::claim(value, "authTokenType")?.as_str() {
            "identityAccessToken" => Some(Self::AccessToken),
            "accessToken" => Some(Self::UserToken),
            _ => None,
        }
    }

    fn noun(&self) -> String {
        match self {
            Self::ServiceToken { id } => format!("service token {id}"),
            Self::AccessToken => "access token of an identity".into(),
            Self::UserToken => "access token of a user".into(),
            Self::ClientSecret => "client secret".into(),
        }
    }
}

/// The three parts of a service token that the server knows.
fn service_token(bytes: &[u8]) -> Option<Secret> {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'.').collect();
    let is_right = |part: &&[u8]| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let is_one = matches!(parts.len(), 3 | 4) && parts.iter().all(is_right);
    is_one.then(|| Secret::new(parts[..3].join(&b'.')))
}

/// A leaked credential of the manager.
pub struct ManagerCredential<'a> {
    tokens: &'a Tokens,
    shape: Shape,
    identity: Option<&'a InfisicalIdentity>,
    token: Option<&'a Token>,
}

impl<'a> ManagerCredential<'a> {
    /// One that looks like this. `identity` is the inventory's target of a client secret, `token` its entry for a service token, where it has one.
    pub fn new(
        tokens: &'a Tokens,
        shape: Shape,
        identity: Option<&'a InfisicalIdentity>,
        token: Option<&'a Token>,
    ) -> Self {
        Self { tokens, shape, identity, token }
    }

    fn identity(&self) -> Result<&str, String> {
        let missing = "the inventory does not say whose client secret it is; give it a `target` with \
                       `type: infisical-identity` and its `identity_id`";
        self.identity.map(|identity| identity.identity_id.as_str()).ok_or_else(|| missing.to_owned())
    }

    /// For people: what a service token is made with.
    fn recipe(&self) -> String {
        let Some(token) = self.token else {
            return "make a service token with the same scopes and as short a life as will do".into();
        };
        let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
        let life = token.expires.map(|period| format!(", for {period}")).unwrap_or_default();
        format!("make a service token {} for {}{life}", token.name, scopes.join(", "))
    }

    /// The client secrets of the identity that may be this value and can still be logged in with.
    fn candidates(&self, value: &Secret) -> Result<Vec<ClientSecret>, Trouble> {
        let identity = self.identity().map_err(Trouble::Refused)?;
        let mut listed = self.tokens.client_secrets(identity).map_err(trouble)?;
        listed.retain(|secret| secret.is_usable && secret.may_be(value));
        Ok(listed)
    }

    fn check(&self, values: &Values<'_>) -> Result<(), Trouble> {
        match &self.shape {
            Shape::ServiceToken { .. } => self.tokens.service_tokens().map(drop).map_err(|error| self.person_or(error)),
            Shape::AccessToken => self.tokens.is_access_token_live(values.old).map(drop).map_err(trouble),
            Shape::UserToken => Ok(()),
            Shape::ClientSecret => match self.candidates(values.old)?.len() {
                0 => Err(Trouble::Refused(
                    "the identity has no client secret that begins like this one: it was revoked already, or `identity_id` is another identity's".into(),
                )),
                _ => Ok(()),
            },
        }
    }

    fn end(&self, value: &Secret, ours: &str) -> Result<(), Trouble> {
        match Shape::of(value).as_ref() {
            Some(Shape::ServiceToken { id }) => {
                self.tokens.delete_service_token(id).map_err(|error| self.person_or(error))
            }
            Some(Shape::AccessToken) => self.tokens.revoke_access_token(value).map_err(trouble),
            Some(Shape::ClientSecret) => {
                self.revoke_client_secret(value, |secret| secret.description != ours)
            }
            Some(Shape::UserToken) => Err(Trouble::Person(vec![format!(
                "log the user out of all sessions at {}, under personal settings",
                self.tokens.page()
            )])),
            None => Err(Trouble::Refused("the value is no credential of the manager".into())),
        }
    }

    fn revoke_client_secret(
        &self,
        value: &Secret,
        is_meant: impl Fn(&ClientSecret) -> bool,
    ) -> Result<(), Trouble> {
        let mut found = self.candidates(value)?;
        found.retain(is_meant);
        let identity = self.identity().map_err(Trouble::Refused)?;
        match found.as_slice() {
            // It is gone.
            [] => Ok(()),
            [one] => self.tokens.revoke_client_secret(identity, &one.id).map_err(trouble),
            several => Err(Trouble::Person(several.iter().map(|secret| self.which(secret)).collect())),
        }
    }

    fn which(&self, secret: &ClientSecret) -> String {
        let description: String = secret.description.chars().filter(|c| !c.is_control()).take(80).collect();
        let identity = self.identity().unwrap_or_default();
        format!(
            "several client secrets of identity {identity} begin alike: revoke {} ({description}) if it is the leaked one",
            secret.id
        )
    }

    /// What the one that follows this value under an incident is called, so that it can be found after a crash.
    fn description(values: &Values<'_>) -> String {
        let old = String::from_utf8_lossy(values.old.expose().get(..4).unwrap_or_default());
        format!("hekate-{} (follows {old})", values.incident)
    }

    /// Revokes what an earlier try under the same incident made and lost.
    fn take_back(&self, identity: &str, listed: &[ClientSecret], description: &str) -> Result<(), Trouble> {
        let mut ours = listed.iter().filter(|secret| secret.description == description && secret.is_usable);
        ours.try_for_each(|secret| self.tokens.revoke_client_secret(identity, &secret.id)).map_err(trouble)
    }

    fn client_secret_is_accepted(&self, value: &Secret) -> Accepts {
        match self.candidates(value) {
            Ok(found) if found.is_empty() => Accepts::No,
            Ok(found) if found.len() == 1 => Accepts::Yes,
            Ok(_) => Accepts::Unknown("several client secrets of the identity begin alike".into()),
            Err(trouble) => Accepts::Unknown(trouble.to_string()),
        }
    }

    fn person_or(&self, error: CredentialError) -> Trouble {
        let (CredentialError::NoUserToken { .. }, Shape::ServiceToken { id }) = (&error, &self.shape) else {
            return trouble(error);
        };
        let page = self.tokens.page();
        Trouble::Person(vec![format!(
            "delete the service token {id} at {page}, under the project's access control; or set HEKATE_INFISICAL_USER_TOKEN to a user's token, and hekate does it"
        )])
    }
}

fn trouble(error: CredentialError) -> Trouble {
    match error {
        CredentialError::Lost(_) => Trouble::Unclear(error.to_string()),
        CredentialError::Refused(_) | CredentialError::NoUserToken { .. } => {
            Trouble::Refused(error.to_string())
        }
    }
}

fn accepted(answer: Result<bool, CredentialError>) -> Accepts {
    match answer {
        Ok(true) => Accepts::Yes,
        Ok(false) => Accepts::No,
        Err(error) => Accepts::Unknown(error.to_string()),
    }
}

impl Target for ManagerCredential<'_> {
    fn name(&self) -> String {
        match self.identity.filter(|_| self.shape == Shape::ClientSecret) {
            Some(identity) => {
                format!("client secret of identity {} at {}", identity.identity_id, self.tokens.name())
            }
            None => format!("{} at {}", self.shape.noun(), self.tokens.name()),
        }
    }

    fn birth(&self) -> Birth {
        match self.shape {
            Shape::ServiceToken { .. } => {
                Birth::Person { page: Some(self.tokens.page()), what: self.recipe() }
            }
            Shape::ClientSecret => Birth::Issued,
            Shape::AccessToken | Shape::UserToken => Birth::None,
        }
    }

    fn overlaps(&self) -> bool {
        matches!(self.shape, Shape::ServiceToken { .. } | Shape::ClientSecret)
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let identity = self.identity().unwrap_or("IDENTITY");
        let secrets = format!("/api/v1/auth/universal-auth/identities/{identity}/client-secrets");
        let lines = match (act, &self.shape) {
            (Act::Check, Shape::ServiceToken { .. }) => {
                vec!["GET /api/v1/projects/PROJECT/service-token-data (as a user)".to_owned()]
            }
            (Act::Check, Shape::AccessToken) => vec!["GET /api/v1/identities/details".to_owned()],
            (Act::Check, Shape::ClientSecret) => vec![format!("GET {secrets}")],
            (Act::Contain | Act::Retire, Shape::ServiceToken { id }) => {
                vec![format!("DELETE /api/v2/service-token/{id} (as a user)")]
            }
            (Act::Contain | Act::Retire, Shape::AccessToken) => {
                vec!["POST /api/v1/auth/token/revoke {\"accessToken\":\"********\"}".to_owned()]
            }
            (Act::Contain | Act::Retire, Shape::UserToken) => {
                vec!["a person: log the user out of all sessions".to_owned()]
            }
            (Act::Contain | Act::Retire | Act::Withdraw, Shape::ClientSecret) => {
                vec![format!("GET {secrets}"), format!("POST {secrets}/ID/revoke")]
            }
            _ => return None,
        };
        Some(lines)
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        if self.requests(act).is_none() {
            return Ok(());
        }
        let ours = Self::description(values);
        match (act, values.new) {
            (Act::Check, _) => self.check(values),
            (Act::Withdraw, Some(new)) => self.revoke_client_secret(new, |secret| secret.description == ours),
            (Act::Withdraw, None) => {
                let identity = self.identity().map_err(Trouble::Refused)?;
                let listed = self.tokens.client_secrets(identity).map_err(trouble)?;
                self.take_back(identity, &listed, &ours)
            }
            _ => self.end(values.old, &ours),
        }
    }

    fn can_tell(&self) -> bool {
        self.shape != Shape::UserToken
    }

    /// Asks about tokens with themselves, and about client secrets by the list: a wrong login would count towards a lock.
    fn accepts(&self, value: &Secret) -> Accepts {
        match Shape::of(value) {
            Some(Shape::ServiceToken { .. }) => match service_token(value.expose()) {
                Some(token) => accepted(self.tokens.is_service_token_live(&token)),
                None => Accepts::No,
            },
            Some(Shape::AccessToken) => accepted(self.tokens.is_access_token_live(value)),
            Some(Shape::ClientSecret) => self.client_secret_is_accepted(value),
            Some(Shape::UserToken) => Accepts::Unknown("nobody is asked about the token of a person".into()),
            None => Accepts::Unknown("it does not look like a credential of the manager".into()),
        }
    }

    fn issue(&self, values: &Values<'_>) -> Result<Secret, Trouble> {
        if self.shape != Shape::ClientSecret {
            return Err(Trouble::Refused(format!("{} can't be made by its like", self.name())));
        }
        let identity = self.identity().map_err(Trouble::Refused)?;
        let ours = Self::description(values);
        for _ in 0..TRIES {
            let listed = self.tokens.client_secrets(identity).map_err(trouble)?;
            self.take_back(identity, &listed, &ours)?;
            let like = listed.iter().find(|secret| secret.may_be(values.old) && secret.description != ours);
            let new = self.tokens.make_client_secret(identity, &ours, like).map_err(trouble)?;
            // By the first four characters alone one is told from another later.
            if !listed.iter().any(|secret| secret.is_usable && secret.may_be(&new)) {
                return Ok(new);
            }
        }
        Err(Trouble::Refused("new client secrets begin like one that is there, time and again".into()))
    }
}
