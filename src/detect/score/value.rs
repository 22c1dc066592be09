//! What a value says of itself: its characters, its words, what else it looks like.

use super::{
    filler,
    letters::{Words, randomness, words},
    shape,
    vocabulary::holds_stand_in,
    weights::{Clue, LEAST_RANDOM, LEAST_RANDOM_PASSWORD, MOST_RANDOM, RANDOM_PER_BIT},
};

/// What characters a value is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Classes {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    /// `-`, `_`, `.`, `/`, `:`, `,`, `=` and `+`, which join words and stand in base64.
    pub(super) joints: usize,
    pub(super) blanks: usize,
    pub(super) symbols: usize,
    pub(super) foreign: usize,
    /// Runs of digits.
    pub(super) numbers: usize,
}

impl Classes {
    pub(super) fn of(value: &[u8]) -> Self {
        let mut classes = Self::default();
        let mut last = b' ';
        for &byte in value {
            match byte {
                b'a'..=b'z' => classes.lower += 1,
                b'A'..=b'Z' => classes.upper += 1,
                b'0'..=b'9' => {
                    classes.digits += 1;
                    classes.numbers += usize::from(!last.is_ascii_digit());
                }
                b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b'+' | b',' => classes.joints += 1,
                b' ' | b'\t' => classes.blanks += 1,
                0x80.. => classes.foreign += 1,
                _ => classes.symbols += 1,
            }
            last = byte;
        }
        classes
    }

    pub(super) fn letters(&self) -> usize {
        self.lower + self.upper
    }
}

/// How many tenths of a bit a value's randomness counts for.
pub(super) fn random_weight(value: &[u8], is_password: bool) -> i32 {
    let weight = randomness(value) * RANDOM_PER_BIT;
    // Words with digits and signs are what people take.
    let is_dressed = is_password && value.iter().any(|byte| !byte.is_ascii_alphabetic());
    let least = if is_dressed { LEAST_RANDOM_PASSWORD } else { LEAST_RANDOM };
    (weight.round() as i32).clamp(least, MOST_RANDOM)
}

/// All that the value says.
pub(super) fn of_value(value: &[u8], is_password: bool, say: &mut impl FnMut(Clue)) {
    let classes = Classes::of(value);
    let words = words(value);
    length(value.len(), classes.digits == value.len(), say);
    characters(value, &classes, is_password, say);
    if filler::is_filler(value) {
        say(Clue::Filler);
    }
    if is_stand_in(value, &classes, words) || holds_stand_in(value) {
        say(Clue::StandIn);
    }
    made_of_words(value, &classes, words, is_password, say);
    shape::of_shape(value, &classes, say);
}

/// Longer values of generic rules are data, in bytes.
const LONGEST: usize = 250;

fn length(length: usize, is_number: bool, say: &mut impl FnMut(Clue)) {
    match length {
        0..=4 => say(Clue::Tiny),
        5 => say(Clue::Short),
        6..=7 if !is_number => say(Clue::Brief),
        6..=15 => {}
        16..=LONGEST => say(Clue::Long),
        _ => say(Clue::Endless),
    }
}

fn characters(value: &[u8], classes: &Classes, is_password: bool, say: &mut impl FnMut(Clue)) {
    let letters = classes.letters();
    if classes.foreign > 0 {
        // A letter has two or three bytes there.
        say(if classes.foreign * 3 >= value.len() { Clue::ForeignText } else { Clue::Foreign });
    }
    if classes.blanks > 0 {
        say(Clue::Blank);
    }
    if classes.symbols > 0 && classes.blanks == 0 && (letters > 0 || classes.digits > 2) {
        say(Clue::Symbols);
    } else if classes.digits > 0 && letters > 0 {
        say(Clue::Mixed);
    } else if letters == 0 && classes.foreign == 0 {
        let is_number = is_password && classes.digits == value.len() && value.len() >= 6;
        say(if is_number { Clue::Number } else { Clue::Digits });
    } else if classes.symbols == 0 {
        say(Clue::Letters);
    }
    if shape::has_escaped_letters(value) {
        say(Clue::ForeignText);
    }
    // `kosmos-db`: a token or key of that kind would have digits.
    if !is_password && classes.joints > 0 && classes.lower + classes.upper + classes.joints == value.len() {
        say(Clue::Joined);
    }
    let is_title = classes.upper == 1
        && value[0].is_ascii_uppercase()
        && classes.lower + 1 == value.len()
        && classes.digits == 0;
    if is_title {
        say(Clue::Title);
    }
}

/// Whether all its letters are in words that stand in for secrets, and its numbers are such as people count by.
pub(super) fn is_stand_in(value: &[u8], classes: &Classes, words: Words) -> bool {
    let counts = |words: Words| words.letters > 0 && words.stand_in >= words.letters;
    if counts(words) && (classes.digits == 0 || filler::counts_up(value)) {
        return true;
    }
    // `P@ssw0rd`, `s3cr3t`; what stands behind all letters is a number, or one more of them.
    let behind = value.iter().rev().take_while(|byte| !byte.is_ascii_alphabetic()).count();
    [value.len() - behind, value.len()].into_iter().any(|end| {
        let Some((plain, length)) = unleet(value, end) else { return false };
        let plain = &plain[..length];
        counts(super::letters::words(plain)) && filler::counts_up(plain)
    })
}

/// The value with the digits and signs before `end` that stand for letters as these; `None` where there are none, or it is long.
fn unleet(value: &[u8], end: usize) -> Option<([u8; 48], usize)> {
    let mut plain = [0_u8; 48];
    if value.len() > plain.len() {
        return None;
    }
    let mut is_changed = false;
    for (at, &byte) in value.iter().enumerate() {
        let letter = match byte {
            b'0' => b'o',
            b'1' => b'i',
            b'3' => b'e',
            b'4' | b'@' => b'a',
            b'5' | b'$' => b's',
            b'7' | b'+' => b't',
            _ => byte,
        };
        plain[at] = if at < end { letter } else { byte };
        is_changed |= plain[at] != byte;
    }
    is_changed.then_some((plain, value.len()))
}

fn made_of_words(
    value: &[u8],
    classes: &Classes,
    words: Words,
    is_password: bool,
    say: &mut impl FnMut(Clue),
) {
    let letters = words.letters;
    if letters < 3 {
        return;
    }
    let is_covered = words.covered * 5 >= letters * 4;
    let is_numbered = classes.numbers <= 2 && classes.digits * 2 <= value.len();
    let others = classes.joints + classes.blanks + classes.digits;
    if is_covered && classes.symbols == 0 && classes.digits == 0 {
        say(Clue::AllWords);
    } else if is_covered
        && is_numbered
        && letters > classes.digits
        && !(is_password && others == classes.digits)
    {
        say(Clue::WordsNumbers);
    } else if words.covered * 5 >= letters * 3
        && classes.digits * 3 <= letters
        && words.longest >= 4
        && !(is_password && classes.digits > 0 && others == classes.digits)
    {
        say(Clue::MostWords);
    }
}
