//! A signing key, blue-green: two keys are accepted until the tokens of the first have expired.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hekate::{
    inventory::{Algorithm, Signing},
    model::Secret,
    respond::signing,
};
use serde_json::{Value, json};

use super::{
    super::{
        kubernetes_double::{KubernetesDouble, objects},
        verifier::{JwksServer, Verifier, sign},
    },
    Bench, masked,
};
use crate::harness::Outcome;

const PLACE: &str = "production:/authentication/JWT_SIGNING_KEY";
const NEXT: &str = "production:/authentication/JWT_SIGNING_KEY_V2";
const NEXT_PUBLIC: &str = "production:/authentication/JWT_PUBLIC_KEY_V2";

/// A key, who verifies, and the cluster that signs.
struct Signed {
    bench: Bench,
    verifier: Verifier,
    _jwks: JwksServer,
    cluster: KubernetesDouble,
    old: String,
}

impl Signed {
    /// With tokens that live so long, and keys of this algorithm.
    fn new(grace: &str, algorithm: Algorithm) -> Self {
        Self::published(grace, algorithm, JwksServer::start)
    }

    fn published(grace: &str, algorithm: Algorithm, publish: impl FnOnce(Verifier) -> JwksServer) -> Self {
        let bits = algorithm.is_rsa().then_some(2_048);
        let kind = Signing {
            algorithm,
            bits,
            next_name: "JWT_SIGNING_KEY_V2".into(),
            next_public_name: "JWT_PUBLIC_KEY_V2".into(),
            grace: "1m".parse().expect("a period"),
            jwks_url: None,
        };
        let key = signing::make(&kind, &Secret::new("")).expect("a key").private;
        let old = String::from_utf8(key.expose().to_vec()).expect("text");
        let empty = Bench::new("folders: {}\n");
        let verifier = Verifier::new(&empty.store_folder(), "production", "/authentication");
        empty.put(PLACE, &old);
        let jwks = publish(verifier.clone());
        let mut bench = empty;
        bench.project.file("outside/inventory.yaml", inventory(grace, algorithm, &jwks.url()));
        let cluster = bench.cluster();
        cluster.world().put(objects::infisical_secret("auth", "keys", "production", "/authentication"));
        cluster.world().put(objects::deployment("auth", "auth-service", "keys"));
        cluster.settle();
        Self { bench, verifier, _jwks: jwks, cluster, old }
    }

    /// Whether a token that this key signs is accepted now.
    fn accepts(&self, key: &str) -> bool {
        self.verifier.accepts(&sign(&Secret::new(key), &json!({"sub": "ada"})))
    }

    /// The signer's variables: those of its Deployment, and of its pods.
    fn next_env(&self) -> (bool, Option<String>) {
        let world = self.cluster.world();
        let spec =
            &world.object("deployments/auth-service")["spec"]["template"]["spec"]["containers"][0]["env"];
        let has =
            spec.as_array().is_some_and(|all| all.iter().any(|env| env["name"] == "JWT_SIGNING_KEY_NEW"));
        (has, world.pod("auth", "auth-service").get("JWT_SIGNING_KEY_NEW").cloned())
    }

    /// That both keys are accepted, and that the signer has the next one. Gives that.
    #[track_caller]
    fn is_between(&self) -> String {
        let next = self.bench.value(NEXT);
        assert!(self.accepts(&self.old) && self.accepts(&next), "both keys are accepted");
        assert_eq!(self.bench.value(PLACE), self.old, "the old one stands under its name");
        assert_eq!(self.next_env(), (true, Some(next.clone())));
        let public = Secret::new(self.bench.value(NEXT_PUBLIC));
        assert_eq!(signing::same_pair(&Secret::new(next.as_str()), &public), Ok(true));
        next
    }

    /// That this key alone is accepted, and nothing is left of the next names.
    #[track_caller]
    fn is_after(&self, next: &str) {
        assert_eq!(self.bench.value(PLACE), next);
        assert!(self.accepts(next) && !self.accepts(&self.old), "the new key alone is accepted");
        assert_eq!(self.bench.places(), [PLACE]);
        assert_eq!(self.next_env(), (false, None));
        assert_eq!(self.cluster.world().pod("auth", "auth-service")["JWT_SIGNING_KEY"], next);
    }

    #[track_caller]
    fn is_before(&self) {
        assert_eq!((self.bench.value(PLACE), self.bench.version(PLACE)), (self.old.clone(), 1));
        assert_eq!(self.bench.places(), [PLACE]);
        assert!(self.accepts(&self.old));
        assert_eq!(self.next_env(), (false, None));
    }

