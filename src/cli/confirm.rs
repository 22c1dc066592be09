//! `--verify` and `--only-confirmed` of scans: what is done about findings before they are written.

use anyhow::Result;

use super::args::ConfirmArgs;
use crate::{config::Flags, model::Report};

/// Asks about the findings of a scan that was just made, and leaves out what is not confirmed, where the user wants it.
pub(super) fn confirm(
    report: &mut Report,
    wish: &ConfirmArgs,
    flags: &Flags,
    stdin: Option<Vec<u8>>,
) -> Result<()> {
    #[cfg(feature = "network")]
    if wish.verify {
        super::verify::of_scan(report, flags, stdin)?;
    }
    #[cfg(not(feature = "network"))]
    drop((flags, stdin));
    if wish.only_confirmed {
        report.keep_confirmed();
    }
    Ok(())
}
