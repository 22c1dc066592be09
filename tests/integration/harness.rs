//! A project folder, hekate run in it with a scrubbed environment, and what came out.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const HEKATE: &str = env!("CARGO_BIN_EXE_hekate");

/// No test's run takes nearly so long: what does, hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that is scanned, and a home that holds nothing.
pub(crate) struct Project {
    folder: TempDir,
    home: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder =
            |name: &str| tempfile::Builder::new().prefix(name).tempdir().expect("make a temporary folder");
        Self { folder: folder("hekate-test-"), home: folder("hekate-home-") }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn file(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("make folders");
        fs::write(path, bytes).expect("write a file");
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("read a file")
    }

    pub(crate) fn git_init(&self) -> &Self {
        self.run("git", &["init", "--quiet"]);
        self
    }

    /// Runs another program in the folder; it must succeed.
    pub(crate) fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(program);
        self.scrub(&mut command);
        let status = command.args(args).status().expect("start a program");
        assert!(status.success(), "{program} {args:?}: {status}");
    }

    /// Runs git in the folder, as somebody; it must succeed. Gives what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_at("", args)
    }

    /// The same in a folder below.
    pub(crate) fn git_at(&self, folder: &str, args: &[&str]) -> String {
        let outcome = self.try_git_at(folder, args);
        assert_eq!(outcome.code, 0, "git {args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    /// The same, whether it succeeds or not.
    pub(crate) fn try_git_at(&self, folder: &str, args: &[&str]) -> Outcome {
        let mut command = Command::new("git");
        self.scrub(&mut command);
        let who =
            ["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-c", "commit.gpgsign=false"];
        command.current_dir(self.path(folder)).args(who).args(args);
        run(command, b"")
    }

    /// Commits all that lies in the folder.
    pub(crate) fn commit_all(&self) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "a commit"]);
        self
    }

    /// `hekate staged --format json`, with more arguments.
    pub(crate) fn staged(&self, args: &[&str]) -> Outcome {
        self.hekate(&[&["staged", "--format", "json"], args].concat())
    }

    /// A command in the folder that sees nothing of the environment of whoever runs the tests.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(HEKATE);
        self.scrub(&mut command);
        command
    }

    /// Takes the environment of whoever runs the tests away from a program, and lets it start in the folder.
    pub(crate) fn scrub(&self, command: &mut Command) {
        command.env_clear().current_dir(self.root());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    }

    pub(crate) fn hekate(&self, args: &[&str]) -> Outcome {
        self.hekate_with(b"", &[], args)
    }

    pub(crate) fn hekate_with(&self, stdin: &[u8], env: &[(&str, &str)], args: &[&str]) -> Outcome {
        let mut command = self.command();
        command.args(args).envs(env.iter().copied());
        run(command, stdin)
    }

    /// `hekate scan --format json`, with more arguments.
    pub(crate) fn scan(&self, args: &[&str]) -> Outcome {
        self.hekate(&[&["scan", "--format", "json"], args].concat())
    }
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command, stdin: &[u8]) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("start hekate");
    let (id, mut pipe) = (child.id(), child.stdin.take().expect("it is piped"));
    let stdin = stdin.to_vec();
    // A child that reads nothing closes the pipe: that is its right.
    let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        let status = Command::new("kill").args(["-9", &id.to_string()]).status();
        panic!("hekate hangs; killed: {status:?}");
    };
    feeder.join().expect("feed standard input");
    waiter.join().expect("wait for hekate").expect("hand its output over");
    let output = output.expect("read its output");
    Outcome {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("it ends by itself"),
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Outcome {
    /// Itself, if it ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stderr: {}\nstdout: {:.2000}", self.stderr, self.stdout);
        self
    }

    /// Itself, if it ended as wrong use and says all of this on standard error.
    #[track_caller]
    pub(crate) fn refuses(self, parts: &[&str]) -> Self {
        let outcome = self.ends(2);
        for part in parts {
            assert!(outcome.stderr.contains(part), "`{part}` is not in: {}", outcome.stderr);
        }
        outcome
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:.2000}\nstderr: {}", self.stdout, self.stderr))
    }

    pub(crate) fn findings(&self) -> Vec<Value> {
        self.json()["findings"].as_array().expect("findings are a list").clone()
    }

    /// The rule of each finding.
    pub(crate) fn rules(&self) -> Vec<String> {
        self.findings().iter().map(|finding| text(&finding["rule"])).collect()
    }

    /// `path:line:column` of each occurrence of each finding, sorted.
    pub(crate) fn places(&self) -> Vec<String> {
        let place = |place: &Value| {
            format!("{}:{}:{}", text(&place["path"]), place["start"]["line"], place["start"]["column"])
        };
        let mut places: Vec<String> = self.occurrences().iter().map(place).collect();
        places.sort();
        places
    }

    /// The path of each occurrence, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.occurrences().iter().map(|place| text(&place["path"])).collect();
        paths.sort();
        paths
    }

    pub(crate) fn occurrences(&self) -> Vec<Value> {
        let places = |finding: &Value| finding["occurrences"].as_array().expect("a list").clone();
        self.findings().iter().flat_map(places).collect()
    }

    /// `path: reason` of each gap.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let json = self.json();
        let gaps = json["coverage"]["gaps"].as_array().expect("gaps are a list");
        gaps.iter().map(|gap| format!("{}: {}", text(&gap["path"]), text(&gap["reason"]))).collect()
    }

    /// How many places are suppressed for this reason.
    pub(crate) fn suppressed(&self, reason: &str) -> u64 {
        self.json()["suppressed"][reason].as_u64().unwrap_or(0)
    }

    pub(crate) fn fingerprint(&self) -> String {
        text(&self.findings().first().expect("something is found")["fingerprint"])
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("it is text").to_owned()
}

/// Whether the tests run as root, who can read everything.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("run id");
    id.stdout.trim_ascii() == b"0"
}
