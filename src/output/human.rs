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
    if let Some(value) = &finding.secret.value {
        put_fact(page, "value", value);
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
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::{Format, sample};
    use super::*;
    use crate::model::Moment;

    fn page(report: &Report, options: &RenderOptions) -> String {
        String::from_utf8(render(report, options).unwrap()).unwrap()
    }

    #[test]
    fn secrets_come_with_places_reasons_and_what_to_do() {
        insta::assert_snapshot!(sample::text(&sample::report(), Format::Human), @r#"
        critical  GitHub personal access token [github-pat]
          config/app.env:12:14
             12 | GITHUB_TOKEN=ghp_********
                |              ^^^^^^^^^^^^
          deploy/1.yaml:99:10
             99 |     token: "ghp_********"
                |             ^^^^^^^^^^^^
          deploy/2.yaml:100:10
            100 |     token: "ghp_********"
                |             ^^^^^^^^^^^^
          … and 2 more places (listed with -v)
          why      almost certain: has the format of this type; checksum is right; 4.9 bits of entropy per
                   character; assigned to GITHUB_TOKEN
          verdict  active: the provider accepts it
          next     revoke or rotate it (https://github.com/settings/tokens), then remove it
          id       p1:145dffa7d0c7

        high      Private key [private-key]
          keys/id_rsa:1:1 (to line 27)
            1 | -----BEGIN ********
              | ^^^^^^^^^^^^^^^^^^^
          why      almost certain: has the format of this type
          where    in the index, about to be committed
          next     revoke or rotate it where it was issued, then remove it
          id       p1:1298ac9fa8cf

        medium    Password [generic-password]
          src/日本 1%.py:3:20
            3 | DB_PASSWORD = "********"  # 本番
              |                ^^^^^^^^
          why      likely: 3.5 bits of entropy per character; assigned to DB_PASSWORD
          next     revoke or rotate it where it was issued, then remove it
          id       p1:7597495286ec

        suppressed
          baseline  medium Password [generic-password] src/日本 1%.py:3:20

        A leaked secret stays leaked when its line is gone: revoke or rotate it first, then remove it.
        To accept one instead: `hekate baseline write`, or mark its line with `hekate:allow`.

        3 secrets in 7 places
        1,204 files, 12.3 MB scanned
        4 suppressed (inline-mark: 1, baseline: 3)
        1 skipped (symbolic link, not followed: 1)
        incomplete: 1 path could not be scanned to the end; a secret there is not in this report
          var/secret.db: unreadable (Permission denied)
        "#);
    }

    #[test]
    fn verbose_lists_every_place_and_gap() {
        let options = RenderOptions { verbose: true, width: 60, ..RenderOptions::default() };
        let mut report = sample::report();
        report.findings.truncate(1);
        report.suppressed_findings.clear();
        insta::assert_snapshot!(page(&report, &options), @r#"
        critical  GitHub personal access token [github-pat]
          config/app.env:12:14
             12 | GITHUB_TOKEN=ghp_********
                |              ^^^^^^^^^^^^
          deploy/1.yaml:99:10
             99 |     token: "ghp_********"
                |             ^^^^^^^^^^^^
          deploy/2.yaml:100:10
            100 |     token: "ghp_********"
                |             ^^^^^^^^^^^^
          deploy/3.yaml:101:10
          deploy/4.yaml:102:10
          why      almost certain: has the format of this type;
                   checksum is right; 4.9 bits of entropy per
                   character; assigned to GITHUB_TOKEN
          verdict  active: the provider accepts it
          next     revoke or rotate it
                   (https://github.com/settings/tokens), then remove
                   it
          id       p1:145dffa7d0c7a4d8ee1ae74179fa94ac1ed49900f04f02934cf9769e8de3409e

        A leaked secret stays leaked when its line is gone: revoke
        or rotate it first, then remove it.
        To accept one instead: `hekate baseline write`, or mark its
        line with `hekate:allow`.

        1 secret in 5 places
        1,204 files, 12.3 MB scanned
        4 suppressed (inline-mark: 1, baseline: 3)
        1 skipped (symbolic link, not followed: 1)
        incomplete: 1 path could not be scanned to the end; a secret
        there is not in this report
          var/secret.db: unreadable (Permission denied)
        skipped:
          vendor/lib: symbolic link, not followed
        "#);
    }

    #[test]
    fn clean_scan_is_one_line() {
        insta::assert_snapshot!(sample::text(&sample::clean(), Format::Human), @"no secrets found in 1,204 files (12.3 MB)");
    }

    #[test]
    fn hostile_names_and_lines_are_shown_not_obeyed() {
        let mut report = sample::hostile();
        report.findings.drain(..2);
        insta::assert_snapshot!(page(&report, &RenderOptions::default()), @r"
        medium    Password=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)
                  [generic-password=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)]
          dir=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)/src/日本 1%.py:3:20
            3 | …mple)=\x1b]0;owned\x07\n\r    \u{202e}\u{200b}\u{9b}31m](https://evil.example)********=\x1…
              |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          why      likely: assigned to
                   =\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)
          verdict  unknown: =\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)
          value    =\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)
          next     revoke or rotate it
                   (=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)), then remove it
          id       p1:7597495286ec

        suppressed
          baseline  medium Password=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example) [generic-password=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)] dir=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)/src/日本 1%.py:3:20

        A leaked secret stays leaked when its line is gone: revoke or rotate it first, then remove it.
        To accept one instead: `hekate baseline write`, or mark its line with `hekate:allow`.

        1 secret in 1 place
        1,204 files, 12.3 MB scanned
        4 suppressed (inline-mark: 1, baseline: 3)
        1 skipped (symbolic link, not followed: 1)
        incomplete: 1 path could not be scanned to the end; a secret there is not in this report
          =\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example): unreadable (=\x1b]0;owned\x07\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example))
        ");
    }

    #[test]
    fn incomplete_scan_never_says_just_clean() {
        let mut report = sample::clean();
        report.coverage.gaps = vec![sample::report().coverage.gaps[1].clone(); 22];
        insta::assert_snapshot!(page(&report, &RenderOptions::default()), @"
        no secrets found in what could be scanned: 1,204 files (12.3 MB)
        incomplete: 22 paths could not be scanned to the end; a secret there is not in this report
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          var/secret.db: unreadable (Permission denied)
          … and 2 more (all in JSON)
        ");
    }

    #[test]
    fn history_says_who_brought_it_in_where_it_still_is_and_since_when() {
        let mut report = sample::history();
        report.findings[0].occurrences.drain(1..4);
        insta::assert_snapshot!(sample::text(&report, Format::Human), @r#"
        critical  GitHub personal access token [github-pat]
          config/app.env:12:14
             12 | GITHUB_TOKEN=ghp_********
                |              ^^^^^^^^^^^^
            bbbbbbbbbbbb 2024-03-01 Ada Lovelace: Deploy with a token: until somebody finds a better way to…
          deploy/4.yaml:102:10
            102 |     token: "ghp_********"
                |             ^^^^^^^^^^^^
            aaaaaaaaaaaa 2024-03-01 Ada Lovelace: Deploy with a token: until somebody finds a better way to…
          why      almost certain: has the format of this type; checksum is right; 4.9 bits of entropy per
                   character; assigned to GITHUB_TOKEN
          where    still at HEAD (main); tag v1
          when     since 2024-02-29 (aaaaaaaaaaaa), last 2025-01-02 (cccccccccccc)
          next     revoke or rotate it (https://github.com/settings/tokens), then remove it
          id       p1:145dffa7d0c7

        medium    Password [generic-password]
          message:3:20 (commit or tag text)
            3 | DB_PASSWORD = "********"  # 本番
              |                ^^^^^^^^
            eeeeeeeeeeee
          why      likely: 3.5 bits of entropy per character; assigned to DB_PASSWORD
          where    in older commits only: at the tip of no branch, at no tag
          when     on 2023-05-06 (eeeeeeeeeeee)
          next     revoke or rotate it where it was issued, then remove it
          id       p1:7597495286ec

        A leaked secret stays leaked, in every clone, when its line is gone: revoke or rotate it first.
        To accept them: `hekate history -o report.json`, `hekate baseline write --report report.json`.

        2 secrets in 3 places · 1,200 commits, 3,400 trees, 1,204 blobs, 12.3 MB scanned
        incomplete: 1 object could not be scanned to the end; a secret there is not in this report
          blob ffffffffffffffffffffffffffffffffffffffff: object is missing (a/b.bin in 0123456789abcdef)
        "#);
    }

    #[test]
    fn history_fits_a_narrow_terminal() {
        let mut report = sample::history();
        report.findings[0].occurrences.truncate(1);
        insta::assert_snapshot!(page(&report, &RenderOptions { width: 40, ..RenderOptions::default() }), @r#"
        critical  GitHub personal access token
                  [github-pat]
          config/app.env:12:14
            12 | GITHUB_TOKEN=ghp_********
               |              ^^^^^^^^^^^^
            bbbbbbbbbbbb 2024-03-01 Ada Lovelac…
          why      almost certain: has the
                   format of this type; checksum
                   is right; 4.9 bits of entropy
                   per character; assigned to
                   GITHUB_TOKEN
          where    still at HEAD (main); tag v1
          when     since 2024-02-29
                   (aaaaaaaaaaaa), last
                   2025-01-02 (cccccccccccc)
          next     revoke or rotate it
                   (https://github.com/settings/tokens),
                   then remove it
          id       p1:145dffa7d0c7

        medium    Password [generic-password]
          message:3:20 (commit or tag text)
            3 | DB_PASSWORD = "********"  # 本番
              |                ^^^^^^^^
            eeeeeeeeeeee
          why      likely: 3.5 bits of entropy
                   per character; assigned to
                   DB_PASSWORD
          where    in older commits only: at the
                   tip of no branch, at no tag
          when     on 2023-05-06 (eeeeeeeeeeee)
          next     revoke or rotate it where it
                   was issued, then remove it
          id       p1:7597495286ec

        A leaked secret stays leaked, in every
        clone, when its line is gone: revoke or
        rotate it first.
        To accept them: `hekate history -o
        report.json`, `hekate baseline write
        --report report.json`.

        2 secrets in 2 places
        1,200 commits, 3,400 trees, 1,204 blobs,
        12.3 MB scanned
        incomplete: 1 object could not be
        scanned to the end; a secret there is
        not in this report
          blob ffffffffffffffffffffffffffffffffffffffff: object is missing (a/b.bin in 0123456789abcdef)
        "#);
    }

    #[test]
    fn hostile_commits_are_shown_not_obeyed() {
        let mut report = sample::history();
        let hostile = "=\u{1b}]0;owned\u{7}\n\r\t\u{202e}\u{200b}\u{9b}31m";
        for finding in &mut report.findings {
            let moment = Moment { commit: hostile.to_owned(), date: Some(hostile.to_owned()) };
            (finding.first_seen, finding.last_seen) = (Some(moment.clone()), Some(moment));
            for place in &mut finding.occurrences {
                let said = [&mut place.commit, &mut place.author, &mut place.date, &mut place.subject];
                said.into_iter().for_each(|text| *text = Some(hostile.to_owned()));
                place.refs = vec![format!("refs/heads/{hostile}")];
            }
        }
        report.source.repository.as_mut().unwrap().branch = Some(hostile.to_owned());
        for format in Format::ALL {
            let text = sample::text(&report, *format);
            let unsafe_one = text.chars().find(|c| *c != '\n' && super::super::terminal::is_unsafe(*c));
            assert_eq!(unsafe_one, None, "{format:?}: {text}");
        }
    }

    #[test]
    fn colour_changes_no_word() {
        let options = RenderOptions { color: true, ..RenderOptions::default() };
        for report in [sample::report(), sample::history()] {
            let coloured = page(&report, &options);
            assert!(coloured.contains("\u{1b}["));
            assert_eq!(without_colour(&coloured), page(&report, &RenderOptions::default()));
        }
    }

    fn without_colour(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').expect("a colour ends in m").1)
    }

    #[test]
    fn prose_and_excerpts_keep_to_the_width() {
        for mut report in [sample::report(), sample::history()] {
            report.suppressed_findings.clear();
            report.coverage.gaps.clear();
            for width in [40, 60, 120] {
                let options = RenderOptions { width, ..RenderOptions::default() };
                let page = page(&report, &options);
                // URLs and paths are left whole, so that they can be clicked.
                for line in page.lines().filter(|line| !line.contains("://")) {
                    assert!(line.width() <= width, "{width}: {line}");
                }
            }
        }
    }
}
