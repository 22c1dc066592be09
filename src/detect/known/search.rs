//! The search: which stretches of some bytes are a form of a known value.

use std::ops::Range;

use base64::Engine as _;
use memchr::memmem;

use super::{Form, Known, KnownValues, LONGEST, SHORTEST, key::tail_of, table::Entry};
use crate::{
    detect::{
        canonical,
        decode::{
            STANDARD, URL_SAFE,
            escape::{Decoded, backslash, entities, hex, is_escape, is_text, percent},
        },
        prefilter::class::{Classifier, IS_BOUNDARY, IS_ESCAPE, IS_WHITE, STEP, is_boundary, is_white},
    },
    model::Secret,
};

/// A stretch that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Found {
    /// In the bytes that were searched.
    pub(in crate::detect) span: Range<usize>,
    pub(in crate::detect) known: Known,
}

/// Searches; one per thread.
pub(in crate::detect) struct Reader<'k> {
    known: &'k KnownValues,
    classifier: Classifier,
}

/// What a first byte may begin.
const TEXT_IN_BASE64: u8 = 1;
const TEXT_IN_HEX: u8 = 2;
const FIRST: [u8; 256] = first();

/// In base64 the first letter of four holds the upper six bits of a byte: text begins with few of them. In hexadecimal digits
/// text begins with 2 to 7, or is white space.
const fn first() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        if matches!(letter, b'I'..=b'Z' | b'a'..=b'f' | b'C' | b'D') {
            table[byte] |= TEXT_IN_BASE64;
        }
        if matches!(letter, b'2'..=b'7' | b'0') {
            table[byte] |= TEXT_IN_HEX;
        }
        byte += 1;
    }
    table
}

/// Blocks that are looked at together, and their bytes.
const BLOCKS: usize = 32;
const CHUNK: usize = BLOCKS * STEP;

/// Offsets within a chunk.
struct Places {
    all: [u16; CHUNK + STEP],
    count: usize,
}

impl Places {
    fn new() -> Self {
        Self { all: [0; CHUNK + STEP], count: 0 }
    }

    fn clear(&mut self) {
        self.count = 0;
    }

    fn all(&self) -> &[u16] {
        &self.all[..self.count]
    }

    /// Adds the places of all bits. Mostly there are a few: these are written without asking whether there are so many.
    #[inline]
    fn push(&mut self, base: usize, mut bits: u64) {
        const FEW: u32 = 6;
        if bits == 0 {
            return;
        }
        let count = bits.count_ones();
        let rest = &mut self.all[self.count..self.count + STEP];
        for place in &mut rest[..FEW as usize] {
            *place = (base + bits.trailing_zeros() as usize) as u16;
            bits &= bits.wrapping_sub(1);
        }
        for place in &mut rest[FEW as usize..count.max(FEW) as usize] {
            *place = (base + bits.trailing_zeros() as usize) as u16;
            bits &= bits.wrapping_sub(1);
        }
        self.count += count as usize;
    }
}

/// Letters of base64 that are decoded to see whether there is text in it.
const PROBE: usize = 12;

impl<'k> Reader<'k> {
    pub(in crate::detect) fn new(known: &'k KnownValues) -> Self {
        Self { known, classifier: Classifier::detect() }
    }

    /// Appends what is known: stretches that begin in `starts`, what is decoded from a beginning, or an escape, in it, and PEM blocks that
    /// begin in it. Bytes as far as [`super::REACH`] around `starts` must be there, as far as the content has them. Some may be given twice.
    pub(in crate::detect) fn find(&self, bytes: &[u8], starts: Range<usize>, found: &mut Vec<Found>) {
        self.find_stretches(bytes, starts.clone(), found);
        self.pem(bytes, starts, found);
    }

    /// The same without PEM blocks.
    pub(in crate::detect) fn find_stretches(
        &self,
        bytes: &[u8],
        starts: Range<usize>,
        found: &mut Vec<Found>,
    ) {
        let mut decoded_to = 0;
        let mut promising = [0; CHUNK];
        self.for_each_chunk(bytes, starts, |at, begins, escapes| {
            let count = self.sift(bytes, at, begins, &mut promising);
            promising[..count].iter().for_each(|begin| self.begin(bytes, at + usize::from(*begin), found));
            for escape in escapes.iter().map(|escape| at + usize::from(*escape)) {
                if escape >= decoded_to && is_escape(&bytes[escape..]) {
                    decoded_to = self.escaped(bytes, escape, found);
                }
            }
        });
    }

