//! One step of decoding: what a run seems to hold, what it does hold, and where in it.

use std::{borrow::Cow, io::Read, ops::Range};

use base64::Engine as _;
use flate2::read::GzDecoder;

use super::{
    DEPTH, STANDARD, URL_SAFE,
    escape::{self, is_text},
    find::is_letter,
};
use crate::{
    detect::utf16::{self, Utf16},
    model::{DecodeStep, Encoding, Gap, GapReason, Secret, Span},
};

/// A value in decoded text.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The value in the clear.
    pub value: Secret,
    /// How it is had from the text at its place.
    pub steps: Vec<DecodeStep>,
    /// What was decoded, in the content, and then in each decoded text what was decoded of it; last the value's own place.
    pub path: Vec<Span>,
    /// A run or line was decoded and searched; else a rule matched the bytes as they are, and its value turned out to be encoded.
    pub(in crate::detect) is_searched: bool,
}

impl Decoded {
    /// All of what was decoded: a run or a line.
    pub(in crate::detect) fn unit(&self) -> Span {
        self.path[0]
    }
}

/// Something that was not decoded, or not wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capped {
    /// The run or line, in the content.
    pub unit: Span,
    /// Why.
    pub cap: Cap,
}

/// A cap of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cap {
    /// Encoded more often than is decoded.
    Depth,
    /// Decoding gives more than is searched.
    Size,
}

/// What a report says of it, if there is any: one gap for all of a file.
pub fn capped_gap(path: &str, capped: &[Capped]) -> Option<Gap> {
    let first = capped.first()?;
    let why = match first.cap {
        Cap::Depth => format!("it is encoded more than {DEPTH} times"),
        Cap::Size => "it decodes to more than is searched".to_owned(),
    };
    let detail = format!(
        "{} encoded, not wholly decoded; the first at byte {}: {why}",
        capped.len(),
        first.unit.start
    );
    Some(Gap { path: path.to_owned(), reason: GapReason::Cap, detail })
}

/// What a run of letters seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// Hexadecimal digits.
    Hex,
    /// Base64, of either alphabet.
    Base64,
}

/// Letters that are looked at to see what they hold.
const PROBE: usize = 24;

impl Head {
    /// Of a run that begins here; `None` where what it holds is no text.
    pub(super) fn of(letters: &[u8]) -> Option<Self> {
        let probe = letters.first_chunk::<PROBE>()?;
        let is_text = |head: Option<Vec<u8>>| head.is_some_and(|head| is_promising(&head));
        if probe.iter().all(u8::is_ascii_hexdigit) && is_text(escape::hex(probe)) {
            return Some(Self::Hex);
        }
        let head = may_be_text(probe).then(|| decode(base64_of(probe), probe)).flatten();
        is_text(head).then_some(Self::Base64)
    }

    /// Says of letter after letter whether the run goes on.
    pub(super) fn letters(self) -> impl FnMut(u8) -> bool {
        let mut alphabet = None;
        move |letter| match (self, alphabet_of(letter)) {
            (Self::Hex, _) => letter.is_ascii_hexdigit(),
            (Self::Base64, Some(is_url)) => *alphabet.get_or_insert(is_url) == is_url,
            (Self::Base64, None) => is_letter(letter),
        }
    }

    fn encoding(self, run: &[u8]) -> Encoding {
        if self == Self::Hex { Encoding::Hex } else { base64_of(run) }
    }
}

/// In which alphabet letters are: the first that stands in one only tells.
fn base64_of(letters: &[u8]) -> Encoding {
    let is_url = letters.iter().find_map(|letter| alphabet_of(*letter));
    if is_url == Some(true) { Encoding::Base64Url } else { Encoding::Base64 }
}

/// Whether a letter stands in the URL alphabet only, or in the other.
fn alphabet_of(letter: u8) -> Option<bool> {
    match letter {
        b'+' | b'/' => Some(false),
        b'-' | b'_' => Some(true),
        _ => None,
    }
}

/// Of each letter of base64 the six bits it stands for.
const SIX: [u8; 256] = six();

const fn six() -> [u8; 256] {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut table = [0x3F; 256];
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] = at as u8;
        at += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table
}

