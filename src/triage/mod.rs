//! What becomes of a match: kept, or why not, and how far it is believed. The one room that decides this.
//!
//! Raw matches of one blob come in, with its content and path; [`Sighting`]s go out, each with the reason why it does not count,
//! if there is one. Sightings of a whole scan are then joined into findings, one per secret. The order of reasons is fixed:
//! inline mark, rule allowlist, global allowlist, ignore file, baseline. Nothing here reads a file or prints.

mod allowlist;
mod assemble;
mod baseline;
mod before;
mod belief;
mod examine;
mod excerpt;
mod filter;
mod ignore_file;
mod line;
mod mark;
mod overlap;
mod sighting;
mod taken;

pub use assemble::{Assembled, assemble};
pub use baseline::{Baseline, BaselineEntry, BaselineError, BaselineUse, Date, DateError};
pub use before::Before;
pub use belief::base_confidence;
pub use examine::{Examined, Shared};
pub use ignore_file::{IgnoreFile, IgnoreFileError};
pub use line::positions;
pub use sighting::{Policy, Sighting, Site, Stamp, Triage, TriageError, canonical_path};
