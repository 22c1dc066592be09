//! Runs: a plan is carried out, what stopped goes on, what is over is closed.

use super::{
    Case, Clocks, Incident, Mandate, Plan, PlanError, Planned, Progress, Refusal, Saga, SagaError, Selection,
    Standing, Step, SystemClock, Time, Tools,
    audit::{self, Action, AuditLog, EventType},
    bulk, guard,
    journal::{Event, Journal, JournalError, Outcome},
    notify::{Message, Notifier},
    state::{State, StateError},
};

/// What became of an incident in a run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Which.
    pub incident: Incident,
    /// Where it stands now.
    pub standing: Standing,
    /// How far it is.
    pub progress: Progress,
}

/// A run that did not come about, or that broke off.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan does not hold.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Our own records can't be kept.
    #[error(transparent)]
    Saga(#[from] SagaError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    /// An incident that can't be acted on.
    #[error("{incident}: {why}")]
    Case {
        /// Which.
        incident: String,
        /// Why, and what to do.
        why: String,
    },
    /// An incident that is not one to go on with.
    #[error("{0}")]
    Wrong(String),
}

impl Ended {
    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Closed(_))
    }
}

/// What runs work on.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// What acts.
    pub tools: Tools<'a>,
    /// Where journals and locks lie.
    pub state: &'a State,
    /// Who is told.
    pub notifier: &'a Notifier,
}

