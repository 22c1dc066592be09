//! Whether a value that stands where a secret would is one: a score over evidence.
//!
//! A value in its place comes in; pieces of evidence ([`Clue`]) with their weights come out, and their sum. The weights are the one table in
//! `weights.rs`. What is looked at lies in the match itself, or on its own lines no farther than [`REACH`] bytes before or behind it.
//! Paths and other matches are not known here.

mod decoded;
mod filler;
mod letters;
mod name;
mod shape;
mod syntax;
mod value;
mod vocabulary;
mod weights;

use std::ops::Range;

use super::context;

pub(super) use filler::is_filler;
pub(super) use syntax::is_reference;
pub(super) use vocabulary::holds_stand_in;
pub use weights::Clue;
pub(super) use weights::LOW;
use weights::THRESHOLD;

/// How far from a match the judging of its value looks, in bytes: part of what a match may depend on.
pub(super) const REACH: usize =
    if NAME_BACK + LOOK_BACK > context::LOOK_BACK { NAME_BACK + LOOK_BACK } else { context::LOOK_BACK };
/// How far before a name is looked.
const LOOK_BACK: usize = 100;
/// How far behind the secret.
const LOOK_AHEAD: usize = 96;
/// No value adds more to a score, in tenths of a bit; a test holds it so.
const MOST_OF_VALUE: i32 = 130;
/// Bytes of a name before the match that has its end.
const NAME_BACK: usize = 64;

/// Pieces of evidence, and how random the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    seen: u128,
    random: i16,
}

impl Score {
    /// What the sum has to reach, in tenths of a bit.
    pub const ENOUGH: i32 = THRESHOLD;

    fn say(&mut self, clue: Clue) {
        self.seen |= 1 << clue as u32;
    }

    fn unsay(&mut self, clue: Clue) {
        self.seen &= !(1 << clue as u32);
    }

    /// Each piece of evidence once.
    pub fn clues(self) -> impl Iterator<Item = Clue> {
        Clue::ALL.iter().copied().filter(move |clue| self.has(*clue))
    }

    /// Whether this was seen.
    pub fn has(self, clue: Clue) -> bool {
        self.seen & 1 << clue as u32 != 0
    }

    /// What the value's randomness counts for, in tenths of a bit.
    pub fn random(self) -> i32 {
        i32::from(self.random)
    }

    /// Whether it reaches what a secret has to.
    pub fn is_enough(self) -> bool {
        self.total() >= THRESHOLD
    }

    /// The sum, in tenths of a bit.
    pub fn total(self) -> i32 {
        self.random() + self.clues().map(Clue::weight).sum::<i32>()
    }
}

/// Where a value's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The match starts in it.
    InMatch,
    /// The rule's own syntax says that a secret stands there.
    BySyntax,
}

/// Weighs the value at `secret` of the match at `span`. What its name and place already rule out is not looked at closer.
pub(super) fn weigh(bytes: &[u8], span: &Range<usize>, secret: &Range<usize>, naming: Naming) -> Score {
    let mut weighing = Weighing::new(bytes, span, secret, naming);
    if weighing.score.total() + MOST_OF_VALUE >= LOW {
        weighing.look_at_value();
    }
    weighing.score
}

/// The same, with all that is to say of what is ruled out, too.
pub(super) fn weigh_all(bytes: &[u8], span: &Range<usize>, secret: &Range<usize>, naming: Naming) -> Score {
    let mut weighing = Weighing::new(bytes, span, secret, naming);
    weighing.look_at_value();
    weighing.score
}

/// A value with what is known of it so far.
struct Weighing<'a> {
    bytes: &'a [u8],
    secret: &'a Range<usize>,
    name: Range<usize>,
    is_password: bool,
    score: Score,
}

impl<'a> Weighing<'a> {
    /// With what its name and place say.
    fn new(bytes: &'a [u8], span: &Range<usize>, secret: &'a Range<usize>, naming: Naming) -> Self {
        let mut score = Score::default();
        let name = match naming {
            Naming::InMatch => name_at(bytes, span.start, secret.start),
            Naming::BySyntax => span.start..span.start,
        };
        match naming {
            Naming::InMatch => {
                let between = &bytes[name.end..secret.start];
                let operator = operator(between);
                name::of_name(&bytes[name.clone()], |clue| score.say(clue));
                if is_said_public(&bytes[name.start.saturating_sub(16)..name.start]) {
                    score.say(Clue::TurnedName);
                }
                syntax::of_join(between, operator, |clue| score.say(clue));
                syntax::of_place(bytes, secret, operator, |clue| score.say(clue));
            }
            Naming::BySyntax => {
                score.say(Clue::Position);
                let name = context::assigned_name(bytes, secret.start).unwrap_or_default();
                // The syntax speaks louder, but for what a name rules out.
                name::of_name(name.as_bytes(), |clue| {
                    if clue == Clue::TurnedName {
                        score.say(clue);
                    }
                });
                syntax::of_place(bytes, secret, &[], |clue| score.say(clue));
            }
        }
        let is_password = score.has(Clue::PasswordName) || naming == Naming::BySyntax;
        Self { bytes, secret, name, is_password, score }
    }

