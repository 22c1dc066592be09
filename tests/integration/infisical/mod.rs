//! An Infisical in this process, and the store that talks to it.
//!
//! It answers as a real server of July 2026 without a licence did, traps included: logins lock, values are trimmed, references expand where nobody says
//! not to, a service token with one scope answers from that whatever is asked. Only a cloud limits requests, so that is off until a test wants it.

mod auth;
mod changing;
mod faults;
pub(crate) mod http;
mod listing;
mod login;
mod project;
mod protocol;
mod pull;
mod routes;
mod secrets;
pub(crate) mod server;
mod tokens;
pub(crate) mod world;

use std::collections::HashMap;

use hekate::{
    model::Secret,
    store::{Infisical, InfisicalOptions, SecretPath, StoreError, Stored},
};

use self::{http::PlainSender, server::Server, world::Rights};

/// A store that comes with these environment variables and those of the server.
fn store(server: &Server, variables: &[(&str, &str)]) -> Infisical {
    let url = server.url();
    let mut known: HashMap<&str, &str> =
        HashMap::from([("HEKATE_INFISICAL_URL", url.as_str()), ("HEKATE_INFISICAL_PROJECT", "kosmos")]);
    known.extend(variables.iter().copied());
    let lookup = |name: &str| known.get(name).map(|value| (*value).to_owned());
    let options = InfisicalOptions::from_env(lookup, None).expect("the variables are right");
    Infisical::new(options, Box::new(PlainSender))
}

/// A store that logs in as a new identity.
fn store_as(server: &Server, rights: Rights) -> Infisical {
    let (id, secret) = server.world().identity("scanner", rights);
    store(server, &[("HEKATE_INFISICAL_CLIENT_ID", &id), ("HEKATE_INFISICAL_CLIENT_SECRET", &secret)])
}

/// `production:/folder/NAME`.
fn path(text: &str) -> SecretPath {
    let (environment, rest) = text.split_once(':').expect("an environment");
    let (folder, name) = rest.rsplit_once('/').expect("a folder");
    let folder = if folder.is_empty() { "/" } else { folder };
    SecretPath { environment: environment.into(), folder: folder.into(), name: name.into() }
}

/// Path, version and value.
fn shown(stored: &Stored) -> (String, u64, String) {
    (stored.path.to_string(), stored.version, text(&stored.value))
}

fn text(value: &Secret) -> String {
    String::from_utf8(value.expose().to_vec()).expect("it is text")
}

fn fault<T>(outcome: Result<T, StoreError>) -> String {
    outcome.err().expect("it fails").to_string()
}
