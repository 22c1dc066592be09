//! Faults of all that a response depends on: whatever fails, and wherever, there is one valid value afterwards, what happened is said, nothing
//! of a value is told, and `resume` ends it once the fault is mended.

mod approval;
mod cache;
mod cluster;
mod manager;
mod postgres;
mod records;
mod responders;
mod wire;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use hekate::store::{DotenvStore, SecretPath, Store, Stored};

use self::wire::Wire;
use super::platform::{Platform, ROLE, setting};
use crate::{
    harness::Outcome,
    infisical::{server::Server, world::Rights},
};

const FOLDER: &str = "/infrastructure";
const PENDING: &str = "/hekate-pending";
/// No run takes so long, whatever fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is waited for is waited for so long, in seconds: the shortest that config takes for a rollout is one look and a half.
const CONFIG: &str = "[verify]\ntimeout = 2\n\n[respond]\nrollout-timeout = 3\n";

/// Whether the target lets one in with a value.
type Accepts = Box<dyn Fn(&Stage, &str) -> bool>;

/// A secret with its target, its manager, and all that was said about it.
pub(super) struct Stage {
    platform: Platform,
    /// The manager, where it is no folder of files.
    server: Option<Server>,
    /// What stands before the target.
    wire: Wire,
    /// What the secret is called.
    name: &'static str,
    state: &'static str,
    accepts: Accepts,
    variables: Vec<(&'static str, String)>,
    /// Version and value before.
    before: RefCell<(u64, String)>,
    /// Every value that there was.
    values: RefCell<BTreeSet<String>>,
    /// What was printed, and what stood in the process list meanwhile.
    told: RefCell<String>,
}

impl Stage {
    /// A role of PostgreSQL behind a wire, and a folder of files as the manager.
    fn new() -> Option<Self> {
        Self::with(|inventory| inventory)
    }

    /// The same with a changed inventory.
    fn with(change: impl FnOnce(String) -> String) -> Option<Self> {
        if !super::platform::servers() {
            return None;
        }
        let server: u16 = setting("POSTGRES_PORT").parse().expect("a port");
        let wire = Wire::to(server);
        let port = wire.port;
        let platform = Platform::with(|inventory| {
            change(inventory.replace(&format!("port: {server}"), &format!("port: {port}")))
        })?;
        let url = admin_url(port, "hekate_admin", &setting("ADMIN_PASSWORD"));
        let stage =
            Self::of(platform, wire, "POSTGRES_PASSWORD", |stage, value| stage.platform.accepts(value));
        Some(stage.variable("HEKATE_POSTGRES_ADMIN_URL", url))
    }

    fn of(
        platform: Platform,
        wire: Wire,
        name: &'static str,
        accepts: impl Fn(&Self, &str) -> bool + 'static,
    ) -> Self {
        platform.project.file("outside/hekate.toml", CONFIG);
        let stage = Self {
            platform,
            server: None,
            wire,
            name,
            state: "outside/state",
            accepts: Box::new(accepts),
            variables: Vec::new(),
            before: RefCell::default(),
            values: RefCell::default(),
            told: RefCell::default(),
        };
        stage.begin();
        stage
    }

    fn variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    /// The same with Infisical as the manager.
    fn managed(self) -> Self {
        let server = Server::start();
        let (version, value) = self.before.borrow().clone();
        assert_eq!(server.world().put("production", FOLDER, self.name, &value), version);
        server.world().make_folder("staging", FOLDER);
        let (id, secret) = server.world().identity("responder", Rights::all());
        let mut stage = self
            .variable("HEKATE_INFISICAL_URL", server.url())
            .variable("HEKATE_INFISICAL_PROJECT", "kosmos".into())
            .variable("HEKATE_INFISICAL_CLIENT_ID", id)
            .variable("HEKATE_INFISICAL_CLIENT_SECRET", secret);
        stage.server = Some(server);
        stage
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("its manager is a server")
    }

