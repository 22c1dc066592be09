//! The scales on which rules and findings are graded.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A word that is not on the scale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {}", known.join(", "))]
pub struct ParseGradeError {
    word: String,
    known: Vec<&'static str>,
}

macro_rules! scale {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every step, lowest first.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word, as rule files and reports write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseGradeError;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|step| step.as_str() == word).ok_or_else(|| ParseGradeError {
                    word: word.to_owned(),
                    known: Self::ALL.iter().map(|step| step.as_str()).collect(),
                })
            }
        }
    };
}

scale! {
    /// How bad it is when the secret is real.
    Severity {
        /// Hardly more than an identifier.
        Low = "low",
        /// Narrow rights, or test data.
        Medium = "medium",
        /// Rights to change things.
        High = "high",
        /// Control of production, money or all data.
        Critical = "critical",
    }
}

scale! {
    /// How sure it is that this is a secret.
    Confidence {
        /// A shape that many harmless values share.
        Low = "low",
        /// A shape with a name or a provider's word beside it.
        Medium = "medium",
        /// A format that nothing else has, or a right checksum.
        High = "high",
    }
}

scale! {
    /// What kind of secret it is, after the platform's inventory.
    Category {
        /// Passwords of databases, caches, queues, object stores.
        Infrastructure = "infrastructure",
        /// Keys and tokens of a service's API.
        ApiKey = "api-key",
        /// Private and signing keys.
        EncryptionKey = "encryption-key",
        /// Credentials of machines.
        ServiceAccount = "service-account",
        /// Credentials of people.
        UserCredential = "user-credential",
    }
}
