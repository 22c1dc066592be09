//! The entries of an index in one row, also where it is split in two.
//!
//! Format: gitformat-index(5), "Split index". The base's entries come first in question: some are deleted, some replaced (by the first
//! entries of the other file, which have no names), and the other file's further entries are added by path.

use std::cmp::Ordering;

use super::{
    Fault, Index,
    bitmap::{self, Bitmap},
    cursor::{Cursor, IndexEntry},
};

/// Which entries of the base go, and which are others now.
#[derive(Debug, Default)]
pub(super) struct Link {
    deleted: Bitmap,
    pub(super) replaced: Bitmap,
}

/// What stands behind the base's id.
pub(super) fn parse(bytes: &[u8], base_count: u32) -> Result<Link, Fault> {
    if bytes.is_empty() {
        return Ok(Link::default());
    }
    let (deleted, rest) = bitmap::parse(bytes, base_count)?;
    let (replaced, rest) = bitmap::parse(rest, base_count)?;
    if rest.is_empty() {
        Ok(Link { deleted, replaced })
    } else {
        Err(Fault::Malformed("there is more in its link to a shared index than two bitmaps"))
    }
}

/// The entries of an index, by path and stage. Stands before one of them, or behind the last.
#[derive(Clone)]
pub struct IndexEntries<'a> {
    /// All, or what is added to the base.
    own: Cursor<'a>,
    base: Option<Base<'a>>,
    /// Which of the two is next.
    next: Next,
}

#[derive(Clone)]
struct Base<'a> {
    cursor: Cursor<'a>,
    index: u32,
    link: &'a Link,
    replacements: Cursor<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Own,
    Base,
    /// Both are the same entry: the own one counts.
    Both,
}

impl<'a> IndexEntries<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        let mut own = index.file.cursor();
        let Some((file, link)) = &index.base else { return Self { own, base: None, next: Next::Own } };
        let replacements = own.clone();
        (0..link.replaced.count()).for_each(|_| own.advance());
        let mut base = Base { cursor: file.cursor(), index: 0, link, replacements };
        base.pass_deleted();
        let mut entries = Self { own, base: Some(base), next: Next::Own };
        entries.choose();
        entries
    }

    fn choose(&mut self) {
        let Some(base) = &self.base else { return };
        self.next = match (self.own.entry(), base.entry()) {
            (_, None) => Next::Own,
            (None, Some(_)) => Next::Base,
            (Some(own), Some(base)) => match (own.path, own.stage).cmp(&(base.path, base.stage)) {
                Ordering::Less => Next::Own,
                Ordering::Equal => Next::Both,
                Ordering::Greater => Next::Base,
            },
        };
    }

    /// The entry it stands before.
    pub fn peek(&self) -> Option<IndexEntry<'_>> {
        match (&self.base, self.next) {
            (Some(base), Next::Base) => base.entry(),
            _ => self.own.entry(),
        }
    }

    /// The path of the entry it stands before.
    pub fn path(&self) -> Option<&[u8]> {
        match (&self.base, self.next) {
            (Some(base), Next::Base) => base.cursor.path(),
            _ => self.own.path(),
        }
    }

    /// Goes behind it.
    pub fn advance(&mut self) {
        if self.next != Next::Base {
            self.own.advance();
        }
        if let Some(base) = &mut self.base {
            if self.next != Next::Own {
                base.advance();
            }
            self.choose();
        }
    }

    /// Goes behind `count` entries.
    pub fn skip(&mut self, count: u32) {
        for _ in 0..count {
            if self.path().is_none() {
                return;
            }
            self.advance();
        }
    }
}

impl Base<'_> {
    fn entry(&self) -> Option<IndexEntry<'_>> {
        let entry = self.cursor.entry()?;
        if !self.link.replaced.has(self.index) {
            return Some(entry);
        }
        Some(IndexEntry { path: entry.path, ..self.replacements.entry()? })
    }

    fn advance(&mut self) {
        if self.link.replaced.has(self.index) {
            self.replacements.advance();
        }
        self.step();
        self.pass_deleted();
    }

    fn step(&mut self) {
        self.cursor.advance();
        self.index += 1;
    }

    fn pass_deleted(&mut self) {
        while self.cursor.path().is_some() && self.link.deleted.has(self.index) {
            // What is replaced and deleted at once has its replacement all the same.
            if self.link.replaced.has(self.index) {
                self.replacements.advance();
            }
            self.step();
        }
    }
}
