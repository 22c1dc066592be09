//! Accepted findings: a text file, one secret a line, that merges cleanly.
//!
//! ```text
//! # hekate baseline 1
//! p1:3fa9…  github-pat  until=2027-01-31  test account, no rights
//! l1:77b0…  generic-password  path=docker-compose.yml  local only
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    detect::canonical,
    model::{Finding, Fingerprint, Report, Secret},
};

const HEADER: &str =
    "# hekate baseline 1: accepted secrets, one a line: fingerprint rule [until=YYYY-MM-DD] [path=…] reason";

/// A day, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Text that is no day.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no date of the form YYYY-MM-DD")]
pub struct DateError(String);

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || DateError(text.to_owned());
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| {
            let part = parts
                .next()
                .filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or_else(fail)
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(fail());
        }
        let narrow = |value| u8::try_from(value).expect("at most 31");
        Ok(Self { year, month: narrow(month), day: narrow(day) })
    }
}

impl Date {
    /// The day (UTC) that lies so many seconds after 1970 began.
    pub fn from_unix(seconds: u64) -> Self {
        // Days to civil date after Howard Hinnant, "chrono-compatible low-level date algorithms".
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let narrow = |value: u64| u8::try_from(value).expect("at most 31");
        Self { year: u16::try_from(year).unwrap_or(u16::MAX), month: narrow(month), day: narrow(day) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// One accepted secret, or place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineEntry {
    /// What is accepted.
    pub fingerprint: Fingerprint,
    /// For the reader: it decides nothing.
    pub rule: String,
    /// The last day on which it is accepted.
    pub until: Option<Date>,
    /// For the reader, of a place: it decides nothing.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
}

impl fmt::Display for BaselineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fingerprint, self.rule)?;
        self.until.map_or(Ok(()), |until| write!(f, " until={until}"))?;
        self.path
            .as_ref()
            .map_or(Ok(()), |path| write!(f, " path={}", path.replace([' ', '\n', '\r'], "?")))?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " {}", self.reason) }
    }
}

/// Why a baseline can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BaselineError {
    /// A merge was not finished.
    #[error("line {0}: a conflict marker; finish the merge first (keep the lines of both sides)")]
    Conflict(usize),
    /// A line that is no entry.
    #[error("line {line}: {message}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Keyed entries, and no key.
    #[error(
        "line {0}: the entry is keyed (k1:): set HEKATE_KEY or HEKATE_KEY_FILE to the key it was written with"
    )]
    NoKey(usize),
    /// JSON that is neither gitleaks' nor ours.
    #[error("as JSON it is neither a gitleaks report nor a hekate report: {0}")]
    Json(String),
}

/// Accepted findings, and which of them were met.
#[derive(Debug, Default)]
pub struct Baseline {
    entries: Vec<BaselineEntry>,
    /// A merge may leave two entries for one secret.
    by_print: HashMap<Fingerprint, Vec<usize>>,
    met: Vec<AtomicBool>,
    /// gitleaks' entries: `(rule, path, line)`.
    places: HashSet<(String, String, u64)>,
    /// gitleaks' entries that hold the value: its canonical form.
    values: BTreeSet<Secret>,
}

/// Entries that did nothing in a scan.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BaselineUse {
    /// Met by nothing.
    pub unused: Vec<BaselineEntry>,
    /// Past their last day.
    pub expired: Vec<BaselineEntry>,
}

#[derive(Deserialize)]
struct GitleaksFinding {
    #[serde(rename = "RuleID")]
    rule: String,
    #[serde(rename = "File")]
    file: String,
    #[serde(rename = "StartLine")]
    line: u64,
    #[serde(rename = "Secret", default)]
    secret: Zeroizing<String>,
}

impl Baseline {
    /// Reads a baseline: our text form, a gitleaks JSON report, or a hekate JSON report. `has_key` is whether `HEKATE_KEY` is set.
    ///
    /// # Errors
    /// Conflict markers, a malformed line, keyed entries with no key: with the line.
    pub fn parse(text: &str, has_key: bool) -> Result<Self, BaselineError> {
        match text.trim_start().bytes().next() {
            Some(b'[') => Self::from_gitleaks(text),
            Some(b'{') => Self::from_report(text),
            _ => Self::from_lines(text, has_key),
        }
    }

