//! The set that is searched in: marks, tags and what they are of, with a filter before it.

use std::collections::{HashMap, HashSet};

use super::{
    Form, LONGEST, SHORTEST, Tag,
    key::{KnownKey, head_of},
};
use crate::detect::prefilter::class::is_white;

/// Which value: the index of its whereabouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// One form of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// 32 bits of its first and last bytes.
    pub mark: u32,
    /// Its length in bytes; 0 of a PEM body, which is compared whole.
    pub len: u16,
    /// Which form.
    pub form: Form,
    /// Of which value.
    pub value: ValueId,
    /// Its keyed hash.
    pub tag: Tag,
}

/// Where forms have white space or control bytes in them: then what is known may go over several words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct White {
    /// Some form has one among its first eight bytes.
    pub at_start: bool,
    /// Some form has one anywhere.
    pub anywhere: bool,
}

/// Entries, as long as they are put together.
#[derive(Debug, Default)]
pub struct Entries {
    entries: Vec<Entry>,
    white: White,
}

impl Entries {
    /// Adds all forms of a value that are neither too short nor too long to be looked for. Whether the value itself is among them.
    pub fn add(&mut self, key: &KnownKey, value: ValueId, bytes: &[u8]) -> bool {
        let mut has_value = false;
        for (form, bytes) in Form::of_value(bytes) {
            let is_added = self.add_form(key, value, (form, bytes.expose()));
            has_value |= is_added && matches!(form, Form::Raw | Form::Pem);
        }
        has_value
    }

    /// Adds one form.
    pub fn add_form(&mut self, key: &KnownKey, value: ValueId, (form, bytes): (Form, &[u8])) -> bool {
        let is_pem = form == Form::Pem;
        if bytes.len() < SHORTEST || (bytes.len() > LONGEST && !is_pem) {
            return false;
        }
        if !is_pem {
            self.white.at_start |= bytes[..SHORTEST].iter().any(|byte| is_white(*byte));
            self.white.anywhere |= bytes.iter().any(|byte| is_white(*byte));
        }
        let len = if is_pem { 0 } else { u16::try_from(bytes.len()).expect("it is no longer than LONGEST") };
        self.entries.push(Entry { mark: key.mark(bytes), len, form, value, tag: key.tag(bytes) });
        true
    }

    /// Takes all entries of some values over from another table of the same key; each value gets the number that it is given.
    pub fn carry(&mut self, other: &Table, numbers: &HashMap<ValueId, ValueId>) {
        let renumber = |entry: &Entry| Some(Entry { value: *numbers.get(&entry.value)?, ..*entry });
        self.entries.extend(other.entries().filter_map(renumber));
        self.white.at_start |= other.white.at_start;
        self.white.anywhere |= other.white.anywhere;
    }

    /// The keyed hashes of all that was added.
    pub fn tags(&self) -> HashSet<Tag> {
        self.entries.iter().map(|entry| entry.tag).collect()
    }

    /// The table of them.
    pub fn into_table(self) -> Table {
        Table::new(self.entries, self.white)
    }
}

/// Entries in the order of their marks, with what makes looking one up quick.
pub struct Table {
    entries: Vec<Entry>,
    /// PEM bodies, by tag.
    pem: Vec<Entry>,
    /// For the upper bits of a head, where its entries start.
    starts: Vec<u32>,
    start_shift: u32,
    /// A bit for each head, folded to as many as are worth it.
    filter: Vec<u64>,
    filter_shift: u32,
    white: White,
}

const HEADS: u32 = 20;

impl Table {
    /// Of entries as [`Table::entries`] and [`Table::white`] gave them.
    pub fn new(entries: Vec<Entry>, white: White) -> Self {
        let mut entries = entries;
        let is_pem = |entry: &Entry| entry.form == Form::Pem;
        // As a table gives them: PEM bodies last.
        if !entries.is_sorted_by_key(is_pem) {
            entries.sort_by_key(is_pem);
        }
        let mut pem = entries.split_off(entries.partition_point(|entry| !is_pem(entry)));
        if !entries.is_sorted_by_key(|entry| entry.mark) {
            entries.sort_unstable();
        }
        pem.sort_unstable_by_key(|entry| (entry.tag, entry.value));
        // 32 bits for an entry let three of a hundred beginnings through.
        let filter_bits = (entries.len().max(1) as u32 * 32).next_power_of_two().ilog2().clamp(12, HEADS);
        let filter_shift = HEADS - filter_bits;
        let mut filter = vec![0_u64; 1 << (filter_bits - 6)];
        for entry in &entries {
            let bit = head_of(entry.mark) >> filter_shift;
            filter[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        let start_bits = entries.len().max(1).ilog2().clamp(1, 16);
        let start_shift = HEADS - start_bits;
        let mut starts = vec![0_u32; (1 << start_bits) + 1];
        for entry in &entries {
            starts[(head_of(entry.mark) >> start_shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { entries, pem, starts, start_shift, filter, filter_shift, white }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len() + self.pem.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries, each set in its order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(&self.pem)
    }

    /// Where forms have white space in them.
    pub fn white(&self) -> White {
        self.white
    }

    /// Whether a form may begin with what has this head.
    #[inline]
    pub(super) fn may_begin(&self, head: u32) -> bool {
        let bit = head >> self.filter_shift;
        // The mask is for the compiler: it is never needed.
        let word = self.filter[(bit >> 6) as usize & (self.filter.len() - 1)];
        word >> (bit & 63) & 1 != 0
    }

    /// The entries with this head.
    pub(super) fn with_head(&self, head: u32) -> &[Entry] {
        let at = (head >> self.start_shift) as usize;
        let near = &self.entries[self.starts[at] as usize..self.starts[at + 1] as usize];
        let first = near.partition_point(|entry| head_of(entry.mark) < head);
        let count = near[first..].partition_point(|entry| head_of(entry.mark) == head);
        &near[first..first + count]
    }

    /// The PEM bodies with this tag.
    pub(super) fn pem(&self, tag: &Tag) -> &[Entry] {
        let first = self.pem.partition_point(|entry| entry.tag < *tag);
        let count = self.pem[first..].partition_point(|entry| entry.tag == *tag);
        &self.pem[first..first + count]
    }

    /// Whether PEM bodies are looked for.
    pub(super) fn has_pem(&self) -> bool {
        !self.pem.is_empty()
    }
}
