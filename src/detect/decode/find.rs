//! Where runs begin and escapes stand, 64 bytes at a time; and how far a run, a line or a stretch goes.

use std::ops::{Range, RangeInclusive};

use memchr::{memchr, memrchr};

use super::{
    LINE, LONGEST,
    escape::{is_escape, is_text},
    run::Head,
};
use crate::detect::prefilter::class::{Classifier, STEP, Set, is_white};

const LETTER: u8 = 0b0001_1111;
const MARK: u8 = 0b0110_0000;
/// Letters of both alphabets of base64; and what escapes begin with.
static LETTERS: Set = Set::new(
    &[
        (&[4, 6], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        (&[5, 7], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (&[3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (&[2], &[11, 13, 15]), // + - /
        (&[5], &[15]),         // _
        (&[2], &[5, 6]),       // % &
        (&[5], &[12]),         // \
        (&[], &[]),
    ],
    [LETTER, MARK, 0],
);
const IS_LETTER: usize = 0;
const IS_MARK: usize = 1;

pub(super) fn is_letter(byte: u8) -> bool {
    LETTERS.has(IS_LETTER, byte)
}

/// What may hold encoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// A run of letters, which begins here.
    Run(usize),
    /// An escape.
    Escape(usize),
}

/// Calls with every run that begins in `starts`, and every escape there; nearly in the order of places. Bytes as far as
/// [`super::REACH`] around `starts` must be there, as far as the content has them.
pub(super) fn for_each_start(bytes: &[u8], starts: Range<usize>, mut look: impl FnMut(Start)) {
    let classifier = Classifier::of(&LETTERS);
    let is_inside =
        starts.start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|byte| is_letter(*byte));
    let mut before = u64::from(is_inside);
    classifier.for_each_block(bytes, starts, |base, [now, next], wanted| {
        let letters = now[IS_LETTER];
        let begins = long_runs(letters, next[IS_LETTER]) & !(letters << 1 | before) & wanted;
        before = letters >> (STEP - 1);
        each_bit(begins, |bit| look(Start::Run(base + bit)));
        each_bit(now[IS_MARK] & wanted, |bit| {
            if is_mark(&bytes[base + bit..]) {
                look(Start::Escape(base + bit));
            }
        });
    });
}

/// The places in `now` at which [`SHORTEST`](super::SHORTEST) letters follow each other.
fn long_runs(now: u64, next: u64) -> u64 {
    // Words end: nearly always there is no need to look beyond the block.
    let mut near = now;
    for step in [1, 2, 4, 8] {
        near &= near >> step;
    }
    if near == 0 && (now >> (STEP - 1) == 0 || next & 0x1FF != 0x1FF) {
        return 0;
    }
    let mut letters = u128::from(now) | u128::from(next) << STEP;
    for step in [1, 2, 4, 8, 8] {
        letters &= letters >> step;
    }
    letters as u64
}

fn each_bit(mut bits: u64, mut look: impl FnMut(usize)) {
    while bits != 0 {
        look(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Whether an escape begins here that is worth decoding a line for: white space and quotes are escaped in every string of every program,
/// and `&amp;` and brackets in every line of markup.
fn is_mark(rest: &[u8]) -> bool {
    match rest {
        [b'\\', b'\'', ..] => false,
        [b'&', next, ..] if *next != b'#' => rest.starts_with(b"&quot;") || rest.starts_with(b"&apos;"),
        _ => is_escape(rest),
    }
}

/// A run of letters with what it seems to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Letters and padding.
    pub(super) range: Range<usize>,
    /// How many letters there are.
    pub(super) letters: usize,
    pub(super) head: Head,
}

/// The run that begins here, if there is text in it and so many letters.
pub(super) fn run_at(bytes: &[u8], start: usize, lengths: RangeInclusive<usize>) -> Option<Run> {
    // In `\nTG9yZW0…` the first letter belongs to an escape.
    let is_escaped = start > 0 && bytes[start - 1] == b'\\' && matches!(bytes[start], b'n' | b'r' | b't');
    let mut start = start + usize::from(is_escaped);
    if bytes[start..].starts_with(b"0x") {
        start += 2;
    }
    let head = Head::of(&bytes[start..])?;
    let most = bytes.len().min(start.saturating_add(*lengths.end()).saturating_add(1));
    let mut goes_on = head.letters();
    let len = bytes[start..most].iter().take_while(|byte| goes_on(**byte)).count();
    if !lengths.contains(&len) {
        return None;
    }
    let end = start + len;
    let padding = bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    let padding = if head == Head::Hex { 0 } else { padding };
    Some(Run { range: start..end + padding, letters: len, head })
}

/// What is decoded for an escape that stands here: its line, or the stretch around it; `None` where both are too long.
pub(super) fn unit_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    line_at(bytes, at).or_else(|| stretch_at(bytes, at).filter(|stretch| stretch.len() <= LONGEST))
}

/// The line, if it is no longer than [`LINE`].
pub(super) fn line_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let first = at.saturating_sub(LINE + 1);
    let last = bytes.len().min(at + LINE + 1);
    let start = match memrchr(b'\n', &bytes[first..at]) {
        Some(newline) => first + newline + 1,
        None if first == 0 => 0,
        None => return None,
    };
    let end = match memchr(b'\n', &bytes[at..last]) {
        Some(newline) => at + newline,
        None if last == bytes.len() => last,
        None => return None,
    };
    (end - start <= LINE).then_some(start..end)
}

/// The stretch without white space and quotes, followed no farther than is needed to see that it is too long.
pub(super) fn stretch_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let around = at.saturating_sub(LONGEST + 1)..bytes.len().min(at + LONGEST + 1);
    stretch_within(bytes, at, around)
}

/// The same, followed to its ends in this part of the bytes.
pub(super) fn stretch_within(bytes: &[u8], at: usize, part: Range<usize>) -> Option<Range<usize>> {
    let before = bytes[part.start..at].iter().rposition(|byte| ends_stretch(*byte));
    let start = before.map_or(part.start, |end| part.start + end + 1);
    let after = bytes[at..part.end].iter().position(|byte| ends_stretch(*byte));
    let end = after.map_or(part.end, |end| at + end);
    (start < end).then_some(start..end)
}

/// Whether a stretch ends with the byte.
pub(super) fn ends_stretch(byte: u8) -> bool {
    is_white(byte) || matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether decoded bytes are text throughout, but for a few.
pub(super) fn is_clean(text: &[u8]) -> bool {
    let is_odd = |byte: &&u8| !is_text(**byte) && **byte < 0x80;
    let odd = text.iter().filter(is_odd).count();
    odd * 50 <= text.len()
        && text.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>() * 20 <= text.len()
}
