//! One JSON object a line, one line a place: for pipes and log stores.

use serde::Serialize;

use crate::model::{
    Category, Confidence, Evidence, Exposure, Finding, Fingerprint, Moment, Occurrence, Report, SecretView,
    Severity, Verdict,
};

use super::{RenderError, RenderOptions, terminal};

#[derive(Serialize)]
struct Line<'a> {
    rule: &'a str,
    title: &'a str,
    severity: Severity,
    confidence: Confidence,
    category: Option<Category>,
    provider: Option<&'a str>,
    verdict: Option<&'a Verdict>,
    fingerprint: &'a Fingerprint,
    secret: &'a SecretView,
    evidence: &'a [Evidence],
    exposure: Exposure,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<&'a Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<&'a Moment>,
    #[serde(flatten)]
    occurrence: &'a Occurrence,
}

/// A line for each place of each finding.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let mut text = String::new();
    for finding in &report.findings {
        for occurrence in &finding.occurrences {
            text.push_str(&serde_json::to_string(&line(finding, occurrence))?);
            text.push('\n');
        }
    }
    Ok(terminal::escape_json(text).into_bytes())
}

fn line<'a>(finding: &'a Finding, occurrence: &'a Occurrence) -> Line<'a> {
    Line {
        rule: &finding.rule,
        title: &finding.title,
        severity: finding.severity,
        confidence: finding.confidence,
        category: finding.category,
        provider: finding.provider.as_deref(),
        verdict: finding.verdict.as_ref(),
        fingerprint: &finding.fingerprint,
        secret: &finding.secret,
        evidence: &finding.evidence,
        exposure: finding.exposure,
        first_seen: finding.first_seen.as_ref(),
        last_seen: finding.last_seen.as_ref(),
        occurrence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};

    #[test]
    fn every_line_is_an_object_with_finding_and_place() {
        let text = sample::text(&sample::report(), Format::Jsonl);
        assert_eq!(text.lines().count(), sample::report().occurrences());
        insta::assert_snapshot!(text.lines().skip(5).collect::<Vec<_>>().join("\n"), @r#"
        {"rule":"private-key","title":"Private key","severity":"high","confidence":"high","category":"encryption-key","provider":null,"verdict":null,"fingerprint":"p1:1298ac9fa8cf5ad88c78af702a8fcaaa2387bb920e64edf3ae85e3918998793a","secret":{"redacted":"-----BEGIN ********","length":148},"evidence":[{"kind":"format","rule":"private-key"}],"exposure":"staged","path":"keys/id_rsa","start":{"line":1,"column":1},"end":{"line":27,"column":30},"span":{"start":100,"end":140},"excerpt":"-----BEGIN ********"}
        {"rule":"generic-password","title":"Password","severity":"medium","confidence":"medium","category":null,"provider":null,"verdict":null,"fingerprint":"p1:7597495286ec6107547408d35e205fdd40875948ca43670ae96ba0ef62545eba","secret":{"redacted":"********","length":15},"evidence":[{"kind":"entropy","bits":3.5},{"kind":"context","name":"DB_PASSWORD"}],"exposure":"worktree","path":"src/日本 1%.py","start":{"line":3,"column":20},"end":{"line":3,"column":60},"span":{"start":100,"end":140},"excerpt":"DB_PASSWORD = \"********\"  # 本番","place":"l1:59384b34ff4a44b9b0df1b8700af2da3b4f3db9730fb6c16115ca4815f344a1b"}
        "#);
    }

    #[test]
    fn line_of_a_history_has_its_commit_and_the_first_and_last() {
        let text = sample::text(&sample::history(), Format::Jsonl);
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(line["first_seen"]["commit"], "a".repeat(40));
        assert_eq!(line["last_seen"]["date"], "2025-01-02T03:04:05+00:00");
        assert_eq!((&line["commit"], &line["exposure"]), (&"b".repeat(40).into(), &"head".into()));
        assert_eq!(line["refs"], serde_json::json!(["HEAD", "refs/heads/main", "refs/tags/v1"]));
    }

    #[test]
    fn nothing_found_is_nothing_written() {
        assert_eq!(sample::text(&sample::clean(), Format::Jsonl), "");
    }
}
