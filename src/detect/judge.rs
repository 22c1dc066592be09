//! What the regex found, judged by its own bytes: entropy, checksum, placeholders, and for generic rules a score.

use std::{borrow::Cow, ops::Range};

use super::{
    canonical::canonical,
    context,
    decode::{self, Decoded},
    known::{Found, Known},
    placeholder,
    score::{self, Clue, Naming, Score},
};
use crate::{
    model::{DecodeStep, Secret, Span},
    rule::{Origin, Rule, Specificity},
};

/// One match of one rule, in the content's offsets.
#[derive(Debug, Clone, PartialEq)]
pub struct RawMatch {
    /// Index of the rule in its detector.
    pub rule: usize,
    /// The whole match.
    pub span: Span,
    /// The secret in it.
    pub secret_span: Span,
    /// The secret itself, as it stands there.
    pub secret: Secret,
    /// Shannon entropy of the secret, bits per character.
    pub entropy: f32,
    /// Whether its checksum is right; `None` where its type or form has none.
    pub checksum: Option<bool>,
    /// The name it is assigned to.
    pub context: Option<String>,
    /// What the secret manager knows it as.
    pub known: Option<Known>,
    /// What it is in the clear, where it stands encoded.
    pub decoded: Option<Decoded>,
    /// Its rule has more matches behind this one, which are left out: there are too many in this content.
    pub is_last: bool,
    /// What speaks for and against it, where the rule leaves that to the score.
    pub score: Option<Score>,
}

/// Why what a regex found is no match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// Its entropy is not above the rule's, in bits per character.
    Entropy {
        /// Its own.
        found: f32,
        /// The rule's.
        least: f32,
    },
    /// It stands in for a secret: a placeholder or a reference.
    StandIn,
    /// What speaks for it does not reach the least score.
    Score(Score),
    /// Its name is one that another rule is for.
    OtherRule(Score),
}

impl RawMatch {
    /// What makes two places one secret: the canonical form of the value, in whichever form it stands.
    pub fn canonical(&self) -> Cow<'_, [u8]> {
        canonical(self.clear().expose())
    }

    /// Whether it was found by decoding a run or line, and searching that.
    pub(super) fn is_of_decoded(&self) -> bool {
        self.decoded.as_ref().is_some_and(|decoded| decoded.is_searched)
    }

    /// The value in the clear, in whichever form it stands.
    pub fn clear(&self) -> &Secret {
        let known = || self.known.as_ref().and_then(|known| known.clear.as_ref());
        self.decoded.as_ref().map(|decoded| &decoded.value).or_else(known).unwrap_or(&self.secret)
    }
}

/// The match of a rule that stands for known values.
pub(super) fn of_known(rule: usize, bytes: &[u8], base: u64, found: Found) -> RawMatch {
    let Found { span: place, known } = found;
    let value = &bytes[place.clone()];
    let span = Span::new(base + place.start as u64, base + place.end as u64);
    RawMatch {
        rule,
        span,
        secret_span: span,
        secret: Secret::new(value),
        entropy: entropy::shannon_entropy(value),
        checksum: None,
        context: context::assigned_name(bytes, place.start),
        known: Some(known),
        decoded: None,
        is_last: false,
        score: None,
    }
}

/// The match, unless its own bytes say that it is no secret. `base` is where `bytes` start in the content.
///
/// # Errors
/// Why it is none.
pub(super) fn judge(
    rule: (usize, &Rule),
    bytes: &[u8],
    base: u64,
    span: Range<usize>,
    secret: Range<usize>,
) -> Result<RawMatch, Refusal> {
    let (index, rule) = rule;
    let value = &bytes[secret.clone()];
    let entropy = entropy::shannon_entropy(value);
    if let Some(least) = rule.entropy.filter(|least| entropy <= *least) {
        return Err(Refusal::Entropy { found: entropy, least });
    }
    let checksum = rule.checksum.and_then(|checksum| checksum.verify(value));
    let is_proved = checksum == Some(true) || rule.origin == Origin::User;
    let mut score = None;
    if !is_proved {
        if rule.is_weighed() {
            score = Some(weigh(rule, bytes, &span, &secret)?);
        } else if placeholder::is_ruled_out(bytes, &secret, rule.specificity) {
            return Err(Refusal::StandIn);
        }
    }
    let decoded = decoded(rule, &secret, base, value);
    if let Some(decoded) = &decoded {
        let clear = decoded.value.expose();
        if !is_proved && placeholder::is_ruled_out(clear, &(0..clear.len()), rule.specificity) {
            return Err(Refusal::StandIn);
        }
    }
    let at = |range: Range<usize>| Span::new(base + range.start as u64, base + range.end as u64);
    Ok(RawMatch {
        rule: index,
        span: at(span),
        secret_span: at(secret.clone()),
        secret: Secret::new(value),
        entropy,
        checksum,
        context: context::assigned_name(bytes, secret.start),
        known: None,
        is_last: false,
        score,
        decoded,
    })
}

/// The value in the clear, where a rule that knows a value by the words around it finds it encoded, as in the manifest of a Kubernetes
/// Secret: what is a secret is what it holds.
fn decoded(rule: &Rule, secret: &Range<usize>, base: u64, value: &[u8]) -> Option<Decoded> {
    if rule.origin == Origin::User || rule.specificity > Specificity::Generic {
        return None;
    }
    let (by, text) = decode::text_of(value)?;
    let end = text.len() as u64;
    Some(Decoded {
        steps: vec![DecodeStep { by, start: 0, end }],
        path: vec![Span::new(base + secret.start as u64, base + secret.end as u64), Span::new(0, end)],
        value: Secret::new(text),
        is_searched: false,
    })
}

/// The score of what a generic rule found, if it is believed at least a little.
fn weigh(rule: &Rule, bytes: &[u8], span: &Range<usize>, secret: &Range<usize>) -> Result<Score, Refusal> {
    let naming = if rule.is_by_name() { Naming::InMatch } else { Naming::BySyntax };
    let score = score::weigh(bytes, span, secret, naming);
    if rule.id == KEY_RULE && (score.has(Clue::PasswordName) || score.has(Clue::HeaderName)) {
        return Err(Refusal::OtherRule(score));
    }
    if score.total() < score::LOW { Err(Refusal::Score(score)) } else { Ok(score) }
}

/// The rule whose names include parts of those that other rules are for (`auth_password`, `authorization`).
const KEY_RULE: &str = "generic-api-key";

/// A careful guess at how many bits an attacker has to try, for values nobody says the origin of.
///
/// Entropy times length; of values that read like words, a third of it.
pub fn strength_bits(value: &[u8]) -> f32 {
    let bits = entropy::shannon_entropy(value) * value.len() as f32;
    if placeholder::reads_like_words(value) { bits / 3.0 } else { bits }
}
