//! hekate

pub mod cli;
pub mod config;
pub mod detect;
pub mod model;
pub mod output;
pub mod prove;
pub mod rule;
pub mod scan;
pub mod source;
pub mod triage;