    fn look_at_value(&mut self) {
        let Self { bytes, secret, ref name, is_password, .. } = *self;
        let score = &mut self.score;
        let value = &bytes[secret.clone()];
        value::of_value(value, is_password, &mut |clue| score.say(clue));
        if echoes(&bytes[name.clone()], value) {
            score.say(Clue::Echo);
        }
        nearby(bytes, name.start.min(secret.start), secret, score);
        // `#define NAME "…"` has no other sign.
        let before = &bytes[name.start.saturating_sub(LOOK_BACK)..name.start];
        if before.trim_ascii_end().ends_with(b"#define") {
            score.unsay(Clue::Apart);
            score.unsay(Clue::CommentNear);
        }
        score.random = i16::try_from(value::random_weight(value, is_password)).expect("it is clamped");
    }
}

/// Whether a value, whatever it is for, is a stand-in by its own bytes.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let is_made = || value::is_stand_in(value, &value::Classes::of(value), letters::words(value));
    is_filler(value) || holds_stand_in(value) || shape::is_bracketed(value) || is_made()
}

/// Whether a value is plainly something else than a secret: words, a path, a URL, a hash with its algorithm.
pub(super) fn is_something_else(value: &[u8]) -> bool {
    const PLAIN: i32 = -60;
    let mut is_else = false;
    // Providers' keys may be UUIDs, and long.
    let is_fine = |clue| matches!(clue, Clue::Uuid | Clue::Endless);
    value::of_value(value, false, &mut |clue| is_else |= !is_fine(clue) && clue.weight() <= PLAIN);
    is_else
}

/// The name that `start` is in.
fn name_at(bytes: &[u8], start: usize, end: usize) -> Range<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    // `"pw": …` matches from its quote on.
    let start = (start + usize::from(!is_name(&bytes[start]))).min(end);
    let before = &bytes[start.saturating_sub(NAME_BACK)..start];
    let head = before.iter().rev().take_while(|byte| is_name(byte)).count();
    let tail = bytes[start..end].iter().take_while(|byte| is_name(byte)).count();
    start - head..start + tail
}

/// `Public key: …`
fn is_said_public(before: &[u8]) -> bool {
    let word = before.trim_ascii_end();
    word.len() < before.len()
        && [&b"ublic"[..], b"UBLIC", b"rimary", b"oreign"].iter().any(|end| word.ends_with(end))
}

/// What stands between a name and its value, without quotes and brackets on either side.
fn operator(between: &[u8]) -> &[u8] {
    let is_edge = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']' | b')');
    let start = between.iter().take_while(|byte| is_edge(byte)).count();
    let rest = &between[start..];
    let end = rest.iter().rev().take_while(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\')).count();
    &rest[..rest.len() - end]
}

/// Whether the value's letters are those of its name, or of its name's end.
fn echoes(name: &[u8], value: &[u8]) -> bool {
    let letters = |bytes: &[u8]| -> ([u8; 64], usize) {
        let mut all = [0; 64];
        let mut count = 0;
        for byte in bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).take(64) {
            all[count] = byte.to_ascii_lowercase();
            count += 1;
        }
        (all, count)
    };
    let ((name, name_length), (value_letters, length)) = (letters(name), letters(value));
    let (name, value_letters) = (&name[..name_length], &value_letters[..length]);
    let shorter = length.min(name_length);
    shorter >= 4
        && length * 3 >= value.len() * 2
        && (name.ends_with(value_letters) || value_letters.ends_with(name))
}

/// What is spoken of on the secret's line.
fn nearby(bytes: &[u8], start: usize, secret: &Range<usize>, score: &mut Score) {
    const HASHES: &[&str] = &[
        "sha256",
        "sha512",
        "sha-256",
        "sha1",
        "md5",
        "checksum",
        "integrity",
        "commit",
        "fingerprint",
        "digest",
        "etag",
        "uuid",
        "guid",
        "thumbprint",
    ];
    const EXAMPLES: &[&str] = &["example", "placeholder", "e.g.", "sample", "replace", "dummy", "your "];
    let from = start.saturating_sub(LOOK_BACK);
    let from = memchr::memrchr(b'\n', &bytes[from..start]).map_or(from, |newline| from + newline + 1);
    let until = bytes.len().min(secret.end + LOOK_AHEAD);
    let until =
        memchr::memchr(b'\n', &bytes[secret.end..until]).map_or(until, |newline| secret.end + newline);
    let (before, after) = (&bytes[from..secret.start], &bytes[secret.end..until]);
    let speaks = |list: &[&str]| list.iter().any(|word| holds(before, word) || holds(after, word));
    let is_hex = bytes[secret.clone()].iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    if is_hex && speaks(HASHES) {
        score.say(Clue::HashNear);
    }
    if speaks(EXAMPLES) {
        score.say(Clue::ExampleNear);
    }
    let line = before.trim_ascii_start();
    if [&b"#"[..], b"//", b"*", b"<!--", b"--", b";"].iter().any(|sign| line.starts_with(sign)) {
        score.say(Clue::CommentNear);
    }
}

/// Whether a text has a word, without case.
fn holds(text: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
