//! Redis and what speaks its protocol: `AUTH`, and no more.
//!
//! The password crosses the wire as it is. Sources: the manual's pages on RESP and AUTH; rotation-api.md for the answers of Redis and Dragonfly.

use super::{
    Outcome, Target,
    link::{Form, Link},
    wire::{Stream, Trouble},
};
use crate::model::{Secret, Verdict};

#[cfg(test)]
mod tests;

pub(super) const NAME: &str = "Redis";
/// No answer to AUTH comes near it, in bytes.
const LINE_CAP: usize = 1024;

pub(super) const QUIT: &[u8] = b"*1\r\n$4\r\nQUIT\r\n";

/// How an answer starts or what it holds, and what it means.
enum Answer {
    Accepted,
    Refused,
    /// Unknown, and why.
    Other(&'static str),
}

const ANSWERS: &[(&str, Answer)] = &[
    ("+OK", Answer::Accepted),
    ("-WRONGPASS ", Answer::Refused),
    // Redis before 6.
    ("-ERR invalid password", Answer::Refused),
    (
        "-ERR AUTH <password> called without any password configured",
        Answer::Other("no password is set on the server"),
    ),
    ("-ERR Client sent AUTH, but no password is set", Answer::Other("no password is set on the server")),
    ("-ERR wrong number of arguments", Answer::Other("the server knows no users, and a user was given")),
    ("-ERR max number of clients", Answer::Other("the server has no connection left")),
    ("-DENIED ", Answer::Other("the server is in protected mode and answers nobody from here")),
    ("-LOADING ", Answer::Other("the server is starting")),
];

pub(super) fn log_in<S: Stream>(link: Link<S>, target: &Target) -> Result<Outcome, Trouble> {
    let (mut link, refusal) = enter(link, target)?;
    let outcome = match refusal {
        Some(refusal) => refusal,
        None => confirm(&mut link, named_user(target))?,
    };
    link.leave(QUIT);
    Ok(outcome)
}

/// Logs in, up to where the server takes commands; else with what the login came to.
pub(super) fn enter<S: Stream>(
    link: Link<S>,
    target: &Target,
) -> Result<(Link<S>, Option<Outcome>), Trouble> {
    // There is no way to ask for TLS on the way: a port has it from the first byte or not at all.
    let mut link = if target.tls.is_required() { link.upgrade(&target.tls, &target.host)? } else { link };
    link.may_tell(Form::Bare, &target.tls)?;
    let refusal = match authenticate(&mut link, named_user(target), &target.password)? {
        Answer::Accepted => None,
        Answer::Refused => Some(Outcome::of(Verdict::Inactive)),
        Answer::Other(why) => Some(Outcome::unknown(why)),
    };
    Ok((link, refusal))
}

fn named_user(target: &Target) -> Option<&str> {
    target.user.as_deref().filter(|user| *user != "default")
}

/// A user with `nopass` is let in whatever the password, which only a wrong one shows. The default user says so by itself.
fn confirm<S: Stream>(link: &mut Link<S>, user: Option<&str>) -> Result<Outcome, Trouble> {
    if user.is_none() {
        return Ok(Outcome::of(Verdict::Active));
    }
    let wrong = random().ok_or_else(|| Trouble::stop("the system gives no random bytes"))?;
    match authenticate(link, user, &wrong)? {
        Answer::Refused => Ok(Outcome::of(Verdict::Active)),
        _ => Ok(Outcome::unknown("the server lets this user in with any password")),
    }
}

fn random() -> Option<Secret> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let letters: Vec<u8> = bytes.iter().map(|byte| b'a' + byte % 26).collect();
    Some(Secret::new(letters))
}

fn authenticate<S: Stream>(
    link: &mut Link<S>,
    user: Option<&str>,
    password: &Secret,
) -> Result<Answer, Trouble> {
    link.send(command(user, password).expose())?;
    let line = link.receive_line(LINE_CAP)?;
    let line = std::str::from_utf8(&line).map_err(|_| Trouble::Garbage(NAME))?;
    let known = ANSWERS.iter().find(|(start, _)| line.starts_with(start));
    match known {
        Some((_, Answer::Accepted)) if line != "+OK" => Err(Trouble::Garbage(NAME)),
        Some((_, Answer::Accepted)) => Ok(Answer::Accepted),
        Some((_, Answer::Refused)) => Ok(Answer::Refused),
        Some((_, Answer::Other(why))) => Ok(Answer::Other(why)),
        None if line.starts_with('-') => {
            Ok(Answer::Other("the server refuses for another reason than the password"))
        }
        None => Err(Trouble::Garbage(NAME)),
    }
}

/// `AUTH [user] password`.
fn command(user: Option<&str>, password: &Secret) -> Secret {
    let words: Vec<&[u8]> = [Some(b"AUTH".as_slice()), user.map(str::as_bytes), Some(password.expose())]
        .into_iter()
        .flatten()
        .collect();
    encode(&words)
}

/// A command, each word with its length before it, so that no byte of it means anything to the protocol.
pub(super) fn encode(words: &[&[u8]]) -> Secret {
    let size = words.iter().map(|word| word.len() + 32).sum();
    // With room for all of it, so that growing leaves no copy behind.
    let mut command = Vec::with_capacity(size);
    command.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    Secret::new(command)
}
