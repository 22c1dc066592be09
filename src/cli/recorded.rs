//! What commands that only read leave in the audit log: which secrets were read, and which were asked about.
//!
//! A state folder that the user named has to take it. The usual one may not be there to be written, in a container say: that is said, and
//! keeps nobody from reading.

use std::path::Path;

use anyhow::Result;

use super::{respond::open::StateDesk, sink};
use crate::{
    config::Trusted,
    model::{Evidence, Finding, Report},
    respond::audit::{Action, Event, EventType, Outcome},
    store::SecretPath,
};

/// Where it is recorded, as flags and trusted config say.
pub(super) struct Place<'a> {
    pub(super) state: Option<&'a Path>,
    pub(super) trusted: &'a Trusted,
}

impl Place<'_> {
    fn write(&self, events: Vec<Event>) -> Result<()> {
        let write = || -> Result<()> {
            let desk = StateDesk::of_reader(self.state, self.trusted)?;
            events.into_iter().try_for_each(|event| desk.audit.append(event).map(drop))?;
            Ok(())
        };
        let is_named = self.state.is_some() || self.trusted.respond.state.is_some();
        match write() {
            Err(error) if !is_named => {
                sink::warn(&format!("warning: not recorded in the audit log: {error:#}"));
                Ok(())
            }
            other => other,
        }
    }

    /// All values of these environments were read from a manager.
    pub(super) fn pulled(&self, store: &str, environments: &[(String, u64)]) -> Result<()> {
        let event = |(environment, count): &(String, u64)| {
            let everything =
                SecretPath { environment: environment.clone(), folder: "/".into(), name: "*".into() };
            Event::new(EventType::SecretAccess, Action::SECRET_READ)
                .on(&everything)
                .with("store", store)
                .with("values", count)
        };
        self.write(environments.iter().map(event).collect())
    }

    /// Providers were asked about these findings.
    pub(super) fn verified(&self, report: &Report) -> Result<()> {
        let events: Vec<Event> = report.findings.iter().filter_map(asked).collect();
        if events.is_empty() { Ok(()) } else { self.write(events) }
    }
}

/// Who was asked about a finding, and what they said.
fn asked(finding: &Finding) -> Option<Event> {
    let answer = finding.evidence.iter().rev().find_map(|evidence| match evidence {
        Evidence::Provider { name, verdict, .. } => Some((name, verdict)),
        _ => None,
    });
    let (provider, verdict) = answer?;
    let event = Event::new(EventType::Verification, Action::SECRET_VERIFY)
        .result(Outcome::Success)
        .with("provider", provider)
        .with("verdict", verdict)
        .with("rule", &finding.rule)
        .with("fingerprint", finding.fingerprint);
    let place = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Inventory { environment, path, .. } => {
            let (folder, name) = path.rsplit_once('/')?;
            Some(SecretPath {
                environment: environment.clone(),
                folder: folder.to_owned(),
                name: name.to_owned(),
            })
        }
        _ => None,
    });
    Some(match place {
        Some(place) => event.on(&place),
        None => event,
    })
}
