//! Playbooks: which steps replace a secret of some kind, in which order. They are data; what a step does is the saga's.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::{
    inventory::{Kind, words},
    rule::{TomlError, read_toml},
};

words! {
    /// A step of a playbook.
    Step {
        /// Look whether everything can be changed.
        Check = "check",
        /// Take the value out of service at once.
        Contain = "contain",
        /// Make the new value and keep it in the manager's pending folder.
        Keep = "keep",
        /// Make the new value valid at the target.
        Introduce = "introduce",
        /// Store the next key beside the old one.
        PublishNext = "publish-next",
        /// Sync what consumers read, with the next key.
        SyncNext = "sync-next",
        /// Restart consumers, with the next key.
        RestartNext = "restart-next",
        /// See that the next key is published.
        ProveNext = "prove-next",
        /// Wait until tokens of the old key have expired.
        Grace = "grace",
        /// Store the new value under its name.
        Promote = "promote",
        /// Remove the next names.
        DropNext = "drop-next",
        /// Take the containment of an account back.
        Release = "release",
        /// Sync what consumers read.
        Sync = "sync",
        /// Restart consumers.
        Restart = "restart",
        /// See that the new value is accepted.
        ProveNew = "prove-new",
        /// Make the old value invalid.
        Retire = "retire",
        /// End sessions of the old value.
        EndSessions = "end-sessions",
        /// See that the old value is refused.
        ProveOld = "prove-old",
        /// Remove what was kept for the change.
        Tidy = "tidy",
    }
}

/// What a step is, in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// Which.
    pub name: Step,
    /// What it does.
    pub says: String,
    /// What takes it back, where something does.
    pub undo: Option<String>,
}

/// The steps for some kinds of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// Kinds that are replaced by it.
    kinds: Vec<Kind>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Once this step has been done the rest is finished; before, what was done is taken back if something fails.
    pub no_return: Step,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    step: Vec<StepText>,
    playbook: Vec<Playbook>,
}

fn book() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let parsed: Result<Book, TomlError> = read_toml("playbooks.toml", include_str!("playbooks.toml"));
        parsed.expect("a test parses the built-in playbooks")
    })
}

impl Playbook {
    /// How secrets of a kind are replaced.
    pub fn of_kind(kind: Kind) -> &'static Self {
        let found = book().playbook.iter().find(|playbook| playbook.kinds.contains(&kind));
        found.expect("a test finds one for every kind")
    }

    /// How a secret is taken out of service that the manager does not hold.
    pub fn revoke() -> &'static Self {
        let found = book().playbook.iter().find(|playbook| playbook.name == "revoke");
        found.expect("a test finds it")
    }

    /// Whether a step stands behind the point of no return, or is it.
    pub fn is_final(&self, step: Step) -> bool {
        let at = |step: Step| self.steps.iter().position(|own| *own == step);
        at(step) >= at(self.no_return)
    }
}

impl Step {
    /// Whether it is there for two signing keys to be accepted side by side.
    pub fn is_of_two_keys(self) -> bool {
        matches!(
            self,
            Self::PublishNext
                | Self::SyncNext
                | Self::RestartNext
                | Self::ProveNext
                | Self::Grace
                | Self::DropNext
        )
    }

    /// What it does, in words, and what takes it back.
    pub fn text(self) -> &'static StepText {
        book().step.iter().find(|text| text.name == self).expect("a test finds one for every step")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_playbook_and_every_step_its_text() {
        for kind in Kind::ALL {
            let having = book().playbook.iter().filter(|playbook| playbook.kinds.contains(kind)).count();
            assert_eq!(having, 1, "{kind}");
        }
        for step in Step::ALL {
            assert_eq!(book().step.iter().filter(|text| text.name == *step).count(), 1, "{step}");
        }
        assert_eq!(Playbook::revoke().no_return, Step::Retire);
    }

    #[test]
    fn playbooks_are_consistent() {
        for playbook in &book().playbook {
            let mut seen = Vec::new();
            for step in &playbook.steps {
                assert!(!seen.contains(step), "{}: {step} stands twice", playbook.name);
                seen.push(*step);
            }
            assert!(seen.contains(&playbook.no_return), "{}", playbook.name);
            // What is kept for the change is removed, and nothing is believed without a proof.
            assert_eq!(seen.contains(&Step::Keep), seen.contains(&Step::Tidy), "{}", playbook.name);
            assert!(seen.contains(&Step::ProveOld), "{}", playbook.name);
        }
    }

    #[test]
    fn the_point_of_no_return_divides_the_steps() {
        let playbook = Playbook::of_kind(Kind::DatabasePassword);
        assert!(!playbook.is_final(Step::Introduce));
        assert!(playbook.is_final(Step::Promote) && playbook.is_final(Step::Restart));
    }
}
