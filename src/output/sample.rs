//! Reports for this room's tests. Their secrets are put together when a test runs.

use std::collections::BTreeMap;

use crate::model::{
    Category, Confidence, Coverage, Evidence, Exposure, Finding, Fingerprint, FingerprintKey, Gap, GapReason,
    HistoryCoverage, LineDigest, Moment, ObjectCounts, Occurrence, Position, Report, Repository, SCHEMA,
    Secret, SecretView, Severity, Source, SourceKind, Span, SuppressedFinding, Suppression, Verdict,
};

use super::{Format, RenderOptions, render};

/// The clear text of the token, the key and the password in [`report`].
pub(super) fn values() -> [String; 3] {
    let key = format!("-----BEGIN PRIVATE {}-----\n{}", "KEY", "MIIE9x".repeat(20));
    [format!("ghp_{}", "a8Zk".repeat(9)), key, ["tromb", "one", "-", "quartz"].concat()]
}

/// A format of a report as text, laid out as by default.
pub(super) fn text(report: &Report, format: Format) -> String {
    String::from_utf8(render(report, format, &RenderOptions::default()).unwrap()).unwrap()
}

/// Nothing found in three files.
pub(super) fn clean() -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        source: Source { kind: SourceKind::Worktree, root: ".".to_owned(), repository: None },
        findings: Vec::new(),
        suppressed: BTreeMap::new(),
        suppressed_findings: Vec::new(),
        coverage: Coverage { files: 1204, bytes: 12_345_678, gaps: Vec::new(), history: None },
    }
}

/// A confirmed token at five places, a key over several lines, a password; suppressed places; gaps of both kinds.
pub(super) fn report() -> Report {
    let baseline = SuppressedFinding { reason: Suppression::Baseline, finding: password() };
    Report {
        source: Source { kind: SourceKind::Worktree, root: ".".to_owned(), repository: Some(repository()) },
        findings: vec![token(), private_key(), password()],
        suppressed: BTreeMap::from([(Suppression::InlineMark, 1), (Suppression::Baseline, 3)]),
        suppressed_findings: vec![baseline],
        coverage: Coverage {
            gaps: vec![
                gap("vendor/lib", GapReason::Link, ""),
                gap("var/secret.db", GapReason::Unreadable, "Permission denied"),
            ],
            ..clean().coverage
        },
        ..clean()
    }
}

/// The same with `--show-secrets`.
pub(super) fn with_secrets() -> Report {
    let mut report = report();
    for (finding, value) in report.findings.iter_mut().zip(values()) {
        finding.occurrences.iter_mut().for_each(|place| {
            place.matched = Some(format!("token={value}"));
            place.match_line = Some(place.start.line);
        });
        finding.secret.value = Some(value);
    }
    report
}

/// A history: a token at two tips and in the past, a password in a commit's text; an object that is missing.
pub(super) fn history() -> Report {
    let id = |digit: &str| digit.repeat(40);
    let moment = |digit: &str, date: &str| Moment { commit: id(digit), date: Some(date.to_owned()) };
    let mut report = report();
    report.source.kind = SourceKind::History;
    (report.suppressed, report.suppressed_findings) = (BTreeMap::new(), Vec::new());
    let (mut token, mut password) = (token(), password());
    token.verdict = None;
    token.exposure = Exposure::Head;
    token.first_seen = Some(moment("a", "2024-02-29T23:59:59+01:00"));
    token.last_seen = Some(moment("c", "2025-01-02T03:04:05+00:00"));
    for (place, digit) in token.occurrences.iter_mut().zip(["b", "a", "a", "a", "a"]) {
        place.blob = Some(id("d"));
        place.commit = Some(id(digit));
        place.author = Some("Ada Lovelace <ada@example.com>".to_owned());
        place.date = Some("2024-03-01T00:00:00+01:00".to_owned());
        place.subject = Some("Deploy with a token: until somebody finds a better way to do this".to_owned());
    }
    token.occurrences[0].refs = ["HEAD", "refs/heads/main", "refs/tags/v1"].map(str::to_owned).to_vec();
    password.exposure = Exposure::Past;
    password.first_seen = Some(moment("e", "2023-05-06T07:08:09-08:00"));
    password.last_seen.clone_from(&password.first_seen);
    password.occurrences[0].path = "message".to_owned();
    password.occurrences[0].commit = Some(id("e"));
    report.findings = vec![token, password];
    let missing = format!("blob {}", id("f"));
    report.coverage.gaps = vec![gap(&missing, GapReason::Missing, "a/b.bin in 0123456789abcdef")];
    let scanned = ObjectCounts { commits: 1200, trees: 3400, blobs: 1204, tags: 3 };
    let expected = ObjectCounts { blobs: 1205, ..scanned };
    let history =
        HistoryCoverage { refs: 7, expected, scanned, blob_bytes: 12_345_678, ..Default::default() };
    report.coverage.history = Some(history);
    report
}

