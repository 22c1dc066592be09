//! The last lines of the human format: how much was found, scanned, left out and not seen.

use std::{collections::BTreeMap, fmt::Display};

use unicode_width::UnicodeWidthStr;

use crate::model::{Coverage, Gap, GapReason, HistoryCoverage, Report};

use super::{
    terminal::{ALARM, FRAME, Label, PLAIN, Page, STRONG},
    wording::{self, counted, number, size},
};

/// Failures that are listed; the JSON report has them all.
const LISTED_GAPS: usize = 20;

/// The headline, then what is missing from it.
pub(super) fn put(page: &mut Page, report: &Report, verbose: bool) {
    put_headline(page, &headline(report));
    put_failures(page, &report.coverage, verbose);
    if verbose {
        put_skipped(page, &report.coverage);
    }
}

/// One line where it fits, else a line for each part.
fn put_headline(page: &mut Page, parts: &[String]) {
    let line = parts.join(" · ");
    if line.width() <= page.width() {
        page.line(STRONG, &line);
    } else {
        parts.iter().for_each(|part| page.paragraph(&Label::NONE, STRONG, part));
    }
}

fn headline(report: &Report) -> Vec<String> {
    let mut parts = vec![result(report)];
    if !report.findings.is_empty() {
        parts.push(format!("{}, {} scanned", covered(&report.coverage), size(report.coverage.bytes)));
    }
    let is_partial = report.coverage.history.as_ref().is_some_and(|history| history.partial);
    if is_partial {
        parts.push("a partial clone: what is not there is not fetched".to_owned());
    }
    let suppressed: u64 = report.suppressed.values().sum();
    if suppressed > 0 {
        parts.push(format!("{} suppressed ({})", number(suppressed), tally(&report.suppressed, ", ")));
    }
    let skipped = skipped(&report.coverage);
    if !skipped.is_empty() {
        let total: u64 = skipped.values().sum();
        parts.push(format!("{} skipped ({})", number(total), tally(&skipped, "; ")));
    }
    parts
}

fn result(report: &Report) -> String {
    if !report.findings.is_empty() {
        let secrets = counted(report.findings.len() as u64, "secret");
        return format!("{secrets} in {}", counted(report.occurrences() as u64, "place"));
    }
    let (covered, size) = (covered(&report.coverage), size(report.coverage.bytes));
    if report.coverage.is_incomplete() {
        format!("no secrets found in what could be scanned: {covered} ({size})")
    } else {
        format!("no secrets found in {covered} ({size})")
    }
}

fn covered(coverage: &Coverage) -> String {
    let Some(HistoryCoverage { scanned, .. }) = &coverage.history else {
        return counted(coverage.files, "file");
    };
    let kinds = [(scanned.commits, "commit"), (scanned.trees, "tree"), (scanned.blobs, "blob")];
    kinds.map(|(count, noun)| counted(count, noun)).join(", ")
}

fn skipped(coverage: &Coverage) -> BTreeMap<GapReason, u64> {
    let mut skipped = BTreeMap::new();
    for gap in coverage.gaps.iter().filter(|gap| !gap.reason.is_failure()) {
        *skipped.entry(gap.reason).or_default() += 1;
    }
    skipped
}

fn tally<Reason: Display>(counts: &BTreeMap<Reason, u64>, separator: &str) -> String {
    let entries: Vec<_> =
        counts.iter().map(|(reason, count)| format!("{reason}: {}", number(*count))).collect();
    entries.join(separator)
}

fn put_failures(page: &mut Page, coverage: &Coverage, verbose: bool) {
    let failures: Vec<_> = coverage.gaps.iter().filter(|gap| gap.reason.is_failure()).collect();
    if failures.is_empty() {
        return;
    }
    let noun = if coverage.history.is_some() { "object" } else { "path" };
    let paths = counted(failures.len() as u64, noun);
    page.paragraph(
        &Label::NONE,
        ALARM,
        &format!("incomplete: {paths} could not be scanned to the end; a secret there is not in this report"),
    );
    let listed = if verbose { failures.len() } else { failures.len().min(LISTED_GAPS) };
    failures[..listed].iter().for_each(|gap| put_gap(page, gap));
    if listed < failures.len() {
        page.blanks(2);
        page.line(FRAME, &format!("… and {} more (all in JSON)", number((failures.len() - listed) as u64)));
    }
}

fn put_skipped(page: &mut Page, coverage: &Coverage) {
    let skipped: Vec<_> = coverage.gaps.iter().filter(|gap| !gap.reason.is_failure()).collect();
    if !skipped.is_empty() {
        page.line(STRONG, "skipped:");
    }
    skipped.iter().for_each(|gap| put_gap(page, gap));
}

fn put_gap(page: &mut Page, gap: &Gap) {
    let detail = if gap.detail.is_empty() { String::new() } else { format!(" ({})", gap.detail) };
    page.blanks(2);
    page.line(PLAIN, &format!("{}: {}{detail}", wording::path(&gap.path), gap.reason));
}
