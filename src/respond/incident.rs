//! What is responded to: one secret, why, and what is known of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    model::{Exposure, Finding, Fingerprint, Source, Verdict},
    store::SecretPath,
};

/// One secret that is to be taken out of service or replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// `hk-` and ten hexadecimal digits: the same for the same version of the same secret, however often it is planned.
    pub id: String,
    /// Why.
    pub reason: Reason,
    /// When it was first known here, seconds since 1970.
    pub detected: i64,
    /// Which secret.
    pub subject: Subject,
    /// Whether an account is switched off until the new value is in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contain: bool,
    /// Whether a signing key is dropped at once, with all tokens that it signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// What was found of it, where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// Which secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Subject {
    /// One that the manager holds.
    Stored {
        /// Its environment.
        environment: String,
        /// Its folder.
        folder: String,
        /// Its name.
        name: String,
        /// The version that is to be replaced.
        version: u64,
    },
    /// One that only the scan knows: its value is read again from where it was found.
    Unmanaged {
        /// The finding, redacted.
        finding: Box<Finding>,
        /// What was scanned.
        source: Source,
    },
}

/// Why a secret is responded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was found where it should not be.
    Leak,
    /// A person asked for it.
    Request,
    /// Its time has come.
    Due,
    /// Everything is replaced.
    Emergency,
}

/// What a scan said of a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The rule that names it.
    pub rule: String,
    /// Who it is.
    pub fingerprint: Fingerprint,
    /// What is known of it.
    pub verdict: Verdict,
    /// How far it is out.
    pub exposure: Exposure,
    /// The first places, `path:line`, with the commit where there is one.
    pub places: Vec<String>,
    /// How many places there are in all.
    pub count: usize,
}

/// How many places an incident names.
const MOST_PLACES: usize = 5;

impl Found {
    /// Of a finding that has a verdict.
    pub(super) fn of(finding: &Finding, verdict: &Verdict) -> Self {
        let place = |occurrence: &crate::model::Occurrence| {
            let commit = occurrence.commit.as_deref().and_then(|id| id.get(..10));
            let commit = commit.map(|id| format!(" in {id}")).unwrap_or_default();
            format!("{}:{}{commit}", occurrence.path, occurrence.start.line)
        };
        Self {
            rule: finding.rule.clone(),
            fingerprint: finding.fingerprint,
            verdict: verdict.clone(),
            exposure: finding.exposure,
            places: finding.occurrences.iter().take(MOST_PLACES).map(place).collect(),
            count: finding.occurrences.len(),
        }
    }
}

impl Reason {
    /// Its word, as plans write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Request => "request",
            Self::Due => "due",
            Self::Emergency => "emergency",
        }
    }

    /// Whether the old value has to be taken for known to others, so that a clock runs.
    pub fn is_leak(self) -> bool {
        self == Self::Leak
    }
}

impl Subject {
    /// Of a version that the manager holds.
    pub fn stored(path: &SecretPath, version: u64) -> Self {
        let SecretPath { environment, folder, name } = path.clone();
        Self::Stored { environment, folder, name, version }
    }

    /// Where it lies in the manager, and its version; `None` for one that the manager does not hold.
    pub fn path(&self) -> Option<(SecretPath, u64)> {
        let Self::Stored { environment, folder, name, version } = self else { return None };
        let path =
            SecretPath { environment: environment.clone(), folder: folder.clone(), name: name.clone() };
        Some((path, *version))
    }

    /// Its environment, where it has one.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Stored { environment, .. } => Some(environment),
            Self::Unmanaged { .. } => None,
        }
    }
}

impl fmt::Display for Subject {
    /// `production:/infrastructure/POSTGRES_PASSWORD`, or `github-pat ghp_********`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored { .. } => {
                let (path, _) = self.path().expect("it is one that the manager holds");
                write!(f, "{path}")
            }
            Self::Unmanaged { finding, .. } => write!(f, "{} {}", finding.rule, finding.secret.redacted),
        }
    }
}

impl Incident {
    /// An incident about a secret of a manager, whose name keeps those of two managers apart.
    pub fn new(subject: Subject, reason: Reason, manager: &str, detected: i64) -> Self {
        let identity = match &subject {
            Subject::Stored { environment, folder, name, version } => {
                format!("{manager}\0{environment}\0{folder}\0{name}\0{version}")
            }
            Subject::Unmanaged { finding, .. } => finding.fingerprint.to_string(),
        };
        let digest = Sha256::digest(identity);
        let digits: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        Self {
            id: format!("hk-{digits}"),
            reason,
            detected,
            subject,
            contain: false,
            at_once: false,
            found: None,
        }
    }
}

/// Whether a text can be the id of an incident. It becomes part of file names.
pub fn is_incident_id(text: &str) -> bool {
    let digits = text.strip_prefix("hk-").unwrap_or_default();
    digits.len() == 10 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, version: u64, manager: &str) -> String {
        let path =
            SecretPath { environment: "production".into(), folder: "/a".into(), name: name.to_owned() };
        Incident::new(Subject::stored(&path, version), Reason::Leak, manager, 0).id
    }

    #[test]
    fn the_same_version_of_the_same_secret_is_the_same_incident() {
        assert_eq!(of("A", 1, "dir:x"), of("A", 1, "dir:x"));
        assert!(is_incident_id(&of("A", 1, "dir:x")));
        for other in [of("B", 1, "dir:x"), of("A", 2, "dir:x"), of("A", 1, "dir:y")] {
            assert_ne!(other, of("A", 1, "dir:x"));
        }
    }

    #[test]
    fn what_is_no_id_leads_to_no_file() {
        for text in [
            "",
            "hk-",
            "hk-123456789",
            "hk-123456789g",
            "../hk-1234567890",
            "hk-1234567890/..",
            "HK-1234567890",
        ] {
            assert!(!is_incident_id(text), "{text}");
        }
    }
}
