//! `--verify` and `--only-confirmed` of scans: what is done about findings before they are written.

use anyhow::Result;

use super::args::ConfirmArgs;
#[cfg(feature = "network")]
use super::args::HandOverArgs;
use crate::{config::Flags, model::Report};

/// What the user wants done about findings.
pub(super) struct Wish<'a> {
    pub(super) confirm: &'a ConfirmArgs,
    /// Where that is recorded, and against which inventory it is held; none where it is not said.
    #[cfg(feature = "network")]
    pub(super) hand_over: Option<&'a HandOverArgs>,
}

/// Asks about the findings of a scan that was just made, and leaves out what is not confirmed, where the user wants it.
pub(super) fn confirm(
    report: &mut Report,
    wish: &Wish<'_>,
    flags: &Flags,
    stdin: Option<Vec<u8>>,
) -> Result<()> {
    #[cfg(feature = "network")]
    if wish.confirm.verify {
        super::verify::of_scan(report, flags, stdin, wish.hand_over)?;
    }
    #[cfg(not(feature = "network"))]
    drop((flags, stdin));
    if wish.confirm.only_confirmed {
        report.keep_confirmed();
    }
    Ok(())
}
