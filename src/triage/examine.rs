//! What a match is, as far as its own blob decides: everything but its path and commit.
//!
//! A history has one blob at many places, and one line in many blobs; what follows from the line alone is worked out once and shared.

use std::{
    borrow::Cow,
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    Triage,
    allowlist::{Look, Subject},
    belief,
    excerpt::{Stretch, excerpt, place_line, within},
    line::{line_before, lines_of, positions},
    mark::marked,
    overlap::Claim,
};
use crate::{
    detect::{Content, RawMatch, Score, known::ValueId, strength_bits},
    model::{Confidence, DecodeStep, Evidence, Fingerprint, LineDigest, Position, Secret, Span},
};

/// Values with fewer bits could be guessed from a public fingerprint.
const WEAK_BITS: f32 = 64.0;

/// A match with all that follows from its content.
#[derive(Debug, Clone)]
pub struct Examined {
    pub(super) core: Arc<Core>,
    /// The secret's place in the content, and in the file.
    pub(super) secret_span: Span,
    pub(super) file_span: Span,
    pub(super) place: Place,
    /// Its rule has more matches, which were left out.
    pub(super) is_last: bool,
    /// Where it is encoded, what was decoded, and where in it the secret is.
    path: Vec<Span>,
    /// In an archive, what stands behind the archive's path.
    pub(super) entry: Option<Arc<str>>,
}

/// What follows from a match and its lines.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) rule: usize,
    pub(super) known: Option<ValueId>,
    pub(super) secret: Secret,
    /// The value in the clear, where it is encoded there, and how it is had.
    pub(super) decoded: Option<(Secret, Vec<DecodeStep>)>,
    pub(super) canonical: Secret,
    /// Identity of the secret; `None` where it is too weak to have a public one.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Of a weak one, what identifies its line.
    pub(super) line: Option<LineDigest>,
    pub(super) confidence: Confidence,
    pub(super) evidence: Vec<Evidence>,
    pub(super) excerpt: String,
    /// The text by which a mark accepts it.
    pub(super) mark: Option<Secret>,
    /// What the rule's own allowlists, and the global ones, say of the content.
    pub(super) own: Box<[Look]>,
    pub(super) global: Box<[Look]>,
    /// The clear text of the whole match, where it is to be shown.
    pub(super) matched: Option<Secret>,
}

/// Where a match stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where the whole match starts.
    pub(super) matched: Position,
    pub(super) start: Position,
    pub(super) end: Position,
}

/// What was worked out once, by what it follows from.
#[derive(Debug, Default)]
pub struct Shared(Mutex<HashMap<[u8; 32], Arc<Core>>>);

impl Examined {
    /// What makes two places one secret.
    pub fn canonical(&self) -> &Secret {
        &self.core.canonical
    }

    /// The rule that has more matches in its content than are kept, if this is the last of those.
    pub fn cut_rule(&self) -> Option<usize> {
        self.is_last.then_some(self.core.rule)
    }

    /// The same, in this entry of an archive.
    #[must_use]
    pub fn within(self, entry: Option<&str>) -> Self {
        Self { entry: entry.map(Arc::from), ..self }
    }

    pub(super) fn claim(&self) -> Claim<'_> {
        Claim {
            rule: self.core.rule,
            secret_span: self.secret_span,
            confidence: self.core.confidence,
            known: self.core.known,
            path: &self.path,
            at: self.place.matched,
        }
    }
}

/// A match with what stands around it.
struct Candidate<'a> {
    found: &'a RawMatch,
    lines: Cow<'a, [u8]>,
    lines_start: u64,
    before: Cow<'a, [u8]>,
    masks: &'a [(Span, String)],
}

