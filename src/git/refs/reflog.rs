//! Where refs pointed before.

use std::{fs, path::Path};

use crate::git::{
    Oid, Repository, RepositoryError,
    repository::{names_in, read_up_to},
};

/// Room for a log of millions of moves, in bytes.
const MOST: u64 = 2 << 30;
/// No log has so many folders in its name.
const MOST_DEEP: usize = 200;

/// The log of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reflog {
    /// Name of the ref; of other work trees with `worktrees/<name>/` before it.
    pub name: Vec<u8>,
    /// Oldest first.
    pub entries: Vec<ReflogEntry>,
    /// Lines, from 1, that are none of a log.
    pub broken: Vec<usize>,
}

/// One move of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReflogEntry {
    /// Before; `None` where the ref was made.
    pub old: Option<Oid>,
    /// After; `None` where the ref was removed.
    pub new: Option<Oid>,
    /// What git wrote of it.
    pub message: Vec<u8>,
}

/// Reads the logs of all refs and work trees, by name.
///
/// # Errors
/// A folder or a log that can't be read.
pub fn reflogs(repository: &Repository) -> Result<Vec<Reflog>, RepositoryError> {
    let mut folders = vec![(repository.common_dir.join("logs"), Vec::new(), 0)];
    for (name, git_dir) in repository.worktrees()? {
        let prefix = [b"worktrees/", name.as_encoded_bytes(), b"/"].concat();
        folders.push((git_dir.join("logs"), prefix, 0));
    }
    let mut logs = Vec::new();
    while let Some((folder, prefix, depth)) = folders.pop() {
        for file in names_in(&folder)? {
            let (path, name) = (folder.join(&file), [&prefix, file.as_encoded_bytes()].concat());
            let metadata =
                fs::symlink_metadata(&path).map_err(|source| RepositoryError::read(&path, source))?;
            if metadata.is_dir() && depth < MOST_DEEP {
                folders.push((path, [&name[..], b"/"].concat(), depth + 1));
            } else if metadata.is_file() {
                logs.push(read(repository, &path, name)?);
            } else {
                return Err(RepositoryError::invalid(&path, "it is no reflog"));
            }
        }
    }
    logs.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(logs)
}

fn read(repository: &Repository, path: &Path, name: Vec<u8>) -> Result<Reflog, RepositoryError> {
    let bytes = read_up_to(path, MOST)?.unwrap_or_default();
    let mut log = Reflog { name, entries: Vec::new(), broken: Vec::new() };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        match parse(repository, line) {
            Some(entry) => log.entries.push(entry),
            None if line.is_empty() => {}
            None => log.broken.push(index + 1),
        }
    }
    Ok(log)
}

/// `<old> <new> <who> <when> <zone>\t<message>`
fn parse(repository: &Repository, line: &[u8]) -> Option<ReflogEntry> {
    let digits = 2 * repository.hash.id_len();
    let id = |at: usize| {
        let oid = repository.oid(line.get(at..at + digits)?)?;
        (line.get(at + digits) == Some(&b' ')).then_some(oid)
    };
    let (old, new) = (id(0)?, id(digits + 1)?);
    let message = memchr::memchr(b'\t', line).map_or(&b""[..], |tab| &line[tab + 1..]);
    let some = |oid: Oid| (!oid.is_null()).then_some(oid);
    Some(ReflogEntry { old: some(old), new: some(new), message: message.to_vec() })
}
