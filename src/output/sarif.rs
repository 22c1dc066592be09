//! SARIF 2.1.0, for code scanning.
//!
//! The form: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>; what GitHub makes of it:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.
//! It is made to be uploaded, so it never holds a secret's clear text, not even where the report does.

use std::collections::BTreeMap;

use serde_json::json;
use serde_sarif::sarif;

use crate::model::{
    Category, Confidence, Coverage, Finding, Gap, Occurrence, Position, Report, Repository, Severity,
    SourceKind, Suppression,
};

use super::{
    RenderError, RenderOptions, json as json_format,
    terminal::{sanitise, sanitise_line},
    uri, whereabouts, wording,
};

const SCHEMA_URI: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Places of one result; a secret at more of them says so in its message and its `places` property.
const MAX_LOCATIONS: usize = 100;
/// Notifications of one run, failures first.
const MAX_NOTIFICATIONS: usize = 100;
/// What readers keep in 32 bits.
const MAX_NUMBER: u64 = i32::MAX as u64;

/// One run with a result for each secret.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let log =
        sarif::Sarif::builder().schema(SCHEMA_URI).version(json!("2.1.0")).runs(vec![run(report)]).build();
    json_format::to_bytes(&log)
}

fn run(report: &Report) -> sarif::Run {
    let rules = RuleTable::of(report);
    let id = format!("hekate/{}/", source_word(report.source.kind));
    let mut run = sarif::Run::builder()
        .automation_details(sarif::RunAutomationDetails::builder().id(id).build())
        .column_kind(json!(sarif::ResultColumnKind::UnicodeCodePoints))
        .invocations(vec![invocation(&report.coverage)])
        .results(results(report, &rules))
        .tool(tool(report, &rules))
        .build();
    run.version_control_provenance =
        report.source.repository.as_ref().and_then(provenance).map(|details| vec![details]);
    run
}

fn source_word(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Worktree => "worktree",
        SourceKind::Stdin => "stdin",
        SourceKind::Staged => "staged",
        SourceKind::History => "history",
    }
}

fn provenance(repository: &Repository) -> Option<sarif::VersionControlDetails> {
    let remote = uri::remote(repository.remote.as_deref()?)?;
    let mut details = sarif::VersionControlDetails::builder().repository_uri(remote).build();
    details.revision_id.clone_from(&repository.revision);
    details.branch.clone_from(&repository.branch);
    Some(details)
}

/// The rules that findings name, in the order of their first use, each with its first finding.
struct RuleTable<'a> {
    rules: Vec<&'a Finding>,
    index: BTreeMap<&'a str, usize>,
}

impl<'a> RuleTable<'a> {
    fn of(report: &'a Report) -> Self {
        let suppressed = report.suppressed_findings.iter().map(|entry| &entry.finding);
        let mut table = Self { rules: Vec::new(), index: BTreeMap::new() };
        for finding in report.findings.iter().chain(suppressed) {
            table.index.entry(&finding.rule).or_insert_with(|| {
                table.rules.push(finding);
                table.rules.len() - 1
            });
        }
        table
    }
}

fn tool(report: &Report, rules: &RuleTable<'_>) -> sarif::Tool {
    let driver = sarif::ToolComponent::builder()
        .name("hekate")
        .version(report.version.as_str())
        .information_uri(wording::INFORMATION_URI)
        .rules(rules.rules.iter().map(|finding| rule(finding)).collect::<Vec<_>>())
        .build();
    sarif::Tool::builder().driver(driver).build()
}

fn rule(finding: &Finding) -> sarif::ReportingDescriptor {
    let help_uri =
        finding.help.as_deref().filter(|help| uri::is_web_address(help)).unwrap_or(wording::INFORMATION_URI);
    let level = json!(level(finding.severity));
    sarif::ReportingDescriptor::builder()
        .id(finding.rule.as_str())
        .name(pascal_case(&finding.rule))
        .short_description(&sanitise(&finding.title).into_owned())
        .full_description(&wording::description(finding))
        .help_uri(help_uri)
        .help(help(help_uri))
        .default_configuration(sarif::ReportingConfiguration::builder().level(level).build())
        .properties(rule_properties(finding))
        .build()
}

/// `github-pat` as `GithubPat`: SARIF wants a name that is an identifier.
fn pascal_case(id: &str) -> String {
    let words = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}