impl<'a> Desk<'a> {
    /// Notes the incidents of a plan: from now on their clocks run, and `status` lists them.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn open(&self, plan: &Plan) -> Result<(), RunError> {
        for planned in &plan.incidents {
            self.journal(&planned.incident)?;
            self.record(&planned.incident, PLANNED, None)?;
        }
        Ok(())
    }

    /// The journal of an incident, with a line that it was planned.
    fn journal(&self, incident: &Incident) -> Result<Journal, RunError> {
        let mut journal = Journal::open(&self.state.incidents_folder()?, &incident.id)?;
        let progress = Progress::of(journal.records());
        // A version of a secret that was replaced stays so; what was found elsewhere may be found alive again.
        let is_over = progress.closed.is_some() && incident.subject.path().is_some();
        let is_known = is_over
            || progress.closed.is_none()
                && progress
                    .incident
                    .as_ref()
                    .is_some_and(|own| Incident { detected: own.detected, ..incident.clone() } == *own);
        if !is_known {
            let by = self.tools.mandate.user.clone();
            journal
                .append(self.tools.clock.now(), Event::Opened { incident: Box::new(incident.clone()), by })?;
        }
        Ok(journal)
    }

    /// Carries out what is chosen of a plan, one incident after the other.
    ///
    /// # Errors
    /// See [`RunError`]; before anything is changed but for records that can't be kept.
    pub fn apply(&self, plan: &'a Plan, selection: &Selection) -> Result<Vec<Ended>, RunError> {
        let chosen = self.approve(plan, selection)?;
        let submitted = bulk::submit(&self.tools, &chosen)?;
        let mut ended = Vec::new();
        for planned in chosen {
            let is_submitted = submitted.contains(&planned.incident.id);
            ended.push(self.carry_out(&planned.incident, is_submitted)?);
        }
        Ok(ended)
    }

    /// What is chosen of a plan, if it holds and is allowed. A refusal is recorded.
    pub(super) fn approve(
        &self,
        plan: &'a Plan,
        selection: &Selection,
    ) -> Result<Vec<&'a Planned>, RunError> {
        let chosen = plan
            .holds(&self.tools)
            .map_err(RunError::from)
            .and_then(|()| selection.of(plan).map_err(RunError::from))
            .and_then(|chosen| {
                chosen.iter().try_for_each(|planned| self.permits(&planned.incident))?;
                Ok(chosen)
            });
        match chosen {
            Ok(chosen) => {
                for planned in &chosen {
                    self.record(&planned.incident, APPROVED, None)?;
                }
                Ok(chosen)
            }
            Err(error) => {
                for planned in &plan.incidents {
                    let why = error.to_string();
                    self.record(&planned.incident, REFUSED, Some(&why))?;
                }
                Err(error)
            }
        }
    }

    fn permits(&self, incident: &Incident) -> Result<(), RunError> {
        Ok(guard::permits(self.tools.inventory, self.tools.mandate, incident)?)
    }

    fn carry_out(&self, incident: &'a Incident, is_submitted: bool) -> Result<Ended, RunError> {
        let mut saga = self.saga(incident)?;
        let standing = saga.standing();
        if matches!(standing, Standing::Closed(_)) {
            return Ok(Ended { incident: incident.clone(), standing, progress: saga.progress().clone() });
        }
        saga.is_submitted = is_submitted;
        saga.start()?;
        let standing = saga.run(None)?;
        self.end(incident, standing, saga)
    }

    /// The saga of an incident.
    pub(super) fn saga(&self, incident: &'a Incident) -> Result<Saga<'a>, RunError> {
        let case = Case::open(incident, &self.tools)
            .map_err(|why| RunError::Case { incident: incident.id.clone(), why })?;
        Ok(Saga::new(case, self.tools, self.journal(incident)?))
    }

    /// Tells people where an incident stands.
    pub(super) fn end(
        &self,
        incident: &Incident,
        standing: Standing,
        mut saga: Saga<'a>,
    ) -> Result<Ended, RunError> {
        let message = self.message(incident, &standing)?;
        let state = standing.word();
        if !self.notifier.is_empty() && !saga.progress().told.contains(state) {
            self.tell(incident, &message)?;
            saga.told(state.to_owned())?;
        }
        Ok(Ended { incident: incident.clone(), standing, progress: saga.progress().clone() })
    }

    fn message(&self, incident: &Incident, standing: &Standing) -> Result<Message, RunError> {
        let mandate = self.tools.mandate;
        let message = Message::new(&incident.id, standing.word()).audit(self.tools.audit.head()?);
        let message = match incident.subject.path() {
            Some((path, _)) => message.about(&path.environment, Some(&path.in_environment())),
            None => message.line(&incident.subject.to_string()),
        };
        let who =
            [Some(&mandate.user), mandate.role.as_ref(), mandate.ticket.as_ref(), mandate.reason.as_ref()];
        let who: Vec<&str> = who.into_iter().flatten().map(String::as_str).collect();
        Ok(message.line(&standing.to_string()).line(&who.join(" · ")))
    }

    /// Tells every channel, and records how each took it: that one is down keeps nothing from going on.
    pub(super) fn tell(&self, incident: &Incident, message: &Message) -> Result<(), RunError> {
        for (channel, told) in self.notifier.tell(message) {
            match told {
                Ok(()) => self.record(incident, TOLD, Some(&channel))?,
                Err(why) => self.record(incident, NOT_TOLD, Some(&format!("{channel}: {why}")))?,
            }
        }
        Ok(())
    }

    /// Records that nothing is done about an incident, and why.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn refuse(&self, incident: &Incident, why: &str) -> Result<(), RunError> {
        self.record(incident, REFUSED, Some(why))
    }

    /// Tells one channel that an incident is about to be responded to without a person.
    ///
    /// # Errors
    /// That it could not be told: then nothing may be done.
    pub fn tell_first(&self, channel: &str, incident: &Incident) -> Result<(), RunError> {
        let message = self.message(incident, &Standing::Open)?;
        match self.notifier.must_tell(channel, &message.line("it is replaced now, without a person")) {
            Ok(()) => self.record(incident, TOLD, Some(channel)),
            Err(why) => {
                self.record(incident, NOT_TOLD, Some(&format!("{channel}: {why}")))?;
                Err(RunError::Wrong(format!("{channel} could not be told: {why}")))
            }
        }
    }

    /// Goes on with an incident that was started, or with all of them.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn resume(&self, incident: &'a Incident, is_done: bool) -> Result<Ended, RunError> {
        self.permits(incident)?;
        let mut saga = self.saga(incident)?;
        if !saga.progress().is_started {
            return Err(RunError::Wrong(format!(
                "{} was never started: `hekate respond apply` its plan",
                incident.id
            )));
        }
        if is_done {
            saga.confirm()?;
        }
        saga.start()?;
        let standing = saga.run(None)?;
        self.end(incident, standing, saga)
    }

    fn record(&self, incident: &Incident, what: Recorded, why: Option<&str>) -> Result<(), RunError> {
        let (kind, action, outcome) = what;
        let event = super::record::event(kind, action, self.tools.mandate, incident);
        self.tools.audit.append(event.result(outcome).with_some("why", why))?;
        Ok(())
    }
}

