//! What an answer says of a secret.

use crate::model::Verdict;

/// A verdict, and what the answer says more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What is known of the secret now.
    pub verdict: Verdict,
    /// An account, scopes, an expiry. Never a secret.
    pub detail: Option<String>,
}

impl Outcome {
    /// A verdict alone.
    pub fn of(verdict: Verdict) -> Self {
        Self { verdict, detail: None }
    }

    /// Nobody can tell, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::of(Verdict::Unknown(why.into()))
    }

    /// With what was learned besides.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Whether another host has to be asked: this one doesn't know the secret, or could not say.
    pub fn is_open(&self) -> bool {
        matches!(self.verdict, Verdict::Inactive | Verdict::Unknown(_))
    }
}
