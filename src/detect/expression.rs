//! A regex that says of a text whether it matches somewhere.

use std::sync::OnceLock;

use regex_automata::{
    meta::{BuildError, Regex},
    util::syntax,
};

use super::backtrack::{self, Outcome, Stack};
use crate::rule::{Program, Rule, builtin_programs, needs_unicode};

/// A regex in our dialect. Most texts are short, and most regexes are asked a few times at most: a program decides, and the regex is compiled
/// only where that does not.
#[derive(Debug)]
pub struct Expression {
    source: String,
    program: Option<Program>,
    regex: OnceLock<Regex>,
}

/// A regex that is too big to run.
#[derive(Debug, thiserror::Error)]
#[error("compiled, it is too big: {0}; repeat less in it, or less often")]
pub struct TooBig(String);

impl From<BuildError> for TooBig {
    fn from(error: BuildError) -> Self {
        Self(error.size_limit().map_or_else(|| error.to_string(), |limit| format!("more than {limit} bytes")))
    }
}

impl Expression {
    /// Of a regex that was checked when it was loaded, and that [`Expression::compile`] takes.
    pub fn new(source: &str) -> Self {
        Self { source: source.to_owned(), program: Program::of(source), regex: OnceLock::new() }
    }

    /// Of the path that a rule looks at, if it looks at paths.
    pub fn of_path(rule: &Rule) -> Option<Self> {
        let source = rule.path.as_deref()?;
        let program =
            rule.programs.map_or_else(|| Program::of(source), |number| builtin_programs(number).path);
        Some(Self { source: source.to_owned(), program, regex: OnceLock::new() })
    }

    /// The same of a regex that may be too big to run.
    ///
    /// # Errors
    /// That it is.
    pub fn compile(source: &str) -> Result<Self, TooBig> {
        let expression = Self::new(source);
        let regex = expression.build()?;
        expression.regex.get_or_init(|| regex);
        Ok(expression)
    }

    /// Whether it matches somewhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        const STEPS: usize = 1 << 14;
        let Some(program) = &self.program else { return self.regex().is_match(text) };
        let (mut stack, mut steps) = (Stack::default(), STEPS);
        let memory = (&mut stack, &mut steps);
        match backtrack::find(program, (text, text.len()), 0..=text.len(), &mut [], memory) {
            Outcome::Match => true,
            Outcome::None => false,
            Outcome::Undecided => self.regex().is_match(text),
        }
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            self.build().expect("a test compiles every built-in regex, users' are compiled when they load")
        })
    }

    fn build(&self) -> Result<Regex, TooBig> {
        const MAX_NFA: usize = 4 << 20;
        build(&self.source, needs_unicode(&self.source), MAX_NFA)
    }
}

/// Compiles a regex on bytes, of whose automaton the states may take so many bytes.
///
/// # Errors
/// That they take more.
pub(super) fn build(regex: &str, unicode: bool, most: usize) -> Result<Regex, TooBig> {
    const MAX_LAZY_DFA: usize = 2 << 20;
    let limits = Regex::config().nfa_size_limit(Some(most)).hybrid_cache_capacity(MAX_LAZY_DFA);
    Regex::builder()
        .syntax(syntax::Config::new().unicode(unicode).utf8(false))
        .configure(limits.utf8_empty(false))
        .build(regex)
        .map_err(TooBig::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_program_does_not_decide_the_regex_does() {
        let text = [b"a".repeat(200).as_slice(), b"c"].concat();
        assert!(!Expression::new("(?:a|aa)+(?:a|aa)+(?:a|aa)+b").is_match(&text));
        assert!(Expression::new("(?:a|aa)+(?:a|aa)+(?:a|aa)+c$").is_match(&text));
        assert!(Expression::new("(?:a?)*c").is_match(&text));
    }

    #[test]
    fn classes_are_unicode_where_the_regex_needs_it() {
        assert!(Expression::new(r"^\p{Greek}$").is_match("λ".as_bytes()));
        assert!(!Expression::new(r"^\w$").is_match("λ".as_bytes()));
    }

    #[test]
    fn what_is_too_big_is_said() {
        let error = Expression::compile("(?:[a-z]{999}){999}").err().unwrap();
        insta::assert_snapshot!(error, @"compiled, it is too big: more than 4194304 bytes; repeat less in it, or less often");
    }
}
