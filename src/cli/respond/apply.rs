//! `hekate respond apply` and `hekate respond resume`.

use std::fs;

use anyhow::{Context, Result, bail};

use super::{
    args::{ApplyArgs, ResumeArgs},
    open::{Means, Office},
    person, text,
};
use crate::{
    cli::{Exit, args::Color, sink},
    output::Page,
    respond::{Ended, Incident, Plan, Selection, Standing, known},
};

/// A plan is never so long, in bytes.
const MOST: u64 = 64 << 20;

pub(super) fn run(args: &ApplyArgs) -> Result<Exit> {
    let bytes = read(args)?;
    let office = Office::open(&args.store, args.state.as_deref(), &args.mandate)?;
    let plan = Plan::read(&bytes, &office.plan_key()?)?;
    let selection = Selection {
        environments: args.store.environment.clone(),
        only: args.only.clone(),
        skip: args.skip.clone(),
        most: args.max_changes.unwrap_or(office.options().max_changes),
    };
    let _lock = office.lock()?;
    let means = Means {
        pace: Some(&args.pace.pace),
        is_quiet: args.pace.quiet,
        root: args.root.as_deref(),
        given: None,
        mark: None,
    };
    office.work(&means, |desk| {
        let ended = desk.apply(&plan, &selection)?;
        show(&ended)
    })
}

fn read(args: &ApplyArgs) -> Result<Vec<u8>> {
    let path = &args.plan;
    let length = fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len();
    if length > MOST {
        bail!("read {}: a plan is not longer than {MOST} bytes", path.display());
    }
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

pub(super) fn resume(args: &ResumeArgs) -> Result<Exit> {
    let office = Office::open(&args.store, args.state.as_deref(), &args.mandate)?;
    let _lock = office.lock()?;
    let known = known(office.state(), office.now())?;
    let is_meant = |id: &str| args.id.as_deref().is_none_or(|wanted| wanted == id);
    let incidents: Vec<Incident> = known
        .into_iter()
        .filter(|known| is_meant(&known.incident.id))
        .filter(|known| args.id.is_some() || can_go_on(&known.progress.standing()))
        .map(|known| known.incident)
        .collect();
    if let (Some(id), true) = (&args.id, incidents.is_empty()) {
        bail!("there is no incident {id}; `hekate respond status` lists them");
    }
    let given = person::value(args.ask_value, args.value_fd)?;
    let means = Means {
        pace: Some(&args.pace.pace),
        is_quiet: args.pace.quiet,
        root: args.root.as_deref(),
        given,
        mark: None,
    };
    office.work(&means, |desk| {
        let mut ended = Vec::new();
        for incident in &incidents {
            ended.push(desk.resume(incident, args.done)?);
        }
        show(&ended)
    })
}

/// Whether an incident is one that was stopped on its way, and not one that waits for somebody's word.
fn can_go_on(standing: &Standing) -> bool {
    !matches!(standing, Standing::Open | Standing::Closed(_) | Standing::RolledBack(_))
}

/// What became of each, and the exit of that.
pub(super) fn show(ended: &[Ended]) -> Result<Exit> {
    let mut page = Page::new(&sink::Look { color: Color::Auto, verbose: false }.options(true));
    let lines: Vec<_> = ended
        .iter()
        .map(|ended| (ended.incident.subject.clone(), ended.incident.id.clone(), ended.standing.clone()))
        .collect();
    text::ended(&mut page, &lines);
    sink::print(&page.into_bytes())?;
    let are_all_over = ended.iter().all(Ended::is_over);
    Ok(if are_all_over { Exit::Clean } else { Exit::Findings })
}
