//! Why a match is believed.

use serde::{Deserialize, Serialize};

/// One reason to believe, or to doubt, that a match is a secret, with its facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// The value has the documented shape of its type.
    Format {
        /// The rule whose pattern it fits.
        rule: String,
    },
    /// The value carries a checksum.
    Checksum {
        /// The algorithm's name.
        algorithm: String,
        /// Whether it is right.
        valid: bool,
    },
    /// Shannon entropy of the value.
    Entropy {
        /// Bits per character.
        bits: f32,
    },
    /// What the value is assigned to.
    Context {
        /// The name before the operator.
        name: String,
    },
}
