//! Kubernetes: what reads a secret is synced and restarted, and waited for.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use hekate::{
    inventory::{self, Consumer, ConsumerType},
    model::Secret,
    net::Driver,
    respond::{
        kubernetes::{
            self, Access, Cluster, Expect, Restarted, SecretKey, Synced, Wait, set_next_env, unset_next_env,
        },
        target::{Accepts, Act, KubernetesSecret, Target, Trouble, Values},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::kubernetes_double::{KubernetesDouble, Mishap, Operator, Rollout, objects, token};
use crate::infisical::http::Reply;

/// What the manager holds, for tests to change.
type Held = Arc<Mutex<BTreeMap<String, String>>>;

/// A cluster with one resource of the operator and one Deployment, and the way to it.
struct Fixture {
    double: KubernetesDouble,
    held: Held,
    access: Access,
    driver: Driver,
    _folder: TempDir,
}

const NAME: &str = "POSTGRES_PASSWORD";

/// Long, and no secret's own form.
fn value(which: &str) -> String {
    format!("{which}-{}", "value/of+a.test".repeat(2))
}

impl Fixture {
    fn new() -> Self {
        Self::with(|world| {
            world.put(objects::infisical_secret("kosmos", "credentials", "production", "/infrastructure"));
            world.put(objects::deployment("kosmos", "zeus", "credentials"));
        })
    }

    fn with(put: impl FnOnce(&mut super::kubernetes_double::World)) -> Self {
        let double = KubernetesDouble::start();
        let held: Held = Arc::default();
        held.lock().expect("nobody panicked").insert(NAME.to_owned(), value("old"));
        let theirs = Arc::clone(&held);
        double.manage(move |environment, folder| {
            assert_eq!((environment, folder), ("production", "/infrastructure"));
            theirs.lock().expect("nobody panicked").clone()
        });
        put(&mut double.world());
        double.settle();
        let folder = tempfile::tempdir().expect("a folder");
        let file = double.kubeconfig(folder.path()).to_string_lossy().into_owned();
        let variable = |name: &str| (name == "HEKATE_KUBECONFIG").then(|| file.clone());
        let access = Access::find(&variable, None).expect("the double writes a kubeconfig");
        let driver = Driver::new(access.driver_options().expect("no plugin")).expect("no CA");
        Self { double, held, access, driver, _folder: folder }
    }

    fn cluster(&self) -> Cluster<'_> {
        Cluster::new(&self.driver, &self.access)
    }

    fn rotate(&self) {
        self.held.lock().expect("nobody panicked").insert(NAME.to_owned(), value("new"));
    }

    fn sync_within(&self, consumer: &Consumer, within: Duration) -> Result<Synced, Trouble> {
        let new = Secret::new(value("new"));
        let expect = Expect { key: NAME, value: &new };
        kubernetes::sync(&self.cluster(), consumer, &expect, &Wait { within, ..wait() })
    }

    fn sync(&self) -> Result<Synced, Trouble> {
        self.sync_within(&consumer(ConsumerType::InfisicalSecret, "credentials"), wait().within)
    }

    fn restart(&self, kind: ConsumerType, incident: &str) -> Result<Restarted, Trouble> {
        kubernetes::restart(&self.cluster(), &consumer(kind, "zeus"), incident, &wait())
    }

    fn spec(&self, path: &str) -> Value {
        self.double.world().object(path)["spec"].clone()
    }

    fn patches(&self) -> usize {
        self.double.received_at("PATCH").len()
    }
}

fn wait() -> Wait<'static> {
    Wait { within: Duration::from_secs(10), pace: Duration::from_millis(5), ..Wait::default() }
}

