//! The manager's own credentials, at Infisical.

use super::{super::platform::ROLE, Bench};
use crate::{
    harness::Outcome,
    infisical::{
        server::Server,
        world::{Owner, Rights},
    },
};

const SECRET: &str = "INFISICAL_CLIENT_SECRET";
const TOKEN: &str = "INFISICAL_TOKEN";

/// A server with an identity `ci`, and a bench that talks to it as another.
struct Managed {
    server: Server,
    bench: Bench,
    client_id: String,
    old: String,
}

impl Managed {
    fn new() -> Self {
        let server = Server::start();
        let (client_id, old) = server.world().identity("ci", Rights::viewer());
        let identity = server.world().identities[0].id.clone();
        let admin = Rights { is_admin: true, ..Rights::all() };
        let (id, secret) = server.world().identity("responder", admin);
        let mut bench = Bench::new(&format!(
            "
folders:
  ci: [{SECRET}, {TOKEN}]
secrets:
  {SECRET}:
    environments: [production]
    target: {{ type: infisical-identity, identity_id: {identity} }}
  {TOKEN}:
    environments: [production]
"
        ));
        bench.store = "infisical";
        bench.set("HEKATE_INFISICAL_URL", server.url());
        bench.set("HEKATE_INFISICAL_PROJECT", "kosmos");
        bench.set("HEKATE_INFISICAL_CLIENT_ID", id);
        bench.set("HEKATE_INFISICAL_CLIENT_SECRET", secret);
        server.world().put("production", "/ci", SECRET, &old);
        Self { server, bench, client_id, old }
    }

    /// Logs in as `ci`, and says whether that goes.
    fn accepts(&self, secret: &str) -> bool {
        let index = self.bench.project.path("outside/probe.idx");
        let mut command = self.bench.command(&[
            "inventory",
            "pull",
            "--store",
            "infisical",
            "--inventory",
            "outside/inventory.yaml",
        ]);
        command.arg("--index").arg(index).env("HEKATE_INFISICAL_CLIENT_ID", &self.client_id);
        command.env("HEKATE_INFISICAL_CLIENT_SECRET", secret);
        let outcome: Outcome = crate::harness::run(command, b"");
        matches!(outcome.code, 0)
    }

    fn value(&self, name: &str) -> (u64, String) {
        let world = self.server.world();
        let at = world.find("production", "/ci", name).expect("it is there");
        let current = world.secrets[at].current();
        (current.number, current.value.clone())
    }

    fn pending(&self) -> usize {
        let world = self.server.world();
        world.secrets.iter().filter(|secret| secret.folder.starts_with("/hekate-pending")).count()
    }
}

#[test]
fn a_client_secret_is_followed_by_a_new_one_and_revoked() {
    let managed = Managed::new();
    let bench = &managed.bench;
    assert!(managed.accepts(&managed.old));
    let plan = bench.plan(&["--secret", &format!("production:/ci/{SECRET}")]);
    assert!(plan.stdout.contains("client-secrets/ID/revoke"), "{}", plan.stdout);
    let done = bench.apply(&[]).ends(0);
    let (version, new) = managed.value(SECRET);
    assert!(version == 2 && new != managed.old, "the new one is stored");
    assert!(managed.accepts(&new), "the new one is valid");
    let alive: Vec<String> = {
        let world = managed.server.world();
        let secrets = world.identities[0].client_secrets.iter().filter(|secret| !secret.is_revoked);
        secrets.map(|secret| secret.value.clone()).collect()
    };
    assert_eq!(alive, [new.as_str()]);
    assert!(!managed.accepts(&managed.old), "the old one is not");
    assert_eq!(managed.pending(), 0);
    bench.is_tidy(&[&plan, &done], &[&managed.old, &new]);
}

#[test]
fn an_access_token_is_revoked_and_nothing_follows_it() {
    let managed = Managed::new();
    let bench = &managed.bench;
    let token = {
        let mut world = managed.server.world();
        let owner = Owner::Identity(world.identities[0].id.clone());
        let secret = world.identities[0].client_secrets[0].id.clone();
        let token = world.access_token(owner, Some(secret)).value;
        world.put("production", "/ci", TOKEN, &token);
        token
    };
    let plan = bench.plan(&["--secret", &format!("production:/ci/{TOKEN}")]);
    assert!(
        plan.stdout.contains("/api/v1/auth/token/revoke") && plan.stdout.contains("playbook  revoke"),
        "{}",
        plan.stdout
    );
    let done = bench.apply(&[]).ends(0);
    assert!(done.stdout.contains("revoked"), "{}", done.stdout);
    assert!(managed.server.world().tokens.iter().any(|one| one.value == token && one.is_revoked));
    assert_eq!(managed.value(TOKEN).0, 1);
    bench.is_tidy(&[&plan, &done], &[&token]);
}

#[test]
fn a_service_token_is_a_persons_matter_and_ended_by_a_users_token() {
    let mut managed = Managed::new();
    let (old, new) = {
        let mut world = managed.server.world();
        let mut token = || world.service_token(&[("production", "/infrastructure")], &["read"]);
        (token(), token())
    };
    managed.server.world().put("production", "/ci", TOKEN, &old);
    let user = managed.server.world().user_token();
    managed.bench.set("HEKATE_INFISICAL_USER_TOKEN", user);
    let bench = &managed.bench;
    bench.plan(&["--secret", &format!("production:/ci/{TOKEN}")]);
    let waiting = bench.apply(&[]).ends(1);
    assert!(waiting.stdout.contains("make a service token"), "{}", waiting.stdout);
    assert_eq!(managed.server.world().service_tokens.len(), 2, "nothing was deleted yet");
    let command = bench.respond_command(&["resume", &bench.id(), "--role", ROLE, "--value-fd", "0"]);
    let done = crate::harness::run(command, new.as_bytes()).ends(0);
    assert_eq!(managed.value(TOKEN), (2, new.clone()));
    let left: Vec<String> = managed.server.world().service_tokens.iter().map(|token| token.value()).collect();
    assert_eq!(left, [new.as_str()]);
    bench.is_tidy(&[&waiting, &done], &[&old, &new]);
}
