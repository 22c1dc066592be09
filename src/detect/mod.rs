//! From bytes to raw matches: prefilter, clusters, regexes, entropy, checksums, placeholders, scores.
//!
//! [`Content`] comes in, [`RawMatch`]es go out. A match depends on the content's bytes alone, and on those within a known distance
//! only: paths, lines, marks and other matches are judged by `triage`. Results are the same whether content is held whole or
//! read in blocks, by any number of threads.

pub mod archive;
mod backtrack;
mod block;
mod canonical;
mod cap;
mod cluster;
mod content;
mod context;
mod decode;
mod explain;
mod expression;
mod inside;
mod judge;
pub mod known;
mod machine;
mod matcher;
mod nearby;
mod placeholder;
mod prefilter;
mod score;
mod trace;
mod utf16;

pub use block::is_split;
pub use canonical::canonical;
pub use cap::MOST_MATCHES;
pub use content::{Content, FileContent, Utf16Content};
pub use decode::{Cap, Capped, Decoded, capped_gap, decode_steps};
pub use explain::Refused;
pub use expression::{Expression, TooBig};
pub use inside::{Inside, TellEntry};
pub use judge::{RawMatch, Refusal, strength_bits};
pub use matcher::{DetectError, Detector};
pub use placeholder::{is_placeholder, reads_like_words};
pub use score::{Clue, Score};
pub use trace::{Trace, Tracer};
pub use utf16::Utf16;
