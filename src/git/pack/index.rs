//! Pack indexes: which objects a pack holds, and where. Versions 1 and 2, either hash.

use std::path::Path;

use super::PackError;
use crate::git::{HashKind, Oid, map::Map};

const MAGIC: &[u8] = b"\xFFtOc";
const FANOUT: usize = 256 * 4;

/// An index, mapped. Its tables lie within the file; what they say is checked where it is used.
#[derive(Debug)]
pub struct PackIndex {
    map: Map,
    hash: HashKind,
    count: u32,
    /// Where the tables start.
    fanout: usize,
    ids: usize,
    /// Of version 2: checksums, offsets, and 64-bit offsets.
    v2: Option<Tables>,
}

#[derive(Debug, Clone, Copy)]
struct Tables {
    crcs: usize,
    offsets: usize,
    long_offsets: usize,
    long_count: usize,
}

impl PackIndex {
    /// Opens an index.
    ///
    /// # Errors
    /// That it can't be read, or is no index of this kind of hash.
    pub fn open(path: &Path, hash: HashKind) -> Result<Self, PackError> {
        let map = Map::open(path).map_err(|source| PackError::Read { path: path.to_owned(), source })?;
        Self::parse(map, hash).ok_or_else(|| PackError::Malformed {
            path: path.to_owned(),
            what: "it is no pack index, or cut".into(),
        })
    }

    fn parse(map: Map, hash: HashKind) -> Option<Self> {
        let is_v2 = map.starts_with(MAGIC);
        if is_v2 && u32_at(&map, 4)? != 2 {
            return None;
        }
        let fanout = if is_v2 { 8 } else { 0 };
        let mut last = 0;
        for slot in 0..256 {
            let up_to = u32_at(&map, fanout + 4 * slot)?;
            if up_to < last {
                return None;
            }
            last = up_to;
        }
        let count = last as usize;
        let ids = fanout + FANOUT;
        let trailer = 2 * hash.id_len();
        let v2 = if is_v2 {
            let crcs = ids + count * hash.id_len();
            let offsets = crcs + 4 * count;
            let long_offsets = offsets + 4 * count;
            let rest = map.len().checked_sub(long_offsets + trailer)?;
            Some(Tables { crcs, offsets, long_offsets, long_count: rest / 8 })
        } else {
            map.len().checked_sub(ids + count * (4 + hash.id_len()) + trailer)?;
            None
        };
        Some(Self { map, hash, count: last, fanout, ids, v2 })
    }

    /// How many objects the pack holds.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The raw id of the object at this place in the order of ids.
    pub fn id(&self, position: u32) -> &[u8] {
        let (position, len) = (position as usize, self.hash.id_len());
        let start = match self.v2 {
            Some(_) => self.ids + position * len,
            None => self.ids + position * (len + 4) + 4,
        };
        &self.map[start..start + len]
    }

    /// Its id.
    pub fn oid(&self, position: u32) -> Oid {
        Oid::from_bytes(self.id(position)).expect("ids have the length of the hash")
    }

    /// Where its entry starts in the pack; `None` where the index points nowhere.
    pub fn offset(&self, position: u32) -> Option<u64> {
        const LONG: u32 = 1 << 31;
        let Some(tables) = self.v2 else {
            return u32_at(&self.map, self.ids + position as usize * (self.hash.id_len() + 4)).map(u64::from);
        };
        let offset = u32_at(&self.map, tables.offsets + 4 * position as usize)?;
        if offset & LONG == 0 {
            return Some(u64::from(offset));
        }
        let slot = (offset & !LONG) as usize;
        let start = (slot < tables.long_count).then_some(tables.long_offsets + 8 * slot)?;
        Some(u64::from_be_bytes(self.map.get(start..start + 8)?.try_into().ok()?))
    }

    /// CRC-32 of its entry, as it stands in the pack; indexes of version 1 have none.
    pub fn crc(&self, position: u32) -> Option<u32> {
        u32_at(&self.map, self.v2?.crcs + 4 * position as usize)
    }

    /// Where an id stands in the order of ids.
    pub fn find(&self, id: &[u8]) -> Option<u32> {
        let first = usize::from(*id.first()?);
        let up_to = |slot: usize| u32_at(&self.map, self.fanout + 4 * slot).unwrap_or(0);
        let mut low = if first == 0 { 0 } else { up_to(first - 1) };
        let mut high = up_to(first);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Whether it is as it was written: its own checksum stands at its end.
    pub fn is_sound(&self) -> bool {
        let content = &self.map[..self.map.len() - self.hash.id_len()];
        self.hash.digest(&[content]).as_bytes() == self.checksum()
    }

    /// Its own checksum: [`Self::is_sound`] says whether that is right.
    pub fn checksum(&self) -> &[u8] {
        &self.map[self.map.len() - self.hash.id_len()..]
    }

    /// The pack's checksum, as the index has it.
    pub fn pack_checksum(&self) -> &[u8] {
        let end = self.map.len() - self.hash.id_len();
        &self.map[end - self.hash.id_len()..end]
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
