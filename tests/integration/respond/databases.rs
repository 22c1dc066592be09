//! PostgreSQL and Redis, changed and proved: on the real servers that `tests/run.sh` starts. Without it, these tests say so and do nothing.

pub(in crate::respond) mod dragonfly;
mod postgres;
mod proxy;
mod redis;

use std::{collections::HashMap, env, net::TcpStream, time::Duration};

use hekate::{
    model::Secret,
    net::{Answer, Failure, Limits, Request, Send},
    provider::{
        TrustedHosts,
        login::{self, CacheSession, Service, SqlSession, Tls},
    },
    respond::target::{Act, Means, Target, Trouble, Values},
};

const ADMIN: &str = "HEKATE_ADMIN_URL";
const PATIENCE: Duration = Duration::from_secs(30);

/// A setting of `tests/services.sh`.
fn setting(name: &str) -> String {
    env::var(format!("HEKATE_TEST_{name}")).expect("tests/services.sh sets it")
}

#[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
fn are_running() -> bool {
    let are = env::var_os("HEKATE_TEST_SERVICES").is_some();
    if !are {
        eprintln!("skipped: no servers; run the tests by tests/run.sh");
    }
    are
}

fn port(server: &str) -> u16 {
    setting(&format!("{server}_PORT")).parse().expect("a port")
}

/// A name or a password that no other test and no other run has.
fn unique(start: &str) -> String {
    let random: String = (0..24).map(|_| fastrand::alphanumeric()).collect();
    format!("{start}{}", random.to_lowercase())
}

/// These targets speak no HTTP.
struct Nobody;

impl Send for Nobody {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        panic!("{} was to be sent", request.origin)
    }
}

/// Reads an environment variable.
type Variable = dyn Fn(&str) -> Option<Secret> + Sync;

/// What targets act with, in a test.
struct World {
    hosts: TrustedHosts,
    limits: Limits,
    variable: Box<Variable>,
}

impl World {
    /// With an administrator's URL in the variable [`ADMIN`], or without.
    fn new(admin_url: Option<String>) -> Self {
        let variables: HashMap<String, String> =
            admin_url.map(|url| (ADMIN.to_owned(), url)).into_iter().collect();
        Self {
            hosts: TrustedHosts::default(),
            limits: Limits { total: Duration::from_secs(10), ..Limits::default() },
            variable: Box::new(move |name| variables.get(name).map(|url| Secret::new(url.as_str()))),
        }
    }

    fn means(&self) -> Means<'_> {
        Means { send: &Nobody, hosts: &self.hosts, variable: &*self.variable, limits: &self.limits }
    }
}

/// The old and the new value of a rotation.
struct Pair {
    old: Secret,
    new: Secret,
}

impl Pair {
    fn new() -> Self {
        Self { old: Secret::new(unique("o")), new: Secret::new(unique("n")) }
    }

    fn values(&self) -> Values<'_> {
        Values { old: &self.old, new: Some(&self.new), incident: "INC-1" }
    }

    fn perform(&self, target: &dyn Target, act: Act) -> Result<(), Trouble> {
        target.perform(act, &self.values())
    }

    /// Does an act that has to succeed, and once more, since what is done already is done.
    fn done(&self, target: &dyn Target, act: Act) {
        for _ in 0..2 {
            self.perform(target, act).unwrap_or_else(|trouble| panic!("{act:?}: {trouble:?}"));
        }
    }
}

fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.expose()).expect("made of letters and digits")
}

fn login(service: Service, port: u16, user: &str, password: &str) -> login::Target {
    login::Target {
        service,
        host: "127.0.0.1".into(),
        port,
        user: Some(user.into()),
        password: Secret::new(password),
        database: (service == Service::Postgres).then(|| "hekate".into()),
        tls: Tls::Off,
        is_replication: false,
    }
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).expect("connect to a server of the tests")
}

/// A session of PostgreSQL.
fn sql(user: &str, password: &str) -> SqlSession {
    let target = login(Service::Postgres, port("POSTGRES"), user, password);
    SqlSession::open(&target, connect(target.port), PATIENCE).expect("log in to PostgreSQL")
}

/// A session of Redis.
fn cache(port: u16, user: &str, password: &str) -> CacheSession {
    let target = login(Service::Redis, port, user, password);
    CacheSession::open(&target, connect(port), PATIENCE).expect("log in to Redis")
}
