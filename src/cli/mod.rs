//! The command line: arguments become options, reports become bytes on stdout or in files, results become exit codes.
//!
//! The only room that prints, and the only one that knows clap. Each command is a file with one `run`.

mod args;
#[cfg(feature = "network")]
mod audit;
mod baseline;
mod confirm;
mod exit;
mod explain;
mod history;
mod hook;
mod init;
mod inventory;
mod progress;
#[cfg(feature = "network")]
mod recorded;
mod report;
#[cfg(feature = "network")]
mod respond;
mod rules;
mod scan;
mod since;
mod sink;
mod staged;
#[cfg(feature = "network")]
mod verify;

use clap::Parser;

pub use exit::Exit;

use args::{Cli, Command};

/// Runs the command that the process was called with.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    let result = match cli.command {
        Command::Scan(args) => scan::run(&args),
        Command::Staged(args) => staged::run(&args),
        Command::History(args) => history::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Hook(args) => hook::run(&args),
        Command::Inventory(args) => inventory::run(&args),
        #[cfg(feature = "network")]
        Command::Verify(args) => verify::run(&args),
        #[cfg(feature = "network")]
        Command::Respond(args) => respond::run(&args),
        #[cfg(feature = "network")]
        Command::Emergency(args) => respond::emergency::run(&args),
        #[cfg(feature = "network")]
        Command::Audit(args) => audit::run(&args),
        Command::Init(args) => init::run(&args),
    };
    result.unwrap_or_else(|error| exit::of_error(&error))
}
