//! Who logs in to a server to change a value there: an administrator's URL, out of an environment variable, and the way to the server.

use std::{net::TcpStream, path::Path};

use percent_encoding::percent_decode;

use super::{Accepts, Means, Trouble, Values};
use crate::{
    model::{Secret, Verdict},
    net::{AddressPolicy, dial},
    provider::{
        Outcome,
        login::{SessionError, Tls, is_near},
    },
};

/// No file of authorities is longer, in bytes.
const AUTHORITIES_CAP: u64 = 1024 * 1024;

/// What an administrator's URL has to look like, and has to agree with.
pub(super) struct Form<'a> {
    /// The environment variable that holds it.
    pub(super) variable: &'a str,
    /// Which schemes it may have.
    pub(super) schemes: &'a [&'a str],
    /// An example, for messages.
    pub(super) example: &'a str,
    /// The target's host.
    pub(super) host: &'a str,
    /// The target's port.
    pub(super) port: u16,
    /// The port where the URL has none.
    pub(super) default_port: u16,
}

/// What an administrator's URL says.
pub(super) struct AdminUrl {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Secret,
    /// What follows the host, without the slash.
    pub(super) path: String,
    pub(super) tls: TlsWish,
}

/// What is wanted of TLS, before the address is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TlsWish {
    mode: Option<Mode>,
    ca: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Preferred,
    Required,
}

/// The words of libpq. Those that ask for TLS ask for a verified certificate here: what is not verified may be anybody.
const MODES: &[(&str, Mode)] = &[
    ("disable", Mode::Off),
    ("allow", Mode::Preferred),
    ("prefer", Mode::Preferred),
    ("require", Mode::Required),
    ("verify-ca", Mode::Required),
    ("verify-full", Mode::Required),
];

impl TlsWish {
    /// For a server that has TLS from the first byte, or not at all.
    pub(super) fn with_required(self, is_required: bool) -> Self {
        Self { mode: Some(if is_required { Mode::Required } else { Mode::Preferred }), ..self }
    }

    /// For the address that a stream leads to: where nothing is said, TLS is a must outside of this machine and of private networks.
    pub(super) fn at(&self, stream: &TcpStream) -> Tls {
        let is_near = stream.peer_addr().is_ok_and(|peer| is_near(peer.ip()));
        let ca = self.ca.clone();
        match self.mode {
            Some(Mode::Off) => Tls::Off,
            Some(Mode::Preferred) => Tls::Preferred { ca },
            Some(Mode::Required) => Tls::Required { ca },
            None if is_near => Tls::Preferred { ca },
            None => Tls::Required { ca },
        }
    }
}

/// Who changes a value: an administrator, or its owner, who logs in with whichever value is in force.
#[derive(Debug)]
pub(super) struct Actor {
    owner: String,
    /// The owner is one too, where the URL names it: then its password is one more that may be in force.
    admin: Option<(String, Secret)>,
}

impl Actor {
    pub(super) fn owner(owner: &str) -> Self {
        Self { owner: owner.to_owned(), admin: None }
    }

    pub(super) fn administrator(owner: &str, user: String, password: Secret) -> Self {
        Self { owner: owner.to_owned(), admin: Some((user, password)) }
    }

    /// Whether the owner changes its own value.
    pub(super) fn is_owner(&self) -> bool {
        self.user() == self.owner
    }

    /// Who logs in.
    pub(super) fn user(&self) -> &str {
        self.admin.as_ref().map_or(&self.owner, |(user, _)| user)
    }

    /// With what: `values` where it is the owner, in this order, and the URL's password.
    fn passwords<'a>(&'a self, values: &[&'a Secret]) -> Vec<&'a Secret> {
        let own = if self.is_owner() { values } else { &[] };
        own.iter().copied().chain(self.admin.as_ref().map(|(_, password)| password)).collect()
    }
}

/// Which values may be in force, the likelier first.
pub(super) fn in_force<'v>(values: &Values<'v>) -> Vec<&'v Secret> {
    values.new.into_iter().chain([values.old]).collect()
}

/// Reads an administrator's URL out of the variable that the inventory names.
///
/// # Errors
/// What is missing or wrong, with the variable's name and nothing of its value.
pub(super) fn admin_url(form: &Form<'_>, means: Means<'_>) -> Result<AdminUrl, String> {
    let Some(url) = (means.variable)(form.variable).filter(|url| !url.is_empty()) else {
        return Err(format!(
            "{} is not set; it has to hold the administrator's URL: {}",
            form.variable, form.example
        ));
    };
    read(form, &url).map_err(|why| format!("{}: {why}; it is written {}", form.variable, form.example))
}

