//! Words or random characters: how letters follow each other, and which words are common.
//!
//! `letters.bin` and `words.txt` are made by `benches/letters.py` from source and text of some forty open-source trees.

use std::{collections::HashMap, sync::LazyLock};

use super::vocabulary::STAND_INS;

/// Surprise at a letter after two others, in sixteenths of a bit; 0 is the word's edge, 1 to 26 are the letters.
const FOLLOWS: &[u8; 27 * 27 * 27] = include_bytes!("letters.bin");
const WORDS: &str = include_str!("words.txt");
const LONGEST_WORD: usize = 14;
/// Letters of one run that are looked at.
const LONGEST_RUN: usize = 64;

/// Whether a word is one that stands in for secrets.
static DICTIONARY: LazyLock<HashMap<&'static [u8], bool>> = LazyLock::new(|| {
    let common = WORDS.lines().map(|word| (word.as_bytes(), false));
    let stand_ins = STAND_INS.split_ascii_whitespace().map(|word| (word.as_bytes(), true));
    common.chain(stand_ins).collect()
});

/// How a value is made of words.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Words {
    /// Letters in it.
    pub(super) letters: usize,
    /// Letters that common words cover.
    pub(super) covered: usize,
    /// Letters that words cover which stand in for secrets.
    pub(super) stand_in: usize,
    /// Of the longest common word.
    pub(super) longest: usize,
}

/// Covers the letters of a value with words.
pub(super) fn words(value: &[u8]) -> Words {
    let mut all = Words::default();
    let mut run = [0_u8; LONGEST_RUN];
    let mut length = 0;
    for at in 0..=value.len() {
        let byte = value.get(at).copied().unwrap_or(b' ');
        if byte.is_ascii_alphabetic() && length < LONGEST_RUN {
            run[length] = byte.to_ascii_lowercase();
            length += 1;
            continue;
        }
        all.add(&run[..length]);
        length = 0;
        if byte.is_ascii_alphabetic() {
            run[0] = byte.to_ascii_lowercase();
            length = 1;
        }
    }
    all
}

impl Words {
    fn add(&mut self, run: &[u8]) {
        self.letters += run.len();
        // Of each prefix: most letters covered by any words, by stand-ins.
        let mut best = [(0_usize, 0_usize); LONGEST_RUN + 1];
        for end in 1..=run.len() {
            best[end] = best[end - 1];
            for start in end.saturating_sub(LONGEST_WORD)..end {
                let word = &run[start..end];
                let Some(is_stand_in) = DICTIONARY.get(word).copied() else { continue };
                let length = word.len();
                if length < 3 && !is_stand_in {
                    continue;
                }
                // Two short words between random letters are chance; as the whole run they are not.
                if length < 3 && run.len() > 3 && start != 0 && end != run.len() {
                    continue;
                }
                let (any, stand_in) = best[start];
                best[end].0 = best[end].0.max(any + length);
                if is_stand_in {
                    best[end].1 = best[end].1.max(stand_in + length);
                }
                self.longest = self.longest.max(length);
            }
        }
        self.covered += best[run.len()].0;
        self.stand_in += best[run.len()].1;
    }
}

/// Bits by which random characters of the value's own classes explain it better than words, numbers and joints do; less than 0
/// for what reads like words.
pub(super) fn randomness(value: &[u8]) -> f32 {
    let text = text_bits(value);
    text - value.len() as f32 * alphabet_bits(value)
}

/// What an alphabet that has the value's characters says per character.
fn alphabet_bits(value: &[u8]) -> f32 {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let digits = has(u8::is_ascii_digit);
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    if digits && value.iter().all(hex) && lower != upper {
        // With a dash here and there.
        return 4.1;
    }
    let joints = has(|byte| matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'='));
    let symbols = has(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"_-./+=".contains(byte));
    let count = |is: bool, size: u16| if is { size } else { 0 };
    let size =
        count(digits, 10) + count(lower, 26) + count(upper, 26) + count(joints, 2) + count(symbols, 24);
    f32::from(size.max(2)).log2()
}

/// What the value says if it is words (`Xxxx`, `xxxx`, `XXXX`), numbers and what joins them.
fn text_bits(value: &[u8]) -> f32 {
    const NUMBER: f32 = 2.0;
    const DIGIT: f32 = 2.6;
    const JOINT: f32 = 1.5;
    const SYMBOL: f32 = 6.0;
    const FOREIGN: f32 = 2.0;
    let mut bits = 0.0;
    let mut at = 0;
    while at < value.len() {
        let rest = &value[at..];
        let length = match rest[0] {
            byte if byte.is_ascii_alphabetic() => {
                let length = word_length(rest);
                bits += word_bits(&rest[..length]);
                length
            }
            byte if byte.is_ascii_digit() => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                bits += NUMBER + DIGIT * length as f32;
                length
            }
            b'_' | b'-' | b'.' | b'/' | b' ' => {
                bits += JOINT;
                1
            }
            0x80.. => {
                bits += FOREIGN;
                1
            }
            _ => {
                bits += SYMBOL;
                1
            }
        };
        at += length;
    }
    bits
}

/// Length of the word that a value starts with: `Xxxx`, `xxxx`, or capitals but for the one that starts the next word.
fn word_length(rest: &[u8]) -> usize {
    let count =
        |from: usize, test: fn(&u8) -> bool| rest[from..].iter().take_while(|byte| test(byte)).count();
    let upper = count(0, u8::is_ascii_uppercase);
    let lower = count(upper, u8::is_ascii_lowercase);
    match (upper, lower) {
        (0 | 1, _) => upper + lower,
        (_, 0) => upper,
        _ => upper - 1,
    }
}

/// Surprise at a word's letters and its end.
fn word_bits(word: &[u8]) -> f32 {
    let (mut before, mut last, mut total) = (0_usize, 0_usize, 0_u32);
    for letter in word.iter().map(|byte| usize::from((byte | 0x20) - b'a') + 1).chain([0]) {
        total += u32::from(FOLLOWS[(before * 27 + last) * 27 + letter]);
        (before, last) = (last, letter);
    }
    total as f32 / 16.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_letters_surprise_and_words_do_not() {
        for random in ["xkqvzjwp", "qpwzkd", "aKdjEIcnsWQ", "f3k9x2m7q1", "9f86d081884c7d65"] {
            assert!(randomness(random.as_bytes()) > 0.0, "{random} {}", randomness(random.as_bytes()));
        }
        for word in ["customer", "getUserName", "kosmos-core-postgres", "AUTHENTICATION", "DefaultPolicy2"] {
            assert!(randomness(word.as_bytes()) < 0.0, "{word} {}", randomness(word.as_bytes()));
        }
    }

    #[test]
    fn words_cover_what_is_made_of_them() {
        assert_eq!(words(b"mysecretpassword").stand_in, 16);
        let mixed = words(b"customer-orders");
        assert_eq!((mixed.letters, mixed.covered), (14, 14));
        assert!(words(b"xkqvzjwpqnrt").covered < 4);
    }
}
