//! The repository that one works in.

use std::path::{Path, PathBuf};

use git2::Repository as Git;

use crate::model::Repository;

/// The nearest folder upwards that holds a `.git` (folder, or file of a linked worktree).
pub fn root_of(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf)
}

/// What is checked out there, as far as libgit2 can tell: it refuses some repository formats, and a scan of files needs none.
pub fn describe(root: &Path) -> Option<Repository> {
    let git = Git::open(root).ok()?;
    let head = git.head().ok();
    let remote = git.find_remote("origin").ok();
    Some(Repository {
        remote: remote.and_then(|remote| remote.url().ok().map(without_credentials)),
        revision: head.as_ref().and_then(|head| Some(head.target()?.to_string())),
        branch: head
            .filter(git2::Reference::is_branch)
            .and_then(|head| head.shorthand().ok().map(ToOwned::to_owned)),
    })
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
