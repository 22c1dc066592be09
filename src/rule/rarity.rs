//! How common bytes and short stretches are in ordinary source and text.
//!
//! Made by `benches/rarity.py` from Rust, C, Python, JavaScript, Perl and text files. It only steers which of a rule's literals is searched for, and
//! where in it the prefilter looks: never what is found.

const TABLE: &[u8; 256 + 2 * 65_536] = include_bytes!("rarity.bin");

/// Share of positions that hold this byte, folded by OR 0x20.
pub fn byte_rate(folded: u8) -> f32 {
    unquantise(TABLE[usize::from(folded)])
}

/// Share of positions at which these four bytes stand, folded by OR 0x20.
pub fn window_rate(folded: [u8; 4]) -> f32 {
    unquantise(TABLE[256 + hash(folded)])
}

/// Share of positions at which these three bytes stand, folded by OR 0x20.
pub(super) fn triple_rate([one, two, three]: [u8; 3]) -> f32 {
    unquantise(TABLE[256 + 65_536 + hash([one, two, three, 0])])
}

fn hash(folded: [u8; 4]) -> usize {
    (u32::from_le_bytes(folded).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

fn unquantise(step: u8) -> f32 {
    (-f32::from(step) / 8.0).exp2()
}
