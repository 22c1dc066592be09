//! Tokens that a provider revokes many at a time: GitHub allows 60 requests in an hour, and 1,000 tokens in each.

use std::collections::BTreeSet;

use super::{
    Incident, Planned, Subject, Tools,
    audit::{Action, AuditError, EventType, Outcome},
    record,
};
use crate::{
    model::Secret,
    net::Answer,
    provider::revoke::{bulk_revocations, is_in_bulk, revocation_of},
};

/// Fewer are revoked one by one.
const LEAST: usize = 2;
/// So many requests may be sent in an hour.
const MOST_REQUESTS: usize = 60;

/// Has the tokens among these revoked together, and gives the incidents whose tokens were submitted. That is no proof: each is asked about
/// afterwards, and revoked by itself where it still lives. A value that is not at hand is left to its own saga, which says so.
///
/// # Errors
/// That it can't be recorded.
pub(super) fn submit(tools: &Tools<'_>, chosen: &[&Planned]) -> Result<BTreeSet<String>, AuditError> {
    let incidents = chosen.iter().map(|planned| &planned.incident);
    let tokens: Vec<(&Incident, &str, Secret)> =
        incidents.filter_map(|incident| token(incident, tools)).collect();
    let Some((_, rule, _)) = tokens.first().filter(|_| tokens.len() >= LEAST) else {
        return Ok(BTreeSet::new());
    };
    let Some(origin) = origin(rule, tools) else { return Ok(BTreeSet::new()) };
    let values: Vec<Secret> = tokens.iter().map(|(_, _, value)| value.clone()).collect();
    let is_taken = |answer: &Answer| (200..300).contains(&answer.status);
    let requests = bulk_revocations(&values, &origin);
    let sent = requests.len() <= MOST_REQUESTS
        && requests.iter().all(|request| tools.means.send.send(request).as_ref().is_ok_and(is_taken));
    let outcome = if sent { Outcome::Pending } else { Outcome::Failure };
    for (incident, ..) in &tokens {
        let event = record::event(EventType::Revocation, Action::SECRET_REVOKE, tools.mandate, incident);
        tools.audit.append(event.result(outcome).with("how", "submitted with others"))?;
    }
    let submitted = tokens.iter().map(|(incident, ..)| incident.id.clone());
    Ok(if sent { submitted.collect() } else { BTreeSet::new() })
}

/// The token of an incident, if it is one that can be revoked with others.
fn token<'i>(incident: &'i Incident, tools: &Tools<'_>) -> Option<(&'i Incident, &'i str, Secret)> {
    let Subject::Unmanaged { finding, source } = &incident.subject else { return None };
    let loose = is_in_bulk(&finding.rule).then(|| (tools.recover)(finding, source).ok()).flatten()?;
    Some((incident, &finding.rule, loose.value))
}

/// Where they are sent: to a host of trusted config, else to the provider's own.
fn origin(rule: &str, tools: &Tools<'_>) -> Option<String> {
    let revocation = revocation_of(rule)?;
    let own = tools.means.hosts.of(&revocation.provider).first();
    own.or_else(|| revocation.origins().first()).cloned()
}
