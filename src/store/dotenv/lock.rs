//! One writer at a time.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::file::trouble;
use crate::store::StoreError;

/// Its name in the store's folder. It stays there: a lock file that is removed can be locked by two.
const NAME: &str = ".hekate.lock";
/// How long another writer is waited for: a write takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Held for as long as it lives; the system lets go of it when the process dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process or thread writes.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the file can't be made, or somebody else holds it for long.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        Self::acquire_within(root, PATIENCE)
    }

    fn acquire_within(root: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = root.join(NAME);
        let start = Instant::now();
        loop {
            match take(&path) {
                Ok(Some(file)) => return Ok(Self { _file: file }),
                Ok(None) if start.elapsed() < patience => thread::sleep(PAUSE),
                Ok(None) => {
                    return Err(trouble("lock", &path, "another hekate writes to this store; try again"));
                }
                Err(error) => return Err(trouble("lock", &path, error)),
            }
        }
    }
}

/// The locked file, if nobody else has it.
#[cfg(unix)]
fn take(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };

    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The file, if nobody else has it open.
#[cfg(windows)]
fn take(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;

    /// The system's `ERROR_SHARING_VIOLATION`.
    const IN_USE: i32 = 32;
    let file = OpenOptions::new().write(true).create(true).truncate(false).share_mode(0).open(path);
    match file {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(IN_USE) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_waits_and_is_told_who_is_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::acquire(folder.path()).unwrap();
        let error = Lock::acquire_within(folder.path(), Duration::ZERO).err().unwrap().to_string();
        assert!(error.contains("another hekate writes"), "{error}");
        drop(first);
        assert!(Lock::acquire_within(folder.path(), Duration::ZERO).is_ok());
    }
}