/// Closes an incident by a person's word.
///
/// # Errors
/// See [`RunError`].
pub fn dismiss(
    state: &State,
    audit: &AuditLog,
    mandate: &Mandate,
    known: &Known,
    note: &str,
) -> Result<(), RunError> {
    let Known { incident, progress, .. } = known;
    if progress.closed.is_some() {
        return Err(RunError::Wrong(format!("{} is closed already", incident.id)));
    }
    if progress.tried.iter().any(|step| !matches!(step, Step::Check | Step::Contain)) {
        return Err(RunError::Wrong(format!(
            "{id} is half done: `hekate respond resume {id}` finishes it or takes it back",
            id = incident.id
        )));
    }
    let (kind, action, outcome) = DISMISSED;
    let event = super::record::event(kind, action, mandate, incident).result(outcome).with("why", note);
    audit.append(event)?;
    let mut journal = Journal::open(&state.incidents_folder()?, &incident.id)?;
    let closed = Event::Closed { outcome: Outcome::Dismissed, note: note.to_owned() };
    Ok(journal.append(SystemClock::default().now(), closed)?)
}

/// What is recorded of an incident beside its steps.
type Recorded = (EventType, Action, audit::Outcome);

const PLANNED: Recorded = (EventType::Incident, Action::PLAN_CREATED, audit::Outcome::Success);
const APPROVED: Recorded = (EventType::Approval, Action::PLAN_APPROVED, audit::Outcome::Success);
const REFUSED: Recorded = (EventType::Refusal, Action::PLAN_REFUSED, audit::Outcome::Refused);
const DISMISSED: Recorded = (EventType::Incident, Action::INCIDENT_CLOSED, audit::Outcome::Success);
const TOLD: Recorded = (EventType::Notification, Action::NOTIFICATION_SENT, audit::Outcome::Success);
const NOT_TOLD: Recorded = (EventType::Notification, Action::NOTIFICATION_SENT, audit::Outcome::Failure);

/// An incident as the state folder has it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Which.
    pub incident: Incident,
    /// How far it is.
    pub progress: Progress,
    /// Its clocks, where some run.
    pub clocks: Option<Clocks>,
}

/// All incidents that a state folder knows, those that are not over first, then by detection.
///
/// # Errors
/// A journal that can't be read.
pub fn known(state: &State, now: i64) -> Result<Vec<Known>, RunError> {
    let folder = state.incidents_folder()?;
    let mut all = Vec::new();
    for id in Journal::ids(&folder)? {
        let Some(records) = Journal::read(&folder, &id)? else { continue };
        let progress = Progress::of(&records);
        let Some(incident) = progress.incident.clone() else { continue };
        let clocks = Clocks::of(&incident, &progress, now);
        all.push(Known { incident, progress, clocks });
    }
    all.sort_by_key(|known| {
        (known.progress.closed.is_some(), known.incident.detected, known.incident.id.clone())
    });
    Ok(all)
}

/// What is left for a person once hekate has done its part.
pub fn left_for_a_person(known: &Known) -> Vec<String> {
    let progress = &known.progress;
    let mut left = Vec::new();
    match progress.standing() {
        Standing::Closed(Outcome::Rotated | Outcome::Revoked) => {}
        Standing::Closed(_) => return left,
        Standing::Open => left.push("carry a plan out for it, or close it with the reason".into()),
        Standing::Waiting(_, wait) => left.push(format!("it waits {wait}")),
        _ => left.push(format!("hekate respond resume {}", known.incident.id)),
    }
    if known.incident.reason.is_leak() {
        left.extend(AFTER_A_LEAK.iter().map(|line| (*line).to_owned()));
        let places = known.incident.found.as_ref().map_or(0, |found| found.count);
        if places > 0 {
            let places = if places == 1 { "the place".to_owned() } else { format!("the {places} places") };
            left.push(format!(
                "decide about {places} where it stands: to remove it from a history rewrites that, and undoes no leak"
            ));
        }
    }
    left
}

/// What no program can do after a leak.
const AFTER_A_LEAK: &[&str] = &[
    "look through the logs of the service, and of the manager, for uses of the old value since it leaked",
    "look for accounts, keys and grants that were made with it, and remove what nobody knows",
    "block addresses that used it and are none of yours",
    "review how it came there, and keep it from happening again: `hekate hook install`",
];