    /// Calls with the offset of each chunk, and where in it forms may begin and escapes stand.
    #[inline]
    fn for_each_chunk(
        &self,
        bytes: &[u8],
        starts: Range<usize>,
        mut look: impl FnMut(usize, &[u16], &[u16]),
    ) {
        let has_white = self.known.table.white().at_start;
        let mut sorted = [[0; 3]; BLOCKS + 1];
        let (mut begins, mut escapes) = (Places::new(), Places::new());
        let mut at = starts.start;
        let mut carry = u64::from(at == 0 || bytes.get(at - 1).is_some_and(|byte| is_boundary(*byte)));
        while at < starts.end {
            let count = (starts.end - at).div_ceil(STEP).min(BLOCKS);
            self.classifier.sort(bytes.get(at..).unwrap_or_default(), &mut sorted[..=count]);
            begins.clear();
            escapes.clear();
            for (index, pair) in sorted[..=count].windows(2).enumerate() {
                let (now, next) = (pair[0], pair[1]);
                let mut begin = (now[IS_BOUNDARY] << 1 | carry) & !now[IS_WHITE];
                carry = now[IS_BOUNDARY] >> (STEP - 1);
                if !has_white {
                    // White space within the first eight bytes: no form begins there.
                    let mut near = u128::from(now[IS_WHITE]) | u128::from(next[IS_WHITE]) << STEP;
                    near |= near >> 1;
                    near |= near >> 2;
                    near |= near >> 4;
                    begin &= !(near as u64);
                }
                let left = starts.end - at - index * STEP;
                let wanted = if left < STEP { (1 << left) - 1 } else { u64::MAX };
                begins.push(index * STEP, begin & wanted);
                escapes.push(index * STEP, now[IS_ESCAPE] & wanted);
            }
            look(at, begins.all(), escapes.all());
            at += CHUNK;
        }
    }

    /// Keeps of some places those at which something may begin; gives how many these are. Few do, and nothing tells beforehand which: so
    /// there is no branch on each.
    fn sift(&self, bytes: &[u8], at: usize, begins: &[u16], kept: &mut [u16; CHUNK]) -> usize {
        let mut count = 0;
        for begin in begins {
            let start = at + usize::from(*begin);
            kept[count % CHUNK] = *begin;
            count += usize::from(match bytes[start..].first_chunk::<PROBE>() {
                Some(first) => self.may_begin(first),
                None => true,
            });
        }
        count
    }

    #[inline]
    fn may_begin(&self, first: &[u8; PROBE]) -> bool {
        let word = u64::from_le_bytes(*first.first_chunk().expect("it has eight bytes"));
        let is_form = self.known.table.may_begin(self.known.key.head(word));
        let kinds = |at: usize| FIRST[usize::from(first[at])];
        let is_base64 = kinds(0) & kinds(4) & kinds(8) & TEXT_IN_BASE64;
        let is_hex = kinds(0) & kinds(2) & kinds(4) & kinds(6) & TEXT_IN_HEX;
        is_form | ((is_base64 | is_hex) != 0)
    }

    /// All that may begin here.
    fn begin(&self, bytes: &[u8], start: usize, found: &mut Vec<Found>) {
        let Some(first) = bytes[start..].first_chunk::<8>() else { return };
        self.form(bytes, start, |one| found.push(one));
        let kinds = FIRST[usize::from(first[0])];
        if kinds & TEXT_IN_BASE64 != 0 && FIRST[usize::from(first[4])] & TEXT_IN_BASE64 != 0 {
            self.base64(bytes, start, found);
        } else if kinds & TEXT_IN_HEX != 0 && FIRST[usize::from(first[2])] & TEXT_IN_HEX != 0 {
            self.hexadecimal(bytes, start, found);
        }
    }

    /// Calls with each form that stands here.
    #[inline]
    fn form(&self, bytes: &[u8], start: usize, mut tell: impl FnMut(Found)) {
        let Some(first) = bytes[start..].first_chunk::<8>() else { return };
        let head = self.known.key.head(u64::from_le_bytes(*first));
        if self.known.table.may_begin(head) {
            self.compare(bytes, start, head, |entry, span| tell(as_it_stands(bytes, entry, span)));
        }
    }

    /// Calls with each entry that stands here, and its span.
    fn compare(&self, bytes: &[u8], start: usize, head: u32, mut tell: impl FnMut(&Entry, Range<usize>)) {
        let key = &self.known.key;
        let mut last: Option<(u16, super::Tag)> = None;
        for entry in self.known.table.with_head(head) {
            let end = start + usize::from(entry.len);
            let Some(form) = bytes.get(start..end) else { continue };
            if !ends(bytes, end) || key.tail(form) != tail_of(entry.mark) {
                continue;
            }
            let tag = match last {
                Some((len, tag)) if len == entry.len => tag,
                _ => key.tag(form),
            };
            last = Some((entry.len, tag));
            if tag == entry.tag {
                tell(entry, start..end);
            }
        }
    }

