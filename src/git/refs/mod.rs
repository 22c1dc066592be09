//! What a repository's refs point to.
//!
//! Formats: gitrepository-layout(5), git-pack-refs(1). A ref that can't be read is said to be broken, never left out.

mod loose;
mod packed;
mod reflog;

use std::{borrow::Cow, path::Path};

use super::{Oid, Repository, RepositoryError};
use loose::{Content, is_safe};
use packed::Packed;

pub use reflog::{Reflog, ReflogEntry, reflogs};

/// git follows no more symbolic refs in a row.
const MOST_STEPS: usize = 5;
/// Refs under these belong to one work tree, and lie in its own git folder.
const OWN: &[&str] = &["refs/bisect", "refs/worktree", "refs/rewritten"];

/// A ref that points to an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref {
    /// Its whole name: `refs/heads/main`; of other work trees with `worktrees/<name>/` or `main-worktree/` before it, as git has it.
    pub name: Vec<u8>,
    /// The object.
    pub target: Oid,
    /// What the tag there leads to, where packed-refs tells.
    pub peeled: Option<Oid>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, with its commit; without one it is unborn: nothing is committed yet.
    Branch {
        /// Whole name.
        name: Vec<u8>,
        /// `None` where it is unborn.
        commit: Option<Oid>,
    },
    /// A commit on no branch.
    Detached(Oid),
    /// `HEAD` can't be read, and why.
    Broken(String),
}

/// All refs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refs {
    /// What this work tree has checked out.
    pub head: Head,
    /// By name, with `HEAD` of the other work trees; without this one's `HEAD`.
    pub entries: Vec<Ref>,
    /// What can't be read: name, and why.
    pub broken: Vec<(Vec<u8>, String)>,
    /// Symbolic refs to one that is not there, such as `refs/remotes/origin/HEAD` once its branch is gone: they hold nothing.
    pub dangling: Vec<Vec<u8>>,
}

/// Reads what is checked out, and no other ref.
///
/// # Errors
/// A `packed-refs` that can't be read.
pub fn head(repository: &Repository) -> Result<Head, RepositoryError> {
    head_with(repository, &Packed::read(repository)?)
}

fn head_with(repository: &Repository, packed: &Packed<'_>) -> Result<Head, RepositoryError> {
    let name = match loose::read(repository, &repository.git_dir.join("HEAD")) {
        Content::Direct(oid) => return Ok(Head::Detached(oid)),
        Content::Broken(why) => return Ok(Head::Broken(why)),
        Content::Missing => return Ok(Head::Broken("it is not there".into())),
        Content::Symbolic(name) => name,
    };
    Ok(match follow(repository, &name, |name| Ok(packed.find(name)))? {
        Ok(commit) => Head::Branch { name, commit },
        Err(why) => Head::Broken(why),
    })
}

/// What became of looking for a ref: `None` where there is none of the name, or why it can't be read.
type Sought = Result<Option<Oid>, String>;

/// Finds the ref of this whole name, and reads no other.
///
/// # Errors
/// A `packed-refs` that can't be read.
pub(super) fn find(repository: &Repository, name: &[u8]) -> Result<Sought, RepositoryError> {
    follow(repository, name, |name| Ok(Packed::read(repository)?.find(name)))
}

/// Follows a ref by its loose files, and the packed ones where there is no file.
fn follow(
    repository: &Repository,
    name: &[u8],
    packed: impl FnOnce(&[u8]) -> Result<Sought, RepositoryError>,
) -> Result<Sought, RepositoryError> {
    let mut name = name.to_vec();
    for _ in 0..MOST_STEPS {
        if !is_safe(&name) {
            return Ok(Err(format!("`{}` is no name of a ref", String::from_utf8_lossy(&name))));
        }
        match loose::read(repository, &path_of(repository, &name)) {
            Content::Direct(oid) => return Ok(Ok(Some(oid))),
            Content::Broken(why) => return Ok(Err(why)),
            Content::Missing => return packed(&name),
            Content::Symbolic(next) => name = next,
        }
    }
    Ok(Err(format!("more than {MOST_STEPS} symbolic refs in a row")))
}

/// Where the loose file of a ref would lie.
fn path_of(repository: &Repository, name: &[u8]) -> std::path::PathBuf {
    let folder = if !name.starts_with(b"refs/") || is_own(name) {
        &repository.git_dir
    } else {
        &repository.common_dir
    };
    folder.join(super::repository::to_path(name))
}

