//! One request that changes something, and what its answers mean.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{course::Learned, signed};
use crate::{
    model::Secret,
    net::{Answer, Method, Request, Text},
    provider::{
        fields::{Fields, Place},
        reading::{Reading, of_status},
    },
    rule::{Condition, Encoding, Part, Template},
};

/// What became of it. No text in it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was done; a new value where one was to be made.
    Done(Option<Secret>),
    /// There was nothing to do: the key was dead.
    Gone,
    /// It was taken note of. Only asking with the key shows whether it is dead.
    Submitted,
    /// It was refused, so that nothing has changed.
    Refused(String),
    /// Nobody can tell.
    Unclear(String),
    /// No key that is listed is this one.
    NotFound,
    /// So many keys that are listed could be this one.
    Ambiguous(usize),
}

/// A request by templates or a signature, and a table of its answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(default)]
    method: Verb,
    path: Template,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    body: Option<Template>,
    /// A regex on the value: only its first group is sent as `value`.
    capture: Option<String>,
    /// A function that makes the request, where templates can't.
    signer: Option<signed::Signer>,
    /// Where a new value stands in the answer.
    new: Option<String>,
    answers: Vec<Row>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Verb {
    #[serde(rename = "GET")]
    Get,
    #[default]
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
    #[serde(rename = "PATCH")]
    Patch,
    #[serde(rename = "DELETE")]
    Delete,
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::Get,
            Self::Post => Method::Post,
            Self::Put => Method::Put,
            Self::Patch => Method::Patch,
            Self::Delete => Method::Delete,
        }
    }
}

/// One line of a table of answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    status: Vec<u16>,
    #[serde(default)]
    when: Vec<Condition>,
    means: Means,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Means {
    Done,
    Gone,
    Submitted,
    Refused,
}

impl Call {
    pub(super) fn request(&self, learned: &Learned<'_>, origin: &str) -> Result<Request, String> {
        if let Some(signer) = self.signer {
            return signer.request(learned, origin);
        }
        let fields = Fields::with(self.capture.as_deref(), learned.credential(), &learned.more)?;
        let mut request = Request::get(origin, fields.fill(&self.path, Place::Path)?);
        request.method = self.method.method();
        request.is_safe = false;
        for (name, template) in &self.headers {
            request = request.header(name, fields.fill(template, Place::Header)?);
        }
        request.body = self.body.as_ref().map(|body| fields.fill(body, Place::Body)).transpose()?;
        Ok(request)
    }

    /// What an answer means. What is no documented answer has not been done where the status says so, and is unclear else.
    pub(super) fn read(&self, answer: &Answer) -> Ending {
        let reading = Reading::new(answer);
        let fits = |row: &&Row| {
            row.status.contains(&answer.status) && row.when.iter().all(|condition| reading.holds(condition))
        };
        match self.answers.iter().find(fits).map(|row| row.means) {
            Some(Means::Done) => self.done(answer),
            Some(Means::Gone) => Ending::Gone,
            Some(Means::Submitted) => Ending::Submitted,
            Some(Means::Refused) => Ending::Refused(of_refusal(answer.status)),
            None => match answer.status {
                408 | 425 | 200..=299 | 500.. => Ending::Unclear(format!(
                    "status {} is not an answer that it is known to give",
                    answer.status
                )),
                status => Ending::Refused(of_refusal(status)),
            },
        }
    }

    fn done(&self, answer: &Answer) -> Ending {
        let Some(pointer) = &self.new else { return Ending::Done(None) };
        let json = answer.json();
        let new = json.as_ref().and_then(|json| json.pointer(pointer)).and_then(|new| new.as_str());
        match new.filter(|new| !new.is_empty()) {
            Some(new) => Ending::Done(Some(Secret::new(new))),
            None => Ending::Unclear("the answer holds no new value".into()),
        }
    }

    pub(super) fn preview(&self, origin: &str) -> String {
        if let Some(signer) = self.signer {
            return signer.preview(origin);
        }
        let mut line = preview(self.method.method(), origin, &self.path);
        if let Some(body) = &self.body {
            line.push(' ');
            line.push_str(&shown(body));
        }
        line
    }

    /// Names of all fields that are filled in.
    #[cfg(test)]
    pub(super) fn fields(&self) -> Vec<&str> {
        let headers = self.headers.values();
        headers.chain([&self.path]).chain(&self.body).flat_map(Template::fields).collect()
    }

    /// Whether the table says of a success what shows that it is one.
    #[cfg(test)]
    pub(super) fn proves_success(&self) -> bool {
        let is_bare =
            |row: &Row| row.means == Means::Done && row.when.is_empty() && row.status.contains(&200);
        !self.answers.is_empty() && !self.answers.iter().any(is_bare)
    }
}

fn of_refusal(status: u16) -> String {
    match status {
        401 => "status 401: the key that is shown for it is not accepted".into(),
        403 => "status 403: the key that is shown for it may not do that".into(),
        404 => "status 404: there is no such key, or it may not be seen".into(),
        _ => of_status(status),
    }
}

/// `DELETE https://host/path/<id>`.
pub(super) fn preview(method: Method, origin: &str, path: &Template) -> String {
    format!("{} {origin}{}", method.as_str(), shown(path))
}

/// A template with the names of its fields.
fn shown(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Field { name, encoding: Encoding::Plain | Encoding::Percent | Encoding::Json } => {
            format!("<{name}>")
        }
        Part::Basic(inner) => format!("<{}>", shown(inner)),
    };
    template.parts.iter().map(part).collect()
}

/// A text as it is sent, for comparison.
pub(super) fn exposed(text: &Text) -> String {
    String::from_utf8_lossy(text.expose().expose()).into_owned()
}
