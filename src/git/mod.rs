//! What a git repository holds: objects in packs and loose, refs, the index.
//!
//! Paths come in, bytes and ids go out. It knows nothing of rules or findings, follows no network, runs no program, and trusts no
//! length or offset that it reads. libgit2 is asked only what a repository *means* where git's own rules are long: revisions and
//! config.

mod alternates;
mod config;
pub mod delta;
mod file;
mod index;
pub mod inflate;
pub mod loose;
mod map;
mod object;
mod objects;
mod oid;
pub mod pack;
mod refs;
mod repository;
mod revision;
mod submodule;

pub use index::{CacheTree, CacheTreeNode, Index, IndexEntries, IndexEntry, IndexError};
pub use object::{Commit, EntryKind, Object, ObjectKind, Tag, TreeEntry, tree_entry};
pub use objects::{EntryError, ObjectError, Objects, ObjectsError};
pub use oid::{HashKind, Oid};
pub use refs::{Head, Ref, Reflog, ReflogEntry, Refs, head, reflogs};
pub use repository::{Repository, RepositoryError};
pub use revision::{RevisionError, resolve};
pub use submodule::{Submodule, submodules};
