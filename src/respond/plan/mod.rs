//! Plans: what would be done about which secrets, and for how long that holds.
//!
//! A plan names all that it was made from, and is authenticated under a key of the state folder (or `HEKATE_KEY`): who applies it derives
//! every step anew and refuses what no longer fits. It holds no value.

mod draft;

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Case, Incident, PlannedStep, Tools};

pub use draft::{Desk, Draft, DraftError};

/// Name and version of the plan's JSON form.
const SCHEMA: &str = "hekate.plan/1";
/// A plan is good for so long, in seconds.
pub const LIFE: i64 = 3_600;
/// Two clocks may differ by so much, in seconds.
const SKEW: i64 = 60;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names the form: `hekate.plan/1`.
    pub schema: String,
    /// When it was made, seconds since 1970.
    pub created: i64,
    /// Who made it.
    pub by: String,
    /// SHA-256 of the inventory, in hexadecimal digits.
    pub inventory: String,
    /// Which manager.
    pub store: String,
    /// What is to be done, in order.
    pub incidents: Vec<Planned>,
    /// What nothing is planned for, and why.
    pub passed_over: Vec<PassedOver>,
    /// HMAC-SHA-256 of all that, in hexadecimal digits.
    pub mac: String,
}

/// What is to be done about one secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Which.
    pub incident: Incident,
    /// By which playbook.
    pub playbook: String,
    /// Where its value is in force, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who reads it.
    pub consumers: Vec<String>,
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// What remains for a person, and what nobody proves.
    pub remarks: Vec<String>,
}

/// Something that nothing is planned for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassedOver {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The key that plans are authenticated under.
pub struct PlanKey(Zeroizing<[u8; 32]>);

impl PlanKey {
    /// The purpose that it is derived for.
    pub const PURPOSE: &[u8] = b"hekate plan v1";

    /// Takes a derived key.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    fn mac(&self, plan: &Plan) -> Hmac<Sha256> {
        let bare = Plan { mac: String::new(), ..plan.clone() };
        let bytes = serde_json::to_vec(&bare).expect("a plan is made of plain values");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        mac.update(&bytes);
        mac
    }
}

/// A plan that can't be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It is none.
    #[error("this is no plan of hekate: {0}")]
    NoPlan(String),
    /// Made under another key, or changed.
    #[error(
        "the plan was changed, or made under another key (HEKATE_KEY, or that of --state): make it again"
    )]
    Forged,
    /// Too old.
    #[error("the plan is {0} minutes old, and good for 60: make it again")]
    Old(i64),
    /// From the future.
    #[error("the plan was made {0} seconds from now: look at the clocks")]
    Early(i64),
    /// Something that it was made from is another now.
    #[error("the plan was made with another {0}: make it again")]
    Other(&'static str),
    /// Its steps are others now.
    #[error("{0}: other steps would be taken now than the plan says; make it again")]
    Steps(String),
}

impl Plan {
    /// Makes a plan of a draft. What can't be acted on is passed over, with its reason.
    pub fn new(draft: Draft, tools: &Tools<'_>, key: &PlanKey) -> Self {
        let mut plan = Self {
            schema: SCHEMA.to_owned(),
            created: tools.clock.now(),
            by: tools.mandate.user.clone(),
            inventory: digest(tools),
            store: tools.store.name(),
            incidents: Vec::new(),
            passed_over: draft.passed_over,
            mac: String::new(),
        };
        for incident in draft.incidents {
            match planned(&incident, tools) {
                Ok(planned) => plan.incidents.push(planned),
                Err(why) => plan.passed_over.push(PassedOver { what: incident.subject.to_string(), why }),
            }
        }
        plan.seal(key);
        plan
    }

    fn seal(&mut self, key: &PlanKey) {
        let tag = key.mac(self).finalize().into_bytes();
        self.mac = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    }

    /// Reads a plan that was made under this key.
    ///
    /// # Errors
    /// [`PlanError::NoPlan`], [`PlanError::Forged`].
    pub fn read(bytes: &[u8], key: &PlanKey) -> Result<Self, PlanError> {
        let plan: Self =
            serde_json::from_slice(bytes).map_err(|error| PlanError::NoPlan(error.to_string()))?;
        if plan.schema != SCHEMA {
            return Err(PlanError::NoPlan(format!("its schema is not {SCHEMA}")));
        }
        let digits: Vec<u8> = plan.mac.as_bytes().to_vec();
        let tag: Option<Vec<u8>> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let tag = tag.ok_or(PlanError::Forged)?;
        key.mac(&plan).verify_slice(&tag).map_err(|_| PlanError::Forged)?;
        Ok(plan)
    }

    /// Whether it still holds: its age, and what it was made from.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn holds(&self, tools: &Tools<'_>) -> Result<(), PlanError> {
        let age = tools.clock.now() - self.created;
        if age > LIFE {
            return Err(PlanError::Old(age / 60));
        }
        if age < -SKEW {
            return Err(PlanError::Early(-age));
        }
        if self.inventory != digest(tools) {
            return Err(PlanError::Other("inventory"));
        }
        if self.store != tools.store.name() {
            return Err(PlanError::Other("secret manager"));
        }
        for own in &self.incidents {
            let now = planned(&own.incident, tools);
            if now.as_ref() != Ok(own) {
                return Err(PlanError::Steps(own.incident.subject.to_string()));
            }
        }
        Ok(())
    }

    /// How many incidents there are in each environment; those of none under `-`.
    pub fn environments(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for planned in &self.incidents {
            *counts.entry(planned.incident.subject.environment().unwrap_or("-")).or_default() += 1;
        }
        counts
    }
}

fn digest(tools: &Tools<'_>) -> String {
    tools.inventory.digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What would be done about an incident.
fn planned(incident: &Incident, tools: &Tools<'_>) -> Result<Planned, String> {
    let case = Case::open(incident, tools)?;
    let consumer = |consumer: &crate::inventory::Consumer| super::consumer::named(consumer);
    Ok(Planned {
        incident: incident.clone(),
        playbook: case.playbook.name.clone(),
        target: case.target.as_ref().map(|target| target.name()),
        consumers: case.consumers().iter().map(consumer).collect(),
        steps: case.steps(),
        remarks: case.remarks(),
    })
}
