//! The driver: it sends what it may, where it may, as often as it may.

use std::{
    collections::BTreeSet,
    fmt,
    io::ErrorKind,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use ureq::unversioned::transport::{ConnectProxyConnector, TcpConnector};

use super::{
    AddressPolicy, Answer, Failure, IdentityError, Origin, Proxy, Request, RootsError, Send, TlsOptions,
    address::{normal, printable},
    connect::{CheckedResolver, Handshake, Opener},
    gate::Gate,
    message::{self, Message},
    retry, tls,
};

/// What a driver may do. By default it may nothing: no origin is listed.
#[derive(Debug, Clone, Default)]
pub struct DriverOptions {
    /// Where requests may go: the built-in origins of providers, and those of trusted config. One with `http` in it is trusted so.
    pub origins: Vec<Origin>,
    /// Which of these may lie at private addresses.
    pub addresses: AddressPolicy,
    /// Certificates to trust beside the usual ones, in PEM; empty for none.
    pub extra_roots: Vec<u8>,
    /// Who is trusted by TLS beyond that, and who asks.
    pub tls: TlsOptions,
    /// Through what `https` origins are reached. Whether their addresses are private is then the proxy's to know.
    pub proxy: Option<Proxy>,
    /// How long, how much, how often.
    pub limits: Limits,
}

/// How long it waits, how much it reads, how often it asks.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a connection, with its name and TLS.
    pub connect: Duration,
    /// For one request with its answer, to the last byte.
    pub total: Duration,
    /// The longest body that is read, in bytes.
    pub body: u64,
    /// From one request to a host to the next, once a few have gone.
    pub pace: Duration,
    /// Requests to one host at once.
    pub at_once: usize,
    /// A host that wants to be left alone for longer is not asked a second time.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(20),
            body: 1 << 20,
            pace: Duration::from_millis(200),
            at_once: 2,
            longest_pause: Duration::from_secs(10),
        }
    }
}

/// Options that make no driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// The CA file.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The client's certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The proxy's URL, which may hold a password and is not shown.
    #[error(
        "the proxy can't be used: write http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host if need be"
    )]
    Proxy,
}

/// Sends requests over HTTP/1.1.
pub struct Driver {
    origins: BTreeSet<Origin>,
    addresses: AddressPolicy,
    direct: ureq::Agent,
    proxied: Option<(Proxy, ureq::Agent)>,
    gate: Gate,
    limits: Limits,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver that may do what the options say.
    ///
    /// # Errors
    /// A CA file or proxy that can't be used.
    pub fn new(options: DriverOptions) -> Result<Self, DriverError> {
        let DriverOptions { origins, addresses, extra_roots, tls, proxy, limits } = options;
        let config = tls::client(&extra_roots, &tls)?;
        let tls = Handshake { config, server_name: tls.server_name };
        let direct = agent(None, addresses.clone(), &tls, &limits);
        let proxied = match proxy {
            None => None,
            Some(proxy) => {
                let url = parse_proxy(&proxy)?;
                // Whoever names a proxy means it, wherever it is. It is all that this agent ever looks up.
                let there = AddressPolicy::allowing([normal(url.host())]);
                let agent = agent(Some(url), there, &tls, &limits);
                Some((proxy, agent))
            }
        };
        let gate = Gate::new(limits.pace, limits.at_once);
        Ok(Self { origins: origins.into_iter().collect(), addresses, direct, proxied, gate, limits })
    }

    /// The origin that a request goes to, if it is one of those it may go to.
    fn allowed(&self, origin: &str) -> Result<&Origin, Failure> {
        let parsed: Option<Origin> = origin.parse().ok();
        parsed.and_then(|origin| self.origins.get(&origin)).ok_or_else(|| Failure::Refused {
            host: printable(origin),
            why: "it is neither a built-in host of a provider nor one that your own config trusts".into(),
        })
    }

