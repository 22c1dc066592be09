use std::path::Path;

use super::*;
use crate::rule::{Extends, RulePack, builtin_with_templates};

/// The lints of rules that stand alone, as "level rule lint".
fn lints(text: &str) -> Vec<String> {
    let pack = RulePack::parse(text, Path::new("own.toml"), Extends::Allowed).unwrap();
    let remarks = lint(&pack.rules, &pack.allowlists, &builtin_with_templates()).unwrap();
    remarks.iter().map(|one| format!("{} {} {}", one.level, one.rule, one.lint)).collect()
}

fn rule(body: &str) -> Vec<String> {
    lints(&format!("[[rules]]\nid = 'own'\nexamples = ['{{token}}']\n{body}"))
}

#[test]
fn a_good_rule_has_no_remarks() {
    assert_eq!(rule("regex = '''\\b(wqzk_[0-9a-f]{32})\\b'''\nkeywords = ['wqzk_']\nentropy = 2.5"), [""; 0]);
}

#[test]
fn each_fault_is_found() {
    for (body, lint) in [
        ("regex = '.'", "error own matches-everything"),
        ("regex = '[a-z]+'", "error own matches-everything"),
        ("regex = '[0-9a-f]{32}'", "warning own whole-files"),
        ("regex = '[0-9a-f]{32}'\nkeywords = ['wqzk']", "note own whole-files"),
        ("regex = '[0-9a-f]{32}'\nkeywords = ['wqzk']", "warning own far-keyword"),
        ("regex = 'wqzk_[0-9a-f]+'", "warning own unbounded"),
        ("regex = 'ion[^x]{32}'", "warning own common-keyword"),
        ("regex = 'wqzk_[0-9a-f]{32}'\nkeywords = ['k']", "warning own short-keyword"),
        ("regex = 'wqzk_([0-9]{4})'\nentropy = 3.0", "error own entropy-out-of-reach"),
        ("regex = 'wqzk_[0-9]{4}$x'", "warning own never-matches"),
        (
            "regex = 'wqzk_[0-9]{9}'\n[[rules.allowlists]]\nregexes = ['^wqzk']",
            "error own allowlist-hides-all",
        ),
        ("regex = 'wqzk_[0-9]{9}'\n[[rules.allowlists]]\npaths = ['.*']", "error own allowlist-hides-all"),
        (
            "regex = 'wqzk_[0-9]{9}'\n[[rules.allowlists]]\nstopwords = ['much-longer-than-that']",
            "warning own allowlist-unused",
        ),
        ("regex = 'wqzk_[0-9]{9}'\n[[rules.allowlists]]\ncommits = ['abc']", "warning own allowlist-unused"),
        ("regex = 'wqzk_[0-9]{9}'\n[[rules.required]]\nid = 'own'", "warning own requires-itself"),
        ("regex = '''\\b(ghp_[0-9A-Za-z]{36})\\b'''", "note own overlaps"),
    ] {
        let found = rule(body);
        assert!(found.iter().any(|one| one == lint), "{body}: {lint} is not in {found:?}");
    }
}

#[test]
fn what_stands_outside_of_rules_is_looked_over_too() {
    assert_eq!(
        lints("[[rules]]\nid = 'github-pat'\nregex = 'wqzk_[0-9]{9}'"),
        ["warning github-pat same-id", "note github-pat no-examples"]
    );
    let rule = "[[rules]]\nid = 'own'\nregex = 'wqzk_[0-9]{9}'\nexamples = ['{token}']\n";
    let global = |list: &str| lints(&format!("{rule}[[allowlists]]\n{list}"));
    assert_eq!(global("regexes = ['^wqzk']"), ["error (global) allowlist-hides-all"]);
    assert_eq!(
        global("stopwords = ['wqzk_0000']\ntargetRules = ['nope']"),
        ["warning (global) allowlist-unused"]
    );
}