    fn from_lines(text: &str, has_key: bool) -> Result<Self, BaselineError> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker)) {
                return Err(BaselineError::Conflict(number));
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = parse_entry(line).map_err(|message| BaselineError::Line { line: number, message })?;
            if entry.fingerprint.is_keyed() && !has_key {
                return Err(BaselineError::NoKey(number));
            }
            entries.push(entry);
        }
        Ok(Self::of(entries))
    }

    fn from_gitleaks(text: &str) -> Result<Self, BaselineError> {
        let findings: Vec<GitleaksFinding> =
            serde_json::from_str(text).map_err(|error| BaselineError::Json(error.to_string()))?;
        let mut baseline = Self::default();
        for finding in findings {
            if !finding.secret.is_empty() && *finding.secret != "REDACTED" {
                baseline.values.insert(Secret::new(canonical(finding.secret.as_bytes()).into_owned()));
            }
            baseline.places.insert((
                finding.rule,
                finding.file.trim_start_matches("./").to_owned(),
                finding.line,
            ));
        }
        Ok(baseline)
    }

    fn from_report(text: &str) -> Result<Self, BaselineError> {
        let report: Report =
            serde_json::from_str(text).map_err(|error| BaselineError::Json(error.to_string()))?;
        Ok(Self::of(report.findings.iter().flat_map(entries_of).collect()))
    }

    fn of(entries: Vec<BaselineEntry>) -> Self {
        let mut by_print: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            by_print.entry(entry.fingerprint).or_default().push(index);
        }
        let met = entries.iter().map(|_| AtomicBool::new(false)).collect();
        Self { entries, by_print, met, ..Self::default() }
    }

    /// Whether the secret, or the place, is accepted on this day.
    pub fn accepts(&self, fingerprint: &Fingerprint, today: Date) -> bool {
        let Some(indexes) = self.by_print.get(fingerprint) else { return false };
        indexes.iter().for_each(|index| self.met[*index].store(true, Ordering::Relaxed));
        indexes.iter().any(|index| self.entries[*index].until.is_none_or(|until| today <= until))
    }

    /// Takes all that a report has, or suppressed, as met.
    pub fn meet(&self, report: &Report) {
        let suppressed = report.suppressed_findings.iter().map(|one| &one.finding);
        for finding in report.findings.iter().chain(suppressed) {
            let places = finding.occurrences.iter().filter_map(|place| place.place);
            for print in places.chain([finding.fingerprint]) {
                let indexes = self.by_print.get(&print).into_iter().flatten();
                indexes.for_each(|index| self.met[*index].store(true, Ordering::Relaxed));
            }
        }
    }

    /// Whether a gitleaks baseline names this value or this place.
    pub fn accepts_gitleaks(&self, canonical: &Secret, place: (&str, &str, u64)) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let (rule, path, line) = place;
        self.values.contains(canonical) || self.places.contains(&(rule.to_owned(), path.to_owned(), line))
    }

    /// Whether it is gitleaks' own file, which holds what our text form can't.
    pub fn is_gitleaks(&self) -> bool {
        !self.places.is_empty()
    }

    /// What did nothing in the scans since it was read.
    pub fn usage(&self, today: Date) -> BaselineUse {
        let mut usage = BaselineUse::default();
        for (entry, met) in self.entries.iter().zip(&self.met) {
            if entry.until.is_some_and(|until| today > until) {
                usage.expired.push(entry.clone());
            } else if !met.load(Ordering::Relaxed) {
                usage.unused.push(entry.clone());
            }
        }
        usage
    }

    /// The baseline's text with these findings accepted too. Other entries keep their reason and date; an entry of a finding's own
    /// is expired, or it would not be one.
    pub fn with(&self, findings: &[Finding], reason: &str) -> String {
        let mut lines: BTreeMap<String, BaselineEntry> =
            self.entries.iter().map(|entry| (entry.fingerprint.to_string(), entry.clone())).collect();
        for mut entry in findings.iter().flat_map(entries_of) {
            entry.reason = reason.replace(['\n', '\r'], " ");
            lines.insert(entry.fingerprint.to_string(), entry);
        }
        render(lines.values())
    }

    /// The baseline's text without these entries, and how many went.
    pub fn without(&self, BaselineUse { unused, expired }: &BaselineUse) -> (String, usize) {
        let goes = |entry: &&BaselineEntry| unused.contains(entry) || expired.contains(entry);
        let mut kept: Vec<_> = self.entries.iter().filter(|entry| !goes(entry)).collect();
        kept.sort_by_key(|entry| entry.fingerprint.to_string());
        let gone = self.entries.len() - kept.len();
        (render(kept), gone)
    }
}

