//! Where the content of a finding's places is read again from.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use memchr::memmem;

use crate::{
    detect::{
        Content, FileContent,
        archive::{SEPARATOR, read_entry},
    },
    git::{
        HashKind, Index, IndexError, Object, ObjectKind, Objects, ObjectsError, Oid, Repository,
        RepositoryError, submodules,
    },
    model::{Occurrence, SourceKind},
    source::display_bytes,
};

/// A blob is held up to here, in bytes.
const MOST_BLOB: u64 = 512 << 20;
/// So many blobs are kept for the next finding in them.
const MOST_KEPT: usize = 16;

/// Reads what a scan has read, as far as it is still there.
pub trait Reader: Sync {
    /// The content that a place of a report stands in, in each form that its offsets can mean.
    ///
    /// # Errors
    /// Why it is not at hand.
    fn open(&self, place: &Occurrence) -> Result<Vec<Arc<dyn Content + Send>>, String>;
}

/// What was scanned and is not kept: standard input.
pub struct Nothing;

impl Reader for Nothing {
    fn open(&self, _: &Occurrence) -> Result<Vec<Arc<dyn Content + Send>>, String> {
        Err("standard input can't be read a second time".into())
    }
}

/// Content that was kept: standard input, during the scan itself.
pub struct Kept(Arc<Held>);

impl Kept {
    /// All of it.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Held(bytes)))
    }
}

impl Reader for Kept {
    fn open(&self, place: &Occurrence) -> Result<Vec<Arc<dyn Content + Send>>, String> {
        let entry = entry_of(&*self.0, &place.path);
        Ok(entry.into_iter().chain([self.0.clone() as Arc<dyn Content + Send>]).collect())
    }
}

/// The entry of an archive that a path leads to, if the content is one: what stands before one of its `!` is the archive's own path.
fn entry_of(content: &dyn Content, path: &str) -> Option<Arc<dyn Content + Send>> {
    let archives = path.match_indices(SEPARATOR).map(|(at, _)| &path[..at]);
    let mut entries = archives.filter_map(|archive| read_entry(content, archive, path).ok().flatten());
    entries.next().map(|bytes| Arc::new(Held(bytes)) as Arc<dyn Content + Send>)
}

/// Bytes that are owned.
struct Held(Vec<u8>);

impl Content for Held {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.as_slice().read_at(offset, buffer)
    }
}

/// Files of a tree.
#[derive(Debug)]
pub struct Files {
    /// What paths are relative to: the scanned folder, else the working directory.
    base: PathBuf,
    /// What was scanned, as the user named it: a single file, perhaps.
    named: PathBuf,
}

impl Files {
    /// `root` is a report's root, as it was given; `here` the working directory.
    pub fn new(root: &Path, here: &Path) -> Self {
        let named = root.to_str().map_or(Cow::Borrowed(root), unescape).into_owned();
        let folder = here.join(&named);
        Self { base: if folder.is_dir() { folder } else { here.to_owned() }, named }
    }

    fn locate(&self, path: &str) -> Result<PathBuf, String> {
        let bare = unescape(path);
        let path_of = |base: &Path| base.join(&*bare);
        // The user named this very file.
        if *bare == self.named {
            return Ok(path_of(&self.base));
        }
        // A report may come from elsewhere: it names files of the tree, and no others.
        let is_inner = bare.components().all(|part| matches!(part, Component::Normal(_)));
        let real = is_inner.then(|| path_of(&self.base).canonicalize().ok()).flatten();
        let root = self.base.canonicalize().ok();
        match (real, root) {
            (Some(real), Some(root)) if real.starts_with(&root) => Ok(real),
            (Some(_), _) => Err("its path leads out of what was scanned".into()),
            (None, _) if !is_inner => Err("its path leads out of what was scanned".into()),
            (None, _) => Err("its file is not there".into()),
        }
    }
}

impl Files {
    /// The file, or the archive that it is an entry of; and which of the two.
    fn locate_archive(&self, path: &str) -> Result<(PathBuf, bool), String> {
        let why = match self.locate(path) {
            Ok(file) => return Ok((file, false)),
            Err(why) => why,
        };
        let mut archives = path.match_indices(SEPARATOR).filter_map(|(at, _)| self.locate(&path[..at]).ok());
        archives.find(|archive| archive.is_file()).map(|archive| (archive, true)).ok_or(why)
    }
}

