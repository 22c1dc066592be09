//! From an answer to a verdict, by a check's table.

use serde_json::Value;

use super::{Credential, Outcome};
use crate::{
    model::Verdict,
    net::Answer,
    rule::{AnswerRow, Condition, HttpCheck, Kind, Meaning, Scalar, Source, Test},
};

/// The longest detail of an answer that is shown, in characters.
const MAX_DETAIL: usize = 120;

/// The most items of a list that are shown in a detail.
const MAX_ITEMS: usize = 12;

/// An answer with its body parsed once.
pub(super) struct Reading<'a> {
    answer: &'a Answer,
    json: Option<Value>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(answer: &'a Answer) -> Self {
        Self { answer, json: answer.json() }
    }

    /// What the answer means.
    pub(super) fn outcome(&self, check: &HttpCheck, credential: &Credential<'_>) -> Outcome {
        let status = self.answer.status;
        let is_theirs =
            check.signature.is_empty() || check.signature.iter().any(|condition| self.holds(condition));
        let mut rows = check.answers.iter().filter(|row| row.status.contains(&status)).peekable();
        if rows.peek().is_none() {
            return Outcome::unknown(of_status(status));
        }
        let row = rows.find(|row| row.when.iter().all(|condition| self.holds(condition)));
        match row.filter(|_| is_theirs) {
            Some(row) => Outcome { verdict: verdict(row), detail: self.detail(row, credential) },
            None => Outcome::unknown(format!("not the provider's own answer; status {status}")),
        }
    }

    /// Whether a condition holds.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        let body = || String::from_utf8_lossy(self.answer.body.expose());
        match condition {
            Condition::Json { pointer, test } => self
                .json
                .as_ref()
                .and_then(|json| json.pointer(pointer))
                .is_some_and(|value| passes(value, test)),
            Condition::Header { name, contains } => {
                self.answer.header(name).is_some_and(|value| value.contains(contains.as_str()))
            }
            Condition::Body(part) => body().contains(part.as_str()),
            Condition::Text(whole) => body().trim() == whole,
        }
    }

    /// What a row says more, under its names: `account kosmos-bot; scopes repo`.
    fn detail(&self, row: &AnswerRow, credential: &Credential<'_>) -> Option<String> {
        let parts: Vec<String> = row
            .detail
            .iter()
            .filter_map(|(name, source)| {
                let text = self.text_at(source).filter(|text| !text.is_empty() && !credential.is_in(text))?;
                Some(format!("{name} {text}"))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn text_at(&self, source: &Source) -> Option<String> {
        let text = match source {
            Source::Header(name) => self.answer.header(name)?.to_owned(),
            Source::Json(pointer) => shown(self.json.as_ref()?.pointer(pointer)?)?,
        };
        let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        Some(visible.take(MAX_DETAIL).collect::<String>().trim().to_owned())
    }
}

/// A plain value, or a list of such.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => {
            let plain = items.iter().take(MAX_ITEMS).filter(|item| !item.is_array()).filter_map(shown);
            Some(plain.collect::<Vec<_>>().join(" "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn passes(value: &Value, test: &Test) -> bool {
    match test {
        Test::Exists => !value.is_null(),
        Test::Equals(wanted) => wanted.iter().any(|wanted| equals(value, wanted)),
        Test::Contains(part) => value.as_str().is_some_and(|text| text.contains(part.as_str())),
        Test::Is(kind) => match kind {
            Kind::String => value.is_string(),
            Kind::Number => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::Object => value.is_object(),
            Kind::Array => value.is_array(),
        },
    }
}

fn equals(value: &Value, wanted: &Scalar) -> bool {
    match wanted {
        Scalar::Flag(flag) => value.as_bool() == Some(*flag),
        Scalar::Number(number) => value.as_i64() == Some(*number),
        Scalar::Text(text) => value.as_str() == Some(text),
    }
}

fn verdict(row: &AnswerRow) -> Verdict {
    match row.verdict {
        Meaning::Active => Verdict::Active,
        Meaning::Inactive => Verdict::Inactive,
        Meaning::Restricted => Verdict::Restricted,
        Meaning::Disabled => Verdict::Disabled,
        Meaning::Locked => Verdict::Locked,
        Meaning::Unknown => Verdict::Unknown(row.why.clone().unwrap_or_default()),
    }
}

/// Why a status of which the table says nothing says nothing of the secret.
pub(super) fn of_status(status: u16) -> String {
    let why = match status {
        300..=399 => "it sends elsewhere, which is not followed",
        407 => "a proxy wants a login",
        429 => "asked too often; ask again later",
        500..=599 => "it has a fault of its own",
        _ => return format!("status {status} says nothing of the secret"),
    };
    format!("status {status}: {why}")
}

#[cfg(test)]
mod tests;
