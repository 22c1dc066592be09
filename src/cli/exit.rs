//! Exit codes: the contract with hooks and CI.
//!
//! | code | of a scan |
//! |---|---|
//! | 0 | clean |
//! | 1 | findings |
//! | 2 | wrong use or config |
//! | 3 | incomplete: something could not be scanned, and nothing was found; or a repository could not be read at all |
//! | 4 | at least one confirmed finding |

use std::{io, process::ExitCode};

use super::sink;
use crate::{git::RepositoryError, model::Report, source::StagedError, store::StoreError};

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing found, or done.
    Clean,
    /// Findings, or (of `rules test`) failures.
    Findings,
    /// Wrong use or config.
    Usage,
    /// Something could not be scanned, and nothing was found.
    Incomplete,
    /// A finding is certainly real and alive.
    Confirmed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Confirmed => 4,
        })
    }
}

/// A scan's exit: confirmed before findings before incomplete. `exit_zero` says nothing of findings, yet still of gaps.
pub(super) fn of_report(report: &Report, exit_zero: bool) -> Exit {
    let found = match (report.has_confirmed(), report.findings.is_empty()) {
        _ if exit_zero => Exit::Clean,
        (true, _) => Exit::Confirmed,
        (false, false) => Exit::Findings,
        (false, true) => Exit::Clean,
    };
    if found == Exit::Clean && report.coverage.is_incomplete() { Exit::Incomplete } else { found }
}

/// clap's own answer: help and version are no errors.
pub(super) fn of_usage(error: &clap::Error) -> Exit {
    match error.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Usage,
        _ if error.use_stderr() => Exit::Usage,
        _ => Exit::Clean,
    }
}

/// Says what failed, with those of its causes that it does not name itself.
pub(super) fn of_error(error: &anyhow::Error) -> Exit {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    sink::warn(&format!("error: {text}"));
    match error {
        error if error.chain().any(is_broken_off) => Exit::Findings,
        error if error.chain().any(is_unreadable) => Exit::Incomplete,
        _ => Exit::Usage,
    }
}

/// Whether a response could not go on for its own records: something may have been done, so that it is not one that was refused.
#[cfg(feature = "network")]
fn is_broken_off(cause: &(dyn std::error::Error + 'static)) -> bool {
    use crate::respond::RunError;
    let run = cause.downcast_ref::<RunError>();
    run.is_some_and(|error| matches!(error, RunError::Saga(_) | RunError::Journal(_) | RunError::Audit(_)))
}

#[cfg(not(feature = "network"))]
fn is_broken_off(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

/// The same of a response, which has no exit of its own for what could not be asked: it was not all done.
#[cfg(feature = "network")]
pub(super) fn of_response_error(error: &anyhow::Error) -> Exit {
    let is_broken_off = error.chain().any(|cause| {
        cause.downcast_ref::<crate::respond::SagaError>().is_some()
            || matches!(cause.downcast_ref(), Some(crate::respond::RunError::Saga(_)))
    });
    match of_error(error) {
        Exit::Usage if !is_broken_off => Exit::Usage,
        _ => Exit::Findings,
    }
}

/// Whether a repository is there and could not be read: nobody used hekate wrongly, and nothing was scanned.
fn is_unreadable(cause: &(dyn std::error::Error + 'static)) -> bool {
    let repository = cause.downcast_ref::<RepositoryError>();
    let staged = cause.downcast_ref::<StagedError>();
    let store = cause.downcast_ref::<StoreError>();
    repository.is_some_and(RepositoryError::is_unreadable)
        || store.is_some_and(is_down)
        || staged.is_some_and(|error| !matches!(error, StagedError::Bare(_)))
}

/// Whether a secret manager is named and can't be asked now; what is missing or wrong in the set-up is wrong use.
fn is_down(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::Credentials { .. } | StoreError::Unauthenticated { .. } | StoreError::NotFound { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes =
            [Exit::Clean, Exit::Findings, Exit::Usage, Exit::Incomplete, Exit::Confirmed].map(ExitCode::from);
        assert_eq!(format!("{codes:?}"), format!("{:?}", [0, 1, 2, 3, 4].map(ExitCode::from)));
    }
}
