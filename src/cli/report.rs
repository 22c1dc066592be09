//! `hekate report`.

use std::{io::Read, path::Path};

use anyhow::{Context, Result};

use super::{
    Exit,
    args::ReportArgs,
    sink::{self, Look},
};
use crate::output::parse_report;

pub(super) fn run(args: &ReportArgs) -> Result<Exit> {
    let mut text = String::new();
    if args.file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).context("read standard input")?;
    } else {
        text =
            std::fs::read_to_string(&args.file).with_context(|| format!("read {}", args.file.display()))?;
    }
    let report = parse_report(text.trim_start_matches('\u{feff}'))
        .with_context(|| format!("read {}", args.file.display()))?;
    let look = Look { color: args.color, verbose: args.verbose };
    for target in sink::targets(&args.output, args.format) {
        target.write(&report, look)?;
    }
    Ok(Exit::Clean)
}
