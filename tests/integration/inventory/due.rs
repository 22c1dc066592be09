//! `hekate inventory due`.

use hekate::store::{DotenvStore, Store};
use jiff::{Timestamp, ToSpan, civil::Date, tz::Offset};

use super::{INVENTORY, inventory, platform};
use crate::harness::{Outcome, Project};

/// The day on which the store was written, and so many days later.
fn day(project: &Project, later: i64) -> Date {
    let store = DotenvStore::open(project.path("store")).expect("open the store");
    let listing = store.list("production").expect("list an environment");
    let written =
        listing.secrets.iter().find_map(|stored| stored.written).expect("it was written by the store");
    let written = Timestamp::from_second(written).expect("a time of this century");
    let day = Offset::UTC.to_datetime(written).date();
    day.checked_add(later.days()).expect("a day of this century")
}

fn due(project: &Project, later: i64, more: &[&str]) -> Outcome {
    let today = day(project, later).to_string();
    inventory(project, "due", &[&["--today", today.as_str()], more].concat())
}

/// Without the dates, which differ from day to day.
fn scrubbed(outcome: &Outcome) -> String {
    let date = regex::Regex::new(r"\b\d{4}-\d\d-\d\d\b").expect("a valid regex");
    date.replace_all(&outcome.stdout, "YYYY-MM-DD").into_owned()
}

#[test]
fn what_is_past_its_date_or_inside_its_notice_is_told_and_only_the_first_fails() {
    let project = platform(INVENTORY);
    insta::assert_snapshot!(scrubbed(&due(&project, 0, &[]).ends(0)), @"0 overdue, 0 soon, 0 unknown, 6 fine · on YYYY-MM-DD in dir:store (development, production)");
    insta::assert_snapshot!(scrubbed(&due(&project, 84, &["--environment", "production"]).ends(0)), @"
    soon  inside their notice, automated
      6d  YYYY-MM-DD  production:/infrastructure/NATS_SYSTEM_PASSWORD
      6d  YYYY-MM-DD  production:/infrastructure/POSTGRES_PASSWORD
      → rotate it: `hekate respond plan --due`, then `hekate respond apply`

    0 overdue, 2 soon, 0 unknown, 1 fine · on YYYY-MM-DD in dir:store (production)
    ");
    insta::assert_snapshot!(scrubbed(&due(&project, 340, &[]).ends(1)), @"
    overdue  past their rotation date, automated
      250d  YYYY-MM-DD  development:/infrastructure/NATS_SYSTEM_PASSWORD
      250d  YYYY-MM-DD  development:/infrastructure/POSTGRES_PASSWORD
      250d  YYYY-MM-DD  production:/infrastructure/NATS_SYSTEM_PASSWORD
      250d  YYYY-MM-DD  production:/infrastructure/POSTGRES_PASSWORD
      → rotate it: `hekate respond plan --due`, then `hekate respond apply`

    soon  inside their notice, manual
      25d  YYYY-MM-DD  development:/authentication/SESSION_SECRET
      25d  YYYY-MM-DD  production:/authentication/SESSION_SECRET
      → start its rotation: `hekate respond plan --secret ENV:/folder/NAME`

    4 overdue, 2 soon, 0 unknown, 0 fine · on YYYY-MM-DD in dir:store (development, production)
    ");
}

#[test]
fn a_value_that_was_edited_by_hand_has_no_date_and_what_is_absent_is_counted() {
    let project = platform(INVENTORY);
    let text = format!("SESSION_SECRET={}\n", super::strong(900));
    project.file("store/production/authentication.env", text);
    std::fs::remove_file(project.path("store/development/infrastructure.env")).expect("remove a file");
    insta::assert_snapshot!(scrubbed(&due(&project, 0, &[]).ends(0)), @"
    unknown  without a date, manual
      production:/authentication/SESSION_SECRET
      → the manager gives no date: rotate it once, or read its history there

    0 overdue, 0 soon, 1 unknown, 3 fine
    on YYYY-MM-DD in dir:store (development, production)
    2 secrets not in the manager: see hekate inventory check
    ");
}

#[test]
fn json_says_of_each_secret_how_it_stands() {
    let project = platform(INVENTORY);
    let outcome = due(&project, 100, &["--format", "json", "--environment", "production"]).ends(1);
    insta::assert_snapshot!(scrubbed(&outcome), @r#"
    {
      "schema": "hekate.inventory-due/1",
      "project": "kosmos",
      "store": "dir:store",
      "environments": [
        "production"
      ],
      "today": "YYYY-MM-DD",
      "secrets": [
        {
          "state": "overdue",
          "environment": "production",
          "path": "/infrastructure/NATS_SYSTEM_PASSWORD",
          "kind": "service-password",
          "version": 1,
          "written": "YYYY-MM-DD",
          "due": "YYYY-MM-DD",
          "days_left": -10,
          "every_days": 90,
          "notice_days": 7,
          "trigger": "automated",
          "fix": "rotate it: `hekate respond plan --due`, then `hekate respond apply`"
        },
        {
          "state": "overdue",
          "environment": "production",
          "path": "/infrastructure/POSTGRES_PASSWORD",
          "kind": "database-password",
          "version": 1,
          "written": "YYYY-MM-DD",
          "due": "YYYY-MM-DD",
          "days_left": -10,
          "every_days": 90,
          "notice_days": 7,
          "trigger": "automated",
          "fix": "rotate it: `hekate respond plan --due`, then `hekate respond apply`"
        },
        {
          "state": "fine",
          "environment": "production",
          "path": "/authentication/SESSION_SECRET",
          "kind": "static",
          "version": 1,
          "written": "YYYY-MM-DD",
          "due": "YYYY-MM-DD",
          "days_left": 265,
          "every_days": 365,
          "notice_days": 30,
          "trigger": "manual",
          "fix": "nothing to do"
        }
      ],
      "absent": [],
      "unread": []
    }
    "#);
}
