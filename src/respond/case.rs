//! An incident with all that is needed to act on it: its playbook, its target, and who reads the secret. It says what each step will do.

use serde::{Deserialize, Serialize};

use super::{
    Incident, Playbook, Step, Subject, Tools, consumer,
    kubernetes::NextEnv,
    target::{self, Act, Birth, Target},
};
use crate::{
    inventory::{self, Consumer, Entry, PENDING_FOLDER, Signing},
    model::Secret,
    provider::Role,
    store::SecretPath,
};

/// A value that the manager does not hold, read again from where it was found, with what stood beside it.
#[derive(Debug, Clone)]
pub struct Loose {
    /// The value.
    pub value: Secret,
    /// Ids and users that belong to it.
    pub companions: Vec<(Role, Secret)>,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// Which.
    pub step: Step,
    /// What it does, in words.
    pub says: String,
    /// What is sent, redacted, a line each.
    pub requests: Vec<String>,
    /// What takes it back, where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// Whether there is no way back once it has been done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_return: bool,
}

/// An incident, and what it takes to act on it.
pub struct Case<'a> {
    /// Which.
    pub incident: &'a Incident,
    /// What the inventory says of its secret.
    pub entry: Option<&'a Entry>,
    /// Its steps.
    pub playbook: &'static Playbook,
    /// Where its value is in force, where that is known.
    pub target: Option<Box<dyn Target + 'a>>,
}

impl<'a> Case<'a> {
    /// Opens what an incident is about.
    ///
    /// # Errors
    /// Why it can't be acted on, and what to do about that.
    pub fn open(incident: &'a Incident, tools: &Tools<'a>) -> Result<Self, String> {
        let Subject::Stored { folder, name, .. } = &incident.subject else {
            let target = target::unmanaged(incident, tools)?;
            return Ok(Self { incident, entry: None, playbook: Playbook::revoke(), target: Some(target) });
        };
        let entry = tools.inventory.entry(name).filter(|entry| entry.folder == *folder);
        let entry = entry.ok_or_else(|| {
            format!(
                "{} is not in the inventory; add it there, with its target and consumers",
                incident.subject
            )
        })?;
        let target = target::of_entry(entry, incident, tools)?;
        let is_followed = !matches!(target.as_ref().map(|target| target.birth()), Some(Birth::None));
        let kind = match &entry.playbook {
            Some(inventory::Playbook::Kind(kind)) => *kind,
            _ => entry.kind,
        };
        let playbook = if is_followed { Playbook::of_kind(kind) } else { Playbook::revoke() };
        Ok(Self { incident, entry: Some(entry), playbook, target })
    }

    /// Who makes the new value.
    pub(super) fn birth(&self) -> Birth {
        self.target.as_ref().map_or(Birth::Random, |target| target.birth())
    }

