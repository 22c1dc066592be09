//! Writing and removing.

use super::{
    Api, Ask, Infisical, as_stored,
    fault::{Fault, Kind},
    project::Place,
    wire::{Changed, Field, WireSecret, body},
};
use crate::{
    model::Secret,
    net::{Method, Text},
    store::{SecretPath, StoreError, Written},
};

/// The server fails on longer bodies, in bytes.
const LONGEST_BODY: usize = 1 << 20;
/// How many characters of a note are stored.
const LONGEST_NOTE: usize = 500;

/// What is written where.
struct Change<'a> {
    place: &'a Place<'a>,
    path: &'a SecretPath,
    value: &'a str,
    note: String,
    /// For errors.
    what: String,
}

impl Change<'_> {
    fn body(&self, api: Api) -> Text {
        let mut fields = folder_fields(api, self.place, self.path);
        fields.push(("secretValue", Field::Secret(self.value)));
        if !self.note.is_empty() {
            fields.push(("secretComment", Field::Plain(&self.note)));
        }
        body(&fields)
    }

    fn ask(&self, method: Method, api: Api) -> Ask<'_> {
        Ask::change(method, api.path(Some(&self.path.name)), self.body(api), &self.what)
    }
}

/// Which secrets are meant: those of a folder that are everybody's.
fn folder_fields<'a>(api: Api, place: &'a Place<'_>, path: &'a SecretPath) -> Vec<(&'static str, Field<'a>)> {
    vec![
        (api.project(), Field::Plain(&place.project.id)),
        ("environment", Field::Plain(place.slug)),
        ("secretPath", Field::Plain(&path.folder)),
        ("type", Field::Plain("shared")),
    ]
}

impl Infisical {
    /// Writes a new version; makes the folder and the secret where they are not there.
    pub(super) fn write_at(
        &self,
        place: &Place<'_>,
        path: &SecretPath,
        value: &Secret,
        note: &str,
    ) -> Result<Written, StoreError> {
        let change = Change {
            place,
            path,
            value: self.sendable(path, value)?,
            note: note.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NOTE).collect(),
            what: format!("writing {path}"),
        };
        if change.body(Api::V3).expose().len() > LONGEST_BODY {
            let what = format!("the value for {path} is too long: the server takes requests of up to 1 MiB");
            return Err(self.malformed(what));
        }
        let before = self.wire(place, path, None)?.map_or(0, |secret| secret.version);
        let changed = if before > 0 { self.update(&change) } else { self.create(&change) };
        self.written(&change, before, changed?)
    }

    /// The text of a value that comes back as it is sent.
    fn sendable<'a>(&self, path: &SecretPath, value: &'a Secret) -> Result<&'a str, StoreError> {
        let Ok(text) = str::from_utf8(value.expose()) else {
            return Err(self.malformed(format!("the value for {path} is not UTF-8, and can't be stored")));
        };
        if text.contains('\0') {
            return Err(self.malformed(format!("the value for {path} has a NUL byte, and can't be stored")));
        }
        if as_stored(value) != *value {
            let what = format!(
                "the value for {path} has white space at its start or end, which the server takes away; trim it first"
            );
            return Err(self.malformed(what));
        }
        Ok(text)
    }

    fn update(&self, change: &Change<'_>) -> Result<Changed, StoreError> {
        match self.ask_secrets(|api| change.ask(Method::Patch, api)) {
            // Somebody removed it since we read it.
            Err(Fault { kind: Kind::NoSecret | Kind::NoFolder, .. }) => self.create(change),
            other => Ok(other?),
        }
    }

    fn create(&self, change: &Change<'_>) -> Result<Changed, StoreError> {
        match self.ask_secrets(|api| change.ask(Method::Post, api)) {
            Err(Fault { kind: Kind::NoFolder, .. }) => {
                self.make_folders(change)?;
                Ok(self.ask_secrets(|api| change.ask(Method::Post, api))?)
            }
            other => Ok(other?),
        }
    }

    /// Makes each folder of the path that is not there. What is in the way of one shows when the secret is created.
    fn make_folders(&self, change: &Change<'_>) -> Result<(), StoreError> {
        let Change { place, path, .. } = change;
        let known = self.folders(place).unwrap_or_default();
        let mut parent = String::new();
        for name in path.folder.split('/').filter(|name| !name.is_empty()) {
            let folder = format!("{parent}/{name}");
            if !known.contains(&folder) {
                self.make_folder(place, if parent.is_empty() { "/" } else { &parent }, name)?;
            }
            parent = folder;
        }
        Ok(())
    }

    fn make_folder(&self, place: &Place<'_>, parent: &str, name: &str) -> Result<(), StoreError> {
        let fields = [
            ("projectId", Field::Plain(&place.project.id)),
            ("environment", Field::Plain(place.slug)),
            ("name", Field::Plain(name)),
            ("path", Field::Plain(parent)),
        ];
        let what = format!("making the folder {name} in {}", place.label(parent));
        let ask = Ask::change(Method::Post, "/api/v2/folders".into(), body(&fields), &what);
        match self.ask::<serde::de::IgnoredAny>(&ask) {
            // Somebody made it since we looked.
            Ok(_) | Err(Fault { kind: Kind::Exists, .. }) => Ok(()),
            Err(fault) => Err(fault.error),
        }
    }

    /// What became of it; no two writers may have met.
    fn written(&self, change: &Change<'_>, before: u64, changed: Changed) -> Result<Written, StoreError> {
        if let Some(approval) = changed.approval {
            return Ok(Written::Pending { approval: approval.name() });
        }
        let Some(secret) = changed.secret else {
            return Err(
                self.malformed(format!("it answers {} without saying what became of it", change.what))
            );
        };
        self.check_value(change, &secret)?;
        if secret.version == before + 1 {
            return Ok(Written::Stored(secret.version));
        }
        let what = format!(
            "{} is at version {} now and was at {before}: somebody else changed it at the same time; look which value it has",
            change.path, secret.version
        );
        Err(StoreError::Conflict { store: crate::store::Store::name(self), what })
    }

    /// What was stored is what was sent, where the answer shows it.
    fn check_value(&self, change: &Change<'_>, secret: &WireSecret) -> Result<(), StoreError> {
        match secret.value() {
            Some(value) if value.expose() != change.value.as_bytes() => {
                Err(self
                    .malformed(format!("it has stored another value for {} than it was sent", change.path)))
            }
            _ => Ok(()),
        }
    }

    /// Removes a secret; `false` where there was none.
    pub(super) fn remove_at(&self, place: &Place<'_>, path: &SecretPath) -> Result<bool, StoreError> {
        self.check(place, path)?;
        let what = format!("removing {path}");
        let ask = |api: Api| {
            let fields = folder_fields(api, place, path);
            Ask::change(Method::Delete, api.path(Some(&path.name)), body(&fields), &what)
        };
        let changed: Changed = match self.ask_secrets(ask) {
            Err(Fault { kind: Kind::NoSecret | Kind::NoFolder, .. }) => return Ok(false),
            answered => answered?,
        };
        match changed.approval {
            Some(approval) => {
                Err(self.forbidden(format!("{what} without an approval: it waits as {}", approval.name())))
            }
            None => Ok(true),
        }
    }
}