    /// What stands in decoded text.
    fn within(&self, text: &[u8], mut tell: impl FnMut(Range<usize>, Known)) {
        self.for_each_chunk(text, 0..text.len(), |at, begins, _| {
            for start in begins.iter().map(|begin| at + usize::from(*begin)) {
                self.form(text, start, |one| tell(one.span, one.known));
            }
        });
        let mut blocks = Vec::new();
        self.pem(text, 0..text.len(), &mut blocks);
        blocks.into_iter().for_each(|block| tell(block.span, block.known));
    }

    /// Text that begins here in base64.
    fn base64(&self, bytes: &[u8], start: usize, found: &mut Vec<Found>) {
        let Some(probe) = bytes.get(start..start + PROBE) else { return };
        if FIRST[usize::from(probe[8])] & TEXT_IN_BASE64 == 0 {
            return;
        }
        let is_url = |letters: &[u8]| letters.iter().any(|letter| matches!(letter, b'-' | b'_'));
        let engine = |is_url: bool| if is_url { &URL_SAFE } else { &STANDARD };
        let mut text = [0; PROBE / 4 * 3];
        let probed = engine(is_url(probe)).decode_slice(probe, &mut text);
        if probed.is_err() || !text.iter().all(|byte| is_text(*byte)) {
            return;
        }
        let len = base64_len(bytes, start);
        let letters = &bytes[start..start + len];
        // One letter more than a multiple of four holds no byte.
        let whole = len - usize::from(len % 4 == 1);
        let Ok(text) = engine(is_url(letters)).decode(&letters[..whole]) else { return };
        let text = Secret::new(text);
        let form = if is_url(letters) { Form::Base64Url } else { Form::Base64 };
        let span = start..with_padding(bytes, start + len);
        self.within(text.expose(), |inner, known| {
            found.push(in_form(form, &span, (text.expose(), inner), known))
        });
    }

    /// Text that begins here in hexadecimal digits.
    fn hexadecimal(&self, bytes: &[u8], start: usize, found: &mut Vec<Found>) {
        let rest = &bytes[start..bytes.len().min(start + LONGEST)];
        let len = rest.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(rest.len());
        let digits = &rest[..len & !1];
        let Some(probe) = digits.get(..2 * SHORTEST).and_then(hex) else { return };
        if !probe.iter().all(|byte| is_text(*byte)) {
            return;
        }
        let Some(text) = hex(digits).map(Secret::new) else { return };
        let span = start..start + digits.len();
        self.within(text.expose(), |inner, known| {
            found.push(in_form(Form::Hex, &span, (text.expose(), inner), known));
        });
    }

    /// The stretch around an escape, decoded; gives where it ends.
    fn escaped(&self, bytes: &[u8], escape: usize, found: &mut Vec<Found>) -> usize {
        let unit = unit_around(bytes, escape);
        if unit.len() > LONGEST || unit.len() < SHORTEST {
            return unit.end;
        }
        let text = &bytes[unit.clone()];
        let mut look = |form: Form, decoded: Decoded| {
            let Decoded { bytes, from } = decoded;
            let clear = Secret::new(bytes);
            self.within(clear.expose(), |inner, known| {
                let span = unit.start + from[inner.start]..unit.start + from[inner.end];
                // What holds no escape stands in the bytes as it is.
                if span.len() > inner.len() {
                    found.push(in_form(form, &span, (clear.expose(), inner), known));
                }
            });
        };
        if text.contains(&b'%') {
            look(Form::Percent, percent(text));
        }
        if text.contains(&b'\\') {
            look(Form::Escaped, backslash(text));
        }
        if text.contains(&b'&') {
            look(Form::Html, entities(text));
        }
        unit.end
    }

    /// PEM blocks that begin in `starts`.
    pub(in crate::detect) fn pem(&self, bytes: &[u8], starts: Range<usize>, found: &mut Vec<Found>) {
        const BEGIN: &[u8] = b"-----BEGIN ";
        if !self.known.table.has_pem() {
            return;
        }
        let end = bytes.len().min(starts.end + BEGIN.len() - 1);
        for begin in memmem::find_iter(bytes.get(starts.start..end).unwrap_or_default(), BEGIN) {
            let start = starts.start + begin;
            let Some(len) = pem_len(&bytes[start..]) else { continue };
            let span = start..start + len;
            let body = canonical(&bytes[span.clone()]);
            let tag = self.known.key.tag(&body);
            for entry in self.known.table.pem(&tag) {
                let known = Known { value: entry.value, form: Form::Pem, clear: None };
                found.push(Found { span: span.clone(), known });
            }
        }
    }
}

