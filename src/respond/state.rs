//! The state folder: what response has to remember, for its user only.

use std::{
    fmt, fs,
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::store::{StoreError, file, lock, machine_key};

/// A lock file is no longer, in bytes.
const LONGEST_LOCK: u64 = 200;

/// The state folder. Only its owner can look into what hekate makes there, and nobody else may be able to write to it.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
}

/// Why the state folder can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A folder or file of it.
    #[error(transparent)]
    File(#[from] StoreError),
    /// Somebody else is changing things.
    #[error("another responder is at work{holder}: wait for it, or look with `hekate respond status`")]
    Locked {
        /// ` (pid 12 since 2026-11-26T20:43:49Z)`, or nothing where that can't be told.
        holder: String,
    },
}

impl State {
    /// Opens the folder, which is made where it is not there.
    ///
    /// # Errors
    /// [`StateError::File`]: it can't be made, is a link, or others can write to it.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StateError> {
        let folder = folder.into();
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|error| file::trouble("make", parent, error))?;
        }
        file::make_folder(&folder)?;
        Ok(Self { folder })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the audit log lies; [`super::audit::AuditLog::open`] makes it.
    pub fn audit_folder(&self) -> PathBuf {
        self.folder.join("audit")
    }

    /// Where incidents lie, each with its journal; it is there.
    ///
    /// # Errors
    /// [`StateError::File`]: it can't be made or used.
    pub fn incidents_folder(&self) -> Result<PathBuf, StateError> {
        let folder = self.folder.join("incidents");
        file::make_folder(&folder)?;
        Ok(folder)
    }

    /// The key that those for audit log, journal and plans are derived from, as 64 hexadecimal digits: the user's own, else one of this
    /// machine, made when it is first needed.
    ///
    /// # Errors
    /// [`StateError::File`]: the machine's key can't be read or made.
    pub fn master_key(&self, from_env: Option<Zeroizing<String>>) -> Result<Zeroizing<String>, StateError> {
        match from_env {
            Some(key) => Ok(key),
            None => Ok(machine_key(&self.key_file())?),
        }
    }

    /// Whether there is a key of this machine already.
    pub fn has_key(&self) -> bool {
        self.key_file().exists()
    }

    /// Where the machine's key lies, where there is one.
    pub fn key_file(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// Keeps all other responders out for as long as the lock lives. It does not wait.
    ///
    /// # Errors
    /// [`StateError::Locked`] with who is at work; [`StateError::File`] where the lock file can't be used.
    pub fn lock(&self) -> Result<Lock, StateError> {
        let path = self.folder.join("lock");
        let failed = |error: io::Error| file::trouble("lock", &path, error);
        let Some(mut file) = lock::acquire(&path, Duration::ZERO).map_err(failed)? else {
            return Err(StateError::Locked { holder: holder(&path) });
        };
        let text = format!("pid {} since {:.0}\n", process::id(), Timestamp::now());
        let write =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        write.map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

/// The right to change things, held for as long as it lives; the system takes it back when the process dies.
pub struct Lock {
    _file: File,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// What a lock file says of who holds it, if it says it as hekate does.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_LOCK).read_to_string(&mut text));
    let parts: Vec<&str> = text.trim_end().split(' ').collect();
    match (read, parts.as_slice()) {
        (Ok(_), ["pid", pid, "since", time])
            if pid.parse::<u32>().is_ok() && time.parse::<Timestamp>().is_ok() =>
        {
            format!(" (pid {pid} since {time})")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_second_responder_is_told_who_is_at_work() {
        let folder = folder();
        let state = State::open(folder.path().join("a/b")).unwrap();
        let lock = state.lock().unwrap();
        let error = State::open(state.folder()).unwrap().lock().unwrap_err().to_string();
        assert!(error.contains(&format!("(pid {} since 20", process::id())), "{error}");
        fs::write(state.folder().join("lock"), "pid 1\u{1b}[2J since yesterday").unwrap();
        let error = state.lock().unwrap_err().to_string();
        assert!(error.starts_with("another responder is at work: wait"), "{error}");
        drop(lock);
        assert!(state.lock().is_ok());
    }

    #[test]
    fn the_machines_key_is_made_once_and_the_users_own_comes_first() {
        let folder = folder();
        let state = State::open(folder.path()).unwrap();
        let key = state.master_key(None).unwrap();
        assert_eq!((key.len(), &key), (64, &state.master_key(None).unwrap()));
        let own = Zeroizing::new("5".repeat(64));
        assert_eq!(state.master_key(Some(own.clone())).unwrap(), own);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_reach_is_refused_and_what_is_made_is_for_the_owner_only() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = folder();
        let path = folder.path().join("state");
        let state = State::open(&path).unwrap();
        state.master_key(None).unwrap();
        let _lock = state.lock().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&state.incidents_folder().unwrap()), 0o700);
        assert_eq!((mode(&path.join("key")), mode(&path.join("lock"))), (0o600, 0o600));
        symlink(&path, folder.path().join("link")).unwrap();
        assert!(State::open(folder.path().join("link")).unwrap_err().to_string().contains("symbolic link"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(State::open(&path).unwrap_err().to_string().contains("chmod go-w"));
    }
}
