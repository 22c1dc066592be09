//! The saga: the steps of a playbook, each journaled before and after it is taken.
//!
//! Before the point of no return what was done is taken back when a step certainly failed; behind it, the rest is finished. Where it is
//! not known whether a step was done, nothing is taken back and nothing goes on: a later run looks, and goes on from what it sees. So
//! a crash at any instant, or a lost answer, ends with one valid value once somebody resumes.

mod perform;
mod undo;
mod value;

use std::fmt::Display;

use super::{
    Case, Incident, Mandate, Phase, Progress, Step, Tools, audit,
    journal::{Event, Journal, JournalError, Mark, Outcome, Wait},
    progress::Standing,
    target::{Accepts, Trouble},
};
use crate::store::StoreError;

use value::Values;

/// An incident that is being responded to.
pub struct Saga<'a> {
    case: Case<'a>,
    tools: Tools<'a>,
    journal: Journal,
    progress: Progress,
    values: Values,
    /// The old value was submitted for revocation already, with others.
    pub(super) is_submitted: bool,
}

/// A step that did not go well.
#[derive(Debug, Clone, PartialEq)]
enum Setback {
    /// It certainly had no effect.
    Refused(String),
    /// It may have had one.
    Unclear(String),
    /// It waits for something.
    Waits(Wait),
    /// Somebody has replaced the value already, as these words say.
    Superseded(String),
}

impl From<Trouble> for Setback {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(why) => Self::Refused(why),
            Trouble::Unclear(why) => Self::Unclear(why),
            Trouble::Person(todo) => Self::Waits(Wait::Person { todo }),
        }
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unreachable { .. } => Self::Unclear(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl Setback {
    /// Why, in words.
    fn why(self) -> String {
        match self {
            Self::Refused(why) | Self::Unclear(why) | Self::Superseded(why) => why,
            Self::Waits(wait) => wait.to_string(),
        }
    }

    /// The same, with the name of what it is about.
    fn at(self, name: &str) -> Self {
        let named = |why: String| if why.contains(name) { why } else { format!("{name}: {why}") };
        match self {
            Self::Refused(why) => Self::Refused(named(why)),
            Self::Unclear(why) => Self::Unclear(named(why)),
            other => other,
        }
    }
}

fn refused(why: impl Display) -> Setback {
    Setback::Refused(why.to_string())
}

/// What a step has to say when it was taken.
type Taken = Result<Vec<String>, Setback>;

/// A response that can't go on: its own records can't be written.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
}

impl<'a> Saga<'a> {
    /// A case with the journal of its incident, to be started or to be gone on with.
    pub fn new(case: Case<'a>, tools: Tools<'a>, journal: Journal) -> Self {
        let progress = Progress::of(journal.records());
        Self { case, tools, journal, progress, values: Values::default(), is_submitted: false }
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        self.progress.standing()
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Notes on whose behalf it goes on now.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub fn start(&mut self) -> Result<(), SagaError> {
        let Mandate { user, role, ticket, reason, .. } = self.tools.mandate.clone();
        self.note(Event::Started { by: user, role, ticket, reason })
    }

    /// Takes the steps that are left, up to the first that does not go well, or until `until` is next. Gives where it stands then.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub fn run(&mut self, until: Option<Step>) -> Result<Standing, SagaError> {
        if self.progress.closed.is_some() {
            return Ok(self.standing());
        }
        if let Some(why) = self.progress.undoing.clone() {
            return self.take_back(why);
        }
        if let Some((step, wait @ Wait::Approval { .. })) = self.progress.waiting.clone()
            && !self.is_approved(step)
        {
            self.step_back()?;
            return self.wait(step, wait);
        }
        for step in self.case.steps().into_iter().map(|planned| planned.step) {
            if until == Some(step) {
                return Ok(self.standing());
            }
            if !self.progress.done.contains_key(&step)
                && let Some(standing) = self.take(step)?
            {
                return Ok(standing);
            }
        }
        self.close()
    }

    /// Takes a step. Gives where the incident stands if it can't go on.
    fn take(&mut self, step: Step) -> Result<Option<Standing>, SagaError> {
        let is_again = self.progress.tried.contains(&step);
        self.note(Event::Begun { step })?;
        self.say(step, &Phase::Begun);
        let taken = self.perform(step, is_again);
        self.say(step, &Phase::Acted);
        match taken {
            Ok(notes) => {
                self.record(step, audit::Outcome::Success, None)?;
                self.note(Event::Done { step, notes: notes.clone() })?;
                self.mark(step)?;
                self.say(step, &Phase::Done(notes));
                Ok(None)
            }
            Err(Setback::Waits(wait)) => {
                if matches!(wait, Wait::Approval { .. }) {
                    self.step_back()?;
                }
                self.wait(step, wait).map(Some)
            }
            Err(Setback::Superseded(why)) => self.leave(step, why).map(Some),
            Err(Setback::Unclear(why)) => {
                self.fail(step, &why)?;
                Ok(Some(self.standing()))
            }
            Err(Setback::Refused(why)) => {
                self.fail(step, &why)?;
                if !self.can_turn_back(step) {
                    return Ok(Some(self.standing()));
                }
                self.take_back(why).map(Some)
            }
        }
    }

