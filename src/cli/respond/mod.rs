//! `hekate respond`: plan, apply, resume, status, report, close.

mod apply;
pub(super) mod args;
pub(super) mod auto;
pub(super) mod emergency;
pub(super) mod open;
mod person;
mod plan;
mod status;
mod text;

use anyhow::Result;

use self::args::{RespondArgs, RespondCommand};
use super::{Exit, exit};

pub(super) fn run(args: &RespondArgs) -> Result<Exit> {
    Ok(carry_out(args).unwrap_or_else(|error| exit::of_response_error(&error)))
}

fn carry_out(args: &RespondArgs) -> Result<Exit> {
    match &args.command {
        RespondCommand::Plan(args) => plan::run(args),
        RespondCommand::Apply(args) => apply::run(args),
        RespondCommand::Resume(args) => apply::resume(args),
        RespondCommand::Status(args) => status::run(args),
        RespondCommand::Report(args) => status::report(args),
        RespondCommand::Close(args) => status::close(args),
    }
}