fn read(form: &Form<'_>, url: &Secret) -> Result<AdminUrl, String> {
    let text = std::str::from_utf8(url.expose()).map_err(|_| "the URL is no text".to_owned())?;
    let (scheme, rest) = text.trim().split_once("://").ok_or("the URL has no scheme")?;
    if !form.schemes.contains(&scheme) {
        return Err(format!("the URL's scheme is not {}", form.schemes.join(" or ")));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (login, place) = authority
        .rsplit_once('@')
        .ok_or("the URL has no user and password; a `/`, `?`, `#` or `@` in them is percent-encoded")?;
    agree(form, place)?;
    let (user, password) = login.split_once(':').ok_or("the URL has no password")?;
    let password = Secret::new(percent_decode(password.as_bytes()).collect::<Vec<u8>>());
    if password.is_empty() {
        return Err("the URL's password is empty".into());
    }
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    if tail.contains('#') {
        return Err("the URL has a fragment; a `#` in a password is percent-encoded".into());
    }
    Ok(AdminUrl {
        scheme: scheme.to_owned(),
        user: Some(decoded(user)?).filter(|user| !user.is_empty()),
        password,
        path: decoded(path.trim_start_matches('/'))?,
        tls: tls_wish(query)?,
    })
}

/// The host and port have to be the target's: who can write the one must not send the other's password there.
fn agree(form: &Form<'_>, place: &str) -> Result<(), String> {
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| "the URL's port is no number".to_owned())?)
        }
        _ => (place, form.default_port),
    };
    let host = decoded(host)?;
    if host.is_empty() {
        return Err("the URL has no host".into());
    }
    if normal(&host) != normal(form.host) || port != form.port {
        return Err(format!(
            "the URL's host and port are not those of the target in the inventory, {}:{}",
            form.host, form.port
        ));
    }
    Ok(())
}

/// One form of a host's name or address.
fn normal(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse::<std::net::IpAddr>().map_or_else(
        |_| bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
        |address| address.to_string(),
    )
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode(text.as_bytes()).decode_utf8();
    text.map(|text| text.into_owned())
        .map_err(|_| "the URL holds percent-encoded bytes that are no text".into())
}

fn tls_wish(query: &str) -> Result<TlsWish, String> {
    let mut wish = TlsWish::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", word)) => {
                let mode = MODES.iter().find(|(known, _)| *known == word).map(|(_, mode)| *mode);
                let words: Vec<&str> = MODES.iter().map(|(word, _)| *word).collect();
                wish.mode = Some(mode.ok_or_else(|| format!("`sslmode` is none of {}", words.join(", ")))?);
            }
            Some(("sslrootcert", file)) => wish.ca = Some(authorities(Path::new(&decoded(file)?))?),
            _ => return Err("of parameters only `sslmode` and `sslrootcert` are known".into()),
        }
    }
    Ok(wish)
}

fn authorities(file: &Path) -> Result<Vec<u8>, String> {
    let fail = |why: String| format!("read the file that `sslrootcert` names: {why}");
    let length = std::fs::metadata(file).map_err(|error| fail(error.kind().to_string()))?;
    if !length.is_file() || length.len() > AUTHORITIES_CAP {
        return Err(fail("it is no file of certificates".into()));
    }
    std::fs::read(file).map_err(|error| fail(error.kind().to_string()))
}

/// Connects to a target, which may lie in a private network: the inventory is trusted.
pub(super) fn connect(host: &str, port: u16, means: Means<'_>) -> Result<TcpStream, SessionError> {
    let policy = AddressPolicy::allowing([host]);
    let stream = dial(host, port, &policy, means.limits.connect);
    stream.map_err(|failure| SessionError::NotOpen(Outcome::unknown(failure.to_string())))
}

/// Opens a session with the first password that the server takes; with it, which of `values` that was, if the owner logs in.
///
/// # Errors
/// [`Trouble::Refused`] in any case: without a session nothing has changed.
pub(super) fn open_with<S>(
    actor: &Actor,
    values: &[&Secret],
    open: impl Fn(&str, &Secret) -> Result<S, SessionError>,
) -> Result<(S, usize), Trouble> {
    for (place, password) in actor.passwords(values).into_iter().enumerate() {
        match open(actor.user(), password) {
            Ok(session) => return Ok((session, place)),
            Err(SessionError::NotOpen(outcome)) if outcome.verdict == Verdict::Inactive => {}
            Err(SessionError::NotOpen(outcome)) => return Err(Trouble::Refused(why_not_open(outcome))),
            Err(error) => return Err(of_question(error)),
        }
    }
    Err(Trouble::Refused(if actor.is_owner() {
        format!("the server accepts none of the passwords at hand for {}", actor.owner)
    } else {
        "the server refuses the administrator's password".into()
    }))
}

/// What a login says of the value that it was tried with.
pub(super) fn accepts(outcome: Result<Outcome, SessionError>) -> Accepts {
    let outcome = match outcome {
        Ok(outcome) | Err(SessionError::NotOpen(outcome)) => outcome,
        Err(error) => return Accepts::Unknown(error.to_string()),
    };
    match outcome.verdict {
        Verdict::Active | Verdict::Restricted => Accepts::Yes,
        Verdict::Inactive => Accepts::No,
        _ => Accepts::Unknown(why_not_open(outcome)),
    }
}

fn why_not_open(outcome: Outcome) -> String {
    match (outcome.verdict, outcome.detail) {
        (Verdict::Unknown(why), _) | (_, Some(why)) => why,
        (verdict, None) => format!("the login came to {verdict}"),
    }
}

/// A command that changes something did not go well.
pub(super) fn of_change(error: SessionError) -> Trouble {
    match error {
        SessionError::Unclear(why) => Trouble::Unclear(why),
        refused => Trouble::Refused(refused.to_string()),
    }
}

/// A question did not go well: whatever happened to it, it changed nothing.
pub(super) fn of_question(error: SessionError) -> Trouble {
    Trouble::Refused(error.to_string())
}

/// The first half of an act was done, and this became of the second: it must not read as if nothing had changed.
pub(super) fn half_done(done: &str, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused(why) | Trouble::Unclear(why) => Trouble::Unclear(format!("{done}, but then {why}")),
        person => person,
    }
}

#[cfg(test)]
mod tests;
