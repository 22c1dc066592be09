//! GitLab's security report of kind `secret_detection`, which its pipelines and merge requests show.
//!
//! The form: <https://gitlab.com/gitlab-org/security-products/security-report-schemas>. Like SARIF it is made to be uploaded, so
//! it never holds a secret's clear text, not even where the report does.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::{Finding, Gap, Occurrence, Report, Severity, SourceKind};

use super::{
    RenderError, RenderOptions, json as json_format,
    terminal::{sanitise, sanitise_line},
    uri, whereabouts, wording,
};

/// Of major version 15, which GitLab takes since its own version 15.
const SCHEMA_VERSION: &str = "15.0.7";
const SCHEMA_URI: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.0.7/dist/secret-detection-report-format.json";
/// The schema asks for a commit also where a tree has none.
const NO_COMMIT: &str = "0000000";
/// The schema asks for times, and a report holds none: the same input gives the same bytes.
const NO_TIME: &str = "1970-01-01T00:00:00";
/// The longest name that the schema allows, in characters.
const MAX_NAME: usize = 255;
/// Messages about what was not scanned.
const MAX_MESSAGES: usize = 100;

/// A vulnerability for each place of each finding.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let of = |finding| move |place| vulnerability(report, finding, place);
    let all: Vec<Value> =
        report.findings.iter().flat_map(|finding| finding.occurrences.iter().map(of(finding))).collect();
    json_format::to_bytes(&json!({
        "version": SCHEMA_VERSION,
        "schema": SCHEMA_URI,
        "scan": scan(report),
        "vulnerabilities": all,
    }))
}

fn scan(report: &Report) -> Value {
    let tool = json!({
        "id": "hekate",
        "name": "hekate",
        "url": wording::INFORMATION_URI,
        "version": report.version,
        "vendor": { "name": "hekate" },
    });
    json!({
        "analyzer": tool,
        "scanner": tool,
        "type": "secret_detection",
        "status": if report.coverage.is_incomplete() { "failure" } else { "success" },
        "start_time": NO_TIME,
        "end_time": NO_TIME,
        "messages": messages(&report.coverage.gaps),
    })
}

/// What should have been scanned and was not.
fn messages(gaps: &[Gap]) -> Vec<Value> {
    let failures: Vec<&Gap> = gaps.iter().filter(|gap| gap.reason.is_failure()).collect();
    let text = |gap: &&Gap| {
        let detail = if gap.detail.is_empty() { String::new() } else { format!(" ({})", gap.detail) };
        format!("not, or not wholly, scanned: {}: {}{detail}", gap.path, gap.reason)
    };
    let mut texts: Vec<String> = failures.iter().take(MAX_MESSAGES).map(text).collect();
    if failures.len() > MAX_MESSAGES {
        let more = wording::counted((failures.len() - MAX_MESSAGES) as u64, "more gap");
        texts.push(format!("{more}; the JSON report has them all"));
    }
    texts.iter().map(|text| json!({ "level": "warn", "value": sanitise(text) })).collect()
}

fn vulnerability(report: &Report, finding: &Finding, place: &Occurrence) -> Value {
    let commit = commit(report, place);
    let mut vulnerability = json!({
        "id": id(finding, place, commit),
        "category": "secret_detection",
        "name": sanitise(&finding.title).chars().take(MAX_NAME).collect::<String>(),
        "description": wording::description(finding),
        "severity": severity(finding.severity),
        "solution": wording::ADVICE,
        "location": {
            "file": place.path,
            "start_line": place.start.line,
            "end_line": place.end.line,
            "commit": { "sha": sanitise(commit) },
        },
        "identifiers": identifiers(finding),
        "details": {
            "why": detail("Why it is believed", &wording::why(finding)),
            "confidence": detail("Confidence", finding.confidence.as_str()),
            "places": detail("Places in all", &finding.occurrences.len().to_string()),
        },
        "raw_source_code_extract": sanitise_line(&place.excerpt),
    });
    let said = [("author", &place.author), ("date", &place.date), ("message", &place.subject)];
    for (name, text) in said.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))) {
        vulnerability["location"]["commit"][name] = json!(sanitise(text));
    }
    if let Some(exposure) = whereabouts::exposure(finding, report.source.repository.as_ref()) {
        vulnerability["details"]["exposure"] = detail("Where it is", &exposure);
    }
    if let Some(lifetime) = whereabouts::lifetime(finding) {
        vulnerability["details"]["lifetime"] = detail("When", &lifetime);
    }
    if let Some(verdict) = &finding.verdict {
        vulnerability["details"]["verdict"] = detail("Verdict", &wording::verdict(verdict));
    }
    if let Some(help) = finding.help.as_deref().filter(|help| uri::is_web_address(help)) {
        vulnerability["links"] = json!([{ "name": "Revoke or rotate it", "url": help }]);
    }
    vulnerability
}

