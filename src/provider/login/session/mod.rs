//! Sessions of administrators: a login that goes on, to change what a rotation changes.
//!
//! The login is the very one of `postgres.rs` and `redis.rs`, under the same rules of what may be told to whom. What the server says to a
//! command is capped, has a time, and is never repeated: its errors may quote the command, and a command may hold a password's verifier.

mod postgres;
mod redis;
#[cfg(test)]
mod tests;

use std::{net::TcpStream, time::Duration};

use crate::provider::{
    Outcome,
    login::{
        is_near,
        link::Link,
        wire::{Stream, Trouble, Wire},
    },
};

pub use postgres::{Row, SqlSession};
pub use redis::{CacheSession, Reply};

/// What is read of a server in one session, in bytes; a list of clients is the most of it.
const READ_CAP: usize = 4 * 1024 * 1024;

/// Why a session did not do what it was told. No text holds a word of the server or of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// There is no session, and so nothing was done. What the login came to.
    #[error("the login came to {}", .0.verdict)]
    NotOpen(Outcome),
    /// The server refuses the command: it was not done.
    #[error("{0}")]
    Refused(String),
    /// The answer was lost or makes no sense: it may have been done.
    #[error("{0}")]
    Unclear(String),
}

/// Any stream, so that a session's type does not tell which.
type AnyLink = Link<Box<dyn Stream>>;

/// A connection in clear, with `patience` for all that happens on it.
fn link_to(stream: TcpStream, patience: Duration) -> Result<AnyLink, SessionError> {
    let is_near = stream.peer_addr().map(|peer| is_near(peer.ip()));
    let is_near = is_near.map_err(|error| not_open(Trouble::from(error)))?;
    Ok(link_over(Box::new(stream), patience, is_near))
}

fn link_over(stream: Box<dyn Stream>, patience: Duration, is_near: bool) -> AnyLink {
    Link::new(Wire::new(stream, patience, READ_CAP), is_near)
}

fn not_open(trouble: Trouble) -> SessionError {
    SessionError::NotOpen(Outcome::unknown(trouble.to_string()))
}

/// The connection failed after a command was sent, or while it was.
fn lost(trouble: Trouble) -> SessionError {
    SessionError::Unclear(match trouble {
        Trouble::Closed => "the server closed the connection before it answered".to_owned(),
        Trouble::TooLong => "the server answers with more than is read".to_owned(),
        other => other.to_string(),
    })
}
