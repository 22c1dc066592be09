//! What a scan found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Category, Confidence, DecodeStep, Evidence, Fingerprint, Position, Severity, Span};

/// One distinct secret, with every place it stands at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Id of the most specific rule that matches it.
    pub rule: String,
    /// That rule's name for people.
    pub title: String,
    /// What kind of secret it is, where the rule says so.
    pub category: Option<Category>,
    /// Whose secret it is, where the rule says so.
    pub provider: Option<String>,
    /// How bad it is when real.
    pub severity: Severity,
    /// How sure it is that it is one.
    pub confidence: Confidence,
    /// What the inventory or the provider said, once asked.
    pub verdict: Option<Verdict>,
    /// The secret's identity; of a weak value with no key, the identity of its first place.
    pub fingerprint: Fingerprint,
    /// What may be shown of it.
    pub secret: SecretView,
    /// Why it is believed.
    pub evidence: Vec<Evidence>,
    /// How far it is out.
    pub exposure: Exposure,
    /// In history, the oldest commit that brought it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Moment>,
    /// In history, the newest commit that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Moment>,
    /// Where to revoke it or read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What stands near it and belongs to it (the id of a key), by its first place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// Every place, by path and offset.
    pub occurrences: Vec<Occurrence>,
}

/// What stands near a secret and belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// Id of the rule that matches it.
    pub rule: String,
    /// That rule's name for people.
    pub title: String,
    /// What may be shown of it.
    pub secret: SecretView,
    /// Whether it would be a finding, if it stood alone.
    pub alone: bool,
    /// The file, as that of the secret's occurrence.
    pub path: String,
    /// Its first character.
    pub start: Position,
    /// Behind its last character.
    pub end: Position,
}

/// A commit (or tag), with when it was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Its id.
    pub commit: String,
    /// When it was committed, RFC 3339 with the committer's own offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// What may be shown of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretView {
    /// A few leading characters and asterisks.
    pub redacted: String,
    /// Length in characters.
    pub length: usize,
    /// The clear text, only where the user asked with `--show-secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value that this stands for where it is encoded, only where the user asked with `--show-secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded: Option<String>,
}

impl fmt::Debug for SecretView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretView")
            .field("redacted", &self.redacted)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// One place of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// `/`-separated, relative to the scanned root. Bytes that are no UTF-8 stand as `\xNN`.
    pub path: String,
    /// First character of the secret.
    pub start: Position,
    /// Behind its last character.
    pub end: Position,
    /// The same in bytes of the file.
    pub span: Span,
    /// The line it starts in, every secret in it masked, cut to a length fit for a terminal.
    pub excerpt: String,
    /// The line in which the whole match starts, where that is another one than the secret's (a keyword on a line before it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_line: Option<u64>,
    /// Identity of this place (path and masked line), for values too weak to have a public identity of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Fingerprint>,
    /// The clear text of the match around the secret, only with `--show-secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Where the secret is encoded there: how it is had from what stands at the span.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decode: Vec<DecodeStep>,
    /// In history, id of the blob that it stands in; none where it stands in a commit's or tag's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// In history, id of the commit (or tag) that brought it to this path; none where no commit has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// That commit's author, `Name <mail>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was authored, RFC 3339 with the author's own offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The first line of its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Refs that still have the secret at this path: what tells most of its exposure first, then by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// How many more have it and are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_refs: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Occurrence {
    /// A place of a file: in no commit.
    pub fn of_file(path: String, start: Position, end: Position, span: Span) -> Self {
        Self {
            path,
            start,
            end,
            span,
            excerpt: String::new(),
            match_line: None,
            place: None,
            matched: None,
            decode: Vec::new(),
            blob: None,
            commit: None,
            author: None,
            date: None,
            subject: None,
            refs: Vec::new(),
            more_refs: 0,
        }
    }
}

impl fmt::Debug for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.start.line, self.start.column)
    }
}

/// How far a secret is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// In a file of the scanned tree, or in standard input.
    Worktree,
    /// In the index, about to be committed.
    Staged,
    /// In the commit that is checked out.
    Head,
    /// At the tip of a branch.
    Branch,
    /// At a tag.
    Tag,
    /// Reachable only through older commits.
    Past,
    /// In the object database, reachable from no ref.
    Unreachable,
}

impl Exposure {
    /// Its word, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worktree => "worktree",
            Self::Staged => "staged",
            Self::Head => "head",
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Past => "past",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What the inventory or the provider says of a secret.
///
/// Its text form is one word; an unknown one carries its reason, `unknown(why)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The provider accepts it.
    Active,
    /// It equals the manager's current value.
    Known,
    /// It equals an older value of the manager's.
    Retired,
    /// The provider refuses it.
    Inactive,
    /// The provider knows it and allows it little.
    Restricted,
    /// Switched off, and could be switched on again.
    Disabled,
    /// Locked for a while.
    Locked,
    /// Nobody could tell, and why.
    Unknown(String),
}

impl Verdict {
    /// Whether the secret is certainly real and alive: known, active or restricted.
    pub fn is_confirmed(&self) -> bool {
        matches!(self, Self::Known | Self::Active | Self::Restricted)
    }
}

const VERDICT_WORDS: &[(&str, Verdict)] = &[
    ("active", Verdict::Active),
    ("known", Verdict::Known),
    ("retired", Verdict::Retired),
    ("inactive", Verdict::Inactive),
    ("restricted", Verdict::Restricted),
    ("disabled", Verdict::Disabled),
    ("locked", Verdict::Locked),
];

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, VERDICT_WORDS.iter().find(|(_, verdict)| verdict == self)) {
            (_, Some((word, _))) => f.write_str(word),
            (Self::Unknown(why), None) => write!(f, "unknown({why})"),
            (_, None) => unreachable!("every verdict but unknown has its word in the table"),
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some((_, verdict)) = VERDICT_WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(verdict.clone());
        }
        let why = text.strip_prefix("unknown(").and_then(|rest| rest.strip_suffix(')'));
        why.map(|why| Self::Unknown(why.to_owned()))
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no verdict")))
    }
}

/// Why a match is not reported, in the order in which it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suppression {
    /// A mark such as `hekate:allow` on the line.
    InlineMark,
    /// An allowlist of the rule.
    RuleAllowlist,
    /// A global allowlist of the config.
    GlobalAllowlist,
    /// `.gitleaksignore`.
    IgnoreFile,
    /// The baseline.
    Baseline,
}

impl Suppression {
    /// Its word, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InlineMark => "inline-mark",
            Self::RuleAllowlist => "rule-allowlist",
            Self::GlobalAllowlist => "global-allowlist",
            Self::IgnoreFile => "ignore-file",
            Self::Baseline => "baseline",
        }
    }
}

impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
