//! Plans, incidents and reports as people read them.

use crate::{
    output::{ALARM, FRAME, Label, PLAIN, Page, STRONG, counted},
    respond::{
        Clock, Clocks, Emergency, Event, Found, Incident, Known, Plan, Planned, PlannedStep, Record,
        Standing, Subject,
    },
};

/// What would be done, step by step.
pub(super) fn plan(page: &mut Page, plan: &Plan) {
    for planned in &plan.incidents {
        put_planned(page, planned);
        page.end_line();
    }
    if !plan.passed_over.is_empty() {
        heading(page, "not planned", "nothing is done about these");
        for passed in &plan.passed_over {
            line(page, 2, &passed.what);
            faint(page, 4, &passed.why);
        }
        page.end_line();
    }
    let environments: Vec<String> = plan
        .environments()
        .iter()
        .map(|(environment, count)| format!("{count} in {}", place(environment)))
        .collect();
    let count = counted(plan.incidents.len() as u64, "incident");
    let summary =
        if environments.is_empty() { count } else { format!("{count}: {}", environments.join(", ")) };
    page.paragraph(&Label::NONE, STRONG, &format!("{summary} · {}", plan.store));
}

/// An environment in words: secrets that no manager holds are in none.
fn place(environment: &str) -> &str {
    if environment == "-" { "no manager" } else { environment }
}

fn put_planned(page: &mut Page, planned: &Planned) {
    let incident = &planned.incident;
    heading(page, &incident.id, &incident.subject.to_string());
    pair(page, "reason", &reason(incident));
    put_found(page, incident.found.as_ref());
    pair(page, "playbook", &planned.playbook);
    pair(page, "target", planned.target.as_deref().unwrap_or("none in the inventory"));
    if !planned.consumers.is_empty() {
        pair(page, "affects", &planned.consumers.join(", "));
    }
    for (index, step) in planned.steps.iter().enumerate() {
        put_step(page, index + 1, step);
    }
    for remark in &planned.remarks {
        page.paragraph(&Label { indent: 2, text: "→", width: 2, style: FRAME }, PLAIN, remark);
    }
}

fn put_step(page: &mut Page, number: usize, step: &PlannedStep) {
    let number = format!("{number:>2}");
    let text = format!("{}: {}", step.step, step.says);
    page.paragraph(&Label { indent: 2, text: &number, width: 4, style: FRAME }, PLAIN, &text);
    step.requests.iter().for_each(|request| faint(page, 6, request));
    if let Some(undo) = &step.undo {
        faint(page, 6, &format!("undo: {undo}"));
    }
    if step.no_return {
        page.paragraph(
            &Label { indent: 2, text: "──", width: 4, style: ALARM },
            ALARM,
            "no way back from here: what follows is finished",
        );
    }
}

fn reason(incident: &Incident) -> String {
    let detected = timestamp(incident.detected);
    format!("{}, known since {detected}", incident.reason.as_str())
}

fn put_found(page: &mut Page, found: Option<&Found>) {
    let Some(found) = found else { return };
    pair(page, "verdict", &found.verdict.to_string());
    let more = found.count.saturating_sub(found.places.len());
    let more = if more > 0 { format!(" and {}", counted(more as u64, "more place")) } else { String::new() };
    let exposure =
        format!("{}: found by {} at {}{more}", found.exposure.as_str(), found.rule, found.places.join(", "));
    pair(page, "exposure", &exposure);
}

/// Incidents and their clocks.
pub(super) fn status(page: &mut Page, all: &[&Known]) {
    for known in all {
        let Known { incident, progress, clocks } = known;
        heading(page, &incident.id, &incident.subject.to_string());
        pair(page, "state", &progress.standing().to_string());
        if let Some(clocks) = clocks {
            pair(page, "clocks", &clock_line(*clocks));
        }
        page.end_line();
    }
    let missed = all.iter().filter(|known| known.clocks.is_some_and(Clocks::is_missed)).count();
    let open = all.iter().filter(|known| known.progress.closed.is_none()).count();
    let summary =
        format!("{} · {open} open · {missed} missed a clock", counted(all.len() as u64, "incident"));
    page.paragraph(&Label::NONE, STRONG, &summary);
}

fn clock_line(clocks: Clocks) -> String {
    format!("contained: {}; rotated: {}", clock(clocks.contained), clock(clocks.rotated))
}

fn clock(clock: Clock) -> String {
    match clock {
        Clock::Met(seconds) => format!("after {}", span(seconds)),
        Clock::Left(seconds) => format!("{} left", span(seconds)),
        Clock::Missed(seconds) => format!("missed by {}", span(seconds)),
    }
}

