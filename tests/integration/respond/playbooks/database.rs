//! A database password with all that reads it: a cluster, or a manager that is Infisical.

use std::{collections::BTreeMap, path::Path};

use super::{
    super::{
        kubernetes_double::{KubernetesDouble, Rollout, objects},
        platform::{PLACE, Platform, ROLE},
    },
    values,
};
use crate::{
    harness::{Outcome, run},
    infisical::{server::Server, world::Rights},
};

const CONSUMERS: &str = "    consumers:
      - { type: infisical-secret, namespace: kosmos-db, name: postgres-credentials }
      - { type: deployment, namespace: kosmos-db, name: zeus }
      - { type: stateful-set, namespace: kosmos-db, name: ledger }
";

/// A platform whose password is read in a cluster.
struct Delivered {
    platform: Platform,
    cluster: KubernetesDouble,
    kubeconfig: String,
}

impl Delivered {
    fn new() -> Option<Self> {
        let platform =
            Platform::with(|inventory| inventory.replace("policies:\n", &format!("{CONSUMERS}policies:\n")))?;
        let cluster = KubernetesDouble::start();
        let store = platform.store_folder();
        cluster.manage(move |environment, folder| values(&store, environment, folder));
        {
            let mut world = cluster.world();
            world.put(objects::infisical_secret(
                "kosmos-db",
                "postgres-credentials",
                "production",
                "/infrastructure",
            ));
            world.put(objects::deployment("kosmos-db", "zeus", "postgres-credentials"));
            world.put(objects::workload("StatefulSet", "kosmos-db", "ledger", "postgres-credentials"));
        }
        cluster.settle();
        let kubeconfig = cluster.kubeconfig(&platform.project.path("outside")).display().to_string();
        Some(Self { platform, cluster, kubeconfig })
    }

    fn respond(&self, args: &[&str]) -> Outcome {
        let mut command = self.platform.respond_command(args);
        command.env("HEKATE_KUBECONFIG", &self.kubeconfig);
        run(command, b"")
    }

    fn plan(&self) -> Outcome {
        self.respond(&["respond", "plan", "--secret", PLACE, "-o", "outside/plan.json"]).ends(0)
    }

    fn apply(&self) -> Outcome {
        self.respond(&[
            "respond",
            "apply",
            "outside/plan.json",
            "--environment",
            "production",
            "--role",
            ROLE,
            "--incident",
            "INC-7",
        ])
    }

    fn pods(&self, workload: &str) -> (usize, BTreeMap<String, String>) {
        let world = self.cluster.world();
        (world.rollouts("kosmos-db", workload), world.pod("kosmos-db", workload))
    }
}

#[test]
fn a_new_password_reaches_the_cluster_and_every_workload_is_restarted_once() {
    let Some(delivered) = Delivered::new() else { return };
    let platform = &delivered.platform;
    let plan = delivered.plan();
    for words in [
        "affects",
        "infisical-secret kosmos-db/postgres-credentials",
        "deployment kosmos-db/zeus",
        "stateful-set kosmos-db/ledger",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.stdout);
    }
    let done = delivered.apply().ends(0);
    platform.is_whole(true);
    let new = platform.current();
    assert_eq!(
        delivered.cluster.world().secret("postgres-credentials", "POSTGRES_PASSWORD"),
        Some(new.clone())
    );
    for (workload, kind) in [("zeus", "deployments"), ("ledger", "statefulsets")] {
        let (rollouts, environment) = delivered.pods(workload);
        assert_eq!((rollouts, &environment["POSTGRES_PASSWORD"]), (2, &new), "{workload}");
        let object = delivered.cluster.world().object(&format!("{kind}/{workload}")).clone();
        let annotations = &object["spec"]["template"]["metadata"]["annotations"];
        assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
    }
    delivered.cluster.assert_told_nobody(&new);
    assert!(done.stderr.contains("stateful-set kosmos-db/ledger restarted"), "{}", done.stderr);
    let report = platform.hekate(&["respond", "report", "INC-7", "--state", "outside/state"]).ends(0);
    for words in [
        "sync done: kosmos-db/postgres-credentials holds it",
        "deployment kosmos-db/zeus restarted",
        "end: rotated",
    ] {
        assert!(report.stdout.contains(words), "{words}: {}", report.stdout);
    }
}

