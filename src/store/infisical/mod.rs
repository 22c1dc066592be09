//! [Infisical](https://infisical.com) over HTTP.
//!
//! Options and a sender come in; requests are described here and sent by the room `net`, which knows how often and how long. The routes are those of v4,
//! or of v3 raw on servers that have no v4. Expanding references and including imports are always switched off by name: what is on by default differs
//! by route and release, and an expanded value is not the one that is stored.

mod change;
mod fault;
mod list;
mod options;
mod project;
mod session;
mod tokens;
mod value;
mod version;
mod wire;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use self::{
    fault::{Asked, Fault, Kind},
    project::{Place, Project},
    session::Session,
};
pub use self::{
    options::{InfisicalOptions, Login},
    tokens::{ClientSecret, CredentialError, ServiceToken, Tokens},
    value::as_stored,
};
use super::{Listing, SecretPath, Store, StoreError, Stored, Written};
use crate::{
    model::Secret,
    net::{Method, Request, Send, Text},
};

/// A project of Infisical.
///
/// **Environments** are known by slug, and by name too, in any case: asked for `production`, a project answers whose environment has the name
/// `Production` and the slug `prod`, and the paths in the answer say `production`, as they were asked for.
///
/// **Values** are trimmed by the server ([`as_stored`]); one that would not come back as it is, is refused before it is sent.
///
/// **Logging in** happens once, when something is first asked, and never again if it fails: three wrong logins lock an identity.
pub struct Infisical {
    options: InfisicalOptions,
    sender: Box<dyn Send>,
    /// Who is logged in; a second thread that needs it waits, so that there is one login.
    session: Mutex<Session>,
    /// Looked up once, by whoever needs it first.
    project: Mutex<Option<Arc<Project>>>,
    /// The server has no v4.
    is_old: AtomicBool,
}

/// A request, before it is known as whom it is sent.
struct Ask<'a> {
    method: Method,
    /// From `/api` on, with its query.
    path: String,
    body: Option<Text>,
    /// For errors, after "no permission for": `reading production:/a/B`.
    what: &'a str,
    is_safe: bool,
}

impl<'a> Ask<'a> {
    fn get(path: String, what: &'a str) -> Self {
        Self { method: Method::Get, path, body: None, what, is_safe: true }
    }

    /// Something that changes what is there, with a body.
    fn change(method: Method, path: String, body: Text, what: &'a str) -> Self {
        Self { method, path, body: Some(body), what, is_safe: false }
    }
}

/// The two shapes of the routes of secrets.
#[derive(Clone, Copy)]
enum Api {
    V4,
    /// Of older servers, and still there on newer ones.
    V3,
}

impl Api {
    /// The path of all secrets, or of one.
    fn path(self, name: Option<&str>) -> String {
        let all = match self {
            Self::V4 => "/api/v4/secrets",
            Self::V3 => "/api/v3/secrets/raw",
        };
        name.map_or_else(|| all.to_owned(), |name| format!("{all}/{}", segment(name)))
    }

    /// What it calls the project's id.
    fn project(self) -> &'static str {
        match self {
            Self::V4 => "projectId",
            Self::V3 => "workspaceId",
        }
    }

    /// What it calls the switch of imports.
    fn imports(self) -> &'static str {
        match self {
            Self::V4 => "includeImports",
            Self::V3 => "include_imports",
        }
    }

    /// The query of a read in a folder, with what always has to be said.
    fn query(self, place: &Place<'_>, folder: &str, more: &[(&str, &str)]) -> String {
        let fixed = [
            (self.project(), place.project.id.as_str()),
            ("environment", place.slug),
            ("secretPath", folder),
            ("viewSecretValue", "true"),
            ("expandSecretReferences", "false"),
            (self.imports(), "false"),
        ];
        query(fixed.iter().chain(more))
    }
}

/// One part of a path.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn query<'a>(pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| (*name, *value));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("?{query}")
}

impl Infisical {
    /// Nothing is sent before something is asked.
    pub fn new(options: InfisicalOptions, sender: Box<dyn Send>) -> Self {
        Self {
            options,
            sender,
            session: Mutex::new(Session::Fresh),
            project: Mutex::new(None),
            is_old: AtomicBool::new(false),
        }
    }

