//! What people call commits: ids, refs, and git's own language of revisions.

use super::{
    Oid, Repository,
    refs::{self, Head},
};

/// A revision that names nothing.
#[derive(Debug, thiserror::Error)]
#[error("`{revision}` names no commit here{hint}")]
pub struct RevisionError {
    revision: String,
    hint: &'static str,
}

/// The object that a revision names: an id, a ref by its whole or short name, or whatever libgit2 understands (`HEAD~3`, `v1^{commit}`).
///
/// # Errors
/// That it names nothing.
pub fn resolve(repository: &Repository, revision: &str) -> Result<Oid, RevisionError> {
    let whole =
        Oid::from_hex(revision.as_bytes()).filter(|oid| oid.as_bytes().len() == repository.hash.id_len());
    let head = || match refs::head(repository).ok()? {
        Head::Branch { commit, .. } => commit,
        Head::Detached(commit) => Some(commit),
        Head::Broken(_) => None,
    };
    let find = |prefix: &str| refs::find(repository, format!("{prefix}{revision}").as_bytes()).ok()?.ok()?;
    let named = || ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].into_iter().find_map(find);
    whole
        .or_else(|| if revision == "HEAD" { head() } else { None })
        .or_else(named)
        .or_else(|| by_libgit2(repository, revision))
        .ok_or_else(|| RevisionError {
            revision: revision.to_owned(),
            hint: match repository.is_shallow() {
                Ok(true) => "; this is a shallow clone: fetch more of it (in CI: fetch-depth: 0)",
                _ => "",
            },
        })
}

fn by_libgit2(repository: &Repository, revision: &str) -> Option<Oid> {
    let git = git2::Repository::open(&repository.git_dir).ok()?;
    let object = git.revparse_single(revision).ok()?;
    Oid::from_bytes(object.id().as_bytes())
}
