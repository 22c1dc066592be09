//! How a service is asked over HTTP whether a secret is alive, and what its answers mean: one shape for the checks that are built
//! in and for `[rules.verify]` of a rule from trusted config.

mod answer;
mod origin;
mod template;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Origin, dialect};

pub use answer::{AnswerRow, Condition, Kind, Meaning, Scalar, Source, Test};
pub use origin::origin;
pub use template::{Encoding, Part, Template};

/// A request about a secret, and a table of what its answers mean. One that exists is valid.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RawCheck")]
pub struct HttpCheck {
    /// `https://host[:port]`, asked in this order. Empty where only trusted config can name the host.
    pub origins: Vec<String>,
    /// Whether it is a `POST`; else a `GET`.
    pub is_post: bool,
    /// Path and query.
    pub path: Template,
    /// Names and values.
    pub headers: Vec<(String, Template)>,
    /// What follows the headers.
    pub body: Option<Template>,
    /// It changes nothing, uses nothing up and locks nothing, so that it may be sent again.
    pub is_safe: bool,
    /// A regex on the value: only its first group is sent, else its whole match.
    pub capture: Option<String>,
    /// Values of fields that were not found beside the secret.
    pub defaults: BTreeMap<String, String>,
    /// What shows that an answer is the service's own: one of these must hold. Empty where each row has conditions of its own.
    pub signature: Vec<Condition>,
    /// What answers mean: the first row that fits counts.
    pub answers: Vec<AnswerRow>,
}

/// What stands in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    method: Method,
    path: Template,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    body: Option<Template>,
    safe: Option<bool>,
    capture: Option<String>,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    signature: Vec<Condition>,
    answers: Vec<AnswerRow>,
}

#[derive(Default, Deserialize, PartialEq, Eq)]
enum Method {
    #[default]
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
}

impl TryFrom<RawCheck> for HttpCheck {
    type Error = String;

    fn try_from(raw: RawCheck) -> Result<Self, String> {
        if !raw.path.starts_with_slash() {
            return Err("path: it starts with `/`".into());
        }
        if let Some((name, _)) = raw.headers.iter().find(|(name, _)| !is_token(name)) {
            return Err(format!("headers: `{}` is no name of a header", name.escape_default()));
        }
        let is_post = raw.method == Method::Post;
        if raw.body.is_some() && !is_post {
            return Err("body: only a POST has one".into());
        }
        if raw.answers.is_empty() {
            return Err("answers: there is none; say what at least one answer means".into());
        }
        check_proofs(&raw)?;
        Ok(Self {
            origins: raw.origins.iter().map(|text| origin(text)).collect::<Result<_, _>>()?,
            is_post,
            path: raw.path,
            headers: raw.headers.into_iter().collect(),
            body: raw.body,
            // A POST may change something, unless somebody who knows says that it doesn't.
            is_safe: raw.safe.unwrap_or(!is_post),
            capture: raw.capture.map(|regex| capture(&regex)).transpose()?,
            defaults: raw.defaults,
            signature: raw.signature,
            answers: raw.answers,
        })
    }
}

/// Every verdict needs something that a proxy or a captive portal would not answer as well.
fn check_proofs(raw: &RawCheck) -> Result<(), String> {
    let is_bare = |row: &AnswerRow| row.when.is_empty() && row.verdict != Meaning::Unknown;
    match raw.answers.iter().position(is_bare) {
        Some(at) if raw.signature.is_empty() => Err(format!(
            "answers[{at}]: any proxy could answer that; say by `when`, or by `signature` for all rows, what shows that the \
             service itself answered"
        )),
        _ => Ok(()),
    }
}

fn capture(regex: &str) -> Result<String, String> {
    dialect::translate(regex, Origin::User)
        .map(|translated| translated.regex)
        .map_err(|error| format!("capture: {error}"))
}

/// A name as RFC 9110 has it.
fn is_token(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_allowed)
}
