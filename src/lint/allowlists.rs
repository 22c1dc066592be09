//! Allowlists that hide everything, and those that can hide nothing.

use regex::bytes::RegexBuilder;

use super::{GLOBAL, Level, Remark};
use crate::rule::{Allowlist, AllowlistCondition, Rule, Templater};

pub(super) fn of_rule(rule: &Rule, remarks: &mut Vec<Remark>) {
    let stretch = rule.pattern().and_then(|_| Templater::new(rule).longest_secret());
    for list in &rule.allowlists {
        of_list(&rule.id, list, remarks);
        let too_long = |word: &&String| stretch.is_some_and(|longest| word.len() > longest);
        if let Some(word) = list.stopwords.iter().find(too_long) {
            remarks.push(Remark {
                rule: rule.id.clone(),
                level: Level::Warning,
                lint: "allowlist-unused",
                what: format!(
                    "the stopword `{word}` is longer than any secret of the pattern, so it never holds"
                ),
                advice: "take it out; `regexTarget = \"line\"` looks at the whole line".into(),
            });
        }
    }
}

pub(super) fn of_all(global: &[Allowlist], rules: &[Rule], remarks: &mut Vec<Remark>) {
    for list in global {
        of_list(GLOBAL, list, remarks);
        for id in list.target_rules.iter().filter(|id| rules.iter().all(|rule| rule.id != **id)) {
            remarks.push(Remark {
                rule: GLOBAL.to_owned(),
                level: Level::Warning,
                lint: "allowlist-unused",
                what: format!("targetRules names `{id}`, and no rule has that id"),
                advice: "`hekate rules list` shows all ids".into(),
            });
        }
    }
}

fn of_list(rule: &str, list: &Allowlist, remarks: &mut Vec<Remark>) {
    let mut say = |level, lint, what: String, advice: &str| {
        remarks.push(Remark { rule: rule.to_owned(), level, lint, what, advice: advice.to_owned() });
    };
    let narrow = "make it narrower: say what it is to allow, and anchor it with ^ and $";
    for regex in list.regexes.iter().chain(&list.paths) {
        // What matches the empty text matches every text.
        let everything = RegexBuilder::new(regex).build().is_ok_and(|regex| regex.is_match(b""));
        if everything && list.condition == AllowlistCondition::Any {
            say(
                Level::Error,
                "allowlist-hides-all",
                format!("the regex `{regex}` matches everything"),
                narrow,
            );
        } else if everything {
            let what = format!("the regex `{regex}` matches everything, so it adds no condition");
            say(Level::Warning, "allowlist-unused", what, narrow);
        }
    }
    if let Some(word) = list.stopwords.iter().find(|word| word.chars().count() == 1) {
        let what = format!("the stopword `{word}` is one character: most random values hold it");
        say(Level::Warning, "allowlist-hides-all", what, "use longer stopwords");
    }
    if let Some(commit) = list.commits.iter().find(|commit| !is_commit(commit)) {
        let what = format!("`{commit}` is no whole commit id, so it never holds");
        say(Level::Warning, "allowlist-unused", what, "write all 40 hexadecimal digits");
    }
    if !list.commits.is_empty() && list.condition == AllowlistCondition::All {
        let what =
            "with commits and AND it holds in `hekate history` only: files of a tree belong to no commit";
        say(
            Level::Note,
            "allowlist-unused",
            what.to_owned(),
            "leave the commits out, if files are to be allowed too",
        );
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
