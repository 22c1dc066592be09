//! A platform in small: a repository with a committed password, the role of PostgreSQL that it opens, a store, an inventory.

use std::{
    env,
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use hekate::{
    model::{Secret, Verdict},
    provider::login::{Service, Target, Tls, log_in},
    store::{DotenvStore, SecretPath, Store, Stored},
};

use crate::harness::{HEKATE, Outcome, Project, run};

/// Where the password lies in the manager.
pub(crate) const PLACE: &str = "production:/infrastructure/POSTGRES_PASSWORD";
/// The role that people act in.
pub(crate) const ROLE: &str = "platform-engineers";

/// One role of the tests' PostgreSQL, and everything around it.
pub(crate) struct Platform {
    pub(crate) project: Project,
    /// The role.
    pub(crate) role: String,
    /// Its password when it was made; it stands in the repository, too.
    pub(crate) old: String,
    admin_url: String,
    port: u16,
}

/// A value of the tests' servers; nothing, and a line that says so, where they don't run.
#[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
pub(crate) fn servers() -> bool {
    let are_running = env::var_os("HEKATE_TEST_SERVICES").is_some();
    if !are_running {
        eprintln!("skipped: no servers; run the tests by tests/run.sh");
    }
    are_running
}

pub(crate) fn setting(name: &str) -> String {
    env::var(format!("HEKATE_TEST_{name}")).expect("tests/services.sh sets it")
}

/// So many letters and digits that nobody has seen.
pub(crate) fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes.iter().map(|byte| char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(byte % 32)])).collect()
}

/// SQL as the administrator; it must succeed. It does not go into the server's log.
pub(crate) fn sql(sql: &str) -> String {
    let mut psql = Command::new("psql");
    psql.args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-U",
        "hekate_admin",
        "-d",
        "hekate",
    ]);
    psql.args(["-p", &setting("POSTGRES_PORT")]).env("PGPASSWORD", setting("ADMIN_PASSWORD"));
    let outcome = run(psql, format!("SET log_statement = 'none';\n{sql};\n").as_bytes());
    assert_eq!(outcome.code, 0, "psql: {}", outcome.stderr);
    outcome.stdout
}

impl Platform {
    /// A new one; `None` where no server runs.
    pub(crate) fn new() -> Option<Self> {
        Self::with(|inventory| inventory)
    }

    /// The same with a changed inventory.
    pub(crate) fn with(change: impl FnOnce(String) -> String) -> Option<Self> {
        if !servers() {
            return None;
        }
        let port: u16 = setting("POSTGRES_PORT").parse().expect("a port");
        let admin_url = format!(
            "postgres://hekate_admin:{}@localhost:{port}/hekate?sslmode=disable",
            setting("ADMIN_PASSWORD")
        );
        let (role, old) = (format!("role_{}", random(12)), random(40));
        let platform = Self { project: Project::new(), role, old, admin_url, port };
        platform.sql(&format!("CREATE ROLE {} LOGIN PASSWORD '{}'", platform.role, platform.old));
        platform.fill(change(platform.inventory()));
        Some(platform)
    }

