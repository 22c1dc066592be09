//! Files that one process holds at a time; the system lets go of them when it dies.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// From one try to the next: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// The locked file, made where it is not there; `None` where another process or thread holds it for as long as `patience`.
///
/// The file stays when the lock is gone: a lock file that is removed can be locked by two.
///
/// # Errors
/// It can't be made, or it is a link.
pub(crate) fn acquire(path: &Path, patience: Duration) -> io::Result<Option<File>> {
    let start = Instant::now();
    let mut pause = PAUSES.0;
    loop {
        let file = take(path)?;
        if file.is_some() || start.elapsed() >= patience {
            return Ok(file);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
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
    let options = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW);
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
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).share_mode(0).open(path);
    match file {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(IN_USE) => Ok(None),
        Err(error) => Err(error),
    }
}
