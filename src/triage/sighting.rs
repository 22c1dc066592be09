//! The decision on each match of one blob.

use std::{borrow::Cow, io, sync::OnceLock};

use regex::bytes::Regex;

use super::{
    Baseline, Date, IgnoreFile,
    allowlist::{Compiled, Subject, compile_regex},
    belief,
    excerpt::{Stretch, excerpt, place_line, within},
    line::{line_before, lines_of, positions},
    mark::is_marked,
    overlap::{Neighbours, name_each_value},
};
use crate::{
    detect::{Content, Detector, RawMatch, canonical, strength_bits},
    model::{
        Confidence, Evidence, Fingerprint, FingerprintKey, Occurrence, Position, Secret, Span, Suppression,
    },
    rule::{Allowlist, Detection, Origin, Rule},
};

/// What decides beside the rules.
#[derive(Debug)]
pub struct Policy {
    /// Global allowlists.
    pub allowlists: Vec<Allowlist>,
    /// `.gitleaksignore` of the repository one works in.
    pub ignore_file: IgnoreFile,
    /// That repository, as absolute names of files would start with it; empty for none.
    pub repository: String,
    /// Where names that are not absolute start within it, empty or with a `/` at the end.
    pub prefix: String,
    /// Accepted findings.
    pub baseline: Baseline,
    /// What fingerprints are made under.
    pub key: FingerprintKey,
    /// On which baseline entries expire.
    pub today: Date,
    /// Whether sightings keep the clear text of their match.
    pub show_secrets: bool,
}

impl Default for Policy {
    /// Nothing is accepted, by nobody's key, on the first day of 1970.
    fn default() -> Self {
        Self {
            allowlists: Vec::new(),
            ignore_file: IgnoreFile::default(),
            repository: String::new(),
            prefix: String::new(),
            baseline: Baseline::default(),
            key: FingerprintKey::public(),
            today: Date::from_unix(0),
            show_secrets: false,
        }
    }
}

impl Policy {
    /// The path of a scanned file within the repository one works in.
    fn in_repository<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let inside = path.strip_prefix(&self.repository).filter(|_| !self.repository.is_empty());
        match inside.and_then(|rest| rest.strip_prefix('/')) {
            Some(inside) => Cow::Borrowed(inside),
            None if self.prefix.is_empty() || path.starts_with('/') => Cow::Borrowed(path),
            None => Cow::Owned(format!("{}{path}", self.prefix)),
        }
    }
}

/// One place of a secret, decided on.
#[derive(Debug)]
pub struct Sighting {
    /// Index of the rule in the detector.
    pub rule: usize,
    /// What makes two places one secret.
    pub canonical: Secret,
    /// As it stands there.
    pub secret: Secret,
    /// Identity of the secret; `None` where it is too weak to have a public one, and its places stand for it.
    pub fingerprint: Option<Fingerprint>,
    /// How far the match is believed.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// Where.
    pub occurrence: Occurrence,
    /// Why it does not count, if so.
    pub suppression: Option<Suppression>,
    /// Whether what is scanned brings it in; else it was there before, and is known only to be masked.
    pub is_added: bool,
}

/// Allowlists or path patterns that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{owner}: {message}")]
pub struct TriageError {
    owner: String,
    message: String,
}

/// Decides what becomes of a detector's matches.
pub struct Triage<'d> {
    detector: &'d Detector,
    policy: Policy,
    rules: Vec<RuleFilter>,
    global: Vec<Compiled>,
}

/// What a rule itself says of places; compiled when first needed.
struct RuleFilter {
    path: OnceLock<Option<Regex>>,
    allowlists: OnceLock<Vec<Compiled>>,
}

/// A match with what stands around it.
struct Candidate<'a> {
    found: &'a RawMatch,
    place: Place,
    lines: Cow<'a, [u8]>,
    lines_start: u64,
}

