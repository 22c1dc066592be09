//! From sightings to findings: one per secret.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Sighting, Triage, belief};
use crate::model::{
    Companion, Confidence, Evidence, Finding, Secret, SecretView, SuppressedFinding, Suppression,
};

/// What a scan comes to.
#[derive(Debug, Default)]
pub struct Assembled {
    /// One per secret that counts: most severe first, then most believed, then by first place.
    pub findings: Vec<Finding>,
    /// Places that don't, by reason.
    pub suppressed: BTreeMap<Suppression, u64>,
    /// The same as findings, one per secret and reason.
    pub suppressed_findings: Vec<SuppressedFinding>,
}

/// Joins the sightings of a scan. Secrets of which no sighting reaches `least` are left out, uncounted.
pub fn assemble(triage: &Triage<'_>, least: Confidence, sightings: Vec<Sighting>) -> Assembled {
    let mut groups: BTreeMap<Secret, Vec<Sighting>> = BTreeMap::new();
    for sighting in sightings {
        match groups.entry(sighting.canonical.clone()) {
            Entry::Occupied(mut group) => group.get_mut().push(sighting),
            Entry::Vacant(slot) => {
                slot.insert(vec![sighting]);
            }
        }
    }
    let mut assembled = Assembled::default();
    let masks = Masks::of(groups.values().flatten());
    for mut group in groups.into_values() {
        group.retain(|sighting| sighting.is_added);
        group.iter_mut().for_each(|sighting| masks.hide_in(sighting));
        if group.iter().any(|sighting| sighting.confidence >= least) {
            assembled.add(triage, group);
        }
    }
    assembled.findings.sort_by_key(order);
    assembled.suppressed_findings.sort_by_key(|one| (one.reason, order(&one.finding)));
    assembled
}

impl Assembled {
    /// One secret's sightings: those that count are a finding, the others one per reason.
    fn add(&mut self, triage: &Triage<'_>, mut group: Vec<Sighting>) {
        group.sort_by(|one, two| {
            let place = |sighting: &Sighting| {
                let at = &sighting.occurrence;
                (at.path.clone(), at.date.clone(), at.commit.clone(), at.blob.clone(), at.span)
            };
            place(one).cmp(&place(two))
        });
        let mut by_reason: BTreeMap<Option<Suppression>, Vec<Sighting>> = BTreeMap::new();
        for sighting in group {
            by_reason.entry(sighting.suppression).or_default().push(sighting);
        }
        for (reason, sightings) in by_reason {
            let places = sightings.len() as u64;
            let finding = finding(triage, sightings);
            match reason {
                None => self.findings.push(finding),
                Some(reason) => {
                    *self.suppressed.entry(reason).or_default() += places;
                    self.suppressed_findings.push(SuppressedFinding { reason, finding });
                }
            }
        }
    }
}

/// The values of a scan: one that was found here may stand unmatched in a line that is shown for another's sake.
struct Masks {
    values: Option<AhoCorasick>,
    redacted: Vec<String>,
}

impl Masks {
    /// Shorter values turn up in other words by chance, in bytes.
    const SHORTEST: usize = 6;

    fn of<'a>(sightings: impl Iterator<Item = &'a Sighting>) -> Self {
        let secrets: BTreeSet<&Secret> = sightings
            .flat_map(|sighting| [Some(&sighting.secret), sighting.decoded.as_ref()])
            .flatten()
            .filter(|secret| secret.len() >= Self::SHORTEST && !secret.expose().contains(&b'\n'))
            .collect();
        let values = (!secrets.is_empty()).then(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(secrets.iter().map(|secret| secret.expose()))
                .expect("findings that fit into memory fit into an automaton")
        });
        Self { values, redacted: secrets.iter().map(|secret| secret.redacted()).collect() }
    }

    fn hide_in(&self, sighting: &mut Sighting) {
        let Some(values) = &self.values else { return };
        let excerpt = &mut sighting.occurrence.excerpt;
        if values.is_match(excerpt.as_str()) {
            *excerpt = values.replace_all(excerpt, &self.redacted);
        }
        let said = [&mut sighting.occurrence.author, &mut sighting.occurrence.subject];
        for text in said.into_iter().flatten().filter(|text| values.is_match(text.as_str())) {
            *text = values.replace_all(text, &self.redacted);
        }
        sighting.evidence.retain(|evidence| match evidence {
            Evidence::Context { name } => !values.is_match(name.as_str()),
            _ => true,
        });
    }
}

