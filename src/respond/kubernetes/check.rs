//! Whether a consumer is there and may be told, and what telling it sends: for plans.

use serde_json::Value;

use super::{
    cluster::Cluster,
    fault::Fault,
    managed,
    object::Object,
    wait::{Wait, Watch},
    workload::Workload,
};
use crate::{
    inventory::{Consumer, ConsumerType},
    respond::target::Trouble,
};

/// Looks whether a consumer is there and whether the account may do all that a sync or a restart needs. Changes nothing.
///
/// # Errors
/// All that is in the way, in one line.
pub fn check(cluster: &Cluster<'_>, consumer: &Consumer, wait: &Wait<'_>) -> Result<(), String> {
    let watch = wait.start();
    let wrong = look(cluster, consumer, &watch).map_err(|trouble| trouble.to_string())?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn look(cluster: &Cluster<'_>, consumer: &Consumer, watch: &Watch<'_>) -> Result<Vec<String>, Trouble> {
    let object = Object::of(consumer)?;
    let mut wrong = Vec::new();
    if consumer.kind.is_synced() {
        let resource: Value = cluster.read(&object, watch)?;
        for secret in managed::of_resource(consumer, &object, &resource)? {
            wrong.extend(missing_right(cluster, "get", &secret)?);
        }
    } else {
        let workload: Workload = cluster.read(&object, watch)?;
        if workload.spec.paused {
            wrong.push(format!("{object} is paused"));
        }
    }
    wrong.extend(missing_right(cluster, "patch", &object)?);
    Ok(wrong)
}

/// The right that the account lacks, in words.
pub(super) fn missing_right(
    cluster: &Cluster<'_>,
    verb: &str,
    object: &Object,
) -> Result<Option<String>, Trouble> {
    match cluster.may(verb, object) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(Fault::Forbidden.explain(verb, object))),
        Err(fault) => Err(Trouble::Refused(format!(
            "whether the account may {verb} {object} is not known: {}",
            fault.explain("ask of", object)
        ))),
    }
}

/// What a sync, or a restart, sends: a line for each request.
pub fn requests(consumer: &Consumer) -> Vec<String> {
    let object = match Object::of(consumer) {
        Ok(object) => object,
        Err(trouble) => return vec![trouble.to_string()],
    };
    let path = object.path();
    if !consumer.kind.is_synced() {
        return vec![
            format!("GET {path}"),
            format!(
                "PATCH {path}?fieldManager=kubectl-rollout (strategic merge patch: the template's annotation kubectl.kubernetes.io/restartedAt), unless the manager's operator reloads it by itself"
            ),
            format!("GET {path}, until all pods are new"),
        ];
    }
    let named = match &consumer.secret {
        Some(secret) => format!("GET /api/v1/namespaces/…/secrets/{secret}, until it holds the new value"),
        None => "GET the Secrets that it names, until they hold the new value".to_owned(),
    };
    let what = match consumer.kind {
        ConsumerType::InfisicalStaticSecret => "an annotation",
        _ => "another resync interval, and an annotation",
    };
    let back = match consumer.kind {
        ConsumerType::InfisicalStaticSecret => None,
        _ => Some(format!("PATCH {path} (merge patch: the interval as it was)")),
    };
    let first = [format!("GET {path}"), format!("PATCH {path} (merge patch: {what})"), named];
    first.into_iter().chain(back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: ConsumerType, name: &str) -> Vec<String> {
        let consumer = Consumer {
            kind,
            namespace: "kosmos".into(),
            name: name.into(),
            next_env: None,
            secret: None,
            token: None,
        };
        requests(&consumer)
    }

    #[test]
    fn a_plan_shows_every_request() {
        let sync = lines(ConsumerType::InfisicalSecret, "credentials");
        let path = "/apis/secrets.infisical.com/v1alpha1/namespaces/kosmos/infisicalsecrets/credentials";
        assert_eq!(sync.iter().filter(|line| line.starts_with(&format!("PATCH {path}"))).count(), 2);
        let fixed = lines(ConsumerType::InfisicalStaticSecret, "credentials");
        assert_eq!(fixed.iter().filter(|line| line.starts_with("PATCH")).count(), 1);
        let restart = lines(ConsumerType::DaemonSet, "zeus");
        assert_eq!(restart[0], "GET /apis/apps/v1/namespaces/kosmos/daemonsets/zeus");
        assert!(restart[1].contains("fieldManager=kubectl-rollout"));
        assert_eq!(lines(ConsumerType::Deployment, "../x"), ["`../x` is no name of an object of Kubernetes"]);
    }
}
