//! The words of the field as types: what every room speaks in.
//!
//! Nothing comes in but values, nothing goes out but values. This room knows of no file, rule file, terminal or network.

mod coverage;
mod encoding;
mod evidence;
mod finding;
mod fingerprint;
mod grade;
mod location;
mod report;
mod secret;

pub use coverage::{Coverage, Gap, GapReason, HistoryCoverage, ObjectCounts};
pub use encoding::{DecodeStep, Encoding};
pub use evidence::Evidence;
pub use finding::{Companion, Exposure, Finding, Moment, Occurrence, SecretView, Suppression, Verdict};
#[cfg(feature = "network")]
pub(crate) use fingerprint::parse_hex;
pub use fingerprint::{Fingerprint, FingerprintKey, KeyError, LineDigest, derived_key};
pub use grade::{Category, Confidence, ParseGradeError, Severity};
pub use location::{Position, Segment, Span};
pub use report::{Report, Repository, SCHEMA, Source, SourceKind, SuppressedFinding};
pub use secret::Secret;
