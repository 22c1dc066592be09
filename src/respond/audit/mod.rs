//! The audit log: every read of a secret, verification, revocation, rotation, approval and refusal, chained so that a change shows.
//!
//! An [`Event`] comes in, a line of JSON goes into a file, a [`Receipt`] comes out: how many entries there are, and what the last one's MAC is.
//! Each line carries the MAC of the line before it and a MAC of its own bytes, so that [`verify()`] sees what was changed, taken out, put in or
//! moved. What nobody can see from the log alone is that its end was cut off together with what `head.json` says; for that, receipts go out
//! with notifications, and [`verify()`] takes one. Values of secrets stand in no event.

mod action;
mod event;
mod export;
mod files;
mod list;
mod log;
mod seal;
mod verify;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionError};
pub(in crate::respond) use event::legible;
pub use event::{Event, EventType, Outcome, SecretName, User};
pub use export::{ExportFormat, export};
pub use list::{Entry, Filter, Listed, list};
pub use log::{AuditLog, AuditOptions};
pub use seal::{AuditKey, Receipt, ReceiptError};
pub use verify::{Fault, FaultKind, Verification, verify};

use crate::store::StoreError;

/// Why the audit log can't be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// A folder or file.
    #[error(transparent)]
    File(#[from] StoreError),
    /// It is not as it was left. Nothing is written to it any more.
    #[error(
        "the audit log in {folder} is broken: {what}; see `hekate audit verify`, and keep the folder: to begin a new log, move it elsewhere"
    )]
    Broken {
        /// Its folder.
        folder: String,
        /// What is wrong, with file and line where they are known.
        what: String,
    },
    /// The key is another one.
    #[error(
        "the audit log in {folder} was written with another key: set the HEKATE_KEY (or HEKATE_KEY_FILE) of that time, or none if there was none"
    )]
    ForeignKey {
        /// Its folder.
        folder: String,
    },
    /// The log was written to for too long by somebody else.
    #[error("{folder}: another hekate writes to this audit log; try again")]
    Busy {
        /// Its folder.
        folder: String,
    },
    /// It can't be written out.
    #[error("write the entries as {format}: {why}")]
    Export {
        /// As what.
        format: &'static str,
        /// What failed.
        why: String,
    },
}
