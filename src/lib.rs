//! hekate

pub mod detect;
pub mod model;
pub mod output;
pub mod rule;
