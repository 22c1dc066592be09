//! Commits, as far as hooks need them.

use anyhow::{Result, bail};

use crate::{
    config::Flags,
    git::{Oid, Repository},
    model::Report,
};

/// Commits that can be reached from some and not from others.
pub(super) struct Range {
    pub(super) tips: Vec<Oid>,
    pub(super) hidden: Vec<Oid>,
}

/// Scans what the commits of a range introduce.
pub(super) fn scan_range(_: &Repository, range: Range, _: &Flags) -> Result<Report> {
    bail!("not yet: {} tips, {} hidden", range.tips.len(), range.hidden.len())
}
