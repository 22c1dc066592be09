//! Which of a list of keys is this one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    call::{exposed, preview},
    course::Learned,
    hint,
};
use crate::{
    net::{Answer, Method, Request},
    provider::{
        fields::{Fields, Place},
        reading::of_status,
    },
    rule::Template,
};

/// A request for a list, and what has to be seen of the key in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Find {
    path: Template,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    /// Where the list stands; one thing alone is a list of one.
    items: String,
    /// Where the id stands in each.
    id: String,
    /// All of these hold for this very key. Without any, whatever is listed is it.
    #[serde(default)]
    is: Vec<Mark>,
    /// How a list goes on.
    next: Option<Next>,
    /// A list of things that have such a list each; not asked for where the inventory names the account.
    pub(super) parents: Option<Box<Find>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    /// Where the answer says that there is more.
    more: String,
    /// Where it says what to go on behind.
    cursor: String,
    /// Path and query of what follows.
    path: Template,
}

/// What is to be seen of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    at: String,
    /// It is this text.
    equals: Option<Template>,
    /// Or it shows so much of the value.
    shows: Option<Shows>,
}

/// How much of a value is shown.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Shows {
    /// Its beginning and its end.
    Hint,
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

/// One answer's share of a list.
pub(super) struct Page {
    pub(super) ids: Vec<String>,
    pub(super) cursor: Option<String>,
}

impl Find {
    pub(super) fn request(
        &self,
        learned: &Learned<'_>,
        origin: &str,
        is_first: bool,
    ) -> Result<Request, String> {
        let fields = Fields::with(None, learned.credential(), &learned.more)?;
        let path = self.next.as_ref().filter(|_| !is_first).map_or(&self.path, |next| &next.path);
        let mut request = Request::get(origin, fields.fill(path, Place::Path)?);
        for (name, template) in &self.headers {
            request = request.header(name, fields.fill(template, Place::Header)?);
        }
        Ok(request)
    }

    pub(super) fn read(&self, learned: &Learned<'_>, answer: &Answer) -> Result<Page, String> {
        if answer.status != 200 {
            return Err(format!("its keys can't be listed: {}", of_status(answer.status)));
        }
        let json = answer.json().ok_or("the list of its keys is no JSON")?;
        let items = match json.pointer(&self.items) {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err("the answer holds no list of keys".into()),
        };
        let mut ids = Vec::new();
        for item in items {
            if self.is_it(learned, item)? {
                let id = item.pointer(&self.id).and_then(as_text);
                ids.push(id.ok_or("a key that is listed has no id")?);
            }
        }
        let more = |next: &&Next| json.pointer(&next.more).and_then(Value::as_bool) == Some(true);
        let cursor = match self.next.as_ref().filter(more) {
            Some(next) => {
                let cursor = json.pointer(&next.cursor).and_then(as_text);
                Some(cursor.ok_or("the list of its keys does not say how it goes on")?)
            }
            None => None,
        };
        Ok(Page { ids, cursor })
    }

    fn is_it(&self, learned: &Learned<'_>, item: &Value) -> Result<bool, String> {
        for mark in &self.is {
            let seen = item.pointer(&mark.at).and_then(as_text).unwrap_or_default();
            let value = String::from_utf8_lossy(learned.credential().value.expose());
            let holds = match (&mark.equals, mark.shows) {
                (Some(template), _) => {
                    let fields = Fields::with(None, learned.credential(), &learned.more)?;
                    !seen.is_empty() && exposed(&fields.fill(template, Place::Body)?) == seen
                }
                (None, Some(Shows::Hint)) => hint::is_of(&seen, &value),
                (None, Some(Shows::Start)) => seen.len() >= 3 && value.starts_with(&seen),
                (None, Some(Shows::End)) => seen.len() >= 3 && value.ends_with(&seen),
                (None, None) => false,
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn preview(&self, origin: &str) -> Vec<String> {
        let parents = self.parents.iter().flat_map(|parents| parents.preview(origin));
        parents.chain([preview(Method::Get, origin, &self.path)]).collect()
    }

    /// Names of all fields that are filled in.
    #[cfg(test)]
    pub(super) fn fields(&self) -> Vec<&str> {
        let next = self.next.iter().map(|next| &next.path);
        self.headers.values().chain([&self.path]).chain(next).flat_map(Template::fields).collect()
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= 512 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
