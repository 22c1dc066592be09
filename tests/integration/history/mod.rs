//! `hekate history` against repositories that are nasty or damaged, and against what git itself says of them.
//!
//! A time-boxed part of it runs with every `cargo test`; with `HEKATE_LONG_TESTS=1` in the environment it runs in full.

#![expect(clippy::print_stdout, reason = "a failing test says which repository it was about")]

mod accepted;
mod cache;
mod contents;
mod deep;
mod exactness;
mod exposure;
mod faults;
mod forgeries;
mod git;
mod graphs;
mod library;
mod oracle;
mod pack;
mod random;
mod ranges;
mod report;
mod screen;
mod storage;
mod text;

/// Whether the tests take all the time that they could use.
fn is_long() -> bool {
    std::env::var_os("HEKATE_LONG_TESTS").is_some_and(|value| value == "1")
}
