//! Runs: where a value that only a word nearby speaks for may stand.
//!
//! A *run* is a maximal stretch of letters, digits, `_` and `-`. Runs are found 64 bytes at a time; of those that are left, most are
//! identifiers, and are told from random values by what they are made of and what stands right before and behind them.

use std::ops::Range;

use super::refusal;
use crate::{
    detect::prefilter::class::{Classifier, Rectangle, STEP, Set},
    rule::{Nearby, made_of_words},
};

/// How far around a run bytes may lie that decide whether it is a candidate, in bytes.
pub(in crate::detect) const GUARD: usize = 10;
/// Shorter runs have a digit, or are parts of base64.
const SHORTEST_OF_LETTERS: usize = 16;

const IS_RUN: usize = 0;
const IS_DIGIT: usize = 1;
const IS_UPPER: usize = 2;

const DIGIT: u8 = 0b0000_0001;
const UPPER: u8 = 0b0000_0110;
const RUN: u8 = 0b0111_1111;

const RECTANGLES: [Rectangle; 8] = [
    (&[3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (&[4], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    (&[5], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (&[6], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    (&[7], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (&[5], &[15]), // _
    (&[2], &[13]), // -
    (&[], &[]),
];

pub(super) static RUNS: Set = Set::new(&RECTANGLES, [RUN, DIGIT, UPPER]);

/// Blocks that are looked at together.
const BLOCKS: usize = 32;

/// Whether the byte is one of a run.
#[inline]
pub(super) fn is_run(byte: u8) -> bool {
    RUNS.has(IS_RUN, byte)
}

/// Calls with each run that begins in `starts` and may be a value; by place.
pub(super) fn for_each(
    classifier: Classifier,
    bytes: &[u8],
    starts: Range<usize>,
    mut look: impl FnMut(Range<usize>),
) {
    let mut sorted = [[0; 3]; BLOCKS + 1];
    let mut at = starts.start;
    let mut carry = u64::from(at > 0 && bytes.get(at - 1).is_some_and(|byte| is_run(*byte)));
    while at < starts.end {
        let count = (starts.end - at).div_ceil(STEP).min(BLOCKS);
        classifier.sort(bytes.get(at..).unwrap_or_default(), &mut sorted[..=count]);
        for (index, pair) in sorted[..=count].windows(2).enumerate() {
            let base = at + index * STEP;
            let wide = |class: usize| u128::from(pair[0][class]) | u128::from(pair[1][class]) << STEP;
            let (now, runs) = (pair[0][IS_RUN], wide(IS_RUN));
            let mut begins = now & !(now << 1 | carry) & long_enough(runs);
            carry = now >> (STEP - 1);
            let left = starts.end - base;
            begins &= if left < STEP { (1 << left) - 1 } else { u64::MAX };
            while begins != 0 {
                let begin = begins.trailing_zeros();
                begins &= begins - 1;
                let (digits, uppers) = (wide(IS_DIGIT) >> begin, wide(IS_UPPER) >> begin);
                let len = (!(runs >> begin)).trailing_zeros();
                let within = if len < u128::BITS { (1 << len) - 1 } else { u128::MAX };
                let start = base + begin as usize;
                let is_cut = begin + len >= 2 * STEP as u32;
                if is_cut || is_odd(len as usize, digits & within != 0, uppers & within != 0) {
                    let end = if is_cut { end_of(bytes, start) } else { start + len as usize };
                    if end - start <= Nearby::LONGEST && is_candidate(bytes, &(start..end)) {
                        look(start..end);
                    }
                }
            }
        }
        at += BLOCKS * STEP;
    }
}

/// Of the first 64 places those at which ten places of a run follow each other.
fn long_enough(runs: u128) -> u64 {
    let two = runs & runs >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    (eight & two >> 8) as u64
}

/// Whether a run of this length may be random: words are letters of one case.
#[inline]
fn is_odd(len: usize, has_digit: bool, has_upper: bool) -> bool {
    has_digit || has_upper || len >= SHORTEST_OF_LETTERS
}

/// Where the run that begins here ends; of runs that are too long, some place behind what is allowed.
fn end_of(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..bytes.len().min(start + Nearby::LONGEST + 1)];
    start + rest.iter().position(|byte| !is_run(*byte)).unwrap_or(rest.len())
}

/// Where the run that holds this place, or ends there, begins; far back enough, where it is too long to be a value.
pub(in crate::detect) fn start_of(bytes: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(Nearby::LONGEST + 2);
    bytes[from..at].iter().rposition(|byte| !is_run(*byte)).map_or(from, |before| from + before + 1)
}

/// Whether a run may be a value, by its own bytes and those right around it. See [`GUARD`].
pub(in crate::detect) fn is_candidate(bytes: &[u8], run: &Range<usize>) -> bool {
    let value = &bytes[run.clone()];
    is_mixed(bytes, run) && !refusal::is_in_code(bytes, run) && !made_of_words(value)
}

/// Whether its characters are as mixed as those of random values: what is counted, dated or named is not.
fn is_mixed(bytes: &[u8], run: &Range<usize>) -> bool {
    const DISTINCT: u32 = 5;
    let value = &bytes[run.clone()];
    let (mut digits, mut upper, mut lower, mut seen) = (0, 0, 0, 0_u128);
    for byte in value {
        digits += usize::from(byte.is_ascii_digit());
        upper += usize::from(byte.is_ascii_uppercase());
        lower += usize::from(byte.is_ascii_lowercase());
        seen |= 1 << (byte & 127);
    }
    let joints = value.len() - digits - upper - lower;
    let is_long = value.len() >= SHORTEST_OF_LETTERS || is_in_base64(bytes, run);
    if seen.count_ones() < DISTINCT {
        return false;
    }
    match (digits, upper.min(lower)) {
        // Dates, telephone numbers, ranges.
        (_, 0) if upper + lower == 0 => joints == 0,
        (0, 0) if joints == 0 => value.len() >= SHORTEST_OF_LETTERS,
        (0, 0) => has_long_part(value) || is_in_fours(value),
        (0, _) => is_long,
        _ => true,
    }
}

/// Whether a run is a part of a longer stretch, as base64 has them.
fn is_in_base64(bytes: &[u8], run: &Range<usize>) -> bool {
    let is_sign = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'+' | b'/'));
    let before = run.start.checked_sub(1).and_then(|at| bytes.get(at));
    is_sign(before) || is_sign(bytes.get(run.end)) || bytes.get(run.end) == Some(&b'=')
}

/// Whether a stretch between its joints is longer than words are.
fn has_long_part(value: &[u8]) -> bool {
    const LONGER_THAN_WORDS: usize = 20;
    value.len() > LONGER_THAN_WORDS
        && value.split(|byte| matches!(byte, b'_' | b'-')).any(|part| part.len() >= LONGER_THAN_WORDS)
}

/// Whether it is four groups of four letters, as passwords for single applications have them.
fn is_in_fours(value: &[u8]) -> bool {
    value.len() == 19 && value.iter().enumerate().all(|(at, byte)| (at % 5 == 4) == (*byte == b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(bytes: &[u8], starts: &Range<usize>) -> Vec<Range<usize>> {
        let is_start = |at: &usize| is_run(bytes[*at]) && (*at == 0 || !is_run(bytes[*at - 1]));
        let run = |start: usize| {
            start..bytes.len().min(start + bytes[start..].iter().take_while(|byte| is_run(**byte)).count())
        };
        (starts.start..starts.end.min(bytes.len()))
            .filter(is_start)
            .map(run)
            .filter(|run| {
                (Nearby::SHORTEST..=Nearby::LONGEST).contains(&run.len()) && is_candidate(bytes, run)
            })
            .collect()
    }

    #[test]
    fn a_run_is_made_of_letters_digits_and_two_joints() {
        for byte in 0..=255 {
            assert_eq!(is_run(byte), byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-', "{byte}");
            assert_eq!(RUNS.has(IS_DIGIT, byte), byte.is_ascii_digit());
            assert_eq!(RUNS.has(IS_UPPER, byte), byte.is_ascii_uppercase());
        }
    }

    proptest! {
        #[test]
        fn every_engine_finds_the_runs_that_a_plain_look_finds(
            parts in prop::collection::vec("[0-9a-zA-Z]{1,40}|[ =\n\"]{1,3}|[0-9a-f_-]{60,140}|[0-9a-z]{500,530}", 0..12),
            from in 0..200_usize,
            cut in 0..900_usize,
        ) {
            let bytes = parts.concat().into_bytes();
            let starts = from.min(bytes.len())..(from + cut).min(bytes.len());
            let expected = plain(&bytes, &starts);
            for classifier in [Classifier::of(&RUNS), Classifier::portable(&RUNS)] {
                let mut found = Vec::new();
                for_each(classifier, &bytes, starts.clone(), |run| found.push(run));
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
