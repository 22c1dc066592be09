//! Rules that find what built-in rules find already.

use std::collections::BTreeMap;

use super::{Level, LintError, Remark, remark};
use crate::{
    detect::Detector,
    rule::{Detection, Origin, Rule, Templater},
};

/// So many tokens of each built-in rule are tried.
const SEEDS: u64 = 2;
/// So many built-in rules are named.
const NAMED: usize = 3;

pub(super) fn same_id(rule: &Rule, builtin: &[Rule], remarks: &mut Vec<Remark>) {
    if builtin.iter().any(|other| other.id == rule.id) {
        remarks.push(remark(
            rule,
            Level::Warning,
            "same-id",
            "a built-in rule has this id: it is replaced as a whole, with its checksum, its negatives and its check",
            "choose another id; or leave out `regex` and `path`, then the rule adds to the built-in one",
        ));
    }
}

/// Runs the users' rules over the examples of the built-in ones.
pub(super) fn look(own: &[&Rule], builtin: &[Rule], remarks: &mut Vec<Remark>) -> Result<(), LintError> {
    let rules: Vec<Rule> = own
        .iter()
        .filter(|rule| rule.origin == Origin::User && matches!(rule.detection, Detection::Content(_)))
        .map(|rule| (*rule).clone())
        .collect();
    if rules.is_empty() {
        return Ok(());
    }
    let detector = Detector::new(rules)?;
    let mut seen: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for other in builtin.iter().filter(|other| matches!(other.detection, Detection::Content(_))) {
        for index in matching(&detector, other) {
            let ids = seen.entry(index).or_default();
            if ids.last() != Some(&other.id.as_str()) {
                ids.push(&other.id);
            }
        }
    }
    for (index, ids) in seen {
        let rule = detector.rule(index);
        // Its own namesake is told of by itself.
        let ids: Vec<&str> = ids.into_iter().filter(|id| *id != rule.id).collect();
        let more = ids.len().saturating_sub(NAMED);
        let named = ids.iter().take(NAMED).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        if !ids.is_empty() {
            remarks.push(remark(
                rule,
                Level::Note,
                "overlaps",
                format!("it matches what the built-in {named}{rest} find; one value is one finding, named by the most specific rule"),
                "make the pattern narrower; or tag it \"generic\", if it is meant to catch what no other rule knows",
            ));
        }
    }
    Ok(())
}

/// The users' rules that match a token of a built-in one where that rule itself expects it.
fn matching(detector: &Detector, other: &Rule) -> Vec<usize> {
    let templater = Templater::new(other);
    let mut found = Vec::new();
    for (template, seed) in other.templates.examples.iter().zip(0..SEEDS) {
        let Ok(rendered) = templater.render(template, seed) else { continue };
        let Ok(matches) = detector.scan(&rendered.text.as_slice()) else { continue };
        let is_token = |secret: &[u8]| rendered.tokens.iter().any(|token| token == secret);
        found.extend(matches.iter().filter(|one| is_token(one.secret.expose())).map(|one| one.rule));
    }
    found.sort_unstable();
    found.dedup();
    found
}