    fn agent_for(&self, origin: &Origin) -> Result<&ureq::Agent, Failure> {
        match &self.proxied {
            Some((proxy, agent)) if !proxy.spares(origin) => {
                if let Ok(address) = origin.host().parse::<IpAddr>() {
                    self.addresses.check(origin.host(), address)?;
                }
                Ok(agent)
            }
            _ => Ok(&self.direct),
        }
    }

    fn attempt(&self, origin: &Origin, message: &Message<'_>) -> Result<Answer, Trouble> {
        let agent = self.agent_for(origin)?;
        let _pass = self.gate.enter(origin.host());
        let explain = |error, is_begun| self.explain(origin.host(), error, is_begun);
        let response = message.send(agent).map_err(|error| explain(error, false))?;
        let answer = message::read(response, self.limits.body).map_err(|error| explain(error, true))?;
        let too_long = || Failure::TooLong { host: origin.host().to_owned(), cap: self.limits.body };
        answer.ok_or_else(|| too_long().into())
    }

    /// Our words for the library's error, whose own may hold a URL.
    fn explain(&self, host: &str, error: ureq::Error, is_begun: bool) -> Trouble {
        let host = host.to_owned();
        let broken = |host: String, why: &str| Trouble::from(Failure::Broken { host, why: why.to_owned() });
        match error {
            ureq::Error::Other(other) => match other.downcast::<Failure>() {
                Ok(failure) => {
                    Trouble { is_passing: matches!(*failure, Failure::Connect { .. }), failure: *failure }
                }
                Err(_) => broken(host, "the connection failed"),
            },
            ureq::Error::Timeout(_) => Failure::Timeout { host }.into(),
            ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => Failure::Timeout { host }.into(),
            ureq::Error::Io(error) => {
                let why = if is_begun { "it ended in the middle" } else { "the connection was closed" };
                let is_closed = matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof
                        | ErrorKind::ConnectionReset
                        | ErrorKind::ConnectionAborted
                        | ErrorKind::BrokenPipe
                );
                let why = if is_closed { why.to_owned() } else { error.kind().to_string() };
                Trouble { failure: Failure::Broken { host, why }, is_passing: is_closed && !is_begun }
            }
            ureq::Error::LargeResponseHeader(..) => broken(host, "its headers are too long"),
            _ => broken(host, "it is no HTTP"),
        }
    }
}

/// A failed attempt.
struct Trouble {
    failure: Failure,
    /// There was no connection, or it was closed before anything came back.
    is_passing: bool,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { failure, is_passing: false }
    }
}

impl Send for Driver {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let origin = self.allowed(&request.origin)?;
        let message = Message::new(origin, request)?;
        let first = self.attempt(origin, &message);
        let pause = match &first {
            Ok(answer) => retry::pause_after(answer, SystemTime::now(), self.limits.longest_pause),
            Err(trouble) => trouble.is_passing.then(retry::pause_after_failure),
        };
        let result = match pause {
            Some(pause) if request.is_safe => {
                self.gate.close(origin.host(), pause);
                self.attempt(origin, &message)
            }
            _ => first,
        };
        result.map_err(|trouble| trouble.failure)
    }
}

fn parse_proxy(proxy: &Proxy) -> Result<ureq::Proxy, DriverError> {
    let url = std::str::from_utf8(proxy.url.expose()).map_err(|_| DriverError::Proxy)?;
    let url = ureq::Proxy::new(url).map_err(|_| DriverError::Proxy)?;
    let is_http = matches!(url.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https);
    if is_http { Ok(url) } else { Err(DriverError::Proxy) }
}

fn agent(proxy: Option<ureq::Proxy>, policy: AddressPolicy, tls: &Handshake, limits: &Limits) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("hekate/", env!("CARGO_PKG_VERSION")))
        .max_response_header_size(64 << 10)
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_global(Some(limits.total))
        .build();
    let opener = Opener {
        tls: tls.clone(),
        timeout: limits.connect,
        proxy: ConnectProxyConnector::default(),
        tcp: TcpConnector::default(),
    };
    ureq::Agent::with_parts(config, opener, CheckedResolver { policy, timeout: limits.connect })
}

#[cfg(test)]
mod tests;
