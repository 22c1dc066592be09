//! `hekate report`.

use std::{io::Read, path::Path};

use anyhow::{Context, Result};

use super::{
    Exit,
    args::{ReportArgs, ShowArgs},
    sink::{self, Look},
};
use crate::{model::Report, output::parse_report};

/// Reads a saved report; "-" is standard input.
pub(super) fn read(file: &Path) -> Result<Report> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).context("read standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    }
    parse_report(text.trim_start_matches('\u{feff}')).with_context(|| format!("read {}", file.display()))
}

pub(super) fn run(args: &ReportArgs) -> Result<Exit> {
    let report = read(&args.file)?;
    show(&report, &args.show)?;
    Ok(Exit::Clean)
}

/// Writes a report wherever it is wanted.
pub(super) fn show(report: &Report, args: &ShowArgs) -> Result<()> {
    let look = Look { color: args.color, verbose: args.verbose };
    sink::targets(&args.output, args.format).iter().try_for_each(|target| target.write(report, look))
}
