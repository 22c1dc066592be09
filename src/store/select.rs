//! Which store is meant: `dir:PATH` or `infisical`.

use std::{fmt, path::PathBuf, str::FromStr};

/// A store as it is named by a flag or in trusted config. What Infisical needs more comes from environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// `dir:PATH`: a folder of dotenv files.
    Dir(PathBuf),
    /// `infisical`: the secret manager of that name, at the address and with the login that the environment gives.
    Infisical,
}

/// A name of no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no store: it is `dir:PATH`, a folder of dotenv files, or `infisical`")]
pub struct UnknownStore(pub String);

impl FromStr for StoreKind {
    type Err = UnknownStore;

    fn from_str(name: &str) -> Result<Self, UnknownStore> {
        match name.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Dir(path.into())),
            None if name == "infisical" => Ok(Self::Infisical),
            _ => Err(UnknownStore(name.to_owned())),
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(path) => write!(f, "dir:{}", path.display()),
            Self::Infisical => f.write_str("infisical"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_by_kind_and_path() {
        assert_eq!("dir:a:b/c".parse(), Ok(StoreKind::Dir("a:b/c".into())));
        assert_eq!("infisical".parse(), Ok(StoreKind::Infisical));
        for name in ["", "dir", "dir:", "Infisical", "infisical:x", "store"] {
            assert_eq!(name.parse::<StoreKind>(), Err(UnknownStore(name.into())), "{name}");
        }
        assert_eq!(StoreKind::Dir("a".into()).to_string(), "dir:a");
    }
}
