//! Git hooks that call hekate: what their scripts say, how they come into a hooks folder, and how they leave it.
//!
//! In comes a folder and what is wanted, out go the steps that were taken (or would be). A hook that was there before is kept beside
//! ours and called first; taking ours away puts it back as it was. What a hook scans and says is the command line's.

mod install;
mod script;

use std::{fmt, io, path::PathBuf};

pub use install::{Hooks, Step};
pub use script::Script;

/// A hook that hekate has an answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Before a commit: what it would add.
    PreCommit,
    /// Before a push: the commits that the remote lacks.
    PrePush,
    /// On a server, before refs move: the commits that were pushed.
    PreReceive,
}

impl Hook {
    /// Every one.
    pub const ALL: &[Self] = &[Self::PreCommit, Self::PrePush, Self::PreReceive];

    /// Its file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a hook stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// A file or folder can't be read or changed.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The hooks folder is a link that leads out of the git folder, and no config says so.
    #[error(
        "{} is a link to {}, out of the git folder; if that is meant, say so with `git config core.hooksPath {}`",
        folder.display(), target.display(), target.display()
    )]
    LeadsOut {
        /// The hooks folder.
        folder: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A hook was kept before, and another one is there now.
    #[error(
        "{} is not ours, and {} is there from an earlier time; join the two or take one away, then try again",
        hook.display(), kept.display()
    )]
    Two {
        /// What would be called by git.
        hook: PathBuf,
        /// What was kept.
        kept: PathBuf,
    },
    /// The program's own path can't stand in a script.
    #[error("{}: a hook's script can't name it, because it is no UTF-8", path.display())]
    Path {
        /// Of hekate.
        path: PathBuf,
    },
}
