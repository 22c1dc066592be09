//! Redis and what speaks its protocol: commands and their answers, in version 2 of RESP.

use std::{net::TcpStream, time::Duration};

use super::{AnyLink, SessionError, link_to, lost, not_open};
use crate::{
    model::Secret,
    provider::login::{
        Target,
        redis::{NAME, QUIT, encode, enter},
        wire::Trouble,
    },
};

/// No line of an answer is longer, in bytes.
const LINE_CAP: usize = 4096;
/// Answers within answers.
const DEPTH_CAP: usize = 4;
/// Parts of one answer.
const PARTS_CAP: usize = 4096;

/// How an error starts, and what it means, in our words. What is more particular comes first.
const ERRORS: &[(&str, &str)] = &[
    ("NOPERM ", "the user who is logged in lacks the right (NOPERM)"),
    ("NOAUTH ", "the server does not take the login for one (NOAUTH)"),
    ("READONLY ", "the server takes no changes: it is a replica (READONLY)"),
    ("LOADING ", "the server is starting (LOADING)"),
    ("MISCONF ", "the server can't write to its disk (MISCONF)"),
    ("ERR unknown command", "the server does not know the command"),
    ("ERR unknown subcommand", "the server does not know the command"),
    ("ERR Unknown subcommand", "the server does not know the command"),
    ("ERR syntax error", "the server does not know this form of the command"),
    ("ERR This Redis instance is not configured to use an ACL file", "the server has no ACL file"),
    ("ERR Dragonfly is not configured to use an ACL file", "the server has no ACL file"),
    ("ERR The server is running without a config file", "the server has no config file"),
    ("ERR Rewriting config file", "the server can't write its config file"),
];

/// What a command is answered with. Errors are none of it: they are [`SessionError::Refused`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A word or a text, which may hold a secret.
    Text(Secret),
    /// A number.
    Integer(i64),
    /// Nothing is there.
    Nothing,
    /// Several.
    List(Vec<Reply>),
}

impl Reply {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&Secret> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The parts, if it has some.
    pub fn list(&self) -> Option<&[Reply]> {
        if let Self::List(parts) = self { Some(parts) } else { None }
    }
}

/// A session of Redis or Dragonfly, logged in.
pub struct CacheSession {
    link: AnyLink,
}

impl CacheSession {
    /// Logs in at a server to which `stream` is connected. The session, with all its commands, takes no longer than `patience`.
    ///
    /// # Errors
    /// [`SessionError::NotOpen`] with what the login came to.
    pub fn open(target: &Target, stream: TcpStream, patience: Duration) -> Result<Self, SessionError> {
        Self::over(target, link_to(stream, patience)?)
    }

    pub(super) fn over(target: &Target, link: AnyLink) -> Result<Self, SessionError> {
        let (link, refusal) = enter(link, target).map_err(not_open)?;
        match refusal {
            None => Ok(Self { link }),
            Some(refusal) => {
                link.leave(QUIT);
                Err(SessionError::NotOpen(refusal))
            }
        }
    }

    /// Runs one command, whose words may hold any byte.
    ///
    /// # Errors
    /// [`SessionError::Refused`] where the server says that it was not done, else [`SessionError::Unclear`].
    pub fn run(&mut self, words: &[&[u8]]) -> Result<Reply, SessionError> {
        self.link.send(encode(words).expose()).map_err(lost)?;
        let mut parts = 0;
        match self.hear(DEPTH_CAP, &mut parts).map_err(lost)? {
            Ok(reply) => Ok(reply),
            Err(why) => Err(SessionError::Refused(why.to_owned())),
        }
    }

    /// One answer: what it is, or which error.
    fn hear(&mut self, depth: usize, parts: &mut usize) -> Result<Result<Reply, &'static str>, Trouble> {
        *parts += 1;
        if depth == 0 || *parts > PARTS_CAP {
            return Err(Trouble::TooLong);
        }
        let line = self.link.receive_line(LINE_CAP)?;
        let Some((kind, rest)) = line.split_first() else { return Err(Trouble::Garbage(NAME)) };
        Ok(Ok(match kind {
            b'+' => Reply::Text(Secret::new(rest)),
            b'-' => return Ok(Err(meaning(rest))),
            b':' => Reply::Integer(number(rest)?),
            b'$' => self.bulk(number(rest)?)?,
            b'*' => return self.list(number(rest)?, depth, parts),
            _ => return Err(Trouble::Garbage(NAME)),
        }))
    }

    fn bulk(&mut self, length: i64) -> Result<Reply, Trouble> {
        let length = match usize::try_from(length) {
            Ok(length) if length <= super::READ_CAP => length,
            Ok(_) => return Err(Trouble::TooLong),
            Err(_) => return Ok(Reply::Nothing),
        };
        let text = Secret::new(self.link.receive(length)?);
        match self.link.receive(2)?.as_slice() {
            b"\r\n" => Ok(Reply::Text(text)),
            _ => Err(Trouble::Garbage(NAME)),
        }
    }

    fn list(
        &mut self,
        count: i64,
        depth: usize,
        parts: &mut usize,
    ) -> Result<Result<Reply, &'static str>, Trouble> {
        let Ok(count) = usize::try_from(count) else { return Ok(Ok(Reply::Nothing)) };
        let mut list = Vec::new();
        for _ in 0..count {
            // An error within a list is no answer that any command here has.
            list.push(self.hear(depth - 1, parts)?.map_err(|_| Trouble::Garbage(NAME))?);
        }
        Ok(Ok(Reply::List(list)))
    }

    /// Says goodbye.
    pub fn close(self) {
        self.link.leave(QUIT);
    }
}

fn number(text: &[u8]) -> Result<i64, Trouble> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Trouble::Garbage(NAME))
}

fn meaning(error: &[u8]) -> &'static str {
    let known = ERRORS.iter().find(|(start, _)| error.starts_with(start.as_bytes()));
    known.map_or("the server refuses the command", |(_, why)| *why)
}