/// One incident from its detection to its end.
pub(super) fn report(page: &mut Page, known: &Known, records: &[Record], todo: &[String]) {
    let Known { incident, progress, clocks } = known;
    heading(page, &incident.id, &incident.subject.to_string());
    pair(page, "reason", &reason(incident));
    put_found(page, incident.found.as_ref());
    pair(page, "state", &progress.standing().to_string());
    if let Some(clocks) = clocks {
        pair(page, "clocks", &clock_line(*clocks));
    }
    page.end_line();
    heading(page, "timeline", "all times UTC");
    for (index, record) in records.iter().enumerate() {
        if !tells(record, records.get(index + 1)) {
            continue;
        }
        let at = timestamp(record.at);
        page.paragraph(
            &Label { indent: 2, text: &at, width: at.len() + 2, style: FRAME },
            PLAIN,
            &happened(&record.event),
        );
    }
    page.end_line();
    if !todo.is_empty() {
        heading(page, "left", "for a person");
        for line in todo {
            page.paragraph(&Label { indent: 2, text: "→", width: 2, style: FRAME }, PLAIN, line);
        }
        page.end_line();
    }
}

/// Whether a line is more than what the next one says: that a step was begun is, where nothing tells of its end.
fn tells(record: &Record, next: Option<&Record>) -> bool {
    let Event::Begun { step } = &record.event else { return true };
    let end = next.and_then(|next| match &next.event {
        Event::Done { step, .. } | Event::Failed { step, .. } | Event::Waiting { step, .. } => Some(step),
        _ => None,
    });
    end != Some(step)
}

fn happened(event: &Event) -> String {
    match event {
        Event::Opened { by, .. } => format!("planned by {by}"),
        Event::Started { by, role, ticket, reason } => {
            let role = role.as_deref().map(|role| format!(" as {role}")).unwrap_or_default();
            let ticket = ticket.as_deref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("started by {by}{role}{ticket}{reason}")
        }
        Event::Begun { step } => format!("{step} begun"),
        Event::Done { step, notes } if notes.is_empty() => format!("{step} done"),
        Event::Done { step, notes } => format!("{step} done: {}", notes.join("; ")),
        Event::Failed { step, why } => format!("{step} failed: {why}"),
        Event::Waiting { step, wait } => format!("{step} waits {wait}"),
        Event::Confirmed { step, by } => format!("{step} was done by hand, says {by}"),
        Event::Undoing { why } => format!("taking back: {why}"),
        Event::Undone { step } => format!("{step} taken back"),
        Event::RolledBack => "all taken back".into(),
        Event::Reached { mark } => format!("{mark}"),
        Event::Told { what } => format!("people told: {what}"),
        Event::Closed { outcome, note } => format!("end: {outcome} ({note})"),
    }
}

/// What became of each incident of a run.
pub(super) fn ended(page: &mut Page, ended: &[(Subject, String, Standing)]) {
    for (subject, id, now) in ended {
        let style = if matches!(now, Standing::Closed(_)) { STRONG } else { ALARM };
        page.paragraph(
            &Label { indent: 0, text: id, width: id.len() + 2, style },
            PLAIN,
            &format!("{subject}: {now}"),
        );
    }
}

/// What else there is to say after an emergency.
pub(super) fn after_emergency(page: &mut Page, emergency: &Emergency, left: &[String]) {
    for (address, wrong) in &emergency.health {
        match wrong {
            None => pair(page, "healthy", address),
            Some(why) => pair(page, "ill", &format!("{address}: {why}")),
        }
    }
    for line in left {
        page.paragraph(&Label { indent: 2, text: "→", width: 2, style: FRAME }, PLAIN, line);
    }
}

fn heading(page: &mut Page, word: &str, title: &str) {
    page.paragraph(&Label { indent: 0, text: word, width: word.len() + 2, style: ALARM }, STRONG, title);
}

fn pair(page: &mut Page, name: &str, text: &str) {
    page.paragraph(&Label { indent: 2, text: name, width: 10, style: FRAME }, PLAIN, text);
}

fn line(page: &mut Page, indent: usize, text: &str) {
    page.paragraph(&Label { indent, text: "", width: 0, style: PLAIN }, PLAIN, text);
}

fn faint(page: &mut Page, indent: usize, text: &str) {
    page.paragraph(&Label { indent, text: "", width: 0, style: PLAIN }, FRAME, text);
}

/// `2026-11-26T20:51:00Z`.
pub(super) fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_else(|_| format!("@{seconds}"))
}

/// `12 min 3 s`.
fn span(seconds: i64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
