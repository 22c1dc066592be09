//! What a response leaves in the audit log: one event for each step, each secret that is read, each approval and refusal.

use super::{
    Incident, Mandate, Outcome as End, Saga, SagaError, Step,
    audit::{Action, AuditError, Event, EventType, Outcome, User},
};
use crate::store::SecretPath;

impl From<&Mandate> for User {
    fn from(mandate: &Mandate) -> Self {
        Self { id: mandate.user.clone(), email: mandate.email.clone(), ip_address: mandate.address.clone() }
    }
}

/// An event about an incident, with who acts and why.
pub(super) fn event(kind: EventType, action: Action, mandate: &Mandate, incident: &Incident) -> Event {
    let event = of_mandate(kind, action, mandate)
        .with("incident", &incident.id)
        .with("cause", incident.reason.as_str());
    match incident.subject.path() {
        Some((path, version)) => event.on(&path).with("version", version),
        None => event.with("subject", &incident.subject),
    }
}

/// An event about no single secret.
pub(super) fn of_mandate(kind: EventType, action: Action, mandate: &Mandate) -> Event {
    Event::new(kind, action)
        .by(mandate.into())
        .with_some("ticket", mandate.ticket.as_deref())
        .with_some("role", mandate.role.as_deref())
        .with_some("reason", mandate.reason.as_deref())
}

/// What kind of thing a step is.
fn kind(step: Step) -> EventType {
    match step {
        Step::Check | Step::ProveNew | Step::ProveOld | Step::ProveNext => EventType::Verification,
        Step::Contain | Step::Retire | Step::EndSessions => EventType::Revocation,
        _ => EventType::Rotation,
    }
}

impl Saga<'_> {
    /// A step was taken, or was not.
    pub(super) fn record(&self, step: Step, outcome: Outcome, why: Option<&str>) -> Result<(), SagaError> {
        let event = event(kind(step), Action::step(step.as_str()), self.tools().mandate, self.incident());
        let target = self.target_name();
        self.tools().audit.append(event.result(outcome).with_some("target", target).with_some("why", why))?;
        Ok(())
    }

    /// A secret of the manager was read.
    pub(super) fn record_read(&self, path: &SecretPath, outcome: Outcome) -> Result<(), AuditError> {
        let event =
            event(EventType::SecretAccess, Action::SECRET_READ, self.tools().mandate, self.incident());
        self.tools().audit.append(event.on(path).result(outcome))?;
        Ok(())
    }

    /// The incident is over.
    pub(super) fn record_end(&self, end: End) -> Result<(), SagaError> {
        let (kind, action) = match end {
            End::Revoked => (EventType::Revocation, Action::SECRET_REVOKE),
            _ => (EventType::Rotation, Action::SECRET_ROTATE),
        };
        self.tools().audit.append(event(kind, action, self.tools().mandate, self.incident()))?;
        Ok(())
    }
}
