//! Evidence of a match, and how far it is believed: the one table.

use crate::{
    detect::{Detector, RawMatch, known::Whereabouts},
    model::{Confidence, Evidence, Verdict},
    rule::{Rule, Specificity},
};

/// What speaks for a match, strongest first. Its name is not said where that is a secret itself.
pub(super) fn evidence(detector: &Detector, found: &RawMatch, hides_name: bool) -> Vec<Evidence> {
    let rule = detector.rule(found.rule);
    let mut evidence = of_inventory(detector, found);
    if let (Some(algorithm), Some(valid)) = (rule.checksum, found.checksum) {
        evidence.push(Evidence::Checksum { algorithm: algorithm.as_str().to_owned(), valid });
    }
    if rule.specificity >= Specificity::Format {
        evidence.push(Evidence::Format { rule: rule.id.clone() });
    }
    if let Some(decoded) = &found.decoded {
        evidence.push(Evidence::Encoded { by: decoded.steps.iter().map(|step| step.by).collect() });
    }
    // Two decimals: what is printed is what is compared.
    evidence.push(Evidence::Entropy { bits: (found.entropy * 100.0).round() / 100.0 });
    if let Some(name) = found.context.as_ref().filter(|_| !hides_name) {
        evidence.push(Evidence::Context { name: name.clone() });
    }
    evidence
}

/// How far a match is believed. A checksum decides; else the rule's own word; else what its pattern says.
pub(super) fn confidence(rule: &Rule, found: &RawMatch) -> Confidence {
    if found.known.is_some() {
        return Confidence::High;
    }
    let confidence = confidence_with(rule, found.checksum);
    let is_doubtful = found.score.is_some_and(|score| !score.is_enough());
    if is_doubtful { confidence.min(Confidence::Low) } else { confidence }
}

/// Where the secret manager has it: current values first.
fn of_inventory(detector: &Detector, found: &RawMatch) -> Vec<Evidence> {
    let Some(known) = &found.known else { return Vec::new() };
    let form = known.form.word().map(str::to_owned);
    let say = |place: &Whereabouts| Evidence::Inventory {
        environment: place.environment.clone(),
        path: place.path.clone(),
        version: place.version,
        current: place.current,
        form: form.clone(),
    };
    detector.whereabouts(known).iter().map(say).collect()
}

/// What the evidence of all places of one secret comes to: known where the manager has it as a current value, retired where only as older ones.
pub(super) fn verdict<'e>(evidence: impl Iterator<Item = &'e Evidence>) -> Option<Verdict> {
    let is_current = |evidence: &Evidence| match evidence {
        Evidence::Inventory { current, .. } => Some(*current),
        _ => None,
    };
    let current = evidence.filter_map(is_current).max()?;
    Some(if current { Verdict::Known } else { Verdict::Retired })
}

/// The same of a match that has no checksum.
pub fn base_confidence(rule: &Rule) -> Confidence {
    confidence_with(rule, None)
}

fn confidence_with(rule: &Rule, checksum: Option<bool>) -> Confidence {
    match (checksum, rule.confidence, rule.specificity) {
        (Some(true), ..) => Confidence::High,
        // No such token was ever issued: it is mistyped, cut off or made up.
        (Some(false), ..) => Confidence::Low,
        (None, Some(confidence), _) => confidence,
        (None, None, Specificity::Checksum | Specificity::Format) => Confidence::High,
        (None, None, Specificity::Provider | Specificity::Generic) => Confidence::Medium,
    }
}
