//! Every playbook from its plan to its end, through the real program: with a store, and servers or doubles that the secrets open.

mod api_keys;
mod bulk;
mod cache;
mod database;
mod manager;
mod manual;
mod plans;
mod programs;
mod signing;

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use hekate::{
    model::Secret,
    respond::kubernetes::Access,
    store::{DotenvStore, SecretPath, Store, Stored},
};

use super::{kubernetes_double::KubernetesDouble, platform::ROLE};
use crate::{
    harness::{HEKATE, Outcome, Project, run, text},
    infisical::http::Received,
};

/// What every inventory of these tests begins with.
const HEAD: &str = "project: kosmos\nenvironments: [staging, production]\n";

/// The role that everything is done in.
const POLICIES: &str = "
policies:
  platform-engineers:
    description: who runs it
    environments: [staging, production]
    paths: [/*]
    permissions: [read, write]
";

/// A project with a store, an inventory and a state folder, and hekate run in it.
struct Bench {
    project: Project,
    /// What `--store` says.
    store: &'static str,
    variables: Vec<(String, String)>,
    has_config: bool,
}

impl Bench {
    /// With an inventory of these folders and secrets.
    fn new(inventory: &str) -> Self {
        let project = Project::new();
        project.file(
            "outside/inventory.yaml",
            format!("{HEAD}{}{POLICIES}", inventory.trim_start_matches('\n')),
        );
        for environment in ["staging", "production"] {
            let folder = project.path(&format!("outside/store/{environment}"));
            std::fs::create_dir_all(folder).expect("make the store");
        }
        project.file(".gitignore", "outside/\n");
        let variables = vec![
            ("HEKATE_KEY".into(), "a1".repeat(32)),
            ("HEKATE_USER".into(), "ada".into()),
            ("XDG_STATE_HOME".into(), project.path("outside/xdg").display().to_string()),
        ];
        Self { project, store: "dir:outside/store", variables, has_config: false }
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// Trusted config.
    fn config(&mut self, toml: &str) {
        self.project.file("outside/hekate.toml", toml);
        self.has_config = true;
    }

    /// Where a double is the host of a provider.
    fn trust(&mut self, provider: &str, origin: &str) {
        self.config(&format!(
            "[verify]\nallow-private = [\"127.0.0.1\"]\n[verify.hosts]\n{provider} = [\"{origin}\"]\n"
        ));
    }

    /// A cluster whose operator reads from the store.
    fn cluster(&mut self) -> KubernetesDouble {
        let (double, store) = (KubernetesDouble::start(), self.store_folder());
        double.manage(move |environment, folder| values(&store, environment, folder));
        let file = double.kubeconfig(&self.project.path("outside"));
        self.set("HEKATE_KUBECONFIG", file.display().to_string());
        // The variable is one that hekate knows.
        let known = |name: &str| (name == "HEKATE_KUBECONFIG").then(|| file.display().to_string());
        assert!(Access::find(&known, None).is_ok());
        double
    }

    fn store_folder(&self) -> PathBuf {
        self.project.path("outside/store")
    }

    /// Stores a value: `production:/infrastructure/NAME`.
    fn put(&self, place: &str, value: impl AsRef<[u8]>) {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        store
            .write(&located(place), &Secret::new(value.as_ref()), "by the test")
            .expect("write to the store");
    }

    fn stored(&self, place: &str) -> Option<Stored> {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        store.read(&located(place), None).expect("read the store")
    }

    fn value(&self, place: &str) -> String {
        let stored = self.stored(place).unwrap_or_else(|| panic!("the store has no {place}"));
        String::from_utf8(stored.value.expose().to_vec()).expect("text")
    }

    fn version(&self, place: &str) -> u64 {
        self.stored(place).unwrap_or_else(|| panic!("the store has no {place}")).version
    }

    /// The only value of the pending folder, as a person reads it there.
    fn pending_value(&self) -> String {
        let [place] = &self.pending()[..] else { panic!("one value is kept: {:?}", self.pending()) };
        self.value(place)
    }

    /// What is kept in the pending folder.
    fn pending(&self) -> Vec<String> {
        self.places().into_iter().filter(|place| place.contains(":/hekate-pending")).collect()
    }

    /// Every place of the store.
    fn places(&self) -> Vec<String> {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        let list = |environment: &str| store.list(environment).expect("list the store").secrets;
        let all = ["staging", "production"].into_iter().flat_map(list);
        all.map(|stored| stored.path.to_string()).collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(HEKATE);
        self.project.scrub(&mut command);
        command.args(args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn hekate(&self, args: &[&str]) -> Outcome {
        run(self.command(args), b"")
    }

    /// A command of `hekate respond` that changes things or plans to.
    fn respond_command(&self, args: &[&str]) -> Command {
        let config: &[&str] = if self.has_config { &["--config", "outside/hekate.toml"] } else { &[] };
        let own =
            ["--store", self.store, "--inventory", "outside/inventory.yaml", "--state", "outside/state"];
        self.command(&[&["respond"], args, &own[..], config].concat())
    }

    fn respond(&self, args: &[&str]) -> Outcome {
        run(self.respond_command(args), b"")
    }

    /// Makes a plan of these arguments; it has to go well.
    #[track_caller]
    fn plan(&self, args: &[&str]) -> Outcome {
        self.respond(&[&["plan", "-o", "outside/plan.json"], args].concat()).ends(0)
    }

    fn apply(&self, more: &[&str]) -> Outcome {
        run(self.apply_command(more), b"")
    }

    fn apply_command(&self, more: &[&str]) -> Command {
        let args = [
            "apply",
            "outside/plan.json",
            "--environment",
            "production",
            "--role",
            ROLE,
            "--incident",
            "INC-7",
        ];
        self.respond_command(&[&args, more].concat())
    }

    fn resume(&self, more: &[&str]) -> Outcome {
        self.resume_giving("", more)
    }

    /// The same with something on standard input.
    fn resume_giving(&self, value: &str, more: &[&str]) -> Outcome {
        run(self.respond_command(&[&["resume", "--role", ROLE], more].concat()), value.as_bytes())
    }

    fn status(&self, more: &[&str]) -> Outcome {
        self.hekate(&[&["respond", "status", "--state", "outside/state"], more].concat())
    }

    fn report(&self, id: &str) -> Outcome {
        self.hekate(&["respond", "report", id, "--state", "outside/state"])
    }

    /// The ids of the plan's incidents.
    fn ids(&self) -> Vec<String> {
        let plan: serde_json::Value =
            serde_json::from_str(&self.project.read("outside/plan.json")).expect("a plan is JSON");
        let incidents = plan["incidents"].as_array().expect("a list");
        incidents.iter().map(|planned| text(&planned["incident"]["id"])).collect()
    }

    /// The id of its only incident.
    fn id(&self) -> String {
        let [id] = &self.ids()[..] else { panic!("one incident is planned") };
        id.clone()
    }

    /// That nothing is left of the change, the audit log is whole, and no value stands in anything that was written or said.
    #[track_caller]
    fn is_tidy(&self, said: &[&Outcome], values: &[&str]) {
        assert_eq!(self.pending(), Vec::<String>::new(), "something is left in the pending folder");
        self.hekate(&["audit", "verify", "--state", "outside/state"]).ends(0);
        let mut texts: Vec<String> = said.iter().map(|one| format!("{}{}", one.stdout, one.stderr)).collect();
        texts.extend(files(&self.project.path("outside/state")));
        texts.push(self.project.read("outside/plan.json"));
        for value in values {
            assert!(texts.iter().all(|text| !text.contains(value)), "a value is shown or written");
        }
    }
}

/// The texts of all files of a folder.
fn files(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("list a folder");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("list a folder").path()).collect();
    let read = |path: PathBuf| {
        if path.is_dir() {
            return files(&path);
        }
        vec![String::from_utf8_lossy(&std::fs::read(&path).expect("read a file")).into_owned()]
    };
    paths.into_iter().flat_map(read).collect()
}

/// What a folder of a dotenv store holds, as the operator sees it.
fn values(store: &std::path::Path, environment: &str, folder: &str) -> BTreeMap<String, String> {
    let store = DotenvStore::open(store).expect("open the store");
    let secrets = store.list(environment).expect("list the store").secrets.into_iter();
    let own = secrets.filter(|stored| stored.path.folder == folder);
    own.map(|stored| (stored.path.name, String::from_utf8_lossy(stored.value.expose()).into_owned()))
        .collect()
}

/// `production:/infrastructure/NAME`.
fn located(place: &str) -> SecretPath {
    let (environment, rest) = place.split_once(':').expect("an environment");
    let (folder, name) = rest.rsplit_once('/').expect("a folder");
    SecretPath { environment: environment.into(), folder: folder.into(), name: name.into() }
}

/// Whether a request came with this key.
fn bears(request: &Received, key: &str) -> bool {
    request.header("authorization") == Some(&format!("Bearer {key}"))
}

/// A text without its line breaks and indents.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text with ids and times masked, as snapshots have it.
fn masked(shown: &str) -> String {
    let mut shown = shown.to_owned();
    for (pattern, with) in [
        (r"\bhk-[0-9a-f]{10}\b", "hk-0123456789"),
        (r"HK_[0-9A-F]{10}\b", "HK_0123456789"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "YYYY-MM-DDTHH:MM:SSZ"),
        (r" in [0-9a-f]{10}\b", " in 0123456789"),
        (r"127\.0\.0\.1:\d+|localhost:\d+", "127.0.0.1:PORT"),
    ] {
        shown = regex::Regex::new(pattern).expect("a valid regex").replace_all(&shown, with).into_owned();
    }
    shown
}
