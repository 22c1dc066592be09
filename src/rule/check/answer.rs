//! What an answer has to hold, and what it means then.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One line of a table of answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RawRow")]
pub struct AnswerRow {
    /// One of these is the answer's status.
    pub status: Vec<u16>,
    /// All of these hold.
    pub when: Vec<Condition>,
    /// What it means.
    pub verdict: Meaning,
    /// Why nobody can tell, of an unknown one.
    pub why: Option<String>,
    /// What the answer says more, under names for people.
    pub detail: Vec<(String, Source)>,
}

/// What an answer says of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// It is accepted.
    Active,
    /// It is refused.
    Inactive,
    /// It is known, and allowed little.
    Restricted,
    /// It is switched off, and could be switched on again.
    Disabled,
    /// It is locked for a while.
    Locked,
    /// Nothing.
    Unknown,
}

/// Something that an answer has to hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RawCondition")]
pub enum Condition {
    /// The body is JSON, and so is this place in it.
    Json {
        /// RFC 6901; empty is the whole.
        pointer: String,
        /// What stands there.
        test: Test,
    },
    /// There is a header.
    Header {
        /// In lower case.
        name: String,
        /// What is in its value; empty for any.
        contains: String,
    },
    /// The body holds this text somewhere.
    Body(String),
    /// The body is this text and nothing else but white space around it.
    Text(String),
}

/// What stands at a place of a JSON text.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Anything but null.
    Exists,
    /// One of these.
    Equals(Vec<Scalar>),
    /// A string that holds this one.
    Contains(String),
    /// A value of this kind.
    Is(Kind),
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// A kind of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `"…"`.
    String,
    /// `1`.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
}

/// Where a detail stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At a place of the body's JSON.
    Json(String),
    /// In a header, by its name in lower case.
    Header(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    status: OneOrMany<u16>,
    #[serde(default)]
    when: Vec<Condition>,
    verdict: Meaning,
    why: Option<String>,
    #[serde(default)]
    detail: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    json: Option<String>,
    header: Option<String>,
    body: Option<String>,
    text: Option<String>,
    equals: Option<OneOrMany<Scalar>>,
    contains: Option<String>,
    is: Option<Kind>,
}

impl TryFrom<RawRow> for AnswerRow {
    type Error = String;

    fn try_from(raw: RawRow) -> Result<Self, String> {
        let status = raw.status.into_vec();
        if status.is_empty() || status.iter().any(|status| !(200..600).contains(status)) {
            return Err("status: it is a number from 200 to 599, or a list of such".into());
        }
        if raw.why.is_some() != (raw.verdict == Meaning::Unknown) {
            return Err("why: an unknown verdict says why, and no other does".into());
        }
        let detail = raw.detail.into_iter().map(|(name, place)| (name, source(&place))).collect();
        Ok(Self { status, when: raw.when, verdict: raw.verdict, why: raw.why, detail })
    }
}

fn source(place: &str) -> Source {
    if place.starts_with('/') {
        Source::Json(place.to_owned())
    } else {
        Source::Header(place.to_ascii_lowercase())
    }
}

impl TryFrom<RawCondition> for Condition {
    type Error = String;

    fn try_from(raw: RawCondition) -> Result<Self, String> {
        const SUBJECT: &str = "a condition is about one of json, header, body, text";
        const TESTS: &str =
            "json goes with one of equals, contains, is; header with contains; body and text with none";
        let RawCondition { json, header, body, text, equals, contains, is } = raw;
        match (json, header, body, text) {
            (Some(pointer), None, None, None) => {
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    return Err("json: a place starts with `/`, or is empty for the whole".into());
                }
                let test = match (equals, contains, is) {
                    (None, None, None) => Test::Exists,
                    (Some(values), None, None) => Test::Equals(values.into_vec()),
                    (None, Some(part), None) => Test::Contains(part),
                    (None, None, Some(kind)) => Test::Is(kind),
                    _ => return Err(TESTS.into()),
                };
                Ok(Self::Json { pointer, test })
            }
            (None, Some(name), None, None) if equals.is_none() && is.is_none() => {
                Ok(Self::Header { name: name.to_ascii_lowercase(), contains: contains.unwrap_or_default() })
            }
            (None, None, Some(part), None) if !part.is_empty() => {
                has_no_test(&equals, &contains, is).then_some(Self::Body(part)).ok_or_else(|| TESTS.into())
            }
            (None, None, None, Some(whole)) if !whole.is_empty() => {
                has_no_test(&equals, &contains, is).then_some(Self::Text(whole)).ok_or_else(|| TESTS.into())
            }
            (None, Some(_), None, None) => Err(TESTS.into()),
            _ => Err(SUBJECT.into()),
        }
    }
}

fn has_no_test(equals: &Option<OneOrMany<Scalar>>, contains: &Option<String>, is: Option<Kind>) -> bool {
    equals.is_none() && contains.is_none() && is.is_none()
}
