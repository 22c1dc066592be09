//! Git history: every version of every file, each matched once.
mod blob;
mod census;
mod closure;
mod exposure;
mod graph;
mod stream;
mod tree;
mod walk;
