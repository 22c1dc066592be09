//! Programs: patterns in the form in which they are tried at places.
//!
//! A syntax tree comes in; steps go out, small enough to be made at build time and kept with the rules. How they are run is not known here.
//!
//! Counted repetitions, of which patterns of secrets are full, are loops here, where an automaton has a state for each round. Each branch knows
//! which bytes may follow, so that most are never tried.

mod ahead;
mod compile;

use std::collections::BTreeSet;

pub use ahead::Ahead;
use regex_syntax::hir::Hir;
use serde::{Deserialize, Serialize};

use super::{Pattern, Rule, Search, dialect, literal, parser};

/// A pattern, as steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// From the first on, to [`Step::Match`].
    pub steps: Vec<Step>,
    /// What steps name by number; the one of [`ANY`] stands for the end, too.
    pub sets: Vec<ByteSet>,
    /// What [`Step::Char`] names by number.
    pub chars: Vec<CharSet>,
    /// What [`Step::Word`]s are made of.
    pub letters: Vec<Letter>,
    /// What [`Step::Switch`] names by number.
    pub tables: Vec<Table>,
    /// Of a match and each group, begin and end.
    pub slots: usize,
    /// How many [`Step::Loop`]s there are.
    pub counters: usize,
    /// What a match can begin with.
    pub first: SetId,
}

/// Index of a set in its program.
pub type SetId = u16;

/// Any byte, and the end.
pub const ANY: SetId = 0;

/// What a program does at one place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// Letters one after the other.
    Word {
        /// Of all letters, the first one.
        start: u32,
        /// How many.
        len: u32,
    },
    /// A byte of a set.
    Set(SetId),
    /// One character of a set, in UTF-8.
    Char(u16),
    /// Bytes of a set: as many as there are, or as few as it takes. Bytes of `next` may follow.
    Run {
        /// Which.
        set: SetId,
        /// At least so many.
        min: u32,
        /// At most so many.
        max: u32,
        /// As many as there are.
        is_greedy: bool,
        /// What may follow.
        next: SetId,
    },
    /// An assertion, by the number that regex-syntax gives it.
    Look(u32),
    /// Keeps the place in a slot.
    Save(u16),
    /// Goes on elsewhere.
    Jump(u32),
    /// The first of two branches that leads to a match. With each stands what may follow.
    Split {
        /// Where the first one is.
        first: u32,
        /// Where the second one is.
        second: u32,
        /// What the first may go on with.
        first_set: SetId,
        /// What the second may go on with.
        second_set: SetId,
    },
    /// The first of many branches that leads to a match, by a table.
    Switch(u16),
    /// Before a loop: no round is done.
    Start(u16),
    /// Rounds of the steps behind it, up to `exit`: as many as there are, or as few as it takes.
    Loop {
        /// Which counter.
        counter: u16,
        /// At least so many.
        min: u16,
        /// At most so many; without a bound it is the greatest.
        max: u16,
        /// As many as there are.
        is_greedy: bool,
        /// What a round may go on with.
        round_set: SetId,
        /// Where it goes on behind the last.
        exit: u32,
        /// What may follow there.
        exit_set: SetId,
    },
    /// It is a match.
    Match,
}

/// A byte; a letter of ASCII may be meant in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// In lower case, where case does not matter.
    byte: u8,
    /// What a byte is joined with before it is compared: the bit of case, or nothing.
    case: u8,
}

impl Letter {
    const CASE: u8 = 0x20;

    /// Of one byte, or of a letter in both cases.
    fn of(set: &ByteSet) -> Option<Self> {
        let mut members = (0..=u8::MAX).filter(|byte| set.has(*byte));
        match (members.next(), members.next(), members.next()) {
            (Some(byte), None, None) => Some(Self { byte, case: 0 }),
            (Some(upper), Some(lower), None) if upper.is_ascii_uppercase() && lower == upper | Self::CASE => {
                Some(Self { byte: lower, case: Self::CASE })
            }
            _ => None,
        }
    }

    /// Whether the byte is it.
    #[inline]
    pub fn is(self, byte: u8) -> bool {
        byte | self.case == self.byte
    }

    /// The bytes that are it.
    fn set(self) -> ByteSet {
        ByteSet::of(self.byte).join(ByteSet::of(self.byte & !self.case))
    }
}

/// Bytes; a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    const ALL: Self = Self([u64::MAX; 4]);

    fn of(byte: u8) -> Self {
        Self::default().with(byte, byte)
    }

    /// And all from the first to the last.
    fn with(mut self, first: u8, last: u8) -> Self {
        for (at, word) in self.0.iter_mut().enumerate() {
            let start = usize::from(first).max(64 * at);
            let end = usize::from(last).min(64 * at + 63);
            if start <= end {
                *word |= u64::MAX >> (63 - (end - start)) << (start - 64 * at);
            }
        }
        self
    }

    fn join(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    /// Whether the byte is one of them.
    #[inline]
    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// Characters, as ranges in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharSet(Vec<(char, char)>);

impl CharSet {
    /// Whether the character is one of them.
    pub fn has(&self, wanted: char) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < wanted);
        self.0.get(at).is_some_and(|(first, _)| *first <= wanted)
    }
}

/// Which branches may go on with a byte, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// For each byte, and behind these for the end, the number of a list.
    list_of: Vec<u8>,
    /// Where each list begins among the branches, and where the last ends.
    bounds: Vec<u16>,
    /// Where the branches are, list by list.
    branches: Vec<u32>,
}

impl Table {
    /// The number of the list for a byte, or for the end.
    #[inline]
    pub fn list_of(&self, byte: Option<u8>) -> u8 {
        self.list_of[byte.map_or(256, usize::from)]
    }

    /// Where the branches of a list are.
    #[inline]
    pub fn list(&self, number: u8) -> &[u32] {
        let number = usize::from(number);
        &self.branches[usize::from(self.bounds[number])..usize::from(self.bounds[number + 1])]
    }
}

impl Program {
    /// The program of a regex in our dialect, with Unicode on only where it needs that; `None` where there is none.
    pub fn of(regex: &str) -> Option<Self> {
        dialect::read(regex).and_then(|hir| Self::new(&hir))
    }
}

/// What may stand behind literals from which on an expression has to match; all where there is no program of it.
pub(super) fn ahead(hir: &Hir, literals: &BTreeSet<Vec<u8>>) -> Ahead {
    let Some(program) = Program::new(hir) else { return Ahead::ANY };
    literals.iter().map(|literal| Ahead::of(&program, literal)).fold(Ahead::NONE, Ahead::or)
}

/// The programs of a rule, where there are such.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Programs {
    /// Of the whole pattern.
    pub whole: Option<Program>,
    /// Of what has to match from the start of a literal on.
    pub gate: Option<Program>,
    /// Of the path.
    pub path: Option<Program>,
}

impl Programs {
    /// Compiles them.
    pub fn of(rule: &Rule) -> Self {
        let path = rule.path.as_deref().and_then(Program::of);
        let hir = |pattern: &Pattern| parser(pattern.unicode).parse(&pattern.regex).ok();
        let Some((pattern, hir)) = rule.pattern().and_then(|pattern| Some((pattern, hir(pattern)?))) else {
            return Self { path, ..Self::default() };
        };
        let gate = match pattern.search {
            Search::Literals { .. } => literal::necessary(&hir).and_then(|necessary| necessary.gate()),
            Search::Whole { .. } => None,
        };
        Self { whole: Program::new(&hir), gate: gate.and_then(|gate| Program::new(&gate)), path }
    }
}
