//! Which secrets are past their rotation date, or near it?

use jiff::{Timestamp, ToSpan, civil::Date, tz::Offset};
use serde::{Serialize, Serializer};

use super::{Holdings, Placed, Unread};
use crate::inventory::{Entry, Inventory, Kind, Trigger, words};

words! {
    /// How a secret stands against its rotation date.
    State {
        /// Past it.
        Overdue = "overdue",
        /// Inside its notice.
        Soon = "soon",
        /// The manager does not say when it was written.
        Unknown = "unknown",
        /// Far from it.
        Fine = "fine",
    }
}

/// A secret and its rotation date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// How it stands.
    pub state: State,
    /// Its environment, as the inventory calls it.
    pub environment: String,
    /// Folder and name.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its version in the manager.
    pub version: u64,
    /// The day (UTC) on which that was written.
    #[serde(serialize_with = "day")]
    pub written: Option<Date>,
    /// The day after which it is overdue.
    #[serde(serialize_with = "day")]
    pub due: Option<Date>,
    /// Days until then; less than zero once it is overdue.
    pub days_left: Option<i32>,
    /// How many days a value may live.
    pub every_days: u32,
    /// How many days before that it is told of.
    pub notice_days: u32,
    /// Who starts its rotation.
    pub trigger: Trigger,
    /// What to do.
    pub fix: &'static str,
}

fn day<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueReview {
    /// Names the shape: `hekate.inventory-due/1`.
    pub schema: &'static str,
    /// The inventory's project.
    pub project: String,
    /// Which manager.
    pub store: String,
    /// Environments that were looked at.
    pub environments: Vec<String>,
    /// The day that counted as today.
    #[serde(serialize_with = "shown")]
    pub today: Date,
    /// Every secret of the inventory that the manager has: by state, then by due date and place.
    pub secrets: Vec<Scheduled>,
    /// Places of the inventory that the manager has nothing for.
    pub absent: Vec<String>,
    /// What could not be looked at.
    pub unread: Vec<Unread>,
}

fn shown<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

impl DueReview {
    /// How many secrets stand so.
    pub fn count(&self, state: State) -> usize {
        self.secrets.iter().filter(|secret| secret.state == state).count()
    }
}

/// What to do, by who starts the rotation.
const FIXES: &[(Trigger, &str)] = &[
    (Trigger::Automated, "rotate it: `hekate respond plan --due`, then `hekate respond apply`"),
    (Trigger::Manual, "start its rotation: `hekate respond plan --secret ENV:/folder/NAME`"),
    (
        Trigger::BlueGreen,
        "start its rotation: `hekate respond plan --due`; old and new key are both accepted for the grace time",
    ),
];
const UNDATED: &str = "the manager gives no date: rotate it once, or read its history there";
const NOTHING: &str = "nothing to do";

/// Holds each secret's last write against its rotation period.
pub fn due(inventory: &Inventory, holdings: &Holdings, today: Date) -> DueReview {
    let mut secrets = Vec::new();
    let mut absent = Vec::new();
    for held in &holdings.environments {
        for entry in inventory.entries.iter().filter(|entry| entry.is_in(&held.name)) {
            match held.find(&entry.folder, &entry.name) {
                Some(placed) => secrets.push(schedule(entry, placed, today)),
                None if held.absent.is_some() || held.is_hidden(&entry.path()) => {}
                None => absent.push(format!("{}:{}", held.name, entry.path())),
            }
        }
    }
    secrets.sort_by(|one, two| order(one).cmp(&order(two)));
    DueReview {
        schema: "hekate.inventory-due/1",
        project: inventory.project.clone(),
        store: holdings.store.clone(),
        environments: holdings.environments.iter().map(|held| held.name.clone()).collect(),
        today,
        secrets,
        absent,
        unread: holdings.unread_or_absent(),
    }
}

fn order(secret: &Scheduled) -> (State, Option<Date>, &str, &str) {
    (secret.state, secret.due, &secret.environment, &secret.path)
}

fn schedule(entry: &Entry, placed: Placed<'_>, today: Date) -> Scheduled {
    let rotation = entry.rotation;
    let (every, notice) = (rotation.every.whole_days(), rotation.notice.whole_days());
    let written = placed.stored.written.and_then(day_of);
    let due = written.and_then(|written| written.checked_add(i64::from(every).days()).ok());
    let days_left = due.and_then(|due| today.until(due).ok()).map(|span| span.get_days());
    let state = match days_left {
        None => State::Unknown,
        Some(days) if days < 0 => State::Overdue,
        Some(days) if days <= i32::try_from(notice).unwrap_or(i32::MAX) => State::Soon,
        Some(_) => State::Fine,
    };
    let by_trigger =
        FIXES.iter().find(|(trigger, _)| *trigger == rotation.trigger).map_or(NOTHING, |(_, fix)| fix);
    let fix = match state {
        State::Overdue | State::Soon => by_trigger,
        State::Unknown => UNDATED,
        State::Fine => NOTHING,
    };
    Scheduled {
        state,
        environment: placed.environment.to_owned(),
        path: entry.path(),
        kind: entry.kind,
        version: placed.stored.version,
        written,
        due,
        days_left,
        every_days: every,
        notice_days: notice,
        trigger: rotation.trigger,
        fix,
    }
}

/// The day (UTC) of a time in seconds since 1970; `None` for a time that no calendar has.
fn day_of(seconds: i64) -> Option<Date> {
    Some(Offset::UTC.to_datetime(Timestamp::from_second(seconds).ok()?).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::review::fake::{FakeStore, inventory};

    const DAY: i64 = 86_400;
    /// 2026-11-24.
    const WRITTEN: i64 = 1_795_478_400;

    fn due_on(written: Option<i64>, today: &str) -> Scheduled {
        let inventory = inventory(
            "project: p\nenvironments: [production]\nfolders: {infrastructure: [POSTGRES_PASSWORD]}\n",
        );
        let mut store = FakeStore::default();
        store.put("production", "/infrastructure", "POSTGRES_PASSWORD", "x");
        store.date("production", "/infrastructure", "POSTGRES_PASSWORD", written);
        let holdings = Holdings::read(&store, &inventory, &[]).unwrap();
        let mut review = due(&inventory, &holdings, today.parse().unwrap());
        review.secrets.remove(0)
    }

    #[test]
    fn a_secret_is_overdue_on_the_day_after_its_date_and_soon_inside_its_notice() {
        for (today, state, days) in [
            ("2026-11-24", State::Fine, 90),
            ("2027-02-14", State::Fine, 8),
            ("2027-02-15", State::Soon, 7),
            ("2027-02-22", State::Soon, 0),
            ("2027-02-23", State::Overdue, -1),
        ] {
            let secret = due_on(Some(WRITTEN + DAY - 1), today);
            assert_eq!((secret.state, secret.days_left), (state, Some(days)), "{today}");
            assert_eq!(secret.due.map(|due| due.to_string()).as_deref(), Some("2027-02-22"));
        }
    }

    #[test]
    fn a_date_that_is_not_there_or_can_not_be_is_unknown() {
        for written in [None, Some(i64::MAX), Some(i64::MIN)] {
            assert_eq!(due_on(written, "2026-11-24").state, State::Unknown, "{written:?}");
        }
    }
}
