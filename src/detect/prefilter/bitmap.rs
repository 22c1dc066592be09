//! A bitmap of hashed fingerprints: the candidate test for processors without the SIMD one, and where there is that, the test of
//! what it lets pass.

use std::ops::Range;

use super::{Plan, folded_window};

const BITS: u32 = 16;

/// Which hashes some fingerprint has.
pub(super) struct Bitmap {
    four: Box<Words>,
    three: Box<Words>,
}

type Words = [u64; 1 << (BITS - 6)];

fn hash(value: u32) -> usize {
    (value.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

impl Bitmap {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut map = Self { four: Box::new([0; _]), three: Box::new([0; _]) };
        for placed in &plan.literals {
            let fingerprint = placed.fingerprint();
            let value = u32::from_le_bytes(fingerprint.map(Option::unwrap_or_default));
            let is_three = fingerprint[3].is_none();
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
        for at in positions {
            let folded = folded_window(bytes, at);
            if self.has(folded) {
                confirm(at, folded);
            }
        }
    }

    /// Whether some fingerprint has the hash of these folded bytes. Without a branch: it is right about one in thirty that it is asked.
    #[inline]
    pub(super) fn has(&self, folded: u32) -> bool {
        let bit = |bits: &Words, value: u32| bits[hash(value) >> 6] >> (hash(value) & 63) & 1 == 1;
        bit(&self.four, folded) | bit(&self.three, folded & 0x00FF_FFFF)
    }
}
