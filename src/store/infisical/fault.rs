//! The manager's refusals, told apart, each with what to do about it.
//!
//! Infisical answers with `{"reqId","statusCode","message","error"}`; what looks otherwise is not its answer but that of something in between.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    model::Secret,
    net::{Answer, Failure},
    store::StoreError,
};

/// What a refusal means for what to try next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// This server has no such route: it is older, or newer.
    NoRoute,
    /// There is no such secret, or no such version of it.
    NoSecret,
    /// There is no such folder.
    NoFolder,
    /// There is no such project.
    NoProject,
    /// The secret is there already.
    Exists,
    /// The login may not do this here.
    NotAllowed,
    /// The request is not taken as it is, for another reason.
    NotTaken,
    /// The credential that was asked with is revoked, expired, or its owner gone.
    Dead,
    /// There is no such service token, any more.
    NoToken,
    /// A change was sent, and whether it was made is not known.
    Lost,
    /// Anything else: nothing more is to be tried.
    Other,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) error: StoreError,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self { kind: Kind::Other, error }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// What was asked, for the words of an error.
pub(super) struct Asked<'a> {
    /// The manager's name.
    pub(super) store: &'a str,
    /// After "no permission for": `reading production:/a/B`.
    pub(super) what: &'a str,
    /// What was sent with it that must not come back in a message.
    pub(super) token: Option<&'a Secret>,
    /// It held a value or a credential in its body, so that no message is repeated.
    pub(super) is_secret: bool,
    /// It changes nothing.
    pub(super) is_safe: bool,
}

