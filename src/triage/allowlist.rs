//! Allowlists of rules and configs, as gitleaks defines them.

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::filter::CompiledFilter;
use crate::rule::{Allowlist, AllowlistCondition, RegexTarget, needs_unicode};

/// What an allowlist looks at in the content.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) secret: &'a [u8],
    pub(super) matched: &'a [u8],
    pub(super) lines: &'a [u8],
}

/// Where the content stands.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) rule: &'a str,
    /// As reports write it, and within the repository one works in: lists may mean either.
    pub(super) path: &'a str,
    pub(super) in_repository: &'a str,
    /// The commit, in history.
    pub(super) commit: Option<&'a str>,
}

/// What a list says of the content alone: of each kind of condition that it has, whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    regex: Option<bool>,
    stopword: Option<bool>,
    /// What the filter's questions about the content come to.
    facts: Box<[bool]>,
}

/// An allowlist with its regexes compiled.
pub(super) struct Compiled {
    condition: AllowlistCondition,
    target: RegexTarget,
    regexes: Vec<Regex>,
    paths: Vec<Regex>,
    stopwords: Option<AhoCorasick>,
    commits: Vec<String>,
    filter: Option<CompiledFilter>,
    target_rules: Vec<String>,
}

/// Compiles a regex that was checked when it was loaded.
///
/// # Errors
/// That it is too big to run.
pub(super) fn compile_regex(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source).unicode(needs_unicode(source)).build()
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
            commits: list.commits.iter().map(|commit| commit.to_ascii_lowercase()).collect(),
            filter: list.filter.as_ref().map(CompiledFilter::new).transpose()?,
            target_rules: list.target_rules.clone(),
        })
    }

    /// Looks at the content.
    pub(super) fn look(&self, subject: Subject<'_>) -> Look {
        let target = match self.target {
            RegexTarget::Secret => subject.secret,
            RegexTarget::Match => subject.matched,
            RegexTarget::Line => subject.lines,
        };
        Look {
            regex: any(&self.regexes, target),
            stopword: self.stopwords.as_ref().map(|words| words.is_match(subject.secret)),
            facts: self.filter.as_ref().map(|filter| filter.look(subject)).unwrap_or_default(),
        }
    }

    /// Whether the match does not count, after a look at it.
    pub(super) fn allows(&self, look: &Look, site: Site<'_>) -> bool {
        if !self.target_rules.is_empty() && !self.target_rules.iter().any(|rule| rule == site.rule) {
            return false;
        }
        let is_named = |commit: &str| self.commits.iter().any(|named| named == commit);
        let conditions = [
            look.regex,
            any(&self.paths, site.path.as_bytes())
                .map(|holds| holds || any(&self.paths, site.in_repository.as_bytes()) == Some(true)),
            look.stopword,
            // A file of a working tree belongs to no commit.
            (!self.commits.is_empty()).then(|| site.commit.is_some_and(is_named)),
            self.filter.as_ref().map(|filter| filter.holds(&look.facts, site)),
        ];
        let mut given = conditions.into_iter().flatten().peekable();
        match self.condition {
            AllowlistCondition::Any => given.any(|holds| holds),
            AllowlistCondition::All => given.peek().is_some() && given.all(|holds| holds),
        }
    }
}

/// Whether one matches; `None` where there is none.
fn any(regexes: &[Regex], text: &[u8]) -> Option<bool> {
    (!regexes.is_empty()).then(|| regexes.iter().any(|regex| regex.is_match(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: Allowlist) -> bool {
        allows_at(list, None)
    }

    fn allows_at(list: Allowlist, commit: Option<&str>) -> bool {
        let subject = Subject {
            secret: b"acme-EXAMPLE-1",
            matched: b"k=acme-EXAMPLE-1",
            lines: b"  k=acme-EXAMPLE-1 #x",
        };
        let site = Site { rule: "r", path: "docs/a.md", in_repository: "site/docs/a.md", commit };
        let list = Compiled::new(&list).unwrap();
        list.allows(&list.look(subject), site)
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
        let in_commit = || Allowlist { commits: vec!["ABC".into()], ..both("^acme") };
        assert!(!allows(in_commit()));
        assert!(!allows_at(in_commit(), Some("abd")));
        assert!(allows_at(in_commit(), Some("abc")));
    }
}
