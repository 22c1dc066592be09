//! `hekate respond plan`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::{Timestamp, tz::Offset};

use super::{
    args::{MandateArgs, PlanArgs},
    open::{Means, Office},
    text,
};
use crate::{
    cli::{
        Exit,
        args::{Color, ListFormat},
        report, sink,
    },
    model::Report,
    output::{Page, escape_json},
    respond::{Desk, Draft, DraftDesk, Incident, Plan},
};

pub(super) fn run(args: &PlanArgs) -> Result<Exit> {
    let ways = [args.report.is_some(), !args.secret.is_empty(), args.due];
    if ways.iter().filter(|given| **given).count() != 1 {
        bail!("say what to plan for: a report, or --secret ENV:/folder/NAME, or --due");
    }
    let report = args.report.as_deref().map(report::read).transpose()?;
    let office = Office::open(&args.store, args.state.as_deref(), &MandateArgs::default())?;
    office.work(&Means::default(), |desk| {
        let draft = draft(args, report.as_ref(), desk)?;
        let wished = |incident| Incident { contain: args.contain, at_once: args.at_once, ..incident };
        let draft = Draft { incidents: draft.incidents.into_iter().map(wished).collect(), ..draft };
        let plan = Plan::new(draft, &desk.tools, &office.plan_key()?);
        desk.open(&plan)?;
        if let Some(path) = &args.output {
            write(&plan, path)?;
        }
        show(&plan, args.format, args.color)?;
        Ok(Exit::Clean)
    })
}

/// Writes a plan where only its owner can read it.
pub(super) fn write(plan: &Plan, path: &Path) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(plan).context("write the plan as JSON")?;
    bytes.push(b'\n');
    sink::write_private(path, &bytes).with_context(|| format!("write {}", path.display()))
}

fn draft(args: &PlanArgs, report: Option<&Report>, desk: &Desk<'_>) -> Result<Draft> {
    let tools = &desk.tools;
    let drafts = DraftDesk { store: tools.store, inventory: tools.inventory, now: tools.clock.now() };
    if let Some(report) = report {
        return Ok(drafts.of_report(report)?);
    }
    if args.due {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        return Ok(drafts.of_schedule(&args.store.environment, today)?);
    }
    let mut all = Draft::default();
    for name in &args.secret {
        all.join(drafts.of_name(name).context("--secret")?);
    }
    Ok(all)
}

pub(super) fn show(plan: &Plan, format: ListFormat, color: Color) -> Result<()> {
    match format {
        ListFormat::Json => {
            let mut json = serde_json::to_string_pretty(plan).context("write the plan as JSON")?;
            json.push('\n');
            sink::print(escape_json(json).as_bytes())
        }
        ListFormat::Human => {
            let mut page = Page::new(&sink::Look { color, verbose: false }.options(true));
            text::plan(&mut page, plan);
            sink::print(&page.into_bytes())
        }
    }
}
