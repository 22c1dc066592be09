//! PostgreSQL: statements by the simple query protocol, with rows as text.

use std::{net::TcpStream, time::Duration};

use super::{AnyLink, SessionError, link_to, lost, not_open};
use crate::{
    model::Secret,
    provider::{
        Outcome,
        login::{
            Target,
            postgres::{NAME, TERMINATE, enter, message, state_of, with_length},
            wire::Trouble,
        },
    },
};

/// The columns of a row, as text; `NULL` is none.
pub type Row = Vec<Option<String>>;

/// What holds for a session whatever the role, the database or the server's config say: names mean the system's own, quotes are read by the
/// standard, and a role that reads only by default can change what it has the right to.
const SETTINGS: &str = "SET client_encoding TO 'UTF8'; SET search_path TO pg_catalog; \
     SET standard_conforming_strings TO on; SET default_transaction_read_only TO off";

/// What an SQLSTATE means, in our words.
const STATES: &[(&[u8; 5], &str)] = &[
    (b"42501", "the role that is logged in lacks the right"),
    (b"42704", "there is no such role"),
    (b"42939", "the server keeps this role for itself"),
    (b"25006", "the server takes no changes: it is a standby, or set to read only"),
    (b"53100", "the server's disk is full"),
    (b"55P03", "another session holds a lock on it"),
    (b"57014", "the server cancelled the statement"),
];

/// A session of PostgreSQL, logged in.
pub struct SqlSession {
    link: AnyLink,
}

/// What was said to one statement.
#[derive(Default)]
struct Answer {
    rows: Vec<Row>,
    is_done: bool,
    refusal: Option<SessionError>,
}

impl Answer {
    fn is_settled(&self) -> bool {
        self.is_done || self.refusal.is_some()
    }
}

impl SqlSession {
    /// Logs in at a server to which `stream` is connected. The session, with all its statements, takes no longer than `patience`.
    ///
    /// # Errors
    /// [`SessionError::NotOpen`] with what the login came to.
    pub fn open(target: &Target, stream: TcpStream, patience: Duration) -> Result<Self, SessionError> {
        Self::over(target, link_to(stream, patience)?)
    }

    pub(super) fn over(target: &Target, link: AnyLink) -> Result<Self, SessionError> {
        let (link, refusal) = enter(link, target).map_err(not_open)?;
        if let Some(refusal) = refusal {
            link.leave(&TERMINATE);
            return Err(SessionError::NotOpen(refusal));
        }
        let mut session = Self { link };
        // Nothing that counts was asked for yet, so that whatever goes wrong here leaves no doubt.
        let settled = session.run(&Secret::new(SETTINGS));
        settled.map_err(|error| SessionError::NotOpen(Outcome::unknown(error.to_string())))?;
        Ok(session)
    }

    /// Runs one statement, which is committed when this returns its rows.
    ///
    /// # Errors
    /// [`SessionError::Refused`] where the server says that it was not done, else [`SessionError::Unclear`].
    pub fn run(&mut self, statement: &Secret) -> Result<Vec<Row>, SessionError> {
        if statement.expose().contains(&0) {
            return Err(SessionError::Refused("a statement of PostgreSQL holds no NUL".into()));
        }
        let body = Secret::new([statement.expose(), b"\0"].concat());
        let query = Secret::new([b"Q", with_length(body.expose()).as_slice()].concat());
        self.link.send(query.expose()).map_err(lost)?;
        let answer = self.hear()?;
        match answer.refusal {
            Some(refusal) => Err(refusal),
            None if answer.is_done => Ok(answer.rows),
            None => Err(lost(Trouble::Garbage(NAME))),
        }
    }

    /// Reads up to where the server takes the next statement.
    fn hear(&mut self) -> Result<Answer, SessionError> {
        let mut answer = Answer::default();
        loop {
            let (tag, body) = match message(&mut self.link) {
                Ok(message) => message,
                // The server says so once it is committed or given up, so that it does not matter what breaks then.
                Err(_) if answer.is_settled() => return Ok(answer),
                Err(trouble) => return Err(lost(trouble)),
            };
            match tag {
                b'Z' => return Ok(answer),
                b'D' => answer.rows.push(row(&body).ok_or_else(|| lost(Trouble::Garbage(NAME)))?),
                b'C' => answer.is_done = true,
                b'E' if is_fatal(&body) && answer.is_settled() => return Ok(answer),
                b'E' if is_fatal(&body) => return Err(ended(&body)?),
                b'E' => answer.refusal = Some(refused(&body)?),
                // What the rows are, notices, settings, and what others tell.
                b'T' | b'N' | b'S' | b'A' => {}
                _ => return Err(lost(Trouble::Garbage(NAME))),
            }
        }
    }

    /// Says goodbye.
    pub fn close(self) {
        self.link.leave(&TERMINATE);
    }
}

fn refused(body: &[u8]) -> Result<SessionError, SessionError> {
    let state = state_of(body).map_err(lost)?;
    let known = STATES.iter().find(|(known, _)| **known == state);
    let why = known.map_or("the server refuses the statement", |(_, why)| *why);
    Ok(SessionError::Refused(format!("{why} ({})", String::from_utf8_lossy(&state))))
}

/// The server ends the session, maybe in the middle of the statement.
fn ended(body: &[u8]) -> Result<SessionError, SessionError> {
    let state = state_of(body).map_err(lost)?;
    Ok(SessionError::Unclear(format!("the server ended the session ({})", String::from_utf8_lossy(&state))))
}

/// Whether an error ends the session: by the field that is never translated, which every server from 9.6 on sends.
fn is_fatal(body: &[u8]) -> bool {
    body.split(|byte| *byte == 0).any(|field| matches!(field, b"VFATAL" | b"VPANIC"))
}

/// The columns of a `DataRow`: how many, then for each its length, or -1 for `NULL`, and its bytes.
fn row(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut columns = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            columns.push(None);
            rest = after;
            continue;
        };
        let (text, after) = after.split_at_checked(length)?;
        columns.push(Some(std::str::from_utf8(text).ok()?.to_owned()));
        rest = after;
    }
    rest.is_empty().then_some(columns)
}
