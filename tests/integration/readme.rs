//! README.md tells the truth: its commands do what it says, and its screen is what hekate prints.
//!
//! Blocks marked `sh` and `console` are run from top to bottom, each in a fresh demo tree (`testdata/demo.sh`)
//! with one commit. A line's expected
//! exit code stands in it as `exit N`, else it is 0. `cd` and `export` hold for the rest of their block. A `toml` block whose first line is `# NAME` is that file, for the blocks after it.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

const README: &str = include_str!("../../README.md");
/// All that has to be typed on a fresh machine; running them here would run this test in itself.
const SET_UP: [&str; 2] = ["cargo run --release -- scan .", "tests/run.sh"];

/// A fenced block: its language and its lines.
struct Block {
    language: &'static str,
    lines: Vec<&'static str>,
}

/// A command with the exit code that is promised and, of a screen, the lines that are.
struct Step {
    line: &'static str,
    code: i32,
    screen: Option<Vec<&'static str>>,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            blocks
                .push(Block { language, lines: lines.by_ref().take_while(|line| *line != "```").collect() });
        }
    }
    blocks
}

impl Block {
    fn steps(&self) -> Vec<Step> {
        match self.language {
            "sh" => self.lines.iter().map(|line| Step::new(line)).collect(),
            "console" => self.screens(),
            _ => Vec::new(),
        }
    }

    fn screens(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { screen: Some(Vec::new()), ..Step::new(command) });
                }
                (None, Some(step)) => step.screen.get_or_insert_default().push(line),
                (None, None) => panic!("a console block starts with a command: {line}"),
            }
        }
        steps
    }

    /// Whether it logs in somewhere.
    fn needs_servers(&self) -> bool {
        self.lines.iter().any(|line| line.contains("testdata/response.sh"))
    }

    /// The file that a block is, where it says so.
    fn file(&self) -> Option<(&'static str, String)> {
        let name = self.lines.first()?.strip_prefix("# ").filter(|_| self.language == "toml")?;
        Some((name, self.lines[1..].join("\n")))
    }
}

impl Step {
    fn new(line: &'static str) -> Self {
        let code = line.rsplit_once("exit ").and_then(|(_, rest)| rest.chars().next()?.to_digit(10));
        Self { line, code: code.map_or(0, |digit| i32::try_from(digit).expect("a digit")), screen: None }
    }

    fn is_set_up(&self) -> bool {
        SET_UP.contains(&self.line)
    }

    /// `exports` are what the lines before it set for the rest of their block.
    fn run(&self, exports: &str, folder: &Path) {
        let Output { status, stdout, stderr } = shell(&format!("{exports}{}", self.line), folder);
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(self.code), "exit of `{}`:\n{stdout}{stderr}", self.line);
        if let Some(screen) = &self.screen {
            let shown: Vec<&str> = stdout.lines().collect();
            assert!(
                shown == *screen,
                "README.md shows of `{}` what it no longer prints; it prints\n{stdout}",
                self.line
            );
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
fn servers() -> bool {
    let are_running = env::var_os("HEKATE_TEST_SERVICES").is_some();
    if !are_running {
        eprintln!("skipped: the tour of a response, since no servers run; run the tests by tests/run.sh");
    }
    are_running
}

/// Runs a line where `hekate` is the one under test and nothing of the user's set-up counts.
fn shell(line: &str, folder: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_hekate")).parent().expect("it lies in a folder");
    let path = env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(binary.to_owned()).chain(env::split_paths(&path));
    // Scripts of the source are not in the demo's folder.
    let line = line.replace("sh testdata/", concat!("sh ", env!("CARGO_MANIFEST_DIR"), "/testdata/"));
    Command::new("sh")
        .args(["-c", &line])
        .current_dir(folder)
        .env("PATH", env::join_paths(paths).expect("the build's path has no colon"))
        .env_remove("HEKATE_KEY")
        .env_remove("HEKATE_KEY_FILE")
        .output()
        .expect("sh can be started")
}

fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo.sh");
    let status = Command::new("sh").arg(script).arg(folder.path()).status().expect("sh can be started");
    assert!(status.success(), "testdata/demo.sh: {status}");
    let who = "-c user.name=Ada -c user.email=ada@example.com -c core.hooksPath=.git/hooks";
    let commit = format!("git init --quiet && git add . && git {who} commit --quiet -m 'First version'");
    assert!(shell(&commit, folder.path()).status.success(), "{commit}");
    folder
}

#[test]
fn commands_do_what_the_readme_says() {
    let mut files = Vec::new();
    let mut ran = 0;
    for block in blocks().iter().filter(|block| !block.needs_servers() || servers()) {
        let folder = demo();
        for (name, text) in &files {
            fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        let mut exports = String::new();
        for step in block.steps().iter().filter(|step| !step.is_set_up()) {
            step.run(&exports, folder.path());
            if step.line.starts_with("export ") || step.line.starts_with("cd ") {
                exports.push_str(&format!("{} >/dev/null; ", step.line));
            }
            ran += 1;
        }
        files.extend(block.file());
    }
    assert!(ran >= 10, "only {ran} commands were found in README.md");
}

#[test]
fn set_up_is_two_commands() {
    let steps: Vec<Step> = blocks().iter().flat_map(Block::steps).collect();
    let set_up: Vec<&str> = steps.iter().filter(|step| step.is_set_up()).map(|step| step.line).collect();
    assert_eq!(set_up, SET_UP);
}

#[test]
fn json_of_the_demo_is_what_the_readme_says_of_it() {
    let output = shell("hekate scan --format json", demo().path());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let findings = report["findings"].as_array().expect("a list");
    let places: Vec<usize> =
        findings.iter().map(|finding| finding["occurrences"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(places, [2, 1], "one password in two places, one token");
    assert!(findings.iter().all(|finding| finding["secret"].get("value").is_none()), "no clear text");
}
