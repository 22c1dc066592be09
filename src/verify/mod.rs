//! From findings to verdicts.
//!
//! A report comes in, with what it takes to read its values again and to ask; each finding that is not suppressed goes out with a verdict.
//! A value is taken for the finding's only if its fingerprint says so. Nothing that stands in scanned content says where a secret is sent:
//! that is a built-in host of its provider, or one that trusted config names. Equal questions are asked once.

mod ask;
mod companion;
mod dsn;
mod offline;
mod preview;
mod question;
mod reader;
mod recover;
mod trust;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    model::{Evidence, Finding, FingerprintKey, Report, Secret, Verdict},
    net::Send,
    provider::{Outcome, Role},
};

use question::{Identity, Question};

pub use preview::{Preview, preview};
pub use reader::{Blobs, BlobsError, Files, Kept, Nothing, Reader};
pub use trust::{Database, PublicKeys, Trust};

/// What it takes to ask.
pub struct Setup<'a> {
    /// Who sends.
    pub send: &'a dyn Send,
    /// Whom secrets may be shown to.
    pub trust: &'a Trust,
    /// The key that the report's fingerprints were made under.
    pub key: &'a FingerprintKey,
    /// The time.
    pub now: Timestamp,
    /// Questions at once.
    pub threads: usize,
}

/// A value that was read again from where it was found, with what stands beside it and belongs to it.
#[derive(Debug, Clone)]
pub struct Reread {
    /// The value.
    pub value: Secret,
    /// Ids, users and accounts, the nearest of each role.
    pub companions: Vec<(Role, Secret)>,
}

/// Reads the value of a finding again.
///
/// # Errors
/// Why it is not at hand.
pub fn reread(finding: &Finding, reader: &dyn Reader, key: &FingerprintKey) -> Result<Reread, String> {
    let recovered = recover::recover(finding, reader, key)?;
    let companions = companion::companions(&finding.rule, &recovered.around);
    Ok(Reread { value: recovered.value, companions })
}

/// A question, and the findings that it is about.
struct Job {
    findings: Vec<usize>,
    question: Question,
}

/// Asks about every finding, and puts what was said into it.
pub fn verify(report: &mut Report, reader: &dyn Reader, setup: &Setup<'_>) {
    let jobs = plan(report, reader, setup);
    let outcomes = ask::all(&jobs, setup);
    for (job, outcome) in jobs.iter().zip(outcomes) {
        for index in &job.findings {
            conclude(&mut report.findings[*index], job.question.asked(), &outcome);
        }
    }
}

/// The questions about a report, each once, in the order of its findings.
fn plan(report: &Report, reader: &dyn Reader, setup: &Setup<'_>) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut known: BTreeMap<Identity, usize> = BTreeMap::new();
    for (index, finding) in report.findings.iter().enumerate() {
        let question = Question::about(finding, reader, setup);
        let identity = question.identity();
        match identity.as_ref().and_then(|identity| known.get(identity)) {
            Some(job) => jobs[*job].findings.push(index),
            None => {
                known.extend(identity.map(|identity| (identity, jobs.len())));
                jobs.push(Job { findings: vec![index], question });
            }
        }
    }
    jobs
}

/// Puts an outcome into a finding: its verdict, and who gave it.
fn conclude(finding: &mut Finding, asked: Option<&str>, outcome: &Outcome) {
    finding.verdict = Some(joined(finding.verdict.take(), outcome.verdict.clone()));
    let Some(asked) = asked else { return };
    let is_older = |evidence: &Evidence| matches!(evidence, Evidence::Provider { name, .. } if name == asked);
    finding.evidence.retain(|evidence| !is_older(evidence));
    finding.evidence.push(Evidence::Provider {
        name: asked.to_owned(),
        verdict: outcome.verdict.clone(),
        detail: outcome.detail.clone(),
    });
}

/// What counts of what was known before and what was said now.
fn joined(before: Option<Verdict>, said: Verdict) -> Verdict {
    match (before, said) {
        // The manager has it, whatever a provider says.
        (Some(Verdict::Known), _) => Verdict::Known,
        // What nobody can tell takes nothing away.
        (Some(before), Verdict::Unknown(why)) => match before {
            Verdict::Unknown(_) => Verdict::Unknown(why),
            before => before,
        },
        // An older value that is refused is what it should be.
        (Some(Verdict::Retired), Verdict::Inactive) => Verdict::Retired,
        (_, said) => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_joined_so_that_nothing_known_is_lost() {
        let unknown = |why: &str| Verdict::Unknown(why.to_owned());
        for (before, said, expected) in [
            (None, Verdict::Active, Verdict::Active),
            (None, unknown("a"), unknown("a")),
            (Some(unknown("a")), unknown("b"), unknown("b")),
            (Some(unknown("a")), Verdict::Inactive, Verdict::Inactive),
            (Some(Verdict::Known), Verdict::Inactive, Verdict::Known),
            (Some(Verdict::Known), unknown("a"), Verdict::Known),
            (Some(Verdict::Retired), Verdict::Active, Verdict::Active),
            (Some(Verdict::Retired), Verdict::Inactive, Verdict::Retired),
            (Some(Verdict::Retired), unknown("a"), Verdict::Retired),
            (Some(Verdict::Active), Verdict::Inactive, Verdict::Inactive),
            (Some(Verdict::Active), unknown("a"), Verdict::Active),
        ] {
            assert_eq!(joined(before.clone(), said.clone()), expected, "{before:?} and {said:?}");
        }
    }
}
