//! gitleaks' JSON report, whose form is also that of its baselines.
//!
//! The form: <https://github.com/gitleaks/gitleaks/blob/master/report/finding.go>. Columns count from 1 and the end is the
//! last character's, not the one behind it.

use serde::Serialize;

use crate::model::{Category, Companion, Evidence, Finding, Occurrence, Report};

use super::{RenderError, RenderOptions, json, whereabouts};

/// What gitleaks puts in place of a secret under `--redact`.
const REDACTED: &str = "REDACTED";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(rename = "RuleID")]
    rule_id: &'a str,
    description: &'a str,
    start_line: u64,
    end_line: u64,
    start_column: u64,
    end_column: u64,
    r#match: &'a str,
    secret: &'a str,
    file: &'a str,
    symlink_file: &'static str,
    commit: &'a str,
    entropy: f32,
    author: &'a str,
    email: &'a str,
    date: &'a str,
    message: &'a str,
    tags: Vec<String>,
    fingerprint: String,
}

/// An array with an entry for each place of each finding.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let entries: Vec<_> = report
        .findings
        .iter()
        .flat_map(|finding| {
            let places = finding.occurrences.iter().map(move |place| entry(finding, place));
            // There, the id of a key is a finding beside its secret.
            let others = finding.companions.iter().filter(|one| one.alone);
            places.chain(others.map(move |one| of_companion(finding, one)))
        })
        .collect();
    json::to_bytes(&entries)
}

fn entry<'a>(finding: &'a Finding, place: &'a Occurrence) -> Entry<'a> {
    let secret = finding.secret.value.as_deref().unwrap_or(REDACTED);
    // gitleaks counts from where the match starts.
    let (author, email) = place.author.as_deref().map(whereabouts::name_and_mail).unwrap_or_default();
    let commit = place.commit.as_deref().unwrap_or_default();
    let in_commit = if commit.is_empty() { String::new() } else { format!("{commit}:") };
    let start_line = place.match_line.unwrap_or(place.start.line);
    Entry {
        rule_id: &finding.rule,
        description: &finding.title,
        start_line,
        end_line: place.end.line,
        start_column: place.start.column,
        end_column: place.end.column.saturating_sub(1),
        r#match: place.matched.as_deref().unwrap_or(secret),
        secret,
        file: &place.path,
        symlink_file: "",
        commit,
        entropy: entropy(finding),
        author,
        email,
        date: place.date.as_deref().unwrap_or_default(),
        message: place.subject.as_deref().unwrap_or_default(),
        tags: tags(finding),
        fingerprint: format!("{in_commit}{}:{}:{start_line}", place.path, finding.rule),
    }
}

/// A companion as if it stood alone, in the commit of the finding's first place in that file.
fn of_companion<'a>(finding: &'a Finding, one: &'a Companion) -> Entry<'a> {
    let place = finding.occurrences.iter().find(|place| place.path == one.path);
    let place = place.unwrap_or(&finding.occurrences[0]);
    let secret = one.secret.value.as_deref().unwrap_or(REDACTED);
    let whole = entry(finding, place);
    let in_commit = if whole.commit.is_empty() { String::new() } else { format!("{}:", whole.commit) };
    Entry {
        rule_id: &one.rule,
        description: &one.title,
        start_line: one.start.line,
        end_line: one.end.line,
        start_column: one.start.column,
        end_column: one.end.column.saturating_sub(1),
        r#match: secret,
        secret,
        file: &one.path,
        entropy: 0.0,
        fingerprint: format!("{in_commit}{}:{}:{}", one.path, one.rule, one.start.line),
        ..whole
    }
}

/// gitleaks knows no verdicts; its tags are free.
fn tags(finding: &Finding) -> Vec<String> {
    let category = finding.category.map(|category| Category::as_str(category).to_owned());
    let verdict = finding.verdict.as_ref().map(|verdict| format!("verdict:{verdict}"));
    category.into_iter().chain(verdict).collect()
}

fn entropy(finding: &Finding) -> f32 {
    let bits = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Entropy { bits } => Some(*bits),
        _ => None,
    });
    bits.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};

    #[test]
    fn entry_has_the_fields_of_gitleaks_and_no_secret() {
        let text = sample::text(&sample::report(), Format::Gitleaks);
        let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(entries.len(), sample::report().occurrences());
        insta::assert_snapshot!(format!("{:#}", entries[6]), @r#"
        {
          "RuleID": "generic-password",
          "Description": "Password",
          "StartLine": 3,
          "EndLine": 3,
          "StartColumn": 20,
          "EndColumn": 59,
          "Match": "REDACTED",
          "Secret": "REDACTED",
          "File": "src/日本 1%.py",
          "SymlinkFile": "",
          "Commit": "",
          "Entropy": 3.5,
          "Author": "",
          "Email": "",
          "Date": "",
          "Message": "",
          "Tags": [],
          "Fingerprint": "src/日本 1%.py:generic-password:3"
        }
        "#);
    }

    #[test]
    fn entry_of_a_history_names_its_commit() {
        let text = sample::text(&sample::history(), Format::Gitleaks);
        let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        insta::assert_snapshot!(format!("{:#}", entries[0]), @r#"
        {
          "RuleID": "github-pat",
          "Description": "GitHub personal access token",
          "StartLine": 12,
          "EndLine": 12,
          "StartColumn": 14,
          "EndColumn": 53,
          "Match": "REDACTED",
          "Secret": "REDACTED",
          "File": "config/app.env",
          "SymlinkFile": "",
          "Commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "Entropy": 4.875,
          "Author": "Ada Lovelace",
          "Email": "ada@example.com",
          "Date": "2024-03-01T00:00:00+01:00",
          "Message": "Deploy with a token: until somebody finds a better way to do this",
          "Tags": [
            "user-credential"
          ],
          "Fingerprint": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb:config/app.env:github-pat:12"
        }
        "#);
    }

    #[test]
    fn nothing_found_is_an_empty_array() {
        assert_eq!(sample::text(&sample::clean(), Format::Gitleaks), "[]\n");
    }
}
