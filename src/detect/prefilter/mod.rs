//! Finds every literal of every rule in one pass over the bytes.
//!
//! A block test on fingerprints (SIMD where the processor has it, else a bitmap) yields few candidate positions; each is confirmed
//! byte by byte. Both ways give the same hits: all occurrences, overlapping ones too, without ASCII case.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bitmap;
pub(crate) mod class;
mod plan;

use std::ops::Range;

pub(crate) use plan::Plan;
use plan::{BUCKETS, WINDOW};

use crate::rule::Ahead;

/// Nibble tables per group of eight buckets: for each position, a low and a high one.
const GROUPS: usize = BUCKETS / 8;
const HASH_BITS: u32 = 13;
/// Folds four bytes: what ASCII letters of either case become is the same.
const FOLD: u32 = 0x2020_2020;

/// A literal's place in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// Offset of its first byte.
    pub(crate) start: usize,
    /// Index into the plan's literals.
    pub(crate) literal: u16,
}

/// Searches for a set of literals.
pub(crate) struct Prefilter {
    literals: Vec<Vec<u8>>,
    /// What may stand behind each.
    ahead: Vec<Ahead>,
    tables: Tables,
    four: Confirm,
    three: Confirm,
    bitmap: bitmap::Bitmap,
    max_offset: usize,
    max_len: usize,
    engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// `low[position][group]` and `high[position][group]`: for each nibble the buckets that allow it.
struct Tables {
    low: [[[u8; 16]; GROUPS]; WINDOW],
    high: [[[u8; 16]; GROUPS]; WINDOW],
}

/// Literals by the hash of their folded fingerprint.
struct Confirm {
    mask: u32,
    heads: Vec<u16>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    fingerprint: u32,
    literal: u16,
    offset: u8,
}

impl Confirm {
    fn new(plan: &Plan, mask: u32, is_ours: impl Fn(&[u8]) -> bool) -> Self {
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        for (index, placed) in plan.literals.iter().enumerate().filter(|(_, placed)| is_ours(&placed.bytes)) {
            let bytes = placed.fingerprint().map(Option::unwrap_or_default);
            let fingerprint = u32::from_le_bytes(bytes) & mask;
            let literal = u16::try_from(index).expect("a set of rules has fewer than 65,536 literals");
            entries.push((Self::hash(fingerprint), Entry { fingerprint, literal, offset: placed.offset }));
        }
        entries.sort_by_key(|(hash, entry)| (*hash, entry.literal));
        let heads = (0..=1 << HASH_BITS)
            .map(|hash| u16::try_from(entries.partition_point(|(other, _)| *other < hash)).expect("as above"))
            .collect();
        Self { mask, heads, entries: entries.into_iter().map(|(_, entry)| entry).collect() }
    }

    fn hash(fingerprint: u32) -> usize {
        (fingerprint.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
    }

    #[inline]
    fn candidates(&self, folded: u32) -> impl Iterator<Item = &Entry> {
        let fingerprint = folded & self.mask;
        let hash = Self::hash(fingerprint);
        let range = usize::from(self.heads[hash])..usize::from(self.heads[hash + 1]);
        self.entries[range].iter().filter(move |entry| entry.fingerprint == fingerprint)
    }
}

impl Prefilter {
    /// The prefilter of a plan.
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut tables = Tables { low: [[[0; 16]; GROUPS]; WINDOW], high: [[[0; 16]; GROUPS]; WINDOW] };
        for placed in &plan.literals {
            let (group, bit) = (usize::from(placed.bucket / 8), 1_u8 << (placed.bucket % 8));
            for (at, byte) in placed.fingerprint().into_iter().enumerate() {
                for nibble in 0..16_u8 {
                    let low = byte.is_none_or(|byte| byte & 15 == nibble);
                    let high = byte.is_none_or(|byte| byte >> 4 == nibble);
                    tables.low[at][group][usize::from(nibble)] |= if low { bit } else { 0 };
                    tables.high[at][group][usize::from(nibble)] |= if high { bit } else { 0 };
                }
            }
        }
        Self {
            tables,
            four: Confirm::new(plan, u32::MAX, |bytes| bytes.len() >= WINDOW),
            three: Confirm::new(plan, 0x00FF_FFFF, |bytes| bytes.len() < WINDOW),
            bitmap: bitmap::Bitmap::new(plan),
            max_offset: plan.literals.iter().map(|placed| usize::from(placed.offset)).max().unwrap_or(0),
            max_len: plan.literals.iter().map(|placed| placed.bytes.len()).max().unwrap_or(0),
            literals: plan.literals.iter().map(|placed| placed.bytes.clone()).collect(),
            ahead: vec![Ahead::ANY; plan.literals.len()],
            engine: Engine::detect(),
        }
    }