fn consumer(kind: ConsumerType, name: &str) -> Consumer {
    Consumer {
        kind,
        namespace: "kosmos".into(),
        name: name.into(),
        next_env: None,
        secret: None,
        token: None,
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Trouble>) -> String {
    match result {
        Err(Trouble::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

fn doubt<T: std::fmt::Debug>(result: Result<T, Trouble>) -> String {
    match result {
        Err(Trouble::Unclear(text)) => text,
        other => panic!("not unclear: {other:?}"),
    }
}

fn busy(status: u16) -> Mishap {
    Mishap::Answer(Reply::json(status, &json!({"kind": "Status", "code": status})).header("retry-after", 0))
}

#[test]
fn a_sync_has_the_secret_written_and_leaves_the_resource_as_it_was() {
    let fixture = Fixture::new();
    let before = fixture.spec("infisicalsecrets/credentials");
    fixture.rotate();
    let synced = fixture.sync().unwrap();
    assert_eq!(synced, Synced { secrets: vec!["kosmos/credentials".into()], is_asked_for: true });
    assert_eq!(fixture.double.world().secret("credentials", NAME), Some(value("new")));
    assert_eq!(fixture.spec("infisicalsecrets/credentials"), before);
    let annotations =
        fixture.double.world().object("infisicalsecrets/credentials")["metadata"]["annotations"].clone();
    let left: Vec<&String> = annotations.as_object().unwrap().keys().collect();
    assert_eq!(left, ["hekate.dev/sync-requested-at"]);
    let patches = fixture.double.received_at("PATCH /apis/secrets.infisical.com/v1alpha1/namespaces/kosmos");
    assert_eq!(patches.len(), 2);
    assert!(patches.iter().all(|patch| patch.header("content-type") == Some("application/merge-patch+json")));
    fixture.double.assert_told_nobody(&value("new"));
}

#[test]
fn an_annotation_alone_moves_old_operators_only() {
    for (operator, expected) in [(Operator::Current, "old"), (Operator::Old, "new")] {
        let fixture = Fixture::new();
        fixture.double.world().operator = operator;
        fixture.double.settle();
        fixture.rotate();
        fixture.double.world().edit("infisicalsecrets/credentials", |resource| {
            resource["metadata"]["annotations"]["secrets.infisical.com/force-sync"] = json!("now");
        });
        fixture.double.settle();
        assert_eq!(fixture.double.world().secret("credentials", NAME), Some(value(expected)), "{operator:?}");
    }
}

#[test]
fn operators_and_definitions_of_every_age_are_synced() {
    for (operator, is_old, interval) in [
        (Operator::Current, false, json!(60)),
        (Operator::Current, true, json!(60)),
        (Operator::Current, true, Value::Null),
        (Operator::Old, true, json!(61)),
        (Operator::Old, false, Value::Null),
    ] {
        let fixture = Fixture::new();
        fixture.double.world().operator = operator;
        fixture.double.world().has_old_definition = is_old;
        fixture.double.world().edit("infisicalsecrets/credentials", |resource| {
            if interval.is_number() {
                resource["spec"]["resyncInterval"] = interval.clone();
            }
        });
        fixture.double.settle();
        let before = fixture.spec("infisicalsecrets/credentials");
        fixture.rotate();
        assert!(fixture.sync().unwrap().is_asked_for);
        assert_eq!(fixture.double.world().secret("credentials", NAME), Some(value("new")));
        assert_eq!(fixture.spec("infisicalsecrets/credentials"), before, "{operator:?} {is_old} {interval}");
    }
}

#[test]
fn a_static_secret_is_synced_by_an_annotation() {
    let fixture = Fixture::with(|world| {
        world.put(objects::static_secret("kosmos", "credentials", "production", "/infrastructure"));
    });
    let before = fixture.spec("infisicalstaticsecrets/credentials");
    fixture.rotate();
    let consumer = consumer(ConsumerType::InfisicalStaticSecret, "credentials");
    assert!(fixture.sync_within(&consumer, wait().within).unwrap().is_asked_for);
    assert_eq!(fixture.spec("infisicalstaticsecrets/credentials"), before);
    assert_eq!(fixture.patches(), 1);
}

#[test]
fn a_template_that_puts_the_value_into_a_text_is_seen_to_be_synced() {
    let fixture = Fixture::with(|world| {
        let mut resource =
            objects::infisical_secret("kosmos", "credentials", "production", "/infrastructure");
        resource["spec"]["managedKubeSecretReferences"][0]["template"] =
            json!({"data": {"url": format!("postgres://kosmos:{{{{ .{NAME}.Value }}}}@db/kosmos")}});
        world.put(resource);
    });
    fixture.rotate();
    assert!(fixture.sync().unwrap().is_asked_for);
    let expected = format!("postgres://kosmos:{}@db/kosmos", value("new"));
    assert_eq!(fixture.double.world().secret("credentials", "url"), Some(expected));
}

#[test]
fn what_is_synced_already_is_not_asked_for() {
    let fixture = Fixture::new();
    fixture.rotate();
    assert!(fixture.sync().unwrap().is_asked_for);
    let patches = fixture.patches();
    assert!(!fixture.sync().unwrap().is_asked_for);
    assert_eq!(fixture.patches(), patches);
}

#[test]
fn an_interval_that_a_crash_left_changed_is_put_back() {
    let fixture = Fixture::new();
    let before = fixture.spec("infisicalsecrets/credentials");
    fixture.rotate();
    fixture.double.world().edit("infisicalsecrets/credentials", |resource| {
        let note = json!({"text": null, "number": null, "config": false}).to_string();
        resource["metadata"]["annotations"]["hekate.dev/resync-interval"] = json!(note);
        resource["spec"]["syncConfig"] = json!({"resyncInterval": "61s"});
    });
    fixture.double.settle();
    fixture.sync().unwrap();
    assert_eq!(fixture.spec("infisicalsecrets/credentials"), before);
}

#[test]
fn an_operator_that_is_down_is_said_so_and_the_interval_put_back() {
    let fixture = Fixture::new();
    let before = fixture.spec("infisicalsecrets/credentials");
    fixture.double.world().operator = Operator::Down;
    fixture.rotate();
    let resource = consumer(ConsumerType::InfisicalSecret, "credentials");
    let said = doubt(fixture.sync_within(&resource, Duration::from_millis(300)));
    assert!(said.contains("was not synced within 0.3 s: Secret kosmos/credentials does not hold"), "{said}");
    assert!(!said.contains(&value("new")) && !said.contains(&value("old")));
    assert_eq!(fixture.spec("infisicalsecrets/credentials"), before);
}

#[test]
fn a_missing_right_is_named_before_anything_is_changed() {
    for (verb, plural, expected) in [
        ("get", "secrets", "kubectl auth can-i get secrets/credentials -n kosmos"),
        ("get", "infisicalsecrets", "may not get infisicalsecrets.secrets.infisical.com \"credentials\""),
        ("patch", "infisicalsecrets", "may not patch infisicalsecrets.secrets.infisical.com \"credentials\""),
    ] {
        let fixture = Fixture::new();
        let before = fixture.spec("infisicalsecrets/credentials");
        fixture.rotate();
        fixture.double.world().denied.insert((verb.into(), plural.into()));
        let said = refusal(fixture.sync());
        assert!(said.contains(expected), "{said}");
        assert_eq!(fixture.spec("infisicalsecrets/credentials"), before);
        let resource = consumer(ConsumerType::InfisicalSecret, "credentials");
        let said = kubernetes::check(&fixture.cluster(), &resource, &wait()).unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_check_changes_nothing_and_tells_what_is_in_the_way() {
    let fixture = Fixture::new();
    for (kind, name) in [(ConsumerType::InfisicalSecret, "credentials"), (ConsumerType::Deployment, "zeus")] {
        assert_eq!(kubernetes::check(&fixture.cluster(), &consumer(kind, name), &wait()), Ok(()));
    }
    assert_eq!(fixture.patches(), 0);
    let gone = kubernetes::check(&fixture.cluster(), &consumer(ConsumerType::Deployment, "hera"), &wait());
    assert_eq!(gone, Err("there is no Deployment kosmos/hera".into()));
    fixture.double.world().denied.insert(("patch".into(), "deployments".into()));
    let denied = kubernetes::check(&fixture.cluster(), &consumer(ConsumerType::Deployment, "zeus"), &wait());
    assert!(denied.unwrap_err().contains("may not patch deployments.apps \"zeus\" in the namespace kosmos"));
}

#[test]
fn a_restart_is_kubectls_and_waits_for_new_pods_with_the_new_value() {
    let fixture = Fixture::new();
    fixture.rotate();
    fixture.sync().unwrap();
    assert_eq!(fixture.double.world().pod("kosmos", "zeus")[NAME], value("old"));
    fixture.double.world().delay = Duration::from_millis(10);
    let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let zeus = consumer(ConsumerType::Deployment, "zeus");
    let restarted = kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &Wait { now: &now, ..wait() });
    assert_eq!(restarted, Ok(Restarted::Rolled));
    assert_eq!(fixture.double.world().pod("kosmos", "zeus")[NAME], value("new"));
    assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), 2);
    let patches = fixture.double.received_at("PATCH /apis/apps");
    let [patch] = patches.as_slice() else { panic!("one patch, not {}", patches.len()) };
    assert_eq!(patch.line(), "PATCH /apis/apps/v1/namespaces/kosmos/deployments/zeus");
    assert_eq!(patch.query, [("fieldManager".to_owned(), "kubectl-rollout".to_owned())]);
    assert_eq!(patch.header("content-type"), Some("application/strategic-merge-patch+json"));
    let annotations = json!({
        "kubectl.kubernetes.io/restartedAt": "2023-11-14T22:13:20Z", "hekate.dev/incident": "INC-7",
    });
    assert_eq!(patch.json(), json!({"spec": {"template": {"metadata": {"annotations": annotations}}}}));
    fixture.double.assert_told_nobody(&value("new"));
}

#[test]
fn a_restart_is_made_once_for_an_incident() {
    let fixture = Fixture::new();
    assert_eq!(fixture.restart(ConsumerType::Deployment, "INC-7/a"), Ok(Restarted::Rolled));
    assert_eq!(fixture.restart(ConsumerType::Deployment, "INC-7/a"), Ok(Restarted::RolledBefore));
    assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), 2);
    assert_eq!(fixture.restart(ConsumerType::Deployment, "INC-7/b"), Ok(Restarted::Rolled));
    assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), 3);
}

