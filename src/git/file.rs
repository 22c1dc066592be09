//! Files of a git folder, which may be anything: a pipe that nobody writes to, a device, a file with a hole of terabytes.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// All bytes of a regular file, where they are not more than `most`.
///
/// # Errors
/// What the system says, or that it is no file or bigger.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    // Asked before it is opened: opening a pipe would wait for its other end.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(invalid("it is no regular file".into()));
    }
    let too_big = || invalid(format!("it has more than {most} bytes"));
    let length = Some(metadata.len()).filter(|length| *length <= most).ok_or_else(too_big)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length + 1).map_err(|_| too_big())?);
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_big()) } else { Ok(bytes) }
}
