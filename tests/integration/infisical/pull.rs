//! `hekate inventory pull` against Infisical, over the real driver, and scans with what it made.

use super::{server::Server, world::Rights};
use crate::harness::{Outcome, Project, text};

fn random(seed: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed);
    crate::secrets::in_base64(&String::from_iter((0..32).map(|_| rng.alphanumeric())))
}

/// A server with two versions of a secret, and a project that knows how to log in there.
struct Managed {
    server: Server,
    project: Project,
    id: String,
    secret: String,
}

impl Managed {
    fn new(rights: Rights) -> Self {
        let server = Server::start();
        let mut world = server.world();
        world.put("production", "/infrastructure", "POSTGRES_PASSWORD", &random(1));
        world.put("production", "/infrastructure", "POSTGRES_PASSWORD", &random(2));
        world.put("production", "/llm-providers", "OPENAI_API_KEY", &random(3));
        let (id, secret) = world.identity("scanner", rights);
        drop(world);
        Self { server, project: Project::new(), id, secret }
    }

    fn run(&self, args: &[&str]) -> Outcome {
        let (key, url) = ("7".repeat(64), self.server.url());
        let env = [
            ("HEKATE_KEY", key.as_str()),
            ("HEKATE_INFISICAL_URL", &url),
            ("HEKATE_INFISICAL_PROJECT", "kosmos"),
            ("HEKATE_INFISICAL_CLIENT_ID", &self.id),
            ("HEKATE_INFISICAL_CLIENT_SECRET", &self.secret),
        ];
        self.project.hekate_with(b"", &env, args)
    }

    fn pull(&self) -> Outcome {
        self.run(&["inventory", "pull", "--store", "infisical", "--index", "hekate.idx"])
    }

    fn verdicts(&self) -> Vec<String> {
        let outcome = self.run(&["scan", "notes.txt", "--format", "json", "--index", "hekate.idx"]);
        let mut all: Vec<String> = outcome.findings().iter().map(|one| text(&one["verdict"])).collect();
        all.sort();
        all
    }
}

#[test]
fn what_infisical_holds_is_known_and_what_it_held_is_retired() {
    let managed = Managed::new(Rights::viewer());
    managed.pull().ends(0);
    let lines = format!("x {}\n{}\n", crate::secrets::in_base64(&random(2)), random(1).replace('=', "%3D"));
    managed.project.file("notes.txt", lines);
    assert_eq!(managed.verdicts(), ["known", "retired"]);
    assert_eq!(managed.server.received_at("POST /api/v1/auth/universal-auth/login").len(), 1);
}

#[test]
fn what_may_not_be_read_is_named_by_the_pull_and_by_every_scan() {
    let managed = Managed::new(Rights::reads(&["/infrastructure"]));
    let pulled = managed.pull().ends(3);
    assert!(pulled.stderr.contains("/llm-providers"), "{}", pulled.stderr);
    managed.project.file("notes.txt", random(2));
    assert_eq!(managed.verdicts(), ["known"]);
    let scan = managed.run(&["scan", "notes.txt", "--index", "hekate.idx"]);
    assert!(scan.stderr.contains("does not cover"), "{}", scan.stderr);
}

#[test]
fn a_wrong_secret_a_locked_identity_and_an_unknown_project_are_told_apart_and_write_nothing() {
    let mut managed = Managed::new(Rights::viewer());
    let right = std::mem::replace(&mut managed.secret, "0".repeat(64));
    for _ in 0..3 {
        let outcome = managed.pull();
        assert_ne!(outcome.code, 0);
        assert!(!outcome.stderr.contains(&"0".repeat(64)), "{}", outcome.stderr);
    }
    managed.secret = right;
    let locked = managed.pull().ends(3);
    assert!(locked.stderr.contains("locked"), "{}", locked.stderr);
    assert!(!managed.project.path("hekate.idx").exists());
    let other = Managed::new(Rights::viewer());
    let url = other.server.url();
    let key = "7".repeat(64);
    let env = [
        ("HEKATE_KEY", key.as_str()),
        ("HEKATE_INFISICAL_URL", &url),
        ("HEKATE_INFISICAL_PROJECT", "nope-nope"),
        ("HEKATE_INFISICAL_CLIENT_ID", &other.id),
        ("HEKATE_INFISICAL_CLIENT_SECRET", &other.secret),
    ];
    let unknown = other.project.hekate_with(b"", &env, &["inventory", "pull", "--store", "infisical"]);
    unknown.refuses(&["nope-nope"]);
}

#[test]
fn a_manager_that_is_down_leaves_the_index_that_is_there() {
    let managed = Managed::new(Rights::viewer());
    managed.pull().ends(0);
    let before = std::fs::read(managed.project.path("hekate.idx")).expect("read the index");
    let (key, token) = (
        "7".repeat(64),
        format!("{}.e30.x", crate::secrets::in_base64("{\"alg\":\"none\"}").trim_end_matches('=')),
    );
    let env = [
        ("HEKATE_KEY", key.as_str()),
        // Nothing listens there.
        ("HEKATE_INFISICAL_URL", "http://127.0.0.1:1"),
        ("HEKATE_INFISICAL_PROJECT", "kosmos"),
        ("HEKATE_INFISICAL_TOKEN", &token),
    ];
    let args = ["inventory", "pull", "--store", "infisical", "--index", "hekate.idx"];
    managed.project.hekate_with(b"", &env, &args).ends(3);
    assert_eq!(std::fs::read(managed.project.path("hekate.idx")).expect("read the index"), before);
}
