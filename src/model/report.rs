//! The whole result of a scan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Coverage, Exposure, Finding, Suppression};

/// Name and version of the report's JSON form; its JSON Schema is docs/report.schema.json.
pub const SCHEMA: &str = "hekate.report/1";

/// What was scanned, what was found, what was left out and why.
///
/// It holds no time, thread count, random id or command line: the same input gives the same report, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of hekate that wrote it.
    pub version: String,
    /// What was scanned.
    pub source: Source,
    /// One per secret; most severe first, then by first place.
    pub findings: Vec<Finding>,
    /// Places not reported, counted by reason.
    pub suppressed: BTreeMap<Suppression, u64>,
    /// Those places themselves, only where the user asked with `--show-suppressed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed_findings: Vec<SuppressedFinding>,
    /// What was seen and what was not.
    pub coverage: Coverage,
}

/// A finding that was decided not to count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppressedFinding {
    /// Why.
    pub reason: Suppression,
    /// What, with the places that this reason covers.
    pub finding: Finding,
}

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which kind of source.
    pub kind: SourceKind,
    /// The paths as the user gave them.
    pub root: String,
    /// The repository that the root lies in, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
}

/// The state of the repository that a scanned tree belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// URL of `origin`, without user and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Id of the checked-out commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Name of the checked-out branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// Kinds of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Files and folders.
    Worktree,
    /// Standard input.
    Stdin,
    /// What the next commit would add.
    Staged,
    /// Every version of every file.
    History,
}

impl SourceKind {
    /// How far what is found there is out.
    pub fn exposure(self) -> Exposure {
        match self {
            Self::Worktree | Self::Stdin => Exposure::Worktree,
            Self::Staged => Exposure::Staged,
            Self::History => Exposure::Past,
        }
    }
}

impl Report {
    /// How many places the findings have in all.
    pub fn occurrences(&self) -> usize {
        self.findings.iter().map(|finding| finding.occurrences.len()).sum()
    }

    /// Leaves out the findings that no verdict confirms.
    pub fn keep_confirmed(&mut self) {
        self.findings.retain(|finding| finding.verdict.as_ref().is_some_and(super::Verdict::is_confirmed));
    }

    /// Whether a finding's verdict confirms it.
    pub fn has_confirmed(&self) -> bool {
        self.findings.iter().filter_map(|finding| finding.verdict.as_ref()).any(super::Verdict::is_confirmed)
    }
}