/// What to make of a row of the table.
enum Meaning {
    Locked,
    Unauthenticated(&'static str),
    /// The same of what was good once.
    Dead(&'static str),
    NoToken(&'static str),
    NotAllowed(&'static str),
    Forbidden(&'static str),
    Licence,
    Missing(Kind),
    Exists,
}

use Meaning::{Dead, Exists, Forbidden, Licence, Locked, Missing, NoToken, NotAllowed, Unauthenticated};

/// Status, start of `error`, part of `message`, meaning; the first that fits counts.
const TABLE: &[(u16, &str, &str, Meaning)] = &[
    (401, "", "temporarily locked", Locked),
    (
        401,
        "",
        "Invalid credentials",
        Unauthenticated(
            "the client id or the client secret is wrong, or the secret was revoked; it is not tried again, as three wrong ones lock the identity. Check HEKATE_INFISICAL_CLIENT_ID and HEKATE_INFISICAL_CLIENT_SECRET",
        ),
    ),
    (
        401,
        "",
        "client secret has been revoked",
        Dead("the client secret that this access token came from was revoked; set a new one"),
    ),
    (
        401,
        "",
        "auth method has been revoked",
        Dead("universal auth was taken from this identity; attach it again, or use another"),
    ),
    (401, "", "token has been revoked", Dead("the access token was revoked; get a new one")),
    (
        401,
        "",
        "not a member of the organization",
        Dead("the identity was deleted, or taken out of the organization"),
    ),
    (401, "", "Invalid service token", Dead("the service token is wrong; set it anew")),
    (
        401,
        "",
        "Token missing",
        Unauthenticated("it saw no token: something in between takes the header `authorization` away"),
    ),
    (401, "", "expired", Dead("the login has expired; set a new one")),
    (401, "", "usage limit", Dead("the login was used as often as it may be; set a new one")),
    (401, "", "", Unauthenticated("it does not take the login; set it anew")),
    (403, "", "ervice token has expired", Dead("the service token has expired; make a new one")),
    (403, "TokenError", "expired", Dead("the access token has expired; get a new one")),
    (
        403,
        "TokenError",
        "",
        Unauthenticated(
            "the access token is malformed, or was made by another server; check it and HEKATE_INFISICAL_URL",
        ),
    ),
    (
        403,
        "ProjectMembershipNotFound",
        "",
        Forbidden("the project: this identity is no member of it; add it there"),
    ),
    (
        403,
        "Forbidden access to",
        "",
        NotAllowed("with this kind of login; a user's token, HEKATE_INFISICAL_USER_TOKEN, is needed"),
    ),
    (403, "", "", NotAllowed("")),
    (404, "", "Service token with ID", NoToken("the service token was deleted; make a new one")),
    (404, "Not Found", "Route ", Missing(Kind::NoRoute)),
    (404, "SecretPathNotFound", "", Missing(Kind::NoFolder)),
    (404, "CreateSecret", "", Missing(Kind::NoFolder)),
    (404, "", "Folder with path", Missing(Kind::NoFolder)),
    (404, "", "Project with", Missing(Kind::NoProject)),
    (404, "", "", Missing(Kind::NoSecret)),
    (400, "", "plan restriction", Licence),
    (400, "", "current plan", Licence),
    (400, "", "already exists", Exists),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    req_id: Option<String>,
    status_code: u16,
    message: Value,
    error: String,
}

impl Refusal {
    /// Infisical's own refusal, if it is that.
    fn of(answer: &Answer) -> Option<Self> {
        let refusal: Self = serde_json::from_slice(answer.body.expose()).ok()?;
        (refusal.status_code == answer.status).then_some(refusal)
    }

    fn text(&self) -> &str {
        self.message.as_str().unwrap_or_default()
    }

    /// What can be looked for in the server's log.
    fn id(&self) -> String {
        let is_right = |id: &&String| {
            id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        self.req_id.as_ref().filter(is_right).map(|id| format!(" (request {id})")).unwrap_or_default()
    }

    /// Its words, if they can hold nothing that was sent.
    fn words(&self, asked: &Asked<'_>) -> String {
        let issues = self.issues();
        if !issues.is_empty() {
            return format!(": {issues}");
        }
        let text = self.text();
        let is_told = |token: &Secret| memchr::memmem::find(text.as_bytes(), token.expose()).is_some();
        if text.is_empty() || asked.is_secret || asked.token.is_some_and(is_told) {
            return String::new();
        }
        format!(": {}", shown(text, 200))
    }

    /// What a 422 finds wrong: places and codes, never what stood there.
    fn issues(&self) -> String {
        let mut issues = String::new();
        for issue in self.message.as_array().into_iter().flatten().take(5) {
            let path = issue["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let path: Vec<String> = path.map(|part| shown(part, 40)).collect();
            let code = issue["code"].as_str().map(|code| shown(code, 40)).unwrap_or_default();
            let comma = if issues.is_empty() { "" } else { ", " };
            // Writing to a string does not fail.
            write!(issues, "{comma}{} ({code})", path.join(".")).ok();
        }
        issues
    }
}

/// The start of a text of somebody else, without what terminals act on.
fn shown(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What an answer that is no success means.
pub(super) fn judge(answer: &Answer, asked: &Asked<'_>) -> Fault {
    let store = asked.store.to_owned();
    let Some(refusal) = Refusal::of(answer) else {
        return Fault { kind: kind_of_trouble(answer.status, asked), error: foreign(answer, store) };
    };
    let fits = |(status, error, message, _): &&(u16, &str, &str, Meaning)| {
        *status == answer.status && refusal.error.starts_with(error) && refusal.text().contains(message)
    };
    match TABLE.iter().find(fits) {
        Some((.., meaning)) => mean(meaning, &refusal, asked),
        None => by_status(answer, &refusal, asked),
    }
}

fn mean(meaning: &Meaning, refusal: &Refusal, asked: &Asked<'_>) -> Fault {
    let store = asked.store.to_owned();
    let (kind, error) = match meaning {
        Locked => (Kind::Other, StoreError::Locked { store }),
        Unauthenticated(what) => {
            (Kind::Other, StoreError::Unauthenticated { store, what: (*what).to_owned() })
        }
        Dead(what) => (Kind::Dead, StoreError::Unauthenticated { store, what: (*what).to_owned() }),
        NoToken(what) => (Kind::NoToken, StoreError::Unauthenticated { store, what: (*what).to_owned() }),
        Forbidden(what) => (Kind::Other, StoreError::Forbidden { store, what: (*what).to_owned() }),
        NotAllowed(how) => {
            let what = format!("{} {how}", asked.what).trim_end().to_owned();
            (Kind::NotAllowed, StoreError::Forbidden { store, what })
        }
        Licence => (Kind::Other, StoreError::Licence { store, what: asked.what.to_owned() }),
        Missing(kind) => {
            let what = format!("{} came to nothing{}", asked.what, refusal.words(asked));
            (*kind, StoreError::NotFound { store, what })
        }
        Exists => (
            Kind::Exists,
            StoreError::Conflict { store, what: format!("{}: it is there already", asked.what) },
        ),
    };
    Fault { kind, error }
}

/// What no row of the table says.
fn by_status(answer: &Answer, refusal: &Refusal, asked: &Asked<'_>) -> Fault {
    let store = asked.store.to_owned();
    let (words, id) = (refusal.words(asked), refusal.id());
    match answer.status {
        429 => StoreError::Unreachable { store, why: too_many(answer) }.into(),
        500.. => {
            let lost = if asked.is_safe {
                ""
            } else {
                "; whether it was done is not known: look before you try again"
            };
            let why = format!("it failed with {} at {}{id}{lost}", answer.status, asked.what);
            let kind = kind_of_trouble(answer.status, asked);
            Fault { kind, error: StoreError::Unreachable { store, why } }
        }
        status => {
            let what = format!("it does not take {} ({status}){words}{id}", asked.what);
            Fault { kind: Kind::NotTaken, error: StoreError::Malformed { store, what } }
        }
    }
}

/// A server, or a proxy before it, that fails may have done what it was asked.
fn kind_of_trouble(status: u16, asked: &Asked<'_>) -> Kind {
    if status >= 500 && !asked.is_safe { Kind::Lost } else { Kind::Other }
}

fn too_many(answer: &Answer) -> String {
    let seconds = answer.header("retry-after").and_then(|seconds| seconds.trim().parse::<u32>().ok());
    let when = seconds.map(|seconds| format!(" in {seconds} seconds")).unwrap_or_default();
    format!("it takes no more requests for now; try again{when}")
}

/// An answer that is not Infisical's.
fn foreign(answer: &Answer, store: String) -> StoreError {
    match answer.status {
        429 => StoreError::Unreachable { store, why: too_many(answer) },
        502..=504 => {
            StoreError::Unreachable { store, why: format!("a proxy before it answers {}", answer.status) }
        }
        status @ 300..=399 => StoreError::Malformed {
            store,
            what: format!(
                "it answers with a redirect ({status}), which is not followed; set HEKATE_INFISICAL_URL to where it leads"
            ),
        },
        status => not_its(status, store),
    }
}

/// A body that is not what the route answers with.
fn not_its(status: u16, store: String) -> StoreError {
    let what = format!(
        "the answer ({status}) is not Infisical's, or not whole; check HEKATE_INFISICAL_URL, and proxies in between"
    );
    StoreError::Malformed { store, what }
}

/// A success whose body can't be read.
pub(super) fn unread(status: u16, asked: &Asked<'_>) -> Fault {
    let kind = if asked.is_safe { Kind::Other } else { Kind::Lost };
    Fault { kind, error: not_its(status, asked.store.to_owned()) }
}

/// No answer at all.
pub(super) fn no_answer(failure: &Failure, asked: &Asked<'_>) -> Fault {
    let is_lost = !asked.is_safe && !matches!(failure, Failure::Refused { .. } | Failure::Connect { .. });
    let (kind, lost) = if is_lost {
        (Kind::Lost, "; whether it was done is not known: look before you try again")
    } else {
        (Kind::Other, "")
    };
    let error = StoreError::Unreachable { store: asked.store.to_owned(), why: format!("{failure}{lost}") };
    Fault { kind, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: vec![("retry-after".into(), "7".into())], body: Secret::new(body) }
    }

    fn refusal(status: u16, error: &str, message: &str) -> Answer {
        let body =
            serde_json::json!({"reqId": "req-1", "statusCode": status, "message": message, "error": error});
        answer(status, &body.to_string())
    }

    fn judged(answer: &Answer) -> Fault {
        let token = Secret::new("ey.hunter2.x");
        let asked = Asked {
            store: "host (project kosmos)",
            what: "reading production:/a/B",
            token: Some(&token),
            is_secret: false,
            is_safe: true,
        };
        judge(answer, &asked)
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, error, message, kind, words) in [
            (
                401,
                "UnauthorizedError",
                "This identity auth method is temporarily locked, please try again later",
                Kind::Other,
                "is locked",
            ),
            (401, "UnauthorizedError", "Invalid credentials", Kind::Other, "three wrong ones lock"),
            (
                401,
                "UnauthorizedError",
                "Failed to authorize: client secret has been revoked",
                Kind::Dead,
                "client secret that",
            ),
            (
                401,
                "UnauthorizedError",
                "Failed to authorize: token has been revoked",
                Kind::Dead,
                "access token was revoked",
            ),
            (403, "TokenError", "Your token has expired. Please re-authenticate.", Kind::Dead, "has expired"),
            (403, "TokenError", "invalid signature", Kind::Other, "made by another server"),
            (
                403,
                "ProjectMembershipNotFound",
                "You are not a member of this project",
                Kind::Other,
                "no member of it",
            ),
            (
                403,
                "PermissionDenied",
                "You are not allowed to read on secrets",
                Kind::NotAllowed,
                "no permission for reading production:/a/B",
            ),
            (
                403,
                "Forbidden access to /api/v1/secret",
                "You are not allowed",
                Kind::NotAllowed,
                "HEKATE_INFISICAL_USER_TOKEN",
            ),
            (
                400,
                "BadRequest",
                "Failed due to plan restriction. Upgrade plan",
                Kind::Other,
                "licence does not include",
            ),
            (404, "Not Found", "Route GET:/api/v4/nope not found", Kind::NoRoute, "Route GET"),
            (404, "NotFound", "Service token with ID '0' not found", Kind::NoToken, "was deleted"),
            (404, "NotFound", "Secret with name 'B' not found", Kind::NoSecret, "Secret with name"),
            (
                404,
                "SecretPathNotFound",
                "Folder with path '/a' in environment 'production' was not found",
                Kind::NoFolder,
                "/a",
            ),
            (400, "BadRequest", "Secret already exists", Kind::Exists, "already"),
            (400, "BadRequest", "Missing project id or environment", Kind::NotTaken, "Missing project id"),
            (429, "RateLimitError", "Rate limit exceeded", Kind::Other, "in 7 seconds"),
            (500, "InternalServerError", "Something went wrong", Kind::Other, "failed with 500"),
        ] {
            let fault = judged(&refusal(status, error, message));
            let shown = fault.error.to_string();
            assert_eq!(fault.kind, kind, "{shown}");
            assert!(shown.contains(words) && shown.starts_with("host (project kosmos)"), "{shown}");
        }
    }

    #[test]
    fn a_change_whose_answer_is_lost_is_told_from_one_that_was_not_made() {
        let asked = |is_safe| Asked { store: "host", what: "x", token: None, is_secret: true, is_safe };
        let timeout = Failure::Timeout { host: "host".into() };
        let refused = Failure::Refused { host: "host".into(), why: "no".into() };
        let failed = refusal(500, "InternalServerError", "x");
        for (fault, kind) in [
            (no_answer(&timeout, &asked(false)), Kind::Lost),
            (no_answer(&timeout, &asked(true)), Kind::Other),
            (no_answer(&refused, &asked(false)), Kind::Other),
            (judge(&failed, &asked(false)), Kind::Lost),
            (judge(&failed, &asked(true)), Kind::Other),
            (judge(&answer(502, "<html>"), &asked(false)), Kind::Lost),
            (judge(&answer(403, "<html>"), &asked(false)), Kind::Other),
            (judge(&answer(429, ""), &asked(false)), Kind::Other),
            (unread(200, &asked(false)), Kind::Lost),
            (unread(200, &asked(true)), Kind::Other),
        ] {
            assert_eq!(fault.kind, kind, "{}", fault.error);
        }
    }

    #[test]
    fn issues_of_a_422_are_told_by_place_and_code() {
        let body = r#"{"statusCode":422,"error":"ValidationFailure","message":[{"code":"custom","path":["secretName"],"message":"got hunter2"}]}"#;
        let shown = judged(&answer(422, body)).error.to_string();
        assert!(shown.contains("secretName (custom)") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_not_the_managers_answer_is_said_to_be_so() {
        for (status, body, words) in [
            (403, "<html>blocked</html>", "is not Infisical's"),
            (404, r#"{"message":"no Route matched"}"#, "is not Infisical's"),
            (401, r#"{"statusCode":403,"message":"x","error":"y"}"#, "is not Infisical's"),
            (502, "<html>", "a proxy before it answers 502"),
            (302, "", "redirect"),
        ] {
            let shown = judged(&answer(status, body)).error.to_string();
            assert!(shown.contains(words), "{shown}");
        }
    }

    #[test]
    fn a_message_that_repeats_what_was_sent_is_not_shown() {
        let shown = judged(&refusal(400, "BadRequest", "bad token ey.hunter2.x\u{1b}[2J")).error.to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        let shown = judged(&refusal(400, "BadRequest", "bad \u{1b}[2J thing")).error.to_string();
        assert!(shown.contains("bad  [2J thing"), "{shown}");
    }
}
