//! Rules proved by their own examples, through the whole pipeline.

use rayon::prelude::*;
use regex::bytes::RegexBuilder;

use crate::{
    detect::{DetectError, Detector},
    model::Confidence,
    rule::{Detection, Rule, TemplateError, Templater},
    triage::{Policy, Sighting, Triage, TriageError, base_confidence},
};

/// A template that did not do what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The rule's id.
    pub rule: String,
    /// The template as it stands in the rule file.
    pub template: String,
    /// What happened instead.
    pub what: String,
}

/// How many rules and templates were tried, and what failed.
#[derive(Debug, Default)]
pub struct Proof {
    /// Rules that have templates.
    pub rules: usize,
    /// Renderings of templates that were run.
    pub runs: usize,
    /// By rule.
    pub failures: Vec<Failure>,
}

/// Why rules could not be tried at all.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The set of rules.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// Its allowlists.
    #[error(transparent)]
    Triage(#[from] TriageError),
}

/// Each template is rendered so many times, from as many seeds.
const SEEDS: u64 = 8;

/// Runs the examples and negatives of `rules` with all of them loaded: an example has to be found, and to be named by its rule.
///
/// # Errors
/// A rule that can't be run.
pub fn prove(rules: Vec<Rule>, is_wanted: impl Fn(&Rule) -> bool + Sync) -> Result<Proof, ProveError> {
    let detector = Detector::new(rules)?;
    let triage = Triage::new(&detector, Policy::default())?;
    let wanted: Vec<&Rule> = detector.rules().filter(|rule| is_wanted(rule) && !rule.skip_report).collect();
    let proofs: Vec<Proof> = wanted.par_iter().map(|rule| prove_rule(rule, &triage)).collect();
    let mut all = Proof::default();
    for proof in proofs {
        all.rules += proof.rules;
        all.runs += proof.runs;
        all.failures.extend(proof.failures);
    }
    Ok(all)
}

fn prove_rule(rule: &Rule, triage: &Triage<'_>) -> Proof {
    let templater = Templater::new(rule);
    let examples = rule.templates.examples.iter().map(|template| (template, true));
    let negatives = rule.templates.negatives.iter().map(|template| (template, false));
    let mut proof = Proof::default();
    for (template, is_example) in examples.chain(negatives) {
        for seed in 0..SEEDS {
            proof.runs += 1;
            let run = Run { rule, triage, templater: &templater };
            if let Err(what) = run.check(template, is_example, seed) {
                proof.failures.push(Failure { rule: rule.id.clone(), template: template.clone(), what });
                break;
            }
        }
    }
    proof.rules += usize::from(proof.runs > 0);
    proof
}

struct Run<'a> {
    rule: &'a Rule,
    triage: &'a Triage<'a>,
    templater: &'a Templater,
}