    fn inventory(&self) -> String {
        format!(
            "project: kosmos
environments: [staging, production]
folders:
  infrastructure: [POSTGRES_PASSWORD]
secrets:
  POSTGRES_PASSWORD:
    environments: [production]
    target: {{ type: postgres, host: localhost, port: {port}, database: hekate, role: {role}, admin_url_env: HEKATE_POSTGRES_ADMIN_URL }}
policies:
  {ROLE}:
    description: who runs the databases
    environments: [staging, production]
    paths: [/infrastructure/*]
    permissions: [read, write]
  readers:
    description: who looks
    environments: [staging, production]
    paths: [/infrastructure/*]
    permissions: [read]
",
            port = self.port,
            role = self.role,
        )
    }

    fn fill(&self, inventory: String) {
        let project = &self.project;
        project.file("outside/inventory.yaml", inventory);
        project
            .file("outside/store/production/infrastructure.env", format!("POSTGRES_PASSWORD={}\n", self.old));
        project.file("outside/store/staging/infrastructure.env", "");
        project.file(".gitignore", "outside/\n");
        project.git_init();
        project.file("app.env", format!("POSTGRES_USER=app\nPOSTGRES_PASSWORD={}\n", self.old));
        project.commit_all();
        project.file("app.env", "POSTGRES_USER=app\n").commit_all();
    }

    /// SQL as the administrator; it must succeed.
    pub(crate) fn sql(&self, text: &str) -> String {
        sql(text)
    }

    /// Whether the server lets the role in with this password.
    pub(crate) fn accepts(&self, password: &str) -> bool {
        let target = Target {
            service: Service::Postgres,
            host: "localhost".into(),
            port: self.port,
            user: Some(self.role.clone()),
            password: Secret::new(password),
            database: Some("hekate".into()),
            tls: Tls::Off,
            is_replication: false,
        };
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect to PostgreSQL");
        match log_in(&target, stream, Duration::from_secs(30)).verdict {
            Verdict::Active => true,
            Verdict::Inactive => false,
            other => panic!("nobody can tell: {other}"),
        }
    }

    pub(crate) fn store_folder(&self) -> PathBuf {
        self.project.path("outside/store")
    }

    pub(crate) fn state_folder(&self) -> PathBuf {
        self.project.path("outside/state")
    }

    /// The manager's current version.
    pub(crate) fn stored(&self) -> Stored {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        let path = SecretPath {
            environment: "production".into(),
            folder: "/infrastructure".into(),
            name: "POSTGRES_PASSWORD".into(),
        };
        store.read(&path, None).expect("read the store").expect("it is there")
    }

    /// Stores a value, as somebody else does.
    pub(crate) fn store(&self, value: &str) {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        store
            .write(&self.stored().path, &Secret::new(value), "by somebody else")
            .expect("write to the store");
    }

    /// Its value.
    pub(crate) fn current(&self) -> String {
        String::from_utf8(self.stored().value.expose().to_vec()).expect("text")
    }

    /// What rotations have left in their folder of the manager.
    pub(crate) fn pending(&self) -> Vec<String> {
        let store = DotenvStore::open(self.store_folder()).expect("open the store");
        let listing = store.list("production").expect("list the store");
        let is_pending = |stored: &&Stored| stored.path.folder.starts_with("/hekate-pending");
        listing.secrets.iter().filter(is_pending).map(|stored| stored.path.to_string()).collect()
    }

    /// A command with all that a responder has in the environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(HEKATE);
        self.project.scrub(&mut command);
        command
            .args(args)
            .envs([("HEKATE_POSTGRES_ADMIN_URL", self.admin_url.as_str()), ("HEKATE_KEY", &"a1".repeat(32))]);
        command.env("XDG_STATE_HOME", self.project.path("outside/xdg"));
        command
    }

    pub(crate) fn hekate(&self, args: &[&str]) -> Outcome {
        run(self.command(args), b"")
    }

    /// The same with `--store`, `--inventory` and `--state`.
    pub(crate) fn respond(&self, args: &[&str]) -> Outcome {
        run(self.respond_command(args), b"")
    }

    pub(crate) fn respond_command(&self, args: &[&str]) -> Command {
        let own = [
            "--store",
            "dir:outside/store",
            "--inventory",
            "outside/inventory.yaml",
            "--state",
            "outside/state",
        ];
        let mut command = self.command(&[args, &own].concat());
        command.stdin(Stdio::null());
        command
    }

    /// Makes the plan for the password.
    pub(crate) fn plan(&self) -> &Self {
        self.respond(&["respond", "plan", "--secret", PLACE, "-o", "outside/plan.json"]).ends(0);
        self
    }

    /// `respond apply` of that plan, as it is meant to be given.
    pub(crate) fn apply(&self) -> Outcome {
        run(self.apply_command(), b"")
    }

    pub(crate) fn apply_command(&self) -> Command {
        self.respond_command(&[
            "respond",
            "apply",
            "outside/plan.json",
            "--environment",
            "production",
            "--role",
            ROLE,
            "--incident",
            "INC-7",
            "--reason",
            "leaked in a commit",
        ])
    }

    pub(crate) fn resume(&self) -> Outcome {
        self.respond(&["respond", "resume", "--role", ROLE])
    }

    /// Asserts that there is one valid password: the store's, and not the one that leaked, if it was replaced.
    #[track_caller]
    pub(crate) fn is_whole(&self, replaced: bool) {
        assert_eq!(self.is_whole_after(&self.old), replaced, "whether it was replaced");
    }

    /// The same, where another password was valid before. Says whether it was replaced.
    #[track_caller]
    pub(crate) fn is_whole_after(&self, before: &str) -> bool {
        let current = self.current();
        assert!(self.accepts(&current), "the store's password is not accepted");
        let replaced = current != before;
        assert_eq!(self.accepts(before), !replaced, "whether the old password is accepted");
        assert_eq!(self.pending(), Vec::<String>::new(), "something is left in the pending folder");
        self.hekate(&["audit", "verify", "--state", "outside/state"]).ends(0);
        replaced
    }

    /// Everything that was written under the project, but the store and the repository, as text.
    pub(crate) fn written(&self) -> String {
        let mut text = String::new();
        let mut folders = vec![self.state_folder()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("list the state folder") {
                let path = entry.expect("list the state folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text +=
                        &String::from_utf8_lossy(&std::fs::read(&path).expect("read a file of the state"));
                }
            }
        }
        text
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.sql(&format!("DROP ROLE IF EXISTS {}", self.role));
    }
}
