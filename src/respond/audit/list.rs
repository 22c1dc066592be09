//! What a log says, as far as one wants to know it.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Action, AuditError, Event, EventType,
    files::{Files, Line, segment_name},
};
use crate::{inventory::PathPattern, store::file};

/// An entry, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Its number, from 1.
    pub seq: u64,
    /// The MAC of the entry before it.
    pub previous: String,
    /// Its own.
    pub mac: String,
}

/// Which entries one wants; all of what is said has to hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One of these; empty for any.
    pub actions: Vec<Action>,
    /// One of these; empty for any.
    pub event_types: Vec<EventType>,
    /// About a secret of this environment, or done to all of it.
    pub environment: Option<String>,
    /// Then or later.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
    /// About a secret that this speaks of.
    pub path: Option<PathPattern>,
    /// Of this incident.
    pub incident: Option<String>,
}

impl Filter {
    /// Whether an event is one of those.
    pub fn takes(&self, event: &Event) -> bool {
        let metadata = |name: &str| event.metadata.get(name).map(String::as_str);
        let secret = event.secret.as_ref();
        let environment = secret.map(|secret| secret.environment.as_str()).or(metadata("environment"));
        (self.actions.is_empty() || self.actions.contains(&event.action))
            && (self.event_types.is_empty() || self.event_types.contains(&event.event_type))
            && self.environment.as_deref().is_none_or(|wanted| environment == Some(wanted))
            && self.since.is_none_or(|since| event.timestamp >= since)
            && self.until.is_none_or(|until| event.timestamp < until)
            && self.incident.as_deref().is_none_or(|wanted| metadata("incident") == Some(wanted))
            && self.path.as_ref().is_none_or(|path| secret.is_some_and(|secret| path.matches(&secret.path)))
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Entries, in the order of the log.
    pub entries: Vec<Entry>,
    /// Lines that are no entries: `audit.000001.jsonl:7`.
    pub unread: Vec<String>,
}

/// The entries of a log that a filter takes. It believes the files: [`super::verify()`] says whether they are to be believed.
///
/// # Errors
/// [`AuditError::File`]: there is no log, or it can't be read.
pub fn list(folder: &Path, filter: &Filter) -> Result<Listed, AuditError> {
    if !file::is_folder(folder)? {
        return Err(file::trouble("read", folder, "there is no audit log").into());
    }
    let files = Files::new(folder);
    let mut listed = Listed::default();
    for segment in files.segments()? {
        files.each_line(segment, |number, line| {
            let (Line::Whole(bytes) | Line::Torn(bytes)) = line;
            match serde_json::from_slice::<Entry>(bytes) {
                Ok(entry) if filter.takes(&entry.event) => listed.entries.push(entry),
                Ok(_) => {}
                Err(_) => listed.unread.push(format!("{}:{number}", segment_name(segment))),
            }
        })?;
    }
    Ok(listed)
}
