//! Refs that are files.

use std::{fs, io, path::Path};

use crate::git::{Oid, Repository, RepositoryError, file, repository::names_in};

/// Longer than any name of a ref, in bytes.
const MOST: u64 = 16 << 10;
/// No ref has so many folders in its name.
const MOST_DEEP: usize = 200;

/// What the file of a ref says.
pub(super) enum Content {
    Direct(Oid),
    Symbolic(Vec<u8>),
    Broken(String),
    Missing,
}

/// Reads one file. A symbolic link is what it names, as in old repositories, and is not followed.
pub(super) fn read(repository: &Repository, path: &Path) -> Content {
    match read_file(path) {
        Ok(bytes) => parse(repository, &bytes),
        Err(error) if is_missing(&error) => Content::Missing,
        Err(error) => Content::Broken(error.to_string()),
    }
}

/// A ref may be gone, or a folder stand where another name's file would.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        let target = fs::read_link(path)?;
        return Ok([b"ref: ", target.as_os_str().as_encoded_bytes()].concat());
    }
    file::read(path, MOST)
}

fn parse(repository: &Repository, bytes: &[u8]) -> Content {
    if let Some(target) = bytes.strip_prefix(b"ref:") {
        let target = target.trim_ascii();
        return if is_safe(target) {
            Content::Symbolic(target.to_vec())
        } else {
            Content::Broken(format!("it leads to `{}`, which is no ref", String::from_utf8_lossy(target)))
        };
    }
    // git writes one line; FETCH_HEAD has more behind the id.
    let end = bytes.iter().position(u8::is_ascii_whitespace).unwrap_or(bytes.len());
    match repository.oid(&bytes[..end]) {
        Some(oid) if !oid.is_null() => Content::Direct(oid),
        _ => Content::Broken("it holds no object id".into()),
    }
}

/// Whether a name stays below `refs`, or is a word like `HEAD`: it comes from a file, and becomes a path.
pub(super) fn is_safe(name: &[u8]) -> bool {
    let is_part = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
    let parts_are_safe = name.split(|byte| *byte == b'/').all(is_part);
    let is_word = name.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'));
    let has_odd_byte = name.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\');
    parts_are_safe && !has_odd_byte && (is_word || name.starts_with(b"refs/"))
}

/// Tells of every file below `refs` of a git folder.
///
/// # Errors
/// A folder that can't be listed.
pub(super) fn each(
    repository: &Repository,
    git_dir: &Path,
    mut found: impl FnMut(Vec<u8>, Content),
) -> Result<(), RepositoryError> {
    let mut folders = vec![(git_dir.join("refs"), b"refs/".to_vec(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for file in names_in(&folder)? {
            let (path, name) = (folder.join(&file), [&prefix, file.as_encoded_bytes()].concat());
            let is_folder = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata.is_dir(),
                // Removed meanwhile, or not to be looked at: reading says which.
                Err(_) => false,
            };
            // A lock is no ref: its name could not be one.
            if name.ends_with(b".lock") && !is_folder {
                continue;
            }
            if is_folder && depth < MOST_DEEP {
                folders.push((path, [&name[..], b"/"].concat(), depth + 1));
            } else if is_folder {
                found(name, Content::Broken("its folders are too deep".into()));
            } else {
                found(name, read(repository, &path));
            }
        }
    }
    Ok(())
}
