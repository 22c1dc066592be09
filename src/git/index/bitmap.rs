//! Sets of entries, as split indexes have them.
//!
//! Format: EWAH, in gitformat-bitmap(5), appendix A.

use super::{Fault, number};

const CUT: Fault = Fault::Malformed("a bitmap of its split index is malformed");

/// A set of numbers below a limit.
#[derive(Debug, Default)]
pub(super) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// Whether the number is in it.
    pub(super) fn has(&self, index: u32) -> bool {
        self.words.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// Reads a set of numbers below `limit`; gives it with the bytes behind it.
pub(super) fn parse(bytes: &[u8], limit: u32) -> Result<(Bitmap, &[u8]), Fault> {
    let count = number(bytes, 4).ok_or(CUT)? as usize;
    let end = count.checked_mul(8).and_then(|length| length.checked_add(8)).ok_or(CUT)?;
    let mut compressed = bytes
        .get(8..end)
        .ok_or(CUT)?
        .chunks_exact(8)
        .map(|word| u64::from_be_bytes(word.try_into().expect("they are eight bytes")));
    // The position of the last run, which only a writer needs.
    let rest = bytes.get(end + 4..).ok_or(CUT)?;
    let most = limit.div_ceil(64) as usize;
    let mut words: Vec<u64> = Vec::new();
    while let Some(run) = compressed.next() {
        let (is_set, length, literals) = (run & 1 == 1, (run >> 1 & 0xffff_ffff) as usize, run >> 33);
        // Empty words beyond the limit are padding; set ones are none.
        let length = if is_set { length } else { length.min(most - words.len().min(most)) };
        if words.len() + length > most {
            return Err(CUT);
        }
        words.resize(words.len() + length, if is_set { u64::MAX } else { 0 });
        for _ in 0..literals {
            let word = compressed.next().ok_or(CUT)?;
            match (words.len() < most, word) {
                (true, word) => words.push(word),
                (false, 0) => {}
                (false, _) => return Err(CUT),
            }
        }
    }
    let spare = if words.len() == most { (most as u64 * 64 - u64::from(limit)) as u32 } else { 0 };
    if spare > 0 && words.last().is_some_and(|last| last >> (64 - spare) != 0) {
        return Err(CUT);
    }
    Ok((Bitmap { words }, rest))
}
