//! The index of known values that scans are given, and its key.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{ConfigError, settings::master_key};
use crate::{
    inventory::{Index, IndexKey},
    model::derived_key,
};

/// After so many days values may have changed that nobody would be told of.
const OLD: u64 = 7;
const DAY: u64 = 24 * 60 * 60;

/// The key of indexes, from the user's `HEKATE_KEY` or `HEKATE_KEY_FILE`.
///
/// # Errors
/// That there is none, or that it is malformed.
pub fn index_key() -> Result<IndexKey, ConfigError> {
    let (from, text) = master_key()?.ok_or(ConfigError::NoKey)?;
    let key = derived_key(&text, IndexKey::PURPOSE).map_err(|source| ConfigError::Key { from, source })?;
    Ok(IndexKey::new(&key))
}

/// Opens an index.
pub(super) fn load(path: &Path) -> Result<Index, ConfigError> {
    Ok(Index::load(path, &index_key()?)?)
}

/// What the user should know of an index: its age, and what it does not cover.
pub(super) fn notes(index: &Index, path: Option<&Path>) -> Vec<String> {
    let name = path.unwrap_or(Path::new("index")).display();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = now.saturating_sub(index.created) / DAY;
    let mut notes = Vec::new();
    if days >= OLD {
        notes.push(format!(
            "note: {name} is {days} days old; what was rotated since is not known: run `hekate inventory pull` again"
        ));
    }
    let denied = index.about.denied.len();
    if denied > 0 {
        let first = &index.about.denied[0].0;
        let more = if denied > 1 { format!(" and {} more", denied - 1) } else { String::new() };
        notes.push(format!(
            "note: {name} does not cover {first}{more}: these could not be read when it was made"
        ));
    }
    notes
}
