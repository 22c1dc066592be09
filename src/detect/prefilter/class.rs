//! Classes of bytes, 64 at a time: where stretches of text may begin, end, and need decoding.

use super::Engine;

/// Bytes looked at in one step.
pub(crate) const STEP: usize = 64;

/// A bit for each of 64 bytes, the first one lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    /// White space and control bytes, `0x00` to `0x20`.
    pub(crate) white: u64,
    /// Bytes behind which a stretch may begin; the white ones are among them.
    pub(crate) boundary: u64,
    /// Bytes that escapes begin with: `%`, `&` and `\`.
    pub(crate) escape: u64,
}

const WHITE: u8 = 0b0000_0011;
const BOUNDARY: u8 = 0b0011_1111;
const ESCAPE: u8 = 0b1100_0000;
const MASKS: [u8; 3] = [WHITE, BOUNDARY, ESCAPE];

/// For each bit of a class, the high nibbles and the low nibbles of the bytes that have it.
const RECTANGLES: [(&[u8], &[u8]); 8] = [
    (&[0, 1], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    (&[2], &[0]),
    (&[2], &[2, 3, 6, 7, 8, 9, 12, 15]), // " # & ' ( ) , /
    (&[3], &[10, 11, 12, 13, 14, 15]),   // : ; < = > ?
    (&[5, 7], &[11, 12, 13]),            // [ \ ] { | }
    (&[4, 6], &[0]),                     // @ `
    (&[2], &[5, 6]),                     // % &
    (&[5], &[12]),                       // \
];

/// What the low nibble and the high nibble of a byte allow; the class is what both do.
const TABLES: [[u8; 16]; 2] = tables();
const BY_BYTE: [u8; 256] = by_byte();

const fn tables() -> [[u8; 16]; 2] {
    let mut tables = [[0; 16]; 2];
    let mut bit = 0;
    while bit < RECTANGLES.len() {
        let (high, low) = RECTANGLES[bit];
        let mut at = 0;
        while at < high.len() {
            tables[1][high[at] as usize] |= 1 << bit;
            at += 1;
        }
        at = 0;
        while at < low.len() {
            tables[0][low[at] as usize] |= 1 << bit;
            at += 1;
        }
        bit += 1;
    }
    tables
}

const fn by_byte() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = TABLES[0][byte & 15] & TABLES[1][byte >> 4];
        byte += 1;
    }
    classes
}

/// Whether the byte is white space or a control byte.
pub(crate) fn is_white(byte: u8) -> bool {
    BY_BYTE[byte as usize] & WHITE != 0
}

/// Whether a stretch may begin behind the byte.
pub(crate) fn is_boundary(byte: u8) -> bool {
    BY_BYTE[byte as usize] & BOUNDARY != 0
}

/// Sorts bytes into classes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Classifier(Engine);

impl Classifier {
    /// As this processor does it best.
    pub(crate) fn detect() -> Self {
        Self(Engine::detect())
    }

    /// The classes of the bytes.
    #[inline]
    pub(crate) fn classes(self, block: &[u8; STEP]) -> Classes {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => {
                let (halves, _) = block.as_chunks::<32>();
                let low = super::avx2::classes(&TABLES, MASKS, &halves[0]);
                let high = super::avx2::classes(&TABLES, MASKS, &halves[1]);
                let join = |at: usize| u64::from(low[at]) | u64::from(high[at]) << 32;
                Classes { white: join(0), boundary: join(1), escape: join(2) }
            }
            Engine::Portable => portable(block),
        }
    }
}

fn portable(block: &[u8; STEP]) -> Classes {
    let mut classes = Classes::default();
    for (at, byte) in block.iter().enumerate() {
        let class = BY_BYTE[*byte as usize];
        let bit = |mask: u8| u64::from(class & mask != 0) << at;
        classes.white |= bit(WHITE);
        classes.boundary |= bit(BOUNDARY);
        classes.escape |= bit(ESCAPE);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_just_the_documented_bytes() {
        let all = |is: fn(u8) -> bool| (0..=255).filter(|byte| is(*byte)).collect::<Vec<u8>>();
        assert_eq!(all(is_white), (0..=0x20).collect::<Vec<u8>>());
        let mut boundary: Vec<u8> = (0..=0x20).chain(*b"\"'`()[]{}<>=:,;&?/@#|\\").collect();
        boundary.sort_unstable();
        assert_eq!(all(is_boundary), boundary);
        assert_eq!(all(|byte| BY_BYTE[byte as usize] & ESCAPE != 0), b"%&\\");
    }

    #[test]
    fn every_engine_gives_the_same_classes() {
        let bytes: Vec<u8> = (0..=255).collect();
        for block in bytes.as_chunks::<STEP>().0 {
            assert_eq!(Classifier::detect().classes(block), portable(block));
        }
    }
}
