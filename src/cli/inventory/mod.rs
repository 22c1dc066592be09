//! `hekate inventory pull|check|lint|due`.

pub(super) mod open;
mod pull;
mod text;

use anyhow::{Context, Result};
use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::Serialize;

use self::open::Opened;
use super::{
    Exit,
    args::{InventoryArgs, InventoryCommand, ListFormat, ReviewArgs},
    sink::{self, Look},
};
use crate::{
    inventory::{Holdings, Inventory, Review, State, check, due, lint},
    output::{Page, escape_json},
};

pub(super) fn run(args: &InventoryArgs) -> Result<Exit> {
    match &args.command {
        InventoryCommand::Pull(args) => pull::run(args),
        InventoryCommand::Check(args) => review(args, check),
        InventoryCommand::Lint(args) => review(args, lint),
        InventoryCommand::Due { review, today: day } => schedule(review, day.unwrap_or_else(today)),
    }
}

fn review(args: &ReviewArgs, look: fn(&Inventory, &Holdings) -> Review) -> Result<Exit> {
    let Opened { inventory, holdings } = open::open(&args.store)?;
    let review = look(&inventory, &holdings);
    show(args, &review, |page| text::review(page, &review))?;
    Ok(of_result(!review.problems.is_empty(), !review.unread.is_empty()))
}

fn schedule(args: &ReviewArgs, today: Date) -> Result<Exit> {
    let Opened { inventory, holdings } = open::open(&args.store)?;
    let review = due(&inventory, &holdings, today);
    show(args, &review, |page| text::schedule(page, &review))?;
    Ok(of_result(review.count(State::Overdue) > 0, !review.unread.is_empty()))
}

/// A problem counts before what could not be looked at.
fn of_result(has_problems: bool, is_incomplete: bool) -> Exit {
    match (has_problems, is_incomplete) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Incomplete,
        (false, false) => Exit::Clean,
    }
}

fn show(args: &ReviewArgs, review: &impl Serialize, put: impl FnOnce(&mut Page)) -> Result<()> {
    let bytes = match args.format {
        ListFormat::Json => {
            let mut text = serde_json::to_string_pretty(review).context("write the review as JSON")?;
            text.push('\n');
            escape_json(text).into_bytes()
        }
        ListFormat::Human => {
            let look = Look { color: args.color, verbose: false };
            let mut page = Page::new(&look.options(true));
            put(&mut page);
            page.into_bytes()
        }
    };
    sink::print(&bytes)
}

/// The day it is, UTC.
fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}