    /// Asks as whom we came.
    fn ask<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Fault> {
        self.send(ask, Some(&self.token()?))
    }

    /// Asks a route of secrets, by the newer shape where the server has it.
    fn ask_secrets<'a, T: DeserializeOwned>(&self, ask: impl Fn(Api) -> Ask<'a>) -> Result<T, Fault> {
        if !self.is_old.load(Ordering::Relaxed) {
            match self.ask(&ask(Api::V4)) {
                Err(Fault { kind: Kind::NoRoute, .. }) => self.is_old.store(true, Ordering::Relaxed),
                other => return other,
            }
        }
        self.ask(&ask(Api::V3))
    }

    /// Sends a request with this token, or with none.
    fn send<T: DeserializeOwned>(&self, ask: &Ask<'_>, token: Option<&Secret>) -> Result<T, Fault> {
        let store = self.name();
        let asked = Asked {
            store: &store,
            what: ask.what,
            token,
            is_secret: ask.body.is_some(),
            is_safe: ask.is_safe,
        };
        let request = self.request(ask, token);
        let answer = self.sender.send(&request).map_err(|failure| fault::no_answer(&failure, &asked))?;
        if answer.status != 200 {
            return Err(fault::judge(&answer, &asked));
        }
        wire::parse(&answer).ok_or_else(|| fault::unread(answer.status, &asked))
    }

    fn request(&self, ask: &Ask<'_>, token: Option<&Secret>) -> Request {
        let mut request = Request::get(&self.options.origin, format!("{}{}", self.options.base, ask.path))
            .header("accept", "application/json");
        request.method = ask.method;
        request.is_safe = ask.is_safe;
        if let Some(token) = token {
            request = request.header("authorization", Text::from("Bearer ").secret(token.clone()));
        }
        if let Some(body) = &ask.body {
            // With this type and nothing in the body, the server fails.
            request = request.header("content-type", "application/json");
            request.body = Some(body.clone());
        }
        request
    }

    /// The project, looked up once.
    fn project(&self) -> Result<Arc<Project>, StoreError> {
        let mut known = self.project.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(project) = &*known {
            return Ok(Arc::clone(project));
        }
        let project = Arc::new(self.look_up_project()?);
        *known = Some(Arc::clone(&project));
        Ok(project)
    }

    fn not_found(&self, what: String) -> StoreError {
        StoreError::NotFound { store: self.name(), what }
    }

    fn forbidden(&self, what: String) -> StoreError {
        StoreError::Forbidden { store: self.name(), what }
    }

    fn malformed(&self, what: String) -> StoreError {
        StoreError::Malformed { store: self.name(), what }
    }
}

impl Store for Infisical {
    fn name(&self) -> String {
        let host = self.options.host();
        match &self.options.project {
            Some(project) => format!("{host} (project {project})"),
            None => host.to_owned(),
        }
    }

    fn environments(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.project()?.slugs())
    }

    fn list(&self, environment: &str) -> Result<Listing, StoreError> {
        let project = self.project()?;
        self.list_at(&self.place(&project, environment)?)
    }

    fn older(&self, current: &Stored, most: usize) -> Result<Vec<Stored>, StoreError> {
        let project = self.project()?;
        let place = self.place(&project, &current.path.environment)?;
        match &self.options.user_token {
            Some(token) => self.listed_versions(&place, current, token, most),
            None => self.numbered_versions(&place, current, most),
        }
    }

    fn read(&self, path: &SecretPath, version: Option<u64>) -> Result<Option<Stored>, StoreError> {
        let project = self.project()?;
        self.read_at(&self.place(&project, &path.environment)?, path, version)
    }

    fn write(&self, path: &SecretPath, value: &Secret, note: &str) -> Result<Written, StoreError> {
        let project = self.project()?;
        self.write_at(&self.place(&project, &path.environment)?, path, value, note)
    }

    fn remove(&self, path: &SecretPath) -> Result<bool, StoreError> {
        let project = self.project()?;
        self.remove_at(&self.place(&project, &path.environment)?, path)
    }
}
