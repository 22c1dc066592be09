//! UTF-16 text, with or without a byte order mark.

/// The byte order of UTF-16 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Utf16 {
    /// Low byte first.
    Little,
    /// High byte first.
    Big,
}

/// A place in the decoded text (bytes of UTF-8) and in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    text: u64,
    file: u64,
}

/// Code units between two marks.
const MARK_EVERY: usize = 1024;

impl Utf16 {
    /// What the first bytes of a file say: a byte order mark, or zeros in every other byte. A guess: the raw bytes are scanned too.
    pub fn detect(head: &[u8]) -> Option<Self> {
        const LEAST: usize = 16;
        match head {
            // FF FE 00 00 would be UTF-32.
            [0xFF, 0xFE, rest @ ..] if !rest.starts_with(&[0, 0]) => return Some(Self::Little),
            [0xFE, 0xFF, ..] => return Some(Self::Big),
            _ => {}
        }
        let head = &head[..head.len().min(1024) & !1];
        if head.len() < LEAST {
            return None;
        }
        let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
        // Most units have a zero in one place, and few in the other (U+0100, U+1F600 and the like).
        let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
        let is_high = |high: usize, low: usize| high * 10 >= half * 7 && low * 20 <= half;
        match (is_high(odd, even), is_high(even, odd)) {
            (true, _) => Some(Self::Little),
            (_, true) => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, pair: &[u8]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Self::Big => u16::from_be_bytes([pair[0], pair[1]]),
        }
    }
}

/// Decodes; lone surrogates become U+FFFD, a single last byte is passed over, the byte order mark is kept.
pub(super) fn decode(raw: &[u8], order: Utf16) -> (String, Vec<Mark>) {
    let mut text = String::with_capacity(raw.len() / 2 + 16);
    let mut marks = Vec::with_capacity(raw.len() / 2 / MARK_EVERY + 1);
    let (mut file, mut units) = (0, 0);
    for character in char::decode_utf16(raw.chunks_exact(2).map(|pair| order.unit(pair))) {
        if units >= marks.len() * MARK_EVERY {
            marks.push(Mark { text: text.len() as u64, file });
        }
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.push(character);
        units += character.len_utf16();
        file += 2 * character.len_utf16() as u64;
    }
    (text, marks)
}

pub(super) fn file_offset(text: &str, marks: &[Mark], offset: u64) -> u64 {
    let after = marks.partition_point(|mark| mark.text <= offset);
    let Some(mark) = after.checked_sub(1).map(|at| marks[at]) else { return 0 };
    let (start, end) = (usize_of(mark.text), usize_of(offset).min(text.len()));
    let units: usize = text.get(start..end).unwrap_or_default().chars().map(char::len_utf16).sum();
    mark.file + 2 * units as u64
}

fn usize_of(offset: u64) -> usize {
    usize::try_from(offset).expect("the text is in memory")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str, order: Utf16) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| match order {
                Utf16::Little => unit.to_le_bytes(),
                Utf16::Big => unit.to_be_bytes(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn offsets_lead_back_to_the_file(text in "\\PC{0,40}|[a-z😀é]{1500,1600}", big in any::<bool>()) {
            let order = if big { Utf16::Big } else { Utf16::Little };
            let (decoded, marks) = decode(&encode(&text, order), order);
            prop_assert_eq!(&decoded, &text);
            for (offset, _) in text.char_indices() {
                let expected = encode(&text[..offset], order).len() as u64;
                prop_assert_eq!(file_offset(&decoded, &marks, offset as u64), expected);
            }
        }
    }

    #[test]
    fn byte_order_is_told_by_mark_or_by_zeros() {
        assert_eq!(Utf16::detect(b"\xFF\xFEa\0"), Some(Utf16::Little));
        assert_eq!(Utf16::detect(b"\xFE\xFF\0a"), Some(Utf16::Big));
        assert_eq!(Utf16::detect(&encode("no mark but plain text", Utf16::Little)), Some(Utf16::Little));
        assert_eq!(Utf16::detect(&encode("no mark but plain text", Utf16::Big)), Some(Utf16::Big));
        let mixed = encode("a face 😀 among plain words, and more of them", Utf16::Little);
        assert_eq!(Utf16::detect(&mixed), Some(Utf16::Little));
        assert_eq!(Utf16::detect(b"plain ASCII text, long enough"), None);
        assert_eq!(Utf16::detect(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0"), None);
    }
}
