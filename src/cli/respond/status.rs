//! `hekate respond status`, `report` and `close`.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;

use super::{
    args::{CloseArgs, IncidentReportArgs, StatusArgs},
    open::StateDesk,
    text,
};
use crate::{
    cli::{
        Exit,
        args::{Color, ListFormat},
        sink,
    },
    output::{Page, escape_json},
    respond::{Clock, Clocks, Journal, Known, Record, dismiss, known, left_for_a_person},
};

pub(super) fn run(args: &StatusArgs) -> Result<Exit> {
    let desk = StateDesk::open(&args.look.state)?;
    let all = known(&desk.state, desk.now())?;
    let shown: Vec<&Known> = all.iter().filter(|known| args.all || known.progress.closed.is_none()).collect();
    match args.look.format {
        ListFormat::Json => print_json(&json!({
            "schema": "hekate.incidents/1",
            "incidents": shown.iter().map(|known| summary(known)).collect::<Vec<_>>(),
        }))?,
        ListFormat::Human => print_page(args.look.color, |page| text::status(page, &shown))?,
    }
    // What is over is told of with --all, and does not alarm for ever.
    let is_missed =
        |known: &&Known| known.progress.closed.is_none() && known.clocks.is_some_and(Clocks::is_missed);
    Ok(if all.iter().any(|known| is_missed(&known)) { Exit::Findings } else { Exit::Clean })
}

fn summary(known: &Known) -> serde_json::Value {
    let clock = |clock: Clock| match clock {
        Clock::Met(seconds) => json!({"state": "met", "seconds": seconds}),
        Clock::Left(seconds) => json!({"state": "running", "seconds": seconds}),
        Clock::Missed(seconds) => json!({"state": "missed", "seconds": seconds}),
    };
    let clocks = known
        .clocks
        .map(|clocks| json!({"contained": clock(clocks.contained), "rotated": clock(clocks.rotated)}));
    json!({
        "incident": known.incident,
        "subject": known.incident.subject.to_string(),
        "state": known.progress.standing().to_string(),
        "closed": known.progress.closed.map(|(outcome, at)| json!({"outcome": outcome, "at": text::timestamp(at)})),
        "contained": known.progress.contained.map(text::timestamp),
        "rotated": known.progress.rotated.map(text::timestamp),
        "clocks": clocks,
    })
}

pub(super) fn report(args: &IncidentReportArgs) -> Result<Exit> {
    let desk = StateDesk::open(&args.look.state)?;
    let found = find(&desk, &args.id)?;
    for (known, records) in &found {
        let todo = left_for_a_person(known);
        match args.look.format {
            ListFormat::Json => print_json(&json!({
                "schema": "hekate.incident/1",
                "summary": summary(known),
                "timeline": records,
                "left": todo,
            }))?,
            ListFormat::Human => {
                print_page(args.look.color, |page| text::report(page, known, records, &todo))?
            }
        }
    }
    Ok(Exit::Clean)
}

/// The incident of an id, or those that people know by it.
fn find(desk: &StateDesk, id: &str) -> Result<Vec<(Known, Vec<Record>)>> {
    let mut found = Vec::new();
    let folder = desk.state.incidents_folder()?;
    for known in known(&desk.state, desk.now())? {
        let records = Journal::read(&folder, &known.incident.id)?.unwrap_or_default();
        if known.incident.id == id || records.iter().any(|record| record.has_ticket(id)) {
            found.push((known, records));
        }
    }
    if found.is_empty() {
        bail!("there is no incident {id}; `hekate respond status --all` lists them");
    }
    Ok(found)
}

pub(super) fn close(args: &CloseArgs) -> Result<Exit> {
    let desk = StateDesk::open(&args.state)?;
    let _lock = desk.state.lock()?;
    let (known, _) = find(&desk, &args.id)?.into_iter().next().context("find the incident")?;
    dismiss(&desk.state, &desk.audit, &desk.mandate, &known, &args.reason)?;
    Ok(Exit::Clean)
}

fn print_json(value: &impl Serialize) -> Result<()> {
    let mut json = serde_json::to_string_pretty(value).context("write it as JSON")?;
    json.push('\n');
    sink::print(escape_json(json).as_bytes())
}

fn print_page(color: Color, put: impl FnOnce(&mut Page)) -> Result<()> {
    let mut page = Page::new(&sink::Look { color, verbose: false }.options(true));
    put(&mut page);
    sink::print(&page.into_bytes())
}
