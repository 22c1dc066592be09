//! The candidate test for processors without the SIMD one: a bitmap of hashed fingerprints.

use std::ops::Range;

use super::{Plan, folded_window};

const BITS: u32 = 16;

/// Which hashes some fingerprint has.
pub(super) struct Bitmap {
    four: Vec<u64>,
    three: Vec<u64>,
    has_three: bool,
}

fn hash(value: u32) -> usize {
    (value.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

impl Bitmap {
    pub(super) fn new(plan: &Plan) -> Self {
        let words = 1 << (BITS - 6);
        let mut map = Self { four: vec![0; words], three: vec![0; words], has_three: false };
        for placed in &plan.literals {
            let fingerprint = placed.fingerprint();
            let value = u32::from_le_bytes(fingerprint.map(Option::unwrap_or_default));
            let is_three = fingerprint[3].is_none();
            map.has_three |= is_three;
            let (bits, value) =
                if is_three { (&mut map.three, value & 0x00FF_FFFF) } else { (&mut map.four, value) };
            bits[hash(value) >> 6] |= 1 << (hash(value) & 63);
        }
        map
    }

    pub(super) fn candidates(
        &self,
        bytes: &[u8],
        positions: Range<usize>,
        confirm: &mut impl FnMut(usize, u32),
    ) {
        let has = |bits: &[u64], value: u32| bits[hash(value) >> 6] >> (hash(value) & 63) & 1 == 1;
        for at in positions {
            let folded = folded_window(bytes, at);
            if has(&self.four, folded) || (self.has_three && has(&self.three, folded & 0x00FF_FFFF)) {
                confirm(at, folded);
            }
        }
    }
}
