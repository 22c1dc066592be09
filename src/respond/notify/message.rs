//! What is said.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::respond::audit::{Receipt, legible};

/// A message has no more lines.
const MOST_LINES: usize = 40;

/// One state of one incident. Control characters in its texts are escaped, and what is long is cut; a value of a secret stands in none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    client: &'static str,
    /// The incident's id.
    pub incident: String,
    /// The state that it is in now: `contained`, `rotated`.
    pub state: String,
    /// In which environment.
    pub environment: Option<String>,
    /// Which secret, folder and name.
    pub secret: Option<String>,
    /// What is to be said, a line each.
    pub summary: Vec<String>,
    /// How far the audit log was, `COUNT:HEAD`: what `hekate audit verify --expect` takes.
    #[serde(serialize_with = "as_text")]
    pub audit: Option<Receipt>,
    /// When.
    #[serde(serialize_with = "to_the_second")]
    pub at: Timestamp,
}

impl Message {
    /// That an incident is in a state now.
    pub fn new(incident: &str, state: &str) -> Self {
        Self {
            client: concat!("hekate/", env!("CARGO_PKG_VERSION")),
            incident: legible(incident),
            state: legible(state),
            environment: None,
            secret: None,
            summary: Vec::new(),
            audit: None,
            at: Timestamp::now(),
        }
    }

    /// About a secret, or about a whole environment.
    #[must_use]
    pub fn about(mut self, environment: &str, secret: Option<&str>) -> Self {
        self.environment = Some(legible(environment));
        self.secret = secret.map(legible);
        self
    }

    /// With another line.
    #[must_use]
    pub fn line(mut self, text: &str) -> Self {
        match self.summary.len() {
            length if length + 1 < MOST_LINES => self.summary.push(legible(text)),
            length if length + 1 == MOST_LINES => {
                self.summary.push("… and more: see `hekate respond report`".to_owned());
            }
            _ => {}
        }
        self
    }

    /// With how far the audit log is.
    #[must_use]
    pub fn audit(mut self, receipt: Receipt) -> Self {
        self.audit = Some(receipt);
        self
    }

    /// At another time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.at = time;
        self
    }

    /// What makes two messages the same: who has sent this key before need not send it again.
    pub fn key(&self) -> (String, String) {
        (self.incident.clone(), self.state.clone())
    }

    /// The first line: `hekate: incident INC-7 is contained`.
    pub(super) fn title(&self) -> String {
        format!("hekate: incident {} is {}", self.incident, self.state)
    }

    /// All that follows the first line.
    pub(super) fn lines(&self) -> Vec<String> {
        let place = match (&self.environment, &self.secret) {
            (Some(environment), Some(secret)) => Some(format!("{environment}:{secret}")),
            (Some(only), None) | (None, Some(only)) => Some(only.clone()),
            (None, None) => None,
        };
        let audit = self.audit.map(|receipt| format!("audit {receipt}"));
        let at = format!("{:.0}", self.at);
        place.into_iter().chain(self.summary.iter().cloned()).chain([at]).chain(audit).collect()
    }
}

fn as_text<S: Serializer>(receipt: &Option<Receipt>, serializer: S) -> Result<S::Ok, S::Error> {
    match receipt {
        Some(receipt) => serializer.collect_str(receipt),
        None => serializer.serialize_none(),
    }
}

fn to_the_second<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.0}"))
}
