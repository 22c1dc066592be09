//! MySQL and MariaDB: the handshake, up to OK or an error.
//!
//! Answered are `mysql_native_password` and `caching_sha2_password`; the password itself is told only in verified TLS and only where the
//! latter asks for it, and `mysql_clear_password` never. Source: the "Client/Server Protocol" pages of the MySQL source documentation.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    Outcome, Target, Tls,
    link::{Form, Link},
    wire::{Stream, Trouble},
};
use crate::model::{Secret, Verdict};

#[cfg(test)]
mod tests;

const NAME: &str = "MySQL";
/// No packet of a login comes near it, in bytes.
const PACKET_CAP: usize = 16 * 1024;
/// How many packets may come before the one that tells.
const PATIENCE: usize = 8;
/// What the server mixes into the answer, in bytes.
const NONCE: usize = 20;

/// Capabilities, as the protocol numbers them.
const LONG_PASSWORD: u32 = 1;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
/// `CAN_HANDLE_EXPIRED_PASSWORDS` is not among them: so the server says that one has expired.
const OURS: u32 = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;

/// What an error's number means, and what there is to add.
const ERRORS: &[(u16, Verdict, &str)] = &[
    (1045, Verdict::Inactive, "as seen from here: an account can be for other hosts only"),
    (1698, Verdict::Inactive, "as seen from here: an account can be for other hosts only"),
    (1820, Verdict::Restricted, "the password has expired: it can be changed, and nothing else"),
    (1862, Verdict::Restricted, "the password has expired: it can be changed, and nothing else"),
    (3118, Verdict::Disabled, "the account is locked"),
    (4151, Verdict::Disabled, "the account is locked"),
    (3955, Verdict::Locked, "locked for a while after failed logins"),
    (4150, Verdict::Locked, "locked after failed logins"),
];

/// Why a number tells nothing of the password.
const REASONS: &[(u16, &str)] = &[
    (1040, "the server has no connection left (1040)"),
    (1129, "the server blocks this host after connection errors (1129)"),
    (1130, "the server lets nobody in from here (1130)"),
    (1203, "the user has no connection left (1203)"),
    (3159, "the server demands TLS (3159)"),
];

/// A method by which a server checks passwords, that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Native,
    CachingSha2,
}

const METHODS: &[(&str, Method)] =
    &[("mysql_native_password", Method::Native), ("caching_sha2_password", Method::CachingSha2)];

/// The methods that servers come with and that are not answered, so that they can be named without repeating the server.
const NOT_ANSWERED: &[&str] = &[
    "mysql_clear_password",
    "mysql_old_password",
    "sha256_password",
    "client_ed25519",
    "parsec",
    "dialog",
    "auth_gssapi_client",
    "authentication_ldap_sasl_client",
    "authentication_kerberos_client",
];

impl Method {
    fn named(name: &[u8]) -> Result<Self, Trouble> {
        if let Some((_, method)) = METHODS.iter().find(|(known, _)| known.as_bytes() == name) {
            return Ok(*method);
        }
        let name = NOT_ANSWERED.iter().find(|known| known.as_bytes() == name);
        let name = name.copied().unwrap_or("a method that is not known");
        Err(Trouble::stop(format!("the server checks this user by {name}, which is not answered")))
    }

    fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).expect("every method is in the table").0
    }

    /// What is sent of the password.
    fn scramble(self, password: &Secret, nonce: &[u8; NONCE]) -> Secret {
        if password.is_empty() {
            return Secret::new(Vec::new());
        }
        match self {
            Self::Native => scramble_native(password.expose(), nonce),
            Self::CachingSha2 => scramble_sha2(password.expose(), nonce),
        }
    }
}

/// `SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password)))`
fn scramble_native(password: &[u8], nonce: &[u8]) -> Secret {
    let once = Secret::new(Sha1::digest(password).to_vec());
    let twice = Secret::new(Sha1::digest(once.expose()).to_vec());
    xor(&once, &Sha1::new().chain_update(nonce).chain_update(twice.expose()).finalize())
}