#[test]
fn a_paused_deployment_is_not_restarted() {
    let fixture = Fixture::new();
    fixture.double.world().edit("deployments/zeus", |object| object["spec"]["paused"] = json!(true));
    let said = refusal(fixture.restart(ConsumerType::Deployment, "INC-7"));
    assert_eq!(
        said,
        "Deployment kosmos/zeus is paused: `kubectl rollout resume -n kosmos deployment/zeus` first"
    );
    assert_eq!(fixture.patches(), 0);
}

fn auto_reload(fixture: &Fixture) {
    fixture.double.world().edit("deployments/zeus", |object| {
        object["metadata"]["annotations"]["secrets.infisical.com/auto-reload"] = json!("true");
    });
    // The operator marks it at its next sync.
    fixture
        .double
        .world()
        .edit("infisicalsecrets/credentials", |object| object["spec"]["resyncInterval"] = json!(99));
    fixture.double.settle();
}

#[test]
fn a_workload_that_the_operator_reloads_is_not_restarted_as_well() {
    let fixture = Fixture::new();
    auto_reload(&fixture);
    let before = fixture.double.world().rollouts("kosmos", "zeus");
    fixture.double.world().delay = Duration::from_millis(20);
    fixture.rotate();
    fixture.sync().unwrap();
    assert_eq!(fixture.restart(ConsumerType::Deployment, "INC-7"), Ok(Restarted::ReloadedByOperator));
    assert_eq!(fixture.double.received_at("PATCH /apis/apps").len(), 0);
    assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), before + 1);
    assert_eq!(fixture.double.world().pod("kosmos", "zeus")[NAME], value("new"));
}

