//! The embedded store: a folder of dotenv files, read and written with all their other lines. It knows of no other manager.

mod lock;
mod place;
mod text;
mod version;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use self::{
    lock::Lock,
    place::{Kind, Place},
    text::Text,
    version::{Kept, Versions},
};
use super::{Denied, Listing, SecretPath, Store, StoreError, Stored, Written, file};
use crate::model::Secret;

/// How many files an environment has at most.
const MOST_FILES: usize = 10_000;

/// A folder of dotenv files.
///
/// An environment is a sub-folder, and a folder of secrets a file in it: `production/infrastructure.env` holds `/infrastructure`,
/// `production/a/b.env` holds `/a/b`, and `production/_root.env` holds `/`. Other files, and names with a dot in front, are left alone.
///
/// **Versions.** What is written through the store is kept: `production/.versions/infrastructure/POSTGRES_PASSWORD/000001.env` and so on. The current
/// value is the one in the dotenv file. Its version is that of the last kept one if that is the same value; if not, somebody edited the file by hand, and
/// it is one more than the last. With nothing kept it is 1. So listing writes nothing and always says the same of the same files; two edits by hand
/// without a write between them are one version, and an edit that is taken back is none. Before a write, what was edited by hand is kept under the
/// number that it had. When a version was written is known of those that were written through the store.
///
/// **Safety.** Files are replaced whole, with the rights of their owner only (0600). Symbolic links, and files and folders that others can write to,
/// are refused. One writer works at a time.
#[derive(Debug)]
pub struct DotenvStore {
    root: PathBuf,
}

/// The file of one folder of secrets.
struct FolderFile {
    folder: String,
    path: PathBuf,
}

impl DotenvStore {
    /// The store in this folder, which is there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no folder; [`StoreError::Io`] if it can't be looked into, or others can write to it.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self { root: root.into() };
        let metadata = match fs::metadata(&store.root) {
            Ok(metadata) if metadata.is_dir() => metadata,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file::trouble("read", &store.root, error));
            }
            _ => {
                let what = "there is no such folder; make it, with a folder for each environment in it";
                return Err(StoreError::NotFound { store: store.name(), what: what.into() });
            }
        };
        file::own(&store.root, &metadata)?;
        Ok(store)
    }

    fn malformed(&self, what: String) -> StoreError {
        StoreError::Malformed { store: self.name(), what }
    }

    /// Where a secret lies, in an environment that is there.
    fn place(&self, path: &SecretPath) -> Result<Place, StoreError> {
        let place = Place::of(&self.root, path).map_err(|what| self.malformed(what))?;
        if file::is_folder(&place.environment)? {
            Ok(place)
        } else {
            Err(self.no_environment(&path.environment))
        }
    }

    fn no_environment(&self, name: &str) -> StoreError {
        let there = match self.environments() {
            Ok(there) if there.is_empty() => "there is none: make a folder for it".to_owned(),
            Ok(there) => format!("there are {}", there.join(", ")),
            Err(error) => error.to_string(),
        };
        let what = format!("no environment `{}`; {there}", name.escape_default());
        StoreError::NotFound { store: self.name(), what }
    }

    /// The text of a folder's file; `None` where there is none.
    fn text(&self, path: &Path) -> Result<Option<Text>, StoreError> {
        let Some(bytes) = file::read(path)? else { return Ok(None) };
        let malformed = |fault: text::Fault| StoreError::Malformed {
            store: path.display().to_string(),
            what: fault.to_string(),
        };
        Text::parse(&bytes).map(Some).map_err(malformed)
    }

    /// The text that a secret stands in; `None` where its file is not there, or a folder above it.
    fn text_of(&self, place: &Place) -> Result<Option<Text>, StoreError> {
        let is_there =
            place.file.parent().map_or(Ok(true), |folder| file::leads(&place.environment, folder))?;
        if is_there { self.text(&place.file) } else { Ok(None) }
    }

    /// Adds the files of a folder, and of those in it.
    fn walk(&self, at: &FolderFile, depth: usize, found: &mut Walk<'_>) -> Result<(), StoreError> {
        let failed = |error: io::Error| file::trouble("list", &at.path, error);
        let mut entries =
            fs::read_dir(&at.path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type().map_err(failed)?;
            // A link to one is entered as if it were one, and refused there.
            let is_folder = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
            let name = entry.file_name();
            match place::kind(&at.folder, &name.to_string_lossy(), is_folder) {
                Kind::Other => {}
                Kind::Wrong(why) => found.deny(&at.folder, &entry.path(), why),
                Kind::File(folder) => found.files.push(FolderFile { folder, path: entry.path() }),
                Kind::Folder(folder) => {
                    let at = FolderFile { folder, path: entry.path() };
                    self.enter(&at, depth + 1, found)?;
                }
            }
        }
        if found.files.len() > MOST_FILES {
            return Err(self.malformed(format!("an environment has more than {MOST_FILES} files")));
        }
        Ok(())
    }

    /// Walks a folder further down, or says why not.
    fn enter(&self, at: &FolderFile, depth: usize, found: &mut Walk<'_>) -> Result<(), StoreError> {
        if depth > place::DEEPEST {
            found.deny(&at.folder, &at.path, "folders lie too deep in each other");
            return Ok(());
        }
        let entered = file::is_folder(&at.path).and_then(|_| self.walk(at, depth, found));
        match entered {
            Err(StoreError::Io { path, why, .. }) => {
                found.deny(&at.folder, Path::new(&path), &why);
                Ok(())
            }
            other => other,
        }
    }

    /// What a file holds, with the versions that it has.
    fn stored(&self, environment: &str, at: &FolderFile) -> Result<Vec<Stored>, StoreError> {
        let Some(text) = self.text(&at.path)? else { return Ok(Vec::new()) };
        let stored = |entry: &text::Entry| {
            let path = SecretPath {
                environment: environment.to_owned(),
                folder: at.folder.clone(),
                name: entry.name.clone(),
            };
            let place = Place::of(&self.root, &path).map_err(|what| self.malformed(what))?;
            current(&place, path, &entry.value)
        };
        text.entries.iter().map(stored).collect()
    }
}

