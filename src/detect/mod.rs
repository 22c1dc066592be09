//! From bytes to raw matches: prefilter, clusters, regexes, entropy, checksums, placeholders.
//!
//! [`Content`] comes in, [`RawMatch`]es go out. A match depends on the content's bytes alone, and on those within a known distance
//! only: paths, lines, marks and other matches are judged by `triage`. Results are the same whether content is held whole or
//! read in blocks, by any number of threads.

pub mod archive;
mod block;
mod canonical;
mod cluster;
mod content;
mod context;
mod decode;
mod inside;
mod judge;
pub mod known;
mod machine;
mod matcher;
mod placeholder;
mod prefilter;
mod trace;
mod utf16;

pub use block::is_split;
pub use canonical::canonical;
pub use content::{Content, FileContent, Utf16Content};
pub use decode::{Cap, Capped, Decoded, capped_gap, decode_steps};
pub use inside::{Inside, TellEntry};
pub use judge::{RawMatch, strength_bits};
pub use matcher::{DetectError, Detector};
pub use placeholder::is_placeholder;
pub use trace::{Trace, Tracer};
pub use utf16::Utf16;
