//! A user's rules, looked over: what will be slow, what can never find anything, what hides too much.
//!
//! Rules and allowlists come in, [`Remark`]s go out, each with what is wrong, why, and what to do. What can be shown is shown: keywords come
//! with the hits that are to be expected, values are made from the pattern and run through the pipeline. Nothing here reads a file
//! or prints.

mod allowlists;
mod overlap;
mod pattern;
mod timing;
mod value;

use std::fmt;

use serde::Serialize;

use crate::{
    detect::DetectError,
    rule::{Allowlist, Origin, Rule},
    triage::TriageError,
};

pub use pattern::matches_everything;
pub use timing::{Timing, timings};

/// How bad a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule can't do what it is for.
    Error,
    /// It is slow, or does something that may not be meant.
    Warning,
    /// Good to know.
    Note,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Something about a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The rule's id; `(global)` of global allowlists, and of many rules.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What kind of thing, in a word or two.
    pub lint: &'static str,
    /// What is so, and why that matters.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// What global allowlists are called.
pub const GLOBAL: &str = "(global)";

/// Why rules could not be looked over.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// The set of rules.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// Its allowlists.
    #[error(transparent)]
    Triage(#[from] TriageError),
}

/// Looks over the users' rules among `rules`, and global allowlists. `builtin` are the built-in rules with their templates.
///
/// # Errors
/// A rule that can't be run.
pub fn lint(rules: &[Rule], global: &[Allowlist], builtin: &[Rule]) -> Result<Vec<Remark>, LintError> {
    let own: Vec<&Rule> = rules.iter().filter(|rule| rule.origin != Origin::BuiltIn).collect();
    let mut remarks = Vec::new();
    for rule in &own {
        if rule.origin == Origin::User {
            pattern::look(rule, &mut remarks);
            overlap::same_id(rule, builtin, &mut remarks);
        }
        allowlists::of_rule(rule, &mut remarks);
        required(rule, &mut remarks);
    }
    without_examples(&own, &mut remarks);
    allowlists::of_all(global, rules, &mut remarks);
    value::look(&own, global, &mut remarks)?;
    overlap::look(&own, builtin, &mut remarks)?;
    remarks.sort_by(|one, two| {
        (one.level, &one.rule, one.lint, &one.what).cmp(&(two.level, &two.rule, two.lint, &two.what))
    });
    Ok(remarks)
}

/// Many of them are told of in one remark.
fn without_examples(own: &[&Rule], remarks: &mut Vec<Remark>) {
    let is_bare = |rule: &&&Rule| rule.pattern().is_some() && rule.templates.examples.is_empty();
    let bare: Vec<&str> = own.iter().filter(is_bare).map(|rule| rule.id.as_str()).collect();
    let (name, what) = match bare.as_slice() {
        [] => return,
        [one] => (*one, "it has no examples".to_owned()),
        [first, ..] => (GLOBAL, format!("{} rules have no examples, `{first}` among them", bare.len())),
    };
    remarks.push(Remark {
        rule: name.to_owned(),
        level: Level::Note,
        lint: "no-examples",
        what: format!("{what}, so nothing proves that what is looked for is found"),
        advice: "give rules `examples` and `negatives`, such as examples = ['key = \"{token}\"'], and run `hekate rules test`".into(),
    });
}

fn required(rule: &Rule, remarks: &mut Vec<Remark>) {
    if rule.required.iter().any(|required| required.id == rule.id) {
        remarks.push(remark(
            rule,
            Level::Warning,
            "requires-itself",
            "it requires itself, which always holds; in gitleaks such a rule finds nothing",
            "take the entry out of [[rules.required]]",
        ));
    }
}

fn remark(
    rule: &Rule,
    level: Level,
    lint: &'static str,
    what: impl Into<String>,
    advice: impl Into<String>,
) -> Remark {
    Remark { rule: rule.id.clone(), level, lint, what: what.into(), advice: advice.into() }
}

#[cfg(test)]
mod tests;