    #[track_caller]
    fn is_tidy(&self, said: &[&Outcome], keys: &[&str]) {
        self.bench.is_tidy(said, keys);
        let body = |key: &str| {
            let pem = String::from_utf8(BASE64_STANDARD.decode(key).expect("base64")).expect("PEM");
            pem.lines().nth(1).expect("PEM has a body").to_owned()
        };
        let bodies: Vec<String> = keys.iter().map(|key| body(key)).collect();
        self.bench.is_tidy(said, &bodies.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn inventory(grace: &str, algorithm: Algorithm, url: &str) -> String {
    let bits = if algorithm.is_rsa() { " bits: 2048," } else { "" };
    format!(
        "{}folders:
  authentication: [JWT_SIGNING_KEY]
secrets:
  JWT_SIGNING_KEY:
    environments: [production]
    signing: {{ algorithm: {algorithm},{bits} next_name: JWT_SIGNING_KEY_V2, next_public_name: JWT_PUBLIC_KEY_V2, grace: {grace}, jwks_url: \"{url}\" }}
    consumers:
      - {{ type: infisical-secret, namespace: auth, name: keys }}
      - {{ type: deployment, namespace: auth, name: auth-service, next_env: JWT_SIGNING_KEY_NEW }}
{}",
        super::HEAD,
        super::POLICIES
    )
}

#[test]
fn tokens_of_both_keys_are_valid_through_the_grace_time_and_those_of_the_old_one_not_after_it() {
    let signed = Signed::new("2s", Algorithm::Rs256);
    let (bench, begun) = (&signed.bench, Instant::now());
    let plan = bench.plan(&["--secret", PLACE]);
    insta::assert_snapshot!(masked(&plan.stdout), @"
    hk-0123456789  production:/authentication/JWT_SIGNING_KEY
      reason    request, known since YYYY-MM-DDTHH:MM:SSZ
      playbook  signing-key
      target    RS256 signing key, published at http://127.0.0.1:PORT/.well-known/jwks.json
      affects   infisical-secret auth/keys, deployment auth/auth-service
       1  check: look whether everything can be changed: target, administrator, manager, consumers
          manager: read production:/authentication/JWT_SIGNING_KEY (version 1)
          GET http://127.0.0.1:PORT/.well-known/jwks.json
          look at infisical-secret auth/keys
          look at deployment auth/auth-service
       2  keep: make the new value in memory and keep it in the manager, in a folder that nobody syncs
          make a key pair for RS256
          manager: write production:/hekate-pending/JWT_SIGNING_KEY_HK_0123456789
          undo: remove it there
       3  publish-next: store the next key and its public half beside the old key, so that both are
          accepted
          manager: write production:/authentication/JWT_SIGNING_KEY_V2
          manager: write production:/authentication/JWT_PUBLIC_KEY_V2
          undo: remove both
       4  sync-next: have the consumers' secrets synced
          GET /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys
          PATCH /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys (merge patch:
          another resync interval, and an annotation)
          GET the Secrets that it names, until they hold the new value
          PATCH /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys (merge patch:
          the interval as it was)
       5  restart-next: restart the consumers, the signer with the next key, and wait until they run
          GET /apis/apps/v1/namespaces/auth/deployments/auth-service
          PATCH /apis/apps/v1/namespaces/auth/deployments/auth-service?fieldManager=hekate (strategic
          merge patch: the variable JWT_SIGNING_KEY_NEW from JWT_SIGNING_KEY_V2 of the synced Secret)
          GET /apis/apps/v1/namespaces/auth/deployments/auth-service, until all pods are new
          undo: take the next key from the signer
       6  prove-next: see that the next key is published
          GET http://127.0.0.1:PORT/.well-known/jwks.json
       7  grace: wait until the last token that the old key signed has expired
          wait 2s
       8  promote: store the new value under its name in the manager
          manager: write production:/authentication/JWT_SIGNING_KEY (version 2 follows 1)
      ──  no way back from here: what follows is finished
       9  drop-next: remove the next names: the key is the current one now
          manager: remove production:/authentication/JWT_SIGNING_KEY_V2
          manager: remove production:/authentication/JWT_PUBLIC_KEY_V2
      10  sync: have the consumers' secrets synced, and compare what came there
          GET /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys
          PATCH /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys (merge patch:
          another resync interval, and an annotation)
          GET the Secrets that it names, until they hold the new value
          PATCH /apis/secrets.infisical.com/v1alpha1/namespaces/auth/infisicalsecrets/keys (merge patch:
          the interval as it was)
      11  restart: restart the consumers and wait until they run
          GET /apis/apps/v1/namespaces/auth/deployments/auth-service
          PATCH /apis/apps/v1/namespaces/auth/deployments/auth-service?fieldManager=hekate (strategic
          merge patch: no variable JWT_SIGNING_KEY_NEW from JWT_SIGNING_KEY_V2 any more)
          GET /apis/apps/v1/namespaces/auth/deployments/auth-service, until all pods are new
      12  prove-new: see that the new value is accepted
          RS256 signing key, published at http://127.0.0.1:PORT/.well-known/jwks.json: try the new
          value: has to be accepted
      13  prove-old: see that the old value is refused
          RS256 signing key, published at http://127.0.0.1:PORT/.well-known/jwks.json: try the old
          value: has to be refused
      14  tidy: remove what was kept in the manager for the change
          manager: remove production:/hekate-pending/JWT_SIGNING_KEY_HK_0123456789

    1 incident: 1 in production · dir:outside/store
    ");
    let waiting = bench.apply(&["--wait", "0s"]).ends(1);
    assert!(waiting.stdout.contains("grace waits until 20"), "{}", waiting.stdout);
    let next = signed.is_between();
    let status = bench.status(&[]).ends(0);
    assert!(status.stdout.contains("grace waits until"), "{}", status.stdout);

    let done = bench.resume(&["--wait", "1m"]).ends(0);
    assert!(begun.elapsed() >= Duration::from_secs(2), "the grace time was waited for");
    signed.is_after(&next);
    assert_eq!(bench.version(PLACE), 2);
    signed.is_tidy(&[&plan, &waiting, &done], &[&signed.old, &next]);
}

#[test]
fn before_the_grace_time_is_over_resume_goes_on_waiting() {
    let signed = Signed::new("1h", Algorithm::Es256);
    let bench = &signed.bench;
    bench.plan(&["--secret", PLACE]);
    let first = bench.apply(&["--wait", "0s"]).ends(1);
    let next = signed.is_between();
    let again = bench.resume(&["--wait", "0s"]).ends(1);
    assert_eq!(first.stdout, again.stdout, "the time stays the same");
    assert_eq!(signed.is_between(), next);
    assert_eq!(signed.cluster.world().rollouts("auth", "auth-service"), 2);
}

#[test]
fn one_run_does_all_of_it_where_it_may_wait() {
    let signed = Signed::new("1s", Algorithm::Es256);
    let bench = &signed.bench;
    bench.plan(&["--secret", PLACE]);
    let done = bench.apply(&[]).ends(0);
    let next = bench.value(PLACE);
    signed.is_after(&next);
    assert_eq!(signed.cluster.world().rollouts("auth", "auth-service"), 3);
    signed.is_tidy(&[&done], &[&signed.old, &next]);
}

#[test]
fn dropped_at_once_the_old_key_is_refused_without_a_grace_time() {
    let signed = Signed::new("1h", Algorithm::Es256);
    let bench = &signed.bench;
    let plan = bench.plan(&["--secret", PLACE, "--at-once"]);
    assert!(!plan.stdout.contains("grace"), "{}", plan.stdout);
    bench.apply(&["--wait", "0s"]).ends(0);
    signed.is_after(&bench.value(PLACE));
}

#[test]
fn a_next_key_that_nobody_publishes_is_taken_back() {
    // It goes on publishing what it read when it started.
    let stale = |verifier: Verifier| {
        let document: Value = verifier.jwks();
        JwksServer::answering(move || (200, document.to_string()))
    };
    let signed = Signed::published("1s", Algorithm::Es256, stale);
    let bench = &signed.bench;
    bench.plan(&["--secret", PLACE]);
    let stopped = bench.apply(&[]).ends(1);
    // However its lines are broken.
    let said: Vec<&str> = stopped.stdout.split_whitespace().collect();
    assert!(said.join(" ").contains("the next key is not published"), "{}", stopped.stdout);
    signed.is_before();
    // With the next key, and without it again.
    assert_eq!(signed.cluster.world().rollouts("auth", "auth-service"), 3);
    signed.is_tidy(&[&stopped], &[&signed.old]);
}

#[test]
fn a_crash_within_the_grace_time_keeps_both_keys_and_is_gone_on_from() {
    let signed = Signed::new("4s", Algorithm::Es256);
    let bench = &signed.bench;
    bench.plan(&["--secret", PLACE]);
    let mut command = bench.apply_command(&[]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start hekate");
    let journal = bench.project.path("outside/state/incidents").join(format!("{}.jsonl", bench.id()));
    let is_waiting = || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        text.lines().any(|line| line.contains("\"begun\"") && line.contains("\"grace\""))
    };
    let until = Instant::now() + Duration::from_secs(60);
    while !is_waiting() {
        assert!(Instant::now() < until, "it does not come to the grace time");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("kill it");
    child.wait().expect("it was killed");
    let next = signed.is_between();
    let status = bench.status(&[]).ends(0);
    assert!(status.stdout.contains("under way, or broken off"), "{}", status.stdout);
    let done = bench.resume(&[]).ends(0);
    signed.is_after(&next);
    signed.is_tidy(&[&done], &[&signed.old, &next]);
}
