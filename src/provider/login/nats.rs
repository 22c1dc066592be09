//! NATS: `INFO`, `CONNECT`, and a `PING` whose answer tells.
//!
//! The password crosses the wire as it is. Source: the client protocol of docs.nats.io; answers seen on nats-server 2.9.

use serde::{Deserialize, Serialize};

use super::{
    Outcome, Target, Tls,
    link::{Form, Link},
    wire::{Stream, Trouble},
};
use crate::model::{Secret, Verdict};

#[cfg(test)]
mod tests;

const NAME: &str = "NATS";
/// INFO names every server of a cluster; nothing else is long. In bytes.
const LINE_CAP: usize = 64 * 1024;
/// How many lines may come before the one that tells.
const PATIENCE: usize = 16;

/// What matters of the server's first line.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    auth_required: bool,
    #[serde(default)]
    tls_required: bool,
    #[serde(default)]
    tls_available: bool,
}

/// What the server is told.
#[derive(Serialize)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    lang: &'a str,
    version: &'a str,
    protocol: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
}

pub(super) fn log_in<S: Stream>(mut link: Link<S>, target: &Target) -> Result<Outcome, Trouble> {
    let line = link.receive_line(LINE_CAP)?;
    let info: Info = line
        .strip_prefix(b"INFO ")
        .and_then(|json| serde_json::from_slice(json).ok())
        .ok_or(Trouble::Garbage(NAME))?;
    if !info.auth_required {
        return Err(Trouble::stop("the server asks nobody for a password"));
    }
    let mut link = secure(link, target, &info)?;
    link.may_tell(Form::Bare, &target.tls)?;
    link.send(greeting(target)?.expose())?;
    verdict(&mut link)
}

fn secure<S: Stream>(link: Link<S>, target: &Target, info: &Info) -> Result<Link<S>, Trouble> {
    let has_tls = info.tls_required || info.tls_available;
    match &target.tls {
        Tls::Off if info.tls_required => {
            Err(Trouble::Tls("the server demands it, and the target says off".into()))
        }
        Tls::Required { .. } if !has_tls => Err(Trouble::Tls("the server has none".into())),
        Tls::Off => Ok(link),
        tls if has_tls => link.upgrade(tls, &target.host),
        _ => Ok(link),
    }
}

fn greeting(target: &Target) -> Result<Secret, Trouble> {
    let password = std::str::from_utf8(target.password.expose())
        .map_err(|_| Trouble::stop("the password is no text, and NATS takes nothing else"))?;
    if is_bcrypt(password) {
        return Err(Trouble::stop("this is a bcrypt hash, as the server's config has it, and no password"));
    }
    let has_user = target.user.is_some();
    let connect = Connect {
        verbose: false,
        pedantic: false,
        lang: "hekate",
        version: env!("CARGO_PKG_VERSION"),
        protocol: 1,
        user: target.user.as_deref(),
        pass: has_user.then_some(password),
        auth_token: (!has_user).then_some(password),
    };
    // JSON escapes a byte to six at most. With room for all of it, so that growing leaves no copy behind.
    let mut line =
        Vec::with_capacity(512 + 6 * (password.len() + target.user.as_deref().unwrap_or_default().len()));
    line.extend_from_slice(b"CONNECT ");
    serde_json::to_writer(&mut line, &connect)
        .map_err(|_| Trouble::stop("the password can't be written as JSON"))?;
    line.extend_from_slice(b"\r\nPING\r\n");
    Ok(Secret::new(line))
}

fn is_bcrypt(password: &str) -> bool {
    password.len() == 60 && ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|start| password.starts_with(start))
}

fn verdict<S: Stream>(link: &mut Link<S>) -> Result<Outcome, Trouble> {
    for _ in 0..PATIENCE {
        let line = link.receive_line(LINE_CAP)?.to_ascii_lowercase();
        match line.as_slice() {
            b"pong" => return Ok(Outcome::of(Verdict::Active)),
            b"+ok" | b"ping" => {}
            line if line.starts_with(b"info ") => {}
            b"-err 'authorization violation'" => return Ok(Outcome::of(Verdict::Inactive)),
            line if line.starts_with(b"-err ") => {
                return Ok(Outcome::unknown("the server refuses for another reason than the password"));
            }
            _ => return Err(Trouble::Garbage(NAME)),
        }
    }
    Err(Trouble::TooLong)
}
