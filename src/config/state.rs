//! Where response keeps its state, and the key of what it keeps.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{ConfigError, settings::master_key, user_folder};
use crate::{
    model::derived_key,
    respond::{State, audit::AuditKey},
};

/// The state folder: what a flag says, else trusted config, else `$XDG_STATE_HOME/hekate`, else `~/.local/state/hekate`.
///
/// # Errors
/// There is no home to put it in.
pub fn state_folder(flag: Option<&Path>, trusted: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let named = flag.or(trusted).map(Path::to_owned);
    named.or_else(|| user_folder("XDG_STATE_HOME", ".local/state")).ok_or(ConfigError::NoState)
}

/// A key for one purpose: from the user's `HEKATE_KEY` or `HEKATE_KEY_FILE`, else from this machine's own in the state folder, made when it is
/// first needed.
///
/// # Errors
/// A key that can't be read, made or is none.
pub fn state_key(state: &State, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, ConfigError> {
    let (from, own) = match master_key()? {
        Some((from, text)) => (from, Some(text)),
        None => (state.key_file().display().to_string(), None),
    };
    let text = state.master_key(own)?;
    derived_key(&text, purpose).map_err(|source| ConfigError::Key { from, source })
}

/// The key that the audit log of a state folder is chained with.
///
/// # Errors
/// As [`state_key`].
pub fn audit_key(state: &State) -> Result<AuditKey, ConfigError> {
    Ok(AuditKey::new(*state_key(state, AuditKey::PURPOSE)?))
}

/// The same for who only reads: no key is made, which would fit nothing.
///
/// # Errors
/// As [`state_key`], and that there is no key.
pub fn kept_audit_key(state: &State) -> Result<AuditKey, ConfigError> {
    if master_key()?.is_none() && !state.has_key() {
        return Err(ConfigError::NoStateKey { file: state.key_file() });
    }
    audit_key(state)
}