    /// From here on, what is there now is what was there before.
    fn begin(&self) {
        let stored = self.stored();
        self.values.borrow_mut().insert(stored.1.clone());
        *self.before.borrow_mut() = stored;
    }

    fn path(&self) -> SecretPath {
        SecretPath { environment: "production".into(), folder: FOLDER.into(), name: self.name.into() }
    }

    /// What the manager holds: version and value.
    fn stored(&self) -> (u64, String) {
        if let Some(server) = &self.server {
            let world = server.world();
            let at = world.find("production", FOLDER, self.name).expect("it is there");
            let current = world.secrets[at].current();
            return (current.number, current.value.clone());
        }
        let read = self.files().read(&self.path(), None).expect("read the store").expect("it is there");
        (read.version, text(&read))
    }

    fn files(&self) -> DotenvStore {
        DotenvStore::open(self.platform.store_folder()).expect("open the store")
    }

    /// What rotations have left in the pending folder.
    fn kept(&self) -> Vec<String> {
        let kept: Vec<String> = match &self.server {
            Some(server) => {
                let world = server.world();
                let kept = world.secrets.iter().filter(|secret| secret.folder == PENDING);
                kept.map(|secret| secret.current().value.clone()).collect()
            }
            None => {
                let listing = self.files().list("production").expect("list the store");
                listing.secrets.iter().filter(|stored| stored.path.folder == PENDING).map(text).collect()
            }
        };
        self.values.borrow_mut().extend(kept.iter().cloned());
        kept
    }

    fn is_accepted(&self, value: &str) -> bool {
        (self.accepts)(self, value)
    }