/// What a walk comes across.
struct Walk<'a> {
    environment: &'a str,
    files: Vec<FolderFile>,
    denied: Vec<Denied>,
}

impl Walk<'_> {
    /// Nothing of this folder of secrets, or of what lies in it, could be read from this path.
    fn deny(&mut self, folder: &str, path: &Path, why: &str) {
        let why = format!("{}: {why}", path.display());
        self.denied.push(Denied { path: format!("{}:{folder}", self.environment), why });
    }
}

/// The value in the file as a version: the last kept one, or one more.
fn current(place: &Place, path: SecretPath, value: &Secret) -> Result<Stored, StoreError> {
    let (version, written) = match Versions::new(place, &path.name).newest()? {
        None => (1, None),
        Some(kept) if kept.value == *value => (kept.number, kept.written),
        Some(kept) => (kept.number + 1, None),
    };
    Ok(Stored { path, version, value: value.clone(), written })
}

/// The text of a value that a dotenv file can hold.
fn text_of_value(value: &Secret) -> Option<&str> {
    str::from_utf8(value.expose()).ok().filter(|text| !text.contains('\0'))
}

impl Store for DotenvStore {
    fn name(&self) -> String {
        format!("dir:{}", self.root.display())
    }

    fn environments(&self) -> Result<Vec<String>, StoreError> {
        let failed = |error: io::Error| file::trouble("list", &self.root, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') && name != ".env" {
                continue;
            }
            if name.ends_with(".env") {
                let what = "lies in no environment's folder; move it into one, as _root.env or FOLDER.env";
                return Err(self.malformed(format!("{} {what}", name.escape_default())));
            }
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                place::check_environment(&name).map_err(|what| self.malformed(what))?;
                names.push(name);
            } else if kind.is_symlink() && entry.path().is_dir() {
                // It says why it is refused.
                file::is_folder(&entry.path())?;
            }
        }
        names.sort();
        Ok(names)
    }

    fn list(&self, environment: &str) -> Result<Listing, StoreError> {
        place::check_environment(environment).map_err(|what| self.malformed(what))?;
        let top = FolderFile { folder: "/".into(), path: self.root.join(environment) };
        if !file::is_folder(&top.path)? {
            return Err(self.no_environment(environment));
        }
        let mut found = Walk { environment, files: Vec::new(), denied: Vec::new() };
        self.walk(&top, 0, &mut found)?;
        let mut secrets = Vec::new();
        for file in std::mem::take(&mut found.files) {
            match self.stored(environment, &file) {
                Ok(stored) => secrets.extend(stored),
                Err(StoreError::Io { path, why, .. }) => found.deny(&file.folder, Path::new(&path), &why),
                Err(error) => return Err(error),
            }
        }
        let mut listing = Listing { secrets, denied: found.denied };
        listing.secrets.sort_by(|one, other| one.path.cmp(&other.path));
        listing.denied.sort();
        Ok(listing)
    }

    fn older(&self, current: &Stored, most: usize) -> Result<Vec<Stored>, StoreError> {
        let place = self.place(&current.path)?;
        let versions = Versions::new(&place, &current.path.name);
        let mut older = Vec::new();
        for number in
            versions.numbers()?.into_iter().rev().filter(|number| *number < current.version).take(most)
        {
            let path = current.path.clone();
            older.extend(versions.read(number)?.map(|kept| Stored {
                path,
                version: kept.number,
                value: kept.value,
                written: kept.written,
            }));
        }
        Ok(older)
    }

    fn read(&self, path: &SecretPath, version: Option<u64>) -> Result<Option<Stored>, StoreError> {
        let place = self.place(path)?;
        let Some(text) = self.text_of(&place)? else { return Ok(None) };
        let Some(entry) = text.find(&path.name) else { return Ok(None) };
        let current = current(&place, path.clone(), &entry.value)?;
        match version {
            Some(version) if version < current.version => {
                let kept = Versions::new(&place, &path.name).read(version)?;
                Ok(kept.map(|kept| Stored { version, value: kept.value, written: kept.written, ..current }))
            }
            Some(version) if version > current.version => Ok(None),
            _ => Ok(Some(current)),
        }
    }

    fn write(&self, path: &SecretPath, value: &Secret, note: &str) -> Result<Written, StoreError> {
        let place = self.place(path)?;
        let Some(new) = text_of_value(value) else {
            let what = format!(
                "the value for {path} is not UTF-8 or has a NUL byte, which a dotenv file can't hold"
            );
            return Err(self.malformed(what));
        };
        let _lock = Lock::acquire(&self.root)?;
        if let Some(folder) = place.file.parent() {
            file::make_folders(&place.environment, folder)?;
        }
        let versions = Versions::new(&place, &path.name);
        let text = self.text(&place.file)?.unwrap_or_else(Text::empty);
        let last = match text.find(&path.name) {
            Some(entry) => keep_current(&place, path, &entry.value, &versions)?,
            None => versions.numbers()?.last().copied().unwrap_or(0),
        };
        // The file before the version: if we are stopped between them, the new value is there, as one that was edited by hand.
        file::replace(&place.file, text.with(&path.name, new).as_bytes())?;
        let written = Some(Timestamp::now().as_second());
        let kept = Kept { number: last + 1, value: value.clone(), written };
        versions.keep(&kept, new, note)?;
        Ok(Written::Stored(kept.number))
    }

    fn remove(&self, path: &SecretPath) -> Result<bool, StoreError> {
        let place = self.place(path)?;
        let _lock = Lock::acquire(&self.root)?;
        let text = self.text_of(&place)?;
        let entry = text.as_ref().and_then(|text| text.find(&path.name));
        if let (Some(text), Some(entry)) = (&text, entry) {
            file::replace(&place.file, text.without(entry).as_bytes())?;
        }
        Versions::new(&place, &path.name).remove()?;
        Ok(entry.is_some())
    }
}

/// Keeps the value in the file if it is not yet; gives its number.
fn keep_current(
    place: &Place,
    path: &SecretPath,
    value: &Secret,
    versions: &Versions<'_>,
) -> Result<u64, StoreError> {
    let stored = current(place, path.clone(), value)?;
    if versions.read(stored.version)?.is_none()
        && let Some(text) = text_of_value(value)
    {
        let kept = Kept { number: stored.version, value: value.clone(), written: None };
        versions.keep(&kept, text, "edited by hand")?;
    }
    Ok(stored.version)
}

#[cfg(test)]
mod tests;
