//! The repository that one works in.

use std::path::{Path, PathBuf};

use crate::{
    git::{self, Head},
    model::Repository,
};

/// The nearest folder upwards that holds a `.git` (folder, or file of a linked worktree).
pub fn root_of(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf)
}

/// What is checked out there, as far as it can be told: a scan of files needs none of it.
pub fn describe(root: &Path) -> Option<Repository> {
    Some(describe_git(&git::Repository::open(root).ok()?))
}

/// The same of a repository that is open.
pub fn describe_git(repository: &git::Repository) -> Repository {
    let (name, revision) = match git::head(repository) {
        Ok(Head::Branch { name, commit }) => (Some(name), commit),
        Ok(Head::Detached(commit)) => (None, Some(commit)),
        Ok(Head::Broken(_)) | Err(_) => (None, None),
    };
    let branch =
        name.as_deref().filter(|_| revision.is_some()).and_then(|name| name.strip_prefix(b"refs/heads/"));
    Repository {
        remote: repository.origin.as_deref().map(without_credentials),
        revision: revision.map(|commit| commit.to_string()),
        branch: branch.map(|branch| String::from_utf8_lossy(branch).into_owned()),
    }
}

/// A remote's URL is written into reports; a token in it must not be.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_remote_are_dropped() {
        assert_eq!(
            without_credentials("https://user:pw@host.example/a/b.git"),
            "https://host.example/a/b.git"
        );
        assert_eq!(without_credentials("git@host.example:a/b.git"), "git@host.example:a/b.git");
    }
}
