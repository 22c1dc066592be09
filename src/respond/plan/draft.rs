//! Which incidents there are: from findings, from names, from the calendar, or all of an environment.

use jiff::civil::Date;

use super::PassedOver;
use crate::{
    inventory::{self, Entry, Holdings, Inventory, State, Trigger},
    model::{Evidence, Finding, Report, Source, Verdict},
    respond::{Found, Incident, Reason, Subject},
    store::{SecretPath, Store, StoreError},
};

/// Incidents that were found, and what was looked at and is none.
#[derive(Debug, Default)]
pub struct Draft {
    /// One for each secret.
    pub incidents: Vec<Incident>,
    /// What none was made of.
    pub passed_over: Vec<PassedOver>,
}

/// What drafts are made from.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The manager.
    pub store: &'a dyn Store,
    /// What it should hold.
    pub inventory: &'a Inventory,
    /// The time, in seconds since 1970.
    pub now: i64,
}

impl Desk<'_> {
    /// The confirmed findings of a report.
    ///
    /// # Errors
    /// A manager that can't be asked.
    pub fn of_report(&self, report: &Report) -> Result<Draft, StoreError> {
        let mut draft = Draft::default();
        for finding in &report.findings {
            match finding.verdict.as_ref().filter(|verdict| verdict.is_confirmed()) {
                Some(verdict) => self.of_finding(finding, verdict, &report.source, &mut draft)?,
                None => draft.pass_over(shown(finding), unconfirmed(finding.verdict.as_ref())),
            }
        }
        Ok(draft)
    }

    fn of_finding(
        &self,
        finding: &Finding,
        verdict: &Verdict,
        source: &Source,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let found = Found::of(finding, verdict);
        let mut is_managed = false;
        for evidence in &finding.evidence {
            let Evidence::Inventory { environment, path, version, current: true, .. } = evidence else {
                continue;
            };
            is_managed = true;
            let Some(path) = located(environment, path) else {
                draft.pass_over(shown(finding), format!("`{path}` is no place in the manager"));
                continue;
            };
            match self.version(&path)? {
                Some(now) if now == *version => {
                    let incident = self.incident(Subject::stored(&path, now), Reason::Leak);
                    draft.add(Incident { found: Some(found.clone()), ..incident });
                }
                Some(now) => draft.pass_over(
                    path.to_string(),
                    format!(
                        "version {version} was found, and version {now} is in force: it was replaced since"
                    ),
                ),
                None => draft.pass_over(path.to_string(), "the manager does not hold it any more".into()),
            }
        }
        if !is_managed {
            let subject =
                Subject::Unmanaged { finding: Box::new(without_value(finding)), source: source.clone() };
            draft.add(Incident { found: Some(found), ..self.incident(subject, Reason::Leak) });
        }
        Ok(())
    }

    /// A secret by its name: `ENV:/path/NAME`.
    ///
    /// # Errors
    /// Why there is no such secret, in words; or a manager that can't be asked.
    pub fn of_name(&self, name: &str) -> Result<Draft, DraftError> {
        let path = name.split_once(':').and_then(|(environment, path)| located(environment, path));
        let path = path.ok_or_else(|| DraftError::NoPath(name.escape_default().to_string()))?;
        let version = self.version(&path)?.ok_or_else(|| DraftError::NotThere(path.to_string()))?;
        let mut draft = Draft::default();
        draft.add(self.incident(Subject::stored(&path, version), Reason::Request));
        Ok(draft)
    }

    /// What is past its rotation date, or inside its notice.
    ///
    /// # Errors
    /// A manager that can't be asked.
    pub fn of_schedule(&self, environments: &[String], today: Date) -> Result<Draft, StoreError> {
        let holdings = Holdings::read(self.store, self.inventory, environments)?;
        let review = inventory::due(self.inventory, &holdings, today);
        let mut draft = Draft::default();
        for secret in review.secrets {
            let name = format!("{}:{}", secret.environment, secret.path);
            match (secret.state, secret.trigger) {
                (State::Fine, _) => {}
                (State::Unknown, _) => {
                    draft.pass_over(name, "the manager does not say when it was written".into());
                }
                (_, Trigger::Manual) => {
                    let why = format!("due, and started by a person: plan it with --secret {name}");
                    draft.pass_over(name, why);
                }
                _ => {
                    let path = located(&secret.environment, &secret.path);
                    let subject = path.map(|path| Subject::stored(&path, secret.version));
                    draft.extend(subject.map(|subject| self.incident(subject, Reason::Due)));
                }
            }
        }
        let unread =
            review.unread.into_iter().map(|unread| PassedOver { what: unread.path, why: unread.why });
        draft.passed_over.extend(unread);
        Ok(draft)
    }

    /// Everything that the inventory has in an environment, in its order.
    ///
    /// # Errors
    /// A manager that can't be asked.
    pub fn of_environment(&self, environment: &str) -> Result<Draft, StoreError> {
        let mut draft = Draft::default();
        for entry in self.inventory.entries.iter().filter(|entry| entry.is_in(environment)) {
            let path = Entry::in_environment(entry, environment);
            match self.version(&path)? {
                Some(version) => {
                    let incident = self.incident(Subject::stored(&path, version), Reason::Emergency);
                    draft.add(Incident { at_once: true, ..incident });
                }
                None => draft.pass_over(path.to_string(), "the manager does not hold it".into()),
            }
        }
        Ok(draft)
    }

    fn version(&self, path: &SecretPath) -> Result<Option<u64>, StoreError> {
        Ok(self.store.read(path, None)?.map(|stored| stored.version))
    }

    fn incident(&self, subject: Subject, reason: Reason) -> Incident {
        Incident::new(subject, reason, &self.store.name(), self.now)
    }
}