/// Values with fewer bits could be guessed from a public fingerprint.
const WEAK_BITS: f32 = 64.0;

impl<'d> Triage<'d> {
    /// Makes the policy ready for a detector's rules.
    ///
    /// # Errors
    /// A user's regex that is too big to run.
    pub fn new(detector: &'d Detector, policy: Policy) -> Result<Self, TriageError> {
        let mut rules = Vec::new();
        for rule in detector.rules() {
            let filter = RuleFilter { path: OnceLock::new(), allowlists: OnceLock::new() };
            if rule.origin == Origin::User {
                let fail = |error: regex::Error| TriageError {
                    owner: format!("rule `{}`", rule.id),
                    message: error.to_string(),
                };
                filter.path.get_or_init(|| None);
                let path = compile_path(rule).map_err(fail)?;
                let allowlists = compile_all(&rule.allowlists).map_err(fail)?;
                rules.push(RuleFilter { path: OnceLock::from(path), allowlists: OnceLock::from(allowlists) });
            } else {
                rules.push(filter);
            }
        }
        let fail =
            |error: regex::Error| TriageError { owner: "allowlists".into(), message: error.to_string() };
        let global = compile_all(&policy.allowlists).map_err(fail)?;
        Ok(Self { detector, policy, rules, global })
    }