    fn respond_command(&self, args: &[&str]) -> Command {
        let files = format!("dir:{}", self.platform.store_folder().display());
        let store = if self.server.is_some() { "infisical" } else { &files };
        let own =
            ["--inventory", "outside/inventory.yaml", "--config", "outside/hekate.toml", "--store", store];
        let mut command = self.command(&[&["respond"], args, &own].concat());
        command.args(["--state", self.state]);
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.platform.command(args);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn respond(&self, args: &[&str]) -> Outcome {
        self.hear(watch(self.respond_command(args)))
    }

    fn hear(&self, (outcome, seen): (Outcome, String)) -> Outcome {
        *self.told.borrow_mut() += &[&outcome.stdout, &outcome.stderr, &seen].map(String::as_str).concat();
        outcome
    }

    fn plan(&self) -> &Self {
        let place = format!("production:{FOLDER}/{}", self.name);
        let shown = self.respond(&["plan", "--secret", &place, "-o", "outside/plan.json"]).ends(0);
        assert!(shown.stdout.contains(&place), "{}", shown.stdout);
        self
    }

    fn apply(&self) -> Outcome {
        self.hear(watch(self.apply_command()))
    }

    fn apply_command(&self) -> Command {
        self.respond_command(&["apply", "outside/plan.json", "--environment", "production", "--role", ROLE])
    }

    /// The incident that is not over.
    fn incident(&self) -> String {
        let status =
            self.hear(watch(self.command(&["respond", "status", "--format", "json", "--state", self.state])));
        let incidents = status.json()["incidents"].clone();
        assert_eq!(incidents.as_array().map(Vec::len), Some(1), "{incidents}");
        incidents[0]["incident"]["id"].as_str().expect("an id").to_owned()
    }

    fn resume(&self) -> Outcome {
        self.respond(&["resume", &self.incident(), "--role", ROLE])
    }

    /// Goes on once the fault is mended, to the end. What was being taken back is taken back by the first try.
    #[track_caller]
    fn finish(&self) {
        let outcome = self.resume();
        if outcome.code == 1 && outcome.stdout.contains("taken back, the old value is in force") {
            self.is_untouched();
            self.resume().ends(0);
        } else {
            outcome.ends(0);
        }
        self.is_whole();
    }

    /// Asserts that all is as it was before.
    #[track_caller]
    fn is_untouched(&self) {
        let before = self.before.borrow().clone();
        assert_eq!(self.stored(), before, "what the manager holds");
        assert!(self.is_accepted(&before.1), "the old value is not accepted");
        assert_eq!(self.kept(), Vec::<String>::new(), "something is left in the pending folder");
        self.tells_nothing();
    }

    /// Asserts that the value was replaced, and that one is valid, which is the manager's.
    #[track_caller]
    fn is_whole(&self) {
        let before = self.before.borrow().clone();
        let now = self.stored();
        self.values.borrow_mut().insert(now.1.clone());
        assert_ne!(now.1, before.1, "it was not replaced");
        assert!(self.is_accepted(&now.1), "what the manager holds is not accepted");
        assert!(!self.is_accepted(&before.1), "the old value is accepted");
        assert_eq!(self.kept(), Vec::<String>::new(), "something is left in the pending folder");
        self.tells_nothing();
    }

    /// Asserts that no value was written, printed, logged, or shown in the process list; and that the audit log is whole.
    #[track_caller]
    fn tells_nothing(&self) {
        self.hear(watch(self.command(&["audit", "verify", "--state", self.state]))).ends(0);
        let log = fs::read(setting("POSTGRES_LOG")).expect("read PostgreSQL's log");
        let log = String::from_utf8_lossy(&log);
        let plan = self.platform.project.read("outside/plan.json");
        let places = [self.told.borrow().clone(), self.platform.written(), plan, log.into_owned()];
        for value in self.values.borrow().iter() {
            for (place, name) in
                places.iter().zip(["output or process list", "state folder", "plan", "PostgreSQL's log"])
            {
                assert!(!place.contains(value), "a value stands in {name}");
            }
        }
    }
}

fn admin_url(port: u16, user: &str, password: &str) -> String {
    format!("postgres://{user}:{password}@localhost:{port}/hekate?sslmode=disable")
}

fn text(stored: &Stored) -> String {
    String::from_utf8(stored.value.expose().to_vec()).expect("it is text")
}

impl Outcome {
    /// Itself, if it ended as not all done and says all of this.
    #[track_caller]
    fn stops(self, parts: &[&str]) -> Self {
        let outcome = self.ends(1);
        for part in parts {
            // Lines are broken where the page ends.
            let said = format!("{} {}", outcome.stdout, outcome.stderr);
            let said: Vec<&str> = said.split_whitespace().collect();
            assert!(said.join(" ").contains(part), "`{part}` is not in: {}", said.join(" "));
        }
        outcome
    }
}

/// Runs a command to its end. Gives also what stood in the process list of it and of what it started.
fn watch(mut command: Command) -> (Outcome, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("start hekate");
    let (pid, is_over) = (child.id(), AtomicBool::new(false));
    let (output, seen) = thread::scope(|scope| {
        let watcher = scope.spawn(|| look(pid, &is_over));
        let output = child.wait_with_output();
        is_over.store(true, Ordering::SeqCst);
        (output.expect("read its output"), watcher.join().expect("look at the process list"))
    });
    let outcome = Outcome {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("it ends by itself"),
    };
    (outcome, seen)
}

/// Command lines and environments, again and again until it is over.
fn look(pid: u32, is_over: &AtomicBool) -> String {
    let started = Instant::now();
    let mut seen = BTreeSet::new();
    while !is_over.load(Ordering::SeqCst) {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let own = pid.to_string();
        for pid in children.split_whitespace().chain([own.as_str()]) {
            // A process may be gone.
            seen.extend(
                ["cmdline", "environ"]
                    .map(|file| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()),
            );
        }
        if started.elapsed() > PATIENCE {
            let status = Command::new("kill").args(["-9", &own]).status();
            panic!("hekate hangs; killed: {status:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    seen.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
}