fn help(help_uri: &str) -> sarif::MultiformatMessageString {
    sarif::MultiformatMessageString::builder()
        .text(format!("{} See {help_uri}", wording::ADVICE))
        .markdown(format!("{}\n\n[Read more]({help_uri})", wording::ADVICE))
        .build()
}

fn rule_properties(finding: &Finding) -> sarif::PropertyBag {
    let category = finding.category.map(Category::as_str);
    let tags = ["security", "secret"].into_iter().chain(category).map(str::to_owned);
    sarif::PropertyBag::builder()
        .tags(tags.collect::<Vec<_>>())
        .additional_properties(BTreeMap::from([
            ("precision".to_owned(), json!(precision(finding.confidence))),
            ("security-severity".to_owned(), json!(security_severity(finding.severity))),
        ]))
        .build()
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    }
}

/// On the scale of CVSS, where GitHub draws critical above 9.0, high from 7.0 and medium from 4.0.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

fn level(severity: Severity) -> sarif::ResultLevel {
    match severity {
        Severity::Critical | Severity::High => sarif::ResultLevel::Error,
        Severity::Medium => sarif::ResultLevel::Warning,
        Severity::Low => sarif::ResultLevel::Note,
    }
}

fn results(report: &Report, rules: &RuleTable<'_>) -> Vec<sarif::Result> {
    let kept = report.findings.iter().map(|finding| result(finding, rules));
    let suppressed = report.suppressed_findings.iter().map(|entry| {
        let mut result = result(&entry.finding, rules);
        result.suppressions = Some(vec![suppression(entry.reason)]);
        result
    });
    kept.chain(suppressed).collect()
}

fn result(finding: &Finding, rules: &RuleTable<'_>) -> sarif::Result {
    let fingerprint = ("hekateSecret/v1".to_owned(), finding.fingerprint.to_string());
    let mut result = sarif::Result::builder()
        .rule_id(finding.rule.as_str())
        .rule_index(to_number(rules.index[finding.rule.as_str()] as u64, 0))
        .level(level(finding.severity))
        .message(sarif::Message::builder().text(message(finding)).build())
        .locations(finding.occurrences.iter().take(MAX_LOCATIONS).map(location).collect::<Vec<_>>())
        .partial_fingerprints(BTreeMap::from([fingerprint]))
        .properties(result_properties(finding))
        .build();
    result.related_locations = related(finding);
    result
}

/// What belongs to a secret, as places related to the result.
fn related(finding: &Finding) -> Option<Vec<sarif::Location>> {
    let related = finding.companions.iter().map(|one| {
        let physical = sarif::PhysicalLocation::builder()
            .artifact_location(artifact(&one.path))
            .region(region(one.start, one.end))
            .build();
        let text = plain_message(&sanitise(&format!("{} {} [{}]", one.title, one.secret.redacted, one.rule)));
        sarif::Location::builder()
            .physical_location(physical)
            .message(sarif::Message::builder().text(text).build())
            .build()
    });
    (!finding.companions.is_empty()).then(|| related.collect())
}

fn message(finding: &Finding) -> String {
    let mut text = format!("{} {}", finding.title, finding.secret.redacted);
    if let Some((first, rest)) = finding.occurrences.split_first() {
        text.push_str(&format!(" at {}", wording::place(first)));
        if !rest.is_empty() {
            text.push_str(&format!(" and {}", wording::counted(rest.len() as u64, "more place")));
        }
    }
    if let Some(exposure) = whereabouts::message(finding) {
        text.push_str(&format!("; {exposure}"));
    }
    text.push_str(&format!(" ({}: {})", wording::certainty(finding.confidence), wording::why(finding)));
    plain_message(&sanitise(&text))
}

/// `[text](address)` is a link in SARIF's plain text too (section 3.11.6), and a file may be named so.
fn plain_message(text: &str) -> String {
    if text.contains("](") {
        text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]")
    } else {
        text.to_owned()
    }
}

fn result_properties(finding: &Finding) -> sarif::PropertyBag {
    let mut properties = BTreeMap::from([
        ("confidence".to_owned(), json!(finding.confidence)),
        ("exposure".to_owned(), json!(finding.exposure)),
        ("places".to_owned(), json!(finding.occurrences.len())),
        ("severity".to_owned(), json!(finding.severity)),
    ]);
    for (name, moment) in [("firstSeen", &finding.first_seen), ("lastSeen", &finding.last_seen)] {
        if let Some(moment) = moment {
            properties.insert(name.to_owned(), json!(moment));
        }
    }
    if let Some(verdict) = &finding.verdict {
        properties.insert("verdict".to_owned(), json!(verdict.to_string()));
    }
    sarif::PropertyBag::builder().additional_properties(properties).build()
}

