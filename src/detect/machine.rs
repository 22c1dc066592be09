//! A rule with its programs and regex, each there when it is first needed.

use std::sync::OnceLock;

use regex_automata::meta::Regex;

use super::{Expression, expression::build, nearby};
use crate::rule::{Pattern, Program, Programs, Rule, builtin_programs};

/// A rule that can be run.
pub(super) struct Machine {
    pub(super) rule: Rule,
    /// Read or compiled at the first hit: a scan pays only for the rules that it needs.
    programs: OnceLock<Programs>,
    /// Compiled when the program has decided nothing.
    regex: OnceLock<Regex>,
}

impl Machine {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule, programs: OnceLock::new(), regex: OnceLock::new() }
    }

    /// Compiles the regex now.
    ///
    /// # Errors
    /// That it is too big, in the regex crate's words.
    pub(super) fn compile(&self) -> Result<(), String> {
        if let Some(nearby) = self.rule.nearby() {
            Expression::compile(&nearby::whole(&nearby.value)).map_err(|error| error.to_string())?;
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

    /// From now on its regex decides everything.
    #[cfg(test)]
    pub(super) fn forget_programs(&mut self) {
        self.programs = OnceLock::from(Programs::default());
    }

    /// What spares the regex mostly, where there is one.
    pub(super) fn program(&self) -> Option<&Program> {
        self.programs().whole.as_ref()
    }

    /// What has to match from a literal on, if it is worth checking first.
    pub(super) fn gate(&self) -> Option<&Program> {
        self.programs().gate.as_ref()
    }

    fn programs(&self) -> &Programs {
        self.programs
            .get_or_init(|| self.rule.programs.map_or_else(|| Programs::of(&self.rule), builtin_programs))
    }
}

fn compile(pattern: &Pattern) -> Result<Regex, String> {
    const MAX_NFA: usize = 8 << 20;
    build(&pattern.regex, pattern.unicode, MAX_NFA).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_regex_compiles_and_has_its_programs() {
        for rule in crate::rule::builtin() {
            if let Some(nearby) = rule.nearby() {
                assert!(Expression::compile(&nearby::whole(&nearby.value)).is_ok(), "{}", rule.id);
            }
            let Some(pattern) = rule.pattern() else { continue };
            assert!(compile(pattern).is_ok(), "{}", rule.id);
            let programs = builtin_programs(rule.programs.unwrap());
            assert_eq!(programs, Programs::of(&rule), "{}", rule.id);
            assert!(programs.whole.is_some(), "{}", rule.id);
        }
    }
}
