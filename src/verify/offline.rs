//! What a secret says of itself, and whether a private key's public half is among those that trusted config knows.

use super::{Setup, trust::PublicKeys};
use crate::{
    model::{Secret, Verdict},
    net::Request,
    provider::{
        Outcome,
        offline::{Listed, jwt, key},
    },
};

/// A check that tells nobody of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offline {
    /// Whether a token has expired.
    Token,
    /// Whether a key is in use.
    Key {
        /// It signs tokens, so that all keys like it are listed; of any other, nobody knows what it is for.
        is_signing: bool,
    },
}

/// Rules whose secrets are checked so.
const RULES: &[(&str, Offline)] = &[
    ("jwt", Offline::Token),
    ("jwt-signing-key", Offline::Key { is_signing: true }),
    ("private-key", Offline::Key { is_signing: false }),
    ("private-key-base64", Offline::Key { is_signing: false }),
];

impl Offline {
    /// The check of the secrets that a rule names.
    pub(super) fn of(rule: &str) -> Option<Self> {
        RULES.iter().find(|(id, _)| *id == rule).map(|(_, offline)| *offline)
    }

    /// What it comes to; `known` are the documents of public keys, or why one could not be had.
    pub(super) fn check(
        self,
        value: &Secret,
        setup: &Setup<'_>,
        known: &[Result<Listed, String>],
    ) -> Outcome {
        match self {
            Self::Token => jwt::check(value, u64::try_from(setup.now.as_second()).unwrap_or_default(), None),
            Self::Key { is_signing } => of_key(value, is_signing, known),
        }
    }
}

/// A key is active where one document lists it, and absent only where all could be read.
fn of_key(value: &Secret, is_signing: bool, known: &[Result<Listed, String>]) -> Outcome {
    let said: Vec<Outcome> = known
        .iter()
        .map(|listed| match listed {
            Ok(listed) => key::check(value, listed),
            Err(why) => Outcome::unknown(why.clone()),
        })
        .collect();
    let with = |wanted: fn(&Verdict) -> bool| said.iter().find(|outcome| wanted(&outcome.verdict)).cloned();
    let open = with(|verdict| *verdict == Verdict::Active)
        .or_else(|| with(|verdict| matches!(verdict, Verdict::Unknown(_))));
    match open.or_else(|| said.first().cloned()) {
        None => Outcome::unknown(
            "there is nothing to compare it with; name a JWKS or certificate as `public-keys` in [verify] of your own config",
        ),
        Some(absent) if absent.verdict == Verdict::Retired && !is_signing => {
            Outcome::unknown("its public half is in none of the documents that trusted config names")
        }
        Some(outcome) => outcome,
    }
}

/// Gets the documents of public keys that trusted config names.
pub(super) fn public_keys(setup: &Setup<'_>) -> Vec<Result<Listed, String>> {
    setup.trust.public_keys.iter().map(|source| listed(source, setup)).collect()
}

fn listed(source: &PublicKeys, setup: &Setup<'_>) -> Result<Listed, String> {
    match source {
        PublicKeys::Document(bytes) => parse(bytes),
        PublicKeys::At { origin, path } => {
            let request = Request::get(origin.as_str(), path.as_str());
            let answer = setup.send.send(&request).map_err(|failure| failure.to_string())?;
            if answer.status != 200 {
                return Err(format!(
                    "the public keys at {} can't be had: status {}",
                    origin.host(),
                    answer.status
                ));
            }
            parse(answer.body.expose())
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Listed, String> {
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let parsed = if is_json { Listed::jwks(bytes) } else { Listed::certificates(bytes) };
    parsed.map_err(|error| error.to_string())
}
