//! Of matches that share bytes, the one that names the secret; and matches that need another nearby.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    companion::{self, Standing},
    taken::Taken,
};
use crate::{
    detect::{Detector, known::ValueId},
    model::{Confidence, Position, Span},
    rule::{Rule, Specificity},
};

/// What a match says of a value, as far as it takes to choose between matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'c> {
    pub(super) rule: usize,
    pub(super) secret_span: Span,
    pub(super) confidence: Confidence,
    /// The known value that it is.
    pub(super) known: Option<ValueId>,
    /// What was decoded, and where in it the secret is; empty where it stands as it is.
    pub(super) path: &'c [Span],
    /// Where the whole match starts.
    pub(super) at: Position,
    /// Where the secret does.
    pub(super) start: Position,
}

/// Which of the matches of one content stand, in the order of places: those that have what their rule requires nearby, and are not only there
/// to be required, and name their value. Those that only belong to another are with that.
pub(super) fn standing(detector: &Detector, claims: &[Claim<'_>]) -> Vec<Standing> {
    let mut kept: Vec<usize> = with_required(detector, claims);
    name_each_value(detector, claims, &mut kept);
    companion::join(detector, claims, kept)
}

fn with_required(detector: &Detector, claims: &[Claim<'_>]) -> Vec<usize> {
    let requires = |claim: &Claim<'_>| !detector.rule(claim.rule).required.is_empty();
    let neighbours = claims.iter().any(requires).then(|| Neighbours::new(detector, claims));
    let stands = |claim: &Claim<'_>| {
        let rule = detector.rule(claim.rule);
        !rule.skip_report && neighbours.as_ref().is_none_or(|near| near.satisfy(rule, claim.at))
    };
    (0..claims.len()).filter(|index| stands(&claims[*index])).collect()
}

/// What is compared between claims on one value; the greatest names it.
type Precedence = (bool, u32, bool, Specificity, Confidence, (bool, bool, bool), u64);

/// Keeps the matches that name their value: of those whose secrets overlap, the one that is known, then that of the rule with the greatest rank, then the most specific of those that are believed at least a medium much; between
/// equals the more confident, then what says more of it, then the one that a provider's word nearby tells, then the one that knows more than a name, then the longer, then
/// the first by rule id. The rest stay out, but for a known value within another: that
/// is a secret of its own. Both lists keep the order of places.
fn name_each_value(detector: &Detector, claims: &[Claim<'_>], kept: &mut Vec<usize>) {
    let rank = |claim: &Claim<'_>| -> (Reverse<Precedence>, (u64, usize)) {
        let rule = detector.rule(claim.rule);
        let is_told = rule.nearby().is_some();
        let (known, length) = (claim.known.is_some(), claim.secret_span.len());
        // What a format is written for is the bytes as they are; of a value that is known by its name alone, the clear one says more. A
        // provider's word says more than a name.
        let is_as_meant = claim.path.is_empty() == (rule.specificity >= Specificity::Format);
        let told = (is_as_meant, is_told, !rule.gives_way());
        // A rule that hardly believes its match leaves the value to one that does; but a wrong checksum says what the value is not.
        let is_believed = claim.confidence >= Confidence::Medium || rule.checksum.is_some();
        let order = (known, rule.rank, is_believed, rule.specificity, claim.confidence, told, length);
        (Reverse(order), (claim.secret_span.start, claim.path.len()))
    };
    kept.sort_by(|one, two| {
        let (one, two) = (&claims[*one], &claims[*two]);
        let ids = || detector.rule(one.rule).id.cmp(&detector.rule(two.rule).id);
        rank(one).cmp(&rank(two)).then_with(ids)
    });
    let mut taken = Taken::default();
    let mut taken_by_value: HashMap<ValueId, Taken> = HashMap::new();
    kept.retain(|index| {
        let Claim { secret_span, known, path, .. } = claims[*index];
        let is_free = taken.insert(secret_span, path);
        known.map_or(is_free, |value| taken_by_value.entry(value).or_default().insert(secret_span, path))
    });
    kept.sort_by_key(|index| (claims[*index].secret_span.start, claims[*index].secret_span.end));
}

/// Where each rule's matches start, by rule id, in the order of lines.
struct Neighbours<'a>(HashMap<&'a str, Vec<Position>>);

impl<'a> Neighbours<'a> {
    fn new(detector: &'a Detector, claims: &[Claim<'_>]) -> Self {
        let mut by_rule: HashMap<&str, Vec<Position>> = HashMap::new();
        for claim in claims {
            by_rule.entry(detector.rule(claim.rule).id.as_str()).or_default().push(claim.at);
        }
        by_rule.values_mut().for_each(|places| places.sort_unstable());
        Self(by_rule)
    }

    /// Whether every rule that a rule requires has a match near enough.
    fn satisfy(&self, rule: &Rule, at: Position) -> bool {
        rule.required.iter().all(|required| {
            let places = self.0.get(required.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let reach = required.within_lines.unwrap_or(u64::MAX);
            let first = places.partition_point(|place| place.line < at.line.saturating_sub(reach));
            let near = places[first..].iter().take_while(|place| place.line <= at.line.saturating_add(reach));
            let columns = required.within_columns.unwrap_or(u64::MAX);
            near.into_iter().any(|place| place.column.abs_diff(at.column) <= columns)
        })
    }
}
