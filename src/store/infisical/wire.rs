//! The manager's JSON, as far as it is read, and bodies of requests.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    model::Secret,
    net::{Answer, Text},
    store::{SecretPath, Stored},
};

/// What stands in the place of values that the login may not see.
const HIDDEN: &str = "<hidden-by-infisical>";

/// Reads an answer's body; `None` where it is not as it should be. What serde says of it could show a value, so it is not told.
pub(super) fn parse<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_slice(answer.body.expose()).ok()
}

/// A secret, or one version of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSecret {
    pub(super) id: Option<String>,
    pub(super) version: u64,
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) secret_key: String,
    secret_value: Option<Zeroizing<String>>,
    pub(super) secret_path: Option<String>,
    #[serde(default)]
    secret_value_hidden: bool,
    #[serde(default)]
    is_redacted: bool,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl WireSecret {
    /// Whether it is a value that one user set for themself alone.
    pub(super) fn is_personal(&self) -> bool {
        self.kind.as_deref() == Some("personal")
    }

    /// Whether somebody took this version's value out of the history.
    pub(super) fn is_redacted(&self) -> bool {
        self.is_redacted
    }

    /// The value, if the login may see it.
    pub(super) fn value(&self) -> Option<Secret> {
        let value = self.secret_value.as_ref().filter(|_| !self.secret_value_hidden)?;
        (value.as_str() != HIDDEN).then(|| Secret::new(value.as_bytes()))
    }

    /// As the current version at this place, if the login may see its value.
    pub(super) fn current(&self, path: SecretPath) -> Option<Stored> {
        self.stored(path, self.updated_at.as_deref())
    }

    /// As an older version: its row was made when it was written.
    pub(super) fn older(&self, path: SecretPath) -> Option<Stored> {
        self.stored(path, self.created_at.as_deref())
    }

    fn stored(&self, path: SecretPath, time: Option<&str>) -> Option<Stored> {
        let written = time.and_then(|time| time.parse::<Timestamp>().ok()).map(Timestamp::as_second);
        Some(Stored { path, version: self.version, value: self.value()?, written })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Secrets {
    pub(super) secrets: Vec<WireSecret>,
    /// Where the server pages.
    pub(super) total_count: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct One {
    pub(super) secret: WireSecret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretVersions {
    pub(super) secret_versions: Vec<WireSecret>,
}

/// What a change is answered with: it is done, or waits for somebody.
#[derive(Deserialize)]
pub(super) struct Changed {
    pub(super) secret: Option<WireSecret>,
    pub(super) approval: Option<Approval>,
}

#[derive(Deserialize)]
pub(super) struct Approval {
    id: Option<String>,
    slug: Option<String>,
}

impl Approval {
    /// What people find it by.
    pub(super) fn name(self) -> String {
        self.slug.or(self.id).unwrap_or_else(|| "without a name".to_owned())
    }
}

/// What a login and a renewal give.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Granted {
    pub(super) access_token: Zeroizing<String>,
    /// Seconds; 0 is for ever.
    pub(super) expires_in: u64,
}

#[derive(Deserialize, Clone, Debug, PartialEq, Eq)]
pub(super) struct WireEnvironment {
    pub(super) name: String,
    pub(super) slug: String,
}

#[derive(Deserialize)]
pub(super) struct WireProject {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) environments: Vec<WireEnvironment>,
}

#[derive(Deserialize)]
pub(super) struct OneProject {
    pub(super) project: WireProject,
}

#[derive(Deserialize)]
pub(super) struct Projects {
    /// Older servers call them workspaces.
    #[serde(alias = "workspaces")]
    pub(super) projects: Vec<WireProject>,
}

/// What a service token says of itself. Its body has more, which is not read: a hash of the secret, a user's address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireToken {
    pub(super) project_id: String,
    pub(super) scopes: Vec<WireScope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireScope {
    pub(super) environment: String,
    pub(super) secret_path: String,
}

#[derive(Deserialize)]
pub(super) struct Folders {
    folders: Vec<WireFolder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFolder {
    name: String,
    relative_path: Option<String>,
}

impl Folders {
    /// Their paths, from `/` on, each once.
    pub(super) fn paths(&self) -> BTreeSet<String> {
        let path = |folder: &WireFolder| normal(folder.relative_path.as_deref().unwrap_or(&folder.name));
        self.folders.iter().map(path).collect()
    }
}

/// A folder's path with a slash in front and none at the end.
pub(super) fn normal(folder: &str) -> String {
    format!("/{}", folder.trim_matches('/'))
}

/// A field of a body.
pub(super) enum Field<'a> {
    Plain(&'a str),
    Secret(&'a str),
}

/// A JSON object of texts. What is secret in it is not shown.
pub(super) fn body(fields: &[(&str, Field<'_>)]) -> Text {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = Text::new().plain("{");
    for (at, (name, field)) in fields.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        text = text.plain(format!("{comma}{}:", quoted(name)));
        text = match field {
            Field::Plain(value) => text.plain(quoted(value)),
            // A string can always be written as JSON.
            Field::Secret(value) => text.secret(Secret::new(serde_json::to_vec(value).unwrap_or_default())),
        };
    }
    text.plain("}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_and_show_no_secret() {
        let body = body(&[("a", Field::Plain("x\"y")), ("b", Field::Secret("hunter2\n\"quoted\""))]);
        let sent = body.expose();
        let sent: serde_json::Value = serde_json::from_slice(sent.expose()).unwrap();
        assert_eq!(sent, serde_json::json!({"a": "x\"y", "b": "hunter2\n\"quoted\""}));
        assert!(!body.redacted().contains("hunter2"), "{}", body.redacted());
    }
}
