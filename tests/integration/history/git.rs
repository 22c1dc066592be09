//! Repositories made by git itself: the same objects on every run.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    thread,
};

use crate::harness::{HEKATE, Outcome, Project, run};

/// The key of fingerprints here, so that weak values have an identity too.
pub(crate) const KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

const CONFIG: &[(&str, &str)] = &[
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.file.allow", "always"),
    ("init.defaultBranch", "main"),
    ("core.autocrlf", "false"),
    ("advice.graftFileDeprecated", "false"),
    ("pack.threads", "1"),
];

/// A repository in a folder of a project; others may lie beside it.
#[derive(Clone)]
pub(crate) struct Repo {
    project: Rc<Project>,
    pub(crate) folder: String,
}

impl Repo {
    /// Without any commit, made with these arguments of `git init`.
    pub(crate) fn init(args: &[&str]) -> Self {
        let repo = Self { project: Rc::new(Project::new()), folder: "repo".into() };
        fs::create_dir(repo.path("")).expect("make a folder");
        repo.git(&[&["init", "--quiet"], args].concat());
        repo
    }

    pub(crate) fn new() -> Self {
        Self::init(&[])
    }

    /// What an import makes, in one pack.
    pub(crate) fn of(import: &Import) -> Self {
        let repo = Self::new();
        repo.import(import);
        repo
    }

    /// A folder beside it, as a repository.
    pub(crate) fn beside(&self, folder: &str) -> Self {
        Self { project: Rc::clone(&self.project), folder: folder.into() }
    }

    /// A clone beside it.
    pub(crate) fn cloned(&self, folder: &str, args: &[&str]) -> Self {
        let url = format!("file://{}", self.path("").display());
        // Who serves a clone hears nothing of the configuration of who asks.
        self.git(&["config", "uploadpack.allowFilter", "true"]);
        let source = if args.contains(&"--shared") { self.path("").display().to_string() } else { url };
        self.git(&[&["clone", "--quiet"], args, &[&source, &format!("../{folder}")]].concat());
        self.beside(folder)
    }

