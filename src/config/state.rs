//! Where journals, audit log and locks lie.

use std::path::{Path, PathBuf};

use super::{ConfigError, Trusted, user_folder};

/// The folder that a flag names, else trusted config, else `hekate` in `$XDG_STATE_HOME` or `~/.local/state`.
///
/// # Errors
/// That none of them says where.
pub fn state_folder(flag: Option<&Path>, _trusted: &Trusted) -> Result<PathBuf, ConfigError> {
    let found = flag.map(Path::to_owned).or_else(|| user_folder("XDG_STATE_HOME", ".local/state"));
    found.ok_or(ConfigError::NoState)
}
