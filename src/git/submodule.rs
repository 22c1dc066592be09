//! Repositories of submodules, where git keeps them: below `modules` of the git folder.
//!
//! What `.gitmodules` or a `.git` file says of them is not asked, since a hostile one could name any folder of the machine. A
//! submodule that was checked out has its repository there, wherever its work tree is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Repository, RepositoryError, repository::names_in};

/// No submodule lies in so many others.
const MOST_DEEP: usize = 64;
const OUTSIDE: &str = "it leads out of the git folder";

/// A submodule's repository.
#[derive(Debug)]
pub struct Submodule {
    /// Where it is checked out, relative to the outermost work tree; its name where it is not checked out there.
    pub path: PathBuf,
    /// Its repository, or why it can't be read.
    pub repository: Result<Repository, RepositoryError>,
}

/// The repositories of a repository's submodules and of theirs, by path; those of its linked worktrees, too.
///
/// # Errors
/// A folder that can't be listed.
pub fn submodules(repository: &Repository) -> Result<Vec<Submodule>, RepositoryError> {
    let mut found = list(repository, &repository.common_dir, Path::new(""))?;
    for (name, git_dir) in repository.worktrees()? {
        found.extend(list(repository, &git_dir, &Path::new("worktrees").join(name))?);
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(found)
}

/// Those below one git folder.
fn list(repository: &Repository, git_dir: &Path, prefix: &Path) -> Result<Vec<Submodule>, RepositoryError> {
    let folder = git_dir.join("modules");
    match fs::symlink_metadata(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(RepositoryError::read(&folder, source)),
        Ok(there) if !there.is_dir() => return Err(RepositoryError::invalid(&folder, OUTSIDE)),
        Ok(_) => {}
    }
    let root = folder.canonicalize().map_err(|source| RepositoryError::read(&folder, source))?;
    let mut found = Vec::new();
    let mut due = vec![(root.clone(), prefix.to_owned(), 0)];
    while let Some((folder, name, depth)) = due.pop() {
        for entry in names_in(&folder)? {
            let (path, name) = (folder.join(&entry), name.join(&entry));
            // A link may lead anywhere.
            let is_folder = fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir());
            if depth >= MOST_DEEP || !is_folder {
                let why = RepositoryError::invalid(&path, "it is no folder of submodules");
                found.push(Submodule { path: name, repository: Err(why) });
            } else if path.join("HEAD").symlink_metadata().is_ok() {
                let inner = path.join("modules");
                if inner.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                    due.push((inner, name.clone(), depth + 1));
                }
                found.push(open(repository, &root, &path, name));
            } else {
                // Names of submodules may hold slashes.
                due.push((path, name, depth + 1));
            }
        }
    }
    Ok(found)
}

fn open(outer: &Repository, root: &Path, git_dir: &Path, name: PathBuf) -> Submodule {
    let opened = Repository::open(git_dir).and_then(|repository| {
        let common = repository.common_dir.canonicalize();
        let is_inside = |folder: &Path| folder.canonicalize().is_ok_and(|folder| folder.starts_with(root));
        // Refs and objects must not be those of some other repository either.
        let own = ["objects", "refs"].iter().all(|part| is_inside(&repository.common_dir.join(part)));
        match common {
            Ok(common) if common.starts_with(root) && own => Ok(repository),
            _ => Err(RepositoryError::invalid(git_dir, OUTSIDE)),
        }
    });
    let path = opened.as_ref().ok().and_then(|repository| checked_out(outer, repository)).unwrap_or(name);
    Submodule { path, repository: opened }
}

/// Where a submodule is checked out within the outermost work tree.
fn checked_out(outer: &Repository, repository: &Repository) -> Option<PathBuf> {
    let inner = repository.work_tree.as_ref()?.canonicalize().ok()?;
    let path = inner.strip_prefix(outer.work_tree.as_ref()?.canonicalize().ok()?).ok()?;
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}
