//! The inventory held against what the manager has: [`check()`], [`lint()`] and [`due()`].

mod check;
mod due;
mod holdings;
mod lint;

#[cfg(test)]
mod fake;

use serde::Serialize;

use super::{Inventory, words};

pub use check::check;
pub use due::{DueReview, Scheduled, State, due};
pub use holdings::{Held, Holdings, Placed, Unread};
pub use lint::lint;

words! {
    /// What can be wrong. Its word is stable.
    Code {
        /// An environment that the manager does not have.
        MissingEnvironment = "missing-environment",
        /// A secret that the manager does not have.
        Missing = "missing",
        /// A secret that lies in another folder.
        WrongFolder = "wrong-folder",
        /// A secret that the inventory does not know.
        Unexpected = "unexpected",
        /// A secret without a value.
        Empty = "empty",
        /// What a rotation left behind.
        Unfinished = "unfinished",
        /// A value of development that other environments have, too.
        DevelopmentValue = "development-value",
        /// One value in two environments.
        SharedEnvironments = "shared-environments",
        /// One value under two names.
        SharedNames = "shared-names",
        /// A value that stands in for one.
        Placeholder = "placeholder",
        /// A value that is too short.
        Short = "short",
        /// A value that can be guessed.
        Guessable = "guessable",
        /// A signing key shorter than the inventory wants it.
        SmallKey = "small-key",
        /// A value with blanks or line ends around it.
        WhiteSpace = "white-space",
        /// A policy that lets a role change everything.
        PolicyTooWide = "policy-too-wide",
        /// A policy that lets a role change anything that should only read.
        PolicyWrites = "policy-writes",
        /// A policy that lets a role into production that has no business there.
        PolicyProduction = "policy-production",
        /// A token that reads more than is needed.
        TokenTooWide = "token-too-wide",
        /// A token that can change something.
        TokenWrites = "token-writes",
        /// A token that lives for ever.
        TokenForEver = "token-for-ever",
        /// A token that lives too long.
        TokenLongLived = "token-long-lived",
        /// A path that no secret of the inventory lies on.
        IdlePath = "idle-path",
    }
}

impl Code {
    /// What it means, as a heading, and what to do about it.
    pub fn explained(self) -> (&'static str, &'static str) {
        match self {
            Self::MissingEnvironment => (
                "environments that the manager does not have",
                "make the environment there, or take it out of the inventory",
            ),
            Self::Missing => (
                "in the inventory, not in the manager",
                "store a value there, or take the name out of the inventory",
            ),
            Self::WrongFolder => (
                "in another folder than the inventory says",
                "move it in the manager, or correct its folder in the inventory",
            ),
            Self::Unexpected => (
                "in the manager, not in the inventory",
                "add it to the inventory, so that it is rotated, or remove it from the manager",
            ),
            Self::Empty => ("without a value", "store a value, or remove the name"),
            Self::Unfinished => (
                "left behind by a rotation",
                "finish that rotation or undo it; until then this may be the only copy of a value",
            ),
            Self::DevelopmentValue => (
                "one value in development and elsewhere",
                "rotate it outside of development: who reads that environment knows the others",
            ),
            Self::SharedEnvironments => {
                ("one value in several environments", "give each environment a value of its own")
            }
            Self::SharedNames => (
                "one value under several names",
                "give each name a value of its own: rotating one leaves the other leaked",
            ),
            Self::Placeholder => ("a placeholder, not a secret", "store a random value"),
            Self::Short => ("shorter than 16 characters", "rotate it to 32 random bytes, in base64"),
            Self::Guessable => {
                ("fewer than 64 bits, by a careful guess", "rotate it to 32 random bytes, in base64")
            }
            Self::SmallKey => ("smaller than the inventory says", "rotate it to a key of that length"),
            Self::WhiteSpace => (
                "blanks or line ends around the value",
                "store it without them: some consumers trim a value, others don't",
            ),
            Self::PolicyTooWide => (
                "a role that may change everything",
                "name the folders that it works on, or take write, delete and admin away",
            ),
            Self::PolicyWrites => {
                ("a role that should only read, and may change", "take write, delete and admin away")
            }
            Self::PolicyProduction => {
                ("a role that has no business in production", "take production out of its environments")
            }
            Self::TokenTooWide => {
                ("tokens that reach more than is needed", "narrow the scope to what is read with it")
            }
            Self::TokenWrites => ("tokens that can change secrets", "make the scope end in `:read`"),
            Self::TokenForEver => ("tokens without an expiry", "give it `expires: 30d`, and rotate it"),
            Self::TokenLongLived => {
                ("tokens that live longer than 30 days", "give it `expires: 30d`, and rotate it")
            }
            Self::IdlePath => (
                "paths on which no secret of the inventory lies",
                "correct the path, or take it out; a slip here gives a right to nobody, or to the wrong one",
            ),
        }
    }
}

/// Something wrong, with where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What.
    pub code: Code,
    /// Which secrets, policies or tokens: by name, never by value.
    pub subjects: Vec<String>,
    /// What more there is to say of these.
    pub detail: Option<String>,
}

impl Problem {
    fn of(code: Code, subject: impl Into<String>) -> Self {
        Self { code, subjects: vec![subject.into()], detail: None }
    }

    fn with(code: Code, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::of(code, subject) }
    }
}

/// As the JSON output has it.
impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            code: Code,
            title: &'static str,
            subjects: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            fix: &'static str,
        }
        let (title, fix) = self.code.explained();
        let view =
            View { code: self.code, title, subjects: &self.subjects, detail: self.detail.as_deref(), fix };
        view.serialize(serializer)
    }
}

/// Names the shape of a [`Review`] as JSON.
const SCHEMA: &str = "hekate.inventory-review/1";

/// What a check or a lint came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Names the shape: `hekate.inventory-review/1`.
    pub schema: &'static str,
    /// The inventory's project.
    pub project: String,
    /// Which manager.
    pub store: String,
    /// Environments that were looked at.
    pub environments: Vec<String>,
    /// How many secrets of the manager were looked at.
    pub secrets: usize,
    /// What is wrong, by code and place.
    pub problems: Vec<Problem>,
    /// What could not be looked at.
    pub unread: Vec<Unread>,
}

impl Review {
    fn new(inventory: &Inventory, holdings: &Holdings, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self {
            schema: SCHEMA,
            project: inventory.project.clone(),
            store: holdings.store.clone(),
            environments: holdings.environments.iter().map(|held| held.name.clone()).collect(),
            secrets: holdings.environments.iter().map(|held| held.secrets.len()).sum(),
            problems,
            unread: holdings.unread(),
        }
    }
}
