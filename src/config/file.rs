//! `hekate.toml`.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;
use crate::{
    model::Confidence,
    rule::{Extends, RulePack, read_toml},
};

/// Its name at the root of a repository.
pub const CONFIG_NAME: &str = "hekate.toml";

/// What `hekate init` writes.
pub const STARTER: &str = include_str!("starter.toml");

/// A parsed `hekate.toml`: its `[scan]` section, and whatever rules and allowlists it holds in gitleaks' schema.
#[derive(Debug)]
pub struct ConfigFile {
    pub(super) scan: ScanSection,
    pub(super) pack: RulePack,
    /// What its rule files may do.
    pub(super) extends: Extends,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct ScanSection {
    pub(super) min_confidence: Option<Confidence>,
    pub(super) only_rules: Vec<String>,
    pub(super) skip_rules: Vec<String>,
    pub(super) rules: Vec<PathBuf>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) respect_gitignore: Option<bool>,
    pub(super) skip_hidden: Option<bool>,
    pub(super) skip_binary: Option<bool>,
    pub(super) max_file_size: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sections {
    scan: ScanSection,
}

impl Default for ConfigFile {
    fn default() -> Self {
        Self { scan: ScanSection::default(), pack: RulePack::default(), extends: Extends::Refused }
    }
}

impl ConfigFile {
    /// Reads and checks a config file. `is_trusted` is whether the user named it; a repository's own may not leave the repository.
    ///
    /// # Errors
    /// What can't be read, unknown keys, bad values, bad rules, paths that lead out.
    pub fn load(path: &Path, is_trusted: bool) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(read)?;
        // Rules and top-level keys are checked with the rules' own schema; `[scan]` is checked here.
        let extends = if is_trusted { Extends::Allowed } else { Extends::Refused };
        let pack = RulePack::parse(&text, path, extends)?;
        let Sections { mut scan } =
            read_toml(&path.to_string_lossy(), &text).map_err(crate::rule::RuleError::from)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for named in scan.rules.iter_mut().chain(&mut scan.baseline) {
            if !is_trusted && !stays_inside(named) {
                return Err(ConfigError::LeadsOut { config: path.to_owned(), path: named.clone() });
            }
            let joined = folder.join(&named);
            // A link leads out as surely as dots do. What is not there says so when it is read.
            let leads_out = |real: &Path| folder.canonicalize().is_ok_and(|folder| !real.starts_with(folder));
            if !is_trusted && joined.canonicalize().is_ok_and(|real| leads_out(&real)) {
                return Err(ConfigError::LeadsOut { config: path.to_owned(), path: named.clone() });
            }
            *named = joined;
        }
        Ok(Self { scan, pack, extends })
    }
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
