//! betterleaks' `filter` and `prefilter`: expressions that say which matches don't count.
//!
//! The language is Expr's, as far as it speaks of a match and its place: `finding["secret"]`, `finding["match"]`, `finding["line"]`,
//! `attributes["path"]`, `attributes["git.sha"]` and `get(…)` of these; `filter.entropy`, `filter.containsAny`, `filter.matchesAny`,
//! `filter.failsTokenEfficiency`, `len`; comparisons, `in`, `contains`, `startsWith`, `endsWith`, `matches`; `&&`, `||`, `!`, `? :` and
//! `let`. Whatever else stands there is an error, never ignored.

mod lexer;
mod parse;

use serde::{Deserialize, Serialize};

/// An expression; a match for which it holds does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// Always, or never.
    Const(bool),
    /// The other way round.
    Not(Box<Filter>),
    /// All of them hold.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// A question about match or place.
    Test(FilterTest),
}

/// A question about a match or its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilterTest {
    /// What is looked at.
    pub subject: FilterSubject,
    /// What is asked.
    pub check: FilterCheck,
}

/// What an expression can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterSubject {
    /// The secret.
    Secret,
    /// The whole match.
    Match,
    /// The lines of the match.
    Line,
    /// The id of the rule.
    Rule,
    /// The path.
    Path,
    /// The commit; empty where there is none.
    Commit,
}

/// What an expression can ask of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FilterCheck {
    /// It holds one of these words, without case.
    ContainsAny(Vec<String>),
    /// One of these regexes matches.
    MatchesAny(Vec<String>),
    /// It is one of these.
    OneOf(Vec<String>),
    /// It holds this, with case.
    Contains(String),
    /// It starts so.
    StartsWith(String),
    /// It ends so.
    EndsWith(String),
    /// Its Shannon entropy, bits per character.
    Entropy(Order, f64),
    /// Its length in characters.
    Length(Order, f64),
    /// It reads like words and not like random characters.
    ReadsLikeWords,
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Order {
    /// Whether `one` stands so to `two`.
    pub fn holds(self, one: f64, two: f64) -> bool {
        match self {
            Self::Less => one < two,
            Self::LessOrEqual => one <= two,
            Self::Equal => (one - two).abs() < f64::EPSILON,
            Self::GreaterOrEqual => one >= two,
            Self::Greater => one > two,
        }
    }

    /// The same with both sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Equal => Self::Equal,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Greater => Self::Less,
        }
    }
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is not understood, with its place.
    pub fn parse(source: &str) -> Result<Self, String> {
        parse::parse(source)
    }
}
