//! What an answer that is no success means.

use std::time::Duration;

use serde::Deserialize;

use super::object::Object;
use crate::{
    net::{Answer, Failure},
    respond::target::Trouble,
};

/// Longest part of an answer that is shown, in characters.
const SHOWN: usize = 80;
/// The longest wait that a server is believed to mean.
const LONGEST_PAUSE: u64 = 3_600;

/// Why a request came to nothing. The server's own sentences are not in it: they quote what they don't like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing was sent.
    Unsent(Failure),
    /// Sent, and the answer is lost or no answer of Kubernetes.
    Lost(String),
    /// Not now: it may have been done all the same.
    Busy { status: u16, pause: Option<Duration> },
    /// The object has changed in between: certainly not done.
    Conflict,
    /// There is none.
    Missing,
    /// Not with these credentials.
    Stranger,
    /// Not with these rights.
    Forbidden,
    /// What was asked for makes no sense to it.
    Invalid { status: u16, details: String },
    /// We have nothing to show who asks.
    Credential(String),
}

impl Fault {
    pub(super) fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Refused { .. } | Failure::Connect { .. } => Self::Unsent(failure),
            Failure::Timeout { .. } | Failure::Broken { .. } | Failure::TooLong { .. } => {
                Self::Lost(failure.to_string())
            }
        }
    }

    /// The fault in an answer; none where it is a success.
    pub(super) fn of_answer(answer: &Answer) -> Option<Self> {
        Some(match answer.status {
            200..=299 => return None,
            401 => Self::Stranger,
            403 => Self::Forbidden,
            404 => Self::Missing,
            409 => Self::Conflict,
            status @ (429 | 500..=599) => Self::Busy { status, pause: retry_after(answer) },
            status => Self::Invalid { status, details: details(answer) },
        })
    }

    /// Whether it may have been done.
    pub(super) fn is_unclear(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Busy { status, .. } => *status != 429,
            _ => false,
        }
    }

    /// Whether asking again may help, and how long the server wants to be left alone first.
    pub(super) fn passing(&self) -> Option<Option<Duration>> {
        match self {
            Self::Busy { pause, .. } => Some(*pause),
            Self::Unsent(Failure::Connect { .. }) | Self::Lost(_) | Self::Conflict => Some(None),
            _ => None,
        }
    }

    /// In words: what could not be done, and why.
    pub(super) fn explain(&self, verb: &str, object: &Object) -> String {
        match self {
            Self::Unsent(failure) => format!("{verb} {object}: {failure}"),
            Self::Lost(why) => format!("{verb} {object}: {why}"),
            Self::Busy { status, .. } => format!("{verb} {object}: the cluster answers {status}"),
            Self::Conflict => format!("{verb} {object}: somebody else keeps changing it"),
            Self::Missing => format!("there is no {object}"),
            Self::Stranger => format!(
                "{verb} {object}: the cluster does not accept the credentials: renew them, and try `{}`",
                object.can_i(verb)
            ),
            Self::Forbidden => format!(
                "the account may not {verb} {} \"{}\" in the namespace {}: grant it that (`{}` has to say yes)",
                object.resource.qualified(),
                object.name,
                object.namespace,
                object.can_i(verb)
            ),
            Self::Invalid { status, details } => {
                format!("{verb} {object}: the cluster refuses it with {status}{details}")
            }
            Self::Credential(why) => format!("{verb} {object}: {why}"),
        }
    }

    /// As trouble of one request by itself.
    pub(super) fn trouble(&self, verb: &str, object: &Object) -> Trouble {
        let text = self.explain(verb, object);
        if self.is_unclear() && verb != "get" { Trouble::Unclear(text) } else { Trouble::Refused(text) }
    }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds: u64 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_PAUSE)))
}

/// `Status` of Kubernetes: only words that are its own and names of fields.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    reason: Option<String>,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    causes: Option<Vec<Cause>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cause {
    field: Option<String>,
}

fn details(answer: &Answer) -> String {
    let status: Status = serde_json::from_slice(answer.body.expose()).unwrap_or_default();
    let reason = status.reason.map(|reason| format!(" ({})", shown(&reason))).unwrap_or_default();
    let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
    let fields: Vec<String> =
        causes.into_iter().filter_map(|cause| cause.field).take(3).map(|field| shown(&field)).collect();
    let at = if fields.is_empty() { String::new() } else { format!(" at {}", fields.join(", ")) };
    format!("{reason}{at}")
}

/// A word of the server, fit for a terminal.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    fn answer(status: u16, body: &str) -> Answer {
        let headers = vec![("retry-after".to_owned(), "7".to_owned())];
        Answer { status, headers, body: Secret::new(body) }
    }

    #[test]
    fn an_invalid_object_is_told_by_its_fields_and_not_by_what_the_server_quotes() {
        let body = r#"{"kind":"Status","reason":"Invalid","message":"Invalid value: \"hunter2hunter2\"",
            "details":{"causes":[{"message":"hunter2hunter2","field":"spec.template"}]}}"#;
        let fault = Fault::of_answer(&answer(422, body)).unwrap();
        let text = fault.explain("patch", &Object::secret("a", "b").unwrap());
        assert_eq!(text, "patch Secret a/b: the cluster refuses it with 422 (Invalid) at spec.template");
    }

    #[test]
    fn a_server_that_is_busy_may_have_done_it_unless_it_counted_requests() {
        for (status, is_unclear) in [(429, false), (500, true), (503, true), (504, true)] {
            let fault = Fault::of_answer(&answer(status, "")).unwrap();
            assert_eq!(fault.is_unclear(), is_unclear, "{status}");
            assert_eq!(fault.passing(), Some(Some(Duration::from_secs(7))), "{status}");
        }
    }

    #[test]
    fn a_missing_right_is_worded_as_kubectl_words_it() {
        let text = Fault::Forbidden.explain("get", &Object::secret("kosmos-db", "credentials").unwrap());
        assert_eq!(
            text,
            "the account may not get secrets \"credentials\" in the namespace kosmos-db: grant it that \
             (`kubectl auth can-i get secrets/credentials -n kosmos-db` has to say yes)"
        );
    }
}
