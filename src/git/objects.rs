//! The object database of a repository: every pack and loose object of its object folders.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{
    HashKind, Object, ObjectKind, Oid,
    delta::{self, DeltaError},
    inflate::{InflateError, Inflater},
    loose::{self, LooseError},
    pack::{Body, Header, Pack, PackError},
};

/// Chains longer than git makes them are loops.
const DEEPEST: usize = 10_000;
/// From pack to pack; git's own packs need no hop at all.
const MOST_HOPS: usize = 64;

/// Objects by id.
#[derive(Debug)]
pub struct Objects {
    hash: HashKind,
    folders: Vec<PathBuf>,
    packs: Vec<Slot>,
}

/// A pack that is opened when it is first needed.
#[derive(Debug)]
struct Slot {
    index_path: PathBuf,
    pack: OnceLock<Result<Pack, PackError>>,
}

/// An object folder that can't be listed.
#[derive(Debug, thiserror::Error)]
#[error("list {}: {source}", path.display())]
pub struct ObjectsError {
    path: PathBuf,
    source: io::Error,
}

/// An object that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// A loose object.
    #[error("read object {oid}: {source}")]
    Loose {
        /// Which.
        oid: Oid,
        /// Why.
        source: LooseError,
    },
    /// A pack that may hold it.
    #[error("read object {oid}: {message}")]
    Pack {
        /// Which.
        oid: Oid,
        /// Why.
        message: String,
    },
    /// An entry of a pack.
    #[error("read object {oid}: {what}")]
    Entry {
        /// Which.
        oid: Oid,
        /// Why.
        what: EntryError,
    },
}

/// An entry of a pack that can't be turned into its object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Its head is none.
    #[error("the pack entry is damaged")]
    Header,
    /// Its bytes are not what its kind has to be.
    #[error("it is malformed")]
    Malformed,
    /// A folder from which a path leads back to it, which takes a forged index.
    #[error("it holds itself")]
    Circle,
    /// Scanning it failed inside hekate.
    #[error("a bug in hekate; please report it")]
    Bug,
    /// Its checksum is not the one in the pack's index.
    #[error("the pack entry does not have the checksum that the index has for it")]
    Checksum,
    /// Its bytes.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// Its delta.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// What its delta stands on is not there.
    #[error("its delta's base is not there")]
    NoBase,
    /// What its delta stands on can't be read.
    #[error("its delta's base can't be read")]
    BadBase,
    /// It is bigger than may be held, in bytes.
    #[error("it has {0} bytes, more than may be held; raise --memory")]
    TooBig(u64),
}

impl ObjectError {
    /// What is wrong with the object, in a word.
    pub fn entry(&self) -> EntryError {
        match self {
            Self::Entry { what, .. } => what.clone(),
            Self::Loose { .. } | Self::Pack { .. } => EntryError::Malformed,
        }
    }

    /// The object's length in bytes, where that is what is wrong with it: more than may be held.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Loose { source: LooseError::TooBig(size), .. }
            | Self::Entry { what: EntryError::TooBig(size), .. } => Some(*size),
            _ => None,
        }
    }
}

impl Objects {
    /// Lists the packs of the object folders, in their order. No pack is opened yet.
    ///
    /// # Errors
    /// A folder that can't be listed. One that is not there holds nothing.
    pub fn open(folders: &[PathBuf], hash: HashKind) -> Result<Self, ObjectsError> {
        let mut packs = Vec::new();
        for folder in folders {
            packs.extend(list_packs(&folder.join("pack"))?);
        }
        let slot = |index_path| Slot { index_path, pack: OnceLock::new() };
        Ok(Self { hash, folders: folders.to_vec(), packs: packs.into_iter().map(slot).collect() })
    }

    /// How it names its objects.
    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// Its object folders.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Every pack, opened, or why it can't be.
    pub fn packs(&self) -> impl Iterator<Item = (&Path, Result<&Pack, &PackError>)> {
        self.packs.iter().map(|slot| (slot.index_path.as_path(), self.pack(slot).as_ref()))
    }