#[test]
fn a_reload_that_does_not_come_is_a_restart() {
    let fixture = Fixture::new();
    auto_reload(&fixture);
    fixture.double.world().operator = Operator::Down;
    fixture.double.world().edit("secrets/credentials", |secret| {
        secret["metadata"]["annotations"]["secrets.infisical.com/version"] = json!("another");
    });
    let zeus = consumer(ConsumerType::Deployment, "zeus");
    let brief = Wait { within: Duration::from_secs(2), ..wait() };
    let begun = Instant::now();
    assert_eq!(kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &brief), Ok(Restarted::Rolled));
    assert!(begun.elapsed() >= Duration::from_millis(900), "half of the time is the operator's");
}

#[test]
fn a_reload_does_not_count_where_the_operator_writes_no_secret_of_it() {
    let fixture = Fixture::with(|world| {
        world.put(objects::secret("kosmos", "by-hand", &[("KEY", "x")]));
        world.put(objects::deployment("kosmos", "zeus", "by-hand"));
    });
    fixture.double.world().edit("deployments/zeus", |object| {
        object["metadata"]["annotations"]["secrets.infisical.com/auto-reload"] = json!("true");
    });
    assert_eq!(fixture.restart(ConsumerType::Deployment, "INC-7"), Ok(Restarted::Rolled));
}

