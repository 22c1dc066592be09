//! Reviews as people read them: within the terminal's width, aligned, sorted as they come.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use crate::{
    inventory::{Code, DueReview, Problem, Review, Scheduled, State, Trigger, Unread},
    output::{ALARM, FRAME, Label, PLAIN, Page, STRONG, counted},
};

/// Problems by code, each with what to do; then what could not be looked at, and how much was.
pub(super) fn review(page: &mut Page, review: &Review) {
    let mut by_code: BTreeMap<Code, Vec<&Problem>> = BTreeMap::new();
    for problem in &review.problems {
        by_code.entry(problem.code).or_default().push(problem);
    }
    for (code, problems) in by_code {
        let (title, fix) = code.explained();
        heading(page, code.as_str(), title);
        problems.iter().for_each(|problem| put_problem(page, problem));
        advice(page, fix);
        page.end_line();
    }
    put_unread(page, &review.unread);
    let looked_at = counted(review.secrets as u64, "secret");
    let result = match review.problems.len() {
        0 => "no problem".to_owned(),
        count => counted(count as u64, "problem"),
    };
    summary(
        page,
        &[result, format!("{looked_at} looked at in {}", place(&review.store, &review.environments))],
    );
}

fn heading(page: &mut Page, word: &str, title: &str) {
    page.paragraph(&Label { indent: 0, text: word, width: word.len() + 2, style: ALARM }, STRONG, title);
}

fn put_problem(page: &mut Page, problem: &Problem) {
    for (index, subject) in problem.subjects.iter().enumerate() {
        // What has the same value stands under each other.
        let label = Label {
            indent: 2,
            text: if index == 0 { "" } else { "=" },
            width: 2 * usize::from(index > 0),
            style: FRAME,
        };
        page.paragraph(&label, PLAIN, subject);
    }
    if let Some(detail) = &problem.detail {
        indented(page, 4, detail);
    }
}

fn indented(page: &mut Page, indent: usize, text: &str) {
    page.paragraph(&Label { indent, text: "", width: 0, style: PLAIN }, FRAME, text);
}

fn advice(page: &mut Page, fix: &str) {
    page.paragraph(&Label { indent: 2, text: "→", width: 2, style: FRAME }, PLAIN, fix);
}

fn put_unread(page: &mut Page, unread: &[Unread]) {
    if unread.is_empty() {
        return;
    }
    heading(page, "unread", "what the manager did not show");
    for gap in unread {
        indented_plain(page, 2, &gap.path);
        indented(page, 4, &gap.why);
    }
    page.end_line();
}

fn indented_plain(page: &mut Page, indent: usize, text: &str) {
    page.paragraph(&Label { indent, text: "", width: 0, style: PLAIN }, PLAIN, text);
}

fn place(store: &str, environments: &[String]) -> String {
    format!("{store} ({})", environments.join(", "))
}

/// One line where it fits, else a line for each part.
fn summary(page: &mut Page, parts: &[String]) {
    let line = parts.join(" · ");
    if line.width() <= page.width() {
        page.line(STRONG, &line);
    } else {
        parts.iter().for_each(|part| page.paragraph(&Label::NONE, STRONG, part));
    }
}

/// What a state means, as a heading; what is fine is counted only.
const STATES: &[(State, &str)] = &[
    (State::Overdue, "past their rotation date"),
    (State::Soon, "inside their notice"),
    (State::Unknown, "without a date"),
];

/// What is due by state and by who rotates it, the oldest first.
pub(super) fn schedule(page: &mut Page, review: &DueReview) {
    for (state, title) in STATES {
        for trigger in Trigger::ALL {
            let is_of = |secret: &&Scheduled| secret.state == *state && secret.trigger == *trigger;
            let secrets: Vec<&Scheduled> = review.secrets.iter().filter(is_of).collect();
            if let Some(first) = secrets.first() {
                heading(page, state.as_str(), &format!("{title}, {trigger}"));
                put_scheduled(page, &secrets);
                advice(page, first.fix);
                page.end_line();
            }
        }
    }
    put_unread(page, &review.unread);
    let mut parts: Vec<String> = State::ALL
        .iter()
        .map(|state| (review.count(*state), state))
        .map(|(n, state)| format!("{n} {state}"))
        .collect();
    parts.push(format!("on {} in {}", review.today, place(&review.store, &review.environments)));
    if !review.absent.is_empty() {
        let absent = counted(review.absent.len() as u64, "secret");
        parts.push(format!("{absent} not in the manager: see hekate inventory check"));
    }
    summary(page, &parts);
}

/// Days, date and place in a row each; where a row does not fit, the place in a line of its own.
fn put_scheduled(page: &mut Page, secrets: &[&Scheduled]) {
    let dates: Vec<String> = secrets.iter().map(|secret| dates(secret)).collect();
    let places: Vec<String> =
        secrets.iter().map(|secret| format!("{}:{}", secret.environment, secret.path)).collect();
    let width = dates.iter().map(String::len).max().unwrap_or(0);
    let longest = places.iter().map(|place| place.width()).max().unwrap_or(0);
    let fits = 2 + width + 2 + longest <= page.width();
    for (dates, place) in dates.iter().zip(&places) {
        if width == 0 {
            indented_plain(page, 2, place);
        } else if fits {
            // Days are right-aligned: the number of digits differs, the rest does not.
            page.blanks(2 + width - dates.len());
            page.put(FRAME, dates);
            page.blanks(2);
            page.line(PLAIN, place);
        } else {
            indented_plain(page, 2, place);
            indented(page, 4, dates);
        }
    }
}

/// `117d  2026-08-01`: how many days ago, or from now, and the date. Nothing, where there is none.
fn dates(secret: &Scheduled) -> String {
    match (secret.days_left, secret.due) {
        (Some(days), Some(due)) => format!("{}d  {due}", days.unsigned_abs()),
        _ => String::new(),
    }
}
