//! Which target a secret has, by what the inventory says of it.

use super::{
    CacheUser, Grafana, Keycloak, KubernetesSecret, ManagerCredential, Manual, Minio, Nats, Operator,
    PostgresRole, Provider, Shape, SigningKey, Target,
};
use crate::{
    inventory::{self, Entry, Inventory, Kind, Playbook},
    model::Secret,
    net::Origin,
    provider::revoke::revocations,
    respond::{
        Incident, Loose, Subject, Tools,
        audit::{Action, EventType, Outcome},
        record,
    },
    store::Tokens,
};

type Boxed<'a> = Box<dyn Target + 'a>;

/// Where the value of an entry is in force in an environment; `None` where nothing but its consumers know it.
///
/// # Errors
/// What is missing or contradicts itself, and what to do about it.
pub(crate) fn of_entry<'a>(
    entry: &'a Entry,
    incident: &Incident,
    tools: &Tools<'a>,
) -> Result<Option<Boxed<'a>>, String> {
    let environment = incident.subject.environment().unwrap_or_default();
    let target = entry.targets.in_environment(environment);
    match &entry.playbook {
        Some(Playbook::Command(name)) => {
            let program = tools.delivery.program(name)?;
            Ok(Some(Box::new(Operator::new(program, entry.in_environment(environment)))))
        }
        // These say themselves what a person has to do.
        Some(Playbook::Manual) if !is_told_by_itself(target) => {
            let inner = target.map(|target| of_target(target, entry, incident, tools)).transpose()?;
            Ok(Some(Box::new(Manual::new(entry.path(), inner))))
        }
        _ => match (target, &entry.signing) {
            (Some(target), _) => of_target(target, entry, incident, tools).map(Some),
            (None, Some(signing)) => Ok(Some(Box::new(SigningKey::new(signing, tools.means.send)))),
            (None, None) if entry.kind == Kind::ManagerToken => {
                let value =
                    value(incident, tools)?.ok_or("the manager does not hold that version any more")?;
                of_manager(&value, None, tools)?
                    .map(Some)
                    .ok_or_else(|| "the value is no credential of the manager".into())
            }
            (None, None) => Ok(None),
        },
    }
}

fn is_told_by_itself(target: Option<&inventory::Target>) -> bool {
    use inventory::Target::{Minio, Nats, Provider};
    matches!(target, Some(Nats(_) | Minio(_) | Provider(_)))
}

fn of_target<'a>(
    target: &'a inventory::Target,
    entry: &'a Entry,
    incident: &Incident,
    tools: &Tools<'a>,
) -> Result<Boxed<'a>, String> {
    let means = tools.means;
    Ok(match target {
        inventory::Target::Postgres(role) => Box::new(PostgresRole::new(role, means)?),
        inventory::Target::Cache(user) => Box::new(CacheUser::new(user, means)?),
        inventory::Target::Nats(user) => Box::new(Nats::new(user, &entry.name, means)),
        inventory::Target::Minio(account) => Box::new(Minio::new(account, means)),
        inventory::Target::Keycloak(user) => Box::new(Keycloak::new(user, means)),
        inventory::Target::Grafana(user) => Box::new(Grafana::new(user, means)),
        inventory::Target::Kubernetes(secret) => {
            let cluster = tools.delivery.cluster.as_ref().map_err(Clone::clone)?;
            let target = KubernetesSecret::new(*cluster, secret, &entry.name, tools.delivery.wait);
            Box::new(target.map_err(|trouble| trouble.to_string())?)
        }
        inventory::Target::InfisicalIdentity(identity) => {
            let value = value(incident, tools)?.ok_or("the manager does not hold that version any more")?;
            of_manager(&value, Some(identity), tools)?.ok_or("the value is no credential of the manager")?
        }
        inventory::Target::Provider(key) => {
            Box::new(Provider::of_entry(key, value(incident, tools)?.as_ref(), means))
        }
    })
}

