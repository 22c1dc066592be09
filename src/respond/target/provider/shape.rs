//! Which rule a value of a provider is one of: its check and its revocation hang on that.

use regex::bytes::{Regex, RegexBuilder};

use crate::{
    model::Secret,
    provider::revoke::revocations_by,
    rule::{Rule, builtin},
};

/// Rules of a provider, with what their values look like.
#[derive(Debug)]
pub(super) struct Shapes {
    provider: String,
    rules: Vec<(String, Option<Regex>)>,
    has_account: bool,
}

/// Longer texts are no keys.
const MAX_VALUE: usize = 16 * 1024;

impl Shapes {
    /// Of every key that the provider gives out.
    pub(super) fn of_provider(provider: &str, has_account: bool) -> Self {
        let ids: Vec<&String> = revocations_by(provider).flat_map(|one| &one.rules).collect();
        let mut known: Vec<Rule> = builtin().into_iter().filter(|rule| ids.contains(&&rule.id)).collect();
        known.sort_by_key(|rule| ids.iter().position(|id| **id == rule.id));
        let rules = known.iter().map(|rule| (rule.id.clone(), regex(rule))).collect();
        Self { provider: provider.to_owned(), rules, has_account }
    }

    /// Of one rule, whatever a value looks like.
    pub(super) fn of_rule(rule: &str) -> Self {
        Self { provider: String::new(), rules: vec![(rule.to_owned(), None)], has_account: false }
    }

    /// The rule that a value is one of.
    pub(super) fn rule_of(&self, value: &Secret) -> &str {
        let fits = |(_, regex): &&(String, Option<Regex>)| {
            regex.as_ref().is_some_and(|regex| self.looks_like(regex, value))
        };
        match self.rules.iter().find(fits) {
            // One can't see of the older format whose it is; who names an account says it.
            Some((rule, _)) if self.has_account && rule == "cloudflare-api-key" => {
                "cloudflare-account-api-token"
            }
            Some((rule, _)) => rule,
            None => self.usual(),
        }
    }

    /// The rule of a key that looks like none of them.
    pub(super) fn usual(&self) -> &str {
        self.rules.first().map_or("", |(rule, _)| rule)
    }

    /// Whether a rule finds just this value, by itself or where it is assigned to a name of the provider. One that knows values by their
    /// provider's word asks for their form only: whose this one is, is known here.
    fn looks_like(&self, regex: &Regex, value: &Secret) -> bool {
        if value.len() > MAX_VALUE {
            return false;
        }
        let names = ["", "_api_token=", "_api_key=", "_secret_access_key="];
        names.iter().any(|name| {
            let before = if name.is_empty() { String::new() } else { format!("{}{name}", self.provider) };
            let text = Secret::new([before.as_bytes(), value.expose()].concat());
            let found = regex.captures(text.expose());
            found.is_some_and(|found| found.iter().flatten().any(|group| group.as_bytes() == value.expose()))
        })
    }
}

fn regex(rule: &Rule) -> Option<Regex> {
    let (regex, unicode) = match rule.nearby() {
        Some(nearby) => (format!(r"\A(?:{})\z", nearby.value), false),
        None => rule.pattern().map(|pattern| (pattern.regex.clone(), pattern.unicode))?,
    };
    RegexBuilder::new(&regex).unicode(unicode).build().ok()
}
