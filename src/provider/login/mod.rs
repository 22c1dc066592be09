//! Logins to databases, caches and message brokers: is this password right there?
//!
//! A [`Target`] from trusted config comes in, an [`Outcome`] goes out. [`log_in`] authenticates and leaves: no query, and nothing that
//! changes data; an administrator's [`SqlSession`] or [`CacheSession`] goes on from the same login. One tries twice: a named user of Redis is also tried with a random password, which leaves an entry in `ACL LOG`
//! (`redis.rs` says why). The server is hostile input: what is read of it is capped, the time it gets is too, and nothing it says is
//! repeated. What it is told depends on who it has proved to be, and `Link::may_tell` is the one place that decides that.

mod link;
mod mysql;
mod nats;
mod postgres;
mod redis;
#[cfg(test)]
mod script;
mod session;
mod tls;
mod wire;

use std::{
    net::{IpAddr, TcpStream},
    time::Duration,
};

use super::Outcome;
use crate::model::Secret;

use link::Link;
use wire::{Stream, Trouble, Wire};

pub use session::{CacheSession, Reply, Row, SessionError, SqlSession};
pub use tls::Tls;

/// Which protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// Redis, Valkey, Dragonfly.
    Redis,
    /// NATS with users or a token.
    Nats,
}

/// Services with their name in evidence and config, their other names as schemes of URLs, and their usual port.
const SERVICES: &[(Service, &[&str], u16)] = &[
    (Service::Postgres, &["postgres", "postgresql"], 5432),
    (Service::Mysql, &["mysql", "mariadb"], 3306),
    (Service::Redis, &["redis", "rediss", "dragonfly", "valkey"], 6379),
    (Service::Nats, &["nats"], 4222),
];

impl Service {
    /// The service that a word in config or the scheme of a URL means.
    pub fn named(name: &str) -> Option<Self> {
        SERVICES.iter().find(|(_, names, _)| names.contains(&name)).map(|(service, ..)| *service)
    }

    /// Its name in evidence: `postgres`.
    pub fn name(self) -> &'static str {
        self.entry().1[0]
    }

    /// The port where nothing else is said.
    pub fn default_port(self) -> u16 {
        self.entry().2
    }

    fn entry(self) -> &'static (Self, &'static [&'static str], u16) {
        SERVICES.iter().find(|(service, ..)| *service == self).expect("every service is in the table")
    }
}

/// Where a password is tried, and for whom. Host and port come from trusted config, never from scanned content.
#[derive(Debug, Clone)]
pub struct Target {
    /// What listens there.
    pub service: Service,
    /// The name that the server's certificate has to show.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who logs in. Without: the default user of Redis, a token of NATS; PostgreSQL and MySQL need one.
    pub user: Option<String>,
    /// What is tried.
    pub password: Secret,
    /// The database to enter. Only PostgreSQL is told; without, it takes the user's name.
    pub database: Option<String>,
    /// What the connection has to be.
    pub tls: Tls,
    /// Logs in to PostgreSQL as a standby does.
    pub is_replication: bool,
}

/// What is read of a server before it is given up, in bytes; certificates are the most of it.
const READ_CAP: usize = 256 * 1024;

/// Tries the password at a server to which `stream` is connected, for no longer than `patience` in all.
///
/// The stream leads to an address that was checked. There is always an outcome: whatever goes wrong makes it `unknown`, with the reason.
pub fn log_in(target: &Target, stream: TcpStream, patience: Duration) -> Outcome {
    match stream.peer_addr() {
        Ok(peer) => ask(target, Link::new(Wire::new(stream, patience, READ_CAP), is_near(peer.ip()))),
        Err(error) => Outcome::unknown(Trouble::from(error).to_string()),
    }
}

fn ask<S: Stream>(target: &Target, link: Link<S>) -> Outcome {
    let answer = match target.service {
        Service::Postgres => postgres::log_in(link, target),
        Service::Mysql => mysql::log_in(link, target),
        Service::Redis => redis::log_in(link, target),
        Service::Nats => nats::log_in(link, target),
    };
    answer.unwrap_or_else(|trouble| Outcome::unknown(trouble.to_string()))
}

/// Whether an address is this machine or a private network, where a password may be seen by fewer.
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_its_names_and_port() {
        for (service, names, port) in SERVICES {
            for name in *names {
                assert_eq!(Service::named(name), Some(*service));
            }
            assert_eq!((service.name(), service.default_port()), (names[0], *port));
        }
        assert_eq!(Service::named("oracle"), None);
    }

    #[test]
    fn near_is_loopback_and_private_in_every_spelling() {
        let near =
            ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"];
        let far = ["1.1.1.1", "169.254.169.254", "100.64.0.1", "fe80::1", "2606:4700::1", "::ffff:8.8.8.8"];
        assert!(near.iter().all(|address| is_near(address.parse().unwrap())));
        assert!(!far.iter().any(|address| is_near(address.parse().unwrap())));
    }
}
