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
    let is_inside =
        starts.start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|byte| is_run(*byte));
    let mut carry = u64::from(is_inside);
    classifier.for_each_block(bytes, starts, |base, [now, next], wanted| {
        let runs = u128::from(now[IS_RUN]) | u128::from(next[IS_RUN]) << STEP;
        let mut begins = now[IS_RUN] & !(now[IS_RUN] << 1 | carry) & long_enough(runs) & wanted;
        carry = now[IS_RUN] >> (STEP - 1);
        while begins != 0 {
            let begin = begins.trailing_zeros();
            begins &= begins - 1;
            let start = base + begin as usize;
            let from_here =
                |class: usize| now[class] >> begin | next[class] << 1 << (STEP as u32 - 1 - begin);
            let len = (!from_here(IS_RUN)).trailing_zeros();
            let (run, mix) = if len < STEP as u32 {
                let mix = Mix::of_masks(from_here(IS_DIGIT), from_here(IS_UPPER), len);
                (start..start + len as usize, mix)
            } else {
                let end = end_of(bytes, start);
                (start..end, Mix::of_bytes(&bytes[start..end]))
            };
            if mix.may_be_random() && run.len() <= Nearby::LONGEST && is_random(bytes, &run, mix) {
                look(run);
            }
        }
    });
}

/// Of the first 64 places those at which ten places of a run follow each other.
fn long_enough(runs: u128) -> u64 {
    let two = runs & runs >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    (eight & two >> 8) as u64
}

/// What a run is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mix {
    len: usize,
    has_digit: bool,
    has_upper: bool,
    /// Nothing but digits, or upper-case letters.
    is_plain: bool,
    /// Neighbours of which one is a digit, or an upper-case letter, and the other is not; where there are digits or such letters.
    changes: usize,
}

impl Mix {
    /// Of masks whose lowest bits, as many as the run has bytes, are the run's; fewer than 64.
    #[inline]
    fn of_masks(digits: u64, uppers: u64, len: u32) -> Self {
        let within = (1 << len) - 1;
        let (digits, uppers) = (digits & within, uppers & within);
        let mut mix = Self { len: len as usize, ..Self::default() };
        if digits | uppers != 0 {
            let changes = (digits ^ digits >> 1 | uppers ^ uppers >> 1) & within >> 1;
            mix.has_digit = digits != 0;
            mix.has_upper = uppers != 0;
            mix.is_plain = digits == within || uppers == within;
            mix.changes = changes.count_ones() as usize;
        }
        mix
    }

    fn of_bytes(value: &[u8]) -> Self {
        let class = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
        Self {
            len: value.len(),
            has_digit: value.iter().any(u8::is_ascii_digit),
            has_upper: value.iter().any(u8::is_ascii_uppercase),
            is_plain: value.iter().all(u8::is_ascii_digit) || value.iter().all(u8::is_ascii_uppercase),
            changes: value.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count(),
        }
    }

    /// Whether a random value may be made so: names change less often between digits and letters, and between cases.
    #[inline]
    fn may_be_random(self) -> bool {
        match (self.has_digit, self.has_upper) {
            (false, false) => self.len >= SHORTEST_OF_LETTERS,
            (false, true) => {
                self.changes * 3 >= self.len || (self.is_plain && self.len >= SHORTEST_OF_LETTERS)
            }
            (true, _) => self.is_plain || self.changes * 20 >= self.len,
        }
    }
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
#[cfg(test)]
pub(in crate::detect) fn is_candidate(bytes: &[u8], run: &Range<usize>) -> bool {
    let mix = Mix::of_bytes(&bytes[run.clone()]);
    mix.may_be_random() && is_random(bytes, run, mix)
}

/// Whether a run whose mix may be random may be a value, by its own bytes and those right around it. See [`GUARD`].
fn is_random(bytes: &[u8], run: &Range<usize>, mix: Mix) -> bool {
    is_mixed(bytes, run, mix) && !refusal::is_in_code(bytes, run) && !made_of_words(&bytes[run.clone()])
}

/// Whether its characters are as mixed as those of random values: what is counted, dated or named is not.
fn is_mixed(bytes: &[u8], run: &Range<usize>, mix: Mix) -> bool {
    const DISTINCT: u32 = 5;
    let value = &bytes[run.clone()];
    let is_fit = if Nearby::has_joint(value) {
        Nearby::is_no_name(value)
    } else {
        let is_mixed = || mix.has_upper && value.iter().any(u8::is_ascii_lowercase);
        mix.has_digit || value.len() >= SHORTEST_OF_LETTERS || (is_mixed() && is_in_base64(bytes, run))
    };
    is_fit && value.iter().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones() >= DISTINCT
}

/// Whether a run is a part of a longer stretch, as base64 has them.
fn is_in_base64(bytes: &[u8], run: &Range<usize>) -> bool {
    let is_sign = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'+' | b'/'));
    let before = run.start.checked_sub(1).and_then(|at| bytes.get(at));
    is_sign(before) || is_sign(bytes.get(run.end)) || bytes.get(run.end) == Some(&b'=')
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
        fn masks_and_bytes_tell_the_same_mix(value in "[0-9A-Za-z_-]{1,63}") {
            let mask = |is: fn(&u8) -> bool| {
                value.bytes().enumerate().fold(0_u64, |mask, (at, byte)| mask | u64::from(is(&byte)) << at)
            };
            let (digits, uppers) = (mask(u8::is_ascii_digit), mask(u8::is_ascii_uppercase));
            let len = u32::try_from(value.len()).unwrap();
            // What stands behind the run is of no account.
            let beyond = if len < 62 { 0b10 << len } else { 0 };
            prop_assert_eq!(Mix::of_masks(digits | beyond, uppers, len), Mix::of_bytes(value.as_bytes()));
        }

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
