//! The report as JSON, both ways. docs/report.schema.json describes the form.

use serde::{Deserialize, Serialize};

use crate::model::{Report, SCHEMA};

use super::{RenderError, RenderOptions, terminal};

/// The whole report, indented.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    to_bytes(report)
}

/// Any value as indented JSON with a line feed at its end, fit to be printed on a terminal.
pub(super) fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, RenderError> {
    let mut json = serde_json::to_string_pretty(value)?;
    json.push('\n');
    Ok(terminal::escape_json(json).into_bytes())
}

/// Text that is no report of a form that is known. Its messages hold no string value of the text, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseReportError {
    /// It is not JSON at all.
    #[error("read the report: it is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, and not what `hekate scan --format json` writes.
    #[error(
        "read the report: it has no `schema`, so it is no JSON report of hekate (`hekate scan --format json`)"
    )]
    NoSchema,
    /// It is of a version that this hekate doesn't know.
    #[error("read the report: its schema is {0}; this version of hekate reads `{SCHEMA}`")]
    OtherSchema(String),
    /// It says that it is a report, and something in it is not as it should be.
    #[error("read the report: {0}")]
    Shape(String),
}

/// Reads a report back from what [`Format::Json`](super::Format::Json) wrote.
///
/// # Errors
/// When the text is not JSON, no report, of another version, or not of the report's form, with the line and column.
pub fn parse_report(text: &str) -> Result<Report, ParseReportError> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }

    let head: Head = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ParseReportError::NoSchema,
        _ => ParseReportError::NotJson(message(&error)),
    })?;
    if head.schema != SCHEMA {
        let schema: String = head.schema.chars().take(60).collect();
        return Err(ParseReportError::OtherSchema(format!("`{}`", terminal::sanitise(&schema))));
    }
    serde_json::from_str(text).map_err(|error| ParseReportError::Shape(message(&error)))
}

/// serde's message without the string it stumbled over: `invalid type: string "…", expected u64 at line 3 column 9`.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quoted = text.find('"').zip(text.rfind('"')).filter(|(first, last)| first < last);
    let text =
        quoted.map_or(text.clone(), |(first, last)| format!("{}\"…\"{}", &text[..first], &text[last + 1..]));
    terminal::sanitise(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};
    use super::*;

    const DOCUMENTED: &str = include_str!("../../docs/report.schema.json");

    fn validator() -> jsonschema::Validator {
        jsonschema::validator_for(&serde_json::from_str(DOCUMENTED).unwrap()).unwrap()
    }

    fn value(report: &Report) -> serde_json::Value {
        serde_json::from_str(&sample::text(report, Format::Json)).unwrap()
    }

    #[test]
    fn reports_are_as_the_schema_says() {
        let validator = validator();
        for report in
            [sample::clean(), sample::report(), sample::history(), sample::with_secrets(), sample::hostile()]
        {
            let errors: Vec<_> =
                validator.iter_errors(&value(&report)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
    }

    use crate::model::{DecodeStep, Encoding, Evidence};

    #[test]
    fn every_field_that_the_schema_knows_is_in_a_report() {
        let mut report = sample::with_secrets();
        let place = &mut report.findings[0].occurrences[0];
        let said = || Some("said".to_owned());
        (place.blob, place.commit, place.author) = (said(), said(), said());
        (place.date, place.subject, place.refs) = (said(), said(), vec!["HEAD".to_owned()]);
        place.more_refs = 1;
        place.decode = vec![DecodeStep { by: Encoding::Base64, start: 3, end: 43 }];
        report.findings[0].secret.decoded = said();
        let beside = crate::model::Companion {
            rule: "key-id".into(),
            title: "Key id".into(),
            secret: report.findings[0].secret.clone(),
            alone: false,
            path: report.findings[0].occurrences[0].path.clone(),
            start: report.findings[0].occurrences[0].start,
            end: report.findings[0].occurrences[0].end,
        };
        report.findings[0].companions.push(beside);
        report.findings[0].evidence.push(Evidence::Encoded { by: vec![Encoding::Base64] });
        let moment = crate::model::Moment { commit: "said".to_owned(), date: said() };
        (report.findings[0].first_seen, report.findings[0].last_seen) = (Some(moment.clone()), Some(moment));
        report.coverage.history = Some(crate::model::HistoryCoverage::default());
        assert_eq!(validator().iter_errors(&value(&report)).count(), 0);
        let report = sample::text(&report, Format::Json);
        let schema: serde_json::Value = serde_json::from_str(DOCUMENTED).unwrap();
        let definitions = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for field in
            definitions.filter_map(|definition| definition["properties"].as_object()).flat_map(|o| o.keys())
        {
            assert!(report.contains(&format!("\"{field}\": ")), "{field}");
        }
    }

    #[test]
    fn schema_allows_no_other_field() {
        let mut report = value(&sample::report());
        report["findings"][0]["secret"]["clear"] = "text".into();
        assert!(!validator().is_valid(&report));
    }

    #[test]
    fn report_reads_back_as_it_was() {
        for report in
            [sample::clean(), sample::report(), sample::history(), sample::with_secrets(), sample::hostile()]
        {
            assert_eq!(parse_report(&sample::text(&report, Format::Json)), Ok(report));
        }
    }

    #[test]
    fn what_is_no_report_is_named() {
        let newer = r#"{"schema": "hekate.report/2\u001b", "findings": []}"#;
        let cut = r#"{"schema": "hekate.report/1", "version": "0.1.0"}"#;
        let wrong = r#"{"schema": "hekate.report/1", "version": "1", "source": "hunter2"}"#;
        let errors = ["not json", "[]", r#"{"runs": []}"#, newer, cut, wrong]
            .map(|text| parse_report(text).unwrap_err().to_string())
            .join("\n");
        insta::assert_snapshot!(errors, @r#"
        read the report: it is not JSON: expected ident at line 1 column 2
        read the report: it has no `schema`, so it is no JSON report of hekate (`hekate scan --format json`)
        read the report: it has no `schema`, so it is no JSON report of hekate (`hekate scan --format json`)
        read the report: its schema is `hekate.report/2\x1b`; this version of hekate reads `hekate.report/1`
        read the report: missing field `source` at line 1 column 49
        read the report: invalid type: string "…", expected struct Source at line 1 column 65
        "#);
    }
}
