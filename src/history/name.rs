//! Names of files at which rules look that need no content.

use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::{
    detect::Detector,
    rule::{Detection, Rule, name_pattern},
};

/// Says of a file's name whether a rule that looks at paths only may hold for it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    wanted: Wanted,
    digest: [u8; 32],
}

#[derive(Debug, Clone)]
enum Wanted {
    None,
    All,
    Like(Regex),
}

impl Names {
    /// Of the path-only rules of a detector.
    pub(super) fn of(detector: &Detector) -> Self {
        let is_ours = |rule: &&Rule| rule.detection == Detection::Path && !rule.skip_report;
        let paths: Vec<&str> =
            detector.rules().filter(is_ours).filter_map(|rule| rule.path.as_deref()).collect();
        let mut digest = Sha256::new();
        for path in &paths {
            digest.update((path.len() as u64).to_le_bytes());
            digest.update(path);
        }
        let patterns: Option<Vec<String>> =
            paths.iter().map(|path| Some(format!("(?:{})", name_pattern(path)?))).collect();
        let wanted = match patterns.map(|patterns| patterns.join("|")) {
            Some(none) if none.is_empty() => Wanted::None,
            Some(pattern) => Regex::new(&pattern).map_or(Wanted::All, Wanted::Like),
            None => Wanted::All,
        };
        Self { wanted, digest: digest.finalize().into() }
    }

    /// Whether files of this name matter. Names that are no UTF-8 are shown otherwise than they are, and all matter.
    pub(super) fn want(&self, name: &[u8]) -> bool {
        match &self.wanted {
            Wanted::None => false,
            _ if name.is_empty() => false,
            Wanted::All => true,
            Wanted::Like(regex) => regex.is_match(name) || std::str::from_utf8(name).is_err(),
        }
    }

    /// The same of a whole path, by its last part.
    pub(super) fn want_path(&self, path: &[u8]) -> bool {
        self.want(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
    }

    /// Tells sets of names apart.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }
}
