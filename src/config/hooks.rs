//! Which folder git takes its hooks from.

use std::path::{Path, PathBuf};

use git2::{ConfigLevel, ErrorCode, Repository as Git};

use super::ConfigError;

/// Where git looks for a repository's hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksFolder {
    /// The folder, there or not.
    pub folder: PathBuf,
    /// The git folder that it lies in; `None` where `core.hooksPath` names another one.
    pub within: Option<PathBuf>,
    /// Whether the user's or the machine's config names it, so that it is that of other repositories too.
    pub is_shared: bool,
    /// Whether the repository has no files of its own, as on a server.
    pub is_bare: bool,
}

/// The hooks folder of the repository one works in, after `core.hooksPath`.
///
/// # Errors
/// That there is no repository, or that its config can't be read.
pub fn hooks_folder() -> Result<HooksFolder, ConfigError> {
    let fail = |source| ConfigError::Git { source };
    let git = Git::open_from_env().map_err(fail)?;
    let is_bare = git.is_bare();
    let config = git.config().and_then(|mut config| config.snapshot()).map_err(fail)?;
    let level = match config.get_entry("core.hooksPath") {
        Ok(entry) => entry.level(),
        Err(error) if error.code() == ErrorCode::NotFound => {
            // Linked worktrees have no hooks of their own.
            let within = git.commondir().to_owned();
            let folder = within.join("hooks");
            return Ok(HooksFolder { folder, within: Some(within), is_shared: false, is_bare });
        }
        Err(error) => return Err(fail(error)),
    };
    let named = config.get_path("core.hooksPath").map_err(fail)?;
    // git goes there before it runs a hook.
    let base = git.workdir().unwrap_or_else(|| git.path());
    let is_shared = !matches!(level, ConfigLevel::Local | ConfigLevel::Worktree | ConfigLevel::App);
    Ok(HooksFolder { folder: join(base, &named), within: None, is_shared, is_bare })
}

/// Without the `.` and `/` that would look odd in a message.
fn join(base: &Path, named: &Path) -> PathBuf {
    base.join(named).components().collect()
}
