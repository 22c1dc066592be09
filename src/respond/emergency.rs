//! An emergency: everything of an environment is replaced, what is independent at the same time, and consumers are restarted once.

use std::thread;

use super::{
    Desk, Ended, Incident, Plan, Planned, RunError, Saga, SagaError, Selection, Standing, Step,
    audit::{Action, EventType, Outcome},
    notify::Message,
    record,
};
use crate::{inventory::Kind, net::Request};

/// In which order kinds of secrets are replaced; those of one line at the same time.
const ORDER: &[&[Kind]] = &[
    &[Kind::DatabasePassword, Kind::ServicePassword, Kind::AdminPassword],
    &[Kind::CachePassword],
    &[Kind::SigningKey],
    &[Kind::ManagerToken],
    &[Kind::ApiKey, Kind::Static],
];

/// What became of an emergency.
#[derive(Debug)]
pub struct Emergency {
    /// Every incident of it.
    pub ended: Vec<Ended>,
    /// Each address that tells of the platform's health, and why it is not well; nothing where it is.
    pub health: Vec<(String, Option<String>)>,
}

/// Who says that an emergency is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The second person.
    pub by: String,
    /// The word that they typed.
    pub word: String,
}

/// The word that a second person types.
pub const CONFIRM: &str = "CONFIRM";

impl Approval {
    /// Whether it counts: the word, and by somebody else than who started it. That is a procedure and no proof of who they are.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, initiator: &str) -> Result<(), String> {
        let name = self.by.trim();
        if name.is_empty() {
            return Err("a second person has to say who they are".into());
        }
        if name.eq_ignore_ascii_case(initiator.trim()) {
            return Err(format!("{name} started this: a second person has to confirm it"));
        }
        if self.word != CONFIRM {
            return Err(format!("it was not confirmed: the word is {CONFIRM}"));
        }
        Ok(())
    }
}

impl Emergency {
    /// Whether everything was done, and the platform is well.
    pub fn is_over(&self) -> bool {
        self.ended.iter().all(Ended::is_over) && self.health.iter().all(|(_, wrong)| wrong.is_none())
    }
}

impl<'a> Desk<'a> {
    /// Replaces everything of a plan.
    ///
    /// New values are made and put in force by kind, in order, those of independent secrets at the same time. Then all consumers are synced;
    /// only then are they restarted, each once for all that it reads. A secret that fails keeps none of the others.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn emergency(
        &self,
        plan: &'a Plan,
        environment: &str,
        approval: &Approval,
    ) -> Result<Emergency, RunError> {
        let initiator = &self.tools.mandate.user;
        if let Err(why) = approval.check(initiator) {
            self.note(Action::EMERGENCY_STARTED, Outcome::Refused, &why)?;
            return Err(RunError::Wrong(why));
        }
        let selection = Selection {
            environments: vec![environment.to_owned()],
            most: usize::MAX,
            ..Selection::default()
        };
        let chosen = self.approve(plan, &selection)?;
        self.note(Action::EMERGENCY_STARTED, Outcome::Success, &format!("confirmed by {}", approval.by))?;
        let ended = self.replace_all(&chosen)?;
        let emergency = Emergency { ended, health: self.health() };
        let outcome = if emergency.is_over() { Outcome::Success } else { Outcome::Failure };
        self.note(Action::EMERGENCY_FINISHED, outcome, &summary(&emergency))?;
        Ok(emergency)
    }

    fn replace_all(&self, chosen: &[&'a Planned]) -> Result<Vec<Ended>, RunError> {
        let mut running = Vec::new();
        for kinds in ORDER {
            let of_kind = chosen.iter().filter(|planned| self.is_of(&planned.incident, kinds));
            let mut sagas =
                of_kind.map(|planned| self.begin(&planned.incident)).collect::<Result<Vec<_>, _>>()?;
            at_once(&mut sagas, Some(Step::Sync))?;
            running.extend(sagas);
        }
        // One consumer may read many secrets: all are synced before any is restarted. One at a time, since they share resources.
        for one in &mut running {
            advance(one, Some(Step::Restart))?;
        }
        at_once(&mut running, None)?;
        running.into_iter().map(|one| self.end(one.incident, one.saga.standing(), one.saga)).collect()
    }

    fn is_of(&self, incident: &Incident, kinds: &[Kind]) -> bool {
        let name = incident.subject.path().map(|(path, _)| path.name);
        let entry = name.and_then(|name| self.tools.inventory.entry(&name));
        entry.is_some_and(|entry| kinds.contains(&entry.kind))
    }

    fn begin(&self, incident: &'a Incident) -> Result<Running<'a>, RunError> {
        let mut saga = self.saga(incident)?;
        saga.start()?;
        Ok(Running { incident, saga })
    }

    /// Asks every address that tells of the platform's health.
    pub fn health(&self) -> Vec<(String, Option<String>)> {
        let ask = |address: &String| {
            let wrong = match split(address) {
                None => Some("it is no address".to_owned()),
                Some((origin, path)) => match self.tools.means.send.send(&Request::get(origin, path)) {
                    Ok(answer) if answer.status == 200 => None,
                    Ok(answer) => Some(format!("it answers with {}", answer.status)),
                    Err(failure) => Some(failure.to_string()),
                },
            };
            (address.clone(), wrong)
        };
        self.tools.inventory.health.iter().map(ask).collect()
    }

    /// Records that a service token of the manager was deleted, or why not.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn note_token(&self, name: &str, failed: Option<&str>) -> Result<(), RunError> {
        let outcome = if failed.is_none() { Outcome::Success } else { Outcome::Failure };
        let event = record::of_mandate(EventType::Revocation, Action::SECRET_REVOKE, self.tools.mandate);
        let event = event.result(outcome).with("service_token", name).with_some("why", failed);
        self.tools.audit.append(event)?;
        Ok(())
    }

    /// Tells people how an emergency ended.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn tell_of_emergency(&self, incident: &str, emergency: &Emergency) -> Result<(), RunError> {
        let state = if emergency.is_over() { "emergency over" } else { "emergency not over" };
        let message = Message::new(incident, state).line(&summary(emergency)).audit(self.tools.audit.head()?);
        for (channel, told) in self.notifier.tell(&message) {
            let (outcome, why) = match told {
                Ok(()) => (Outcome::Success, channel),
                Err(why) => (Outcome::Failure, format!("{channel}: {why}")),
            };
            let event =
                record::of_mandate(EventType::Notification, Action::NOTIFICATION_SENT, self.tools.mandate);
            self.tools.audit.append(event.result(outcome).with("why", why))?;
        }
        Ok(())
    }

    fn note(&self, action: Action, outcome: Outcome, what: &str) -> Result<(), RunError> {
        let event = record::of_mandate(EventType::Emergency, action, self.tools.mandate);
        self.tools.audit.append(event.result(outcome).with("note", what))?;
        Ok(())
    }
}

