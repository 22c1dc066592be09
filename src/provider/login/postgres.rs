//! PostgreSQL: the start of a session, up to where it would take queries.
//!
//! After the password was accepted the server still checks whether the role may log in and whether the database is there, so that what it
//! says then is about those and no more about the password. Source: the manual's chapter "Frontend/Backend Protocol", and rotation-api.md.

use postgres_protocol::authentication::{
    md5_hash,
    sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
};

use super::{
    Outcome, Target,
    link::{Form, Link},
    wire::{Stream, Trouble},
};
use crate::model::{Secret, Verdict};

#[cfg(test)]
pub(super) mod tests;

pub(super) const NAME: &str = "PostgreSQL";
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const PROTOCOL_3: [u8; 4] = [0, 3, 0, 0];
pub(super) const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];
/// No message of a login, and none that a session is answered with here, comes near it, in bytes.
const MESSAGE_CAP: usize = 32 * 1024;

/// Whether the server has shown that the password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Nothing was said of it yet.
    None,
    /// It was checked, by a server that proved to know it or whose certificate was verified.
    Checked,
}

/// What an SQLSTATE means: the state, when it is said, the verdict, and what there is to add.
type Refusal = (&'static [u8; 5], Proof, Verdict, &'static str);

const REFUSALS: &[Refusal] = &[
    (b"28P01", Proof::None, Verdict::Inactive, ""),
    (b"28000", Proof::Checked, Verdict::Disabled, "the password is right, but the role may not log in"),
    (b"42501", Proof::Checked, Verdict::Restricted, "the password is right, but the role lacks a privilege"),
    (b"3D000", Proof::Checked, Verdict::Active, "the database does not exist"),
    (b"53300", Proof::Checked, Verdict::Active, "the role or database has no connection left"),
];

/// Why a state tells nothing of the password.
const REASONS: &[(&[u8; 5], &str)] = &[
    (b"28000", "the server's rules don't let this user in from here (28000)"),
    (b"3D000", "the database does not exist, and the password was not looked at (3D000)"),
    (b"53300", "the server has no connection left (53300)"),
    (b"57P03", "the server is starting or stopping (57P03)"),
];

pub(super) fn log_in<S: Stream>(link: Link<S>, target: &Target) -> Result<Outcome, Trouble> {
    let (link, refusal) = enter(link, target)?;
    link.leave(&TERMINATE);
    Ok(refusal.unwrap_or_else(|| Outcome::of(Verdict::Active)))
}

/// Logs in, up to where the server takes queries; else with what the login came to.
pub(super) fn enter<S: Stream>(
    link: Link<S>,
    target: &Target,
) -> Result<(Link<S>, Option<Outcome>), Trouble> {
    let mut link = secure(link, target)?;
    link.send(&startup(target)?)?;
    let refusal = match authenticate(&mut link, target)? {
        Some(refusal) => Some(refusal),
        None => settle(&mut link)?,
    };
    Ok((link, refusal))
}

/// Asks for TLS, where the target wants it.
fn secure<S: Stream>(mut link: Link<S>, target: &Target) -> Result<Link<S>, Trouble> {
    if target.tls == super::Tls::Off {
        return Ok(link);
    }
    link.send(&SSL_REQUEST)?;
    // One byte and no more: what an attacker sends behind it in clear must not count as said in TLS (CVE-2021-23222).
    match link.receive(1)?[0] {
        b'S' => link.upgrade(&target.tls, &target.host),
        b'N' if target.tls.is_required() => Err(Trouble::Tls("the server has none".into())),
        b'N' => Ok(link),
        _ => Err(Trouble::Garbage(NAME)),
    }
}

fn startup(target: &Target) -> Result<Vec<u8>, Trouble> {
    let Some(user) = &target.user else {
        return Err(Trouble::stop("PostgreSQL takes no password without a user"));
    };
    let mut fields = vec![("user", user.as_str())];
    fields.extend(target.database.as_deref().map(|database| ("database", database)));
    if target.is_replication {
        fields.push(("replication", "true"));
    }
    let mut body = PROTOCOL_3.to_vec();
    for (name, value) in fields {
        if value.contains('\0') {
            return Err(Trouble::stop(format!("the {name} holds a NUL")));
        }
        body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    body.push(0);
    Ok(with_length(&body))
}

/// The length stands before the bytes, and counts itself.
pub(super) fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body].concat()
}

