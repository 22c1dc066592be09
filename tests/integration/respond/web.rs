//! A web service's double on this machine, and the means to talk to it.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use hekate::{
    model::Secret,
    net::{Answer, Failure, Limits, Request, Send},
    provider::TrustedHosts,
    respond::target::Means,
};

use crate::infisical::http::{PlainSender, Received, Reply, receive, reply};

/// What a double says to a request; `None` ends the connection without a word.
type Says = Box<dyn FnMut(&Received) -> Option<Reply> + std::marker::Send>;

/// Answers as it is told to, and keeps what it was sent.
pub(super) struct Double {
    port: u16,
    seen: Arc<Mutex<Vec<Received>>>,
}

impl Double {
    pub(super) fn saying(
        mut says: impl FnMut(&Received) -> Option<Reply> + std::marker::Send + 'static,
    ) -> Self {
        let mut says: Says = Box::new(move |request| says(request));
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = listener.local_addr().expect("it listens").port();
        let seen: Arc<Mutex<Vec<Received>>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(request) = receive(&stream) else { continue };
                kept.lock().expect("nobody panicked").push(request.clone());
                if let Some(said) = says(&request) {
                    // The other side may have what it wants already.
                    drop(reply(&stream, &said));
                }
            }
        });
        Self { port, seen }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn seen(&self) -> Vec<Received> {
        self.seen.lock().expect("nobody panicked").clone()
    }

    /// `GET /path` of each request.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Received::line).collect()
    }

    /// How often a request with this line came.
    pub(super) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|seen| *seen == line).count()
    }
}

pub(super) fn answer(status: u16, body: &str) -> Option<Reply> {
    Some(Reply {
        status,
        headers: vec![("x-github-request-id".into(), "1".into()), ("x-amzn-requestid".into(), "1".into())],
        body: body.into(),
    })
}

/// A sender that reaches nothing.
pub(super) struct Nowhere;

impl Send for Nowhere {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        Err(Failure::Connect { host: request.origin.clone(), why: "there is no way".into() })
    }
}

/// Reads an environment variable.
type Variable = dyn Fn(&str) -> Option<Secret> + Sync;

/// What means are made of.
pub(super) struct World {
    pub(super) hosts: TrustedHosts,
    pub(super) limits: Limits,
    pub(super) variable: Box<Variable>,
}

impl World {
    /// Where a provider's only host is this, and a variable of this name, if any, has a value.
    pub(super) fn new(provider: Option<(&str, &str)>, variable: Option<(&str, &str)>) -> Self {
        let hosts = provider.map(|(name, origin)| (name.to_owned(), vec![origin.to_owned()]));
        let known = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            hosts: TrustedHosts::new(hosts).expect("a provider that is known"),
            limits: Limits::default(),
            variable: Box::new(move |name| {
                known
                    .as_ref()
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| Secret::new(value.as_str()))
            }),
        }
    }

    pub(super) fn means(&self) -> Means<'_> {
        Means { send: &PlainSender, hosts: &self.hosts, variable: &*self.variable, limits: &self.limits }
    }
}
