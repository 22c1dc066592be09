//! Walks the entries of one index file.

use super::{Fault, Layout};
use crate::git::Oid;

/// Times, device, owner, size: nothing of what is committed.
const STAT: usize = 40;
const MODE_AT: usize = 24;
const EXTENDED: u16 = 0x4000;
const ASSUME_VALID: u16 = 0x8000;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;
const KNOWN_EXTENDED: u16 = SKIP_WORKTREE | INTENT_TO_ADD | 0x8000;
/// Names of this length or more are ended by their NUL only.
const LONG_NAME: usize = 0xfff;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry<'a> {
    /// From the root of the work tree, `/` between its parts; a folder of a sparse index ends with one.
    pub path: &'a [u8],
    /// As in trees: 0o100644, 0o100755, 0o120000 (link), 0o160000 (submodule); 0o040000 is a folder of a sparse index.
    pub mode: u32,
    /// Blob, tree, or a commit of another repository.
    pub oid: Oid,
    /// 0, or in a conflict 1 (base), 2 (ours), 3 (theirs).
    pub stage: u8,
    /// `git add --intent-to-add`: the content is not staged.
    pub is_intent_to_add: bool,
    /// It is not checked out.
    pub is_skipped: bool,
    /// `git update-index --assume-unchanged`.
    pub is_assumed_valid: bool,
}

/// The fixed part of an entry, and where its name is.
struct Head {
    flags: u16,
    extended: u16,
    /// In version 4: how many bytes of the name before go.
    strip: usize,
    name_start: usize,
    name_end: usize,
    /// Behind the entry and its padding.
    end: usize,
}

/// Reads what stands at `start`. `bytes` end where entries must.
fn head(bytes: &[u8], layout: Layout, start: usize) -> Option<Head> {
    let flags_at = start + STAT + layout.hash.id_len();
    let short = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let flags = short(flags_at)?;
    let mut at = flags_at + 2;
    let mut extended = 0;
    if flags & EXTENDED != 0 {
        if layout.version < 3 {
            return None;
        }
        extended = short(at)?;
        at += 2;
    }
    if extended & !KNOWN_EXTENDED != 0 {
        return None;
    }
    let mut strip = 0;
    if layout.version == 4 {
        (strip, at) = varint(bytes, at)?;
        let name_end = at + memchr::memchr(0, bytes.get(at..)?)?;
        return Some(Head { flags, extended, strip, name_start: at, name_end, end: name_end + 1 });
    }
    let length = usize::from(flags & 0xfff);
    let name_end = if length < LONG_NAME { at + length } else { at + memchr::memchr(0, bytes.get(at..)?)? };
    // One NUL to eight of them, up to a multiple of eight.
    let end = start + ((name_end - start) / 8 + 1) * 8;
    if bytes.get(name_end) != Some(&0) || end > bytes.len() {
        return None;
    }
    Some(Head { flags, extended, strip, name_start: at, name_end, end })
}

/// As in offsets of packs: seven bits a byte, highest first, one added at each step.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        // No name is this long.
        if value > 1 << 32 {
            return None;
        }
        value = ((value + 1) << 7) + usize::from(byte & 0x7f);
    }
    Some((value, at + 1))
}

/// Where the entries end, if all of them are there and well formed.
pub(super) fn check(bytes: &[u8], layout: Layout) -> Result<usize, Fault> {
    let (mut at, mut name) = (12, 0);
    for _ in 0..layout.count {
        let head = head(bytes, layout, at).filter(|head| head.strip <= name);
        let head = head.ok_or(Fault::Malformed("an entry is malformed or cut"))?;
        name = name - head.strip + (head.name_end - head.name_start);
        if layout.version < 4 {
            name = 0;
        }
        at = head.end;
    }
    Ok(at)
}

/// Stands before an entry, or behind the last.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    layout: Layout,
    /// Where the next entry starts.
    at: usize,
    left: u32,
    /// Of version 4: the name of the entry before.
    name: Vec<u8>,
    /// What [`Self::load`] found.
    loaded: Option<Loaded>,
}

#[derive(Debug, Clone, Copy)]
struct Loaded {
    start: usize,
    end: usize,
    name_start: usize,
    name_end: usize,
    flags: u16,
    extended: u16,
}

impl<'a> Cursor<'a> {
    /// Before the first entry of bytes that were [checked](check).
    pub(super) fn new(bytes: &'a [u8], layout: Layout) -> Self {
        let mut cursor = Self { bytes, layout, at: 12, left: layout.count, name: Vec::new(), loaded: None };
        cursor.load();
        cursor
    }

    fn load(&mut self) {
        self.loaded = None;
        if self.left == 0 {
            return;
        }
        let Head { flags, extended, strip, name_start, name_end, end } =
            head(self.bytes, self.layout, self.at).expect("the entries were checked");
        if self.layout.version == 4 {
            self.name.truncate(self.name.len() - strip);
            self.name.extend_from_slice(&self.bytes[name_start..name_end]);
        }
        self.loaded = Some(Loaded { start: self.at, end, name_start, name_end, flags, extended });
    }

    /// Goes behind the entry it stands before.
    pub(super) fn advance(&mut self) {
        if let Some(loaded) = self.loaded {
            self.at = loaded.end;
            self.left -= 1;
            self.load();
        }
    }

    /// The path of the entry it stands before.
    pub(super) fn path(&self) -> Option<&[u8]> {
        let loaded = self.loaded?;
        Some(if self.layout.version == 4 {
            &self.name
        } else {
            &self.bytes[loaded.name_start..loaded.name_end]
        })
    }

    /// The entry it stands before.
    pub(super) fn entry(&self) -> Option<IndexEntry<'_>> {
        let (loaded, path) = (self.loaded?, self.path()?);
        let mode_at = loaded.start + MODE_AT;
        let oid_at = loaded.start + STAT;
        Some(IndexEntry {
            path,
            mode: super::number(self.bytes, mode_at).expect("the entries were checked"),
            oid: Oid::from_bytes(&self.bytes[oid_at..oid_at + self.layout.hash.id_len()])
                .expect("as many bytes as an id has"),
            stage: (loaded.flags >> 12 & 3) as u8,
            is_intent_to_add: loaded.extended & INTENT_TO_ADD != 0,
            is_skipped: loaded.extended & SKIP_WORKTREE != 0,
            is_assumed_valid: loaded.flags & ASSUME_VALID != 0,
        })
    }
}