/// The commit that a place stands in, or that brought it in: what is checked out, where the scan was one of files.
fn commit<'a>(report: &'a Report, place: &'a Occurrence) -> &'a str {
    let is_history = report.source.kind == SourceKind::History;
    let repository = report.source.repository.as_ref().filter(|_| !is_history);
    let revision = repository.and_then(|repository| repository.revision.as_deref());
    place.commit.as_deref().or(revision).unwrap_or(NO_COMMIT)
}

/// A UUID of version 8 (RFC 9562) that the same secret at the same place always has.
fn id(finding: &Finding, place: &Occurrence, commit: &str) -> String {
    let mut hash = Sha256::new();
    for part in [&finding.fingerprint.to_string(), commit, &place.path] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(place.span.start.to_be_bytes());
    hash.update(place.span.end.to_be_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = 0x80 | bytes[6] & 0x0F;
    bytes[8] = 0x80 | bytes[8] & 0x3F;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The rule comes first: GitLab tells vulnerabilities apart by place and first identifier.
fn identifiers(finding: &Finding) -> Value {
    let rule = sanitise(&finding.rule);
    json!([
        { "type": "hekate_rule_id", "name": format!("hekate rule {rule}"), "value": rule },
        {
            "type": "hekate_fingerprint",
            "name": format!("hekate secret {}", finding.fingerprint),
            "value": finding.fingerprint.to_string(),
        },
    ])
}

/// Text that GitLab shows as it is: no Markdown, so that content can't put links into it.
fn detail(name: &str, value: &str) -> Value {
    json!({ "name": name, "type": "text", "value": sanitise(value) })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};
    use super::*;

    /// What the published schema asks of the parts that are written here, and nothing beyond them.
    fn schema() -> Value {
        let text = json!({ "type": "string", "minLength": 1 });
        let time = json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$" });
        let closed = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
        let address = json!({ "type": "string", "pattern": "^https?://.+" });
        let tool = closed(
            &["id", "name", "version", "vendor"],
            json!({ "id": text, "name": text, "version": text, "url": address, "vendor": closed(&["name"], json!({ "name": text })) }),
        );
        let message = closed(
            &["level", "value"],
            json!({ "level": { "enum": ["info", "warn", "fatal"] }, "value": text }),
        );
        let scan = closed(
            &["analyzer", "end_time", "scanner", "start_time", "status", "type"],
            json!({
                "analyzer": tool, "scanner": tool, "start_time": time, "end_time": time, "type": { "const": "secret_detection" },
                "status": { "enum": ["success", "failure"] }, "messages": { "type": "array", "items": message },
            }),
        );
        let location = closed(
            &["commit"],
            json!({ "file": { "type": "string" }, "start_line": { "type": "number" }, "end_line": { "type": "number" },
                "commit": closed(&["sha"], json!({ "sha": text, "author": { "type": "string" }, "date": { "type": "string" }, "message": { "type": "string" } })) }),
        );
        let identifier =
            closed(&["type", "name", "value"], json!({ "type": text, "name": text, "value": text }));
        let detail = closed(
            &["name", "type", "value"],
            json!({ "name": text, "type": { "const": "text" }, "value": { "type": "string" } }),
        );
        let vulnerability = closed(
            &["id", "identifiers", "location"],
            json!({
                "id": text, "category": { "const": "secret_detection" }, "name": { "type": "string", "maxLength": 255 },
                "description": { "type": "string", "maxLength": 1_048_576 }, "solution": { "type": "string", "maxLength": 7000 },
                "severity": { "enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"] }, "location": location,
                "identifiers": { "type": "array", "minItems": 1, "items": identifier },
                "links": { "type": "array", "items": closed(&["url"], json!({ "name": text, "url": address })) },
                "details": { "type": "object", "additionalProperties": detail }, "raw_source_code_extract": { "type": "string" },
            }),
        );
        closed(
            &["scan", "version", "vulnerabilities"],
            json!({ "version": { "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$" }, "schema": address, "scan": scan,
                "vulnerabilities": { "type": "array", "items": vulnerability } }),
        )
    }

    fn value(report: &Report) -> Value {
        serde_json::from_str(&sample::text(report, Format::Gitlab)).unwrap()
    }

    #[test]
    fn reports_are_as_the_published_schema_asks() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let mut many = sample::report();
        many.coverage.gaps = vec![many.coverage.gaps[1].clone(); 101];
        many.findings[0].title = "ä".repeat(300);
        for report in [
            sample::clean(),
            sample::report(),
            sample::history(),
            sample::with_secrets(),
            sample::hostile(),
            many,
        ] {
            let errors: Vec<_> =
                validator.iter_errors(&value(&report)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
    }

    #[test]
    fn every_place_is_a_vulnerability_with_an_id_of_its_own() {
        let report = value(&sample::report());
        let all = report["vulnerabilities"].as_array().unwrap();
        let ids: std::collections::BTreeSet<&str> =
            all.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!((all.len(), ids.len()), (sample::report().occurrences(), sample::report().occurrences()));
    }

    #[test]
    fn scan_that_saw_not_everything_is_a_failure_that_says_so() {
        let scan = &value(&sample::report())["scan"];
        assert_eq!(scan["status"], "failure");
        let text = "not, or not wholly, scanned: var/secret.db: unreadable (Permission denied)";
        assert_eq!(scan["messages"], json!([{ "level": "warn", "value": text }]));
        assert_eq!(value(&sample::clean())["scan"]["status"], "success");
    }

    #[test]
    fn vulnerability_of_a_history_names_its_commit() {
        let report = value(&sample::history());
        let all = report["vulnerabilities"].as_array().unwrap();
        let mut commits = [&all[0], all.last().unwrap()].map(|one| one["location"]["commit"].clone());
        commits[0]["where"] = all[0]["details"]["exposure"]["value"].clone();
        commits[1]["when"] = all.last().unwrap()["details"]["lifetime"]["value"].clone();
        insta::assert_snapshot!(format!("{:#}\n{:#}", commits[0], commits[1]), @r#"
        {
          "sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "author": "Ada Lovelace <ada@example.com>",
          "date": "2024-03-01T00:00:00+01:00",
          "message": "Deploy with a token: until somebody finds a better way to do this",
          "where": "still at HEAD (main); tag v1"
        }
        {
          "sha": "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
          "when": "on 2023-05-06 (eeeeeeeeeeee)"
        }
        "#);
    }

    #[test]
    fn vulnerability_says_what_where_and_what_to_do() {
        let report = value(&sample::report());
        let mut first = report["vulnerabilities"][0].clone();
        first["solution"] = Value::Null;
        insta::assert_snapshot!(format!("{first:#}"), @r#"
        {
          "id": "c8a84678-fb8a-829f-836b-b05d8389e846",
          "category": "secret_detection",
          "name": "GitHub personal access token",
          "description": "GitHub personal access token (user-credential) in clear text, where everyone who can read the file can use it.",
          "severity": "Critical",
          "solution": null,
          "location": {
            "file": "config/app.env",
            "start_line": 12,
            "end_line": 12,
            "commit": {
              "sha": "0123456789abcdef0123456789abcdef01234567"
            }
          },
          "identifiers": [
            {
              "type": "hekate_rule_id",
              "name": "hekate rule github-pat",
              "value": "github-pat"
            },
            {
              "type": "hekate_fingerprint",
              "name": "hekate secret p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e",
              "value": "p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e"
            }
          ],
          "details": {
            "why": {
              "name": "Why it is believed",
              "type": "text",
              "value": "has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN"
            },
            "confidence": {
              "name": "Confidence",
              "type": "text",
              "value": "high"
            },
            "places": {
              "name": "Places in all",
              "type": "text",
              "value": "5"
            },
            "verdict": {
              "name": "Verdict",
              "type": "text",
              "value": "active: the provider accepts it"
            }
          },
          "raw_source_code_extract": "GITHUB_TOKEN=ghp_********",
          "links": [
            {
              "name": "Revoke or rotate it",
              "url": "https://github.com/settings/tokens"
            }
          ]
        }
        "#);
    }
}
