//! Allowlists of rules and configs, as gitleaks defines them.

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use crate::rule::{Allowlist, AllowlistCondition, RegexTarget, parser};

/// What an allowlist looks at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) rule: &'a str,
    /// As reports write it, and within the repository one works in: lists may mean either.
    pub(super) path: &'a str,
    pub(super) in_repository: &'a str,
    pub(super) secret: &'a [u8],
    pub(super) matched: &'a [u8],
    pub(super) lines: &'a [u8],
}

/// An allowlist with its regexes compiled.
pub(super) struct Compiled {
    condition: AllowlistCondition,
    target: RegexTarget,
    regexes: Vec<Regex>,
    paths: Vec<Regex>,
    stopwords: Option<AhoCorasick>,
    names_commits: bool,
    target_rules: Vec<String>,
}

/// Compiles a regex that was checked when it was loaded.
///
/// # Errors
/// That it is too big to run.
pub(super) fn compile_regex(source: &str) -> Result<Regex, regex::Error> {
    let needs_unicode = parser(false).parse(source).is_err();
    RegexBuilder::new(source).unicode(needs_unicode).build()
}

impl Compiled {
    /// # Errors
    /// A regex that is too big to run.
    pub(super) fn new(list: &Allowlist) -> Result<Self, regex::Error> {
        let all = |sources: &[String]| {
            sources.iter().map(|source| compile_regex(source)).collect::<Result<Vec<_>, _>>()
        };
        let words = &list.stopwords;
        let stopwords = (!words.is_empty()).then(|| {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(words)
                .expect("lists of words this short can be built")
        });
        Ok(Self {
            condition: list.condition,
            target: list.regex_target,
            regexes: all(&list.regexes)?,
            paths: all(&list.paths)?,
            stopwords,
            names_commits: !list.commits.is_empty(),
            target_rules: list.target_rules.clone(),
        })
    }

    /// Whether the match does not count.
    pub(super) fn allows(&self, subject: Subject<'_>) -> bool {
        if !self.target_rules.is_empty() && !self.target_rules.iter().any(|rule| rule == subject.rule) {
            return false;
        }
        let target = match self.target {
            RegexTarget::Secret => subject.secret,
            RegexTarget::Match => subject.matched,
            RegexTarget::Line => subject.lines,
        };
        let any = |regexes: &[Regex], text: &[u8]| {
            (!regexes.is_empty()).then(|| regexes.iter().any(|regex| regex.is_match(text)))
        };
        let conditions = [
            any(&self.regexes, target),
            any(&self.paths, subject.path.as_bytes())
                .map(|holds| holds || any(&self.paths, subject.in_repository.as_bytes()) == Some(true)),
            self.stopwords.as_ref().map(|words| words.is_match(subject.secret)),
            // A file of a working tree belongs to no commit.
            self.names_commits.then_some(false),
        ];
        let mut given = conditions.into_iter().flatten().peekable();
        match self.condition {
            AllowlistCondition::Any => given.any(|holds| holds),
            AllowlistCondition::All => given.peek().is_some() && given.all(|holds| holds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: Allowlist) -> bool {
        let subject = Subject {
            rule: "r",
            path: "docs/a.md",
            in_repository: "site/docs/a.md",
            secret: b"acme-EXAMPLE-1",
            matched: b"k=acme-EXAMPLE-1",
            lines: b"  k=acme-EXAMPLE-1 #x",
        };
        Compiled::new(&list).unwrap().allows(subject)
    }

    fn list() -> Allowlist {
        Allowlist::default()
    }

    #[test]
    fn each_kind_of_condition_counts() {
        assert!(allows(Allowlist { regexes: vec!["^acme".into()], ..list() }));
        assert!(!allows(Allowlist { regexes: vec!["^k=".into()], ..list() }));
        assert!(allows(Allowlist {
            regexes: vec!["^k=".into()],
            regex_target: RegexTarget::Match,
            ..list()
        }));
        assert!(allows(Allowlist { regexes: vec!["#x$".into()], regex_target: RegexTarget::Line, ..list() }));
        assert!(allows(Allowlist { stopwords: vec!["example".into()], ..list() }));
        assert!(allows(Allowlist { paths: vec!["^docs/".into()], ..list() }));
        assert!(allows(Allowlist { paths: vec!["^site/docs/".into()], ..list() }));
        assert!(!allows(Allowlist {
            paths: vec!["^docs/".into()],
            target_rules: vec!["other".into()],
            ..list()
        }));
        assert!(!allows(list()));
    }

    #[test]
    fn and_wants_every_kind_that_is_given() {
        let both = |regex: &str| Allowlist {
            condition: AllowlistCondition::All,
            regexes: vec![regex.into()],
            paths: vec!["^docs/".into()],
            ..list()
        };
        assert!(allows(both("^acme")));
        assert!(!allows(both("^other")));
        assert!(!allows(Allowlist { commits: vec!["abc".into()], ..both("^acme") }));
    }
}
