//! Words at their beginnings: which of many stand in some text, in whichever way names are written.

use std::ops::Range;

use crate::detect::context::starts_with;

/// A word's number.
pub(super) type WordId = u16;

/// A word in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) word: WordId,
}

impl Hit {
    pub(super) fn is_in(&self, range: &Range<usize>) -> bool {
        range.start <= self.start && self.end <= range.end
    }
}

/// A set of words, looked up by their first three bytes.
#[derive(Default)]
pub(super) struct Words {
    words: Vec<Word>,
    /// Of each hash, where its entries begin.
    heads: Vec<u32>,
    entries: Vec<WordId>,
    /// The first three bytes that words have, by a wider hash: most words of a text have others.
    known: Vec<u64>,
}

struct Word {
    /// Lower-case; a blank is an optional joint.
    letters: Box<[u8]>,
    /// Any letter may follow.
    goes_on: bool,
}

const HASH_BITS: u32 = 12;
const WIDE_BITS: u32 = 16;
/// From so many letters on a word is itself within a longer one.
const LONG: usize = 6;
/// The longest word that is honoured, with a joint between all of its letters, in bytes.
pub(super) const LONGEST: usize = 96;

impl Words {
    /// Of distinct words, each with whether it may only stand for itself.
    pub(super) fn new<'w>(words: impl Iterator<Item = (&'w str, bool)>) -> Self {
        let words: Vec<Word> = words
            .map(|(text, alone)| {
                let letters = text.bytes().filter(|byte| *byte != b' ').count();
                Word { letters: text.as_bytes().into(), goes_on: !alone && letters >= LONG }
            })
            .collect();
        let mut entries: Vec<(usize, WordId)> = Vec::new();
        let mut known = vec![0; 1 << (WIDE_BITS - 6)];
        for (id, word) in words.iter().enumerate() {
            let id = WordId::try_from(id).unwrap_or(WordId::MAX);
            let mut heads = Vec::new();
            first_three(&word.letters, &mut Vec::new(), &mut heads);
            for head in heads {
                let wide = hash(head);
                known[wide >> 6] |= 1 << (wide & 63);
                entries.push((wide >> (WIDE_BITS - HASH_BITS), id));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        let mut heads = vec![0; (1 << HASH_BITS) + 1];
        entries.iter().for_each(|(hash, _)| heads[hash + 1] += 1);
        (1..heads.len()).for_each(|at| heads[at] += heads[at - 1]);
        Self { words, heads, entries: entries.into_iter().map(|(_, id)| id).collect(), known }
    }

    /// Appends every word that begins in `starts`, by place.
    pub(super) fn find(&self, bytes: &[u8], starts: Range<usize>, hits: &mut Vec<Hit>) {
        let mut before = starts
            .start
            .checked_sub(1)
            .and_then(|at| bytes.get(at))
            .map_or(OTHER, |byte| CLASS[*byte as usize]);
        for at in starts {
            let Some(first) = bytes[at..].first_chunk::<3>() else { return };
            let now = CLASS[usize::from(first[0])];
            let goes_on = now == LOWER && before >= LOWER && !is_escaped(&bytes[at.saturating_sub(3)..at]);
            before = now;
            if now == OTHER || goes_on {
                continue;
            }
            let wide = hash(first.map(|byte| byte | FOLD));
            if self.known[wide >> 6] >> (wide & 63) & 1 == 0 || !begins(bytes, at) {
                continue;
            }
            let head = wide >> (WIDE_BITS - HASH_BITS);
            let (from, to) = (self.heads[head] as usize, self.heads[head + 1] as usize);
            for &word in &self.entries[from..to] {
                if let Some(end) = self.words[usize::from(word)].end(bytes, at) {
                    hits.push(Hit { start: at, end, word });
                }
            }
        }
    }
}

impl Word {
    /// Where it ends, if it stands here.
    fn end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        for letter in &self.letters {
            let next = bytes.get(end).copied();
            if *letter == b' ' {
                end += usize::from(next.is_some_and(is_joint));
            } else if next?.to_ascii_lowercase() == *letter {
                end += 1;
            } else {
                return None;
            }
        }
        (end - at <= LONGEST && (self.goes_on || ends(bytes, end))).then_some(end)
    }
}

const FOLD: u8 = 0x20;

const OTHER: u8 = 0;
const DIGIT: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 3;
const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
}