/// What stands in the bytes themselves, in whatever form.
fn as_it_stands(bytes: &[u8], entry: &Entry, span: Range<usize>) -> Found {
    let clear = entry.form.value_of(&bytes[span.clone()]).map(Secret::new);
    let is_base64 = matches!(entry.form, Form::Base64 | Form::Base64Url | Form::Base64Line);
    let end = if is_base64 { with_padding(bytes, span.end) } else { span.end };
    Found { span: span.start..end, known: Known { value: entry.value, form: entry.form, clear } }
}

/// What stands in decoded text: its place is that of the encoded one.
fn in_form(form: Form, span: &Range<usize>, (text, inner): (&[u8], Range<usize>), known: Known) -> Found {
    let clear = known.clear.unwrap_or_else(|| Secret::new(&text[inner]));
    Found { span: span.clone(), known: Known { form, clear: Some(clear), ..known } }
}

/// Whether a form may end here: no word goes on.
fn ends(bytes: &[u8], end: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    bytes.get(end).is_none_or(|next| !is_word(*next)) || !is_word(bytes[end - 1])
}

/// How many letters of one base64 alphabet stand here, no more than [`LONGEST`]. In the middle of a path a slash ends it.
fn base64_len(bytes: &[u8], start: usize) -> usize {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let in_path = start > 1 && bytes[start - 1] == b'/' && is_letter(bytes[start - 2]);
    let mut special = None;
    let mut goes_on = |byte: &u8| {
        if byte.is_ascii_alphanumeric() {
            return true;
        }
        let is_url = match *byte {
            b'/' if in_path => return false,
            b'+' | b'/' => false,
            b'-' | b'_' => true,
            _ => return false,
        };
        *special.get_or_insert(is_url) == is_url
    };
    bytes[start..].iter().take(LONGEST).take_while(|byte| goes_on(byte)).count()
}

fn with_padding(bytes: &[u8], end: usize) -> usize {
    end + bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count()
}

/// The stretch around an offset that ends with white space and with quotes that are not escaped; cut where it is too long to be
/// looked at.
fn unit_around(bytes: &[u8], at: usize) -> Range<usize> {
    let is_end = |at: usize| {
        let byte = bytes[at];
        let is_quote = matches!(byte, b'"' | b'\'' | b'`') && (at == 0 || bytes[at - 1] != b'\\');
        is_white(byte) || is_quote
    };
    let first = at.saturating_sub(LONGEST + 1);
    let last = bytes.len().min(at + LONGEST + 1);
    let start = (first..at).rev().find(|at| is_end(*at)).map_or(first, |end| end + 1);
    let end = (at..last).find(|at| is_end(*at)).unwrap_or(last);
    start..end
}

/// The length of the PEM block that begins here, if it is one: label, body, and an end before anything else begins.
fn pem_len(block: &[u8]) -> Option<usize> {
    const DASHES: &[u8] = b"-----";
    const LABEL: usize = 80;
    let block = &block[..block.len().min(super::REACH - 64)];
    let label = DASHES.len() + memmem::find(block.get(DASHES.len()..LABEL.min(block.len()))?, DASHES)?;
    let body = label + DASHES.len();
    let end = body + memmem::find(&block[body..], DASHES)?;
    block[end + DASHES.len()..].starts_with(b"END ").then_some(())?;
    let name = end + DASHES.len();
    let close = memmem::find(&block[name..block.len().min(name + LABEL)], DASHES)?;
    Some(name + close + DASHES.len())
}

/// The stretch around a changed place in which something else may be found than before: to the white space on either side.
/// What is found begins in it, or stands wholly outside.
pub(in crate::detect) fn touched(bytes: &[u8], place: Range<usize>, known: &KnownValues) -> Range<usize> {
    let has_white = known.table.white().anywhere;
    let first = place.start.saturating_sub(LONGEST + 2);
    let last = bytes.len().min(place.end + LONGEST + 2);
    let start = if has_white {
        first
    } else {
        (first..place.start).rev().find(|at| is_white(bytes[*at])).unwrap_or(first)
    };
    let end = (place.end..last).find(|at| is_white(bytes[*at])).map_or(last, |at| at + 1);
    start..end
}