#[test]
fn a_rollout_that_never_ends_is_given_up_and_one_that_failed_at_once() {
    let zeus = consumer(ConsumerType::Deployment, "zeus");
    let fixture = Fixture::new();
    fixture.double.world().rollout = Rollout::Never;
    let brief = Wait { within: Duration::from_millis(400), ..wait() };
    let said = doubt(kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &brief));
    assert_eq!(said, "Deployment kosmos/zeus is not rolled out within 0.4 s: 1 of 3 new pods are there");
    let fixture = Fixture::new();
    fixture.double.world().rollout = Rollout::ExceedsDeadline;
    let patient = Wait { within: Duration::from_secs(600), ..wait() };
    let said = doubt(kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &patient));
    assert_eq!(
        said,
        "Deployment kosmos/zeus: its rollout exceeded its progress deadline: look at its new pods"
    );
}

#[test]
fn a_wait_ends_when_somebody_says_so() {
    let fixture = Fixture::new();
    fixture.double.world().rollout = Rollout::Never;
    let asked = AtomicUsize::new(0);
    let is_stopped = || asked.fetch_add(1, Ordering::SeqCst) >= 3;
    let stopping = Wait { within: Duration::from_secs(600), is_stopped: &is_stopped, ..wait() };
    let zeus = consumer(ConsumerType::Deployment, "zeus");
    let said = doubt(kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &stopping));
    assert!(said.contains("is not rolled out before it was stopped"), "{said}");
}

#[test]
fn stateful_and_daemon_sets_are_restarted_too() {
    for (kind, consumer_type) in
        [("StatefulSet", ConsumerType::StatefulSet), ("DaemonSet", ConsumerType::DaemonSet)]
    {
        let fixture =
            Fixture::with(|world| world.put(objects::workload(kind, "kosmos", "zeus", "credentials")));
        assert_eq!(fixture.restart(consumer_type, "INC-7"), Ok(Restarted::Rolled), "{kind}");
        assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), 2);
    }
}