    /// A path in its working tree.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.project.path(&self.folder).join(path)
    }

    /// A path in its git folder.
    pub(crate) fn git_path(&self, path: &str) -> PathBuf {
        let folder = self.path(".git");
        if folder.is_dir() { folder.join(path) } else { self.path(path) }
    }

    fn git_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        self.project.scrub(&mut command);
        command.current_dir(self.path("")).args(args).env("GIT_CONFIG_COUNT", CONFIG.len().to_string());
        for (index, (key, value)) in CONFIG.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada Test");
            command.env(format!("GIT_{who}_EMAIL"), "ada@example.com");
            command.env(format!("GIT_{who}_DATE"), "1700000000 +0000");
        }
        // What is stored is what counts, not what replacements and grafts make of it; and nothing is fetched.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null");
        command.env("GIT_NO_LAZY_FETCH", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs git with something on its standard input; what it wrote, and whether it succeeded.
    pub(crate) fn try_git(&self, stdin: &[u8], args: &[&str]) -> (bool, Vec<u8>, String) {
        let mut child = self.git_command(args).spawn().expect("start git");
        let mut pipe = child.stdin.take().expect("it is piped");
        let stdin = stdin.to_vec();
        // git may end before it has read all.
        let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
        let output = child.wait_with_output().expect("wait for git");
        feeder.join().expect("feed git");
        (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The same; it has to succeed.
    #[track_caller]
    pub(crate) fn git_fed(&self, stdin: &[u8], args: &[&str]) -> Vec<u8> {
        let (success, stdout, stderr) = self.try_git(stdin, args);
        assert!(success, "git {args:?}: {stderr}");
        stdout
    }

    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> Vec<u8> {
        self.git_fed(b"", args)
    }

    /// Its one line of output.
    #[track_caller]
    pub(crate) fn git_line(&self, args: &[&str]) -> String {
        String::from_utf8(self.git(args)).expect("git prints text").trim_end().to_owned()
    }

    /// Stores a blob.
    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        let id = self.git_fed(bytes, &["hash-object", "-w", "--stdin"]);
        String::from_utf8(id).expect("an id is text").trim_end().to_owned()
    }

    /// Imports into a pack of its own; the ids of the import's commits, blobs and tags by mark.
    pub(crate) fn import(&self, import: &Import) -> Vec<String> {
        self.import_with(import, &[], &[])
    }

    /// Imports with git's own options and `fast-import`'s.
    pub(crate) fn import_with(&self, import: &Import, options: &[&str], args: &[&str]) -> Vec<String> {
        let command = ["fast-import", "--quiet", "--force", "--export-marks=../marks"];
        let packed = ["-c", "fastimport.unpackLimit=0"];
        self.git_fed(&import.stream, &[&packed[..], options, &command, args].concat());
        let marks = fs::read_to_string(self.path("../marks")).expect("read the marks");
        let mut ids = vec![String::new(); import.marks + 1];
        for line in marks.lines() {
            let (mark, id) = line[1..].split_once(' ').expect("a mark and an id");
            ids[mark.parse::<usize>().expect("marks are numbers")] = id.to_owned();
        }
        ids
    }

    /// Adds a commit that has every blob at a path of its own: so every match in every version is in the report, with its place.
    pub(crate) fn lay_out_all(&self) {
        let args = ["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"];
        let listed = String::from_utf8(self.git(&args)).expect("ids are text");
        let ids: Vec<&str> = listed.lines().filter_map(|line| line.strip_prefix("blob ")).collect();
        let paths: Vec<String> = (0..ids.len()).map(|index| format!("all/{index}.py")).collect();
        let changes: Vec<Change<'_>> =
            paths.iter().zip(ids).map(|(path, id)| Change::Blob(path.as_bytes(), id.to_owned())).collect();
        let mut import = Import::default();
        import.commit("all", &[], &changes);
        self.import(&import);
    }

    /// Files of its object store whose names end so.
    pub(crate) fn packs(&self, extension: &str) -> Vec<PathBuf> {
        let folder = self.git_path("objects/pack");
        let entries = fs::read_dir(folder).expect("list the packs").map(|entry| entry.expect("list").path());
        let mut paths: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
        paths.sort();
        paths
    }

    /// Where a loose object lies.
    pub(crate) fn loose(&self, id: &str) -> PathBuf {
        self.git_path(&format!("objects/{}/{}", &id[..2], &id[2..]))
    }

    /// hekate in its working tree.
    pub(crate) fn hekate(&self, args: &[&str]) -> Outcome {
        self.hekate_fed(b"", args)
    }

    /// The same with something on its standard input.
    pub(crate) fn hekate_fed(&self, stdin: &[u8], args: &[&str]) -> Outcome {
        let mut command = self.project.command();
        command.current_dir(self.path("")).args(args);
        run(command, stdin)
    }

    /// `hekate history` of it as JSON, everything shown that can be.
    pub(crate) fn history(&self, args: &[&str]) -> Outcome {
        self.history_from(&self.folder, args)
    }

    /// The same, by another name for it.
    pub(crate) fn history_from(&self, name: &str, args: &[&str]) -> Outcome {
        run(self.history_command(name, args), b"")
    }

    /// What that runs.
    pub(crate) fn history_command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        self.project.scrub(&mut command);
        // Sizes that lie must not be believed: each run has 2 GiB of address space, and threads have one heap.
        let script = "ulimit -v 2097152; exec \"$0\" \"$@\"";
        command.args(["-c", script, HEKATE]).env("MALLOC_ARENA_MAX", "1");
        command.args(["history", name, "--format", "json", "--no-progress"]);
        command.args(["--min-confidence", "low", "--show-suppressed"]).args(args).env("HEKATE_KEY", KEY);
        command
    }
}

/// Replaces a file that git wrote read-only.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) {
    if path.exists() {
        fs::remove_file(path).expect("remove a file of git's");
    }
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("make its folder");
    fs::write(path, bytes).expect("write a file of git's");
}

/// A blob, commit or tag of an import.
pub(crate) type Mark = usize;

/// What a commit does to its first parent's tree.
pub(crate) enum Change<'a> {
    File(&'a [u8], &'a [u8]),
    /// A blob that was stored before.
    Blob(&'a [u8], String),
    Link(&'a [u8], &'a [u8]),
    Submodule(&'a [u8], &'a str),
    Delete(&'a [u8]),
}

/// `File` of texts.
pub(crate) fn file<'a>(path: &'a str, bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Change<'a> {
    Change::File(path.as_bytes(), bytes.as_ref())
}

