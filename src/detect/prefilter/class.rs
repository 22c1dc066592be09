//! Classes of bytes, 64 at a time: where stretches of text may begin, end, and need decoding.

use std::ops::Range;

use super::Engine;

/// Bytes looked at in one step.
pub(crate) const STEP: usize = 64;
/// Blocks that are sorted together.
const TOGETHER: usize = 32;
/// The same of short stretches.
const FEW: usize = 4;

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
pub(crate) type Rectangle = (&'static [u8], &'static [u8]);

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

/// Three classes of bytes: each is what has one of some bits, and a bit is what two tables of nibbles allow.
pub(crate) struct Set {
    /// What the low nibble and the high nibble of a byte allow; a byte's bits are what both do.
    tables: [[u8; 16]; 2],
    by_byte: [u8; 256],
    masks: [u8; 3],
}

impl Set {
    /// Of the rectangles that the bits stand for, and which bits each class has.
    pub(crate) const fn new(rectangles: &[Rectangle; 8], masks: [u8; 3]) -> Self {
        let tables = tables(rectangles);
        Self { tables, by_byte: by_byte(&tables), masks }
    }

    /// Whether the byte is of a class.
    pub(crate) const fn has(&self, class: usize, byte: u8) -> bool {
        self.by_byte[byte as usize] & self.masks[class] != 0
    }
}

static STRETCHES: Set = Set::new(&RECTANGLES, MASKS);

const fn tables(rectangles: &[Rectangle; 8]) -> [[u8; 16]; 2] {
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
    tables
}

const fn by_byte(tables: &[[u8; 16]; 2]) -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = tables[0][byte & 15] & tables[1][byte >> 4];
        byte += 1;
    }
    classes
}

/// Whether the byte is white space or a control byte.
pub(crate) fn is_white(byte: u8) -> bool {
    STRETCHES.has(IS_WHITE, byte)
}

/// Whether a stretch may begin behind the byte.
pub(crate) fn is_boundary(byte: u8) -> bool {
    STRETCHES.has(IS_BOUNDARY, byte)
}

/// Sorts bytes into classes.
#[derive(Clone, Copy)]
pub(crate) struct Classifier {
    engine: Engine,
    set: &'static Set,
}

impl Classifier {
    /// Into the classes of stretches, as this processor does it best.
    pub(crate) fn detect() -> Self {
        Self::of(&STRETCHES)
    }

    /// Into the classes of a set.
    pub(crate) fn of(set: &'static Set) -> Self {
        Self { engine: Engine::detect(), set }
    }

    /// The same without the processor's special instructions.
    #[cfg(test)]
    pub(crate) fn portable(set: &'static Set) -> Self {
        Self { engine: Engine::Portable, set }
    }

    /// Calls with each block that begins in `starts`, in order: its offset, its classes and those of the block behind it, and a bit for
    /// each of its places that is in `starts`.
    #[inline]
    pub(crate) fn for_each_block(
        self,
        bytes: &[u8],
        starts: Range<usize>,
        look: impl FnMut(usize, [&Classes; 2], u64),
    ) {
        // Around a change there are a few: to clear room for more takes longer than to look at them.
        if starts.len() <= FEW * STEP {
            self.for_each_of::<{ FEW + 1 }>(bytes, starts, look);
        } else {
            self.for_each_of::<{ TOGETHER + 1 }>(bytes, starts, look);
        }
    }

    #[inline]
    fn for_each_of<const ROOM: usize>(
        self,
        bytes: &[u8],
        starts: Range<usize>,
        mut look: impl FnMut(usize, [&Classes; 2], u64),
    ) {
        let mut sorted = [[0; 3]; ROOM];
        let mut at = starts.start;
        while at < starts.end {
            let count = (starts.end - at).div_ceil(STEP).min(ROOM - 1);
            self.sort(bytes.get(at..).unwrap_or_default(), &mut sorted[..=count]);
            for (index, pair) in sorted[..=count].windows(2).enumerate() {
                let base = at + index * STEP;
                let left = starts.end - base;
                let wanted = if left < STEP { (1 << left) - 1 } else { u64::MAX };
                look(base, [&pair[0], &pair[1]], wanted);
            }
            at += count * STEP;
        }
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
        match self.engine {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => super::avx2::classes(&self.set.tables, self.set.masks, blocks, sorted),
            Engine::Portable => {
                blocks.iter().zip(sorted).for_each(|(block, classes)| *classes = portable(self.set, block));
            }
        }
    }
}

fn portable(set: &Set, block: &[u8; STEP]) -> Classes {
    let mut classes = [0; 3];
    for (at, byte) in block.iter().enumerate() {
        let class = set.by_byte[*byte as usize];
        for (bits, mask) in classes.iter_mut().zip(set.masks) {
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
        assert_eq!(all(|byte| STRETCHES.has(IS_ESCAPE, byte)), b"%&\\");
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
            assert_eq!(sort(Classifier::detect()), sort(Classifier::portable(&STRETCHES)), "{len}");
        }
    }
}
