//! Response: from a confirmed finding to a dead secret, with nobody locked out and nothing lost.
//!
//! Findings, secrets of the inventory, or what is due come in; a plan goes out. The approved plan comes in; each secret is replaced by its
//! playbook, step by step, with a journal to go on from, proof at the end, and an audit record of everything. This room knows of no
//! command line and of no config file: the inventory, the store, the clock and all that sends are handed to it.

pub mod audit;
pub mod kubernetes;
pub mod notify;
mod policy;
mod program;
pub mod signing;
mod state;
pub mod target;

pub use policy::{AutoPolicy, RespondOptions};
pub use program::{Program, ProgramError};
pub use state::{Lock, State, StateError};
