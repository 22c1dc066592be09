//! A report in a few lines, for somebody who only wanted to commit or push.

use std::fmt::Write;

use crate::model::{Finding, Gap, Occurrence, Report};

use super::{
    terminal::sanitise,
    wording::{self, counted},
};

/// Secrets that are listed, places of each, and what was not scanned: the commands that scan at leisure show all.
const SECRETS: usize = 10;
const PLACES: usize = 3;
const GAPS: usize = 5;

/// What was found and what could not be scanned: names and places, nothing of a value. Empty where there is neither.
pub fn brief(report: &Report) -> String {
    let mut text = String::new();
    for finding in report.findings.iter().take(SECRETS) {
        put_finding(&mut text, finding);
    }
    put_rest(&mut text, "  ", report.findings.len(), SECRETS, "secret");
    let failures: Vec<&Gap> = report.coverage.gaps.iter().filter(|gap| gap.reason.is_failure()).collect();
    for gap in failures.iter().take(GAPS) {
        let detail = if gap.detail.is_empty() { String::new() } else { format!(" ({})", gap.detail) };
        put(
            &mut text,
            &format!(
                "  not scanned: {}: {}{detail}",
                sanitise(&wording::path(&gap.path)),
                sanitise(&gap.reason.to_string())
            ),
        );
    }
    put_rest(&mut text, "  ", failures.len(), GAPS, "gap");
    text
}

fn put_finding(text: &mut String, finding: &Finding) {
    put(text, &format!("  {} ({})", finding.title, finding.rule));
    for occurrence in finding.occurrences.iter().take(PLACES) {
        put(text, &format!("      {}", place(occurrence)));
    }
    put_rest(text, "      ", finding.occurrences.len(), PLACES, "place");
}

fn place(occurrence: &Occurrence) -> String {
    let commit =
        occurrence.commit.as_deref().map(|commit| format!(" at commit {}", &commit[..commit.len().min(12)]));
    format!("{}:{}{}", wording::path(&occurrence.path), occurrence.start.line, commit.unwrap_or_default())
}

fn put_rest(text: &mut String, indent: &str, all: usize, listed: usize, noun: &str) {
    if all > listed {
        put(text, &format!("{indent}and {}", counted((all - listed) as u64, &format!("more {noun}"))));
    }
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{}", sanitise(line)).expect("a String takes whatever is written to it");
}

#[cfg(test)]
mod tests {
    use super::super::{sample, terminal};
    use super::*;

    #[test]
    fn says_what_and_where_and_what_was_not_seen() {
        insta::assert_snapshot!(brief(&sample::report()), @r"
          GitHub personal access token (github-pat)
              config/app.env:12
              deploy/1.yaml:99
              deploy/2.yaml:100
              and 2 more places
          Private key (private-key)
              keys/id_rsa:1
          Password (generic-password)
              src/日本 1%.py:3
          not scanned: var/secret.db: unreadable (Permission denied)
        ");
        assert_eq!(brief(&sample::clean()), "");
    }

    #[test]
    fn neither_values_nor_escapes_are_in_it() {
        let text = brief(&sample::with_secrets());
        assert!(sample::values().iter().all(|value| !text.contains(&value[value.len() - 6..])));
        let text = brief(&sample::hostile());
        assert!(!text.chars().any(|c| c != '\n' && terminal::is_unsafe(c)));
    }
}
