//! What a response works with, handed in by whoever starts it.

use std::time::Duration;

use super::{Incident, Loose, Step, audit::AuditLog, consumer::Delivery, target::Means};
use crate::{
    inventory::Inventory,
    model::{Finding, Secret, Source},
    store::{Store, Tokens},
};

/// Reads the value of a finding again.
pub type Recover<'a> = &'a (dyn Fn(&Finding, &Source) -> Result<Loose, String> + Sync);

/// What a response works with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The secret manager.
    pub store: &'a dyn Store,
    /// What it should hold, and who reads it.
    pub inventory: &'a Inventory,
    /// What targets act with.
    pub means: Means<'a>,
    /// How consumers are reached.
    pub delivery: &'a Delivery<'a>,
    /// Credentials of the manager itself, where it is Infisical.
    pub tokens: Option<&'a Tokens>,
    /// Reads values again that the manager does not hold.
    pub recover: Recover<'a>,
    /// Where everything is recorded.
    pub audit: &'a AuditLog,
    /// Who acts, in which role, and why.
    pub mandate: &'a Mandate,
    /// What time it is, and how one waits.
    pub clock: &'a dyn Clock,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

/// On whose behalf something is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mandate {
    /// The name of who acts.
    pub user: String,
    /// An address to reach them.
    pub email: Option<String>,
    /// Where they are logged in from.
    pub address: Option<String>,
    /// In which role of the inventory.
    pub role: Option<String>,
    /// The id that people know the matter by.
    pub ticket: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// A new value that a person gives.
    pub given: Option<Secret>,
}

/// The time, and waiting.
pub trait Clock: Sync {
    /// Seconds since 1970.
    fn now(&self) -> i64;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// How long a step may wait for a time that was set: longer is left to a later run.
    fn patience(&self) -> Duration;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock {
    /// See [`Clock::patience`].
    pub patience: Duration,
}

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

/// What happens to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It is about to be taken; the journal says so.
    Begun,
    /// It was taken, and the journal does not say so yet.
    Acted,
    /// It was taken; the journal says so.
    Done(Vec<String>),
    /// It did not go well.
    Failed(String),
    /// It waits for something.
    Waiting(String),
    /// It was taken back.
    Undone,
}

/// Somebody who watches steps being taken.
pub trait Watch: Sync {
    /// A step has come to a phase.
    fn step(&self, incident: &Incident, step: Step, phase: &Phase);
}
