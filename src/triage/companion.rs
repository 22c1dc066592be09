//! Matches that belong together: the id of a key and its secret are one finding.

use std::collections::{BTreeSet, HashMap};

use super::overlap::Claim;
use crate::{
    detect::Detector,
    model::{Confidence, Position, Secret},
};

/// A match that stands, with those that belong to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Which of the claims.
    pub(super) index: usize,
    /// Others of the claims: of each rule that this one's names, the nearest.
    pub(super) companions: Vec<usize>,
}

/// A companion of a sighting.
#[derive(Debug, Clone)]
pub struct Beside {
    /// Index of the rule in the detector.
    pub rule: usize,
    /// As it stands there.
    pub secret: Secret,
    /// How far its own match is believed.
    pub confidence: Confidence,
    /// First character, and behind the last one.
    pub at: (Position, Position),
}

/// Joins the matches that stand with their companions, and takes out those that are only that. Both lists keep the order of places.
pub(super) fn join(detector: &Detector, claims: &[Claim], kept: Vec<usize>) -> Vec<Standing> {
    let has_companions = |index: &usize| !detector.rule(claims[*index].rule).companions.is_empty();
    if !kept.iter().any(has_companions) {
        return kept.into_iter().map(|index| Standing { index, companions: Vec::new() }).collect();
    }
    let near = Near::new(detector, claims, &kept);
    let mut joined: Vec<Standing> = Vec::with_capacity(kept.len());
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for index in kept {
        let wanted = &detector.rule(claims[index].rule).companions;
        let companions: Vec<usize> = wanted
            .iter()
            .filter_map(|companion| near.nearest(claims, index, &companion.id, companion.within_lines))
            .collect();
        taken.extend(&companions);
        joined.push(Standing { index, companions });
    }
    // What the secret manager knows is a finding whatever it stands beside, and so is what has companions of its own.
    joined.retain(|one| {
        !taken.contains(&one.index) || claims[one.index].known.is_some() || !one.companions.is_empty()
    });
    joined
}

/// For each rule its matches that may be companions, in the order of places.
struct Near<'d>(HashMap<&'d str, Vec<usize>>);

impl<'d> Near<'d> {
    fn new(detector: &'d Detector, claims: &[Claim], kept: &[usize]) -> Self {
        let wanted: BTreeSet<&str> = kept
            .iter()
            .flat_map(|index| &detector.rule(claims[*index].rule).companions)
            .map(|companion| companion.id.as_str())
            .collect();
        let stands: BTreeSet<usize> = kept.iter().copied().collect();
        let mut by_rule: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, claim) in claims.iter().enumerate() {
            let rule = detector.rule(claim.rule);
            if wanted.contains(rule.id.as_str()) && (rule.skip_report || stands.contains(&index)) {
                by_rule.entry(&rule.id).or_default().push(index);
            }
        }
        by_rule.values_mut().for_each(|all| all.sort_by_key(|index| claims[*index].secret_span.start));
        Self(by_rule)
    }

    /// The match of a rule that is nearest to one, by lines; of two as near the one before it, as people write ids.
    fn nearest(&self, claims: &[Claim], of: usize, rule: &str, within_lines: u64) -> Option<usize> {
        let all = self.0.get(rule)?;
        let claim = &claims[of];
        let behind = all.partition_point(|index| claims[*index].secret_span.start < claim.secret_span.start);
        let is_apart = |index: &&usize| !claims[**index].secret_span.overlaps(claim.secret_span);
        // Those of one rule share no byte, but with others: one of two on each side is apart.
        let before = all[..behind].iter().rev().take(2).find(is_apart);
        let after = all[behind..].iter().take(2).find(is_apart);
        let lines = |index: &usize| claims[*index].start.line.abs_diff(claim.start.line);
        let nearest = before.into_iter().chain(after).min_by_key(|index| lines(index))?;
        (lines(nearest) <= within_lines).then_some(*nearest)
    }
}
