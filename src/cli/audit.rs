//! `hekate audit list|export|verify`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::{
    Exit,
    args::{
        AuditArgs, AuditCommand, AuditExportArgs, AuditFilterArgs, AuditListArgs, AuditVerifyArgs, Color,
        ListFormat, StateArgs,
    },
    since,
    sink::{self, Look},
};
use crate::{
    config::{Trusted, kept_audit_key, state_folder},
    output::{ALARM, FRAME, Label, PLAIN, Page, STRONG, counted, escape_json},
    respond::{
        State,
        audit::{Entry, ExportFormat, Filter, Listed, Outcome, Verification, export, list, verify},
    },
};

pub(super) fn run(args: &AuditArgs) -> Result<Exit> {
    match &args.command {
        AuditCommand::List(args) => show(args),
        AuditCommand::Export(args) => write_out(args),
        AuditCommand::Verify(args) => check(args),
    }
}

fn show(args: &AuditListArgs) -> Result<Exit> {
    let listed = read(&args.state, &args.filter)?;
    let bytes = match args.format {
        ListFormat::Json => export(&listed.entries, ExportFormat::Json)?,
        ListFormat::Human => {
            let mut page = page(args.color);
            listed.entries.iter().for_each(|entry| put_entry(&mut page, entry));
            page.line(STRONG, &counted(listed.entries.len() as u64, "event"));
            page.into_bytes()
        }
    };
    sink::print(&bytes)?;
    Ok(of_listed(&listed))
}

fn write_out(args: &AuditExportArgs) -> Result<Exit> {
    let listed = read(&args.state, &args.filter)?;
    let bytes = export(&listed.entries, args.format.into())?;
    match &args.output {
        Some(path) => {
            sink::write_private(path, &bytes).with_context(|| format!("write {}", path.display()))?;
        }
        None => sink::print(&bytes)?,
    }
    Ok(of_listed(&listed))
}

/// Lines that are no entries turn the exit code: something is not shown.
fn of_listed(listed: &Listed) -> Exit {
    if listed.unread.is_empty() { Exit::Clean } else { Exit::Incomplete }
}

fn check(args: &AuditVerifyArgs) -> Result<Exit> {
    let state = open(&args.state)?;
    let found = verify(&state.audit_folder(), &kept_audit_key(&state)?, args.expect.as_ref())?;
    let bytes = match args.format {
        ListFormat::Json => {
            let mut text = serde_json::to_string_pretty(&found).context("write the result as JSON")?;
            text.push('\n');
            escape_json(text).into_bytes()
        }
        ListFormat::Human => {
            let mut page = page(args.color);
            put_verification(&mut page, &found);
            page.into_bytes()
        }
    };
    sink::print(&bytes)?;
    Ok(if found.is_intact() { Exit::Clean } else { Exit::Findings })
}

/// The state folder that is meant. It is not made: there would be nothing in it to look at.
fn open(args: &StateArgs) -> Result<State> {
    let trusted = Trusted::load(args.config.as_deref())?;
    let folder: PathBuf = state_folder(args.state.as_deref(), trusted.respond.state.as_deref())?;
    if !folder.exists() {
        anyhow::bail!("there is no state folder {}, and so no audit log: give --state DIR", folder.display());
    }
    Ok(State::open(folder)?)
}

fn read(state: &StateArgs, args: &AuditFilterArgs) -> Result<Listed> {
    let filter = filter(args)?;
    let state = open(state)?;
    let folder = state.audit_folder();
    let listed = list(&folder, &filter)?;
    for place in &listed.unread {
        sink::warn(&format!("warning: {place} is no entry, and is not shown"));
    }
    let found = verify(&folder, &kept_audit_key(&state)?, None)?;
    if let Some(fault) = found.faults.first() {
        let more = found.fault_count - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        sink::warn(&format!(
            "warning: the log is not as it was written: {fault}{more}; see `hekate audit verify`"
        ));
    }
    Ok(listed)
}

fn filter(args: &AuditFilterArgs) -> Result<Filter> {
    let now = Timestamp::now().as_second();
    let time = |name: &str, text: &Option<String>| -> Result<Option<Timestamp>> {
        let Some(text) = text else { return Ok(None) };
        let seconds = since::time(text, now).with_context(|| name.to_owned())?;
        Ok(Some(
            Timestamp::from_second(seconds).with_context(|| format!("{name}: `{text}` is too far away"))?,
        ))
    };
    Ok(Filter {
        actions: args.action.clone(),
        event_types: args.event_type.clone(),
        environment: args.environment.clone(),
        since: time("--since", &args.since)?,
        until: time("--until", &args.until)?,
        path: args.path.clone(),
        incident: args.incident.clone(),
    })
}

fn page(color: Color) -> Page {
    Page::new(&Look { color, verbose: false }.options(true))
}

/// When, what and how it went; below it who, about what, and what else there is to know.
fn put_entry(page: &mut Page, entry: &Entry) {
    let event = &entry.event;
    let (time, action) = (format!("{:.0}", event.timestamp), event.action.as_str());
    page.put(FRAME, &time);
    // Where it does not fit behind the time, it stands below.
    if time.len() + action.len() + event.result.as_str().len() + 4 > page.width() {
        page.end_line();
    }
    page.blanks(2);
    page.put(STRONG, action);
    page.blanks(2);
    let style = if matches!(event.result, Outcome::Failure | Outcome::Refused) { ALARM } else { PLAIN };
    page.put(style, event.result.as_str());
    page.end_line();
    let user = event.user.as_ref();
    let who = user.map(|user| format!("{}{}", user.id, in_brackets(user.email.as_deref())));
    let secret = event.secret.as_ref().map(|secret| format!("{}:{}", secret.environment, secret.path));
    let head: Vec<String> = who.into_iter().chain(secret).collect();
    indented(page, &head.join(" · "));
    let rest: Vec<String> = event
        .metadata
        .iter()
        .filter(|(name, _)| *name != "client")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !rest.is_empty() {
        indented(page, &rest.join(" "));
    }
}

fn in_brackets(text: Option<&str>) -> String {
    text.map(|text| format!(" <{text}>")).unwrap_or_default()
}

fn indented(page: &mut Page, text: &str) {
    page.paragraph(&Label { indent: 2, text: "", width: 0, style: PLAIN }, PLAIN, text);
}

fn put_verification(page: &mut Page, found: &Verification) {
    for fault in &found.faults {
        page.paragraph(&Label::NONE, ALARM, &fault.to_string());
    }
    let untold = found.fault_count - found.faults.len();
    if untold > 0 {
        page.line(ALARM, &format!("and {untold} more"));
    }
    found.notes.iter().for_each(|note| page.paragraph(&Label::NONE, PLAIN, &format!("note: {note}")));
    let result = if found.is_intact() {
        "intact".to_owned()
    } else {
        format!("broken: {}", counted(found.fault_count as u64, "fault"))
    };
    let size = format!("{} in {}", counted(found.entries, "event"), counted(found.segments as u64, "file"));
    page.paragraph(&Label::NONE, STRONG, &format!("{result} · {size}"));
    if let Some(head) = found.head.as_ref().filter(|_| found.is_intact()) {
        page.paragraph(&Label { indent: 0, text: "receipt", width: 9, style: FRAME }, PLAIN, head);
    }
}
