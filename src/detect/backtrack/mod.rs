//! A backtracking matcher: what a regex would find at one place, without an automaton to build.
//!
//! A hit of the prefilter names a place, and most patterns fail within a few bytes of it, or match a few dozen. For that little, to
//! compile a regex and to determinize its automaton takes longer than all else a scan does. A backtracker has nothing to build: it takes the
//! steps of a pattern ([`Program`](crate::rule::Program)) as they are, tries branches in the order in which they are written, and is quick
//! where it seldom has to go back; so no branch is tried that can't go on with the byte at hand.
//!
//! What it finds is what the regex crate does, groups and all: leftmost, and of branches the first (`tests`). It takes a bounded number of steps:
//! where they don't suffice, the regex decides.

mod run;
#[cfg(test)]
mod tests;

pub(super) use run::{Outcome, Stack, find};