    /// Whether what was done is taken back when this step had certainly no effect. The point of no return is only behind once its step was
    /// taken; until then, what was made valid at the target is not what the manager holds, and nobody gets in by that.
    fn can_turn_back(&self, step: Step) -> bool {
        let playbook = self.case.playbook;
        if self.progress.done.contains_key(&playbook.no_return) {
            return false;
        }
        let has_undo = |step: &Step| step.text().undo.is_some();
        !playbook.is_final(step) || (step == playbook.no_return && self.progress.tried.iter().any(has_undo))
    }

    fn fail(&mut self, step: Step, why: &str) -> Result<(), SagaError> {
        self.record(step, audit::Outcome::Failure, Some(why))?;
        self.note(Event::Failed { step, why: why.to_owned() })?;
        self.say(step, &Phase::Failed(why.to_owned()));
        Ok(())
    }

    fn wait(&mut self, step: Step, wait: Wait) -> Result<Standing, SagaError> {
        self.say(step, &Phase::Waiting(wait.to_string()));
        if self.progress.waiting.as_ref() != Some(&(step, wait.clone())) {
            self.record(step, audit::Outcome::Pending, Some(&wait.to_string()))?;
            self.note(Event::Waiting { step, wait })?;
        }
        Ok(self.standing())
    }

    /// Somebody else has replaced the value: nothing is left to do here. What was tried before that is taken back.
    fn leave(&mut self, step: Step, why: String) -> Result<Standing, SagaError> {
        if self.progress.tried.iter().any(|tried| !matches!(tried, Step::Check | Step::Contain)) {
            self.fail(step, &why)?;
            return self.take_back(why);
        }
        self.record(step, audit::Outcome::Success, Some(&why))?;
        self.say(step, &Phase::Done(vec![why.clone()]));
        self.note(Event::Closed { outcome: Outcome::Superseded, note: why })?;
        Ok(self.standing())
    }

    /// All steps are taken.
    fn close(&mut self) -> Result<Standing, SagaError> {
        let is_followed = self.case.steps().iter().any(|planned| planned.step == Step::Promote);
        let outcome = if is_followed { Outcome::Rotated } else { Outcome::Revoked };
        if self.progress.contained.is_none() {
            self.note(Event::Reached { mark: Mark::Contained })?;
        }
        if is_followed && self.progress.rotated.is_none() {
            self.note(Event::Reached { mark: Mark::Rotated })?;
        }
        self.record_end(outcome)?;
        self.note(Event::Closed { outcome, note: self.tools.mandate.user.clone() })?;
        Ok(self.standing())
    }

    /// Notes what a step has reached, for the clocks.
    fn mark(&mut self, step: Step) -> Result<(), SagaError> {
        let overlaps = self.case.target.as_ref().is_some_and(|target| target.overlaps());
        let contains = match step {
            Step::Contain | Step::ProveOld => true,
            // Nothing was proved of the old value yet; where one follows the other, it is refused from here on.
            Step::Introduce if !overlaps => self.old().is_ok_and(|old| self.accepts(&old) == Accepts::No),
            _ => false,
        };
        if contains && self.progress.contained.is_none() {
            self.note(Event::Reached { mark: Mark::Contained })?;
        }
        Ok(())
    }

    fn note(&mut self, event: Event) -> Result<(), SagaError> {
        self.journal.append(self.tools.clock.now(), event)?;
        if let Some(record) = self.journal.records().last() {
            self.progress.take(record);
        }
        Ok(())
    }

    /// What it works with.
    pub(super) fn tools(&self) -> &Tools<'a> {
        &self.tools
    }

    /// What it is about.
    pub(super) fn incident(&self) -> &Incident {
        self.case.incident
    }

    /// Where the value is in force, in words.
    pub(super) fn target_name(&self) -> Option<String> {
        self.case.target.as_ref().map(|target| target.name())
    }

    /// A person says that what was asked of them is done.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub fn confirm(&mut self) -> Result<(), SagaError> {
        if let Some((step, Wait::Person { .. })) = self.progress.waiting.clone() {
            self.record(step, audit::Outcome::Success, Some("done by a person, by their word"))?;
            self.note(Event::Confirmed { step, by: self.tools.mandate.user.clone() })?;
        }
        Ok(())
    }

    /// People were told of where it stands.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub(super) fn told(&mut self, what: String) -> Result<(), SagaError> {
        self.note(Event::Told { what })
    }

    fn say(&self, step: Step, phase: &Phase) {
        self.tools.watch.step(self.case.incident, step, phase);
    }
}