#[test]
fn pods_that_no_controller_replaces_are_left_to_a_person() {
    for (strategy, expected) in [
        (
            json!({"type": "OnDelete"}),
            vec![
                "StatefulSet kosmos/zeus replaces pods only when they are deleted (its update strategy is OnDelete): kubectl delete pods -n kosmos -l app=zeus",
            ],
        ),
        (
            json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}),
            vec![
                "delete a pod that the partition of StatefulSet kosmos/zeus holds back: kubectl delete pod -n kosmos zeus-0",
                "delete a pod that the partition of StatefulSet kosmos/zeus holds back: kubectl delete pod -n kosmos zeus-1",
            ],
        ),
    ] {
        let fixture = Fixture::with(|world| {
            let mut set = objects::workload("StatefulSet", "kosmos", "zeus", "credentials");
            set["spec"]["updateStrategy"] = strategy;
            world.put(set);
        });
        match fixture.restart(ConsumerType::StatefulSet, "INC-7") {
            Err(Trouble::Person(lines)) => assert_eq!(lines, expected),
            other => panic!("nobody is asked: {other:?}"),
        }
    }
}

#[test]
fn a_restart_survives_what_happens_to_requests() {
    for (line, mishap) in [
        ("PATCH /apis/apps", busy(409)),
        ("PATCH /apis/apps", busy(429)),
        ("PATCH /apis/apps", busy(500)),
        ("PATCH /apis/apps", busy(503)),
        ("PATCH /apis/apps", Mishap::LoseAnswer),
        ("PATCH /apis/apps", Mishap::Answer(Reply::html(200))),
        ("GET /apis/apps", busy(429)),
        ("GET /apis/apps", busy(503)),
        ("GET /apis/apps", Mishap::LoseAnswer),
    ] {
        let fixture = Fixture::new();
        fixture.double.mishap(line, mishap.clone());
        let restarted = fixture.restart(ConsumerType::Deployment, "INC-7");
        assert_eq!(restarted, Ok(Restarted::Rolled), "{line} {mishap:?}");
        assert_eq!(fixture.double.world().rollouts("kosmos", "zeus"), 2, "{line} {mishap:?}");
    }
}

#[test]
fn a_sync_survives_what_happens_to_requests() {
    for mishap in [busy(409), busy(429), busy(500), Mishap::LoseAnswer, Mishap::Interfere] {
        let fixture = Fixture::new();
        let before = fixture.spec("infisicalsecrets/credentials");
        fixture.rotate();
        for _ in 0..2 {
            fixture.double.mishap("PATCH /apis/secrets", mishap.clone());
        }
        assert!(fixture.sync().is_ok(), "{mishap:?}");
        assert_eq!(fixture.double.world().secret("credentials", NAME), Some(value("new")));
        assert_eq!(fixture.spec("infisicalsecrets/credentials"), before, "{mishap:?}");
    }
}

#[test]
fn a_lost_answer_is_unclear_where_nothing_tells_what_became_of_it() {
    let fixture = Fixture::new();
    fixture.double.mishap("PATCH /apis/apps", Mishap::LoseAnswer);
    let zeus = consumer(ConsumerType::Deployment, "zeus");
    // Reading it again is forbidden just then.
    fixture.double.mishap(
        "GET /apis/apps",
        Mishap::Answer(Reply::json(200, &fixture.double.world().object("deployments/zeus").clone())),
    );
    fixture.double.mishap(
        "GET /apis/apps",
        Mishap::Answer(Reply::json(200, &fixture.double.world().object("deployments/zeus").clone())),
    );
    fixture.double.mishap("GET /apis/apps", Mishap::Answer(Reply::json(403, &json!({}))));
    let said = doubt(kubernetes::restart(&fixture.cluster(), &zeus, "INC-7", &wait()));
    assert!(said.contains("may not get deployments.apps"), "{said}");
}