/// A report whose every text comes from somebody who wants to write to the terminal.
pub(super) fn hostile() -> Report {
    let hostile = "=\u{1b}]0;owned\u{7}\n\r\t\u{202e}\u{200b}\u{9b}31m](https://evil.example)";
    let mut report = with_secrets();
    report.source.root = hostile.to_owned();
    report.coverage.gaps =
        vec![gap(hostile, GapReason::Unreadable, hostile), gap(hostile, GapReason::Link, "")];
    let suppressed = report.suppressed_findings.iter_mut().map(|entry| &mut entry.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        finding.title.push_str(hostile);
        finding.rule.push_str(hostile);
        finding.provider = Some(hostile.to_owned());
        finding.help = Some(hostile.to_owned());
        finding.verdict = Some(Verdict::Unknown(hostile.to_owned()));
        finding.secret.redacted = format!("{hostile}********");
        finding.secret.value = Some(hostile.to_owned());
        finding.evidence = vec![Evidence::Context { name: hostile.to_owned() }];
        for place in &mut finding.occurrences {
            place.path = format!("dir{hostile}/{}", place.path);
            place.excerpt = format!("{hostile}{hostile}********{hostile}");
            place.matched = Some(hostile.to_owned());
            place.match_line = Some(1);
        }
    }
    report
}

fn repository() -> Repository {
    Repository {
        remote: Some("https://github.com/example/app.git".to_owned()),
        revision: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        branch: Some("main".to_owned()),
    }
}

fn gap(path: &str, reason: GapReason, detail: &str) -> Gap {
    Gap { path: path.to_owned(), reason, detail: detail.to_owned() }
}

fn token() -> Finding {
    let evidence = vec![
        Evidence::Format { rule: "github-pat".to_owned() },
        Evidence::Checksum { algorithm: "crc32".to_owned(), valid: true },
        Evidence::Entropy { bits: 4.875 },
        Evidence::Context { name: "GITHUB_TOKEN".to_owned() },
    ];
    let mut occurrences = vec![place("config/app.env", 12, 14, "GITHUB_TOKEN=ghp_********")];
    occurrences
        .extend((1..=4).map(|n| place(&format!("deploy/{n}.yaml"), 98 + n, 10, "\ttoken: \"ghp_********\"")));
    Finding {
        rule: "github-pat".to_owned(),
        title: "GitHub personal access token".to_owned(),
        category: Some(Category::UserCredential),
        provider: Some("github".to_owned()),
        severity: Severity::Critical,
        confidence: Confidence::High,
        verdict: Some(Verdict::Active),
        evidence,
        help: Some("https://github.com/settings/tokens".to_owned()),
        occurrences,
        ..bare(&values()[0])
    }
}

fn password() -> Finding {
    let evidence =
        vec![Evidence::Entropy { bits: 3.5 }, Evidence::Context { name: "DB_PASSWORD".to_owned() }];
    let mut occurrence = place("src/日本 1%.py", 3, 20, "DB_PASSWORD = \"********\"  # 本番");
    occurrence.place = Some(Fingerprint::of_place("src/日本 1%.py", &LineDigest::of(b"line")));
    Finding { evidence, occurrences: vec![occurrence], ..bare(&values()[2]) }
}

fn private_key() -> Finding {
    let mut occurrence = place("keys/id_rsa", 1, 1, "-----BEGIN ********");
    occurrence.end = Position { line: 27, column: 30 };
    Finding {
        rule: "private-key".to_owned(),
        title: "Private key".to_owned(),
        category: Some(Category::EncryptionKey),
        severity: Severity::High,
        confidence: Confidence::High,
        exposure: Exposure::Staged,
        evidence: vec![Evidence::Format { rule: "private-key".to_owned() }],
        occurrences: vec![occurrence],
        ..bare(&values()[1])
    }
}

fn bare(value: &str) -> Finding {
    let secret = Secret::new(value);
    Finding {
        rule: "generic-password".to_owned(),
        title: "Password".to_owned(),
        category: None,
        provider: None,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        verdict: None,
        fingerprint: FingerprintKey::public().fingerprint(secret.expose()),
        secret: SecretView {
            redacted: secret.redacted(),
            length: secret.characters(),
            value: None,
            decoded: None,
        },
        evidence: Vec::new(),
        exposure: Exposure::Worktree,
        first_seen: None,
        last_seen: None,
        help: None,
        occurrences: Vec::new(),
    }
}

fn place(path: &str, line: u64, column: u64, excerpt: &str) -> Occurrence {
    let (start, end) = (Position { line, column }, Position { line, column: column + 40 });
    let place = Occurrence::of_file(path.to_owned(), start, end, Span::new(100, 140));
    Occurrence { excerpt: excerpt.to_owned(), ..place }
}