impl Triage<'_> {
    /// Works out all that the content decides of its matches. What many blobs have in common is found in `shared`.
    ///
    /// # Errors
    /// What reading the content says.
    pub fn examine(
        &self,
        content: &dyn Content,
        matches: &[RawMatch],
        shared: &Shared,
    ) -> io::Result<Vec<Examined>> {
        let masks = masks(matches);
        let places = places(content, matches)?;
        let both = matches.iter().zip(places);
        both.map(|(found, place)| self.examine_one(content, found, place, (&masks, Some(shared)))).collect()
    }

    /// The same of one match.
    pub(super) fn examine_one(
        &self,
        content: &dyn Content,
        found: &RawMatch,
        place: Place,
        (masks, shared): (&[(Span, String)], Option<&Shared>),
    ) -> io::Result<Examined> {
        let (lines_start, lines) = lines_of(content, found.span)?;
        let before = line_before(content, lines_start)?;
        let candidate = Candidate { found, lines, lines_start, before, masks };
        let core = match shared {
            Some(shared) => shared.get(candidate.key(), || self.core(&candidate)),
            None => Arc::new(self.core(&candidate)),
        };
        let span = found.secret_span;
        let file_span = Span::new(content.file_offset(span.start), content.file_offset(span.end));
        let path = found.decoded.as_ref().map(|decoded| decoded.path.clone()).unwrap_or_default();
        let is_last = found.is_last;
        Ok(Examined { core, secret_span: span, file_span, place, is_last, path, entry: None })
    }

    fn core(&self, candidate: &Candidate<'_>) -> Core {
        let Candidate { found, masks, .. } = *candidate;
        let rule = self.detector.rule(found.rule);
        let canonical = Secret::new(found.canonical().into_owned());
        let lines = Stretch { start: candidate.lines_start, bytes: &candidate.lines };
        let key = &self.policy.key;
        let is_weak = !key.is_keyed() && strength_bits(canonical.expose()) < WEAK_BITS;
        let value = found.secret.expose();
        let matched = candidate.matched();
        let subject = Subject { secret: value, matched, lines: &candidate.lines };
        let looks =
            |lists: &[super::allowlist::Compiled]| lists.iter().map(|list| list.look(subject)).collect();
        Core {
            rule: found.rule,
            known: found.known.as_ref().map(|known| known.value),
            secret: found.secret.clone(),
            decoded: found.decoded.as_ref().map(|decoded| (decoded.value.clone(), decoded.steps.clone())),
            fingerprint: (!is_weak).then(|| key.fingerprint(canonical.expose())),
            line: is_weak.then(|| LineDigest::of(&place_line(lines, found.secret_span, value, masks))),
            canonical,
            confidence: belief::confidence(rule, found),
            evidence: belief::evidence(self.detector, found, is_named_by_a_secret(found, lines, masks)),
            excerpt: excerpt(lines, found.secret_span, masks),
            mark: marked(&candidate.lines, &candidate.before).map(|text| Secret::new(text.into_owned())),
            own: looks(self.own_allowlists(found.rule)),
            global: looks(&self.global),
            matched: self.policy.show_secrets.then(|| Secret::new(matched)),
        }
    }
}

impl Candidate<'_> {
    fn matched(&self) -> &[u8] {
        let at = |offset: u64| usize::try_from(offset - self.lines_start).expect("the lines are in memory");
        let end = at(self.found.span.end).min(self.lines.len());
        &self.lines[at(self.found.span.start).min(end)..end]
    }

    /// Everything that a core follows from.
    fn key(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut number = |number: u64| hash.update(number.to_le_bytes());
        let found = self.found;
        let end = self.lines_start + self.lines.len() as u64;
        number(found.rule as u64);
        for offset in [found.span.start, found.span.end, found.secret_span.start, found.secret_span.end, end]
        {
            number(offset - self.lines_start);
        }
        for (span, _) in within(self.masks, Span::new(self.lines_start, end)) {
            // A mask may begin before the lines; then it is its end that matters.
            number(span.start.max(self.lines_start) - self.lines_start);
            number(span.end.min(end) - self.lines_start);
        }
        let known = found.known.as_ref().map(|known| (known.value.0, known.form as u8));
        number(known.map_or(0, |(value, form)| 1 + (u64::from(value) << 8 | u64::from(form))));
        number(u64::from(found.score.is_some_and(Score::is_enough)));
        for step in found.decoded.iter().flat_map(|decoded| &decoded.steps) {
            number(1 + step.by as u64);
            number(step.start);
            number(step.end);
        }
        number(self.before.len() as u64);
        hash.update(&self.before);
        hash.update(&self.lines);
        hash.finalize().into()
    }
}

impl Shared {
    fn get(&self, key: [u8; 32], make: impl FnOnce() -> Core) -> Arc<Core> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(core) = lock().get(&key) {
            return core.clone();
        }
        let core = Arc::new(make());
        lock().entry(key).or_insert(core).clone()
    }
}

/// Every match masks what it found, also where it will not be reported. The spans are sorted and share no byte.
pub(super) fn masks(matches: &[RawMatch]) -> Vec<(Span, String)> {
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

/// Where each match stands.
///
/// # Errors
/// What reading the content says.
pub(super) fn places(content: &dyn Content, matches: &[RawMatch]) -> io::Result<Vec<Place>> {
    let ends = |found: &RawMatch| [found.span.start, found.secret_span.start, found.secret_span.end];
    let mut offsets: Vec<u64> = matches.iter().flat_map(ends).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let positions = positions(content, &offsets)?;
    let position = |offset: u64| positions[offsets.binary_search(&offset).expect("it is among them")];
    let place = |found: &RawMatch| {
        let [matched, start, end] = ends(found).map(position);
        Place { matched, start, end }
    };
    Ok(matches.iter().map(place).collect())
}