/// `SHA256(password) XOR SHA256(SHA256(SHA256(password)), nonce)`
fn scramble_sha2(password: &[u8], nonce: &[u8]) -> Secret {
    let once = Secret::new(Sha256::digest(password).to_vec());
    let twice = Secret::new(Sha256::digest(once.expose()).to_vec());
    xor(&once, &Sha256::new().chain_update(twice.expose()).chain_update(nonce).finalize())
}

fn xor(secret: &Secret, mask: &[u8]) -> Secret {
    Secret::new(secret.expose().iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>())
}

pub(super) fn log_in<S: Stream>(link: Link<S>, target: &Target) -> Result<Outcome, Trouble> {
    let mut session = Session { link, sequence: 0 };
    let first = session.receive()?;
    if let Some(number) = error_number(&first)? {
        return Ok(meaning(number));
    }
    let greeting = Greeting::parse(&first).ok_or(Trouble::Garbage(NAME))?;
    let session = session.secure(target, &greeting)?;
    session.log_in(target, &greeting)
}

/// The server's first packet, as far as it matters.
struct Greeting {
    capabilities: u32,
    nonce: [u8; NONCE],
    method: Vec<u8>,
}

impl Greeting {
    fn parse(packet: &[u8]) -> Option<Self> {
        let mut rest = Cursor(packet);
        if rest.take(1)? != [10] {
            return None;
        }
        // Version and connection id.
        rest.until_nul()?;
        rest.take(4)?;
        let nonce_start = rest.take(8)?;
        rest.take(1)?;
        let low = rest.number()?;
        // Character set and status.
        rest.take(3)?;
        let high = rest.number()?;
        // Length of the nonce, and bytes that are reserved.
        rest.take(11)?;
        let nonce_end = rest.take(NONCE - 8)?;
        rest.take(1)?;
        let method = rest.until_nul().unwrap_or(b"mysql_native_password").to_vec();
        let nonce = [nonce_start, nonce_end].concat().try_into().ok()?;
        Some(Self { capabilities: u32::from(low) | u32::from(high) << 16, nonce, method })
    }

    fn has_tls(&self) -> bool {
        self.capabilities & SSL != 0
    }
}

/// Bytes that are taken one after the other, and may end at any place.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn until_nul(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let head = self.take(end)?;
        self.take(1)?;
        Some(head)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
}

/// A connection with the number of its next packet.
struct Session<S: Stream> {
    link: Link<S>,
    sequence: u8,
}

