//! How far an incident is, as its journal tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Incident, Step,
    journal::{Event, Mark, Outcome, Record, Wait},
};

/// What a journal comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// All that is known of the incident, as it was planned last.
    pub incident: Option<Incident>,
    /// Whether it was ever started.
    pub is_started: bool,
    /// Steps that have been taken and not been taken back, with when, in seconds since 1970.
    pub done: BTreeMap<Step, i64>,
    /// Steps that were begun and not taken back: whether done or not, they may have had an effect.
    pub tried: BTreeSet<Step>,
    /// Steps that a person says to have done.
    pub confirmed: BTreeSet<Step>,
    /// The step that waits, and for what.
    pub waiting: Option<(Step, Wait)>,
    /// The step that failed last, and why.
    pub failed: Option<(Step, String)>,
    /// What was done is being taken back, for this reason.
    pub undoing: Option<String>,
    /// It was tried, and all was taken back, for this reason.
    pub rolled_back: Option<String>,
    /// When the old value was first refused or switched off, seconds since 1970.
    pub contained: Option<i64>,
    /// When the new value was in force and proved.
    pub rotated: Option<i64>,
    /// How it ended, and when.
    pub closed: Option<(Outcome, i64)>,
    /// Who was told of what.
    pub told: BTreeSet<String>,
}

/// Where an incident stands, in one word and what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Known, and nothing done.
    Open,
    /// Begun, and neither finished nor stopped: a responder is at it, or died.
    UnderWay,
    /// It waits.
    Waiting(Step, Wait),
    /// A step failed. What was done stays done, and the rest is still to do.
    Failed(Step, String),
    /// What was done is being taken back, or could not be.
    Undoing(String),
    /// All was taken back: the old value is in force.
    RolledBack(String),
    /// Over.
    Closed(Outcome),
}

impl Progress {
    /// Of a journal's lines.
    pub fn of(records: &[Record]) -> Self {
        let mut progress = Self::default();
        records.iter().for_each(|record| progress.take(record));
        progress
    }

    /// Takes one more line in.
    pub(super) fn take(&mut self, record: &Record) {
        match &record.event {
            Event::Opened { incident, .. } => self.open(incident),
            Event::Started { .. } => {
                self.is_started = true;
                self.rolled_back = None;
                self.failed = None;
            }
            Event::Begun { step } => {
                self.tried.insert(*step);
                self.waiting = None;
                self.failed = None;
            }
            Event::Done { step, .. } => {
                self.done.insert(*step, record.at);
            }
            Event::Failed { step, why } => self.failed = Some((*step, why.clone())),
            Event::Waiting { step, wait } => {
                self.waiting = Some((*step, wait.clone()));
                // A word that was given too early counts for nothing later.
                self.confirmed.remove(step);
            }
            Event::Confirmed { step, .. } => {
                self.confirmed.insert(*step);
            }
            Event::Undoing { why } => self.undoing = Some(why.clone()),
            Event::Undone { step } => self.take_back(*step),
            Event::RolledBack => self.roll_back(),
            Event::Reached { mark: Mark::Contained } => self.contained = self.contained.or(Some(record.at)),
            Event::Reached { mark: Mark::Rotated } => self.rotated = self.rotated.or(Some(record.at)),
            Event::Told { what } => {
                self.told.insert(what.clone());
            }
            Event::Closed { outcome, .. } => {
                self.waiting = None;
                self.failed = None;
                self.undoing = None;
                self.closed = Some((*outcome, record.at));
            }
        }
    }

    /// The clock runs from when it was known first. What was over and is planned again starts anew.
    fn open(&mut self, incident: &Incident) {
        if self.closed.is_some() {
            *self = Self { told: BTreeSet::new(), ..Self::default() };
        }
        let known = self.incident.as_ref().map_or(incident.detected, |own| own.detected);
        self.incident = Some(Incident { detected: known.min(incident.detected), ..incident.clone() });
    }

    fn take_back(&mut self, step: Step) {
        self.done.remove(&step);
        self.tried.remove(&step);
        self.confirmed.remove(&step);
        if step == Step::Introduce && !self.done.contains_key(&Step::Contain) {
            self.contained = None;
        }
    }

