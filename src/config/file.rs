//! `hekate.toml`.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, de::IgnoredAny};

use super::{
    ConfigError,
    home::{Text, read_inside},
};
use crate::{
    model::Confidence,
    rule::{Extends, RulePack, read_toml},
};

/// Its name at the root of a repository.
pub const CONFIG_NAME: &str = "hekate.toml";

/// What `hekate init` writes.
pub const STARTER: &str = include_str!("starter.toml");

/// A parsed `hekate.toml`: its `[scan]` section, and whatever rules and allowlists it holds in gitleaks' schema.
#[derive(Debug, Default)]
pub struct ConfigFile {
    pub(super) scan: ScanSection,
    /// The files that `[scan] rules` names, in order.
    pub(super) rule_files: Vec<RulePack>,
    pub(super) pack: RulePack,
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
    pub(super) archives: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sections {
    scan: ScanSection,
    // What only trusted config may say; `trusted` reads it.
    store: Option<IgnoredAny>,
    inventory: Option<IgnoredAny>,
    index: Option<IgnoredAny>,
    verify: Option<IgnoredAny>,
    respond: Option<IgnoredAny>,
}

impl Sections {
    /// The first section that is for trusted config only.
    fn trusted_only(&self) -> Option<&'static str> {
        let sections = [
            ("store", &self.store),
            ("inventory", &self.inventory),
            ("index", &self.index),
            ("verify", &self.verify),
            ("respond", &self.respond),
        ];
        sections.into_iter().find(|(_, section)| section.is_some()).map(|(name, _)| name)
    }
}

impl ConfigFile {
    /// Reads and checks a config file. `is_trusted` is whether the user named it; a repository's own may not leave the repository.
    ///
    /// # Errors
    /// What can't be read, unknown keys, bad values, bad rules, paths that lead out.
    pub fn load(path: &Path, is_trusted: bool) -> Result<Self, ConfigError> {
        let text = Text::read(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let inside = |from: &Path, named: &str| read_inside(folder, from, named);
        let extends = if is_trusted { Extends::Allowed } else { Extends::Inside(&inside) };
        let mut config = Self::read(&text, extends)?;
        for named in config.scan.rules.iter_mut().chain(&mut config.scan.baseline) {
            let joined = folder.join(&named);
            // A link leads out as surely as dots do. What is not there says so when it is read.
            let leads_out = |real: &Path| folder.canonicalize().is_ok_and(|folder| !real.starts_with(folder));
            if !is_trusted && joined.canonicalize().is_ok_and(|real| leads_out(&real)) {
                return Err(ConfigError::LeadsOut { config: path.to_owned(), path: named.clone() });
            }
            *named = joined;
        }
        let load = |path: &PathBuf| Ok(RulePack::load(path, extends)?);
        config.rule_files = config.scan.rules.iter().map(load).collect::<Result<_, ConfigError>>()?;
        Ok(config)
    }

    /// Checks a repository's own config whose files are not on disk: `rules` reads what it names, `extends` what it extends.
    ///
    /// # Errors
    /// As [`ConfigFile::load`].
    pub(super) fn parse(
        text: &Text,
        rules: impl Fn(&Path) -> Result<RulePack, ConfigError>,
        extends: Extends<'_>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::read(text, extends)?;
        config.rule_files = config.scan.rules.iter().map(|path| rules(path)).collect::<Result<_, _>>()?;
        Ok(config)
    }

    fn read(text: &Text, extends: Extends<'_>) -> Result<Self, ConfigError> {
        // Rules and top-level keys are checked with the rules' own schema; `[scan]` is checked here.
        let pack = RulePack::parse(&text.text, &text.name, extends)?;
        let sections: Sections =
            read_toml(&text.name.to_string_lossy(), &text.text).map_err(crate::rule::RuleError::from)?;
        if let Some(section) = sections.trusted_only().filter(|_| !extends.is_trusted()) {
            return Err(ConfigError::Untrusted { config: text.name.clone(), section });
        }
        let scan = sections.scan;
        let mut named = scan.rules.iter().chain(&scan.baseline);
        if let Some(path) = named.find(|path| !extends.is_trusted() && !stays_inside(path)) {
            return Err(ConfigError::LeadsOut { config: text.name.clone(), path: path.clone() });
        }
        Ok(Self { scan, rule_files: Vec::new(), pack })
    }
}

pub(super) fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