impl Refs {
    /// Reads all refs: loose, packed, and those of the other work trees.
    ///
    /// # Errors
    /// A folder or `packed-refs` that can't be listed or read.
    pub fn read(repository: &Repository) -> Result<Self, RepositoryError> {
        let packed = Packed::read(repository)?;
        let mut found = Found::default();
        packed.each(|name, entry| {
            let value = entry.map(|(target, peeled)| Value::Direct(target, peeled));
            found.refs.push((Cow::Borrowed(name), value));
        });
        // Loose files win over packed lines; the work tree's own refs lie beside those that all share.
        found.add_files(repository, &repository.common_dir, b"", |name| !is_own(name))?;
        found.add_files(repository, &repository.git_dir, b"", is_own)?;
        for (name, git_dir) in repository.worktrees()? {
            if same(&git_dir, &repository.git_dir) {
                continue;
            }
            let prefix = [b"worktrees/", name.as_encoded_bytes(), b"/"].concat();
            found.add_worktree(repository, &git_dir, &prefix)?;
        }
        if !same(&repository.git_dir, &repository.common_dir) {
            found.add_worktree(repository, &repository.common_dir, b"main-worktree/")?;
        }
        Ok(found.resolved(head_with(repository, &packed)?))
    }

    /// The ref of this whole name.
    pub fn find(&self, name: &[u8]) -> Option<&Ref> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
        Some(&self.entries[at])
    }
}

fn is_own(name: &[u8]) -> bool {
    OWN.iter().any(|own| name.strip_prefix(own.as_bytes()).is_some_and(|rest| rest.starts_with(b"/")))
}

fn same(one: &Path, two: &Path) -> bool {
    one == two || one.canonicalize().ok().is_some_and(|one| two.canonicalize().ok() == Some(one))
}

enum Value {
    Direct(Oid, Option<Oid>),
    Symbolic(Vec<u8>),
}

/// What a ref says, or why it can't be read.
type Read = Result<Value, String>;

/// Refs as they are met, before symbolic ones are followed. Of one name the last one holds.
#[derive(Default)]
struct Found<'p> {
    refs: Vec<(Cow<'p, [u8]>, Read)>,
}

impl Found<'_> {
    /// The files below `refs` of a git folder whose names are wanted; `prefix` goes before them.
    fn add_files(
        &mut self,
        repository: &Repository,
        git_dir: &Path,
        prefix: &[u8],
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<(), RepositoryError> {
        loose::each(repository, git_dir, |name, content| {
            if is_wanted(&name) {
                self.add([prefix, &name].concat(), content);
            }
        })
    }

    fn add(&mut self, name: Vec<u8>, content: Content) {
        let value = match content {
            Content::Direct(oid) => Ok(Value::Direct(oid, None)),
            Content::Symbolic(target) => Ok(Value::Symbolic(target)),
            Content::Broken(why) => Err(why),
            // It was removed or packed meanwhile: then the packed line holds.
            Content::Missing => return,
        };
        self.refs.push((Cow::Owned(name), value));
    }

    /// `HEAD` and the own refs of another work tree.
    fn add_worktree(
        &mut self,
        repository: &Repository,
        git_dir: &Path,
        prefix: &[u8],
    ) -> Result<(), RepositoryError> {
        let content = match loose::read(repository, &git_dir.join("HEAD")) {
            Content::Symbolic(name) if is_own(&name) => Content::Symbolic([prefix, &name].concat()),
            Content::Missing => Content::Broken("it is not there".into()),
            content => content,
        };
        self.add([prefix, b"HEAD"].concat(), content);
        self.add_files(repository, git_dir, prefix, is_own)
    }

    fn resolved(mut self, head: Head) -> Refs {
        let mut refs = Refs { head, entries: Vec::new(), broken: Vec::new(), dangling: Vec::new() };
        // They are sorted as a rule, and then this only looks.
        self.refs.sort_by(|one, two| one.0.cmp(&two.0));
        self.refs.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        refs.entries.reserve(self.refs.len());
        for (name, value) in &self.refs {
            let found = match value {
                Err(why) => Err(why.clone()),
                Ok(Value::Direct(target, peeled)) => Ok(Some((*target, *peeled))),
                Ok(Value::Symbolic(target)) => self.follow(target),
            };
            let name = name.to_vec();
            match found {
                Ok(Some((target, peeled))) => refs.entries.push(Ref { name, target, peeled }),
                Ok(None) => refs.dangling.push(name),
                Err(why) => refs.broken.push((name, why)),
            }
        }
        refs
    }

    fn follow(&self, name: &[u8]) -> Result<Option<(Oid, Option<Oid>)>, String> {
        let mut name = name;
        for _ in 0..MOST_STEPS {
            let Ok(at) = self.refs.binary_search_by(|(other, _)| (**other).cmp(name)) else {
                return Ok(None);
            };
            match &self.refs[at].1 {
                Err(why) => return Err(why.clone()),
                Ok(Value::Direct(target, peeled)) => return Ok(Some((*target, *peeled))),
                Ok(Value::Symbolic(next)) => name = next,
            }
        }
        Err(format!("more than {MOST_STEPS} symbolic refs in a row"))
    }
}
