//! Taking back what was done, step by step backwards, until everything is as the manager says it is.

use super::{Saga, SagaError, Setback, refused};
use crate::respond::{
    Phase, Step, audit, consumer,
    journal::Event,
    progress::Standing,
    target::{self, Accepts, Act, Birth, Trouble},
};

impl Saga<'_> {
    /// Takes every step back that may have had an effect, last one first.
    pub(super) fn take_back(&mut self, why: String) -> Result<Standing, SagaError> {
        if self.progress.undoing.is_none() {
            self.note(Event::Undoing { why })?;
        }
        let steps = self.case.playbook.steps.iter().rev();
        for step in steps.copied().filter(|step| *step != Step::Contain) {
            if !self.progress.tried.contains(&step) {
                continue;
            }
            let reversed = match self.has_landed(step) {
                Ok(true) => return self.turn_forward(),
                Ok(false) => self.reverse(step),
                Err(setback) => Err(setback),
            };
            if let Err(setback) = reversed {
                self.fail(step, &format!("can't be taken back: {}", setback.why()))?;
                return Ok(self.standing());
            }
            if has_effect(step) {
                self.record(step, audit::Outcome::Success, Some("taken back"))?;
                self.say(step, &Phase::Undone);
            }
            self.note(Event::Undone { step })?;
        }
        self.note(Event::RolledBack)?;
        Ok(self.standing())
    }

    /// The manager holds the new value after all: what was taken back is done again, and the rest is finished.
    fn turn_forward(&mut self) -> Result<Standing, SagaError> {
        self.note(Event::RolledBack)?;
        self.start()?;
        self.run(None)
    }

    fn reverse(&mut self, step: Step) -> Result<(), Setback> {
        match step {
            Step::Introduce => self.agree_with_the_manager(),
            Step::Keep => self.unkeep(),
            Step::PublishNext => {
                let (private, public) = self.case.next().ok_or_else(|| refused("there are no next names"))?;
                self.tools.store.remove(&private)?;
                self.tools.store.remove(&public)?;
                Ok(())
            }
            Step::RestartNext => {
                // A mark of its own: the restart that follows a second try must not be taken for this one.
                let id = &format!("{}-undo", self.case.incident.id);
                let next = self.case.signing().map_or("", |signing| signing.next_name.as_str());
                let round = consumer::Round::WithoutNext(next);
                consumer::restart(self.tools.delivery, self.case.consumers(), &round, id)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes the target accept what the manager holds now: the old value; or what somebody else has stored since.
    pub(super) fn agree_with_the_manager(&mut self) -> Result<(), Setback> {
        let current = self.current()?.value;
        let new = self.kept()?;
        let Some(target) = self.case.target.as_deref() else { return Ok(()) };
        let values = target::Values { old: &current, new: new.as_ref(), incident: &self.case.incident.id };
        let withdrawn = match target.perform(Act::Withdraw, &values) {
            Ok(()) => Ok(()),
            Err(Trouble::Unclear(why)) if target.accepts(&current) != Accepts::Yes => {
                Err(Setback::Unclear(why))
            }
            Err(Trouble::Unclear(_)) => Ok(()),
            // A person who has not changed anything yet has nothing to take back.
            Err(Trouble::Person(_)) if target.accepts(&current) == Accepts::Yes => Ok(()),
            Err(trouble) => Err(Setback::from(trouble)),
        };
        withdrawn.map_err(|setback| setback.at(&target.name()))
    }

    /// While the manager waits for somebody's approval, what it holds stays in force; where both values can be, they are. What can't be done
    /// now is said, and tried again by whoever resumes it: the approval is waited for all the same.
    pub(super) fn step_back(&mut self) -> Result<(), SagaError> {
        let overlaps = self.case.target.as_ref().is_none_or(|target| target.overlaps());
        if overlaps || !self.progress.tried.contains(&Step::Introduce) {
            return Ok(());
        }
        if let Err(setback) = self.agree_with_the_manager() {
            return self.fail(Step::Introduce, &format!("can't be taken back: {}", setback.why()));
        }
        self.note(Event::Undone { step: Step::Introduce })?;
        self.say(Step::Introduce, &Phase::Undone);
        Ok(())
    }

    /// Removes the kept value; one that a provider made is taken out of service there first.
    fn unkeep(&mut self) -> Result<(), Setback> {
        let Some(pending) = self.case.pending() else { return Ok(()) };
        if self.case.birth() == Birth::Issued && self.kept()?.is_some() {
            self.with_target(|target, values| Ok(target.perform(Act::Withdraw, values)?))?;
        }
        // One that was never kept needs no right to remove it.
        if self.again_kept()?.is_some() {
            self.tools.store.remove(&pending)?;
        }
        self.forget();
        Ok(())
    }

    /// Whether the manager turns out to hold the value that follows when what is kept is about to be removed: a write that was given up may
    /// come through late.
    fn has_landed(&mut self, step: Step) -> Result<bool, Setback> {
        let (Step::Keep, Some((path, _))) = (step, self.case.path()) else { return Ok(false) };
        let Some(new) = self.kept()? else { return Ok(false) };
        Ok(self.read(&path, None)?.is_some_and(|current| current.value == new))
    }
}

/// Whether taking a step back changes anything.
fn has_effect(step: Step) -> bool {
    step.text().undo.is_some()
}
