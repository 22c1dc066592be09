//! The index of known values that scans are given, and its key.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{ConfigError, Trusted, home::Text, settings::master_key};
use crate::{
    inventory::{Index, IndexKey},
    model::derived_key,
};

/// After so many days values may have changed that nobody would be told of.
const OLD: u64 = 7;
const DAY: u64 = 24 * 60 * 60;

/// The key of indexes, from the user's `HEKATE_KEY` or `HEKATE_KEY_FILE`, else from the file that trusted config names.
///
/// # Errors
/// That there is none, or that it is malformed.
pub fn index_key(file: Option<&Path>) -> Result<IndexKey, ConfigError> {
    let (from, text) = match (master_key()?, file) {
        (Some(key), _) => key,
        (None, Some(path)) => (path.display().to_string(), Text::read(path)?.text.into()),
        (None, None) => return Err(ConfigError::NoKey),
    };
    let key = derived_key(&text, IndexKey::PURPOSE).map_err(|source| ConfigError::Key { from, source })?;
    Ok(IndexKey::new(&key))
}

/// Opens the index that a flag or trusted config names, if one does; with what the user should know of it.
pub(super) fn load(
    flag: Option<&Path>,
    trusted: &Trusted,
) -> Result<(Option<Index>, Vec<String>), ConfigError> {
    let Some(path) = flag.or(trusted.index.file.as_deref()) else { return Ok((None, Vec::new())) };
    let index = Index::load(path, &index_key(trusted.index.key_file.as_deref())?)?;
    let notes = notes(&index, path);
    Ok((Some(index), notes))
}

/// Its age, and what it does not cover.
fn notes(index: &Index, path: &Path) -> Vec<String> {
    let name = path.display();
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
