//! What has to hold before anything is changed.

use super::{Incident, Mandate, Plan, Planned, Subject};
use crate::inventory::{Inventory, Permission, is_production};

/// So many secrets are changed in one run, unless somebody says otherwise.
pub const MOST_CHANGES: usize = 5;

/// Which part of a plan is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Environments that are meant; empty for all but production.
    pub environments: Vec<String>,
    /// Ids or names of the only incidents that are meant; empty for all.
    pub only: Vec<String>,
    /// Ids or names of incidents that are not.
    pub skip: Vec<String>,
    /// How many may be changed.
    pub most: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { environments: Vec::new(), only: Vec::new(), skip: Vec::new(), most: MOST_CHANGES }
    }
}

/// Why nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Production was not spelled out.
    #[error("{0} is in production: say --environment {1} if that is meant, or leave it out with --skip")]
    Production(String, String),
    /// Too many.
    #[error(
        "{0} secrets would be changed, and {1} may be in one run: choose some with --only, or say --max-changes {0}"
    )]
    TooMany(usize, usize),
    /// A name that the plan does not have.
    #[error("the plan has no `{0}`: it has {1}")]
    NoSuch(String, String),
    /// Nothing is left.
    #[error("nothing of the plan is chosen")]
    Nothing,
    /// No role was said.
    #[error("say in which --role: the inventory has {0}")]
    NoRole(String),
    /// A role that the inventory does not have.
    #[error("the inventory has no role `{0}`: it has {1}")]
    UnknownRole(String, String),
    /// The role may not do this.
    #[error("the role {role} may not {what} {subject}")]
    Forbidden {
        /// Which role.
        role: String,
        /// What.
        what: &'static str,
        /// Which secret.
        subject: String,
    },
}

impl Selection {
    /// The incidents that are meant.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn of<'p>(&self, plan: &'p Plan) -> Result<Vec<&'p Planned>, Refusal> {
        for name in self.only.iter().chain(&self.skip) {
            if !plan.incidents.iter().any(|planned| is_named(&planned.incident, name)) {
                let known: Vec<String> =
                    plan.incidents.iter().map(|planned| label(&planned.incident)).collect();
                return Err(Refusal::NoSuch(name.clone(), known.join(", ")));
            }
        }
        let chosen: Vec<&Planned> =
            plan.incidents.iter().filter(|planned| self.chooses(&planned.incident)).collect();
        for planned in &chosen {
            let environment = planned.incident.subject.environment().unwrap_or_default();
            if is_production(environment) && !self.environments.iter().any(|own| own == environment) {
                return Err(Refusal::Production(
                    planned.incident.subject.to_string(),
                    environment.to_owned(),
                ));
            }
        }
        match chosen.len() {
            0 => Err(Refusal::Nothing),
            count if count > self.most => Err(Refusal::TooMany(count, self.most)),
            _ => Ok(chosen),
        }
    }

    fn chooses(&self, incident: &Incident) -> bool {
        let is_meant = self.only.is_empty() || self.only.iter().any(|name| is_named(incident, name));
        let is_left_out = self.skip.iter().any(|name| is_named(incident, name));
        let environment = incident.subject.environment();
        let is_there = self.environments.is_empty()
            || environment.is_none_or(|environment| self.environments.iter().any(|own| own == environment));
        is_meant && !is_left_out && is_there
    }
}

/// By its id, its name, or its whole place.
fn is_named(incident: &Incident, name: &str) -> bool {
    let own = match &incident.subject {
        Subject::Stored { name, .. } => Some(name.as_str()),
        Subject::Unmanaged { .. } => None,
    };
    incident.id == name || own == Some(name) || incident.subject.to_string() == name
}

fn label(incident: &Incident) -> String {
    format!("{} ({})", incident.id, incident.subject)
}

/// Whether a role may change this secret: a guard rail beside what the manager enforces, and no authentication.
///
/// # Errors
/// See [`Refusal`].
pub(super) fn permits(inventory: &Inventory, mandate: &Mandate, incident: &Incident) -> Result<(), Refusal> {
    if inventory.policies.is_empty() {
        return Ok(());
    }
    let known =
        || inventory.policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
    let role = mandate.role.as_deref().ok_or_else(|| Refusal::NoRole(known()))?;
    let policy = inventory.policy(role).ok_or_else(|| Refusal::UnknownRole(role.to_owned(), known()))?;
    let forbidden =
        |what| Refusal::Forbidden { role: role.to_owned(), what, subject: incident.subject.to_string() };
    let Some((path, _)) = incident.subject.path() else {
        // What no path names is for who may change secrets at all.
        let may = policy
            .permissions
            .iter()
            .any(|permission| matches!(permission, Permission::Write | Permission::Admin));
        return if may { Ok(()) } else { Err(forbidden("revoke")) };
    };
    for (permission, what) in [(Permission::Read, "read"), (Permission::Write, "change")] {
        if !policy.allows(&path.environment, &path.in_environment(), permission) {
            return Err(forbidden(what));
        }
    }
    Ok(())
}
