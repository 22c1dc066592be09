//! For a person at a terminal: each secret with its places, why it is believed and what to do.

use crate::model::{Finding, Fingerprint, Occurrence, Report, SourceKind, SuppressedFinding};

use super::{
    RenderError, RenderOptions,
    excerpt::{Excerpt, keep_start},
    summary,
    terminal::{ALARM, FRAME, Label, PLAIN, Page, STRONG, sanitise, severity_style},
    whereabouts, wording,
};

/// Places of a secret that are shown with their line; of the rest only the number, or with `verbose` where they are.
const SHOWN_PLACES: usize = 3;
/// Hexadecimal digits of a short fingerprint: enough to tell the secrets of a report apart.
const SHORT_DIGITS: usize = 12;
const INDENT: usize = 2;

/// Lays the report out; it can't fail.
pub(super) fn render(report: &Report, options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    let mut page = Page::new(options);
    for finding in &report.findings {
        put_finding(&mut page, finding, report, options.verbose);
        page.end_line();
    }
    put_suppressed(&mut page, &report.suppressed_findings);
    if !report.findings.is_empty() {
        put_advice(&mut page, report.source.kind);
    }
    summary::put(&mut page, report, options.verbose);
    Ok(page.into_bytes())
}

fn put_finding(page: &mut Page, finding: &Finding, report: &Report, verbose: bool) {
    let style = severity_style(finding.severity);
    let label = Label { indent: 0, text: finding.severity.as_str(), width: 10, style };
    page.paragraph(&label, STRONG, &format!("{} [{}]", finding.title, finding.rule));
    put_places(page, finding, verbose);
    put_facts(page, finding, report, verbose);
}

fn put_places(page: &mut Page, finding: &Finding, verbose: bool) {
    let (shown, rest) = finding.occurrences.split_at(finding.occurrences.len().min(SHOWN_PLACES));
    let gutter = shown.iter().map(|place| place.start.line.to_string().len()).max().unwrap_or(0);
    for occurrence in shown {
        put_path(page, occurrence);
        put_line(page, finding, occurrence, gutter);
        put_commit(page, occurrence);
    }
    if verbose {
        for occurrence in rest {
            put_path(page, occurrence);
            put_commit(page, occurrence);
        }
    } else if !rest.is_empty() {
        page.blanks(INDENT);
        page.line(
            FRAME,
            &format!("… and {} (listed with -v)", wording::counted(rest.len() as u64, "more place")),
        );
    }
}

fn put_path(page: &mut Page, occurrence: &Occurrence) {
    page.blanks(INDENT);
    page.put(PLAIN, &wording::place(occurrence));
    if occurrence.blob.is_none() && occurrence.commit.is_some() {
        page.put(FRAME, " (commit or tag text)");
    }
    if occurrence.end.line > occurrence.start.line {
        page.put(FRAME, &format!(" (to line {})", occurrence.end.line));
    }
    page.end_line();
}

fn put_line(page: &mut Page, finding: &Finding, occurrence: &Occurrence, gutter: usize) {
    if occurrence.excerpt.is_empty() {
        return;
    }
    let margin = 2 * INDENT + gutter + " | ".len();
    let room = page.width().saturating_sub(margin);
    let excerpt = Excerpt::fit(&occurrence.excerpt, &finding.secret.redacted, occurrence.start.column, room);
    put_gutter(page, &format!("{:>gutter$}", occurrence.start.line));
    page.put(PLAIN, &excerpt.before);
    page.put(STRONG, &excerpt.secret);
    page.line(PLAIN, &excerpt.after);
    if let Some((blanks, carets)) = excerpt.carets() {
        put_gutter(page, &" ".repeat(gutter));
        page.blanks(blanks);
        page.line(severity_style(finding.severity), &carets);
    }
}

/// The commit that brought it there, in a line.
fn put_commit(page: &mut Page, occurrence: &Occurrence) {
    if let Some(commit) = whereabouts::commit(occurrence) {
        page.blanks(2 * INDENT);
        let room = page.width() - 2 * INDENT;
        page.line(FRAME, &keep_start(&sanitise(&commit), room));
    }
}