/// An incident on its way.
struct Running<'a> {
    incident: &'a Incident,
    saga: Saga<'a>,
}

/// Takes all of them on at the same time.
fn at_once(running: &mut [Running<'_>], until: Option<Step>) -> Result<(), SagaError> {
    thread::scope(|scope| {
        let started: Vec<_> =
            running.iter_mut().map(|one| scope.spawn(move || advance(one, until))).collect();
        started
            .into_iter()
            .try_for_each(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Takes one on, unless it was stopped.
fn advance(one: &mut Running<'_>, until: Option<Step>) -> Result<(), SagaError> {
    if one.saga.standing() == Standing::UnderWay {
        one.saga.run(until)?;
    }
    Ok(())
}

fn split(address: &str) -> Option<(String, String)> {
    let (scheme, rest) = address.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some((format!("{scheme}://{host}"), format!("/{path}")))
}

fn summary(emergency: &Emergency) -> String {
    let done = emergency.ended.iter().filter(|ended| ended.is_over()).count();
    let ill = emergency.health.iter().filter(|(_, wrong)| wrong.is_some()).count();
    format!(
        "{done} of {} replaced, {ill} of {} health checks failed",
        emergency.ended.len(),
        emergency.health.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_somebody_else_counts() {
        let approval = |by: &str, word: &str| Approval { by: by.into(), word: word.into() };
        assert_eq!(approval("bob", CONFIRM).check("ada"), Ok(()));
        for (by, word) in
            [("ada", CONFIRM), (" ADA ", CONFIRM), ("", CONFIRM), ("bob", "confirm"), ("bob", "")]
        {
            assert!(approval(by, word).check("ada").is_err(), "{by} {word}");
        }
    }

    #[test]
    fn every_kind_has_its_place_in_the_order() {
        for kind in Kind::ALL {
            assert_eq!(ORDER.iter().filter(|kinds| kinds.contains(kind)).count(), 1, "{kind}");
        }
    }

    #[test]
    fn addresses_are_split_at_the_path() {
        assert_eq!(
            split("https://a.example/health?x=1"),
            Some(("https://a.example".into(), "/health?x=1".into()))
        );
        assert_eq!(split("https://a.example"), Some(("https://a.example".into(), "/".into())));
        assert_eq!(split("a.example"), None);
    }
}
