//! How common bytes and short stretches are in ordinary source and text.
//!
//! Made by `benches/rarity.py` from Rust, C, Python, JavaScript, Perl and text files. It steers which of a rule's literals is searched
//! for and where in it the prefilter looks; and it tells words from random letters in values that nothing else speaks for.

const TABLE: &[u8; 256 + 2 * 65_536] = include_bytes!("rarity.bin");

/// Share of positions that hold this byte, folded by OR 0x20.
pub fn byte_rate(folded: u8) -> f32 {
    unquantise(TABLE[usize::from(folded)])
}

/// Estimated share of positions at which these bytes stand, without case: that of their rarest three or four, and less the longer
/// they are. Of fewer than three bytes it knows nothing.
pub fn stretch_rate(bytes: &[u8]) -> f32 {
    const PER_BYTE: f32 = 0.7;
    let fold = |byte: &u8| byte | 0x20;
    let rarest = |width: usize, table: usize| {
        let rate = |window: &[u8]| unquantise(TABLE[256 + table * 65_536 + hash(window.iter().map(fold))]);
        bytes.windows(width).map(rate).fold(1.0, f32::min)
    };
    let longer = i32::try_from(bytes.len().saturating_sub(3)).unwrap_or(i32::MAX);
    rarest(4, 0).min(rarest(3, 1)) * PER_BYTE.powi(longer)
}

/// Bits of surprise at the value's stretches of four bytes, on average: low for words, high for random text. `None` of shorter values.
pub fn surprise(value: &[u8]) -> Option<f32> {
    let windows = value.windows(4);
    let count = windows.len();
    (count > 0).then(|| windows.map(surprise_of).sum::<f32>() / count as f32)
}

/// Sixteen bits of up to four folded bytes, first byte lowest.
fn hash(folded: impl Iterator<Item = u8>) -> usize {
    let value = folded.enumerate().fold(0, |value, (at, byte)| value | u32::from(byte) << (8 * at));
    (value.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

fn unquantise(step: u8) -> f32 {
    (-f32::from(step) / 8.0).exp2()
}

/// Whether the letters of a value that may hold digits and joints follow each other as in words: an identifier, not a random value.
pub fn made_of_words(value: &[u8]) -> bool {
    /// Bits at a window of four letters, on average: random letters have 17 to 19, those of identifiers 12 to 16.
    const LETTERS: f32 = 15.5;
    /// The same of all windows, where few are of letters only.
    const ANY: f32 = 15.6;
    // The beginning of a long value tells enough.
    let value = &value[..value.len().min(64)];
    match letters_surprise(value) {
        // A word such as `secret_` may stand before a random value.
        Some(bits) if bits < LETTERS => {
            let parts = value.split(|byte| matches!(byte, b'_' | b'-'));
            let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
            letters_surprise(longest).is_none_or(|bits| bits < LETTERS)
        }
        Some(_) => false,
        None => {
            let is_hex = value.iter().all(u8::is_ascii_hexdigit);
            !is_hex && surprise(value).is_some_and(|bits| bits < ANY)
        }
    }
}

/// Bits of surprise at stretches of four letters, on average; `None` where there are too few to say anything.
fn letters_surprise(value: &[u8]) -> Option<f32> {
    const FEW: u32 = 3;
    let (mut bits, mut count) = (0.0, 0);
    for window in value.windows(4).filter(|window| window.iter().all(u8::is_ascii_alphabetic)) {
        bits += surprise_of(window);
        count += 1;
    }
    (count >= FEW).then(|| bits / count as f32)
}

fn surprise_of(window: &[u8]) -> f32 {
    f32::from(TABLE[256 + hash(window.iter().map(|byte| byte | 0x20))]) / 8.0
}
