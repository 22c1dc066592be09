//! A secret with what belongs to it.

use std::borrow::Cow;

use crate::model::Secret;

/// What a value beside a secret is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A name to log in with.
    User,
    /// An e-mail address to log in with.
    Email,
    /// The id of a key whose secret this is, or the other way round.
    KeyId,
    /// The secret of a key whose id this is.
    KeySecret,
    /// An account, project or organization.
    Account,
    /// The directory or tenant of an account.
    Tenant,
    /// The id of a client or application.
    ClientId,
    /// The public one of two keys.
    PublicKey,
    /// The token of a session, beside temporary keys.
    SessionToken,
    /// The host that it stands beside. Nothing is sent there for that: it only tells which of the trusted ones is meant.
    Host,
}

const ROLES: &[(&str, Role)] = &[
    ("user", Role::User),
    ("email", Role::Email),
    ("key-id", Role::KeyId),
    ("key-secret", Role::KeySecret),
    ("account", Role::Account),
    ("tenant", Role::Tenant),
    ("client-id", Role::ClientId),
    ("public-key", Role::PublicKey),
    ("session-token", Role::SessionToken),
    ("host", Role::Host),
];

impl Role {
    /// Its word, as templates write it.
    pub fn as_str(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        ROLES.iter().find(|(known, _)| *known == word).map(|(_, role)| *role)
    }
}

/// A secret that a provider is asked about, with what was found beside it.
#[derive(Debug, Clone)]
pub struct Credential<'a> {
    /// Id of the rule that names it.
    pub rule: &'a str,
    /// The secret itself.
    pub value: &'a Secret,
    /// What belongs to it. It comes from scanned content, and is sent as data only: never as a host.
    pub companions: Vec<(Role, Secret)>,
}

impl Credential<'_> {
    /// The first companion of a role.
    pub fn companion(&self, role: Role) -> Option<&Secret> {
        self.companions.iter().find(|(known, _)| *known == role).map(|(_, secret)| secret)
    }

    /// The id and the secret of a key, of which this is either.
    ///
    /// # Errors
    /// That the other half isn't there.
    pub fn pair(&self) -> Result<(&Secret, &Secret), String> {
        match (self.companion(Role::KeyId), self.companion(Role::KeySecret)) {
            (_, Some(secret)) => Ok((self.value, secret)),
            (Some(id), None) => Ok((id, self.value)),
            (None, None) => Err("the other half of the key, id or secret, is not at hand".into()),
        }
    }

    /// Whether a text holds a secret of it, so that it can't be shown.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let secrets = [Role::KeySecret, Role::SessionToken].map(|role| self.companion(role));
        let mut values = secrets.into_iter().flatten().chain([self.value]);
        values.any(|secret| {
            let shown: Cow<'_, str> = String::from_utf8_lossy(secret.expose());
            shown.len() >= 4 && text.contains(shown.as_ref())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_a_word_of_its_own() {
        for (word, role) in ROLES {
            assert_eq!(Role::parse(word), Some(*role));
            assert_eq!(role.as_str(), *word);
        }
        assert_eq!(Role::parse("value"), None);
    }
}