impl<S: Stream> Session<S> {
    fn receive(&mut self) -> Result<Vec<u8>, Trouble> {
        let head = self.link.receive(4)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
        if length == 0 || length > PACKET_CAP || head[3] != self.sequence {
            return Err(Trouble::Garbage(NAME));
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.link.receive(length)
    }

    fn send(&mut self, body: &Secret) -> Result<(), Trouble> {
        let length = u32::try_from(body.len()).ok().filter(|length| *length < 0xff_ffff);
        let length =
            length.ok_or_else(|| Trouble::stop("the password is longer than a packet"))?.to_le_bytes();
        let packet = [&length[..3], &[self.sequence], body.expose()].concat();
        self.sequence = self.sequence.wrapping_add(1);
        self.link.send(Secret::new(packet).expose())
    }

    fn secure(mut self, target: &Target, greeting: &Greeting) -> Result<Self, Trouble> {
        if target.tls == Tls::Off {
            return Ok(self);
        }
        if !greeting.has_tls() {
            return if target.tls.is_required() {
                Err(Trouble::Tls("the server has none".into()))
            } else {
                Ok(self)
            };
        }
        self.send(&Secret::new(preamble(OURS | SSL)))?;
        Ok(Self { link: self.link.upgrade(&target.tls, &target.host)?, ..self })
    }

    fn log_in(mut self, target: &Target, greeting: &Greeting) -> Result<Outcome, Trouble> {
        // The server's usual method need not be this user's; a first guess that is wrong makes it name the right one.
        let guess = Method::named(&greeting.method).unwrap_or(Method::Native);
        self.link.may_tell(Form::Bare, &target.tls)?;
        let response = self.response(target, guess.scramble(&target.password, &greeting.nonce), guess)?;
        self.send(&response)?;
        let mut method = guess;
        for _ in 0..PATIENCE {
            let packet = self.receive()?;
            match packet.split_first() {
                Some((0x00, _)) => return Ok(self.accepted(target)),
                Some((0xff, _)) => return self.refused(&packet, target, greeting),
                Some((0xfe, switch)) => {
                    let mut switch = Cursor(switch);
                    method = Method::named(switch.until_nul().unwrap_or(b"mysql_old_password"))?;
                    let nonce = switch.take(NONCE).and_then(|nonce| nonce.try_into().ok());
                    self.send(&method.scramble(&target.password, nonce.ok_or(Trouble::Garbage(NAME))?))?;
                }
                Some((0x01, [3])) if method == Method::CachingSha2 => {}
                Some((0x01, [4])) if method == Method::CachingSha2 => self.tell(target)?,
                _ => return Err(Trouble::Garbage(NAME)),
            }
        }
        Err(Trouble::TooLong)
    }

    /// The packet that names the user and brings the first answer.
    fn response(&self, target: &Target, scramble: Secret, method: Method) -> Result<Secret, Trouble> {
        let user =
            target.user.as_deref().ok_or_else(|| Trouble::stop("MySQL takes no password without a user"))?;
        if user.contains('\0') {
            return Err(Trouble::stop("the user holds a NUL"));
        }
        let flags = if self.link.is_encrypted() { OURS | SSL } else { OURS };
        let length = u8::try_from(scramble.len()).expect("a hash is shorter than 256 bytes");
        let parts: [&[u8]; 6] = [
            &preamble(flags),
            user.as_bytes(),
            &[0, length],
            scramble.expose(),
            method.name().as_bytes(),
            &[0],
        ];
        Ok(Secret::new(parts.concat()))
    }

    /// The password itself, which the server wants where it has no hash of it at hand.
    fn tell(&mut self, target: &Target) -> Result<(), Trouble> {
        self.link.may_tell(Form::Outdated, &target.tls)?;
        self.send(&Secret::new([target.password.expose(), b"\0"].concat()))
    }

    fn accepted(mut self, target: &Target) -> Outcome {
        if target.password.is_empty() {
            return Outcome::unknown("the server lets this user in without a password");
        }
        self.sequence = 0;
        self.link.leave(&[1, 0, 0, 0, 1]);
        Outcome::of(Verdict::Active)
    }

    fn refused(&self, packet: &[u8], target: &Target, greeting: &Greeting) -> Result<Outcome, Trouble> {
        let number = error_number(packet)?.ok_or(Trouble::Garbage(NAME))?;
        let outcome = meaning(number);
        // An account that demands TLS is refused with the very number of a wrong password.
        if outcome.verdict == Verdict::Inactive && target.tls == Tls::Off && greeting.has_tls() {
            return Ok(Outcome::unknown("refused without TLS, which the account may demand"));
        }
        Ok(outcome)
    }
}

/// What SSLRequest and the response start with: capabilities, the longest packet, a character set (utf8mb4), zeros.
fn preamble(flags: u32) -> Vec<u8> {
    let longest = u32::try_from(PACKET_CAP).expect("the cap is small");
    [flags.to_le_bytes().as_slice(), &longest.to_le_bytes(), &[45], &[0; 23]].concat()
}

/// The number of an error packet, if it is one.
fn error_number(packet: &[u8]) -> Result<Option<u16>, Trouble> {
    match packet {
        [0xff, low, high, ..] => Ok(Some(u16::from_le_bytes([*low, *high]))),
        [0xff, ..] => Err(Trouble::Garbage(NAME)),
        _ => Ok(None),
    }
}

fn meaning(number: u16) -> Outcome {
    if let Some((_, verdict, detail)) = ERRORS.iter().find(|(known, ..)| *known == number) {
        return Outcome::of(verdict.clone()).with_detail(*detail);
    }
    match REASONS.iter().find(|(known, _)| *known == number) {
        Some((_, why)) => Outcome::unknown(*why),
        None => {
            Outcome::unknown(format!("the server refuses for another reason than the password ({number})"))
        }
    }
}
