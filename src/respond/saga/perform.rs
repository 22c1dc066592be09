//! What each step does. A step looks first whether it was taken already, where an earlier run may have got so far.

use std::time::Duration;

use super::{Saga, Setback, Taken, refused, value};
use crate::{
    inventory,
    model::Secret,
    respond::{
        Step, consumer,
        journal::Wait,
        signing,
        target::{Accepts, Act, Birth, Trouble},
    },
    store::{SecretPath, StoreError, Stored, Written},
};

/// How often a proof is tried, where what is to be proved may take a moment to come about.
const TRIES: u32 = 5;
/// The first pause between two tries; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

impl Saga<'_> {
    /// Takes a step. `is_again`: it was begun before, and may have been taken.
    pub(super) fn perform(&mut self, step: Step, is_again: bool) -> Taken {
        match step {
            Step::Check => self.check(),
            Step::Keep => self.keep(),
            Step::Introduce => self.introduce(is_again),
            Step::Contain => self.act(Act::Contain),
            Step::Release => self.act(Act::Release),
            Step::EndSessions => self.act(Act::EndSessions),
            Step::Retire => self.retire(is_again),
            Step::PublishNext => self.publish_next(is_again),
            Step::DropNext => self.drop_next(),
            Step::SyncNext | Step::Sync => self.sync(step),
            Step::RestartNext | Step::Restart => self.restart(step),
            Step::ProveNext => self.prove_next(),
            Step::Grace => self.grace(),
            Step::Promote => self.promote(),
            Step::ProveNew => self.prove_new(),
            Step::ProveOld => self.prove_old(),
            Step::Tidy => self.tidy(),
        }
    }

    fn check(&mut self) -> Taken {
        if self.case.path().is_some() {
            self.is_still_current()?;
        }
        self.old()?;
        if self.case.target.as_ref().is_some_and(|target| target.requests(Act::Check).is_some()) {
            self.act(Act::Check)?;
        }
        consumer::check(self.tools.delivery, self.case.consumers()).map_err(refused)?;
        Ok(Vec::new())
    }

    /// Whether the version that the plan was made for is still the current one; or the new value is it already.
    fn is_still_current(&mut self) -> Result<(), Setback> {
        let (path, version) = self.case.path().ok_or_else(|| refused("the manager does not hold it"))?;
        let current = self.current()?;
        if current.version == version {
            return Ok(());
        }
        match self.kept()? {
            Some(new) if new == current.value => Ok(()),
            _ => Err(self.superseded(&path, version, &current)),
        }
    }

    /// Somebody has replaced it; where the target says otherwise, they are not done, or what they did went wrong.
    fn superseded(&mut self, path: &SecretPath, version: u64, current: &Stored) -> Setback {
        let now = format!("{path} has version {} now, and the plan was made for {version}", current.version);
        let target = self.target_name().unwrap_or_default();
        if self.accepts(&current.value) == Accepts::No {
            return refused(format!("{now}: {target} does not accept it; make a plan for that version"));
        }
        match self.old() {
            Ok(old) if old != current.value && self.accepts(&old) == Accepts::Yes => {
                refused(format!("{now}: {target} still accepts the old one; make a plan for that version"))
            }
            _ => Setback::Superseded(format!("{now}: somebody has replaced it already")),
        }
    }

    fn act(&mut self, act: Act) -> Taken {
        self.with_target(|target, values| Ok(target.perform(act, values)?))?;
        Ok(Vec::new())
    }

    /// Makes the new value and keeps it, unless that was done.
    fn keep(&mut self) -> Taken {
        let pending = self.case.pending().ok_or_else(|| refused("the manager does not hold it"))?;
        if self.kept()?.is_some() {
            return Ok(vec![format!("{pending} is kept already")]);
        }
        let new = self.make()?;
        if new == self.old()? {
            return Err(refused("the new value is the old one"));
        }
        let note = format!("hekate {}: kept until it is in force", self.case.incident.id);
        let met = || {
            Setback::Unclear(format!(
                "another responder has written {pending} at the same time; resume once it is done"
            ))
        };
        match self.tools.store.write(&pending, &new, &note) {
            Ok(Written::Stored(1)) => {}
            // What is there may be the other's: it is not taken back.
            Ok(Written::Stored(_)) | Err(StoreError::Conflict { .. }) => return Err(met()),
            Ok(Written::Pending { approval }) => return Err(Setback::Waits(Wait::Approval { approval })),
            Err(error) => return Err(error.into()),
        }
        self.hold(new);
        Ok(Vec::new())
    }

    fn make(&mut self) -> Result<Secret, Setback> {
        match self.case.birth() {
            Birth::Random => value::random().map_err(refused),
            Birth::KeyPair(signing) => {
                let like = self.old()?;
                Ok(signing::make(&signing, &like).map_err(refused)?.private)
            }
            Birth::Issued => self.with_target(|target, values| Ok(target.issue(values)?)),
            Birth::Person { page, what } => self.given(page, what),
            Birth::None => Err(refused("nothing follows it")),
        }
    }

    /// The value that a person gives. One that can't be it is asked for again: once it is in force, there is no way back.
    fn given(&mut self, page: Option<String>, what: String) -> Result<Secret, Setback> {
        let Some(given) = self.tools.mandate.given.clone() else {
            return Err(Setback::Waits(Wait::Value { page, what }));
        };
        let fault = if given == self.old()? {
            "the given value is the old one"
        } else if self.accepts(&given) == Accepts::No {
            "the given value is not accepted"
        } else {
            return Ok(given);
        };
        Err(Setback::Waits(Wait::Value { page, what: format!("{fault}; {what}") }))
    }

    fn introduce(&mut self, is_again: bool) -> Taken {
        self.is_still_current()?;
        let new = self.new_value()?;
        if is_again && self.accepts(&new) == Accepts::Yes {
            return Ok(Vec::new());
        }
        if self.progress.confirmed.contains(&Step::Introduce) {
            match self.accepts(&new) {
                Accepts::Yes => return Ok(Vec::new()),
                Accepts::Unknown(why) => return Ok(vec![format!("by a person's word: {why}")]),
                // Said too early: it is asked for again.
                Accepts::No => {}
            }
        }
        let done = self.with_target(|target, values| match target.perform(Act::Introduce, values) {
            Err(Trouble::Unclear(why)) => match target.accepts(&new) {
                Accepts::Yes => Ok(()),
                Accepts::No => Err(Setback::Refused(why)),
                Accepts::Unknown(_) => Err(Setback::Unclear(why)),
            },
            other => Ok(other?),
        });
        done.map(|()| Vec::new())
    }

    fn retire(&mut self, is_again: bool) -> Taken {
        let old = self.old()?;
        if self.is_submitted && self.until(&old, &Accepts::No, "the old value is still accepted").is_ok() {
            return Ok(vec!["revoked together with others".to_owned()]);
        }
        if is_again && self.accepts(&old) == Accepts::No {
            return Ok(Vec::new());
        }
        if self.progress.confirmed.contains(&Step::Retire) {
            match self.accepts(&old) {
                Accepts::No => return Ok(Vec::new()),
                Accepts::Unknown(why) => return Ok(vec![format!("by a person's word: {why}")]),
                // Said too early: it is asked for again.
                Accepts::Yes => {}
            }
        }
        self.with_target(|target, values| match target.perform(Act::Retire, values) {
            Err(Trouble::Unclear(why)) => match target.accepts(values.old) {
                Accepts::No => Ok(()),
                Accepts::Yes => Err(Setback::Refused(why)),
                Accepts::Unknown(_) => Err(Setback::Unclear(why)),
            },
            other => Ok(other?),
        })?;
        Ok(Vec::new())
    }

    /// Makes the new value the current version of its name.
    fn promote(&mut self) -> Taken {
        let (path, version) = self.case.path().ok_or_else(|| refused("the manager does not hold it"))?;
        let new = self.new_value()?;
        let current = self.current()?;
        if current.value == new {
            return Ok(vec![format!("version {} is in force", current.version)]);
        }
        if current.version != version {
            return Err(refused(format!(
                "{path} has version {} now: somebody else is replacing it",
                current.version
            )));
        }
        // Another responder may have kept another value under the same name since.
        if self.again_kept()?.is_none_or(|kept| kept != new) {
            return Err(refused("the kept value was changed by somebody else"));
        }
        match self.tools.store.write(&path, &new, &self.why()) {
            Ok(Written::Stored(number)) if number == version + 1 => {
                Ok(vec![format!("version {number} is in force")])
            }
            Ok(Written::Stored(number)) => Ok(vec![format!(
                "version {number} is in force; somebody wrote another one at the same time, which is not"
            )]),
            Ok(Written::Pending { approval }) => Err(Setback::Waits(Wait::Approval { approval })),
            Err(error) => match (Setback::from(error), self.current()) {
                (_, Ok(current)) if current.value == new => {
                    Ok(vec![format!("version {} is in force", current.version)])
                }
                // It was asked again, and nothing has changed: the write was lost, not its answer.
                (Setback::Unclear(why), Ok(_)) => Err(Setback::Refused(why)),
                (setback, _) => Err(setback),
            },
        }
    }

    /// The kept value as it is now, whatever was read before.
    pub(super) fn again_kept(&mut self) -> Result<Option<Secret>, Setback> {
        let Some(pending) = self.case.pending() else { return Ok(None) };
        Ok(self.read(&pending, None)?.map(|stored| stored.value))
    }

    fn why(&self) -> String {
        let mandate = self.tools.mandate;
        let ticket = mandate.ticket.as_deref().map(|ticket| format!(" {ticket}")).unwrap_or_default();
        format!("hekate {}{ticket}: {}", self.case.incident.id, self.case.incident.reason.as_str())
    }

    /// Whether what the manager holds back was approved meanwhile.
    pub(super) fn is_approved(&mut self, step: Step) -> bool {
        match step {
            Step::Keep => matches!(self.kept(), Ok(Some(_))),
            _ => {
                let new = self.kept();
                matches!((new, self.current()), (Ok(Some(new)), Ok(current)) if current.value == new)
            }
        }
    }

    fn publish_next(&mut self, is_again: bool) -> Taken {
        let (private, public) =
            self.case.next().ok_or_else(|| refused("the inventory has no `signing` for it"))?;
        let new = self.new_value()?;
        let half = signing::public_like(&new).map_err(refused)?;
        self.put(&private, &new, is_again)?;
        self.put(&public, &half, is_again)?;
        Ok(Vec::new())
    }

    /// Stores a value under a name that has none.
    fn put(&mut self, path: &SecretPath, value: &Secret, is_again: bool) -> Result<(), Setback> {
        match self.read(path, None)? {
            Some(stored) if stored.value == *value => return Ok(()),
            Some(_) if !is_again => {
                return Err(refused(format!(
                    "{path} is there already: another rotation is under way, or was left; remove it"
                )));
            }
            _ => {}
        }
        match self.tools.store.write(path, value, &self.why())? {
            Written::Stored(_) => Ok(()),
            Written::Pending { approval } => Err(Setback::Waits(Wait::Approval { approval })),
        }
    }

    fn drop_next(&mut self) -> Taken {
        let (private, public) =
            self.case.next().ok_or_else(|| refused("the inventory has no `signing` for it"))?;
        self.tools.store.remove(&private)?;
        self.tools.store.remove(&public)?;
        Ok(Vec::new())
    }

    fn sync(&mut self, step: Step) -> Taken {
        let new = self.in_force()?;
        let (path, _) = self.case.path().ok_or_else(|| refused("the manager does not hold it"))?;
        let name = match (step, self.case.next()) {
            (Step::SyncNext, Some((private, _))) => private.name,
            _ => path.name,
        };
        let expected = consumer::Expected { name: &name, value: &new };
        Ok(consumer::sync(self.tools.delivery, self.case.consumers(), &expected)?)
    }

    fn restart(&mut self, step: Step) -> Taken {
        let new = self.in_force()?;
        let next = self.case.signing().map(|signing| signing.next_name.as_str());
        let round = match (step, next) {
            (Step::RestartNext, Some(name)) => {
                consumer::Round::WithNext(consumer::Expected { name, value: &new })
            }
            (_, Some(name)) if !self.case.incident.at_once => consumer::Round::WithoutNext(name),
            _ => consumer::Round::Plain,
        };
        let id = &self.case.incident.id;
        let mark = if step == Step::RestartNext { format!("{id}-next") } else { id.clone() };
        Ok(consumer::restart(self.tools.delivery, self.case.consumers(), &round, &mark)?)
    }

    fn prove_next(&mut self) -> Taken {
        let new = self.new_value()?;
        self.until(&new, &Accepts::Yes, "the next key is not published")
    }

    /// Waits until the last token that the old key signed has expired.
    fn grace(&mut self) -> Taken {
        let period = self.case.grace().map_or(0, inventory::Period::seconds);
        let since = [Step::PublishNext, Step::RestartNext]
            .iter()
            .filter_map(|step| self.progress.done.get(step))
            .max();
        let clock = self.tools.clock;
        let until = since.copied().unwrap_or_else(|| clock.now()).saturating_add_unsigned(period);
        let left = until - clock.now();
        if left > 0 {
            let left = Duration::from_secs(left.unsigned_abs());
            if left > clock.patience() {
                return Err(Setback::Waits(Wait::Until { at: until }));
            }
            clock.sleep(left);
        }
        Ok(Vec::new())
    }

    fn prove_new(&mut self) -> Taken {
        let new = self.in_force()?;
        // Somebody has stored another one since.
        if self.kept()?.is_some_and(|kept| kept != new) && self.accepts(&new) != Accepts::Yes {
            self.agree_with_the_manager()?;
        }
        self.until(&new, &Accepts::Yes, "the new value is not accepted")
    }

    fn prove_old(&mut self) -> Taken {
        let old = self.old()?;
        self.until(&old, &Accepts::No, "the old value is still accepted")?;
        // What would bring it back, after a restart of the target say, is a person's to mend.
        self.with_target(|target, values| Ok(target.remains(values)?))
    }

    /// Asks until the answer is the wanted one, or for long enough.
    fn until(&mut self, value: &Secret, wanted: &Accepts, otherwise: &str) -> Taken {
        let mut pause = PAUSE;
        let mut answer = self.accepts(value);
        for _ in 1..TRIES {
            if answer == *wanted {
                break;
            }
            self.tools.clock.sleep(pause);
            pause *= 2;
            answer = self.accepts(value);
        }
        match answer {
            answer if answer == *wanted => Ok(Vec::new()),
            Accepts::Unknown(why) => Err(refused(format!("it can't be told whether {otherwise}: {why}"))),
            _ => Err(refused(otherwise)),
        }
        .map_err(|setback: Setback| setback.at(&self.target_name().unwrap_or_default()))
    }

    /// Whether the target accepts a value.
    pub(super) fn accepts(&self, value: &Secret) -> Accepts {
        match &self.case.target {
            Some(target) => target.accepts(value),
            None => Accepts::Unknown("there is no target".into()),
        }
    }

    fn tidy(&mut self) -> Taken {
        if let Some(pending) = self.case.pending() {
            self.tools.store.remove(&pending)?;
        }
        self.forget();
        Ok(Vec::new())
    }
}