/// Answers what the server asks, until it lets in (nothing) or refuses.
fn authenticate<S: Stream>(link: &mut Link<S>, target: &Target) -> Result<Option<Outcome>, Trouble> {
    let refused = match challenge(link)? {
        Challenge::Refused(state) => return Ok(Some(meaning(state, Proof::None))),
        Challenge::Admitted => {
            return Err(Trouble::stop("the server lets this user in without a password"));
        }
        Challenge::Clear => {
            link.may_tell(Form::Outdated, &target.tls)?;
            tell(link, target.password.expose())?;
            None
        }
        Challenge::Md5(salt) => {
            link.may_tell(Form::Outdated, &target.tls)?;
            let user = target.user.as_deref().unwrap_or_default();
            tell(link, Secret::new(md5_hash(user.as_bytes(), target.password.expose(), salt)).expose())?;
            None
        }
        Challenge::Sasl(mechanisms) => scram(link, target, &mechanisms)?,
        Challenge::SaslContinue(_) | Challenge::SaslFinal(_) => return Err(Trouble::Garbage(NAME)),
    };
    if refused.is_some() {
        return Ok(refused);
    }
    match challenge(link)? {
        Challenge::Admitted => Ok(None),
        Challenge::Refused(state) => Ok(Some(meaning(state, Proof::None))),
        _ => Err(Trouble::Garbage(NAME)),
    }
}

/// Sends a password, or what is made of it, as a message of its own.
fn tell<S: Stream>(link: &mut Link<S>, password: &[u8]) -> Result<(), Trouble> {
    if password.contains(&0) {
        return Err(Trouble::stop("the password holds a NUL, which PostgreSQL does not take"));
    }
    link.send(Secret::new([b"p", with_length(&[password, b"\0"].concat()).as_slice()].concat()).expose())
}

/// SCRAM-SHA-256, to the end: a server that can't prove that it knows the password is not believed, whatever else it says.
fn scram<S: Stream>(
    link: &mut Link<S>,
    target: &Target,
    mechanisms: &[u8],
) -> Result<Option<Outcome>, Trouble> {
    if !mechanisms.split(|byte| *byte == 0).any(|mechanism| mechanism == SCRAM_SHA_256.as_bytes()) {
        return Err(Trouble::stop("the server offers no method that is answered; SCRAM-SHA-256 would be"));
    }
    let mut scram = ScramSha256::new(target.password.expose(), ChannelBinding::unsupported());
    let first = scram.message();
    let length = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes();
    let initial = [SCRAM_SHA_256.as_bytes(), b"\0", &length, first].concat();
    link.send(&[b"p", with_length(&initial).as_slice()].concat())?;
    let server_first = match challenge(link)? {
        Challenge::SaslContinue(message) => message,
        Challenge::Refused(state) => return Ok(Some(meaning(state, Proof::None))),
        _ => return Err(Trouble::Garbage(NAME)),
    };
    scram.update(&server_first).map_err(|_| {
        Trouble::stop("the server's part of SCRAM is not valid, or asks for more rounds than are done")
    })?;
    link.send(&[b"p", with_length(scram.message()).as_slice()].concat())?;
    match challenge(link)? {
        Challenge::SaslFinal(message) => {
            scram.finish(&message).map_err(|_| unproved())?;
            Ok(None)
        }
        Challenge::Refused(state) => Ok(Some(meaning(state, Proof::None))),
        Challenge::Admitted => Err(unproved()),
        _ => Err(Trouble::Garbage(NAME)),
    }
}

fn unproved() -> Trouble {
    Trouble::stop(
        "the server does not prove that it knows the password; it may not be the one it claims to be",
    )
}