/// A secret that can't be planned for.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Text that names none.
    #[error("`{0}` is no secret: write ENVIRONMENT:/folder/NAME")]
    NoPath(String),
    /// One that is not there.
    #[error("the manager has no {0}")]
    NotThere(String),
    /// A manager that can't be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Draft {
    /// Adds an incident, unless the same secret is there already: two values of a report can mean the same name.
    fn add(&mut self, incident: Incident) {
        if self.incidents.iter().all(|known| known.id != incident.id) {
            self.incidents.push(incident);
        }
    }

    /// Adds all of another draft.
    pub fn join(&mut self, other: Self) {
        other.incidents.into_iter().for_each(|incident| self.add(incident));
        self.passed_over.extend(other.passed_over);
    }

    fn extend(&mut self, incident: Option<Incident>) {
        incident.into_iter().for_each(|incident| self.add(incident));
    }

    fn pass_over(&mut self, what: String, why: String) {
        self.passed_over.push(PassedOver { what, why });
    }
}

/// `/infrastructure/POSTGRES_PASSWORD` of an environment.
fn located(environment: &str, path: &str) -> Option<SecretPath> {
    let (folder, name) = path.rsplit_once('/')?;
    let folder = if folder.is_empty() { "/" } else { folder };
    let is_path = folder.starts_with('/') && !name.is_empty() && !environment.is_empty();
    is_path.then(|| SecretPath { environment: environment.into(), folder: folder.into(), name: name.into() })
}

fn shown(finding: &Finding) -> String {
    let place = finding.occurrences.first().map(|place| format!(" in {}", place.path)).unwrap_or_default();
    format!("{} {}{place}", finding.rule, finding.secret.redacted)
}

fn unconfirmed(verdict: Option<&Verdict>) -> String {
    match verdict {
        None => "nobody was asked about it: scan with --index, or run `hekate verify`".into(),
        Some(Verdict::Retired) => "it is an older value, which was replaced".into(),
        Some(verdict) => format!("not confirmed: {verdict}"),
    }
}

/// A plan holds no value, even where its report does.
fn without_value(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    finding.secret.value = None;
    for place in &mut finding.occurrences {
        place.matched = None;
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_the_manager_are_read_as_people_write_them() {
        let path = located("production", "/a/b/NAME").unwrap();
        assert_eq!((path.folder.as_str(), path.name.as_str()), ("/a/b", "NAME"));
        assert_eq!(located("production", "/NAME").unwrap().folder, "/");
        for (environment, path) in
            [("production", "NAME"), ("production", "/a/"), ("", "/a/NAME"), ("x", "a/NAME")]
        {
            assert_eq!(located(environment, path), None, "{environment}:{path}");
        }
    }
}
