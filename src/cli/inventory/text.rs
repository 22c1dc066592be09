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
    let counts: Vec<String> =
        State::ALL.iter().map(|state| format!("{} {state}", review.count(*state))).collect();
    let mut parts = vec![counts.join(", ")];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::Kind, output::RenderOptions};

    fn page(width: usize, put: impl Fn(&mut Page)) -> String {
        let mut page = Page::new(&RenderOptions { width, ..RenderOptions::default() });
        put(&mut page);
        String::from_utf8(page.into_bytes()).unwrap()
    }

    fn scheduled(state: State, path: &str, days: Option<i32>) -> Scheduled {
        let due = days.map(|_| "2026-11-30".parse().unwrap());
        Scheduled {
            state,
            environment: "production".into(),
            path: path.into(),
            kind: Kind::DatabasePassword,
            version: 3,
            written: None,
            due,
            days_left: days,
            every_days: 90,
            notice_days: 7,
            trigger: Trigger::Automated,
            fix: "rotate it: the value in the service first, then in the manager",
        }
    }

    fn due_review() -> DueReview {
        DueReview {
            schema: "hekate.inventory-due/1",
            project: "kosmos".into(),
            store: "dir:store".into(),
            environments: vec!["production".into()],
            today: "2026-11-26".parse().unwrap(),
            secrets: vec![
                scheduled(State::Overdue, "/infrastructure/POSTGRES_REPLICATION_PASSWORD", Some(-117)),
                scheduled(State::Overdue, "/infrastructure/A", Some(-2)),
                scheduled(State::Unknown, "/infrastructure/B", None),
            ],
            absent: vec!["production:/a/X".into()],
            unread: vec![Unread { path: "production:/b".into(), why: "no permission".into() }],
        }
    }

    #[test]
    fn dates_stand_in_a_row_where_they_fit_and_beneath_where_not() {
        let wide = page(80, |page| schedule(page, &due_review()));
        insta::assert_snapshot!(wide, @"
        overdue  past their rotation date, automated
          117d  2026-11-30  production:/infrastructure/POSTGRES_REPLICATION_PASSWORD
            2d  2026-11-30  production:/infrastructure/A
          → rotate it: the value in the service first, then in the manager

        unknown  without a date, automated
          production:/infrastructure/B
          → rotate it: the value in the service first, then in the manager

        unread  what the manager did not show
          production:/b
            no permission

        2 overdue, 0 soon, 1 unknown, 0 fine
        on 2026-11-26 in dir:store (production)
        1 secret not in the manager: see hekate inventory check
        ");
        assert!(wide.lines().all(|line| line.width() <= 80));
        insta::assert_snapshot!(page(50, |page| schedule(page, &due_review())), @"
        overdue  past their rotation date, automated
          production:/infrastructure/POSTGRES_REPLICATION_PASSWORD
            117d  2026-11-30
          production:/infrastructure/A
            2d  2026-11-30
          → rotate it: the value in the service first,
            then in the manager

        unknown  without a date, automated
          production:/infrastructure/B
          → rotate it: the value in the service first,
            then in the manager

        unread  what the manager did not show
          production:/b
            no permission

        2 overdue, 0 soon, 1 unknown, 0 fine
        on 2026-11-26 in dir:store (production)
        1 secret not in the manager: see hekate inventory
        check
        ");
    }

    #[test]
    fn problems_are_told_within_the_width_but_for_words_that_are_longer() {
        let problem = |code, subjects: &[&str], detail: Option<&str>| Problem {
            code,
            subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
            detail: detail.map(str::to_owned),
        };
        let found = Review {
            schema: "hekate.inventory-review/1",
            project: "kosmos".into(),
            store: "dir:store".into(),
            environments: vec!["development".into(), "production".into()],
            secrets: 36,
            problems: vec![
                problem(Code::Missing, &["production:/a/X"], None),
                problem(Code::DevelopmentValue, &["development:/a/X", "production:/a/X"], None),
                problem(Code::PolicyTooWide, &["policy ops"], Some("write on /*")),
            ],
            unread: Vec::new(),
        };
        let narrow = page(40, |page| review(page, &found));
        insta::assert_snapshot!(narrow, @"
        missing  in the inventory, not in the
                 manager
          production:/a/X
          → store a value there, or take the
            name out of the inventory

        development-value  one value in
                           development and
                           elsewhere
          development:/a/X
          = production:/a/X
          → rotate it outside of development:
            who reads that environment knows the
            others

        policy-too-wide  a role that may change
                         everything
          policy ops
            write on /*
          → name the folders that it works on,
            or take write, delete and admin away

        3 problems
        36 secrets looked at in dir:store
        (development, production)
        ");
        assert!(narrow.lines().all(|line| line.width() <= 40));
    }
}