    /// What finds what is decided on here.
    pub fn detector(&self) -> &'d Detector {
        self.detector
    }

    /// What it was made with.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, for what comes after the last scan.
    pub fn into_policy(self) -> Policy {
        self.policy
    }

    /// Decides on the matches of one file or blob at this path.
    ///
    /// # Errors
    /// What reading the content says.
    pub fn judge(
        &self,
        content: &dyn Content,
        path: &str,
        mut matches: Vec<RawMatch>,
    ) -> io::Result<Vec<Sighting>> {
        matches.retain(|found| self.concerns(found.rule, path));
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let masks = masks(&matches);
        let kept = name_each_value(self.detector, with_required(self.detector, content, matches)?);
        let places = places(content, &kept)?;
        // One by one: the surroundings of all matches of a file in one line would not fit into memory.
        kept.iter()
            .zip(places)
            .map(|(found, place)| {
                let (lines_start, lines) = lines_of(content, found.span)?;
                let candidate = Candidate { found, place, lines, lines_start };
                self.decide(content, path, &candidate, &masks)
            })
            .collect()
    }

    /// Sightings of rules that look at paths only.
    pub fn judge_path(&self, path: &str) -> Vec<Sighting> {
        let is_due = |(index, rule): &(usize, &Rule)| {
            rule.detection == Detection::Path && !rule.skip_report && self.concerns(*index, path)
        };
        self.detector
            .rules()
            .enumerate()
            .filter(is_due)
            .map(|(index, rule)| self.of_path(index, rule, path))
            .collect()
    }

    /// Whether the rule holds for files at this path.
    fn concerns(&self, rule: usize, path: &str) -> bool {
        let filter = self.rules[rule].path.get_or_init(|| {
            compile_path(self.detector.rule(rule)).expect("the tests compile every built-in path")
        });
        filter.as_ref().is_none_or(|regex| {
            regex.is_match(path.as_bytes()) || regex.is_match(self.policy.in_repository(path).as_bytes())
        })
    }

    fn decide(
        &self,
        content: &dyn Content,
        path: &str,
        candidate: &Candidate<'_>,
        masks: &[(Span, String)],
    ) -> io::Result<Sighting> {
        let found = candidate.found;
        let rule = self.detector.rule(found.rule);
        let canonical = Secret::new(canonical(found.secret.expose()).into_owned());
        let lines = Stretch { start: candidate.lines_start, bytes: &candidate.lines };
        let is_weak = !self.policy.key.is_keyed() && strength_bits(canonical.expose()) < WEAK_BITS;
        let value = found.secret.expose();
        let in_repository = self.policy.in_repository(path);
        let place = is_weak.then(|| {
            let line = place_line(lines, found.secret_span, value, masks);
            Fingerprint::of_place(&in_repository, &line)
        });
        let fingerprint = (!is_weak).then(|| self.policy.key.fingerprint(canonical.expose()));
        let matched = Secret::new(content.read_range(found.span.start, found.span.end)?);
        let subject = Subject {
            rule: &rule.id,
            path,
            in_repository: &in_repository,
            secret: found.secret.expose(),
            matched: matched.expose(),
            lines: &candidate.lines,
        };
        let before = line_before(content, candidate.lines_start)?;
        let suppression = if is_marked(&candidate.lines, &before) {
            Some(Suppression::InlineMark)
        } else {
            let accepted = Accepted {
                fingerprint: fingerprint.or(place),
                canonical: &canonical,
                lines: [candidate.place.match_line, candidate.place.start.line],
            };
            self.suppression(found.rule, rule, subject, &accepted)
        };
        let span = found.secret_span;
        let occurrence = Occurrence {
            path: path.to_owned(),
            start: candidate.place.start,
            end: candidate.place.end,
            span: Span::new(content.file_offset(span.start), content.file_offset(span.end)),
            excerpt: excerpt(lines, span, masks),
            match_line: (candidate.place.match_line != candidate.place.start.line)
                .then_some(candidate.place.match_line),
            place,
            matched: self.policy.show_secrets.then(|| String::from_utf8_lossy(matched.expose()).into_owned()),
        };
        Ok(Sighting {
            rule: found.rule,
            canonical,
            secret: found.secret.clone(),
            fingerprint,
            confidence: belief::confidence(rule, found),
            evidence: belief::evidence(rule, found, is_named_by_a_secret(found, lines, masks)),
            occurrence,
            suppression,
            is_added: true,
        })
    }

    /// Why the place does not count, inline marks aside.
    fn suppression(
        &self,
        index: usize,
        rule: &Rule,
        subject: Subject<'_>,
        accepted: &Accepted<'_>,
    ) -> Option<Suppression> {
        let own = self.rules[index].allowlists.get_or_init(|| {
            compile_all(&rule.allowlists).expect("the tests compile every built-in allowlist")
        });
        let policy = &self.policy;
        let places = accepted.lines.map(|line| (subject.rule, subject.in_repository, line));
        if own.iter().any(|list| list.allows(subject)) {
            Some(Suppression::RuleAllowlist)
        } else if self.global.iter().any(|list| list.allows(subject)) {
            Some(Suppression::GlobalAllowlist)
        } else if places.iter().any(|(rule, path, line)| policy.ignore_file.accepts(path, rule, *line)) {
            Some(Suppression::IgnoreFile)
        } else {
            let is_accepted = accepted
                .fingerprint
                .is_some_and(|print| policy.baseline.accepts(&print, policy.today))
                || places.iter().any(|place| policy.baseline.accepts_gitleaks(accepted.canonical, *place));
            is_accepted.then_some(Suppression::Baseline)
        }
    }

    /// The file itself is the finding; its path stands for it.
    fn of_path(&self, index: usize, rule: &Rule, path: &str) -> Sighting {
        let in_repository = self.policy.in_repository(path);
        let subject = Subject {
            rule: &rule.id,
            path,
            in_repository: &in_repository,
            secret: path.as_bytes(),
            matched: path.as_bytes(),
            lines: &[],
        };
        let place = Fingerprint::of_place(&in_repository, b"");
        let canonical = Secret::new(format!("path:{path}"));
        let accepted = Accepted { fingerprint: Some(place), canonical: &canonical, lines: [1, 1] };
        let start = Position { line: 1, column: 1 };
        Sighting {
            rule: index,
            secret: Secret::new(Vec::new()),
            fingerprint: None,
            confidence: belief::base_confidence(rule),
            evidence: vec![Evidence::Format { rule: rule.id.clone() }],
            occurrence: Occurrence {
                path: path.to_owned(),
                start,
                end: start,
                span: Span::new(0, 0),
                excerpt: String::new(),
                match_line: None,
                place: Some(place),
                matched: None,
            },
            suppression: self.suppression(index, rule, subject, &accepted),
            canonical,
            is_added: true,
        }
    }
}

