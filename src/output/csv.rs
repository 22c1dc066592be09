//! One row a place, for spreadsheets.

use crate::model::{Category, Finding, Moment, Occurrence, Report, Verdict};

use super::{
    RenderError, RenderOptions,
    terminal::{sanitise, sanitise_line},
    wording,
};

type Cell = fn(&Finding, &Occurrence) -> String;

/// The columns in their order: name and content.
const COLUMNS: &[(&str, Cell)] = &[
    ("severity", |finding, _| finding.severity.to_string()),
    ("confidence", |finding, _| finding.confidence.to_string()),
    ("rule", |finding, _| finding.rule.clone()),
    ("title", |finding, _| finding.title.clone()),
    ("category", |finding, _| finding.category.map(Category::as_str).unwrap_or_default().to_owned()),
    ("provider", |finding, _| finding.provider.clone().unwrap_or_default()),
    ("verdict", |finding, _| finding.verdict.as_ref().map(Verdict::to_string).unwrap_or_default()),
    ("path", |_, place| place.path.clone()),
    ("line", |_, place| place.start.line.to_string()),
    ("column", |_, place| place.start.column.to_string()),
    ("end_line", |_, place| place.end.line.to_string()),
    ("end_column", |_, place| place.end.column.to_string()),
    ("secret", |finding, _| finding.secret.value.as_ref().unwrap_or(&finding.secret.redacted).clone()),
    ("length", |finding, _| finding.secret.length.to_string()),
    ("excerpt", |_, place| sanitise_line(&place.excerpt)),
    ("why", |finding, _| wording::why(finding)),
    ("help", |finding, _| finding.help.clone().unwrap_or_default()),
    ("fingerprint", |finding, _| finding.fingerprint.to_string()),
    ("exposure", |finding, _| finding.exposure.as_str().to_owned()),
    ("commit", |_, place| place.commit.clone().unwrap_or_default()),
    ("author", |_, place| place.author.clone().unwrap_or_default()),
    ("date", |_, place| place.date.clone().unwrap_or_default()),
    ("subject", |_, place| place.subject.clone().unwrap_or_default()),
    ("refs", |_, place| place.refs.join(" ")),
    ("first_seen", |finding, _| moment(finding.first_seen.as_ref())),
    ("last_seen", |finding, _| moment(finding.last_seen.as_ref())),
];

/// A commit's date, or where it has none that can be written, its id.
fn moment(moment: Option<&Moment>) -> String {
    moment.map(|moment| moment.date.as_ref().unwrap_or(&moment.commit).clone()).unwrap_or_default()
}

/// A header, then a row for each place of each finding. Control characters are escaped, so that a row is a line; who needs a
/// path or value byte for byte takes JSON.
pub(super) fn render(report: &Report, _options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().map(|(name, _)| name))?;
    for finding in &report.findings {
        for place in &finding.occurrences {
            writer.write_record(COLUMNS.iter().map(|(_, cell)| harmless(&cell(finding, place))))?;
        }
    }
    writer.into_inner().map_err(|error| RenderError::Csv(error.into_error().into()))
}

/// A cell that no spreadsheet takes for a formula (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub(crate) fn harmless(cell: &str) -> String {
    const STARTERS: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let guard = if cell.trim_start_matches(' ').starts_with(STARTERS) { "'" } else { "" };
    format!("{guard}{}", sanitise(cell))
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample};
    use super::*;

    #[test]
    fn every_place_is_a_row() {
        insta::assert_snapshot!(sample::text(&sample::report(), Format::Csv), @r#"
        severity,confidence,rule,title,category,provider,verdict,path,line,column,end_line,end_column,secret,length,excerpt,why,help,fingerprint,exposure,commit,author,date,subject,refs,first_seen,last_seen
        critical,high,github-pat,GitHub personal access token,user-credential,github,active,config/app.env,12,14,12,54,ghp_********,40,GITHUB_TOKEN=ghp_********,has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN,https://github.com/settings/tokens,p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e,worktree,,,,,,,
        critical,high,github-pat,GitHub personal access token,user-credential,github,active,deploy/1.yaml,99,10,99,50,ghp_********,40,"    token: ""ghp_********""",has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN,https://github.com/settings/tokens,p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e,worktree,,,,,,,
        critical,high,github-pat,GitHub personal access token,user-credential,github,active,deploy/2.yaml,100,10,100,50,ghp_********,40,"    token: ""ghp_********""",has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN,https://github.com/settings/tokens,p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e,worktree,,,,,,,
        critical,high,github-pat,GitHub personal access token,user-credential,github,active,deploy/3.yaml,101,10,101,50,ghp_********,40,"    token: ""ghp_********""",has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN,https://github.com/settings/tokens,p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e,worktree,,,,,,,
        critical,high,github-pat,GitHub personal access token,user-credential,github,active,deploy/4.yaml,102,10,102,50,ghp_********,40,"    token: ""ghp_********""",has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN,https://github.com/settings/tokens,p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e,worktree,,,,,,,
        high,high,private-key,Private key,encryption-key,,,keys/id_rsa,1,1,27,30,'-----BEGIN ********,148,'-----BEGIN ********,has the format of this type,,p1:1298ac9fa8cf5ad88c78af702a8fcaaa2387bb920e64edf3ae85e3918998793a,staged,,,,,,,
        medium,medium,generic-password,Password,,,,src/日本 1%.py,3,20,3,60,********,15,"DB_PASSWORD = ""********""  # 本番",3.5 bits of entropy per character; assigned to DB_PASSWORD,,p1:7597495286ec6107547408d35e205fdd40875948ca43670ae96ba0ef62545eba,worktree,,,,,,,
        "#);
    }

    #[test]
    fn rows_of_a_history_say_who_when_and_where_it_still_is() {
        let text = sample::text(&sample::history(), Format::Csv);
        let columns = |row: &str| row.split(",p1:").last().unwrap()[65..].to_owned();
        let rows: Vec<String> = text.lines().skip(1).map(columns).collect();
        insta::assert_snapshot!([&rows[0], &rows[5]].map(String::as_str).join("\n"), @r"
        head,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,Ada Lovelace <ada@example.com>,2024-03-01T00:00:00+01:00,Deploy with a token: until somebody finds a better way to do this,HEAD refs/heads/main refs/tags/v1,2024-02-29T23:59:59+01:00,2025-01-02T03:04:05+00:00
        past,eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee,,,,,2023-05-06T07:08:09-08:00,2023-05-06T07:08:09-08:00
        ");
    }

    #[test]
    fn cells_that_would_be_formulas_are_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "\t=1", "\r=1"] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        assert_eq!(harmless("a=1"), "a=1");
        assert_eq!(harmless("two\nlines"), r"two\nlines");
    }
}
