//! The zip family, read by its directory; where that is missing, from one entry to the next.
//!
//! The format: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3.7 (an entry), 4.3.12 (the directory), 4.3.14 to
//! 4.3.16 (its end), 4.5.3 (sizes of more than 4 GiB).

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;
use memchr::memmem;

use super::{Archive, MOST_ENTRIES, Walk, name, reader::ContentReader, stream::decoder};
use crate::{detect::Content, model::GapReason};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCAL_LEN: u64 = 30;
const END_LEN: u64 = 22;
/// A directory is read up to here, in bytes.
const MOST_DIRECTORY: u64 = 64 << 20;

/// An entry of the directory.
struct Listed {
    name: Vec<u8>,
    is_encrypted: bool,
    method: u16,
    packed: u64,
    /// Where it stands.
    at: u64,
}

/// Where the directory stands.
struct Directory {
    at: u64,
    len: u64,
    /// What stands before the archive: offsets don't count it.
    shift: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Walk<'_> {
    pub(super) fn zip(&mut self, content: &dyn Content, path: &str, depth: usize) -> io::Result<()> {
        match directory(content).and_then(|found| found.map(|found| list(content, &found)).transpose()) {
            Ok(Some(listed)) => self.listed(content, listed, path, depth),
            Ok(None) => {
                let why = "its directory is missing; what stands before the damage was scanned";
                self.gap(path, GapReason::Damaged, why.to_owned());
                self.one_by_one(content, path, depth)
            }
            Err(error) => {
                self.gap(path, GapReason::Damaged, error.to_string());
                Ok(())
            }
        }
    }

    fn listed(
        &mut self,
        content: &dyn Content,
        listed: Vec<Listed>,
        path: &str,
        depth: usize,
    ) -> io::Result<()> {
        let mut encrypted = 0_u64;
        for (number, entry) in listed.iter().enumerate().filter(|(_, entry)| !entry.name.ends_with(b"/")) {
            if entry.is_encrypted {
                encrypted += 1;
                continue;
            }
            let inner = name::join(path, &entry.name, number + 1);
            let Some(data) = data_at(content, entry.at)? else {
                self.gap(&inner, GapReason::Damaged, "it is not where the directory says".to_owned());
                continue;
            };
            let packed = ContentReader::from(content, data).take(entry.packed);
            self.packed(entry.method, packed, &inner, depth)?;
            if self.is_spent() {
                break;
            }
        }
        if encrypted > 0 {
            self.gap(path, GapReason::Encrypted, format!("{encrypted} entries"));
        }
        Ok(())
    }

    fn packed(&mut self, method: u16, packed: impl Read, path: &str, depth: usize) -> io::Result<()> {
        let mut packed = io::BufReader::with_capacity(32 << 10, packed);
        let other = match method {
            0 => return self.entry(&mut packed, path, depth),
            8 => return self.entry(&mut DeflateDecoder::new(packed), path, depth),
            12 => Archive::Bzip2,
            93 => Archive::Zstd,
            95 => Archive::Xz,
            other => {
                self.gap(
                    path,
                    GapReason::Damaged,
                    format!("it is packed by method {other}, which is not known"),
                );
                return Ok(());
            }
        };
        match decoder(other, packed) {
            Ok(Some(mut unpacked)) => self.entry(&mut unpacked, path, depth),
            Ok(None) => Ok(()),
            Err(error) => {
                self.gap(path, GapReason::Damaged, error.to_string());
                Ok(())
            }
        }
    }

    /// Entries as they stand one behind the other.
    fn one_by_one(&mut self, content: &dyn Content, path: &str, depth: usize) -> io::Result<()> {
        let mut number = 0;
        let mut at = find(content, 0, LOCAL)?;
        while let Some(start) = at {
            number += 1;
            let header = content.read_range(start, start + LOCAL_LEN)?;
            let fields = (u16_at(&header, 6), u16_at(&header, 8), u32_at(&header, 18), u16_at(&header, 26));
            let (Some(flags), Some(method), Some(packed), Some(name_len)) = fields else { break };
            let Some(data) = data_at(content, start)? else { break };
            let name = content.read_range(start + LOCAL_LEN, start + LOCAL_LEN + u64::from(name_len))?;
            let inner = name::join(path, &name, number);
            // Its size may stand behind it only: then it ends where the next one starts.
            let is_open = packed == 0 && flags & 8 != 0;
            let next = find(content, if is_open { data } else { data + packed }, LOCAL)?;
            let end = if is_open { next.unwrap_or(content.len()) } else { data + packed };
            if flags & 1 != 0 {
                self.gap(&inner, GapReason::Encrypted, String::new());
            } else if !name.ends_with(b"/") {
                let packed = ContentReader::from(content, data).take(end.saturating_sub(data));
                self.packed(method, packed, &inner, depth)?;
            }
            if self.is_spent() {
                break;
            }
            at = next;
        }
        Ok(())
    }
}