fn render<'a>(entries: impl IntoIterator<Item = &'a BaselineEntry>) -> String {
    let mut text = format!("{HEADER}\n");
    entries.into_iter().for_each(|entry| text.push_str(&format!("{entry}\n")));
    text
}

/// What accepts a finding: the secret, or each of its places where the secret is too weak to be named.
fn entries_of(finding: &Finding) -> Vec<BaselineEntry> {
    let entry = |fingerprint, path| BaselineEntry {
        fingerprint,
        rule: finding.rule.clone(),
        until: None,
        path,
        reason: String::new(),
    };
    if !finding.fingerprint.is_place() {
        return vec![entry(finding.fingerprint, None)];
    }
    let places = finding.occurrences.iter().filter_map(|place| Some((place.place?, place.path.clone())));
    places.map(|(fingerprint, path)| entry(fingerprint, Some(path))).collect()
}

fn parse_entry(line: &str) -> Result<BaselineEntry, String> {
    let mut words = line.split_whitespace();
    let fingerprint = words.next().unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
    let rule = words.next().ok_or("the rule's id is missing behind the fingerprint")?.to_owned();
    let mut entry = BaselineEntry { fingerprint, rule, until: None, path: None, reason: String::new() };
    for word in words {
        match (word.strip_prefix("until="), word.strip_prefix("path=")) {
            (Some(date), _) if entry.reason.is_empty() => {
                entry.until = Some(date.parse().map_err(|error: DateError| error.to_string())?);
            }
            (_, Some(path)) if entry.reason.is_empty() => entry.path = Some(path.to_owned()),
            _ if entry.reason.is_empty() => word.clone_into(&mut entry.reason),
            _ => {
                entry.reason.push(' ');
                entry.reason.push_str(word);
            }
        }
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FingerprintKey;

    fn print(value: &str) -> Fingerprint {
        FingerprintKey::public().fingerprint(value.as_bytes())
    }

    const TODAY: &str = "2026-11-23";

    fn today() -> Date {
        TODAY.parse().unwrap()
    }

    #[test]
    fn entries_accept_until_their_last_day() {
        let text =
            format!("{} jwt until=2026-11-23 a reason\n{} jwt until=2026-11-22\n", print("a"), print("b"));
        let baseline = Baseline::parse(&text, false).unwrap();
        assert!(baseline.accepts(&print("a"), today()));
        assert!(!baseline.accepts(&print("b"), today()));
        assert!(!baseline.accepts(&print("c"), today()));
        let usage = baseline.usage(today());
        assert_eq!((usage.unused.len(), usage.expired.len()), (0, 1));
        let (text, gone) = baseline.without(&usage);
        assert_eq!(gone, 1);
        assert!(text.contains("a reason") && !text.contains("2026-11-22"));
    }

    #[test]
    fn conflict_markers_are_named_by_line() {
        let text = format!("{} jwt\n<<<<<<< ours\n", print("a"));
        assert_eq!(Baseline::parse(&text, false).unwrap_err(), BaselineError::Conflict(2));
    }

    #[test]
    fn keyed_entries_need_their_key() {
        let keyed = FingerprintKey::from_hex(&"7".repeat(64)).unwrap().fingerprint(b"a");
        assert_eq!(Baseline::parse(&format!("{keyed} jwt"), false).unwrap_err(), BaselineError::NoKey(1));
        assert!(Baseline::parse(&format!("{keyed} jwt"), true).is_ok());
    }

    #[test]
    fn malformed_lines_are_named() {
        for (text, part) in [
            ("p1:xx jwt", "line 1: a fingerprint is"),
            (&format!("{} jwt until=soon", print("a")), "`soon` is no date"),
        ] {
            let error = Baseline::parse(text, false).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn gitleaks_reports_accept_by_value_or_place() {
        let text = r#"[{"RuleID":"r","File":"a.py","StartLine":3,"Secret":"REDACTED"},{"RuleID":"r","File":"b.py","StartLine":1,"Secret":"v"}]"#;
        let baseline = Baseline::parse(text, false).unwrap();
        assert!(baseline.accepts_gitleaks(&Secret::new("x"), ("r", "a.py", 3)));
        assert!(baseline.accepts_gitleaks(&Secret::new("v"), ("other", "z.py", 9)));
        assert!(!baseline.accepts_gitleaks(&Secret::new("REDACTED"), ("r", "z.py", 9)));
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        assert_eq!(Date::from_unix(0).to_string(), "1970-01-01");
        assert_eq!(Date::from_unix(951_782_400).to_string(), "2000-02-29");
        assert_eq!(Date::from_unix(1_795_392_000).to_string(), TODAY);
    }
}