impl Run<'_> {
    fn check(&self, template: &str, is_example: bool, seed: u64) -> Result<(), String> {
        let rendered =
            self.templater.render(template, seed).map_err(|error: TemplateError| error.to_string())?;
        let sightings = self.sightings(&rendered.text, seed).map_err(|error| error.to_string())?;
        let least = base_confidence(self.rule).min(Confidence::Medium);
        let is_ours = |sighting: &&Sighting| {
            self.triage.detector().rule(sighting.rule).id == self.rule.id
                && sighting.confidence >= least
                && sighting.suppression.is_none()
        };
        let mut ours = sightings.iter().filter(is_ours).peekable();
        match (is_example, ours.peek().is_some()) {
            (false, false) => Ok(()),
            (false, true) => Err("it is found, and should not be".into()),
            (true, false) => Err(self.why_not_found(&rendered.text, &sightings)),
            (true, true) => {
                let found: Vec<&[u8]> = ours.map(|sighting| sighting.secret.expose()).collect();
                let missed = rendered.tokens.iter().any(|token| !found.contains(&token.as_slice()));
                if missed {
                    Err("something is found, but not its {token}, or not just that".into())
                } else {
                    Ok(())
                }
            }
        }
    }

    fn sightings(&self, text: &[u8], seed: u64) -> std::io::Result<Vec<Sighting>> {
        if self.rule.detection == Detection::Path {
            return Ok(self.triage.judge_path(&String::from_utf8_lossy(text)));
        }
        let matches = self.triage.detector().scan(&text)?;
        self.triage.judge(&text, &self.templater.path(seed), matches)
    }

    /// Whether it is the pattern, or what stands around it.
    fn why_nothing(&self, text: &[u8]) -> String {
        let nothing = "nothing is found in it";
        let Some(pattern) = self.rule.pattern() else { return nothing.into() };
        let regex = RegexBuilder::new(&pattern.regex).unicode(pattern.unicode).build();
        if !regex.is_ok_and(|regex| regex.is_match(text)) {
            return format!("{nothing}: the regex does not match");
        }
        let lower = text.to_ascii_lowercase();
        let holds = |gate: &String| memchr::memmem::find(&lower, gate.as_bytes()).is_some();
        if !self.rule.gates.is_empty() && !self.rule.gates.iter().any(holds) {
            return format!("{nothing}: the regex matches, and none of its keywords is there");
        }
        if pattern.search.reach().capped {
            return format!(
                "{nothing}: the regex matches, and the match may go farther than the rule's reach"
            );
        }
        format!(
            "{nothing}: the regex matches, and entropy, checksum or a placeholder speaks against the value"
        )
    }

    fn why_not_found(&self, text: &[u8], sightings: &[Sighting]) -> String {
        let mut others: Vec<&str> =
            sightings.iter().map(|sighting| self.triage.detector().rule(sighting.rule).id.as_str()).collect();
        others.dedup();
        match others.as_slice() {
            [] => self.why_nothing(text),
            [own] if *own == self.rule.id => {
                "it is found, but suppressed or with too little confidence".into()
            }
            _ => format!("the value is named by {}", others.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{NearMiss, builtin_with_templates};

    #[test]
    fn every_builtin_rule_is_proved_by_its_own_templates() {
        let proof = prove(builtin_with_templates(), |_| true).unwrap();
        assert_eq!(proof.failures, []);
        assert!(proof.rules >= 450, "{} rules have templates", proof.rules);
    }

    #[test]
    fn a_broken_example_of_a_builtin_rule_fails() {
        let mut rules = builtin_with_templates();
        let rule = rules.iter_mut().find(|rule| rule.id == "github-pat").unwrap();
        rule.templates.examples = vec!["key = {token:checksum}".into(), "key = {token}".into()];
        rule.templates.negatives = vec!["key = {token}".into()];
        let failures = prove(rules, |rule| rule.id == "github-pat").unwrap().failures;
        let templates: Vec<&str> = failures.iter().map(|failure| failure.template.as_str()).collect();
        assert_eq!(templates, ["key = {token:checksum}", "key = {token}"]);
    }
    /// A near miss that a rule finds nevertheless, and why that is right.
    #[derive(serde::Deserialize)]
    struct Exception {
        rule: String,
        miss: NearMiss,
        why: String,
    }

    #[derive(serde::Deserialize)]
    struct Exceptions {
        exceptions: Vec<Exception>,
    }

    /// How many values of each kind are made for each rule.
    const GENERATED: u64 = 3;

    #[test]
    fn random_values_of_every_builtin_rule_are_found_and_near_misses_are_not() {
        let detector = Detector::new(builtin_with_templates()).unwrap();
        let triage = Triage::new(&detector, Policy::default()).unwrap();
        let rules: Vec<&Rule> = detector.rules().filter(|rule| !rule.skip_report).collect();
        let failed: Vec<(String, Option<NearMiss>, String)> =
            rules.par_iter().flat_map_iter(|rule| generated(rule, &triage)).collect();
        let text = std::fs::read_to_string("testdata/near-misses.toml").unwrap();
        let known: Exceptions = crate::rule::read_toml("testdata/near-misses.toml", &text).unwrap();
        let excused = |rule: &str, miss: Option<NearMiss>| {
            known.exceptions.iter().any(|one| one.rule == rule && Some(one.miss) == miss)
        };
        let unexpected: Vec<String> = failed
            .iter()
            .filter(|(rule, miss, _)| !excused(rule, *miss))
            .map(|(rule, miss, template)| format!("{rule}: {miss:?} in {template:?}"))
            .collect();
        assert!(unexpected.is_empty(), "{} of\n{}", unexpected.len(), unexpected.join("\n"));
        for one in &known.exceptions {
            assert!(!one.why.is_empty(), "{}", one.rule);
            let is_needed = failed.iter().any(|(rule, miss, _)| *rule == one.rule && *miss == Some(one.miss));
            assert!(is_needed, "{} {:?} is excused and needs it no more", one.rule, one.miss);
        }
    }

    /// What goes wrong with values made from a rule's pattern, in the first of its examples that holds one.
    fn generated(rule: &Rule, triage: &Triage<'_>) -> Vec<(String, Option<NearMiss>, String)> {
        let Some(template) = rule.templates.examples.iter().find(|example| example.contains("{token}"))
        else {
            return Vec::new();
        };
        let templater = Templater::new(rule);
        let run = Run { rule, triage, templater: &templater };
        let mut failed = Vec::new();
        for seed in 1_000..1_000 + GENERATED {
            if run.check(template, true, seed).is_err() {
                failed.push((rule.id.clone(), None, template.clone()));
            }
            for miss in NearMiss::ALL {
                let Some(value) = templater.near_miss(miss, seed) else { continue };
                let Ok(rendered) = templater.render_with(template, seed, Some(&value)) else { continue };
                let sightings = run.sightings(&rendered.text, seed).unwrap();
                let is_found = sightings.iter().any(|sighting| {
                    let is_ours = triage.detector().rule(sighting.rule).id == rule.id;
                    is_ours && sighting.confidence >= Confidence::Medium && sighting.suppression.is_none()
                });
                if is_found {
                    failed.push((rule.id.clone(), Some(miss), template.clone()));
                }
            }
        }
        failed.dedup();
        failed
    }
}
