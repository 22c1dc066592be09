//! What the human format looks like.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::{
    model::Moment,
    output::{Format, sample},
};

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
        let unsafe_one = text.chars().find(|c| *c != '\n' && crate::output::terminal::is_unsafe(*c));
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
