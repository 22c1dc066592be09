//! Git history: every version of every file, each matched once, and where each came in and still is.
//!
//! An object database, refs and a detector come in; matches per blob and text, appearances and coverage go out. What becomes of a
//! match is for others to say: whoever calls is told of content with matches and gives back what is to be kept of them.
//!
//! Objects are read from the pack files in the order of their deltas (`walk`); blobs are scanned where they differ from what they
//! are made from (`blob`); folders are read where they differ, too (`tree`), and only what leads to a wanted blob is kept
//! (`closure`). What was scanned once need not be scanned again (`cache`). A range of commits is read without all that, commit by
//! commit (`range`). Nothing is fetched, and nothing here knows of rules, paths that matter, or reports.

mod blob;
mod cache;
mod census;
mod circle;
mod closure;
mod exposure;
mod floor;
mod graph;
mod latest;
mod name;
mod range;
mod stream;
mod sweep;
mod tree;
mod view;
mod walk;

pub use blob::Tell;
pub use cache::{CacheFile, CacheKey};
pub use floor::{Materialised, count_objects, materialise};
pub use graph::TellText;
pub use range::{Adds, CommitRange, Judge, RangeWalk, Ranged};
pub use sweep::{Appearance, Broken, Engine, Latest, Listener, Scope, SweepOptions, Swept, sweep};
pub use view::{Facts, History};
