//! A rule, once it is known to be valid.

use serde::{Deserialize, Serialize};

use super::{Ahead, Checksum, Filter, HttpCheck, Nearby};
use crate::model::{Category, Confidence, Severity};

/// What one kind of secret looks like, and what it is worth.
///
/// A `Rule` that exists is valid: its regexes parse, its keywords are lower-case, its id is well formed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `[a-z0-9-]`, unique in a set of rules.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it looks at.
    pub detection: Detection,
    /// Only files whose path matches this regex.
    pub path: Option<String>,
    /// Which group is the secret; `None` is the first that took part, else the whole match.
    pub secret_group: Option<usize>,
    /// Least Shannon entropy of the secret, bits per character.
    pub entropy: Option<f32>,
    /// Lower-case words of which one must stand somewhere in the file, where the necessary literals don't imply it.
    pub gates: Vec<String>,
    /// The words as the rule has them, lower-case; `gates` follow from them.
    pub keywords: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// How bad it is when real.
    pub severity: Severity,
    /// What a match alone is worth; by default it follows from [`Rule::specificity`].
    pub confidence: Option<Confidence>,
    /// Which kind of secret.
    pub category: Option<Category>,
    /// Whose secret.
    pub provider: Option<String>,
    /// The checksum its values carry.
    pub checksum: Option<Checksum>,
    /// Where to revoke it or read about it.
    pub help: Option<String>,
    /// Matches that don't count.
    pub allowlists: Vec<Allowlist>,
    /// Other rules that must match nearby.
    pub required: Vec<Required>,
    /// Rules whose values belong to this one's (a key id and its secret).
    pub companions: Vec<Companion>,
    /// Matches only count for others that require them or that they belong to, and are not reported by themselves.
    pub skip_report: bool,
    /// How much a match says about what it is; decides which rule names a value.
    pub specificity: Specificity,
    /// Of rules that match one value the one of the greatest rank names it, before all else; betterleaks' `specificity`.
    pub rank: u32,
    /// Who wrote it.
    pub origin: Origin,
    /// Which of the built-in programs are its own: those of other rules are compiled when they are needed.
    pub programs: Option<u32>,
    /// Texts it finds and texts it doesn't; kept apart from the compiled pack.
    #[serde(skip)]
    pub templates: Templates,
    /// How a service is asked about its values; of rules from trusted config only. It says nothing about what is found, and so
    /// is no part of the compiled pack, nor of a rule's name in caches.
    #[serde(skip)]
    pub verify: Option<HttpCheck>,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Detection {
    /// A file's content.
    Content(Pattern),
    /// Values in a file's content, by a provider's word nearby.
    Nearby(Nearby),
    /// A file's path only: the file itself is the secret.
    Path,
    /// Values that the secret manager holds; the rule stands for the set of them that its only tag names.
    Known,
}

/// A regex on bytes, with what follows from its syntax tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// In the regex crate's dialect.
    pub regex: String,
    /// Whether it needs Unicode classes (`\p{…}`); else classes are ASCII, as RE2 has them.
    pub unicode: bool,
    /// How its matches are come by.
    pub search: Search,
}

/// How a pattern's matches are come by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Search {
    /// Around the hits of literals that every match holds one of.
    Literals {
        /// Lower-case, at least three bytes each; compared without ASCII case.
        literals: Vec<Vec<u8>>,
        /// What may stand right behind a hit.
        ahead: Ahead,
        /// How far a match goes beyond a hit.
        reach: Reach,
    },
    /// Over the whole blob, where one of the gates is in it (or always, with no gate).
    Whole {
        /// The longest match, in bytes.
        reach: Reach,
    },
}

impl Search {
    /// How far from a hit's start a gate looks, in bytes: what it asks for is no longer.
    pub const GATE_REACH: usize = 1024;

    /// How far a match goes.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Literals { reach, .. } | Self::Whole { reach } => *reach,
        }
    }
}

/// How far a match can extend before and after a literal hit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Before the hit's first byte.
    pub before: usize,
    /// After the hit's last byte.
    pub after: usize,
    /// No match holds a newline, so that lines bound it too.
    pub within_line: bool,
    /// The pattern has no bound of its own, or one above [`Reach::MAX`]: longer matches are cut off.
    pub capped: bool,
}

impl Reach {
    /// The reach of patterns that have no bound, in bytes. A part of the semantics: every engine has the same.
    pub const CAP: usize = 16 * 1024;
    /// The longest bound that is honoured, in bytes.
    pub const MAX: usize = 128 * 1024;
}

/// How much a match says about what it is. Of rules that match one value, the greatest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Specificity {
    /// A name like `password` before a value.
    Generic,
    /// A provider's word before a value.
    Provider,
    /// A value whose own form says what it is.
    Format,
    /// The same with a checksum.
    Checksum,
}

/// Who wrote a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// It is compiled in and proved by the tests. Values that are placeholders or references are ruled out.
    BuiltIn,
    /// A built-in rule to which a user's file adds. Its pattern is proved, and its values are judged as before.
    Amended,
    /// A user's file: it means what it says, nothing is ruled out but by its own allowlists.
    User,
}

