//! hekate's own folders below the user's home.

use std::{env, path::PathBuf};

/// hekate's folder in what the variable names, else in `below` of the user's home, as the XDG base directory specification has it: there relative
/// paths count for nothing. `None` where neither can be told.
pub(super) fn user_folder(variable: &str, below: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below)))?;
    Some(base.join("hekate"))
}
