//! Git history: every version of every file, each matched once.
mod census;
mod walk;