/// A credential of the manager itself; `None` where the value does not look like one.
fn of_manager<'a>(
    value: &Secret,
    identity: Option<&'a inventory::InfisicalIdentity>,
    tools: &Tools<'a>,
) -> Result<Option<Boxed<'a>>, String> {
    let Some(shape) = Shape::of(value) else { return Ok(None) };
    let tokens = tools.tokens.ok_or(
        "it is a credential of Infisical: say --store infisical, with a login that may administer its identities",
    )?;
    let token = match &shape {
        Shape::ServiceToken { id } => named(id, tokens, tools),
        _ => None,
    };
    Ok(Some(Box::new(ManagerCredential::new(tokens, shape, identity, token))))
}

/// What the inventory says of a service token, if the manager tells its name.
fn named<'a>(id: &str, tokens: &Tokens, tools: &Tools<'a>) -> Option<&'a inventory::Token> {
    // Whether it may be asked is said by the check; here it is only for the recipe of the next one.
    let listed = tokens.service_tokens().ok()?;
    let name = listed.into_iter().find(|token| token.id == id)?.name;
    tools.inventory.tokens.iter().find(|token| token.name == name)
}

/// The value that is to be replaced: some targets depend on its shape. That it is read is recorded.
pub(super) fn value(incident: &Incident, tools: &Tools<'_>) -> Result<Option<Secret>, String> {
    let Some((path, version)) = incident.subject.path() else { return Ok(None) };
    let read = tools.store.read(&path, Some(version));
    let outcome = if read.is_ok() { Outcome::Success } else { Outcome::Failure };
    let event = record::event(EventType::SecretAccess, Action::SECRET_READ, tools.mandate, incident);
    tools.audit.append(event.result(outcome)).map_err(|error| error.to_string())?;
    Ok(read.map_err(|error| error.to_string())?.map(|stored| stored.value))
}

/// Where a value is in force that no inventory has.
///
/// # Errors
/// That nobody knows how to revoke it, or that its value is not at hand.
pub(crate) fn unmanaged<'a>(incident: &'a Incident, tools: &Tools<'a>) -> Result<Boxed<'a>, String> {
    let Subject::Unmanaged { finding, source } = &incident.subject else {
        return Err(format!("{} is in the manager", incident.subject));
    };
    let Loose { value, companions } = (tools.recover)(finding, source)?;
    if finding.rule.starts_with("infisical-") {
        return of_manager(&value, None, tools)?
            .ok_or_else(|| format!("{} is no credential of a manager", finding.rule));
    }
    let target = Provider::of_finding(&finding.rule, companions, tools.means);
    let target = target.ok_or_else(|| {
        format!("it is in no inventory, and nobody knows a way to revoke secrets of the rule {}: do it where it came from", finding.rule)
    })?;
    Ok(Box::new(target))
}

/// Where requests may go beside the hosts that checks have: what revokes keys, and what the inventory names, which is trusted. The hosts of
/// the second list may lie at private addresses.
pub fn origins(inventory: &Inventory) -> (Vec<Origin>, Vec<String>) {
    let built_in =
        revocations().iter().flat_map(|revocation| revocation.origins()).filter_map(|text| text.parse().ok());
    let named: Vec<Origin> = addresses(inventory).iter().filter_map(|address| origin(address)).collect();
    let hosts = named.iter().map(|origin| origin.host().to_owned()).collect();
    (built_in.chain(named).collect(), hosts)
}

/// Every address of the inventory.
fn addresses(inventory: &Inventory) -> Vec<String> {
    let mut all = inventory.health.clone();
    for entry in &inventory.entries {
        all.extend(entry.signing.as_ref().and_then(|signing| signing.jwks_url.clone()));
        for environment in &inventory.environments {
            all.extend(entry.targets.in_environment(environment).and_then(address));
        }
    }
    all
}

fn address(target: &inventory::Target) -> Option<String> {
    match target {
        inventory::Target::Minio(account) => Some(account.url.clone()),
        inventory::Target::Keycloak(user) => Some(user.url.clone()),
        inventory::Target::Grafana(user) => Some(user.url.clone()),
        inventory::Target::Provider(key) => key.url.clone(),
        _ => None,
    }
}

fn origin(address: &str) -> Option<Origin> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    format!("{scheme}://{host}").parse().ok()
}
