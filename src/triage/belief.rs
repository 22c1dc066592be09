//! Evidence of a match, and how far it is believed: the one table.

use crate::{
    detect::RawMatch,
    model::{Confidence, Evidence},
    rule::{Rule, Specificity},
};

/// What speaks for a match, strongest first. Its name is not said where that is a secret itself.
pub(super) fn evidence(rule: &Rule, found: &RawMatch, hides_name: bool) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let (Some(algorithm), Some(valid)) = (rule.checksum, found.checksum) {
        evidence.push(Evidence::Checksum { algorithm: algorithm.as_str().to_owned(), valid });
    }
    if rule.specificity >= Specificity::Format {
        evidence.push(Evidence::Format { rule: rule.id.clone() });
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
    confidence_with(rule, found.checksum)
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
