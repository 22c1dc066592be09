//! Response: from a confirmed finding to a dead secret, with nobody locked out and nothing lost.
//!
//! Findings, secrets of the inventory, or what is due come in; a plan goes out. The approved plan comes in; each secret is replaced by its
//! playbook, step by step, with a journal to go on from, proof at the end, and an audit record of everything. This room knows of no
//! command line and of no config file: the inventory, the store, the clock and all that sends are handed to it.

pub mod audit;
mod bulk;
mod case;
mod clock;
mod consumer;
mod emergency;
mod guard;
mod incident;
mod journal;
pub mod kubernetes;
pub mod notify;
mod plan;
mod playbook;
mod policy;
mod program;
mod progress;
mod record;
mod run;
mod saga;
pub mod signing;
mod state;
pub mod target;
mod tools;

pub use case::{Case, Loose, PlannedStep};
pub use clock::{CONTAIN_WITHIN, Clock, Clocks, ROTATE_WITHIN};
pub use consumer::Delivery;
pub use emergency::{Approval, CONFIRM, Emergency};
pub use guard::{MOST_CHANGES, Refusal, Selection};
pub use incident::{Found, Incident, Reason, Subject, is_incident_id};
pub use journal::{Event, Journal, JournalError, Mark, Outcome, Record, Wait};
pub use plan::{Desk as DraftDesk, Draft, DraftError, LIFE, PassedOver, Plan, PlanError, PlanKey, Planned};
pub use playbook::{Playbook, Step, StepText};
pub use policy::{AutoPolicy, RespondOptions};
pub use program::Program;
pub use progress::{Progress, Standing};
pub use run::{Desk, Ended, Known, RunError, dismiss, known, left_for_a_person};
pub use saga::{Saga, SagaError};
pub use state::{Lock, State, StateError};
pub use tools::{Clock as Time, Mandate, Phase, Recover, SystemClock, Tools, Watch};