/// A quick look: of ASCII no byte has its highest bit, and gzip begins as it does. Other text mostly has some ASCII before it.
fn may_be_text(probe: &[u8; PROBE]) -> bool {
    let (groups, _) = probe.as_chunks::<4>();
    let of = |letter: u8| SIX[letter as usize];
    let is_ascii = |group: &[u8; 4]| of(group[0]) & 0x20 | of(group[1]) & 0x08 | of(group[2]) & 0x02 == 0;
    probe.starts_with(b"H4sI") || groups[..2].iter().all(is_ascii)
}

/// Whether text, UTF-16 or gzip may begin so.
fn is_promising(head: &[u8]) -> bool {
    head.starts_with(&GZIP) || is_text_head(head) || half_of(head).is_some()
}

const GZIP: [u8; 3] = [0x1F, 0x8B, 8];

fn is_text_head(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.bytes().all(|byte| byte >= 0x80 || is_text(byte))
}

/// The byte order of what looks like text of two bytes for each character; without a byte order mark, too.
fn half_of(head: &[u8]) -> Option<Utf16> {
    let (pairs, _) = head.as_chunks::<2>();
    let is = |zero: usize| pairs.iter().all(|pair| pair[zero] == 0 && is_text(pair[1 - zero]));
    match head {
        [0xFF, 0xFE, rest @ ..] if !rest.starts_with(&[0, 0]) => Some(Utf16::Little),
        [0xFE, 0xFF, ..] => Some(Utf16::Big),
        _ if pairs.is_empty() => None,
        _ if is(1) => Some(Utf16::Little),
        _ if is(0) => Some(Utf16::Big),
        _ => None,
    }
}

/// Decoded text, and how its offsets lead back.
pub(super) struct Text {
    pub(super) by: Encoding,
    pub(super) bytes: Vec<u8>,
    map: Map,
    /// There would be more.
    pub(super) is_cut: bool,
}

enum Map {
    /// So many letters are so many bytes: short runs stand for what is in them as a whole.
    Groups { letters: usize, bytes: usize, run: usize },
    /// Nothing less than all of it can be decoded.
    Whole { run: usize },
    /// Byte by byte.
    Each(Vec<usize>),
}

/// Longer runs are not told as a whole, but as far as the value goes.
const MOST_TOLD: usize = 1024;

impl Text {
    /// What a run holds; `None` if it is no text.
    pub(super) fn of_run(head: Head, run: &[u8]) -> Option<Self> {
        let by = head.encoding(run);
        let bytes = decode(by, run)?;
        let (letters, bytes_of) = if by == Encoding::Hex { (2, 1) } else { (4, 3) };
        let map = Map::Groups { letters, bytes: bytes_of, run: run.len() };
        Some(Self { by, bytes, map, is_cut: false })
    }

    /// What is in the text itself in one more step, where that is seen at its start.
    pub(super) fn unpack(&self, most: usize) -> Option<Self> {
        let run = self.bytes.len();
        if self.bytes.starts_with(&GZIP) {
            let mut bytes = Vec::new();
            let most = most as u64;
            // What is damaged further on still holds what it does.
            let read = GzDecoder::new(self.bytes.as_slice()).take(most + 1).read_to_end(&mut bytes);
            let is_cut = bytes.len() as u64 > most;
            bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            return (read.is_ok() || !bytes.is_empty()).then_some(Self {
                by: Encoding::Gzip,
                bytes,
                map: Map::Whole { run },
                is_cut,
            });
        }
        let order = half_of(&self.bytes[..run.min(PROBE / 4 * 3)])?;
        let (text, _) = utf16::decode(&self.bytes, order);
        Some(Self { by: Encoding::Utf16, bytes: text.into_bytes(), map: Map::Whole { run }, is_cut: false })
    }

    /// Lines with escapes, each kind by itself.
    pub(super) fn of_escapes(line: &[u8]) -> impl Iterator<Item = Self> {
        const KINDS: [(u8, Encoding, fn(&[u8]) -> escape::Decoded); 3] = [
            (b'%', Encoding::Percent, escape::percent),
            (b'\\', Encoding::Escaped, escape::backslash),
            (b'&', Encoding::Html, escape::entities),
        ];
        KINDS.iter().filter(|(mark, ..)| line.contains(mark)).filter_map(|(_, by, decode)| {
            let escape::Decoded { bytes, from } = decode(line);
            // Nothing was escaped so.
            let is_same = bytes.len() == line.len();
            (!is_same).then_some(Self { by: *by, bytes, map: Map::Each(from), is_cut: false })
        })
    }