/// What comes after the password was accepted: a session (nothing), or why there is none.
fn settle<S: Stream>(link: &mut Link<S>) -> Result<Option<Outcome>, Trouble> {
    loop {
        match message(link) {
            Ok((b'Z', _)) => return Ok(None),
            Ok((b'E', body)) => return Ok(Some(meaning(state_of(&body)?, Proof::Checked))),
            Ok(_) => {}
            // The password was right, whatever became of the session.
            Err(Trouble::Closed | Trouble::Timeout | Trouble::Broken(_)) => {
                let broken =
                    Outcome::of(Verdict::Active).with_detail("the session broke off after the login");
                return Ok(Some(broken));
            }
            Err(trouble) => return Err(trouble),
        }
    }
}

fn meaning(state: [u8; 5], proof: Proof) -> Outcome {
    if let Some((.., verdict, detail)) =
        REFUSALS.iter().find(|(known, when, ..)| **known == state && *when == proof)
    {
        let detail = (!detail.is_empty()).then(|| (*detail).to_owned());
        return Outcome { verdict: verdict.clone(), detail };
    }
    let state = String::from_utf8_lossy(&state).into_owned();
    if proof == Proof::Checked {
        return Outcome::of(Verdict::Active).with_detail(format!("no session was opened ({state})"));
    }
    let reason = REASONS.iter().find(|(known, _)| known.as_slice() == state.as_bytes());
    Outcome::unknown(match reason {
        Some((_, why)) => (*why).to_owned(),
        None => format!("the server refuses for another reason than the password ({state})"),
    })
}

/// What the server wants next.
enum Challenge {
    Admitted,
    Refused([u8; 5]),
    Clear,
    Md5([u8; 4]),
    Sasl(Vec<u8>),
    SaslContinue(Vec<u8>),
    SaslFinal(Vec<u8>),
}

fn challenge<S: Stream>(link: &mut Link<S>) -> Result<Challenge, Trouble> {
    loop {
        let (tag, body) = message(link)?;
        match tag {
            // Notices, and what a server of an older protocol says of the version asked for.
            b'N' | b'v' => {}
            b'E' => return Ok(Challenge::Refused(state_of(&body)?)),
            b'R' => return request(&body),
            _ => return Err(Trouble::Garbage(NAME)),
        }
    }
}

fn request(body: &[u8]) -> Result<Challenge, Trouble> {
    let Some((kind, rest)) = body.split_first_chunk::<4>() else { return Err(Trouble::Garbage(NAME)) };
    match (u32::from_be_bytes(*kind), rest) {
        (0, []) => Ok(Challenge::Admitted),
        (3, []) => Ok(Challenge::Clear),
        (5, salt) => Ok(Challenge::Md5(salt.try_into().map_err(|_| Trouble::Garbage(NAME))?)),
        (10, mechanisms) => Ok(Challenge::Sasl(mechanisms.to_vec())),
        (11, message) => Ok(Challenge::SaslContinue(message.to_vec())),
        (12, message) => Ok(Challenge::SaslFinal(message.to_vec())),
        (2 | 7 | 9, _) => {
            Err(Trouble::stop("the server asks for Kerberos, GSSAPI or SSPI and not for a password"))
        }
        _ => Err(Trouble::Garbage(NAME)),
    }
}

/// A message: its tag and what follows the length.
pub(super) fn message<S: Stream>(link: &mut Link<S>) -> Result<(u8, Vec<u8>), Trouble> {
    let head = link.receive(5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    match length.checked_sub(4) {
        Some(length) if length <= MESSAGE_CAP => Ok((head[0], link.receive(length)?)),
        _ => Err(Trouble::Garbage(NAME)),
    }
}

/// The SQLSTATE of an error: the field `C`, five letters and digits.
pub(super) fn state_of(body: &[u8]) -> Result<[u8; 5], Trouble> {
    let code = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"C"));
    match code.map(<[u8; 5]>::try_from) {
        Some(Ok(code)) if code.iter().all(u8::is_ascii_alphanumeric) => Ok(code),
        _ => Err(Trouble::Garbage(NAME)),
    }
}
