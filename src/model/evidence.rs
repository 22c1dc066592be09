//! Why a match is believed.

use serde::{Deserialize, Serialize};

use super::{Encoding, Verdict};

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
    /// It stands there encoded, and the value was had by decoding.
    Encoded {
        /// How, outermost first.
        by: Vec<Encoding>,
    },
    /// It equals a value that the secret manager holds.
    Inventory {
        /// Its environment there.
        environment: String,
        /// Its folder and name there.
        path: String,
        /// Its version there.
        version: u64,
        /// Whether that is the current one.
        current: bool,
        /// The form in which it stands here, where that is not the value itself: `base64`, `percent`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<String>,
    },
    /// A provider, or a check without one, was asked.
    Provider {
        /// Who answered: `github`, `postgres`, `offline`.
        name: String,
        /// What it said.
        verdict: Verdict,
        /// What it said more: an account, scopes, an expiry. Never a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}
