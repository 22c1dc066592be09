//! What a scan decides of each candidate in a file, and why: the same detector and triage, asked for all that they know.

use std::io;

use crate::{
    detect::{Content, RawMatch, Refusal, Refused, Score},
    model::{Confidence, Gap, GapReason, Position, Secret, Span, Suppression},
    source::Source,
    triage::{Sighting, Triage, positions},
};

/// Something that a rule's pattern found.
#[derive(Debug)]
pub struct Candidate {
    /// Index of the rule in the detector.
    pub rule: usize,
    /// The value, as it stands there.
    pub secret: Secret,
    /// Where the whole match starts.
    pub matched: Position,
    /// Where the value starts and ends.
    pub start: Position,
    /// Its end.
    pub end: Position,
    /// The name it is assigned to.
    pub name: Option<String>,
    /// Whether its checksum is right, where it has one.
    pub checksum: Option<bool>,
    /// What speaks for and against it, where that is weighed.
    pub score: Option<Score>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// It is reported.
    Reported(Confidence),
    /// It is believed less than what is asked for.
    Doubted(Confidence),
    /// It does not count here.
    Suppressed(Suppression),
    /// The match of another rule, by its index, names the value.
    NamedBy(usize),
    /// The rule is for other paths, needs another match nearby, or only serves others.
    Unmet,
    /// It is no match.
    Refused(Refusal),
}

/// Every candidate in the source's only file, by place.
///
/// # Errors
/// Why it can't be scanned.
pub fn explain(
    source: &dyn Source,
    triage: &Triage<'_>,
    min_confidence: Confidence,
) -> Result<Vec<Candidate>, Gap> {
    let listing = source.list();
    let entry = match (listing.entries.first(), listing.gaps.into_iter().next()) {
        (Some(entry), _) => entry,
        (None, Some(gap)) => return Err(gap),
        (None, None) => return Ok(Vec::new()),
    };
    let mut buffer = Vec::new();
    let opened = source.open(entry, &mut buffer)?;
    let mut candidates = Vec::new();
    for content in opened.contents() {
        let found = of_content(content, &entry.name, (triage, min_confidence));
        candidates.extend(found.map_err(|error| Gap {
            path: entry.name.clone(),
            reason: GapReason::Unreadable,
            detail: error.to_string(),
        })?);
    }
    candidates.sort_by_key(|one| (one.start, one.end, one.rule));
    Ok(candidates)
}

fn of_content(
    content: &dyn Content,
    path: &str,
    (triage, min_confidence): (&Triage<'_>, Confidence),
) -> io::Result<Vec<Candidate>> {
    let (matches, refused) = triage.detector().explain(content)?;
    let sightings = triage.judge(content, path, matches.clone())?;
    let places = Places::new(content, &matches, &refused)?;
    let of_match = |found: &RawMatch| {
        let span = found.secret_span;
        let span = Span::new(content.file_offset(span.start), content.file_offset(span.end));
        Candidate {
            rule: found.rule,
            secret: found.secret.clone(),
            matched: places.at(found.span.start),
            start: places.at(found.secret_span.start),
            end: places.at(found.secret_span.end),
            name: found.context.clone(),
            checksum: found.checksum,
            score: found.score,
            outcome: outcome(found.rule, span, &sightings, min_confidence),
        }
    };
    let of_refused = |one: &Refused| Candidate {
        rule: one.rule,
        secret: one.secret.clone(),
        matched: places.at(one.span.start),
        start: places.at(one.secret_span.start),
        end: places.at(one.secret_span.end),
        name: None,
        checksum: None,
        score: match one.why {
            Refusal::Score(score) | Refusal::OtherRule(score) => Some(score),
            Refusal::Entropy { .. } | Refusal::StandIn => None,
        },
        outcome: Outcome::Refused(one.why),
    };
    Ok(matches.iter().map(of_match).chain(refused.iter().map(of_refused)).collect())
}

/// What triage made of a match: its sighting says, or that of the rule which names the value.
fn outcome(rule: usize, span: Span, sightings: &[Sighting], min_confidence: Confidence) -> Outcome {
    let place = |one: &&Sighting| one.occurrence.span == span && one.rule == rule;
    if let Some(own) = sightings.iter().find(place) {
        return match own.suppression {
            Some(suppression) => Outcome::Suppressed(suppression),
            None if own.confidence < min_confidence => Outcome::Doubted(own.confidence),
            None => Outcome::Reported(own.confidence),
        };
    }
    let other = sightings.iter().find(|one| one.occurrence.span.overlaps(span));
    other.map_or(Outcome::Unmet, |other| Outcome::NamedBy(other.rule))
}

/// Lines and columns of offsets.
struct Places {
    offsets: Vec<u64>,
    positions: Vec<Position>,
}

impl Places {
    fn new(content: &dyn Content, matches: &[RawMatch], refused: &[Refused]) -> io::Result<Self> {
        let of_matches = matches.iter().map(|found| (found.span, found.secret_span));
        let of_refused = refused.iter().map(|one| (one.span, one.secret_span));
        let mut offsets: Vec<u64> = of_matches
            .chain(of_refused)
            .flat_map(|(span, secret)| [span.start, secret.start, secret.end])
            .collect();
        offsets.sort_unstable();
        offsets.dedup();
        let positions = positions(content, &offsets)?;
        Ok(Self { offsets, positions })
    }

    fn at(&self, offset: u64) -> Position {
        self.positions[self.offsets.binary_search(&offset).expect("it is among them")]
    }
}
