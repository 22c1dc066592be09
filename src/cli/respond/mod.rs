//! `hekate respond`: plan, apply, resume, status, report, close.

pub(super) mod args;
mod apply;
mod open;
mod person;
mod plan;
mod status;
mod text;

use anyhow::Result;

use self::args::{RespondArgs, RespondCommand};
use super::Exit;

pub(super) fn run(args: &RespondArgs) -> Result<Exit> {
    match &args.command {
        RespondCommand::Plan(args) => plan::run(args),
        RespondCommand::Apply(args) => apply::run(args),
        RespondCommand::Resume(args) => apply::resume(args),
        RespondCommand::Status(args) => status::run(args),
        RespondCommand::Report(args) => status::report(args),
        RespondCommand::Close(args) => status::close(args),
    }
}