fn put_gutter(page: &mut Page, number: &str) {
    page.blanks(2 * INDENT);
    page.put(FRAME, &format!("{number} | "));
}

fn put_facts(page: &mut Page, finding: &Finding, report: &Report, verbose: bool) {
    let why = format!("{}: {}", wording::certainty(finding.confidence), wording::why(finding));
    put_fact(page, "why", &why);
    // Of a staged secret the advice at the end says all that is to do.
    let is_staged = report.source.kind == SourceKind::Staged;
    let exposure = whereabouts::exposure(finding, report.source.repository.as_ref());
    if let Some(exposure) = exposure.filter(|_| !is_staged) {
        put_fact(page, "where", &exposure);
    }
    if let Some(lifetime) = whereabouts::lifetime(finding) {
        put_fact(page, "when", &lifetime);
    }
    if let Some(verdict) = &finding.verdict {
        let style = if verdict.is_confirmed() { ALARM } else { PLAIN };
        page.paragraph(&fact_label("verdict"), style, &wording::verdict(verdict));
    }
    if let Some(value) = finding.secret.decoded.as_ref().or(finding.secret.value.as_ref()) {
        put_fact(page, "value", value);
    }
    for companion in &finding.companions {
        put_fact(page, "with", &wording::companion(companion));
    }
    if !is_staged {
        put_fact(page, "next", &wording::next_step(finding));
    }
    put_fact(page, "id", &identity(&finding.fingerprint, verbose));
}

fn put_fact(page: &mut Page, label: &str, text: &str) {
    page.paragraph(&fact_label(label), PLAIN, text);
}

fn fact_label(text: &str) -> Label<'_> {
    Label { indent: INDENT, text, width: 9, style: FRAME }
}

fn identity(fingerprint: &Fingerprint, verbose: bool) -> String {
    let mut text = fingerprint.to_string();
    if !verbose {
        text.truncate("p1:".len() + SHORT_DIGITS);
    }
    text
}

fn put_suppressed(page: &mut Page, suppressed: &[SuppressedFinding]) {
    let Some(width) = suppressed.iter().map(|entry| entry.reason.as_str().len()).max() else {
        return;
    };
    page.line(STRONG, "suppressed");
    for SuppressedFinding { reason, finding } in suppressed {
        page.blanks(INDENT);
        page.put(FRAME, &format!("{:width$}  ", reason.as_str()));
        page.line(PLAIN, &suppressed_line(finding));
    }
    page.end_line();
}

fn suppressed_line(finding: &Finding) -> String {
    let mut text = format!("{} {} [{}]", finding.severity, finding.title, finding.rule);
    if let Some((first, rest)) = finding.occurrences.split_first() {
        text.push_str(&format!(" {}", wording::place(first)));
        if !rest.is_empty() {
            text.push_str(&format!(" and {}", wording::counted(rest.len() as u64, "more place")));
        }
    }
    text
}

fn put_advice(page: &mut Page, kind: SourceKind) {
    let lines = match kind {
        SourceKind::Staged => [
            "Not committed yet: take it out and `git add` the file again, or `git restore --staged FILE`.",
            "To accept one instead: mark its line with `hekate:allow`, or run `hekate baseline write`.",
        ],
        SourceKind::History => [
            "A leaked secret stays leaked, in every clone, when its line is gone: revoke or rotate it first.",
            "To accept them: `hekate history -o report.json`, `hekate baseline write --report report.json`.",
        ],
        SourceKind::Worktree | SourceKind::Stdin => [
            "A leaked secret stays leaked when its line is gone: revoke or rotate it first, then remove it.",
            "To accept one instead: `hekate baseline write`, or mark its line with `hekate:allow`.",
        ],
    };
    lines.iter().for_each(|line| page.paragraph(&Label::NONE, FRAME, line));
    page.end_line();
}

#[cfg(test)]
mod tests;
