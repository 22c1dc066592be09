//! The command line of `hekate respond` and `hekate emergency`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::{Color, ListFormat, StateArgs, StoreArgs, WaitArgs};

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0  planned, or all done
  1  not all done: something failed, waits, or missed its clock
  2  wrong use, or refused: nothing was changed";

#[derive(Debug, Args)]
pub(in crate::cli) struct RespondArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: RespondCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RespondCommand {
    /// Show what would be done about confirmed findings, secrets by name, or what is due; nothing is changed
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Carry a plan out: giving it here is the approval
    #[command(after_help = EXIT_CODES)]
    Apply(ApplyArgs),
    /// Go on with what stopped: after a crash, a failure, a wait
    #[command(after_help = EXIT_CODES)]
    Resume(ResumeArgs),
    /// Incidents, and how they stand against their clocks: contained within 15 minutes, rotated within 1 hour
    #[command(after_help = EXIT_CODES)]
    Status(StatusArgs),
    /// All of one incident: exposure, timeline, what is left for a person
    #[command(after_help = EXIT_CODES)]
    Report(IncidentReportArgs),
    /// Close an incident that needs no response, or that a person took care of
    #[command(after_help = EXIT_CODES)]
    Close(CloseArgs),
}

/// On whose behalf.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct MandateArgs {
    /// The role of the inventory's policies that you act in [default: `role` in `[respond]` of trusted config]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) role: Option<String>,
    /// The id that people know the matter by
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) incident: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// A report written with --format json; "-" is standard input
    #[arg(value_name = "REPORT")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Plan for this secret, leaked or not (repeatable)
    #[arg(long, value_name = "ENV:/folder/NAME")]
    pub(in crate::cli) secret: Vec<String>,
    /// Plan for what is past its rotation date, or inside its notice
    #[arg(long)]
    pub(in crate::cli) due: bool,
    /// Switch accounts off until their new value is in force: nobody gets in meanwhile
    #[arg(long)]
    pub(in crate::cli) contain: bool,
    /// Drop old signing keys at once, with all tokens that they signed
    #[arg(long)]
    pub(in crate::cli) at_once: bool,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArgs,
    /// Journal, audit log and locks [default: `[respond]` of trusted config, else hekate in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Where the plan goes; without, it is only shown
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Text for people, or the plan as JSON
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(in crate::cli) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(in crate::cli) color: Color,
}

/// How a run goes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PaceArgs {
    #[command(flatten)]
    pub(in crate::cli) pace: WaitArgs,
    /// Nothing but errors on standard error
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// The plan, as `hekate respond plan -o` wrote it
    #[arg(value_name = "PLAN")]
    pub(in crate::cli) plan: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArgs,
    #[command(flatten)]
    pub(in crate::cli) mandate: MandateArgs,
    /// Only this one of the plan, by id or name (repeatable)
    #[arg(long, value_name = "ID|NAME")]
    pub(in crate::cli) only: Vec<String>,
    /// Not this one (repeatable)
    #[arg(long, value_name = "ID|NAME")]
    pub(in crate::cli) skip: Vec<String>,
    /// How many secrets may be changed [default: 5]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max_changes: Option<usize>,
    /// Journal, audit log and locks [default: `[respond]` of trusted config, else hekate in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) pace: PaceArgs,
    /// The repository or folder of findings whose values the manager does not hold [default: the report's]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) root: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ResumeArgs {
    /// The incident's id; without, all that can go on
    #[arg(value_name = "INCIDENT")]
    pub(in crate::cli) id: Option<String>,
    /// What a person was asked to do is done
    #[arg(long, requires = "id")]
    pub(in crate::cli) done: bool,
    /// The new value that was made at the provider: ask for it, without echo
    #[arg(long, requires = "id", conflicts_with = "value_fd")]
    pub(in crate::cli) ask_value: bool,
    /// The same, read from this file descriptor: `3<new-value.txt`, or 0 for standard input
    #[arg(long, value_name = "N", requires = "id")]
    pub(in crate::cli) value_fd: Option<i32>,
    #[command(flatten)]
    pub(in crate::cli) store: StoreArgs,
    #[command(flatten)]
    pub(in crate::cli) mandate: MandateArgs,
    /// Journal, audit log and locks [default: `[respond]` of trusted config, else hekate in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) pace: PaceArgs,
    /// The repository or folder of findings whose values the manager does not hold [default: the report's]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) root: Option<PathBuf>,
}

/// Where incidents lie, and how they are shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct LookArgs {
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
    /// Text for people, or JSON
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    pub(in crate::cli) format: ListFormat,
    /// When to use colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(in crate::cli) color: Color,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    /// Those that are over, too
    #[arg(long)]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) look: LookArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct IncidentReportArgs {
    /// The incident's id, or the one that people know it by
    #[arg(value_name = "INCIDENT")]
    pub(in crate::cli) id: String,
    #[command(flatten)]
    pub(in crate::cli) look: LookArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CloseArgs {
    /// The incident's id
    #[arg(value_name = "INCIDENT")]
    pub(in crate::cli) id: String,
    /// Why it is over
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct EmergencyArgs {
    #[command(flatten)]
    pub(in crate::cli) store: StoreArgs,
    #[command(flatten)]
    pub(in crate::cli) mandate: MandateArgs,
    /// Who confirms, where no second person types CONFIRM at the terminal: not who starts it
    #[arg(long, value_name = "NAME", requires = "confirm")]
    pub(in crate::cli) approved_by: Option<String>,
    /// The word CONFIRM, by that person
    #[arg(long, value_name = "CONFIRM", requires = "approved_by")]
    pub(in crate::cli) confirm: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Journal, audit log and locks [default: `[respond]` of trusted config, else hekate in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) pace: PaceArgs,
}
