//! The index: what the next commit is made of.
//!
//! Format: gitformat-index(5), versions 2 to 4, with split and sparse indexes. It is read whole and walked in place: nothing is
//! allocated per entry. The checksum at its end is not computed, as in git itself: what is wrong shows in what it leads to.

mod bitmap;
mod cache_tree;
mod cursor;
mod link;

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{HashKind, Oid, file};
pub use cache_tree::{CacheTree, CacheTreeNode};
use cursor::Cursor;
pub use cursor::IndexEntry;
pub use link::IndexEntries;
use link::Link;

/// Room for twenty million files, in bytes.
const MOST: u64 = 2 << 30;

/// An index that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it holds.
    #[error("read {}: {why}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// A version or an extension that must be known to read it.
    #[error("read {}: it needs {what}, which hekate can't read", path.display())]
    Unsupported {
        /// Which.
        path: PathBuf,
        /// Its name.
        what: String,
    },
}

/// An index, read and checked.
#[derive(Debug, Default)]
pub struct Index {
    file: IndexFile,
    base: Option<(IndexFile, Link)>,
}

/// One index file: a split index has two.
#[derive(Debug, Default)]
struct IndexFile {
    bytes: Vec<u8>,
    layout: Layout,
    cache_tree: CacheTree,
}

/// What it takes to walk the entries of a file.
#[derive(Debug, Default, Clone, Copy)]
struct Layout {
    hash: HashKind,
    version: u32,
    count: u32,
}

/// Why bytes are no index.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Malformed(&'static str),
    Unsupported(String),
}

impl Index {
    /// Reads the index at `path`; one that is not there is empty. `git_dir` holds the other half of a split index.
    ///
    /// # Errors
    /// A file that can't be read, or that is no index.
    pub fn read(path: &Path, git_dir: &Path, hash: HashKind) -> Result<Self, IndexError> {
        let bytes = match file::read(path, MOST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            result => result.map_err(|source| IndexError::Read { path: path.to_owned(), source })?,
        };
        let (file, link) = IndexFile::parse(bytes, hash).map_err(|fault| fault.at(path))?;
        let Some((id, link)) = link else { return Ok(Self { file, base: None }) };
        let base_path = git_dir.join(format!("sharedindex.{id}"));
        let bytes = file::read(&base_path, MOST)
            .map_err(|source| IndexError::Read { path: base_path.clone(), source })?;
        let (base, nested) = IndexFile::parse(bytes, hash).map_err(|fault| fault.at(&base_path))?;
        if nested.is_some() {
            return Err(
                Fault::Malformed("it is the base of a split index, and has one itself").at(&base_path)
            );
        }
        let link = link::parse(&file.bytes[link], base.layout.count).map_err(|fault| fault.at(path))?;
        if link.replaced.count() > file.layout.count as usize {
            return Err(Fault::Malformed("it replaces more entries than it has").at(path));
        }
        Ok(Self { file, base: Some((base, link)) })
    }

    /// The entries, by path and stage.
    pub fn entries(&self) -> IndexEntries<'_> {
        IndexEntries::new(self)
    }

    /// The trees that git already knows some folders to be.
    pub fn cache_tree(&self) -> &CacheTree {
        &self.file.cache_tree
    }
}

/// Where a split index's other half is said to be, and where the rest of what is said of it stands.
type LinkPart = (Oid, std::ops::Range<usize>);

impl IndexFile {
    fn parse(bytes: Vec<u8>, hash: HashKind) -> Result<(Self, Option<LinkPart>), Fault> {
        let end = bytes.len().checked_sub(hash.id_len()).filter(|end| *end >= 12);
        let (Some(end), Some(b"DIRC")) = (end, bytes.get(..4)) else {
            return Err(Fault::Malformed("it is no index"));
        };
        let [version, count] = [4, 8].map(|at| number(&bytes, at).expect("the header is there"));
        if !(2..=4).contains(&version) {
            return Err(Fault::Unsupported(format!("index version {version}")));
        }
        let layout = Layout { hash, version, count };
        let mut at = cursor::check(&bytes[..end], layout)?;
        let (mut cache_tree, mut link) = (CacheTree::default(), None);
        while at < end {
            let (Some(length), true) = (number(&bytes[..end], at + 4), at + 8 <= end) else {
                return Err(Fault::Malformed("an extension is cut"));
            };
            let signature = &bytes[at..at + 4];
            let start = at + 8;
            let stop = start.checked_add(length as usize).filter(|stop| *stop <= end);
            let stop = stop.ok_or(Fault::Malformed("an extension is cut"))?;
            let body = &bytes[start..stop];
            match signature {
                b"TREE" => cache_tree = CacheTree::parse(body, hash)?,
                b"link" => {
                    let id = body.get(..hash.id_len()).and_then(Oid::from_bytes);
                    let id = id.ok_or(Fault::Malformed("its link to a shared index is cut"))?;
                    link = (!id.is_null()).then_some((id, start + hash.id_len()..stop));
                }
                // Its entries may be folders; the mode tells.
                b"sdir" => {}
                [b'A'..=b'Z', ..] => {}
                other => {
                    let name = String::from_utf8_lossy(other);
                    return Err(Fault::Unsupported(format!("the index extension `{name}`")));
                }
            }
            at = stop;
        }
        Ok((Self { bytes, layout, cache_tree }, link))
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.bytes, self.layout)
    }
}

impl Fault {
    fn at(self, path: &Path) -> IndexError {
        let path = path.to_owned();
        match self {
            Self::Malformed(why) => IndexError::Malformed { path, why },
            Self::Unsupported(what) => IndexError::Unsupported { path, what },
        }
    }
}

/// Four bytes, highest first.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().expect("they are four")))
}
