//! Archives: what files hold that hold other files, each entry as content of its own.
//!
//! An archive is told by its bytes, not by its name: the zip family (jar, apk, docx, whl, crx and the like), tar, gzip, bzip2, xz and zstd,
//! one in another. Whoever asks is shown the bytes of one entry after the other; what could not be opened, or not wholly, is a
//! [`Gap`]. An entry's path is that of its archive, a `!`, and the name in it: `lib/app.jar!conf/db.properties`.
//!
//! Archives are hostile input: names lead nowhere but into reports, and what comes out is bounded in bytes, entries and depth, and
//! against the size of what goes in, over all that is nested.

mod name;
mod reader;
mod stream;
mod zip;

use std::io::{self, Read};

use self::reader::ContentReader;
use super::Content;
use crate::model::{Gap, GapReason};

/// What stands between an archive's path and a name in it.
pub const SEPARATOR: char = '!';

/// One entry is looked at up to here, in bytes.
const MOST_ENTRY: u64 = 64 << 20;
/// All that comes out of one archive, in bytes: so much, …
const MOST_BYTES: u64 = 2 << 30;
/// … and no more than this many times its own size, …
const MOST_RATIO: u64 = 100;
/// … where that is more than this.
const LEAST_BYTES: u64 = 16 << 20;
/// Entries of one archive, with those of archives in it.
const MOST_ENTRIES: u64 = 100_000;
/// Archives in archives.
const MOST_DEPTH: usize = 4;
/// Bytes by which an archive is told.
const HEAD: usize = 512;

/// A form of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// PKWARE's application note.
    Zip,
    /// POSIX ustar and pax, GNU tar, and tar of old.
    Tar,
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// The .xz file format.
    Xz,
    /// RFC 8878.
    Zstd,
}

impl Archive {
    /// What the first bytes say.
    pub fn detect(head: &[u8]) -> Option<Self> {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'C', b'r', b'2', b'4', ..] => Some(Self::Zip),
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Self::Bzip2),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            _ => is_tar(head).then_some(Self::Tar),
        }
    }

    /// The same of content.
    ///
    /// # Errors
    /// What reading says.
    pub fn of(content: &dyn Content) -> io::Result<Option<Self>> {
        if let Some(bytes) = content.whole() {
            return Ok(Self::detect(&bytes[..bytes.len().min(HEAD)]));
        }
        Ok(Self::detect(&content.read_range(0, HEAD as u64)?))
    }
}

/// Whether the block is a header of tar: its checksum is right.
fn is_tar(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(block) = head.first_chunk::<HEAD>() else { return false };
    let digits = block[CHECKSUM].trim_ascii().split(|byte| *byte == 0 || *byte == b' ').next();
    let Some(stated) = digits.and_then(|digits| std::str::from_utf8(digits).ok()) else { return false };
    let Ok(stated) = u32::from_str_radix(stated, 8) else { return false };
    let counted = |(at, byte): (usize, &u8)| u32::from(if CHECKSUM.contains(&at) { b' ' } else { *byte });
    block[0] != 0 && stated == block.iter().enumerate().map(counted).sum::<u32>()
}

/// Who is shown an entry's path and bytes.
pub type Show<'s> = &'s mut dyn FnMut(&str, &[u8]) -> io::Result<()>;

/// Shows every entry of an archive that has this path, and those of archives in it; gives what was not opened, or not wholly, by path.
///
/// # Errors
/// What whoever is shown an entry says. What is wrong with the archive is a gap.
pub fn unpack(archive: Archive, content: &dyn Content, path: &str, show: Show<'_>) -> io::Result<Vec<Gap>> {
    let most = MOST_BYTES.min(LEAST_BYTES.max(content.len().saturating_mul(MOST_RATIO)));
    let mut walk = Walk { show, gaps: Vec::new(), bytes_left: most, entries_left: MOST_ENTRIES, most };
    walk.open(archive, content, path, 1)?;
    walk.gaps.sort();
    walk.gaps.dedup();
    Ok(walk.gaps)
}

/// The bytes of the entry with this path, as [`unpack`] shows it.
///
/// # Errors
/// What reading says.
pub fn read_entry(content: &dyn Content, path: &str, wanted: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(archive) = Archive::of(content)? else { return Ok(None) };
    let mut found = None;
    let mut show = |path: &str, bytes: &[u8]| {
        if found.is_none() && path == wanted {
            found = Some(bytes.to_vec());
        }
        Ok(())
    };
    unpack(archive, content, path, &mut show)?;
    Ok(found)
}

/// On the way through an archive and all that is in it.
struct Walk<'s> {
    show: Show<'s>,
    gaps: Vec<Gap>,
    /// Bytes that may still come out.
    bytes_left: u64,
    entries_left: u64,
    most: u64,
}

impl Walk<'_> {
    fn open(&mut self, archive: Archive, content: &dyn Content, path: &str, depth: usize) -> io::Result<()> {
        match archive {
            Archive::Zip => self.zip(content, path, depth),
            Archive::Tar => self.tar(ContentReader::new(content), path, depth),
            packed => self.stream(packed, content, path, depth),
        }
    }

    /// Takes an entry that can be read here: shows it or, if it is an archive, what is in it.
    fn entry(&mut self, reader: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        if !self.count_entry(path) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let most = MOST_ENTRY.min(self.bytes_left);
        let read = reader.take(most + 1).read_to_end(&mut bytes);
        if let Err(error) = &read {
            self.gap(path, GapReason::Damaged, error.to_string());
        }
        if bytes.len() as u64 > most {
            bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            self.gap(path, GapReason::Cap, format!("the first {most} bytes of it were scanned"));
        }
        self.bytes_left -= bytes.len() as u64;
        let content: &dyn Content = &bytes.as_slice();
        match Archive::detect(&bytes[..bytes.len().min(HEAD)]) {
            Some(inner) if depth < MOST_DEPTH => {
                let gaps = self.gaps.len();
                self.open(inner, content, path, depth + 1)?;
                // What can't be opened may still be read.
                let is_damaged = self.gaps[gaps..].iter().any(|gap| gap.path == path);
                if is_damaged { (self.show)(path, &bytes) } else { Ok(()) }
            }
            Some(_) => {
                self.gap(path, GapReason::Cap, format!("archives are opened {MOST_DEPTH} deep"));
                (self.show)(path, &bytes)
            }
            None => (self.show)(path, &bytes),
        }
    }

    /// Whether one more entry may be looked at; that it may not is told once.
    fn count_entry(&mut self, path: &str) -> bool {
        if self.bytes_left == 0 || self.entries_left == 0 {
            let archive = path.split(SEPARATOR).next().unwrap_or(path);
            let why = match self.entries_left {
                0 => format!("the first {MOST_ENTRIES} entries were scanned"),
                _ => format!("it unpacks to more than {} bytes", self.most),
            };
            let last = self.gaps.last();
            if last.is_none_or(|gap| gap.path != archive || gap.detail != why) {
                self.gap(archive, GapReason::Cap, why);
            }
            return false;
        }
        self.entries_left -= 1;
        true
    }

    /// Whether no more may come out.
    fn is_spent(&self) -> bool {
        self.gaps.last().is_some_and(|gap| gap.reason == GapReason::Cap)
            && (self.bytes_left == 0 || self.entries_left == 0)
    }

    fn gap(&mut self, path: &str, reason: GapReason, detail: String) {
        self.gaps.push(Gap { path: path.to_owned(), reason, detail });
    }
}

#[cfg(test)]
mod tests;