/// Texts in which a rule finds its secret, and texts in which it finds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Templates {
    /// Found in each.
    pub examples: Vec<String>,
    /// Found in none.
    pub negatives: Vec<String>,
}

/// Matches that don't count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Allowlist {
    /// For the reader.
    pub description: String,
    /// How the kinds of condition below are joined.
    pub condition: AllowlistCondition,
    /// What `regexes` look at.
    pub regex_target: RegexTarget,
    /// Regexes on the target.
    pub regexes: Vec<String>,
    /// Words in the secret, lower-case, compared without case.
    pub stopwords: Vec<String>,
    /// Regexes on the path.
    pub paths: Vec<String>,
    /// Commit ids, for history.
    pub commits: Vec<String>,
    /// An expression on match and place.
    pub filter: Option<Filter>,
    /// Rules it holds for (of a global one); empty is all.
    pub target_rules: Vec<String>,
}

/// How an allowlist's conditions are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllowlistCondition {
    /// One of them is enough.
    #[default]
    Any,
    /// Each kind that is given must hold.
    All,
}

/// What an allowlist's regexes look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegexTarget {
    /// The secret.
    #[default]
    Secret,
    /// The whole match.
    Match,
    /// The lines of the match.
    Line,
}

/// Another rule that must match nearby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Required {
    /// Its id.
    pub id: String,
    /// At most so many lines away; `None` is anywhere in the file.
    pub within_lines: Option<u64>,
    /// At most so many columns away.
    pub within_columns: Option<u64>,
}

/// Another rule whose value belongs to this one's, where it stands nearby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companion {
    /// Its id.
    pub id: String,
    /// At most so many lines away.
    pub within_lines: u64,
}

impl Companion {
    /// How far away one is looked for where the rule does not say, in lines.
    pub const WITHIN_LINES: u64 = 10;
}

impl Rule {
    /// Whether what it finds is weighed: its pattern alone says little.
    pub fn is_weighed(&self) -> bool {
        self.origin == Origin::BuiltIn && self.specificity == Specificity::Generic
    }

    /// Whether it knows a value only by the name it is assigned to, in which its matches start: what another rule's own syntax says of
    /// the same value is more.
    pub fn is_by_name(&self) -> bool {
        self.origin == Origin::BuiltIn && self.id.starts_with("generic-")
    }

    /// Whether a rule that says as much of a value and knows it by more than its name comes before this one in naming it.
    pub fn gives_way(&self) -> bool {
        self.is_by_name() || self.tags.iter().any(|tag| tag == "by-name")
    }

    /// The id of the rule that stands for known values.
    pub const KNOWN: &str = "known-value";

    /// The rule that stands for a set of known values.
    pub fn of_known(set: String) -> Self {
        Self {
            id: Self::KNOWN.to_owned(),
            title: "Secret that the secret manager holds".to_owned(),
            detection: Detection::Known,
            path: None,
            secret_group: None,
            entropy: None,
            gates: Vec::new(),
            keywords: Vec::new(),
            tags: vec![set],
            severity: Severity::Critical,
            confidence: Some(Confidence::High),
            category: None,
            provider: None,
            checksum: None,
            help: None,
            allowlists: Vec::new(),
            required: Vec::new(),
            companions: Vec::new(),
            skip_report: false,
            // Whatever else is known of a value names it better.
            specificity: Specificity::Generic,
            rank: 0,
            origin: Origin::BuiltIn,
            programs: None,
            verify: None,
            templates: Templates::default(),
        }
    }

    /// What the prefilter has to search for on this rule's behalf: necessary literals, and gates.
    pub fn literals(&self) -> Vec<Vec<u8>> {
        let gates = self.gates.iter().map(|gate| gate.clone().into_bytes());
        let necessary = match self.pattern().map(|pattern| &pattern.search) {
            Some(Search::Literals { literals, .. }) => literals.as_slice(),
            _ => &[],
        };
        necessary.iter().cloned().chain(gates).collect()
    }

    /// The content pattern, unless it is a path rule.
    pub fn pattern(&self) -> Option<&Pattern> {
        match &self.detection {
            Detection::Content(pattern) => Some(pattern),
            Detection::Nearby(_) | Detection::Path | Detection::Known => None,
        }
    }

    /// What a value is known by, if it is known by a provider's word nearby.
    pub fn nearby(&self) -> Option<&Nearby> {
        match &self.detection {
            Detection::Nearby(nearby) => Some(nearby),
            Detection::Content(_) | Detection::Path | Detection::Known => None,
        }
    }

    /// The regex of its matches, and whether that needs Unicode classes; of rules that look at content.
    pub fn regex(&self) -> Option<(&str, bool)> {
        match &self.detection {
            Detection::Content(pattern) => Some((&pattern.regex, pattern.unicode)),
            Detection::Nearby(nearby) => Some((&nearby.value, false)),
            Detection::Path | Detection::Known => None,
        }
    }
}
