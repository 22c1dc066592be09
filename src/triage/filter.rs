//! betterleaks' filters: what they ask of the content is answered once, what they ask of the place at each.

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::allowlist::{Site, Subject, compile_regex};
use crate::{
    detect::reads_like_words,
    rule::{Filter, FilterCheck, FilterSubject, FilterTest},
};

/// A filter with its words and regexes compiled.
pub(super) struct CompiledFilter {
    root: Node,
    /// The questions about the content, by the numbers that the nodes have.
    content: Vec<Question>,
}

enum Node {
    Const(bool),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    /// A question about the content.
    Content(usize),
    /// A question about the place.
    Place(Question),
}

struct Question {
    subject: FilterSubject,
    check: Check,
}

enum Check {
    Words(AhoCorasick),
    Regexes(Vec<Regex>),
    Plain(FilterCheck),
}

impl CompiledFilter {
    /// # Errors
    /// A regex that is too big to run.
    pub(super) fn new(filter: &Filter) -> Result<Self, regex::Error> {
        let mut content = Vec::new();
        let root = node(filter, &mut content)?;
        Ok(Self { root, content })
    }

    /// Answers the questions about the content.
    pub(super) fn look(&self, subject: Subject<'_>) -> Box<[bool]> {
        let answer = |question: &Question| {
            question.check.holds(match question.subject {
                FilterSubject::Secret => subject.secret,
                FilterSubject::Match => subject.matched,
                _ => subject.lines,
            })
        };
        self.content.iter().map(answer).collect()
    }

    /// Whether it holds, by the answers about the content.
    pub(super) fn holds(&self, facts: &[bool], site: Site<'_>) -> bool {
        self.root.holds(facts, site)
    }
}

fn node(filter: &Filter, content: &mut Vec<Question>) -> Result<Node, regex::Error> {
    let all = |filters: &[Filter], content: &mut Vec<Question>| {
        filters.iter().map(|filter| node(filter, content)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match filter {
        Filter::Const(truth) => Node::Const(*truth),
        Filter::Not(inner) => Node::Not(Box::new(node(inner, content)?)),
        Filter::All(inner) => Node::All(all(inner, content)?),
        Filter::Any(inner) => Node::Any(all(inner, content)?),
        Filter::Test(FilterTest { subject, check }) => {
            let question = Question { subject: *subject, check: Check::new(check)? };
            match subject {
                FilterSubject::Secret | FilterSubject::Match | FilterSubject::Line => {
                    content.push(question);
                    Node::Content(content.len() - 1)
                }
                FilterSubject::Rule | FilterSubject::Path | FilterSubject::Commit => Node::Place(question),
            }
        }
    })
}

impl Node {
    fn holds(&self, facts: &[bool], site: Site<'_>) -> bool {
        match self {
            Self::Const(truth) => *truth,
            Self::Not(inner) => !inner.holds(facts, site),
            Self::All(inner) => inner.iter().all(|one| one.holds(facts, site)),
            Self::Any(inner) => inner.iter().any(|one| one.holds(facts, site)),
            Self::Content(index) => facts.get(*index).copied().unwrap_or_default(),
            Self::Place(question) => {
                let holds = |text: &str| question.check.holds(text.as_bytes());
                match question.subject {
                    FilterSubject::Rule => holds(site.rule),
                    FilterSubject::Path => holds(site.path) || holds(site.in_repository),
                    _ => holds(site.commit.unwrap_or_default()),
                }
            }
        }
    }
}

impl Check {
    fn new(check: &FilterCheck) -> Result<Self, regex::Error> {
        Ok(match check {
            FilterCheck::ContainsAny(words) => {
                let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
                Self::Words(words.expect("lists of words this short can be built"))
            }
            FilterCheck::MatchesAny(regexes) => {
                Self::Regexes(regexes.iter().map(|regex| compile_regex(regex)).collect::<Result<_, _>>()?)
            }
            other => Self::Plain(other.clone()),
        })
    }

    fn holds(&self, text: &[u8]) -> bool {
        let check = match self {
            Self::Words(words) => return words.is_match(text),
            Self::Regexes(regexes) => return regexes.iter().any(|regex| regex.is_match(text)),
            Self::Plain(check) => check,
        };
        match check {
            FilterCheck::OneOf(list) => list.iter().any(|one| one.as_bytes() == text),
            FilterCheck::Contains(word) => memchr::memmem::find(text, word.as_bytes()).is_some(),
            FilterCheck::StartsWith(head) => text.starts_with(head.as_bytes()),
            FilterCheck::EndsWith(tail) => text.ends_with(tail.as_bytes()),
            FilterCheck::Entropy(order, bits) => {
                order.holds(f64::from(entropy::shannon_entropy(text)), *bits)
            }
            FilterCheck::Length(order, length) => {
                order.holds(String::from_utf8_lossy(text).chars().count() as f64, *length)
            }
            FilterCheck::ReadsLikeWords => reads_like_words(text),
            FilterCheck::ContainsAny(_) | FilterCheck::MatchesAny(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(source: &str, secret: &str, path: &str) -> bool {
        let filter = CompiledFilter::new(&Filter::parse(source).unwrap()).unwrap();
        let line = format!("key = {secret} # note");
        let subject = Subject {
            secret: secret.as_bytes(),
            matched: &line.as_bytes()[..line.len() - 7],
            lines: line.as_bytes(),
        };
        let site = Site { rule: "acme", path, in_repository: path, commit: None };
        filter.holds(&filter.look(subject), site)
    }

    #[test]
    fn filters_hold_as_betterleaks_has_them() {
        for (source, secret, path, expected) in [
            (r#"filter.entropy(finding["secret"]) <= 1.0"#, "aabb", "a", true),
            (r#"filter.entropy(finding["secret"]) < 1.0"#, "aabb", "a", false),
            (r#"filter.containsAny(finding["secret"], ["example"])"#, "x-EXAMPLE", "a", true),
            (r#"filter.matchesAny(finding["match"], [`^key = x`])"#, "x", "a", true),
            (r#"filter.matchesAny(finding["line"], ["note$"])"#, "x", "a", true),
            (r#"finding["secret"] == "x" && attributes["path"] startsWith "docs/""#, "x", "docs/a", true),
            (r#"finding["secret"] == "x" && attributes["path"] startsWith "docs/""#, "x", "src/a", false),
            (r#"!(finding["rule_id"] in ["acme"])"#, "x", "a", false),
            (r#"get(attributes, "git.sha", "") == """#, "x", "a", true),
            (r#"len(finding["secret"]) >= 3 || finding["secret"] endsWith "b""#, "ab", "a", true),
            (r#"filter.failsTokenEfficiency(finding["secret"])"#, "correct-horse-battery", "a", true),
            (r#"filter.failsTokenEfficiency(finding["secret"])"#, "q7Zk2xVb9LmT4wRd", "a", false),
        ] {
            assert_eq!(holds(source, secret, path), expected, "{source} on {secret} at {path}");
        }
    }
}
