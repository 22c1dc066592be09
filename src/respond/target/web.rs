//! What targets that are asked over HTTP have in common.

use jiff::Timestamp;
use url::Url;

use super::{Means, Trouble};
use crate::{
    model::Secret,
    net::{Answer, Failure, Request},
    provider::Occasion,
};

/// Sends, and says what it means when nothing comes back: a request that only reads has changed nothing.
pub(super) fn send(means: &Means<'_>, request: &Request) -> Result<Answer, Trouble> {
    means.send.send(request).map_err(|failure| match failure {
        Failure::Refused { .. } | Failure::Connect { .. } => Trouble::Refused(failure.to_string()),
        _ if request.is_safe => Trouble::Refused(failure.to_string()),
        Failure::Timeout { .. } | Failure::Broken { .. } | Failure::TooLong { .. } => {
            Trouble::Unclear(failure.to_string())
        }
    })
}

/// What an answer that is not the wanted one means, by its status: a request that changes something may have done so unless it was
/// refused.
pub(super) fn unwanted(what: &str, request: &Request, answer: &Answer) -> Trouble {
    let status = answer.status;
    let is_refusal = (300..500).contains(&status) && !matches!(status, 408 | 425);
    let why = match status {
        401 => " (the login is not accepted, or is locked for a while)",
        403 => " (it may not do that)",
        404 => " (it is not there)",
        429 => " (asked too often)",
        _ => "",
    };
    let text = format!("{what}: status {status}{why}");
    if request.is_safe || is_refusal { Trouble::Refused(text) } else { Trouble::Unclear(text) }
}

/// Now, and something that was never used before.
pub(super) fn occasion() -> Result<Occasion, String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| "the system gives no random numbers".to_owned())?;
    let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Occasion { now: Timestamp::now(), nonce })
}

/// Somebody who may administer a service.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// Who administers what lies at `url`: user and password of the URL in the variable. `None` where no variable is named.
///
/// # Errors
/// The variable is not set, holds no such URL, or one of another host or port.
pub(super) fn administrator(
    means: &Means<'_>,
    variable: Option<&str>,
    url: &str,
) -> Result<Option<Login>, Trouble> {
    let Some(variable) = variable else { return Ok(None) };
    let refused = |why: &str| Trouble::Refused(format!("{variable} {why}"));
    let value = (means.variable)(variable).ok_or_else(|| refused("is not set"))?;
    let text = std::str::from_utf8(value.expose()).ok();
    let parsed = text.and_then(|text| Url::parse(text.trim()).ok());
    let admin = parsed.ok_or_else(|| refused("is no URL; write https://USER:PASSWORD@HOST/"))?;
    let own = Url::parse(url).map_err(|_| Trouble::Refused(format!("{url} is no URL")))?;
    let place =
        |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    if place(&admin) != place(&own) {
        return Err(refused(&format!("names another host than the target's {}", origin(url))));
    }
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let user =
        String::from_utf8(decoded(admin.username())).map_err(|_| refused("has a user that is no text"))?;
    let password = admin.password().map(decoded).filter(|password| !password.is_empty());
    match password {
        Some(password) if !user.is_empty() => Ok(Some(Login { user, password: Secret::new(password) })),
        _ => Err(refused("has no user and password; write https://USER:PASSWORD@HOST/")),
    }
}

/// Scheme, host and port of an address.
pub(super) fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// The path of an address, without the slash at its end: services can lie below one.
pub(super) fn folder(url: &str) -> String {
    Url::parse(url).map_or_else(|_| String::new(), |url| url.path().trim_end_matches('/').to_owned())
}

/// For a path, a query or a form.
pub(super) fn percent(bytes: &[u8]) -> String {
    const RESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::percent_encode(bytes, RESERVED).to_string()
}