impl Reader for Files {
    fn open(&self, place: &Occurrence) -> Result<Vec<Arc<dyn Content + Send>>, String> {
        let (path, is_entry) = self.locate_archive(&place.path)?;
        let fail = |error: io::Error| format!("its file can't be read: {}", error.kind());
        // What is no regular file could block, or never end.
        let length = std::fs::metadata(&path).map_err(fail)?;
        if !length.is_file() {
            return Err("its file is none that can be read".into());
        }
        let file = File::open(&path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        let content = FileContent::new(file, length);
        if is_entry {
            let entry = entry_of(&content, &place.path);
            return entry
                .map(|entry| vec![entry])
                .ok_or_else(|| "its archive does not hold it any more".into());
        }
        Ok(vec![Arc::new(content)])
    }
}

/// A path as reports write it, back as the system has it.
#[cfg(unix)]
fn unescape(path: &str) -> Cow<'_, Path> {
    use std::os::unix::ffi::OsStringExt;
    if !path.contains("\\x") || Path::new(path).exists() {
        return Cow::Borrowed(Path::new(path));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = rest.strip_prefix(b"\\x").and_then(|digits| digits.get(..2));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        // Only bytes that are no ASCII are ever written so.
        match byte.filter(|byte| !byte.is_ascii()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    Cow::Owned(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn unescape(path: &str) -> Cow<'_, Path> {
    Cow::Borrowed(Path::new(path))
}

/// Objects of a repository, those of its submodules behind them.
pub struct Blobs {
    /// Each with the hash that its ids are made by.
    databases: Vec<(HashKind, Objects)>,
    /// What the index has at each path, as reports write it; several where there is a conflict.
    index: BTreeMap<String, Vec<Oid>>,
    kept: Mutex<Vec<(Oid, Arc<Held>)>>,
}

/// A repository that can't be read again.
#[derive(Debug, thiserror::Error)]
pub enum BlobsError {
    /// Folders of objects.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// Its submodules.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Blobs {
    /// Opens the objects of a repository; of its index for what is staged, of its submodules for a history.
    ///
    /// # Errors
    /// A repository or index that can't be read. A submodule that can't be is passed over: its secrets are not at hand.
    pub fn open(repository: &Repository, kind: SourceKind) -> Result<Self, BlobsError> {
        let mut databases =
            vec![(repository.hash, Objects::open(repository.object_folders(), repository.hash)?)];
        let mut index: BTreeMap<String, Vec<Oid>> = BTreeMap::new();
        if kind == SourceKind::Staged {
            let read = Index::read(&repository.index_path, &repository.git_dir, repository.hash)?;
            let mut entries = read.entries();
            while let Some(entry) = entries.peek() {
                index.entry(display_bytes(entry.path)).or_default().push(entry.oid);
                entries.advance();
            }
        } else {
            for submodule in submodules(repository)?.into_iter().filter_map(|one| one.repository.ok()) {
                if let Ok(objects) = Objects::open(submodule.object_folders(), submodule.hash) {
                    databases.push((submodule.hash, objects));
                }
            }
        }
        Ok(Self { databases, index, kept: Mutex::default() })
    }

    fn read(&self, oid: &Oid) -> Result<Arc<Held>, String> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, held)) = kept().iter().find(|(known, _)| known == oid) {
            return Ok(Arc::clone(held));
        }
        let object = self.object(oid)?;
        let held = Arc::new(Held(object.bytes));
        let mut kept = kept();
        kept.truncate(MOST_KEPT - 1);
        kept.insert(0, (*oid, Arc::clone(&held)));
        Ok(held)
    }

    fn object(&self, oid: &Oid) -> Result<Object, String> {
        for (hash, objects) in &self.databases {
            if hash.id_len() != oid.as_bytes().len() {
                continue;
            }
            match objects.read(oid, MOST_BLOB) {
                Ok(Some(object)) => return Ok(object),
                Ok(None) => {}
                Err(_) => return Err("its object can't be read".into()),
            }
        }
        Err("its object is not in the repository".into())
    }

    /// A commit's or tag's text: offsets count from its start, or from that of its message.
    fn text(&self, id: &str) -> Result<Vec<Arc<dyn Content + Send>>, String> {
        let object = self.object(&parse(id)?)?;
        if !matches!(object.kind, ObjectKind::Commit | ObjectKind::Tag) {
            return Err("its commit is none".into());
        }
        let message = memmem::find(&object.bytes, b"\n\n").map(|at| object.bytes[at + 2..].to_vec());
        let forms = std::iter::once(object.bytes).chain(message);
        Ok(forms.map(|bytes| Arc::new(Held(bytes)) as Arc<dyn Content + Send>).collect())
    }
}

fn parse(id: &str) -> Result<Oid, String> {
    Oid::from_hex(id.as_bytes()).ok_or_else(|| "the id of its object is none".to_owned())
}

impl Reader for Blobs {
    fn open(&self, place: &Occurrence) -> Result<Vec<Arc<dyn Content + Send>>, String> {
        let blobs = match (&place.blob, &place.commit) {
            (Some(blob), _) => vec![parse(blob)?],
            (None, Some(commit)) => return self.text(commit),
            (None, None) => {
                let archives = place.path.match_indices(SEPARATOR).map(|(at, _)| &place.path[..at]);
                let mut paths = std::iter::once(place.path.as_str()).chain(archives);
                let staged = paths.find_map(|path| self.index.get(path));
                staged.ok_or("its file is not in the index any more")?.clone()
            }
        };
        let mut contents = Vec::new();
        for oid in &blobs {
            let blob = self.read(oid)?;
            contents.extend(entry_of(&*blob, &place.path));
            contents.push(blob);
        }
        Ok(contents)
    }
}
