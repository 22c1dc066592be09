//! A rule with its automata, each compiled when it is first needed.

use std::sync::OnceLock;

use regex_automata::{
    hybrid::dfa::DFA,
    meta::Regex,
    nfa::thompson::{self, WhichCaptures},
    util::syntax,
};

use super::nearby;
use crate::rule::{Pattern, Rule, Search};

/// A rule that can be run.
pub(super) struct Machine {
    pub(super) rule: Rule,
    /// Every match starts with one of the necessary literals: it is enough to look at these places.
    pub(super) starts_at_literal: bool,
    /// Compiled at the first hit that passes: a scan pays only for the rules that it needs.
    regex: OnceLock<Regex>,
    /// Compiled at the first hit.
    gate: OnceLock<Option<DFA>>,
}

impl Machine {
    pub(super) fn new(rule: Rule) -> Self {
        let starts_at_literal = rule.pattern().is_some_and(
            |pattern| matches!(&pattern.search, Search::Literals { reach, .. } if reach.before == 0 && !reach.capped),
        );
        Self { rule, starts_at_literal, regex: OnceLock::new(), gate: OnceLock::new() }
    }

    /// Compiles the regex now.
    ///
    /// # Errors
    /// That it is too big, in the regex crate's words.
    pub(super) fn compile(&self) -> Result<(), String> {
        if let Some(nearby) = self.rule.nearby() {
            nearby::compile(&nearby.value)?;
        }
        if let Some(pattern) = self.rule.pattern() {
            let regex = compile(pattern)?;
            self.regex.get_or_init(|| regex);
        }
        Ok(())
    }

    pub(super) fn pattern(&self) -> &Pattern {
        self.rule.pattern().expect("only rules with a pattern have literals or are searched whole")
    }

    pub(super) fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            compile(self.pattern())
                .expect("a test compiles every built-in regex, users' are compiled when they load")
        })
    }

    /// What has to match right behind a literal, if it is worth checking first.
    pub(super) fn gate(&self) -> Option<&DFA> {
        self.gate.get_or_init(|| self.rule.pattern().and_then(compile_gate)).as_ref()
    }
}

fn compile(pattern: &Pattern) -> Result<Regex, String> {
    const MAX_NFA: usize = 8 << 20;
    const MAX_LAZY_DFA: usize = 2 << 20;
    Regex::builder()
        .syntax(syntax::Config::new().unicode(pattern.unicode).utf8(false))
        .configure(
            Regex::config()
                .utf8_empty(false)
                .nfa_size_limit(Some(MAX_NFA))
                .hybrid_cache_capacity(MAX_LAZY_DFA),
        )
        .build(&pattern.regex)
        .map_err(|error| error.to_string())
}

/// The lazy DFA of a pattern's gate; `None` where there is none, or none that can be built: then every hit passes.
fn compile_gate(pattern: &Pattern) -> Option<DFA> {
    let Search::Literals { gate: Some(gate), .. } = &pattern.search else { return None };
    DFA::builder()
        .syntax(syntax::Config::new().unicode(pattern.unicode).utf8(false))
        .thompson(thompson::Config::new().utf8(false).which_captures(WhichCaptures::None))
        .build(gate)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_regex_and_gate_compiles() {
        for rule in crate::rule::builtin() {
            if let Some(nearby) = rule.nearby() {
                assert!(nearby::compile(&nearby.value).is_ok(), "{}", rule.id);
            }
            let Some(pattern) = rule.pattern() else { continue };
            assert!(compile(pattern).is_ok(), "{}", rule.id);
            let has_gate = matches!(&pattern.search, Search::Literals { gate: Some(_), .. });
            assert_eq!(compile_gate(pattern).is_some(), has_gate, "{}", rule.id);
        }
    }
}
