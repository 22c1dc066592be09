//! What a check says of a secret.

use crate::model::Verdict;

/// The verdict of one check, and what was learned besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it says of the secret.
    pub verdict: Verdict,
    /// More for a reader: an account, scopes, an expiry. Never a secret, and never text of a server as it came.
    pub detail: Option<String>,
}

impl Outcome {
    /// A verdict without more.
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, detail: None }
    }

    /// A verdict alone.
    pub fn of(verdict: Verdict) -> Self {
        Self::new(verdict)
    }

    /// Nobody can tell, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown(why.into()))
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