    fn roll_back(&mut self) {
        // What is contained stays so.
        self.done.retain(|step, _| *step == Step::Contain);
        self.tried = self.done.keys().copied().collect();
        self.contained = self.contained.filter(|_| !self.done.is_empty());
        self.confirmed.clear();
        self.rolled_back = Some(self.undoing.take().unwrap_or_default());
        self.waiting = None;
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        if let Some((outcome, _)) = self.closed {
            return Standing::Closed(outcome);
        }
        if let Some(why) = &self.undoing {
            return Standing::Undoing(why.clone());
        }
        if let Some(why) = &self.rolled_back {
            return Standing::RolledBack(why.clone());
        }
        match (&self.waiting, &self.failed) {
            (Some((step, wait)), _) => Standing::Waiting(*step, wait.clone()),
            (None, Some((step, why))) => Standing::Failed(*step, why.clone()),
            (None, None) if self.is_started => Standing::UnderWay,
            (None, None) => Standing::Open,
        }
    }
}

impl Standing {
    /// Its word, for messages and programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::UnderWay => "under way",
            Self::Waiting(..) => "waiting",
            Self::Failed(..) => "failed",
            Self::Undoing(_) => "being taken back",
            Self::RolledBack(_) => "taken back",
            Self::Closed(Outcome::Rotated) => "rotated",
            Self::Closed(Outcome::Revoked) => "revoked",
            Self::Closed(Outcome::Superseded) => "superseded",
            Self::Closed(Outcome::Dismissed) => "closed",
        }
    }
}

impl fmt::Display for Standing {
    /// Where it stands, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("planned; nothing was done"),
            Self::UnderWay => f.write_str("under way, or broken off: resume it"),
            Self::Waiting(step, wait) => write!(f, "{step} waits {wait}"),
            Self::Failed(step, why) => write!(f, "{step} failed: {why}; resume it once that is mended"),
            Self::Undoing(why) => write!(f, "is being taken back: {why}; resume it"),
            Self::RolledBack(why) => {
                write!(f, "taken back, the old value is in force: {why}; resume it to try again")
            }
            Self::Closed(outcome) => write!(f, "{outcome}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: Vec<Event>) -> Progress {
        let records: Vec<Record> =
            events.into_iter().enumerate().map(|(at, event)| Record { at: at as i64, event }).collect();
        Progress::of(&records)
    }

    fn started() -> Event {
        Event::Started { by: "ada".into(), role: None, ticket: None, reason: None }
    }

    fn done(step: Step) -> [Event; 2] {
        [Event::Begun { step }, Event::Done { step, notes: Vec::new() }]
    }

    #[test]
    fn a_step_that_was_begun_counts_as_tried_and_not_as_done() {
        let progress = after(vec![started(), Event::Begun { step: Step::Introduce }]);
        assert!(progress.tried.contains(&Step::Introduce) && progress.done.is_empty());
        assert_eq!(progress.standing(), Standing::UnderWay);
    }

    #[test]
    fn what_is_taken_back_is_neither() {
        let mut events = vec![started()];
        events.extend(done(Step::Keep));
        events.extend(done(Step::Introduce));
        events.push(Event::Reached { mark: Mark::Contained });
        events.push(Event::Failed { step: Step::Promote, why: "no".into() });
        events.push(Event::Undoing { why: "no".into() });
        assert_eq!(after(events.clone()).standing(), Standing::Undoing("no".into()));
        events.push(Event::Undone { step: Step::Introduce });
        events.push(Event::Undone { step: Step::Keep });
        events.push(Event::RolledBack);
        let progress = after(events);
        assert!(progress.tried.is_empty() && progress.contained.is_none());
        assert_eq!(progress.standing(), Standing::RolledBack("no".into()));
    }

    #[test]
    fn a_containment_outlives_what_is_taken_back() {
        let mut events = vec![started()];
        events.extend(done(Step::Contain));
        events.push(Event::Reached { mark: Mark::Contained });
        events.push(Event::RolledBack);
        let progress = after(events);
        assert!(progress.done.contains_key(&Step::Contain) && progress.contained.is_some());
    }
}
