//! The report's facts in plain words, for the formats that people read.

use std::borrow::Cow;

use crate::model::{Companion, Confidence, Evidence, Finding, Occurrence, Verdict};

use super::terminal::sanitise;

/// Where to read about hekate.
pub(super) const INFORMATION_URI: &str = "https://github.com/hekate-scan/hekate";
/// What to do about any secret.
pub(super) const ADVICE: &str = "Revoke or rotate the secret first: a secret that was shared stays leaked when its line is gone. Then remove \
    it, and read it from a secret manager instead. To accept it, run `hekate baseline write`, or mark its line with `hekate:allow`.";

/// What a finding is, for pages that explain it.
pub(super) fn description(finding: &Finding) -> String {
    let title = sanitise(&finding.title);
    let kind = finding.category.map(|category| format!(" ({category})")).unwrap_or_default();
    format!("{title}{kind} in clear text, where everyone who can read the file can use it.")
}

/// Why a finding is believed, or doubted: its evidence in the order in which the report has it.
pub(super) fn why(finding: &Finding) -> String {
    let reasons: Vec<_> = finding.evidence.iter().map(|evidence| reason(evidence, &finding.rule)).collect();
    if reasons.is_empty() { "no evidence is recorded".to_owned() } else { reasons.join("; ") }
}

fn reason(evidence: &Evidence, own_rule: &str) -> String {
    match evidence {
        Evidence::Format { rule } if rule == own_rule => "has the format of this type".to_owned(),
        Evidence::Format { rule } => format!("has the format of {rule}"),
        Evidence::Checksum { valid: true, .. } => "checksum is right".to_owned(),
        Evidence::Checksum { valid: false, .. } => "checksum is wrong".to_owned(),
        Evidence::Entropy { bits } => format!("{bits:.1} bits of entropy per character"),
        Evidence::Context { name } => format!("assigned to {name}"),
        Evidence::Encoded { by } => {
            let words: Vec<&str> = by.iter().map(|encoding| encoding.word()).collect();
            format!("encoded as {}", words.join(" of "))
        }
        Evidence::Inventory { environment, path, version, current, form } => {
            let age = if *current { "the current value" } else { "an older value" };
            let form = form.as_ref().map(|form| format!(", as {form}")).unwrap_or_default();
            format!("{age} of {environment}:{path} (version {version}){form}")
        }
        Evidence::Provider { name, verdict, detail } => {
            let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{name} says {verdict}{detail}")
        }
    }
}

/// How sure it is, as a person would say it.
pub(super) fn certainty(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "almost certain",
        Confidence::Medium => "likely",
        Confidence::Low => "a guess",
    }
}

/// What a verdict means.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Active => "active: the provider accepts it".to_owned(),
        Verdict::Known => "known: it is the secret manager's current value".to_owned(),
        Verdict::Retired => "retired: it is an older value of the secret manager's".to_owned(),
        Verdict::Inactive => "inactive: the provider refuses it".to_owned(),
        Verdict::Restricted => "restricted: it is alive, with few rights".to_owned(),
        Verdict::Disabled => "disabled: it could be switched on again".to_owned(),
        Verdict::Locked => "locked for now: it may work again".to_owned(),
        Verdict::Unknown(why) => format!("unknown: {why}"),
    }
}

/// What to do about a finding.
pub(super) fn next_step(finding: &Finding) -> String {
    match (&finding.verdict, &finding.help) {
        (Some(Verdict::Inactive), _) => "remove it; it is refused already".to_owned(),
        (Some(Verdict::Retired), _) => "make sure that the old value is refused, then remove it".to_owned(),
        (_, Some(address)) => format!("revoke or rotate it ({address}), then remove it"),
        (_, None) => "revoke or rotate it where it was issued, then remove it".to_owned(),
    }
}

/// Longer than paths of file systems are, in bytes: no editor opens it.
const LONGEST: usize = 4096;
/// What is shown of a longer one at either end, in characters.
const END: usize = 200;

/// A path as people can read it. In a history folders may nest thousands deep.
pub(super) fn path(path: &str) -> Cow<'_, str> {
    if path.len() <= LONGEST {
        return Cow::Borrowed(path);
    }
    let first: String = path.chars().take(END).collect();
    let from = path.char_indices().rev().nth(END - 1).map_or(0, |(at, _)| at);
    Cow::Owned(format!("{first}…{} ({} bytes, whole in JSON)", &path[from..], number(path.len() as u64)))
}

/// `path:line:column`, as editors and terminals open it.
pub(super) fn place(occurrence: &Occurrence) -> String {
    format!("{}:{}:{}", path(&occurrence.path), occurrence.start.line, occurrence.start.column)
}

/// "1 secret", "1,204 secrets".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// "1,204".
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the unit that suits it, in powers of 1000.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: &[(u64, &str)] =
        &[(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = UNITS.iter().find(|(unit, _)| bytes >= *unit) else {
        return format!("{bytes} B");
    };
    let tenths = bytes / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// What belongs to a secret, and where it stands.
pub(super) fn companion(one: &Companion) -> String {
    let value = one.secret.value.as_ref().unwrap_or(&one.secret.redacted);
    let path = path(&one.path);
    format!("{} {value} at {path}:{}:{} [{}]", one.title, one.start.line, one.start.column, one.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(counted(999, "file"), "999 files");
        assert_eq!(counted(1_234_567, "file"), "1,234,567 files");
    }

    #[test]
    fn sizes_take_the_unit_that_suits_them() {
        let sizes = [0, 999, 1_000, 12_345_678, 999_999_999, 1_500_000_000, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "12.3 MB", "999.9 MB", "1.5 GB", "18446744.0 TB"]);
    }
}