#[test]
fn a_rollout_that_hangs_is_told_and_finished_once_it_moves_without_a_second_restart() {
    let Some(delivered) = Delivered::new() else { return };
    let platform = &delivered.platform;
    delivered.plan();
    delivered.cluster.world().rollout = Rollout::ExceedsDeadline;
    let stopped = delivered.apply().ends(1);
    assert!(stopped.stdout.contains("restart failed"), "{}", stopped.stdout);
    // Behind the point of no return: the new password is in force, and stays.
    let new = platform.current();
    assert!(new != platform.old && platform.accepts(&new), "the manager holds the new value");
    let status = platform.hekate(&["respond", "status", "--state", "outside/state"]).ends(0);
    assert!(
        status.stdout.contains("restart failed") && status.stdout.contains("1 open"),
        "{}",
        status.stdout
    );
    delivered.cluster.world().rollout = Rollout::Well;
    delivered.cluster.world().edit("deployments/zeus", |object| {
        object["spec"]["template"]["metadata"]["labels"]["mended"] = "yes".into()
    });
    delivered.respond(&["respond", "resume", "--role", ROLE]).ends(0);
    platform.is_whole(true);
    assert_eq!(platform.current(), new);
    let patches = delivered.cluster.received_at("PATCH /apis/apps/v1/namespaces/kosmos-db/deployments/zeus");
    assert_eq!(patches.len(), 1, "it was restarted once");
    for workload in ["zeus", "ledger"] {
        assert_eq!(delivered.pods(workload).1["POSTGRES_PASSWORD"], new, "{workload}");
    }
}

#[test]
fn nothing_is_changed_where_a_consumer_is_not_there() {
    let Some(delivered) = Delivered::new() else { return };
    let platform = &delivered.platform;
    delivered.plan();
    delivered.cluster.world().denied.insert(("patch".into(), "statefulsets".into()));
    let refused = delivered.apply().ends(1);
    assert!(refused.stderr.contains("stateful-set kosmos-db/ledger"), "{}", refused.stderr);
    platform.is_whole(false);
    assert_eq!(delivered.pods("zeus").0, 1);
}

#[test]
fn a_password_is_followed_by_version_two_in_infisical() {
    let Some(platform) = Platform::new() else { return };
    let server = Server::start();
    let (id, secret) = {
        let mut world = server.world();
        world.put("production", "/infrastructure", "POSTGRES_PASSWORD", &platform.old);
        world.identity("responder", Rights::all())
    };
    let respond = |args: &[&str]| {
        let own =
            ["--store", "infisical", "--inventory", "outside/inventory.yaml", "--state", "outside/state"];
        let mut command = platform.command(&[&["respond"], args, &own[..]].concat());
        command.envs([
            ("HEKATE_INFISICAL_URL", server.url().as_str()),
            ("HEKATE_INFISICAL_PROJECT", "kosmos"),
            ("HEKATE_INFISICAL_CLIENT_ID", &id),
            ("HEKATE_INFISICAL_CLIENT_SECRET", &secret),
        ]);
        run(command, b"")
    };
    let apply = || respond(&["apply", "outside/plan.json", "--environment", "production", "--role", ROLE]);
    let plan = || respond(&["plan", "--secret", PLACE, "-o", "outside/plan.json"]);
    plan().ends(0);
    apply().ends(0);
    let new =
        server.world().value("production", "/infrastructure", "POSTGRES_PASSWORD").expect("it is there");
    assert!(platform.accepts(&new) && !platform.accepts(&platform.old), "the new one alone is valid");
    {
        let world = server.world();
        let at = world.find("production", "/infrastructure", "POSTGRES_PASSWORD").expect("it is there");
        assert_eq!(world.secrets[at].current().number, 2);
        let left = world.secrets.iter().filter(|secret| secret.folder.starts_with("/hekate-pending"));
        assert_eq!(left.count(), 0, "something is left in the pending folder");
    }

    // A policy that holds changes back: the old value stays in force until somebody has approved.
    plan().ends(0);
    server.world().settings.needs_approval = true;
    let waiting = apply().ends(1);
    assert!(waiting.stdout.contains("waits") && waiting.stdout.contains("approv"), "{}", waiting.stdout);
    assert!(platform.accepts(&new), "what the manager holds is valid");
    is_without(&platform.project.path("outside/state"), &new);
}

/// That no file of a folder holds a value.
fn is_without(folder: &Path, value: &str) {
    assert!(super::files(folder).iter().all(|text| !text.contains(value)), "a value was written");
}