/// Where an entry's bytes start; `None` where there is no entry.
fn data_at(content: &dyn Content, at: u64) -> io::Result<Option<u64>> {
    let header = content.read_range(at, at.saturating_add(LOCAL_LEN))?;
    if !header.starts_with(LOCAL) {
        return Ok(None);
    }
    let both = u16_at(&header, 26).zip(u16_at(&header, 28));
    Ok(both.map(|(name, extra)| at + LOCAL_LEN + u64::from(name) + u64::from(extra)))
}

/// The first place of a mark from an offset on.
fn find(content: &dyn Content, from: u64, mark: &[u8]) -> io::Result<Option<u64>> {
    const PIECE: u64 = 1 << 20;
    let mut at = from;
    while at < content.len() {
        let piece = content.read_range(at, at + PIECE + mark.len() as u64 - 1)?;
        if let Some(found) = memmem::find(&piece, mark) {
            return Ok(Some(at + found as u64));
        }
        at += PIECE;
    }
    Ok(None)
}

/// Finds the directory by what stands at the archive's end.
fn directory(content: &dyn Content) -> io::Result<Option<Directory>> {
    let from = content.len().saturating_sub(END_LEN + u64::from(u16::MAX));
    let tail = content.read_range(from, content.len())?;
    for place in memmem::rfind_iter(&tail, END) {
        let end = from + place as u64;
        let fields = (u32_at(&tail, place + 12), u32_at(&tail, place + 16));
        let (Some(len), Some(offset)) = fields else { continue };
        let of_64 = place.checked_sub(20).and_then(|locator| {
            let locator = tail.get(locator..place)?;
            locator.starts_with(LOCATOR_64).then(|| u64_at(locator, 8)).flatten()
        });
        let (end, len, offset) = match of_64.filter(|_| len == 0xFFFF_FFFF || offset == 0xFFFF_FFFF) {
            Some(at) => {
                let record = content.read_range(at, at.saturating_add(56))?;
                let fields = (u64_at(&record, 40), u64_at(&record, 48));
                let (true, (Some(len), Some(offset))) = (record.starts_with(END_64), fields) else {
                    continue;
                };
                (at, len, offset)
            }
            None => (end, len, offset),
        };
        let Some(at) = end.checked_sub(len).filter(|at| *at >= offset) else { continue };
        return Ok(Some(Directory { at, len, shift: at - offset }));
    }
    Ok(None)
}

/// The entries of a directory, as far as it is one.
fn list(content: &dyn Content, directory: &Directory) -> io::Result<Vec<Listed>> {
    let len = directory.len.min(MOST_DIRECTORY);
    let bytes = content.read_range(directory.at, directory.at + len)?;
    let mut listed = Vec::new();
    let mut rest = bytes.as_slice();
    // One more than is looked at, so that it is told.
    while rest.starts_with(CENTRAL) && listed.len() as u64 <= MOST_ENTRIES {
        let Some((entry, len)) = listing(rest, directory.shift) else { break };
        listed.push(entry);
        rest = &rest[len..];
    }
    Ok(listed)
}

/// One entry, and how long it is in the directory.
fn listing(bytes: &[u8], shift: u64) -> Option<(Listed, usize)> {
    const LEN: usize = 46;
    let lens = [u16_at(bytes, 28)?, u16_at(bytes, 30)?, u16_at(bytes, 32)?].map(usize::from);
    let name = bytes.get(LEN..LEN + lens[0])?;
    let extra = bytes.get(LEN + lens[0]..LEN + lens[0] + lens[1])?;
    let mut sizes = [u32_at(bytes, 24)?, u32_at(bytes, 20)?, u32_at(bytes, 42)?];
    let mut big = field_64(extra).unwrap_or_default();
    for size in sizes.iter_mut().filter(|size| **size == 0xFFFF_FFFF) {
        *size = u64_at(big, 0)?;
        big = &big[8..];
    }
    let entry = Listed {
        name: name.to_vec(),
        is_encrypted: u16_at(bytes, 8)? & 1 != 0,
        method: u16_at(bytes, 10)?,
        packed: sizes[1],
        at: sizes[2].checked_add(shift)?,
    };
    Some((entry, (LEN + lens.iter().sum::<usize>()).min(bytes.len())))
}

/// The field of an entry that holds what needs 64 bits.
fn field_64(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let (id, len) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let field = extra.get(4..4 + len)?;
        if id == 1 {
            return Some(field);
        }
        extra = &extra[4 + len..];
    }
}
