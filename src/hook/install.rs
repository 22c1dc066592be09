//! Hooks come into a hooks folder, and leave it.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::{Hook, HookError, Script};

/// A hooks folder.
#[derive(Debug, Clone)]
pub struct Hooks {
    folder: PathBuf,
}

/// What was done to a hook, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The script was written.
    Written(PathBuf),
    /// What was there before was moved aside; it is called first.
    Kept(PathBuf),
    /// It was there already, the same.
    Unchanged(PathBuf),
    /// Our script was taken away.
    Removed(PathBuf),
    /// What was there before is there again.
    Restored(PathBuf),
    /// There was none of ours.
    Absent(PathBuf),
}

impl Step {
    /// In words: as done, or as it would be.
    pub fn describe(&self, dry_run: bool) -> String {
        let (done, would, path) = match self {
            Self::Written(path) => ("wrote", "would write", path),
            Self::Kept(path) => (
                "the hook that was there runs first; it is now",
                "would keep the hook that is there, as",
                path,
            ),
            Self::Unchanged(path) => ("is up to date:", "is up to date:", path),
            Self::Removed(path) => ("removed", "would remove", path),
            Self::Restored(path) => (
                "put back the hook that was there before:",
                "would put back the hook that was there before:",
                path,
            ),
            Self::Absent(path) => ("no hook of hekate's:", "no hook of hekate's:", path),
        };
        format!("{} {}", if dry_run { would } else { done }, path.display())
    }
}

/// What lies where a hook's file would.
#[derive(PartialEq, Eq)]
enum There {
    Nothing,
    Ours(Vec<u8>),
    Other,
}

impl Hooks {
    /// A hooks folder, which need not be there yet. `within` is the git folder that it must not lead out of; `None` where config names
    /// the folder.
    ///
    /// # Errors
    /// A link that leads out.
    pub fn new(folder: PathBuf, within: Option<&Path>) -> Result<Self, HookError> {
        if let (Some(within), Ok(target)) = (within, folder.canonicalize()) {
            let within = within.canonicalize().map_err(failed("find", within))?;
            if !target.starts_with(&within) {
                return Err(HookError::LeadsOut { folder, target });
            }
        }
        Ok(Self { folder })
    }

    /// Writes a hook, unless it is there already, and keeps what was there before. Returns the steps; with `dry_run` none is taken.
    ///
    /// # Errors
    /// Files that can't be read or changed, or two hooks of others.
    pub fn install(&self, hook: Hook, script: &Script, dry_run: bool) -> Result<Vec<Step>, HookError> {
        let (path, kept) = self.paths(hook);
        let mut steps = Vec::new();
        match there(&path)? {
            There::Ours(bytes) if bytes == script.as_str().as_bytes() && is_executable(&path)? => {
                return Ok(vec![Step::Unchanged(path)]);
            }
            There::Other if exists(&kept)? => return Err(HookError::Two { hook: path, kept }),
            There::Other => steps.push(Step::Kept(kept.clone())),
            There::Nothing | There::Ours(_) => {}
        }
        steps.push(Step::Written(path.clone()));
        if dry_run {
            return Ok(steps);
        }
        fs::create_dir_all(&self.folder).map_err(failed("make", &self.folder))?;
        let new = self.prepare(script)?;
        let moves = steps.len() > 1;
        if moves {
            fs::rename(&path, &kept).map_err(failed("move", &path))?;
        }
        if let Err(error) = new.persist(&path) {
            if moves {
                fs::rename(&kept, &path).map_err(failed("put back", &path))?;
            }
            return Err(failed("write", &path)(error.error));
        }
        Ok(steps)
    }

    /// Takes our hook away and puts back what was there before. Returns the steps; with `dry_run` none is taken.
    ///
    /// # Errors
    /// Files that can't be read or changed.
    pub fn uninstall(&self, hook: Hook, dry_run: bool) -> Result<Vec<Step>, HookError> {
        let (path, kept) = self.paths(hook);
        if !matches!(there(&path)?, There::Ours(_)) {
            return Ok(vec![Step::Absent(path)]);
        }
        let is_kept = exists(&kept)?;
        if !dry_run && is_kept {
            fs::rename(&kept, &path).map_err(failed("put back", &path))?;
        } else if !dry_run {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        Ok(vec![if is_kept { Step::Restored(path) } else { Step::Removed(path) }])
    }

    fn paths(&self, hook: Hook) -> (PathBuf, PathBuf) {
        (self.folder.join(hook.name()), self.folder.join(format!("{hook}.before-hekate")))
    }

    /// The script in a file of another name, whole and executable: git never sees half of it.
    fn prepare(&self, script: &Script) -> Result<tempfile::NamedTempFile, HookError> {
        let fail = failed("write to", &self.folder);
        let write = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".hekate-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
            let mut file = builder.tempfile_in(&self.folder)?;
            file.write_all(script.as_str().as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        write().map_err(fail)
    }
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> HookError + use<> {
    let path = path.to_owned();
    move |source| HookError::File { action, path: path.clone(), source }
}

fn exists(path: &Path) -> Result<bool, HookError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("look at", path)(error)),
    }
}

/// Only a regular file can be ours: what a link names is never read.
fn there(path: &Path) -> Result<There, HookError> {
    /// A script of ours is much shorter.
    const MOST: u64 = 64 << 10;
    if !exists(path)? {
        return Ok(There::Nothing);
    }
    if !path.symlink_metadata().map_err(failed("look at", path))?.is_file() {
        return Ok(There::Other);
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed("read", path))?;
    file.take(MOST).read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(if Script::is_ours(&bytes) { There::Ours(bytes) } else { There::Other })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> Result<bool, HookError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path.metadata().map_err(failed("look at", path))?;
    Ok(metadata.permissions().mode() & 0o111 == 0o111)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> Result<bool, HookError> {
    Ok(true)
}
