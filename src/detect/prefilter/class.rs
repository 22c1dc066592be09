//! Classes of bytes, 64 at a time: where stretches of text may begin, end, and need decoding.

use super::Engine;

/// Bytes looked at in one step.
pub(crate) const STEP: usize = 64;

/// For 64 bytes, a bit for each that is of a class, the first byte's lowest; the classes are [`IS_WHITE`], [`IS_BOUNDARY`] and [`IS_ESCAPE`].
pub(crate) type Classes = [u64; 3];

/// White space and control bytes, `0x00` to `0x20`.
pub(crate) const IS_WHITE: usize = 0;
/// Bytes behind which a stretch may begin; the white ones are among them.
pub(crate) const IS_BOUNDARY: usize = 1;
/// Bytes that escapes begin with: `%`, `&` and `\`.
pub(crate) const IS_ESCAPE: usize = 2;

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

    /// The classes of all blocks of the bytes, as far as there is room for them; what lies beyond the bytes' end is white.
    pub(crate) fn sort(self, bytes: &[u8], sorted: &mut [Classes]) {
        let (blocks, rest) = bytes.as_chunks::<STEP>();
        let whole = blocks.len().min(sorted.len());
        self.blocks(&blocks[..whole], &mut sorted[..whole]);
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        for (at, classes) in sorted[whole..].iter_mut().enumerate() {
            self.blocks(&[if at == 0 { last } else { [0; STEP] }], std::slice::from_mut(classes));
        }
    }

    fn blocks(self, blocks: &[[u8; STEP]], sorted: &mut [Classes]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => super::avx2::classes(&TABLES, MASKS, blocks, sorted),
            Engine::Portable => {
                blocks.iter().zip(sorted).for_each(|(block, classes)| *classes = portable(block));
            }
        }
    }
}

fn portable(block: &[u8; STEP]) -> Classes {
    let mut classes = [0; 3];
    for (at, byte) in block.iter().enumerate() {
        let class = BY_BYTE[*byte as usize];
        for (bits, mask) in classes.iter_mut().zip(MASKS) {
            *bits |= u64::from(class & mask != 0) << at;
        }
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
        let bytes: Vec<u8> = (0..=255).chain(0..40).collect();
        for len in 0..bytes.len() {
            let sort = |classifier: Classifier| {
                let mut sorted = [[0; 3]; 7];
                classifier.sort(&bytes[..len], &mut sorted);
                sorted
            };
            assert_eq!(sort(Classifier::detect()), sort(Classifier(Engine::Portable)), "{len}");
        }
    }
}
