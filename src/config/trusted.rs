//! What only trusted config may say: which store, inventory and index, whom to ask, what may be changed.
//!
//! Trusted is the file that `--config` names, else the user's own `hekate.toml` in the config folder. A tree under scan could
//! otherwise send secrets where it likes, so there these sections are an error.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    CONFIG_NAME, ConfigError, ConfigFile, home::Text, respond::RespondSection, user_folder,
    verify::VerifySection,
};
use crate::rule::{RuleError, read_toml};

/// The sections of a trusted config, its paths as seen from the working directory.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The file they come from; `None` where there is none.
    pub file: Option<PathBuf>,
    /// `[store]`: which secret manager.
    pub store: StoreSection,
    /// `[inventory]`: where `inventory.yaml` lies.
    pub inventory: InventorySection,
    /// `[index]`: where the index of known values lies.
    pub index: IndexSection,
    /// `[verify]`: whom to ask about secrets, and how.
    pub verify: VerifySection,
    /// `[respond]`: what may be changed, and who is told.
    pub respond: RespondSection,
}

/// `[store]`. What logs in comes from environment variables, never from here.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StoreSection {
    /// `dir:PATH` or `infisical`, as `--store` takes it.
    #[serde(rename = "use")]
    pub name: Option<String>,
    /// The manager's address.
    pub url: Option<String>,
    /// The project there: its slug, id or name.
    pub project: Option<String>,
    /// Certificates (PEM) that the manager's TLS is checked against, beside the usual ones.
    pub ca_file: Option<PathBuf>,
}

/// `[inventory]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct InventorySection {
    /// The inventory.
    pub file: Option<PathBuf>,
}

/// `[index]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct IndexSection {
    /// The index of known values.
    pub file: Option<PathBuf>,
    /// The file that holds its key, where neither `HEKATE_KEY` nor `HEKATE_KEY_FILE` does. The key itself stands in no config.
    pub key_file: Option<PathBuf>,
}

/// A trusted config's sections.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sections {
    store: StoreSection,
    inventory: InventorySection,
    index: IndexSection,
    verify: VerifySection,
    respond: RespondSection,
}

/// The same, where nothing else may stand.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnSections {
    store: StoreSection,
    inventory: InventorySection,
    index: IndexSection,
    verify: VerifySection,
    respond: RespondSection,
}

impl From<OwnSections> for Sections {
    fn from(own: OwnSections) -> Self {
        let OwnSections { store, inventory, index, verify, respond } = own;
        Self { store, inventory, index, verify, respond }
    }
}

impl Trusted {
    /// Reads the config that `--config` names, else the user's own, if there is one.
    ///
    /// # Errors
    /// A file that can't be read, an unknown section or key, a bad value.
    pub fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(path) = named {
            return Self::read(path, parse::<Sections>);
        }
        match own_path().filter(|path| path.is_file()) {
            Some(path) => Self::read(&path, |text| parse::<OwnSections>(text).map(Sections::from)),
            None => Ok(Self::default()),
        }
    }

    /// The same for commands that use nothing else of the config: a slip in its rules or in `[scan]` is one nevertheless.
    ///
    /// # Errors
    /// As [`Trusted::load`], and what [`ConfigFile::load`] says.
    pub fn load_alone(named: Option<&Path>) -> Result<Self, ConfigError> {
        named.map(|path| ConfigFile::load(path, true)).transpose()?;
        Self::load(named)
    }

    fn read(
        path: &Path,
        parse: impl Fn(&Text) -> Result<Sections, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let Sections { mut store, mut inventory, mut index, mut verify, mut respond } =
            parse(&Text::read(path)?)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let own = [&mut store.ca_file, &mut inventory.file, &mut index.file, &mut index.key_file];
        for named in own.into_iter().flatten() {
            *named = folder.join(&*named);
        }
        verify.settle(folder);
        respond.settle(folder);
        if let Some(inner) = store.name.as_deref().and_then(|name| name.strip_prefix("dir:")) {
            store.name = Some(format!("dir:{}", folder.join(inner).display()));
        }
        Ok(Self { file: Some(path.to_owned()), store, inventory, index, verify, respond })
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &Text) -> Result<T, ConfigError> {
    Ok(read_toml(&text.name.to_string_lossy(), &text.text).map_err(RuleError::from)?)
}

/// `$XDG_CONFIG_HOME/hekate/hekate.toml`, else `~/.config/hekate/hekate.toml`.
fn own_path() -> Option<PathBuf> {
    Some(user_folder("XDG_CONFIG_HOME", ".config")?.join(CONFIG_NAME))
}
