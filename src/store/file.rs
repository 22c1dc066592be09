//! Files and folders that hold secrets or keys: read if nobody else can have changed them, and written whole or not at all.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

use super::StoreError;

/// No such file is longer, in bytes.
const LONGEST: u64 = 4 << 20;
/// What unfinished files begin with: what a killed process leaves is removed by the next that writes there.
const UNFINISHED: &str = ".hekate-";
const LINK: &str = "it is a symbolic link, which hekate does not follow: put the file itself there";

/// For errors: what failed, where, and why.
pub(crate) fn trouble(action: &'static str, path: &Path, why: impl ToString) -> StoreError {
    StoreError::Io { action, path: path.display().to_string(), why: why.to_string() }
}

/// The bytes of a file; `None` where there is none.
///
/// # Errors
/// [`StoreError::Io`]: it can't be read, is a link or no file, is too long, or others can write to it.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let failed = |why: String| trouble("read", path, why);
    let (file, metadata) = match open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    if !metadata.is_file() {
        return Err(failed("it is no file".into()));
    }
    own(path, &metadata)?;
    let length = metadata.len().min(LONGEST);
    // One byte more than it has, so that the buffer need not grow, which would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(failed(format!("it has more than {LONGEST} bytes")));
    }
    Ok(Some(bytes))
}

/// Opens a file without following a link, and without waiting for the other end of a pipe.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other(LINK));
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Whether a folder is there.
///
/// # Errors
/// [`StoreError::Io`]: it is a link or no folder, or others can write to it.
pub(crate) fn is_folder(path: &Path) -> Result<bool, StoreError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(trouble("read", path, error)),
    };
    if metadata.is_symlink() {
        return Err(trouble("read", path, LINK));
    }
    if !metadata.is_dir() {
        return Err(trouble("read", path, "it is no folder"));
    }
    own(path, &metadata)?;
    Ok(true)
}

/// Refuses what others can write to: its values would be theirs.
///
/// # Errors
/// [`StoreError::Io`], with what to do about it.
#[cfg(unix)]
pub(crate) fn own(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;

    // A group with its owner's number is the owner's own: many systems give it the right to write by default.
    let others = if metadata.gid() == metadata.uid() { 0o002 } else { 0o022 };
    if metadata.mode() & others == 0 {
        return Ok(());
    }
    Err(trouble("read", path, "others than its owner can write to it: take that from them with `chmod go-w`"))
}

/// Rights are not looked at here.
#[cfg(not(unix))]
pub(crate) fn own(_: &Path, _: &Metadata) -> Result<(), StoreError> {
    Ok(())
}

/// Whether all folders are there that lead from `top` to a path, and the path itself is one.
///
/// # Errors
/// [`StoreError::Io`], as of [`is_folder`].
pub(crate) fn leads(top: &Path, path: &Path) -> Result<bool, StoreError> {
    let mut folder = top.to_owned();
    for name in path.strip_prefix(top).unwrap_or(path) {
        folder.push(name);
        if !is_folder(&folder)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the folders that lead from `top` to a path, and the path itself.
///
/// # Errors
/// [`StoreError::Io`], as of [`is_folder`], and that one can't be made.
pub(crate) fn make_folders(top: &Path, path: &Path) -> Result<(), StoreError> {
    let mut folder = top.to_owned();
    for name in path.strip_prefix(top).unwrap_or(path) {
        folder.push(name);
        make_folder(&folder)?;
    }
    Ok(())
}

/// Makes a folder that only its owner can look into, where there is none.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if is_folder(path)? {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    #[cfg(not(unix))]
    let builder = &mut builder;
    builder.create(path).map_err(|error| trouble("make", path, error))?;
    sync(folder_of(path))
}

/// Puts a file in the place of the old one, at once; only its owner can read it.
///
/// # Errors
/// [`StoreError::Io`]: the old file is as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |error: io::Error| trouble("write", path, error);
    let folder = folder_of(path);
    remove_unfinished(folder).map_err(failed)?;
    // Made with 0600, whatever the old file has.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync(folder)
}

/// Makes a file that only its owner can read, whole or not at all; one that is there already stays as it is.
///
/// # Errors
/// [`StoreError::Io`]: it can't be made.
pub(crate) fn make(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |error: io::Error| trouble("write", path, error);
    let folder = folder_of(path);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => sync(folder),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

/// What a process left that was killed while it wrote; the lock says that none is writing now.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file, for good.
///
/// # Errors
/// [`StoreError::Io`].
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(|error| trouble("remove", path, error))
}

/// Makes what was renamed, made or removed in a folder outlast a power cut.
pub(crate) fn sync(folder: &Path) -> Result<(), StoreError> {
    // Folders can't be opened as files elsewhere.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(|error| trouble("write", folder, error))?;
    }
    Ok(())
}

/// The folder that a path lies in; of a bare name, the working one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
