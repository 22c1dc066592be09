//! What is wrong with an inventory, and where.

use std::{io, path::PathBuf};

use serde_saphyr::{Location, Spanned};

/// An inventory that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It can't be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is too big to be one.
    #[error("{}: an inventory holds at most {most} bytes", path.display())]
    TooBig {
        /// Which file.
        path: PathBuf,
        /// Bytes that are allowed.
        most: u64,
    },
    /// It is no text.
    #[error("{}: an inventory is UTF-8 text", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
    },
    /// It says something that can't be.
    #[error("{file}:{line}:{column}: {message}")]
    Malformed {
        /// Which file.
        file: String,
        /// From 1.
        line: u64,
        /// In characters, from 1.
        column: u64,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

/// Something wrong at a place of a file that only the caller knows the name of.
#[derive(Debug)]
pub(super) struct Fault {
    location: Location,
    message: String,
}

impl Fault {
    pub(super) fn new(location: Location, message: impl Into<String>) -> Self {
        Self { location, message: message.into() }
    }

    /// At the place where a value is used.
    pub(super) fn at<T>(value: &Spanned<T>, message: impl Into<String>) -> Self {
        Self::new(value.referenced, message)
    }

    pub(super) fn in_file(self, file: &str) -> InventoryError {
        InventoryError::Malformed {
            file: file.to_owned(),
            line: self.location.line(),
            column: self.location.column(),
            message: self.message,
        }
    }
}

/// "; did you mean `x`?" for a word that is nearly one of these.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known)).min();
    nearest
        .filter(|(distance, known)| *distance <= 3 && *distance < known.len())
        .map(|(_, known)| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}
