//! What may stand right behind a literal: most hits are told from matches by a few bytes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ByteSet, Program, Step};

/// For each of the bytes right behind a literal, which kinds of bytes a match may go on with there; where it may end, all.
///
/// It says less than the pattern: what it refuses can't be a match, what it lets pass may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead(u128);

/// Kinds of bytes; one more stands for the end.
const KINDS: [&[u8]; 14] = [
    b"abcdef",
    b"ghijklmnopqrstuvwxyz",
    b"ABCDEF",
    b"GHIJKLMNOPQRSTUVWXYZ",
    b"0123456789",
    b"_-",
    b".",
    b" \t",
    // Alone: what matches no newline does not look beyond it.
    b"\n",
    b"\"'`",
    b"=:>",
    b"([{<",
    b")]},;",
    b"/+@%&?#",
];
/// All bytes that are not listed.
const OTHER: u8 = KINDS.len() as u8;
const BITS: usize = 16;
/// More bytes than of any literal, and behind it.
const MOST_ROUNDS: u32 = 64;

/// A step, and of a run or word how many bytes of it are there.
type Spot = (u32, u32);

/// The kind of each byte.
const KIND_OF: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut kind = 0;
    while kind < KINDS.len() {
        let mut at = 0;
        while at < KINDS[kind].len() {
            kinds[KINDS[kind][at] as usize] = kind as u8;
            at += 1;
        }
        kind += 1;
    }
    kinds
};

impl Ahead {
    /// How many bytes it looks at.
    pub const LEN: usize = 128 / BITS;
    /// Nothing is known.
    pub const ANY: Self = Self(u128::MAX);
    /// Lets nothing pass.
    pub const NONE: Self = Self(0);

    /// Behind a literal, in any case, with which a match of the program starts.
    pub(super) fn of(program: &Program, literal: &[u8]) -> Self {
        let mut ahead = Self::ANY;
        let mut spots = BTreeSet::from([(0, 0)]);
        for byte in literal {
            let Some(taken) = takes(program, &spots) else { return ahead };
            let is_it =
                |set: &ByteSet| set.has(byte.to_ascii_lowercase()) || set.has(byte.to_ascii_uppercase());
            spots = taken.into_iter().filter(|(set, _)| is_it(set)).map(|(_, next)| next).collect();
        }
        for at in 0..Self::LEN {
            let Some(taken) = takes(program, &spots) else { return ahead };
            let kinds = taken.iter().fold(0, |kinds, (set, _)| kinds | kinds_of(set));
            ahead.0 ^= u128::from(!kinds) << (at * BITS);
            spots = taken.into_iter().map(|(_, next)| next).collect();
        }
        ahead
    }

    /// What either lets pass.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a match may go on with what stands at this place.
    #[inline]
    pub fn admits(self, bytes: &[u8], at: usize) -> bool {
        let mut rest = self.0;
        for place in at..at + Self::LEN {
            let kinds = rest as u16;
            if kinds == u16::MAX {
                return true;
            }
            let is_there = bytes.get(place).is_some_and(|byte| kinds >> KIND_OF[usize::from(*byte)] & 1 == 1);
            if !is_there {
                return false;
            }
            rest >>= BITS;
        }
        true
    }
}

fn kinds_of(set: &ByteSet) -> u16 {
    let members = (0..=u8::MAX).filter(|byte| set.has(*byte));
    members.fold(0, |kinds, byte| kinds | 1 << KIND_OF[usize::from(byte)])
}

/// Which bytes are taken next, and where that leads; `None` where a match may end, or that is not known.
fn takes(program: &Program, spots: &BTreeSet<Spot>) -> Option<Vec<(ByteSet, Spot)>> {
    let taken = |(index, rounds): Spot| match program.steps[index as usize] {
        Step::Word { start, len } => {
            let letter = program.letters[(start + rounds) as usize];
            let is_last = rounds + 1 == len;
            Some((letter.set(), if is_last { (index + 1, 0) } else { (index, rounds + 1) }))
        }
        Step::Set(set) => Some((program.sets[usize::from(set)], (index + 1, 0))),
        Step::Run { set, .. } => {
            // Runs are counted as far as any is looked into.
            Some((program.sets[usize::from(set)], (index, (rounds + 1).min(MOST_ROUNDS))))
        }
        // How long a character is is not known here.
        _ => None,
    };
    closure(program, spots)?.into_iter().map(taken).collect()
}

