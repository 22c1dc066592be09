//! What follows from a rule's pattern and keywords alone.

use regex::bytes::RegexBuilder;

use super::{Level, Remark, remark};
use crate::rule::{Origin, Pattern, Reach, Rule, Search, byte_rate, stretch_rate};

/// Keywords that are expected more often than this in a megabyte of source are said to be common.
const COMMON: f32 = 200.0;

/// Ordinary text and code, in which a pattern for secrets finds next to nothing.
pub(super) const ORDINARY: &str = include_str!("ordinary.txt");

pub(super) fn look(rule: &Rule, remarks: &mut Vec<Remark>) {
    let Some(pattern) = rule.pattern() else { return };
    let is_everything = matches_everything(rule);
    if is_everything {
        remarks.push(remark(
            rule,
            Level::Error,
            "matches-everything",
            format!("it matches ordinary text nearly everywhere; of each file only the first {} matches are kept, and each such file counts as not wholly scanned", crate::detect::MOST_MATCHES),
            "say what tells the secret from other text: a prefix, a name before it, a length, an entropy",
        ));
    }
    if let (Search::Whole { .. }, false) = (&pattern.search, is_everything) {
        whole(rule, remarks);
    }
    reach(rule, pattern.search.reach(), remarks);
    keywords(rule, pattern, remarks);
}

/// Whether the rule's pattern matches ordinary text over and over, with nothing before it that keeps it from being run.
pub fn matches_everything(rule: &Rule) -> bool {
    const OFTEN: usize = 40;
    let Some(pattern) = rule.pattern().filter(|_| rule.origin == Origin::User) else { return false };
    // A keyword or an entropy may tell what the pattern alone does not.
    if !rule.gates.is_empty() || !matches!(pattern.search, Search::Whole { .. }) {
        return false;
    }
    let Ok(regex) = RegexBuilder::new(&pattern.regex).unicode(pattern.unicode).build() else { return false };
    let counts = |bytes: &[u8]| rule.entropy.is_none_or(|least| entropy::shannon_entropy(bytes) > least);
    let found = regex.captures_iter(ORDINARY.as_bytes()).filter_map(|found| {
        let group = rule.secret_group.or_else(|| (1..found.len()).find(|group| found.get(*group).is_some()));
        found.get(group.unwrap_or(0))
    });
    found.filter(|secret| counts(secret.as_bytes())).take(OFTEN).count() == OFTEN
}

fn whole(rule: &Rule, remarks: &mut Vec<Remark>) {
    const ADVICE: &str = "put a literal of three bytes or more into the pattern that every match has";
    let why = "no literal of three bytes stands in every match";
    if rule.gates.is_empty() {
        let what = format!("{why}, and there are no keywords: the regex runs over every file, whole");
        remarks.push(remark(
            rule,
            Level::Warning,
            "whole-files",
            what,
            format!("{ADVICE}, or give it keywords"),
        ));
    } else {
        let what = format!("{why}: the regex runs over the whole of each file in which a keyword is");
        remarks.push(remark(rule, Level::Note, "whole-files", what, ADVICE));
    }
}

fn reach(rule: &Rule, reach: Reach, remarks: &mut Vec<Remark>) {
    if !reach.capped {
        return;
    }
    let lines = if reach.within_line { ", within a line" } else { "" };
    remarks.push(remark(
        rule,
        Level::Warning,
        "unbounded",
        format!(
            "the pattern has no bound, or one above {} KiB: a match is cut off {} KiB from a literal{lines}, and each hit costs that much",
            Reach::MAX / 1024,
            Reach::CAP / 1024
        ),
        "bound its repetitions: `{20,200}` in place of `+` and `*`",
    ));
}

fn keywords(rule: &Rule, pattern: &Pattern, remarks: &mut Vec<Remark>) {
    let literals: Vec<&[u8]> = match &pattern.search {
        Search::Literals { literals, .. } => literals.iter().map(Vec::as_slice).collect(),
        Search::Whole { .. } => rule.gates.iter().map(String::as_bytes).collect(),
    };
    let kind = if matches!(pattern.search, Search::Whole { .. }) { "keyword" } else { "literal" };
    let mut rates: Vec<(f32, &[u8])> =
        literals.iter().map(|literal| (per_megabyte(literal), *literal)).collect();
    rates.sort_by(|one, two| two.0.total_cmp(&one.0));
    let sum: f32 = rates.iter().map(|(rate, _)| rate).sum();
    if sum > COMMON {
        let named: Vec<String> = rates
            .iter()
            .take(3)
            .map(|(rate, literal)| format!("`{}` {rate:.0}", String::from_utf8_lossy(literal)))
            .collect();
        remarks.push(remark(
            rule,
            Level::Warning,
            "common-keyword",
            format!("what it is searched by is common: about {sum:.0} hits are expected in a megabyte of source ({kind} {})", named.join(", ")),
            "use a rarer and longer literal, such as the prefix of the token or the provider's name",
        ));
    }
    if let Some(short) = rule.keywords.iter().find(|keyword| keyword.len() < 3) {
        let rate = match short.as_bytes() {
            [one] => byte_rate(one | 0x20) * 1e6,
            _ => COMMON,
        };
        remarks.push(remark(
            rule,
            Level::Warning,
            "short-keyword",
            format!("the keyword `{short}` has fewer than three bytes ({rate:.0} or more hits in a megabyte), so the keywords keep nothing out"),
            "give it keywords of three bytes or more",
        ));
    }
}

fn per_megabyte(literal: &[u8]) -> f32 {
    stretch_rate(literal) * 1e6
}
