//! Classes of bytes, 64 at a time: where stretches of text may begin, end, and need decoding.

use super::Engine;

/// Bytes looked at in one step.
pub(crate) const STEP: usize = 64;

/// For 64 bytes, a bit for each that is of a class, the first byte's lowest. What is looked for in stretches of text has the classes
/// [`IS_WHITE`], [`IS_BOUNDARY`] and [`IS_ESCAPE`].
pub(crate) type Classes = [u64; 3];

/// High nibbles and low nibbles; the bytes that have one of each.
type Rectangle = (&'static [u8], &'static [u8]);

/// Three classes of bytes, each of which is some of at most eight rectangles.
#[derive(Debug)]
pub(crate) struct Classing {
    /// What the low nibble and the high nibble of a byte allow, a bit for each rectangle: a byte is in those that both do.
    tables: [[u8; 16]; 2],
    /// Of each class, its rectangles.
    masks: [u8; 3],
    /// The rectangles that each byte is in.
    pub(crate) by_byte: [u8; 256],
}

impl Classing {
    /// Of these rectangles, and of each class the bits of its own.
    pub(crate) const fn new(rectangles: &[Rectangle], masks: [u8; 3]) -> Self {
        let mut tables = [[0; 16]; 2];
        let mut bit = 0;
        while bit < rectangles.len() {
            let (high, low) = rectangles[bit];
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
        let mut by_byte = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            by_byte[byte] = tables[0][byte & 15] & tables[1][byte >> 4];
            byte += 1;
        }
        Self { tables, masks, by_byte }
    }
}

/// White space and control bytes, `0x00` to `0x20`.
pub(crate) const IS_WHITE: usize = 0;
/// Bytes behind which a stretch may begin; the white ones are among them.
pub(crate) const IS_BOUNDARY: usize = 1;
/// Bytes that escapes begin with: `%`, `&` and `\`.
pub(crate) const IS_ESCAPE: usize = 2;

const WHITE: u8 = 0b0000_0011;
const BOUNDARY: u8 = 0b0011_1111;
const ESCAPE: u8 = 0b1100_0000;

const RECTANGLES: [Rectangle; 8] = [
    (&[0, 1], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    (&[2], &[0]),
    (&[2], &[2, 3, 6, 7, 8, 9, 12, 15]), // " # & ' ( ) , /
    (&[3], &[10, 11, 12, 13, 14, 15]),   // : ; < = > ?
    (&[5, 7], &[11, 12, 13]),            // [ \ ] { | }
    (&[4, 6], &[0]),                     // @ `
    (&[2], &[5, 6]),                     // % &
    (&[5], &[12]),                       // \
];

static STRETCHES: Classing = Classing::new(&RECTANGLES, [WHITE, BOUNDARY, ESCAPE]);
const BY_BYTE: [u8; 256] = Classing::new(&RECTANGLES, [WHITE, BOUNDARY, ESCAPE]).by_byte;

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
pub(crate) struct Classifier {
    engine: Engine,
    classing: &'static Classing,
}

impl Classifier {
    /// Into the classes of stretches, as this processor does it best.
    pub(crate) fn detect() -> Self {
        Self::of(&STRETCHES)
    }

    /// Into these classes.
    pub(crate) fn of(classing: &'static Classing) -> Self {
        Self { engine: Engine::detect(), classing }
    }

    /// The classes of all blocks of the bytes, as far as there is room for them; what lies beyond the bytes' end is zero.
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
        let Classing { tables, masks, by_byte } = self.classing;
        match self.engine {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => super::avx2::classes(tables, *masks, blocks, sorted),
            Engine::Portable => {
                blocks.iter().zip(sorted).for_each(|(block, classes)| {
                    *classes = portable(by_byte, masks, block);
                });
            }
        }
    }
}

fn portable(by_byte: &[u8; 256], masks: &[u8; 3], block: &[u8; STEP]) -> Classes {
    let mut classes = [0; 3];
    for (at, byte) in block.iter().enumerate() {
        let class = by_byte[*byte as usize];
        for (bits, mask) in classes.iter_mut().zip(masks) {
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
            assert_eq!(
                sort(Classifier::detect()),
                sort(Classifier { engine: Engine::Portable, classing: &STRETCHES }),
                "{len}"
            );
        }
    }
}
