//! Consumers do not come along.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::json;

use super::Stage;
use crate::{
    infisical::http::Reply,
    respond::kubernetes_double::{KubernetesDouble, Mishap, Operator, Rollout, objects},
};

const CONSUMERS: &str = "    consumers:
      - { type: infisical-secret, namespace: kosmos, name: credentials }
      - { type: deployment, namespace: kosmos, name: zeus }
policies:
";

/// A platform whose password a Deployment reads, by the operator.
fn stage() -> Option<(Stage, KubernetesDouble)> {
    let stage = Stage::with(|inventory| inventory.replace("policies:\n", CONSUMERS))?;
    let double = KubernetesDouble::start();
    let file = stage.platform.store_folder().join("production/infrastructure.env");
    double.manage(move |_, _| {
        let lines = fs::read_to_string(&file).expect("read the store");
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        lines.lines().filter_map(pair).collect::<BTreeMap<_, _>>()
    });
    double.world().delay = Duration::from_millis(5);
    double.world().put(objects::infisical_secret("kosmos", "credentials", "production", "/infrastructure"));
    double.world().put(objects::deployment("kosmos", "zeus", "credentials"));
    double.settle();
    let config = double.kubeconfig(&stage.platform.project.path("outside"));
    Some((stage.variable("HEKATE_KUBECONFIG", config.to_string_lossy().into_owned()), double))
}

/// Asserts that the pods run with the manager's value, and that the cluster was told of no value.
fn is_rolled_out(stage: &Stage, double: &KubernetesDouble) {
    assert_eq!(double.world().pod("kosmos", "zeus")["POSTGRES_PASSWORD"], stage.stored().1);
    for value in stage.values.borrow().iter() {
        double.assert_told_nobody(value);
    }
}

/// Asserts that it stopped behind the point of no return: the new value is in force everywhere but at the consumers.
fn is_in_force(stage: &Stage) {
    let (version, value) = stage.stored();
    let before = stage.before.borrow().clone();
    assert!(version == before.0 + 1 && stage.is_accepted(&value) && !stage.is_accepted(&before.1));
    assert_eq!(stage.kept(), [value]);
}

#[test]
fn rollouts_that_never_end_or_fail_are_waited_for_again() {
    let Some((stage, double)) = stage() else { return };
    for (rollout, words) in [
        (Rollout::Never, "Deployment kosmos/zeus is not rolled out within 3.0 s"),
        (
            Rollout::ExceedsDeadline,
            "Deployment kosmos/zeus: its rollout exceeded its progress deadline: look at its new pods",
        ),
    ] {
        stage.begin();
        stage.plan();
        double.world().rollout = rollout;
        stage.apply().stops(&["restart failed", words, "resume it once that is mended"]);
        is_in_force(&stage);
        double.world().mend_rollouts();
        let rollouts = double.received_at("PATCH /apis/apps/").len();
        stage.finish();
        assert_eq!(double.received_at("PATCH /apis/apps/").len(), rollouts, "it is not restarted twice");
        is_rolled_out(&stage, &double);
    }
}

#[test]
fn a_sync_that_never_comes_is_asked_for_again() {
    let Some((stage, double)) = stage() else { return };
    stage.plan();
    double.world().operator = Operator::Down;
    stage.apply().stops(&[
        "sync failed",
        "InfisicalSecret kosmos/credentials was not synced within 3.0 s",
        "resume it",
    ]);
    is_in_force(&stage);
    assert_eq!(
        double.world().object("deployments/zeus")["metadata"]["generation"],
        1,
        "nothing is restarted with the old value"
    );
    double.world().operator = Operator::Current;
    stage.finish();
    is_rolled_out(&stage, &double);
}

#[test]
fn what_the_account_may_not_do_is_said_before_anything_is_changed() {
    let Some((stage, double)) = stage() else { return };
    stage.plan();
    for denied in [("patch", "deployments"), ("get", "infisicalsecrets")] {
        let denied = (denied.0.to_owned(), denied.1.to_owned());
        double.world().denied.insert(denied.clone());
        let outcome = if denied.0 == "patch" { stage.apply() } else { stage.resume() };
        outcome.stops(&["check", &denied.0, "kosmos", "the old value is in force"]);
        double.world().denied.clear();
        stage.is_untouched();
    }
    stage.finish();
    is_rolled_out(&stage, &double);
}

#[test]
fn a_cluster_that_stumbles_is_asked_again() {
    let Some((stage, double)) = stage() else { return };
    stage.platform.project.file("outside/hekate.toml", "[respond]\nrollout-timeout = 60\n");
    let busy = |status: u16| {
        Reply::json(status, &json!({"kind": "Status", "code": status})).header("retry-after", 0)
    };
    for (line, mishap) in [
        ("PATCH /apis/secrets", Mishap::Interfere),
        ("PATCH /apis/apps", Mishap::LoseAnswer),
        ("PATCH /apis/secrets", Mishap::Answer(busy(429))),
        ("GET /api/v1", Mishap::Answer(busy(503))),
    ] {
        double.mishap(line, mishap);
    }
    stage.plan().apply().ends(0);
    stage.is_whole();
    is_rolled_out(&stage, &double);
}

#[test]
fn a_cluster_that_refuses_in_the_middle_is_finished_later() {
    let Some((stage, double)) = stage() else { return };
    for (line, step) in [("PATCH /apis/secrets", "sync failed"), ("PATCH /apis/apps", "restart failed")] {
        stage.begin();
        let denied = Reply::json(403, &json!({"kind": "Status", "code": 403, "reason": "Forbidden"}));
        for _ in 0..4 {
            double.mishap(line, Mishap::Answer(denied.clone()));
        }
        stage.plan().apply().stops(&[step, "the account may not patch", "resume it once that is mended"]);
        is_in_force(&stage);
        double.end_mishaps();
        stage.finish();
        is_rolled_out(&stage, &double);
    }
}
