//! Logging in, once.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use super::{
    Ask, Infisical, Login,
    fault::{Fault, Kind},
    wire::{Field, Granted, body},
};
use crate::{model::Secret, net::Method, store::StoreError};

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_secs(60);

/// Where the login of a machine identity stands.
pub(super) enum Session {
    /// Nobody has tried.
    Fresh,
    /// It has a token, until then or for ever.
    Open { token: Secret, until: Option<Instant> },
    /// It failed and is not tried again: three wrong logins lock the identity for all its users.
    Failed(StoreError),
}

impl Infisical {
    /// The token to ask with.
    pub(super) fn token(&self) -> Result<Secret, StoreError> {
        let (client_id, client_secret) = match &self.options.login {
            Login::Service(token) | Login::Access(token) => return Ok(token.clone()),
            Login::Universal { client_id, client_secret } => (client_id, client_secret),
        };
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &*session {
            Session::Failed(error) => return Err(error.clone()),
            Session::Open { token, until } if !is_ending(*until) => return Ok(token.clone()),
            Session::Open { token, .. } => match self.renew(token) {
                // No login helps against a server that is down.
                Err(Fault { error: error @ StoreError::Unreachable { .. }, .. }) => return Err(error),
                Err(_) => self.log_in(client_id, client_secret),
                renewed => renewed,
            },
            Session::Fresh => self.log_in(client_id, client_secret),
        };
        match opened {
            Ok((token, until)) => {
                *session = Session::Open { token: token.clone(), until };
                Ok(token)
            }
            Err(fault) => {
                *session = Session::Failed(fault.error.clone());
                Err(fault.error)
            }
        }
    }

    fn log_in(&self, client_id: &str, client_secret: &Secret) -> Result<(Secret, Option<Instant>), Fault> {
        // It is graphic ASCII, as the options hold it to.
        let client_secret = str::from_utf8(client_secret.expose()).unwrap_or_default();
        let fields = [("clientId", Field::Plain(client_id)), ("clientSecret", Field::Secret(client_secret))];
        let path = "/api/v1/auth/universal-auth/login".to_owned();
        let granted = self.send(&Ask::change(Method::Post, path, body(&fields), "logging in"), None);
        self.open(granted.map_err(|fault| self.explain(fault))?)
    }

    fn renew(&self, token: &Secret) -> Result<(Secret, Option<Instant>), Fault> {
        let token = str::from_utf8(token.expose()).unwrap_or_default();
        let fields = [("accessToken", Field::Secret(token))];
        let path = "/api/v1/auth/token/renew".to_owned();
        let ask = Ask::change(Method::Post, path, body(&fields), "renewing the login");
        self.open(self.send(&ask, None)?)
    }

    fn open(&self, granted: Granted) -> Result<(Secret, Option<Instant>), Fault> {
        let token = Secret::new(granted.access_token.as_bytes());
        if token.is_empty() || !token.expose().iter().all(u8::is_ascii_graphic) {
            return Err(self.malformed("it answers a login with something that is no token".into()).into());
        }
        let lasts = (granted.expires_in > 0).then(|| Duration::from_secs(granted.expires_in));
        Ok((token, lasts.and_then(|lasts| Instant::now().checked_add(lasts))))
    }

    /// A body that is not taken is one with a client id or secret that can't be one.
    fn explain(&self, fault: Fault) -> Fault {
        if fault.kind != Kind::NotTaken {
            return fault;
        }
        let what = "the client id or the client secret is malformed; check HEKATE_INFISICAL_CLIENT_ID and HEKATE_INFISICAL_CLIENT_SECRET";
        StoreError::Unauthenticated { store: self.options.host().to_owned(), what: what.into() }.into()
    }
}

fn is_ending(until: Option<Instant>) -> bool {
    until.is_some_and(|until| until.saturating_duration_since(Instant::now()) < MARGIN)
}