/// What baselines and ignore files know a match by.
struct Accepted<'a> {
    fingerprint: Option<Fingerprint>,
    canonical: &'a Secret,
    /// Where the match starts, which is what gitleaks counts from, and where the secret does.
    lines: [u64; 2],
}

fn compile_path(rule: &Rule) -> Result<Option<Regex>, regex::Error> {
    rule.path.as_deref().map(compile_regex).transpose()
}

fn compile_all(lists: &[Allowlist]) -> Result<Vec<Compiled>, regex::Error> {
    lists.iter().map(Compiled::new).collect()
}

/// Every match masks what it found, also where it will not be reported. The spans are sorted and share no byte.
fn masks(matches: &[RawMatch]) -> Vec<(Span, String)> {
    let mut masks: Vec<_> =
        matches.iter().map(|found| (found.secret_span, found.secret.redacted())).collect();
    // Of two that start together the longer hides more.
    masks.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut end = 0;
    masks.retain_mut(|(span, _)| {
        span.start = span.start.max(end);
        end = end.max(span.end);
        span.start < span.end
    });
    masks
}

/// Whether what stands for a name before the value is a secret itself, as in a list of them.
fn is_named_by_a_secret(found: &RawMatch, lines: Stretch<'_>, masks: &[(Span, String)]) -> bool {
    let Some(name) = &found.context else { return false };
    let before = usize::try_from(found.secret_span.start - lines.start).expect("the lines are in memory");
    let at = memchr::memmem::rfind(&lines.bytes[..before.min(lines.bytes.len())], name.as_bytes());
    at.is_some_and(|at| {
        let start = lines.start + at as u64;
        !within(masks, Span::new(start, start + name.len() as u64)).is_empty()
    })
}

/// Without matches that miss what their rule requires nearby, and without those that are only there to be required.
fn with_required(
    detector: &Detector,
    content: &dyn Content,
    matches: Vec<RawMatch>,
) -> io::Result<Vec<RawMatch>> {
    if matches.iter().all(|found| detector.rule(found.rule).required.is_empty()) {
        return Ok(matches.into_iter().filter(|found| !detector.rule(found.rule).skip_report).collect());
    }
    let starts: Vec<u64> = matches.iter().map(|found| found.span.start).collect();
    let placed: Vec<_> = matches.iter().zip(positions(content, &starts)?).collect();
    let neighbours = Neighbours::new(detector, &placed);
    let stays: Vec<bool> = placed
        .iter()
        .map(|(found, at)| (detector.rule(found.rule), *at))
        .map(|(rule, at)| !rule.skip_report && neighbours.satisfy(rule, at))
        .collect();
    Ok(matches.into_iter().zip(stays).filter_map(|(found, stays)| stays.then_some(found)).collect())
}

/// Where a match stands.
struct Place {
    /// The line in which the whole match starts.
    match_line: u64,
    start: Position,
    end: Position,
}

/// Where each match stands.
fn places(content: &dyn Content, kept: &[RawMatch]) -> io::Result<Vec<Place>> {
    let ends = |found: &RawMatch| [found.span.start, found.secret_span.start, found.secret_span.end];
    let mut offsets: Vec<u64> = kept.iter().flat_map(ends).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let positions = positions(content, &offsets)?;
    let position = |offset: u64| positions[offsets.binary_search(&offset).expect("it is among them")];
    let place = |found: &RawMatch| {
        let [matched, start, end] = ends(found).map(position);
        Place { match_line: matched.line, start, end }
    };
    Ok(kept.iter().map(place).collect())
}