/// A stream for `git fast-import`. Dates go up by an hour from commit to commit.
#[derive(Default)]
pub(crate) struct Import {
    pub(crate) stream: Vec<u8>,
    marks: usize,
}

impl Import {
    fn line(&mut self, text: &str) {
        self.stream.extend_from_slice(text.as_bytes());
        self.stream.push(b'\n');
    }

    fn data(&mut self, bytes: &[u8]) {
        self.line(&format!("data {}", bytes.len()));
        self.stream.extend_from_slice(bytes);
        self.stream.push(b'\n');
    }

    fn mark(&mut self) -> Mark {
        self.marks += 1;
        self.line(&format!("mark :{}", self.marks));
        self.marks
    }

    fn who(&mut self, role: &str) {
        let date = 1_600_000_000 + 3600 * self.marks;
        self.line(&format!("{role} Ada Test <ada@example.com> {date} +0000"));
    }

    pub(crate) fn commit(&mut self, branch: &str, parents: &[Mark], changes: &[Change<'_>]) -> Mark {
        let message = format!("change {}\n", self.marks + 1);
        self.commit_saying(&message, branch, parents, changes)
    }

    pub(crate) fn commit_saying(
        &mut self,
        message: &str,
        branch: &str,
        parents: &[Mark],
        changes: &[Change<'_>],
    ) -> Mark {
        let parents: Vec<String> = parents.iter().map(|parent| format!(":{parent}")).collect();
        self.write_commit(message, branch, &parents, changes)
    }

    /// On top of a commit that is in the repository already.
    pub(crate) fn commit_onto(&mut self, parent: &str, branch: &str, changes: &[Change<'_>]) -> Mark {
        self.write_commit("one more\n", branch, &[parent.to_owned()], changes)
    }

    fn write_commit(
        &mut self,
        message: &str,
        branch: &str,
        parents: &[String],
        changes: &[Change<'_>],
    ) -> Mark {
        let name =
            if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") };
        // Without this, a commit without parents would go on top of the branch.
        self.line(&format!("reset {name}\n"));
        self.line(&format!("commit {name}"));
        let mark = self.mark();
        self.who("author");
        self.who("committer");
        self.data(message.as_bytes());
        for (index, parent) in parents.iter().enumerate() {
            self.line(&format!("{} {parent}", if index == 0 { "from" } else { "merge" }));
        }
        changes.iter().for_each(|change| self.change(change));
        self.line("");
        mark
    }

    fn change(&mut self, change: &Change<'_>) {
        match change {
            Change::File(path, bytes) => {
                self.line(&format!("M 100644 inline {}", quoted(path)));
                self.data(bytes);
            }
            Change::Link(path, target) => {
                self.line(&format!("M 120000 inline {}", quoted(path)));
                self.data(target);
            }
            Change::Blob(path, id) => self.line(&format!("M 100644 {id} {}", quoted(path))),
            Change::Submodule(path, id) => self.line(&format!("M 160000 {id} {}", quoted(path))),
            Change::Delete(path) => self.line(&format!("D {}", quoted(path))),
        }
    }

    pub(crate) fn tag(&mut self, name: &str, target: Mark, message: &str) -> Mark {
        self.line(&format!("tag {name}"));
        let mark = self.mark();
        self.line(&format!("from :{target}"));
        self.who("tagger");
        self.data(message.as_bytes());
        mark
    }

    pub(crate) fn reference(&mut self, name: &str, target: Mark) {
        self.line(&format!("reset {name}\nfrom :{target}\n"));
    }

    /// A file that goes through versions, a commit each, on the main branch; the last commit.
    pub(crate) fn series<'a>(&mut self, path: &str, versions: impl IntoIterator<Item = &'a [u8]>) -> Mark {
        let mut parents = Vec::new();
        for version in versions {
            parents = vec![self.commit("main", &parents, &[Change::File(path.as_bytes(), version)])];
        }
        parents[0]
    }
}

/// A path as `fast-import` takes it, whatever its bytes.
fn quoted(path: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => char::from(*byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("\"{}\"", path.iter().map(escape).collect::<String>())
}
