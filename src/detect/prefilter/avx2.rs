//! The candidate test with AVX2: 32 positions at a time.
//!
//! For each of the four bytes of a fingerprint, two shuffles look up which buckets allow its low and its high nibble; a position
//! is a candidate when some bucket is left after all eight. One of the two files that may hold `unsafe`: it reads 32 bytes at
//! offsets that are checked against the slice's length first.

use std::{
    arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16,
    },
    ops::Range,
};

use super::{FOLD, GROUPS, Tables, WINDOW, bitmap::Bitmap};

const LANES: usize = 32;
/// What a block of positions reads.
const BLOCK: usize = LANES + WINDOW - 1;

/// Calls `confirm` with every candidate among `positions` that the bitmap knows, and the folded bytes there. The processor must have
/// AVX2.
pub(super) fn candidates(
    (tables, bitmap): (&Tables, &Bitmap),
    bytes: &[u8],
    positions: Range<usize>,
    confirm: &mut impl FnMut(usize, u32),
) {
    let mut known = [(0, 0); LANES];
    let mut at = positions.start;
    while at < positions.end {
        let mut last = [0; BLOCK];
        let block: &[u8; BLOCK] = match bytes.get(at..at + BLOCK) {
            Some(block) => block.try_into().expect("it has the block's length"),
            None => {
                let rest = &bytes[at.min(bytes.len())..];
                last[..rest.len()].copy_from_slice(rest);
                &last
            }
        };
        let mut mask = block_mask(tables, block);
        let left = positions.end - at;
        if left < LANES {
            mask &= (1 << left) - 1;
        }
        // With many literals one position in ten is a candidate, and few of those are more: a branch on each would be guessed wrong.
        let mut count = 0;
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize % LANES;
            let window = u32::from_le_bytes(block[lane..lane + WINDOW].try_into().expect("four bytes"));
            let folded = window | FOLD;
            known[count % LANES] = (lane, folded);
            count += usize::from(bitmap.has(folded));
            mask &= mask - 1;
        }
        for &(lane, folded) in &known[..count.min(LANES)] {
            confirm(at + lane, folded);
        }
        at += LANES;
    }
}

#[expect(
    unsafe_code,
    reason = "the SIMD prefilter; the one caller picks this engine only where AVX2 was detected"
)]
#[inline]
fn block_mask(tables: &Tables, block: &[u8; BLOCK]) -> u32 {
    // SAFETY: `Engine::detect` saw AVX2 on this processor.
    unsafe { block_mask_avx2(tables, block) }
}

#[expect(unsafe_code, reason = "the SIMD prefilter")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn block_mask_avx2(tables: &Tables, block: &[u8; BLOCK]) -> u32 {
    let fold = _mm256_set1_epi8(0x20);
    let nibble = _mm256_set1_epi8(0x0F);
    let mut buckets: [__m256i; GROUPS] = [_mm256_set1_epi8(-1); GROUPS];
    for position in 0..WINDOW {
        // SAFETY: `position` is at most WINDOW - 1, and the block has LANES + WINDOW - 1 bytes.
        let raw = unsafe { _mm256_loadu_si256(block.as_ptr().add(position).cast()) };
        let folded = _mm256_or_si256(raw, fold);
        let low = _mm256_and_si256(folded, nibble);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(folded), nibble);
        for (group, bucket) in buckets.iter_mut().enumerate() {
            let by_low = _mm256_shuffle_epi8(table(&tables.low[position][group]), low);
            let by_high = _mm256_shuffle_epi8(table(&tables.high[position][group]), high);
            *bucket = _mm256_and_si256(*bucket, _mm256_and_si256(by_low, by_high));
        }
    }
    let any = buckets.iter().fold(_mm256_setzero_si256(), |any, bucket| _mm256_or_si256(any, *bucket));
    let none = _mm256_cmpeq_epi8(any, _mm256_setzero_si256());
    !(_mm256_movemask_epi8(none).cast_unsigned())
}

#[expect(unsafe_code, reason = "the SIMD prefilter")]
#[target_feature(enable = "avx2")]
#[inline]
fn table(nibbles: &[u8; 16]) -> __m256i {
    // SAFETY: the array has the 16 bytes that are read.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(nibbles.as_ptr().cast()) })
}

/// For each of some blocks, which of its bytes have a bit of each mask in the class that two nibble tables give them. The processor must
/// have AVX2.
#[expect(
    unsafe_code,
    reason = "the SIMD classifier; the one caller picks this engine only where AVX2 was detected"
)]
pub(super) fn classes(
    tables: &[[u8; 16]; 2],
    masks: [u8; 3],
    blocks: &[[u8; 2 * LANES]],
    sorted: &mut [[u64; 3]],
) {
    // SAFETY: `Engine::detect` saw AVX2 on this processor.
    unsafe { classes_avx2(tables, masks, blocks, sorted) }
}

#[expect(unsafe_code, reason = "the SIMD classifier")]
#[target_feature(enable = "avx2")]
unsafe fn classes_avx2(
    tables: &[[u8; 16]; 2],
    masks: [u8; 3],
    blocks: &[[u8; 2 * LANES]],
    sorted: &mut [[u64; 3]],
) {
    let nibble = _mm256_set1_epi8(0x0F);
    let (low, high) = (table(&tables[0]), table(&tables[1]));
    let masks = masks.map(|mask| _mm256_set1_epi8(mask.cast_signed()));
    for (block, sorted) in blocks.iter().zip(sorted) {
        let half = |at: usize| {
            // SAFETY: a block has 64 bytes, and `at` is 0 or 32.
            let raw = unsafe { _mm256_loadu_si256(block.as_ptr().add(at).cast()) };
            let by_low = _mm256_shuffle_epi8(low, _mm256_and_si256(raw, nibble));
            let above = _mm256_and_si256(_mm256_srli_epi16::<4>(raw), nibble);
            let class = _mm256_and_si256(by_low, _mm256_shuffle_epi8(high, above));
            masks.map(|mask| {
                let none = _mm256_cmpeq_epi8(_mm256_and_si256(class, mask), _mm256_setzero_si256());
                !(_mm256_movemask_epi8(none).cast_unsigned())
            })
        };
        let (first, second) = (half(0), half(LANES));
        *sorted = std::array::from_fn(|at| u64::from(first[at]) | u64::from(second[at]) << LANES);
    }
}