/// From steps with their rounds to those that take a byte next; `None` where a match may end.
fn closure(program: &Program, spots: &BTreeSet<Spot>) -> Option<BTreeSet<Spot>> {
    let mut open: Vec<Spot> = spots.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut consuming = BTreeSet::new();
    while let Some(spot @ (index, rounds)) = open.pop() {
        if !seen.insert(spot) {
            continue;
        }
        match program.steps[index as usize] {
            Step::Word { .. } | Step::Set(_) | Step::Char(_) => {
                consuming.insert(spot);
            }
            Step::Run { min, max, .. } => {
                if rounds < max {
                    consuming.insert(spot);
                }
                if rounds >= min {
                    open.push((index + 1, 0));
                }
            }
            Step::Look(_) | Step::Save(_) => open.push((index + 1, 0)),
            Step::Start(_) => match program.steps[index as usize + 1] {
                Step::Loop { min: 1.., .. } => open.push((index + 2, 0)),
                _ => open.push((index + 1, 0)),
            },
            Step::Jump(target) => open.push((target, 0)),
            Step::Split { first, second, .. } => open.extend([(first, 0), (second, 0)]),
            // Rounds of a loop are not counted here: it may end behind each.
            Step::Loop { exit, .. } => open.extend([(index + 1, 0), (exit, 0)]),
            Step::Switch(table) => {
                open.extend(program.tables[usize::from(table)].branches.iter().map(|branch| (*branch, 0)));
            }
            Step::Match => return None,
        }
    }
    Some(consuming)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(tail: &str) -> Ahead {
        Ahead::of(&Program::of(&format!("[Kk]ey{tail}")).unwrap(), b"key")
    }

    #[test]
    fn what_no_match_goes_on_with_is_refused() {
        let admits = |tail: &str, text: &str| of(tail).admits(text.as_bytes(), 0);
        assert!(admits("[0-9a-f]{9}", "0123abcdz"));
        assert!(!admits("[0-9a-f]{9}", "0123abxd"));
        assert!(!admits("[0-9a-f]{9}", "0123ab"), "the text ends");
        assert!(admits(r"\d{3}", "123"), "so does the match");
        assert!(admits(r#"["']?[ \t]{0,3}="#, "  ="));
        assert!(!admits(r#"["']?[ \t]{0,3}="#, "_x="));
        assert!(admits("(?:ab|cd){4,9}!", "cdabcd"), "rounds are not counted");
        assert!(!admits("(?:ab|cd){4,9}!", "cd.bcd"));
        assert!(admits(r"\p{Greek}x", "λx") && admits("", ""));
    }

    const TAILS: &[&str] = &[
        r"[a-z.-]{0,5}[ =]{1,3}[a-z]{4}",
        r"(?:[^x\\]|\\x){3,6}x",
        r"(?:[Aa][Bb]|c{2,3}|[d-f]?)_{2}(?:k|[0-9]{3})",
        r"[ \t\n]*(?:=|:|->)[ ]*(?:'[^'\n]{2,}'|[0-9]+;)",
        r"[0-9a-f]{4,12}?(?:ab|cd|ef){0,2}!",
    ];

    fn matching() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
        prop::sample::select(TAILS).prop_flat_map(|tail| {
            let pattern = format!("(?s-u){tail}");
            (Just(tail), proptest::string::bytes_regex(&pattern).unwrap())
        })
    }

    proptest! {
        #[test]
        fn what_matches_is_let_pass((tail, mut text) in matching(), behind in "[ -~\n]{0,9}") {
            text.extend(behind.bytes());
            prop_assert!(of(tail).admits(&text, 0), "{tail} {text:?}");
        }
    }
}