#[test]
fn a_server_that_wants_a_longer_rest_than_there_is_time_is_not_waited_for() {
    let fixture = Fixture::new();
    let long = Mishap::Answer(Reply::json(429, &json!({})).header("retry-after", 600));
    fixture.double.mishap("PATCH /apis/apps", long);
    let begun = Instant::now();
    let said = refusal(fixture.restart(ConsumerType::Deployment, "INC-7"));
    assert!(said.contains("patch Deployment kosmos/zeus: the cluster answers 429"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn conflicts_without_end_are_given_up() {
    let fixture = Fixture::new();
    for _ in 0..50 {
        fixture.double.mishap("PATCH /apis/apps", busy(409));
    }
    let said = refusal(fixture.restart(ConsumerType::Deployment, "INC-7"));
    assert_eq!(said, "patch Deployment kosmos/zeus: somebody else keeps changing it");
}

#[test]
fn credentials_that_are_refused_are_said_so() {
    let fixture = Fixture::new();
    fixture.double.mishap("GET", Mishap::Answer(Reply::json(401, &json!({"message": token()}))));
    let said = refusal(fixture.sync());
    assert!(said.contains("does not accept the credentials"), "{said}");
    assert!(!said.contains(&token()));
}

/// A Deployment of two containers, and the Secret that the operator writes.
fn signing() -> (Fixture, Consumer) {
    let fixture = Fixture::with(|world| {
        world.put(objects::infisical_secret("kosmos", "credentials", "production", "/infrastructure"));
        let mut auth = objects::deployment("kosmos", "zeus", "credentials");
        let side = json!({"name": "side", "image": "proxy:1", "env": [{"name": "MODE", "value": "quiet"}]});
        auth["spec"]["template"]["spec"]["containers"].as_array_mut().expect("a list").push(side);
        world.put(auth);
    });
    let zeus = Consumer { next_env: Some("KEY_NEW".into()), ..consumer(ConsumerType::Deployment, "zeus") };
    (fixture, zeus)
}

#[test]
fn the_next_key_comes_to_the_container_that_reads_the_secret_and_goes_again() {
    let (fixture, zeus) = signing();
    let before = fixture.spec("deployments/zeus");
    let key = SecretKey { secret: "credentials", key: NAME };
    set_next_env(&fixture.cluster(), &zeus, key, &wait()).unwrap();
    let containers = fixture.spec("deployments/zeus")["template"]["spec"]["containers"].clone();
    let reference = json!({"secretKeyRef": {"name": "credentials", "key": NAME}});
    let mode = json!({"name": "MODE", "value": "live"});
    assert_eq!(containers[0]["env"], json!([mode, {"name": "KEY_NEW", "valueFrom": reference}]));
    assert_eq!(containers[1], before["template"]["spec"]["containers"][1]);
    assert_eq!(fixture.double.world().pod("kosmos", "zeus")["KEY_NEW"], value("old"));
    let patches = fixture.patches();
    set_next_env(&fixture.cluster(), &zeus, key, &wait()).unwrap();
    assert_eq!(fixture.patches(), patches, "it is there already");
    unset_next_env(&fixture.cluster(), &zeus, key.key, &wait()).unwrap();
    assert_eq!(fixture.spec("deployments/zeus"), before);
    assert!(!fixture.double.world().pod("kosmos", "zeus").contains_key("KEY_NEW"));
    unset_next_env(&fixture.cluster(), &zeus, key.key, &wait()).unwrap();
    assert_eq!(fixture.patches(), patches + 1, "it is gone already");
}

#[test]
fn a_variable_of_somebody_else_is_left_alone() {
    let (fixture, zeus) = signing();
    let taken = Consumer { next_env: Some("MODE".into()), ..zeus };
    let before = fixture.spec("deployments/zeus");
    let key = SecretKey { secret: "credentials", key: NAME };
    let said = refusal(set_next_env(&fixture.cluster(), &taken, key, &wait()));
    assert!(said.contains("has the variable MODE from elsewhere"), "{said}");
    unset_next_env(&fixture.cluster(), &taken, key.key, &wait()).unwrap();
    assert_eq!(fixture.spec("deployments/zeus"), before);
}

/// A Secret that nobody syncs, as a target; each test brings the act.
fn with_target(data: &[(&str, &str)], act: impl FnOnce(&Fixture, &KubernetesSecret<'_>)) {
    let fixture = Fixture::with(|world| world.put(objects::secret("kosmos", "by-hand", data)));
    let target = inventory::Kubernetes { namespace: "kosmos".into(), name: "by-hand".into(), key: None };
    let secret = KubernetesSecret::new(fixture.cluster(), &target, NAME, wait()).expect("these are names");
    act(&fixture, &secret);
}

#[test]
fn a_secret_that_nobody_syncs_is_changed_and_changed_back() {
    let (old, new) = (Secret::new(value("old")), Secret::new(value("new")));
    let values = Values { old: &old, new: Some(&new), incident: "INC-7" };
    with_target(&[(NAME, &value("old")), ("OTHER", "stays")], |fixture, target| {
        target.perform(Act::Check, &values).unwrap();
        assert_eq!(fixture.patches(), 0);
        for (act, holds) in [(Act::Introduce, "new"), (Act::Introduce, "new"), (Act::Withdraw, "old")] {
            target.perform(act, &values).unwrap();
            assert_eq!(fixture.double.world().secret("by-hand", NAME), Some(value(holds)));
            let is_new = holds == "new";
            assert_eq!(target.accepts(&new), if is_new { Accepts::Yes } else { Accepts::No });
            assert_eq!(target.accepts(&old), if is_new { Accepts::No } else { Accepts::Yes });
        }
        assert_eq!(fixture.patches(), 2);
        assert_eq!(fixture.double.world().secret("by-hand", "OTHER").as_deref(), Some("stays"));
        let lines = target.requests(Act::Introduce).unwrap().join("\n");
        assert!(lines.contains("PATCH /api/v1/namespaces/kosmos/secrets/by-hand"), "{lines}");
    });
}

#[test]
fn a_change_of_a_secret_survives_what_happens_to_requests() {
    let (old, new) = (Secret::new(value("old")), Secret::new(value("new")));
    let values = Values { old: &old, new: Some(&new), incident: "INC-7" };
    for mishap in [busy(409), busy(429), busy(503), Mishap::LoseAnswer, Mishap::Interfere] {
        with_target(&[(NAME, &value("old"))], |fixture, target| {
            fixture.double.mishap("PATCH /api/v1", mishap.clone());
            target.perform(Act::Introduce, &values).unwrap();
            assert_eq!(fixture.double.world().secret("by-hand", NAME), Some(value("new")), "{mishap:?}");
        });
    }
}

#[test]
fn a_secret_that_somebody_else_changed_is_left_alone() {
    let (old, new) = (Secret::new(value("old")), Secret::new(value("new")));
    let values = Values { old: &old, new: Some(&new), incident: "INC-7" };
    with_target(&[(NAME, &value("third"))], |fixture, target| {
        for act in [Act::Introduce, Act::Withdraw] {
            let said = refusal(target.perform(act, &values));
            assert!(said.contains("holds neither the old nor the new value"), "{said}");
        }
        assert_eq!(fixture.double.world().secret("by-hand", NAME), Some(value("third")));
        fixture.double.world().edit("secrets/by-hand", |secret| secret["immutable"] = json!(true));
        let said = refusal(target.perform(Act::Check, &values));
        assert!(said.ends_with("its Secret is immutable"), "{said}");
    });
    with_target(&[("OTHER", "x")], |_, target| {
        assert!(refusal(target.perform(Act::Check, &values)).ends_with("is not there"));
        assert_eq!(target.accepts(&old), Accepts::No);
    });
}

#[test]
fn what_a_server_quotes_of_a_value_is_not_repeated() {
    let (old, new) = (Secret::new(value("old")), Secret::new(value("new")));
    let values = Values { old: &old, new: Some(&new), incident: "INC-7" };
    with_target(&[(NAME, &value("old"))], |fixture, target| {
        let quoting = json!({"kind": "Status", "reason": "Invalid", "message": format!("Invalid value: {}", value("new"))});
        fixture.double.mishap("PATCH /api/v1", Mishap::Answer(Reply::json(422, &quoting)));
        let said = refusal(target.perform(Act::Introduce, &values));
        assert_eq!(said, "patch Secret kosmos/by-hand: the cluster refuses it with 422 (Invalid)");
    });
}