    /// The same, that tells only of hits behind which such bytes stand; of each literal.
    pub(crate) fn with_ahead(mut self, ahead: Vec<Ahead>) -> Self {
        self.ahead = ahead;
        self
    }

    /// How far from its start a hit depends on bytes, at most.
    pub(crate) fn farthest(&self) -> usize {
        self.max_len + Ahead::LEN
    }

    /// Length of a literal, in bytes.
    pub(crate) fn literal_len(&self, literal: u16) -> usize {
        self.literals[usize::from(literal)].len()
    }

    /// Appends every literal that starts in `starts` and ends within `bytes`. The order is that of the fingerprints: nearly, but
    /// not wholly, that of the starts.
    pub(crate) fn find(&self, bytes: &[u8], starts: Range<usize>, hits: &mut Vec<Hit>) {
        if self.literals.is_empty() {
            return;
        }
        let positions = starts.start..bytes.len().min(starts.end + self.max_offset);
        let mut confirm = |at: usize, folded: u32| {
            for entry in self.four.candidates(folded).chain(self.three.candidates(folded)) {
                let Some(start) = at.checked_sub(usize::from(entry.offset)) else { continue };
                let literal = &self.literals[usize::from(entry.literal)];
                let there = bytes.get(start..start + literal.len());
                let is_there = || there.is_some_and(|there| there.eq_ignore_ascii_case(literal));
                let is_admitted =
                    || self.ahead[usize::from(entry.literal)].admits(bytes, start + literal.len());
                if starts.contains(&start) && is_there() && is_admitted() {
                    hits.push(Hit { start, literal: entry.literal });
                }
            }
        };
        match self.engine {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => avx2::candidates((&self.tables, &self.bitmap), bytes, positions, &mut confirm),
            Engine::Portable => self.bitmap.candidates(bytes, positions, &mut confirm),
        }
    }
}

impl Engine {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Portable
    }
}

/// The four bytes at `at`, folded by OR 0x20; those beyond the end are zero before folding.
#[inline]
fn folded_window(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at + WINDOW) {
        Some(window) => u32::from_le_bytes(window.try_into().expect("four bytes")) | FOLD,
        None => {
            let mut window = [0; WINDOW];
            let rest = &bytes[at.min(bytes.len())..];
            window[..rest.len()].copy_from_slice(rest);
            u32::from_le_bytes(window) | FOLD
        }
    }
}

#[cfg(test)]
mod tests {
    use aho_corasick::AhoCorasick;
    use proptest::prelude::*;

    use super::*;

    fn oracle(literals: &[Vec<u8>], bytes: &[u8], starts: &Range<usize>) -> Vec<(usize, Vec<u8>)> {
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(literals).unwrap();
        let mut hits: Vec<_> = automaton
            .find_overlapping_iter(bytes)
            .filter(|hit| starts.contains(&hit.start()))
            .map(|hit| (hit.start(), literals[hit.pattern()].clone()))
            .collect();
        hits.sort();
        hits
    }

    fn ours(prefilter: &Prefilter, bytes: &[u8], starts: &Range<usize>) -> Vec<(usize, Vec<u8>)> {
        let mut hits = Vec::new();
        prefilter.find(bytes, starts.clone(), &mut hits);
        let mut hits: Vec<_> = hits
            .into_iter()
            .map(|hit| (hit.start, prefilter.literals[usize::from(hit.literal)].clone()))
            .collect();
        hits.sort();
        hits
    }

    proptest! {
        #[test]
        fn every_engine_finds_what_an_overlapping_automaton_finds(
            mut literals in prop::collection::vec("[a-d_\\-]{3,7}", 1..60),
            text in "[a-dA-D_\\-@ ]{0,300}",
            cut in 0..300_usize,
        ) {
            literals.sort();
            literals.dedup();
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).collect();
            let bytes = text.as_bytes();
            let mut prefilter = Prefilter::new(&Plan::lay_out(literals.clone()));
            for starts in [0..bytes.len(), 0..cut.min(bytes.len()), cut.min(bytes.len())..bytes.len()] {
                let expected = oracle(&literals, bytes, &starts);
                prop_assert_eq!(&ours(&prefilter, bytes, &starts), &expected);
                let detected = std::mem::replace(&mut prefilter.engine, Engine::Portable);
                prop_assert_eq!(&ours(&prefilter, bytes, &starts), &expected);
                prefilter.engine = detected;
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let literals = vec![b"key".to_vec(), b"token".to_vec(), "käse".as_bytes().to_vec()];
            let prefilter = Prefilter::new(&Plan::lay_out(literals.clone()));
            prop_assert_eq!(ours(&prefilter, &bytes, &(0..bytes.len())), oracle(&literals, &bytes, &(0..bytes.len())));
        }
    }
}