    fn pack<'a>(&self, slot: &'a Slot) -> &'a Result<Pack, PackError> {
        slot.pack.get_or_init(|| Pack::open(&slot.index_path, self.hash))
    }

    /// Reads an object; `None` where it is nowhere. `most` is how many bytes of an object may be held.
    ///
    /// # Errors
    /// An object that is there and can't be read, or a pack that can't be opened and may hold it.
    pub fn read(&self, oid: &Oid, most: u64) -> Result<Option<Object>, ObjectError> {
        self.read_through(oid, most, 0)
    }

    /// The same, so many packs away from the one that it was asked of: hostile packs may stand on each other in a circle.
    fn read_through(&self, oid: &Oid, most: u64, hops: usize) -> Result<Option<Object>, ObjectError> {
        let mut damaged = None;
        for folder in &self.folders {
            match loose::read(folder, oid, most) {
                Ok(Some(object)) => return Ok(Some(object)),
                Ok(None) => {}
                // A pack may hold it undamaged.
                Err(source) => damaged = Some(ObjectError::Loose { oid: *oid, source }),
            }
        }
        match (self.read_packed(oid, most, hops), damaged) {
            (Ok(Some(object)), _) => Ok(Some(object)),
            (_, Some(damaged)) => Err(damaged),
            (packed, None) => packed,
        }
    }

    /// The bytes of an object that stands whole in its file or pack, piece by piece; `None` of any other.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn stream(&self, oid: &Oid) -> io::Result<Option<Box<dyn io::Read + Send + '_>>> {
        for folder in &self.folders {
            if let Some(stream) = loose::stream(folder, oid)? {
                return Ok(Some(stream));
            }
        }
        for pack in self.packs.iter().filter_map(|slot| self.pack(slot).as_ref().ok()) {
            let offset = pack.index.find(oid.as_bytes()).and_then(|position| pack.index.offset(position));
            let Some(header) = offset.and_then(|offset| pack.header(offset)) else { continue };
            if let (Body::Whole(_), Some(bytes)) = (header.body, pack.bytes(header.stream, pack.end())) {
                return Ok(Some(Box::new(flate2::read::ZlibDecoder::new(bytes).take(header.size))));
            }
        }
        Ok(None)
    }

    fn read_packed(&self, oid: &Oid, most: u64, hops: usize) -> Result<Option<Object>, ObjectError> {
        let (mut unusable, mut damaged) = (None, None);
        for slot in &self.packs {
            match self.pack(slot) {
                Ok(pack) => {
                    let Some(position) = pack.index.find(oid.as_bytes()) else { continue };
                    match self.read_entry(pack, position, most, hops) {
                        Ok(object) => return Ok(Some(object)),
                        // Another pack may hold it undamaged.
                        Err(what) => damaged = damaged.or(Some(what)),
                    }
                }
                Err(error) => unusable = Some(error.to_string()),
            }
        }
        if let Some(what) = damaged {
            return Err(ObjectError::Entry { oid: *oid, what });
        }
        unusable.map_or(Ok(None), |message| Err(ObjectError::Pack { oid: *oid, message }))
    }

    /// Reads the entry at this place of a pack's index: down to the base of its chain, then up again.
    fn read_entry(&self, pack: &Pack, position: u32, most: u64, hops: usize) -> Result<Object, EntryError> {
        let mut offset = pack.index.offset(position).ok_or(EntryError::Header)?;
        let mut inflater = Inflater::default();
        let mut deltas = Vec::new();
        let (kind, mut bytes) = loop {
            let header = pack.header(offset).ok_or(EntryError::Header)?;
            if header.size > most {
                return Err(EntryError::TooBig(header.size));
            }
            let stream = inflate_entry(pack, &header, &mut inflater)?;
            match header.body {
                Body::Whole(kind) => break (kind, stream),
                Body::OffsetDelta(base) => offset = base,
                Body::RefDelta(base) => match pack.index.find(base.as_bytes()) {
                    Some(position) => offset = pack.index.offset(position).ok_or(EntryError::Header)?,
                    None => {
                        deltas.push(stream);
                        break self.foreign_base(&base, most, hops + 1)?;
                    }
                },
            }
            deltas.push(stream);
            if deltas.len() > DEEPEST {
                return Err(EntryError::Header);
            }
        };
        for delta in deltas.iter().rev() {
            let (_, size) = delta::lengths(delta)?;
            if size > most {
                return Err(EntryError::TooBig(size));
            }
            let mut result = Vec::new();
            delta::apply(&bytes, delta, &mut result, &mut Vec::new())?;
            bytes = result;
        }
        Ok(Object { kind, bytes })
    }

    /// A base that lies outside of the pack: what a thin pack's leftovers stand on.
    fn foreign_base(&self, oid: &Oid, most: u64, hops: usize) -> Result<(ObjectKind, Vec<u8>), EntryError> {
        if hops > MOST_HOPS {
            return Err(EntryError::BadBase);
        }
        match self.read_through(oid, most, hops) {
            Ok(Some(object)) => Ok((object.kind, object.bytes)),
            Ok(None) => Err(EntryError::NoBase),
            Err(_) => Err(EntryError::BadBase),
        }
    }
}

/// Inflates what follows an entry's head.
///
/// # Errors
/// That it is damaged.
fn inflate_entry(pack: &Pack, header: &Header, inflater: &mut Inflater) -> Result<Vec<u8>, EntryError> {
    let stream = pack.bytes(header.stream, pack.end()).ok_or(EntryError::Header)?;
    // No stream of this length holds so much: zlib shrinks to a thousandth at best.
    if header.size / 1100 > stream.len() as u64 {
        return Err(EntryError::Header);
    }
    let size = usize::try_from(header.size).map_err(|_| EntryError::TooBig(header.size))?;
    let mut bytes = Vec::new();
    inflater.inflate(stream, size, &mut bytes)?;
    Ok(bytes)
}

/// The indexes in a folder of packs, by name.
fn list_packs(folder: &Path) -> Result<Vec<PathBuf>, ObjectsError> {
    let failed = |source| ObjectsError { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut indexes = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            indexes.push(path);
        }
    }
    indexes.sort();
    Ok(indexes)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Every object of the repository that the variable names is what git says it is.
    #[test]
    #[ignore = "needs REPO=path"]
    fn objects_are_what_git_says() {
        let repository = PathBuf::from(std::env::var_os("REPO").unwrap());
        let git = |args: &[&str]| {
            let output = Command::new("git").arg("-C").arg(&repository).args(args).output().unwrap();
            assert!(output.status.success());
            output.stdout
        };
        let objects = Objects::open(&[repository.join("objects")], HashKind::Sha1).unwrap();
        let list = String::from_utf8(git(&["cat-file", "--batch-all-objects", "--batch-check"])).unwrap();
        for line in list.lines().step_by(list.lines().count() / 300 + 1) {
            let mut words = line.split(' ');
            let (id, kind) = (words.next().unwrap(), words.next().unwrap());
            let object = objects.read(&Oid::from_hex(id.as_bytes()).unwrap(), u64::MAX).unwrap().unwrap();
            assert_eq!(object.kind.as_str(), kind);
            assert!(object.bytes == git(&["cat-file", kind, id]), "{line}");
        }
    }
}