fn hash(first: [u8; 3]) -> usize {
    let value = u32::from_le_bytes([first[0], first[1], first[2], 0]);
    (value.wrapping_mul(0x9E37_79B1) >> (32 - WIDE_BITS)) as usize
}

pub(super) fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b' ')
}

/// Every way in which the first three bytes of a word may be written, folded.
fn first_three(letters: &[u8], written: &mut Vec<u8>, all: &mut Vec<[u8; 3]>) {
    if let Some(first) = written.first_chunk::<3>() {
        all.push(*first);
        return;
    }
    let Some((&letter, rest)) = letters.split_first() else { return };
    let mut with = |byte: u8, all: &mut Vec<[u8; 3]>| {
        written.push(byte | FOLD);
        first_three(rest, written, all);
        written.pop();
    };
    if letter == b' ' {
        b"-_. ".iter().for_each(|joint| with(*joint, all));
        first_three(rest, written, all);
    } else {
        with(letter, all);
    }
}

/// Whether a word may begin here: behind what is no letter, behind a change of case, behind an escape.
#[inline]
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    let Some(&first) = bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric()) else { return false };
    let Some(&before) = at.checked_sub(1).and_then(|before| bytes.get(before)) else { return true };
    if first.is_ascii_digit() {
        return !before.is_ascii_digit();
    }
    if !before.is_ascii_alphabetic() {
        return true;
    }
    let is_change = first.is_ascii_uppercase()
        && (before.is_ascii_lowercase() || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
    if is_change {
        return true;
    }
    is_escaped(&bytes[at.saturating_sub(3)..at])
}

/// Whether some bytes end with `\n`, `\t` or `\r`, or are `%3D` and the like.
fn is_escaped(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b't' | b'r'] => true,
        [b'%', one, two] => one.is_ascii_hexdigit() && two.is_ascii_hexdigit(),
        _ => false,
    }
}

/// What may be written onto a word without a joint.
const ONTO: &[&[u8]] =
    &[b"key", b"api", b"token", b"secret", b"auth", b"access", b"pass", b"client", b"cred"];

/// Whether a word may end here: before what is no letter, before a change of case, before a word such as `key`.
pub(super) fn ends(bytes: &[u8], end: usize) -> bool {
    let Some(&next) = bytes.get(end).filter(|byte| byte.is_ascii_alphabetic()) else { return true };
    let last = bytes[end - 1];
    if next.is_ascii_uppercase() {
        let goes_lower = bytes.get(end + 1).is_some_and(u8::is_ascii_lowercase);
        if !last.is_ascii_uppercase() || goes_lower {
            return true;
        }
    }
    ONTO.iter().any(|word| starts_with(bytes.get(end..).unwrap_or_default(), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[(&str, bool)], text: &str) -> Vec<String> {
        let mut hits = Vec::new();
        Words::new(words.iter().copied()).find(text.as_bytes(), 0..text.len(), &mut hits);
        hits.iter().map(|hit| text[hit.start..hit.end].to_owned()).collect()
    }

    #[test]
    fn joints_and_case_are_free() {
        for text in
            ["betterstack", "BETTER_STACK", "better-stack", "BetterStack", "x.better.stack", "myBetter Stack"]
        {
            assert_eq!(found(&[("better stack", false)], text).len(), 1, "{text}");
        }
        assert_eq!(found(&[("x ai", false)], "XAI_KEY x-ai x.ai X AI"), ["XAI", "x-ai", "x.ai", "X AI"]);
    }

    #[test]
    fn words_begin_and_end_as_names_do() {
        let airbrake = |text: &str| found(&[("airbrake", false)], text).len();
        assert_eq!(
            ["AIRBRAKEKEY", "myAirbrakeKey", "APIAirbrake", "a\\nairbrake", "airbrakes"].map(airbrake),
            [1; 5]
        );
        assert_eq!(["MYAIRBRAKE", "hairbrake"].map(airbrake), [0; 2]);
        let lob = |text: &str| found(&[("lob", false)], text).len();
        assert_eq!(["lob", "LOB_KEY", "lobKey", "lobkey", "LOBKEY", "LOBKey", "lob2"].map(lob), [1; 7]);
        assert_eq!(["lobster", "LOBSTER", "global", "Lobster"].map(lob), [0; 4]);
    }

    #[test]
    fn common_words_are_whole() {
        assert_eq!(found(&[("column", true)], "columns column columnKey"), ["column", "column"]);
    }
}
