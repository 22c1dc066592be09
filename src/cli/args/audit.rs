//! `hekate audit`: its shape.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Color, ListFormat};
use crate::{
    inventory::PathPattern,
    respond::audit::{Action, EventType, ExportFormat, Receipt},
};

const VERIFY_HELP: &str = "\
The log is compared with itself, with head.json, and with a receipt from a notification, COUNT:HEAD: who can write to the folder could cut off \
the end of the log and put an older head.json beside it, and only a receipt shows that.

The key is that of HEKATE_KEY or HEKATE_KEY_FILE, else this machine's own in the state folder.

Exit codes:
  0  intact
  1  broken: what is wrong, and where
  2  wrong use, or no log";

const READ_HELP: &str = "\
Times are 2026-11-24 (its first second, UTC), 2026-11-24T01:02:03Z, yesterday, 2.weeks or \"2 weeks ago\".

Entries are shown as they stand in the files; whether they are as they were written, is checked, too, and said on standard error.

Exit codes:
  0  shown
  2  wrong use, or no log
  3  some lines could not be read";

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Show what was done: each secret that was read, verified, revoked or rotated, by whom, and how it went
    #[command(after_help = READ_HELP)]
    List(AuditListArgs),
    /// Write entries out for other programs
    #[command(after_help = READ_HELP)]
    Export(AuditExportArgs),
    /// Find out whether the log is as it was written: nothing changed, cut, put in or moved
    #[command(after_help = VERIFY_HELP)]
    Verify(AuditVerifyArgs),
}

/// Where the log lies.
#[derive(Debug, Args)]
pub(in crate::cli) struct StateArgs {
    /// The state folder; the log is in `audit` below it [default: `state` in \[respond\] of trusted config, else hekate in $XDG_STATE_HOME,
    /// else in ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Read this hekate.toml as trusted config [default: hekate/hekate.toml in $XDG_CONFIG_HOME, else in ~/.config]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// Which entries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which entries")]
pub(in crate::cli) struct AuditFilterArgs {
    /// With this action, secret.read say (repeatable)
    #[arg(long, value_name = "ACTION")]
    pub(in crate::cli) action: Vec<Action>,
    /// Of this type, rotation say (repeatable)
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    pub(in crate::cli) event_type: Vec<EventType>,
    /// About this environment
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) environment: Option<String>,
    /// From then on
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<String>,
    /// Before then
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<String>,
    /// About secrets of this folder and name: /infrastructure/POSTGRES_*, or /infrastructure/* for all below
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) path: Option<PathPattern>,
    /// Of this incident
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) incident: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditListArgs {
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
    #[command(flatten)]
    pub(in crate::cli) filter: AuditFilterArgs,
    /// Text for people, or JSON
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(in crate::cli) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(in crate::cli) color: Color,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditExportArgs {
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
    #[command(flatten)]
    pub(in crate::cli) filter: AuditFilterArgs,
    /// As what
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(in crate::cli) format: ExportArg,
    /// Write to this file, readable by you alone, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportArg {
    /// An array of all entries.
    Json,
    /// A header and a row each.
    Csv,
}

impl From<ExportArg> for ExportFormat {
    fn from(arg: ExportArg) -> Self {
        match arg {
            ExportArg::Json => Self::Json,
            ExportArg::Csv => Self::Csv,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditVerifyArgs {
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
    /// The log has to hold what this receipt of a notification says
    #[arg(long, value_name = "COUNT:HEAD")]
    pub(in crate::cli) expect: Option<Receipt>,
    /// Text for people, or JSON
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(in crate::cli) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(in crate::cli) color: Color,
}

fn parse_type(text: &str) -> Result<EventType, String> {
    let known = || EventType::ALL.iter().map(|known| known.as_str());
    let found = EventType::ALL.iter().find(|known| known.as_str() == text);
    found.copied().ok_or_else(|| format!("none of {}", known().collect::<Vec<_>>().join(", ")))
}