fn suppression(reason: Suppression) -> sarif::Suppression {
    let kind = match reason {
        Suppression::InlineMark => sarif::SupressionKind::InSource,
        Suppression::RuleAllowlist
        | Suppression::GlobalAllowlist
        | Suppression::IgnoreFile
        | Suppression::Baseline => sarif::SupressionKind::External,
    };
    sarif::Suppression::builder().kind(json!(kind)).justification(reason.as_str()).build()
}

fn location(occurrence: &Occurrence) -> sarif::Location {
    let mut region = region(occurrence.start, occurrence.end);
    region.snippet = Some(sarif::ArtifactContent::builder().text(sanitise_line(&occurrence.excerpt)).build());
    let physical = sarif::PhysicalLocation::builder()
        .artifact_location(artifact(&occurrence.path))
        .region(region)
        .build();
    let mut location = sarif::Location::builder().physical_location(physical).build();
    location.properties = location_properties(occurrence);
    location
}

/// Of a history, who brought it there, and who still has it. The path may be one of long ago: it is written all the same, as that of a
/// file that is not there.
fn location_properties(occurrence: &Occurrence) -> Option<sarif::PropertyBag> {
    let texts = [
        ("author", &occurrence.author),
        ("blob", &occurrence.blob),
        ("commit", &occurrence.commit),
        ("date", &occurrence.date),
        ("subject", &occurrence.subject),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, json!(text.as_ref()?))));
    let refs = (!occurrence.refs.is_empty()).then(|| ("refs", json!(occurrence.refs)));
    let all: BTreeMap<String, _> = texts.chain(refs).map(|(name, value)| (name.to_owned(), value)).collect();
    (!all.is_empty()).then(|| sarif::PropertyBag::builder().additional_properties(all).build())
}

fn artifact(path: &str) -> sarif::ArtifactLocation {
    sarif::ArtifactLocation::builder().uri(uri::path(path)).uri_base_id("%SRCROOT%").build()
}

/// Lines and columns from 1, never empty or backwards: GitHub refuses a whole upload for one region that is.
fn region(start: Position, end: Position) -> sarif::Region {
    let line = to_number(start.line, 1);
    let column = to_number(start.column, 1).min(MAX_NUMBER as i64 - 1);
    let end_line = to_number(end.line, 1).max(line);
    let end_column = to_number(end.column, 1);
    let end_column = if end_line == line { end_column.max(column + 1) } else { end_column };
    sarif::Region::builder()
        .start_line(line)
        .start_column(column)
        .end_line(end_line)
        .end_column(end_column)
        .build()
}

fn to_number(number: u64, least: u64) -> i64 {
    number.clamp(least, MAX_NUMBER) as i64
}

fn invocation(coverage: &Coverage) -> sarif::Invocation {
    let (failures, others): (Vec<_>, Vec<_>) = coverage.gaps.iter().partition(|gap| gap.reason.is_failure());
    let notifications = failures.into_iter().chain(others).take(MAX_NOTIFICATIONS).map(notification);
    sarif::Invocation::builder()
        .execution_successful(!coverage.is_incomplete())
        .tool_execution_notifications(notifications.collect::<Vec<_>>())
        .build()
}

fn notification(gap: &Gap) -> sarif::Notification {
    let level = if gap.reason.is_failure() {
        sarif::NotificationLevel::Error
    } else {
        sarif::NotificationLevel::Note
    };
    let detail = if gap.detail.is_empty() { String::new() } else { format!(" ({})", gap.detail) };
    let text = format!("not, or not wholly, scanned: {}: {}{detail}", gap.path, gap.reason);
    let physical = sarif::PhysicalLocation::builder().artifact_location(artifact(&gap.path)).build();
    sarif::Notification::builder()
        .level(json!(level))
        .message(sarif::Message::builder().text(plain_message(&sanitise(&text))).build())
        .locations(vec![sarif::Location::builder().physical_location(physical).build()])
        .build()
}

#[cfg(test)]
mod tests;