    /// Whether a stretch of the text stands otherwise in what was decoded, or next to something that does.
    pub(super) fn touches(&self, at: &Range<usize>) -> bool {
        let Map::Each(from) = &self.map else { return true };
        let around = at.start.saturating_sub(1)..(at.end + 1).min(from.len() - 1);
        from[around.end] - from[around.start] > around.len()
    }

    /// Where a stretch of the text stands in what was decoded, and where it is in the text when just that is decoded.
    pub(super) fn place(&self, at: &Range<usize>) -> (Range<usize>, Range<usize>) {
        match &self.map {
            Map::Whole { run } => (0..*run, at.clone()),
            Map::Groups { run, .. } if *run <= MOST_TOLD => (0..*run, at.clone()),
            Map::Groups { letters, bytes, run } => {
                let first = at.start / bytes;
                let end = (at.end.div_ceil(*bytes) * letters).min(*run);
                (first * letters..end, at.start - first * bytes..at.end - first * bytes)
            }
            Map::Each(from) => {
                // A character of several bytes is one escape.
                let start = from.partition_point(|other| *other < from[at.start]);
                let end = if at.end > at.start && from[at.end] == from[at.end - 1] {
                    from.partition_point(|other| *other <= from[at.end])
                } else {
                    at.end
                };
                (from[start]..from[end], at.start - start..at.end - start)
            }
        }
    }
}

/// Decodes all of a text; `None` where it is not encoded so.
fn decode(by: Encoding, text: &[u8]) -> Option<Vec<u8>> {
    let without_padding = || {
        let letters = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
        // One letter more than a multiple of four holds no byte.
        &text[..letters - usize::from(letters % 4 == 1)]
    };
    match by {
        Encoding::Base64 => STANDARD.decode(without_padding()).ok(),
        Encoding::Base64Url => URL_SAFE.decode(without_padding()).ok(),
        Encoding::Hex => escape::hex(&text[..text.len() & !1]),
        Encoding::Percent => Some(escape::percent(text).bytes),
        Encoding::Escaped => Some(escape::backslash(text).bytes),
        Encoding::Html => Some(escape::entities(text).bytes),
        Encoding::Utf16 => {
            let (text, _) = utf16::decode(text, half_of(&text[..text.len().min(PROBE / 4 * 3)])?);
            Some(text.into_bytes())
        }
        Encoding::Gzip => {
            let mut bytes = Vec::new();
            // Deflate makes no byte into more than 1,032.
            let most = (text.len() * 1032) as u64;
            let read = GzDecoder::new(text).take(most).read_to_end(&mut bytes);
            (read.is_ok() || !bytes.is_empty()).then_some(bytes)
        }
    }
}

/// The text that a whole value holds in base64, or in hexadecimal digits, and how: such a value is a password or key written down for a
/// place that wants it so. `None` where it holds no text.
pub(in crate::detect) fn text_of(value: &[u8]) -> Option<(Encoding, Vec<u8>)> {
    const LEAST: usize = 12;
    let letters = value.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if letters < LEAST || !value[..letters].iter().all(|byte| is_letter(*byte)) {
        return None;
    }
    let is_padded = value.len().is_multiple_of(4);
    let is_hex = value.len().is_multiple_of(2) && value.iter().all(u8::is_ascii_hexdigit);
    let tries = [(is_hex, Encoding::Hex), (is_padded, base64_of(value))];
    let mut texts =
        tries.into_iter().filter(|(may_be, _)| *may_be).filter_map(|(_, by)| Some((by, decode(by, value)?)));
    texts.find(|(_, text)| is_text_head(text))
}

/// The value that is had from encoded text by these steps; `None` where the text is not so encoded, or shorter.
pub fn decode_steps(text: &[u8], steps: &[DecodeStep]) -> Option<Secret> {
    let mut text = Cow::Borrowed(text);
    for step in steps {
        let decoded = decode(step.by, &text)?;
        let at = usize::try_from(step.start).ok()?..usize::try_from(step.end).ok()?;
        text = Cow::Owned(decoded.get(at)?.to_vec());
    }
    Some(Secret::new(text.into_owned()))
}
