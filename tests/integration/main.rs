//! What a user sees of hekate, and how its house is built: one binary, a file per topic, one harness.

mod architecture;
mod demo;
mod determinism;
mod harness;
mod history;
mod hostile;
mod pieces;
mod readme;
mod scan;
mod secrets;
mod staged;
mod triage;
