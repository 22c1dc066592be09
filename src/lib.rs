//! hekate

pub mod detect;
pub mod model;
pub mod rule;
