//! What a scan of a history leaves for the next one of the same repository: which blobs were scanned by which rules, which of them
//! had matches, and how commits and folders lie.
//!
//! It holds ids, sizes, names of folders and the graph; no content and no value. A blob that was scanned and had no match is not
//! scanned again, one with matches is, so that what is reported is always read from the repository. The file is authenticated by a
//! key that does not lie in the repository, and bound to the repository's place: what someone else put there is not believed.
//! Whatever is wrong with it, it is as if it were not there.

mod bytes;
mod recall;
mod shape;

use std::{
    fmt, fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::census::Gid;
use crate::{detect::Detector, git::HashKind, rule::Rule};
use bytes::{Reader, Writer};
pub(super) use recall::{Recall, Seen};
pub(super) use shape::Shape;

const MAGIC: &[u8] = b"hekate history cache 1\n";
const MAC_LEN: usize = 32;
/// Where what it holds starts.
const BODY: usize = MAGIC.len() + MAC_LEN;
/// Bigger files are not read, in bytes: about what a hundred million objects take.
const MOST: u64 = 4 << 30;
/// The code that scans: what other code found is not believed.
const ENGINE: &str = env!("HEKATE_ENGINE");

/// Where a repository's cache lies, and what it is authenticated by.
#[derive(Debug, Clone)]
pub struct CacheFile {
    path: PathBuf,
    key: CacheKey,
}

/// What a cache is authenticated by.
#[derive(Clone, Copy)]
pub struct CacheKey(pub [u8; 32]);

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(..)")
    }
}

impl CacheFile {
    /// The cache of the repository with this git folder; the folder must be there.
    pub fn of(git_folder: &Path, key: CacheKey) -> Option<Self> {
        let folder = git_folder.canonicalize().ok()?.join("hekate");
        Some(Self { path: folder.join("history.cache"), key })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key.0).expect("HMAC takes a key of any length");
        for part in [ENGINE.as_bytes(), self.path.as_os_str().as_encoded_bytes()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.update(body);
        mac
    }

    /// The file, if it is authentic; what it holds stands behind [`BODY`].
    fn read(&self) -> Option<Vec<u8>> {
        let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        if !is_folder(self.path.parent()?) || !metadata.is_file() || metadata.len() > MOST {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.min(1 << 28));
        fs::File::open(&self.path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
        let mac = bytes.strip_prefix(MAGIC)?.get(..MAC_LEN)?;
        let body = bytes.get(BODY..)?;
        self.mac(body).verify_slice(mac).ok()?;
        Some(bytes)
    }

    /// Puts a new file in the place of the old one, at once.
    fn write(&self, body: &[u8]) -> std::io::Result<()> {
        let folder = self.path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
        match fs::symlink_metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            // Not through a link, and in no file's place.
            Ok(_) => return Err(std::io::ErrorKind::NotADirectory.into()),
            Err(_) => fs::create_dir(folder)?,
        }
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(std::io::ErrorKind::AlreadyExists.into());
        }
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&self.mac(body).finalize().into_bytes())?;
        file.write_all(body)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A pack, by its index's checksum, with how many objects it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownPack {
    pub(super) checksum: Vec<u8>,
    pub(super) count: u32,
}

/// What was read from a cache, or is to be written: numbers of objects are those of a census whose first packs are `packs`.
#[derive(Default)]
pub(super) struct Remembered {
    pub(super) packs: Vec<KnownPack>,
    /// The most bytes that had to be held for one blob.
    pub(super) largest: u64,
    /// By which rules all this was scanned.
    pub(super) rules: Vec<[u8; 32]>,
    pub(super) blobs: Vec<KnownBlob>,
    /// Raw ids of these blobs, one behind the other.
    pub(super) ids: Vec<u8>,
    pub(super) shape: Option<Shape>,
}