fn order(finding: &Finding) -> impl Ord + use<> {
    let first = finding.occurrences.first().map(|place| (place.path.clone(), place.span));
    (std::cmp::Reverse((finding.severity, finding.confidence)), first, finding.fingerprint)
}

/// The evidence of one place, with all that the inventory says of others.
fn with_inventory(evidence: &[Evidence], sightings: &[Sighting]) -> Vec<Evidence> {
    let is_inventory = |evidence: &&Evidence| matches!(evidence, Evidence::Inventory { .. });
    let mut all: Vec<Evidence> = Vec::new();
    let of_others = sightings.iter().flat_map(|sighting| sighting.evidence.iter().filter(is_inventory));
    for one in evidence.iter().filter(is_inventory).chain(of_others) {
        let is_told = |told: &Evidence| match (told, one) {
            (
                Evidence::Inventory { environment, path, version, .. },
                Evidence::Inventory { environment: other, path: other_path, version: other_version, .. },
            ) => (environment, path, version) == (other, other_path, other_version),
            _ => false,
        };
        if !all.iter().any(is_told) {
            all.push(one.clone());
        }
    }
    all.extend(evidence.iter().filter(|one| !is_inventory(one)).cloned());
    all
}

/// Companions that are listed with a finding.
const MOST_COMPANIONS: usize = 20;

/// What belongs to the secret at its places, each once, by its first place.
fn companions(triage: &Triage<'_>, sightings: &[Sighting]) -> Vec<Companion> {
    let mut known: BTreeSet<(usize, &Secret)> = BTreeSet::new();
    let mut all = Vec::new();
    let pairs = sightings.iter().flat_map(|one| one.companions.iter().map(move |beside| (one, beside)));
    for (sighting, beside) in pairs.filter(|(_, beside)| known.insert((beside.rule, &beside.secret))) {
        let rule = triage.detector().rule(beside.rule);
        let shown = triage.policy().show_secrets;
        let value = shown.then(|| String::from_utf8_lossy(beside.secret.expose()).into_owned());
        all.push(Companion {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            secret: SecretView {
                redacted: beside.secret.redacted(),
                length: beside.secret.characters(),
                decoded: None,
                value,
            },
            alone: !rule.skip_report,
            path: sighting.occurrence.path.clone(),
            start: beside.at.0,
            end: beside.at.1,
        });
        if all.len() == MOST_COMPANIONS {
            break;
        }
    }
    all
}

/// One finding of sightings that are one secret, sorted by place; there is at least one.
fn finding(triage: &Triage<'_>, sightings: Vec<Sighting>) -> Finding {
    let names_it = |sighting: &&Sighting| {
        let rule = triage.detector().rule(sighting.rule);
        (rule.rank, rule.specificity, sighting.confidence, std::cmp::Reverse(rule.id.clone()))
    };
    // Of equals the first place, so that the evidence is that of the place which is shown.
    let best = sightings.iter().rev().max_by_key(names_it).expect("a group has at least one sighting");
    let rule = triage.detector().rule(best.rule);
    let first = &sightings[0];
    let place = first.occurrence.place;
    let fingerprint =
        first.fingerprint.or(place).expect("a sighting has its own identity or that of its place");
    let shown = |secret: &Secret| String::from_utf8_lossy(secret.expose()).into_owned();
    let value = triage.policy().show_secrets.then(|| shown(&best.secret));
    let decoded = best.decoded.as_ref().filter(|_| triage.policy().show_secrets).map(shown);
    let seen = || sightings.iter().flat_map(|sighting| &sighting.seen);
    Finding {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        category: rule.category,
        provider: rule.provider.clone(),
        severity: rule.severity,
        confidence: sightings.iter().map(|sighting| sighting.confidence).max().expect("at least one"),
        verdict: belief::verdict(sightings.iter().flat_map(|sighting| &sighting.evidence)),
        fingerprint,
        secret: SecretView {
            redacted: best.secret.redacted(),
            length: best.secret.characters(),
            value,
            decoded,
        },
        evidence: with_inventory(&best.evidence, &sightings),
        exposure: sightings.iter().map(|sighting| sighting.exposure).min().expect("at least one"),
        first_seen: seen().min().map(|stamp| stamp.moment.clone()),
        last_seen: seen().max().map(|stamp| stamp.moment.clone()),
        help: rule.help.clone(),
        companions: companions(triage, &sightings),
        occurrences: sightings.into_iter().map(|sighting| sighting.occurrence).collect(),
    }
}
