//! Packs: many objects in one file, most of them as deltas of others.

mod index;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use index::PackIndex;

use super::{HashKind, ObjectKind, Oid, map::Map};

/// A pack or index that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It can't be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what its name says.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

/// A pack with its index.
#[derive(Debug)]
pub struct Pack {
    /// Its index.
    pub index: PackIndex,
    data: Map,
    /// Behind the last entry: the checksum stands there.
    end: u64,
    path: PathBuf,
    hash: HashKind,
}

/// What an entry is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// The object itself.
    Whole(ObjectKind),
    /// A delta of the entry that starts at this offset.
    OffsetDelta(u64),
    /// A delta of this object.
    RefDelta(Oid),
}

/// An entry's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub body: Body,
    /// Length of what follows when inflated, in bytes: of the object, or of the delta.
    pub size: u64,
    /// Where its zlib stream starts in the pack.
    pub stream: u64,
}

impl Pack {
    /// Opens a pack by the path of its index.
    ///
    /// # Errors
    /// That one of the two can't be read, or is malformed.
    pub fn open(index_path: &Path, hash: HashKind) -> Result<Self, PackError> {
        let index = PackIndex::open(index_path, hash)?;
        let path = index_path.with_extension("pack");
        let data = Map::open(&path).map_err(|source| PackError::Read { path: path.clone(), source })?;
        let malformed = |what: &str| PackError::Malformed { path: path.clone(), what: what.to_owned() };
        let version = data.get(4..8).filter(|_| data.starts_with(b"PACK"));
        if !version.is_some_and(|version| matches!(version, [0, 0, 0, 2 | 3])) {
            return Err(malformed("it is no pack of version 2 or 3"));
        }
        let end = data.len().checked_sub(hash.id_len()).filter(|end| *end >= 12);
        let end = end.ok_or_else(|| malformed("it is cut"))? as u64;
        Ok(Self { index, data, end, path, hash })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Behind the last byte of entries.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether its checksum and count are those of its index: a pack that was cut or put in another's place fails here.
    pub fn fits_index(&self) -> bool {
        self.data[self.data.len() - self.hash.id_len()..] == *self.index.pack_checksum()
            && self.data[8..12] == self.index.count().to_be_bytes()
    }

    /// Bytes of the pack.
    pub fn bytes(&self, from: u64, to: u64) -> Option<&[u8]> {
        self.data.get(usize::try_from(from).ok()?..usize::try_from(to.min(self.end)).ok()?)
    }

    /// Reads an entry's head; `None` where there is no whole one.
    pub fn header(&self, offset: u64) -> Option<Header> {
        let bytes = self.bytes(offset, self.end)?;
        let (&first, mut rest) = bytes.split_first()?;
        let mut size = u64::from(first & 15);
        let mut shift = 4;
        let mut byte = first;
        while byte & 0x80 != 0 {
            (byte, rest) = rest.split_first().map(|(next, rest)| (*next, rest))?;
            if shift > 57 {
                return None;
            }
            size |= u64::from(byte & 0x7F) << shift;
            shift += 7;
        }
        let body = match first >> 4 & 7 {
            1 => Body::Whole(ObjectKind::Commit),
            2 => Body::Whole(ObjectKind::Tree),
            3 => Body::Whole(ObjectKind::Blob),
            4 => Body::Whole(ObjectKind::Tag),
            6 => {
                let (distance, after) = distance(rest)?;
                rest = after;
                Body::OffsetDelta(offset.checked_sub(distance).filter(|base| *base >= 12 && distance > 0)?)
            }
            7 => {
                let id = Oid::from_bytes(rest.get(..self.hash.id_len())?)?;
                rest = &rest[self.hash.id_len()..];
                Body::RefDelta(id)
            }
            _ => return None,
        };
        Some(Header { body, size, stream: offset + (bytes.len() - rest.len()) as u64 })
    }
}

/// How far back a base lies, in git's own variable-length form.
fn distance(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut distance = u64::from(first & 0x7F);
    let mut byte = first;
    while byte & 0x80 != 0 {
        (byte, rest) = rest.split_first().map(|(next, rest)| (*next, rest))?;
        if distance >= 1 << 55 {
            return None;
        }
        distance = (distance + 1) << 7 | u64::from(byte & 0x7F);
    }
    Some((distance, rest))
}
