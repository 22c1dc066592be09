//! Kept versions of one secret: a file for each in a folder of their own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    place::Place,
    text::{self, Text},
};
use crate::{
    model::Secret,
    store::{StoreError, file},
};

/// What comes before the time in a version's file.
const WRITTEN: &str = "# written: ";
const NOTE: &str = "# note: ";
/// How many characters of a note are kept.
const LONGEST_NOTE: usize = 500;
/// How many versions a secret has at most: beyond it, somebody else fills the folder.
const MOST: usize = 100_000;

/// One kept version.
#[derive(Debug)]
pub(super) struct Kept {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) value: Secret,
    /// Seconds since 1970, where it was written through the store.
    pub(super) written: Option<i64>,
}

/// The folder of one secret's versions.
pub(super) struct Versions<'a> {
    environment: &'a Path,
    folder: &'a Path,
    name: &'a str,
}

impl<'a> Versions<'a> {
    /// Of a secret with this name.
    pub(super) fn new(place: &'a Place, name: &'a str) -> Self {
        Self { environment: &place.environment, folder: &place.versions, name }
    }

    /// The numbers of all kept versions, lowest first.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn numbers(&self) -> Result<Vec<u64>, StoreError> {
        if !file::leads(self.environment, self.folder)? {
            return Ok(Vec::new());
        }
        let failed = |error: io::Error| file::trouble("list", self.folder, error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            // Beside them lie folders with the versions of secrets further down.
            numbers.extend(name.to_str().and_then(number));
            if numbers.len() > MOST {
                return Err(file::trouble("list", self.folder, format!("it has more than {MOST} versions")));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The last kept version.
    ///
    /// # Errors
    /// [`StoreError::Io`], or [`StoreError::Malformed`].
    pub(super) fn newest(&self) -> Result<Option<Kept>, StoreError> {
        self.numbers()?.last().map_or(Ok(None), |number| self.read(*number))
    }

    /// One version; `None` where it is not kept.
    ///
    /// # Errors
    /// [`StoreError::Io`], or [`StoreError::Malformed`].
    pub(super) fn read(&self, number: u64) -> Result<Option<Kept>, StoreError> {
        if !file::leads(self.environment, self.folder)? {
            return Ok(None);
        }
        let path = self.file(number);
        let Some(bytes) = file::read(&path)? else { return Ok(None) };
        let malformed = |what: String| StoreError::Malformed { store: path.display().to_string(), what };
        let text = Text::parse(&bytes).map_err(|fault| malformed(fault.to_string()))?;
        let [entry] = text.entries.as_slice() else {
            return Err(malformed("it holds one version, and has other than one assignment".into()));
        };
        if entry.name != self.name {
            return Err(malformed(format!("line 1 and on: it holds a version of {}", self.name)));
        }
        Ok(Some(Kept { number, value: entry.value.clone(), written: time(&bytes) }))
    }

    /// Keeps a version. `note` says why it was written, for people.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn keep(&self, kept: &Kept, value: &str, note: &str) -> Result<(), StoreError> {
        let mut head = String::new();
        if let Some(time) = kept.written.and_then(|written| Timestamp::from_second(written).ok()) {
            head.push_str(&format!("{WRITTEN}{time}\n"));
        }
        let note: String =
            note.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NOTE).collect();
        if !note.trim().is_empty() {
            head.push_str(&format!("{NOTE}{}\n", note.trim()));
        }
        let text = Zeroizing::new(format!("{head}{}={}\n", self.name, *text::quote(value)));
        file::make_folders(self.environment, self.folder)?;
        file::replace(&self.file(kept.number), text.as_bytes())
    }

    /// Removes them all.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        let numbers = self.numbers()?;
        for number in &numbers {
            file::remove(&self.file(*number))?;
        }
        if !numbers.is_empty() {
            file::sync(self.folder)?;
            remove_if_empty(self.folder)?;
        }
        Ok(())
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.env"))
    }
}

/// Versions of secrets further down may lie in the same folder.
fn remove_if_empty(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => {
            Err(file::trouble("remove", folder, error))
        }
        _ => Ok(()),
    }
}

/// The number of a version's file: `000001.env`, and nothing that reads as the same number.
fn number(name: &str) -> Option<u64> {
    let number: u64 = name.strip_suffix(".env")?.parse().ok()?;
    (number > 0 && name == format!("{number:06}.env")).then_some(number)
}

/// When it was written, as its first line says.
fn time(bytes: &[u8]) -> Option<i64> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let time = str::from_utf8(line).ok()?.strip_prefix(WRITTEN)?;
    time.trim_end().parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stores_own_names_are_versions() {
        assert_eq!(number("000001.env"), Some(1));
        assert_eq!(number("1234567.env"), Some(1_234_567));
        for name in
            ["000000.env", "1.env", "+00001.env", "000001", "000001.env~", "A", "99999999999999999999999.env"]
        {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