/// A blob that was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownBlob {
    /// [`super::census::NONE`] of what is in none of the packs.
    pub(super) gid: Gid,
    pub(super) size: u64,
    /// Something matched.
    pub(super) is_marked: bool,
    /// It points to a file of Git LFS.
    pub(super) is_pointer: bool,
}

/// Names a rule with all that it says.
fn name_of(rule: &Rule) -> [u8; 32] {
    Sha256::digest(postcard::to_stdvec(rule).expect("rules are written to memory")).into()
}

/// Stands among the names of rules where archives were looked into.
fn name_of_archives() -> [u8; 32] {
    Sha256::digest(b"archives").into()
}

/// Names of a detector's rules, sorted; with whether it looks into archives.
fn names_of(detector: &Detector) -> Vec<[u8; 32]> {
    let mut names: Vec<[u8; 32]> = detector.rules().map(name_of).collect();
    names.extend(detector.opens_archives().then(name_of_archives));
    names.sort_unstable();
    names
}

impl Remembered {
    /// Whether all this was looked into as the detector does it.
    pub(super) fn looked_into(&self, detector: &Detector) -> bool {
        self.rules.contains(&name_of_archives()) == detector.opens_archives()
    }

    /// Reads the file; nothing where it is not there, damaged, or of someone else.
    pub(super) fn load(file: &CacheFile, hash: HashKind) -> Self {
        let bytes = file.read();
        let body = bytes.as_ref().and_then(|bytes| bytes.get(BODY..));
        body.and_then(|body| Self::parse(body, hash.id_len())).unwrap_or_default()
    }

    fn parse(body: &[u8], id_len: usize) -> Option<Self> {
        let mut reader = Reader(body);
        let largest = reader.number()?;
        let counts = reader.u32s()?;
        let checksums = reader.bytes()?.chunks_exact(id_len);
        let packs: Vec<KnownPack> = checksums
            .zip(&counts)
            .map(|(checksum, count)| KnownPack { checksum: checksum.to_vec(), count: *count })
            .collect();
        let (rules, rest) = reader.bytes()?.as_chunks::<32>();
        let (gids, sizes, flags) = (reader.u32s()?, reader.u64s()?, reader.bytes()?);
        let ids = reader.bytes()?.to_vec();
        let is_even = gids.len() == sizes.len() && sizes.len() == flags.len();
        if packs.len() != counts.len() || !rest.is_empty() || !is_even || ids.len() != gids.len() * id_len {
            return None;
        }
        let blobs = gids.into_iter().zip(sizes).zip(flags).map(|((gid, size), flags)| KnownBlob {
            gid,
            size,
            is_marked: flags & 1 != 0,
            is_pointer: flags & 2 != 0,
        });
        let (blobs, rules) = (blobs.collect(), rules.to_vec());
        let shape = if reader.number()? == 1 { Some(Shape::read(&mut reader, id_len)?) } else { None };
        Some(Self { packs, largest, rules, blobs, ids, shape })
    }

    /// Writes the file. That it can't be written is no one's loss but of time.
    pub(super) fn save(&self, file: &CacheFile) {
        let mut writer = Writer::default();
        writer.number(self.largest);
        writer.u32s(self.packs.iter().map(|pack| pack.count));
        writer.bytes(&self.packs.iter().flat_map(|pack| pack.checksum.clone()).collect::<Vec<u8>>());
        writer.bytes(self.rules.as_flattened());
        writer.u32s(self.blobs.iter().map(|blob| blob.gid));
        writer.u64s(self.blobs.iter().map(|blob| blob.size));
        let flags = self.blobs.iter().map(|blob| u8::from(blob.is_marked) | u8::from(blob.is_pointer) << 1);
        writer.bytes(&flags.collect::<Vec<u8>>());
        writer.bytes(&self.ids);
        writer.number(u64::from(self.shape.is_some()));
        if let Some(shape) = &self.shape {
            shape.write(&mut writer);
        }
        let _ = file.write(&writer.0);
    }
}