    /// How its signing key is followed by the next one.
    pub(super) fn signing(&self) -> Option<&'a Signing> {
        self.entry.and_then(|entry| entry.signing.as_ref())
    }

    /// Its place in the manager.
    pub(super) fn path(&self) -> Option<(SecretPath, u64)> {
        self.incident.subject.path()
    }

    /// Where the new value is kept until it is in force. The name tells the incident, so that two of them never meet.
    pub(super) fn pending(&self) -> Option<SecretPath> {
        let (path, _) = self.path()?;
        let mark = self.incident.id.to_ascii_uppercase().replace('-', "_");
        Some(SecretPath {
            folder: PENDING_FOLDER.to_owned(),
            name: format!("{}_{mark}", path.name),
            environment: path.environment,
        })
    }

    /// The next names of a signing key: the private and the public half's.
    pub(super) fn next(&self) -> Option<(SecretPath, SecretPath)> {
        let (path, _) = self.path()?;
        let signing = self.signing()?;
        let named = |name: &str| SecretPath { name: name.to_owned(), ..path.clone() };
        Some((named(&signing.next_name), named(&signing.next_public_name)))
    }

    /// Who reads the secret, in the inventory's order.
    pub(super) fn consumers(&self) -> &'a [Consumer] {
        self.entry.map_or(&[], |entry| entry.consumers.as_slice())
    }

    /// The steps that there is something to do for, in order.
    pub fn steps(&self) -> Vec<PlannedStep> {
        self.playbook.steps.iter().filter_map(|step| self.step(*step)).collect()
    }

    fn step(&self, step: Step) -> Option<PlannedStep> {
        let requests = self.requests(step)?;
        let text = step.text();
        Some(PlannedStep {
            step,
            says: text.says.clone(),
            requests,
            undo: text.undo.clone().filter(|_| !self.playbook.is_final(step)),
            no_return: self.playbook.no_return == step,
        })
    }

    /// What a step sends; `None` where there is nothing to do.
    fn requests(&self, step: Step) -> Option<Vec<String>> {
        let lines = match step {
            step if self.incident.at_once && step.is_of_two_keys() => return None,
            Step::Check => self.to_check(),
            Step::Contain => self.act(Act::Contain).filter(|_| self.is_contained_first())?,
            Step::Release => self.act(Act::Release).filter(|_| self.is_released())?,
            Step::Keep => self.to_keep()?,
            Step::Introduce => self.act(Act::Introduce)?,
            Step::PublishNext => {
                let (private, public) = self.next()?;
                vec![format!("manager: write {private}"), format!("manager: write {public}")]
            }
            Step::DropNext => {
                let (private, public) = self.next()?;
                vec![format!("manager: remove {private}"), format!("manager: remove {public}")]
            }
            Step::Grace => vec![format!("wait {}", self.grace()?)],
            Step::ProveNext => vec![format!("GET {}", self.signing()?.jwks_url.as_ref()?)],
            Step::Promote => {
                let (path, version) = self.path()?;
                vec![format!("manager: write {path} (version {} follows {version})", version + 1)]
            }
            Step::Sync | Step::SyncNext => some(consumer::sync_requests(self.consumers()))?,
            Step::Restart | Step::RestartNext => {
                some(consumer::restart_requests(self.consumers(), self.next_env(step)))?
            }
            Step::ProveNew => self.proof("the new value: has to be accepted")?,
            Step::ProveOld => self.proof("the old value: has to be refused")?,
            Step::Retire => self.retirement()?,
            Step::EndSessions => self.act(Act::EndSessions)?,
            Step::Tidy => self.pending().map(|path| format!("manager: remove {path}")).into_iter().collect(),
        };
        Some(lines)
    }

    /// What a restart does with the next key of signers.
    fn next_env(&self, step: Step) -> Option<NextEnv<'a>> {
        let name = self.signing().filter(|_| !self.incident.at_once)?.next_name.as_str();
        Some(if step == Step::RestartNext { NextEnv::Given(name) } else { NextEnv::Taken(name) })
    }

    fn act(&self, act: Act) -> Option<Vec<String>> {
        self.target.as_ref()?.requests(act)
    }

    /// What the old value is made invalid by: a target that only can contain retires by that.
    fn retirement(&self) -> Option<Vec<String>> {
        self.act(Act::Retire)
    }

    fn to_check(&self) -> Vec<String> {
        let read = self.path().map(|(path, version)| format!("manager: read {path} (version {version})"));
        let again = self.path().is_none().then(|| "read the value again from where it was found".to_owned());
        let target = self.act(Act::Check).unwrap_or_default();
        read.into_iter()
            .chain(again)
            .chain(target)
            .chain(consumer::check_requests(self.consumers()))
            .collect()
    }

    fn to_keep(&self) -> Option<Vec<String>> {
        let made = match self.birth() {
            Birth::Random => "make 256 random bits".to_owned(),
            Birth::KeyPair(signing) => format!("make a key pair for {}", signing.algorithm),
            Birth::Issued => format!("{}: make a new value", self.target.as_ref()?.name()),
            Birth::Person { page, what } => {
                let page = page.map(|page| format!(" ({page})")).unwrap_or_default();
                format!("a person: {what}{page}")
            }
            Birth::None => return None,
        };
        Some(vec![made, format!("manager: write {}", self.pending()?)])
    }

    fn proof(&self, what: &str) -> Option<Vec<String>> {
        let target = self.target.as_ref().filter(|target| target.can_tell())?;
        Some(vec![format!("{}: try {what}", target.name())])
    }

    /// Whether the value is switched off before anything follows it: where a person wishes it, or has to make the new one.
    fn is_contained_first(&self) -> bool {
        let waits = matches!(self.birth(), Birth::Person { .. });
        self.incident.contain || (self.incident.reason.is_leak() && waits)
    }

    /// Whether a containment is taken back once the new value is in force: that of an account is, that of a value is not.
    fn is_released(&self) -> bool {
        self.incident.contain && self.playbook.steps.contains(&Step::Release)
    }

    /// How long tokens of the old key live; nothing where all are to be refused at once.
    pub(super) fn grace(&self) -> Option<inventory::Period> {
        self.signing().map(|signing| signing.grace).filter(|_| !self.incident.at_once)
    }

    /// What a person has to do beside, and what nobody will prove.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.target.is_none() && self.path().is_some() {
            remarks.push(
                "no target in the inventory: nothing tells whether the old value is still accepted".into(),
            );
        }
        if let Some(target) = self.target.as_ref().filter(|target| !target.can_tell()) {
            remarks.push(format!(
                "{} can't be asked whether a value is accepted: nothing is proved",
                target.name()
            ));
        }
        if self.path().is_some() && self.consumers().is_empty() {
            remarks
                .push("no consumers in the inventory: whoever reads it has to be restarted by hand".into());
        }
        if let Birth::Person { page, what } = self.birth() {
            let page = page.map(|page| format!(" on {page}")).unwrap_or_default();
            remarks.push(if self.playbook.steps.contains(&Step::Keep) {
                format!("{what}{page}; then `hekate respond resume {}`", self.incident.id)
            } else {
                format!("nothing follows it: whoever used it needs another{page}")
            });
        }
        if self.entry.is_some_and(|entry| entry.playbook == Some(inventory::Playbook::Manual)) {
            remarks.push("a person changes the target; hekate stores the value, waits, and proves it".into());
        }
        remarks
    }
}

fn some(lines: Vec<String>) -> Option<Vec<String>> {
    (!lines.is_empty()).then_some(lines)
}
