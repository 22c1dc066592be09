//! What must be found, worked out slowly from git's own answers and the library's plain scan.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
    sync::LazyLock,
};

use hekate::{
    detect::{Content, Detector, Utf16, Utf16Content},
    model::{Fingerprint, FingerprintKey, Suppression},
    rule::builtin,
    triage::{Policy, Sighting, Triage},
};

use super::git::{KEY, Repo};

pub(crate) static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(builtin()).expect("the built-in rules can be run"));

static TRIAGE: LazyLock<Triage<'static>> = LazyLock::new(|| {
    let key = FingerprintKey::from_hex(KEY).expect("it is a key");
    Triage::new(&DETECTOR, Policy { key, ..Policy::default() }).expect("the built-in allowlists can be run")
});

/// A secret, and why it does not count, if so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) suppression: Option<Suppression>,
}

/// All secrets of a blob at some path.
type Secrets = Rc<BTreeSet<Seen>>;

/// All secrets of a tree, each at its path as reports write it.
pub(crate) type Held = Rc<BTreeSet<(String, Seen)>>;

/// A commit that has a secret at a path where none of its parents has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Introduction {
    pub(crate) commit: String,
    pub(crate) path: String,
    pub(crate) seen: Seen,
}

/// Every secret of some bytes at a path.
pub(crate) fn secrets(path: &str, bytes: &[u8]) -> BTreeSet<Seen> {
    let decoded = Utf16::detect(bytes).map(|order| Utf16Content::decode(bytes, order));
    let mut sightings = TRIAGE.judge_path(path);
    let contents: [Option<&dyn Content>; 2] =
        [Some(&bytes), decoded.as_ref().map(|text| text as &dyn Content)];
    for content in contents.into_iter().flatten() {
        let matches = DETECTOR.scan(content).expect("memory can be read");
        sightings.extend(TRIAGE.judge(content, path, matches).expect("memory can be read"));
    }
    let seen = |sighting: Sighting| Seen {
        fingerprint: sighting.fingerprint.or(sighting.occurrence.place).expect("it has an identity"),
        suppression: sighting.suppression,
    };
    sightings.into_iter().map(seen).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Blob,
    Commit,
    Tag,
    Tree,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        match word {
            "blob" => Some(Self::Blob),
            "commit" => Some(Self::Commit),
            "tag" => Some(Self::Tag),
            "tree" => Some(Self::Tree),
            _ => None,
        }
    }
}

/// All that a repository stores, and what leads there.
pub(crate) struct Oracle {
    objects: HashMap<String, (Kind, Vec<u8>)>,
    /// Commits whose parents were left behind on purpose.
    shallow: HashSet<String>,
    /// Names of refs with what they point at, `HEAD` and those of other worktrees among them.
    pub(crate) refs: BTreeMap<String, String>,
    blobs: RefCell<HashMap<(String, String), Secrets>>,
    trees: RefCell<HashMap<(String, String), Held>>,
    width: usize,
}

/// What can be reached from some objects, and what should be there and is not.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    pub(crate) there: BTreeSet<String>,
    pub(crate) missing: BTreeSet<String>,
}

impl Oracle {
    pub(crate) fn of(repo: &Repo) -> Self {
        let args = ["cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch"];
        let listed = parse_batch(&repo.git(&args)).into_iter();
        let objects = listed.filter_map(|(id, kind, bytes)| Some((id, (kind?, bytes)))).collect();
        let mut refs = BTreeMap::new();
        let listed = repo.git(&["for-each-ref", "--format=%(objectname) %(refname)"]);
        for line in String::from_utf8(listed).expect("names are text").lines() {
            let (id, name) = line.split_once(' ').expect("an id and a name");
            refs.insert(name.to_owned(), id.to_owned());
        }
        let worktrees =
            String::from_utf8(repo.git(&["worktree", "list", "--porcelain"])).expect("it is text");
        let heads = worktrees.lines().filter_map(|line| line.strip_prefix("HEAD "));
        for (index, id) in heads.enumerate().filter(|(_, id)| id.bytes().any(|byte| byte != b'0')) {
            refs.insert(
                if index == 0 { "HEAD".into() } else { format!("worktrees/{index}/HEAD") },
                id.into(),
            );
        }
        // A bare repository lists no HEAD.
        if let (true, head, _) = repo.try_git(b"", &["rev-parse", "--verify", "--quiet", "HEAD"]) {
            refs.insert("HEAD".into(), String::from_utf8(head).expect("an id is text").trim().to_owned());
        }
        let shallow = std::fs::read_to_string(repo.git_path("shallow")).unwrap_or_default();
        let format = repo.git_line(&["rev-parse", "--show-object-format"]);
        Self {
            objects,
            shallow: shallow.lines().map(str::to_owned).collect(),
            refs,
            blobs: RefCell::default(),
            trees: RefCell::default(),
            width: if format == "sha256" { 32 } else { 20 },
        }
    }

    pub(crate) fn kind(&self, id: &str) -> Option<Kind> {
        self.objects.get(id).map(|(kind, _)| *kind)
    }

    pub(crate) fn bytes(&self, id: &str) -> Option<&[u8]> {
        self.objects.get(id).map(|(_, bytes)| bytes.as_slice())
    }

    /// Whether an object is there as this.
    pub(crate) fn holds(&self, id: &str, kind: Option<Kind>, bytes: &[u8]) -> bool {
        self.kind(id) == kind && self.bytes(id) == Some(bytes)
    }

    pub(crate) fn all(&self) -> BTreeSet<String> {
        self.objects.keys().cloned().collect()
    }

    /// All of a kind among some.
    pub(crate) fn of_kind<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a String>,
        kind: Kind,
    ) -> BTreeSet<&'a str> {
        ids.into_iter().filter(|id| self.kind(id) == Some(kind)).map(String::as_str).collect()
    }

    /// What all refs lead to.
    pub(crate) fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        let mut due: Vec<String> = self.refs.values().cloned().collect();
        while let Some(id) = due.pop() {
            match self.objects.get(&id) {
                None => drop(reach.missing.insert(id)),
                Some((kind, bytes)) => {
                    if reach.there.insert(id.clone()) {
                        due.extend(self.named_in(&id, *kind, bytes));
                    }
                }
            }
        }
        reach
    }

    fn named_in(&self, id: &str, kind: Kind, bytes: &[u8]) -> Vec<String> {
        match kind {
            Kind::Blob => Vec::new(),
            Kind::Tag => headers(bytes, "object"),
            Kind::Tree => self.entries(bytes).into_iter().map(|(_, _, id)| id).collect(),
            Kind::Commit => [headers(bytes, "tree"), self.parents(id)].concat(),
        }
    }

    fn parents(&self, commit: &str) -> Vec<String> {
        let is_cut = self.shallow.contains(commit);
        let bytes = self.bytes(commit).unwrap_or_default();
        if is_cut { Vec::new() } else { headers(bytes, "parent") }
    }

    /// Mode, name and id of each entry of a tree, without submodules.
    fn entries<'a>(&self, mut bytes: &'a [u8]) -> Vec<(&'a [u8], &'a [u8], String)> {
        let mut entries = Vec::new();
        while !bytes.is_empty() {
            let blank = memchr::memchr(b' ', bytes).expect("a mode ends with a blank");
            let zero = memchr::memchr(0, bytes).expect("a name ends with a zero byte");
            let (mode, name) = (&bytes[..blank], &bytes[blank + 1..zero]);
            let id =
                bytes[zero + 1..zero + 1 + self.width].iter().map(|byte| format!("{byte:02x}")).collect();
            bytes = &bytes[zero + 1 + self.width..];
            if mode != b"160000" {
                entries.push((mode, name, id));
            }
        }
        entries
    }

    /// The secrets of a blob at a path; of one that is not there, none.
    pub(crate) fn of_blob(&self, id: &str, path: &str) -> Secrets {
        let key = (id.to_owned(), path.to_owned());
        let held = || Rc::new(self.bytes(id).map(|bytes| secrets(path, bytes)).unwrap_or_default());
        Rc::clone(self.blobs.borrow_mut().entry(key).or_insert_with(held))
    }

    /// The secrets of a tree's files, below a prefix.
    fn of_tree(&self, id: &str, prefix: &str) -> Held {
        let key = (id.to_owned(), prefix.to_owned());
        if let Some(held) = self.trees.borrow().get(&key) {
            return Rc::clone(held);
        }
        let mut held = BTreeSet::new();
        for (mode, name, id) in self.entries(self.bytes(id).unwrap_or_default()) {
            let path = format!("{prefix}{}", shown(name));
            if mode == b"40000" {
                held.extend(self.of_tree(&id, &format!("{path}/")).iter().cloned());
            } else {
                let seen = self.of_blob(&id, &path);
                held.extend(seen.iter().map(|seen| (path.clone(), seen.clone())));
            }
        }
        let held = Rc::new(held);
        self.trees.borrow_mut().insert(key, Rc::clone(&held));
        held
    }

    /// The secrets of the tree that an object leads to: a commit's, a tag's, its own.
    pub(crate) fn held_by(&self, id: &str) -> Held {
        let bytes = self.bytes(id).unwrap_or_default();
        match self.kind(id) {
            Some(Kind::Tree) => self.of_tree(id, ""),
            Some(Kind::Commit) => {
                headers(bytes, "tree").first().map_or_else(Held::default, |tree| self.of_tree(tree, ""))
            }
            Some(Kind::Tag) => {
                headers(bytes, "object").first().map_or_else(Held::default, |id| self.held_by(id))
            }
            Some(Kind::Blob) | None => Held::default(),
        }
    }

    /// The blob that an object is, or that a tag is of.
    pub(crate) fn file_of<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        let (key, (kind, bytes)) = self.objects.get_key_value(id)?;
        match kind {
            Kind::Blob => Some(key),
            Kind::Tag => self.file_of(self.objects.get_key_value(headers(bytes, "object").first()?)?.0),
            Kind::Commit | Kind::Tree => None,
        }
    }

    /// An object and, of a tag, what it names, and what that names.
    pub(crate) fn line(&self, id: &str) -> Vec<String> {
        let of_tag = |id: &String| {
            let is_tag = self.kind(id) == Some(Kind::Tag);
            is_tag.then(|| headers(self.bytes(id).unwrap_or_default(), "object").into_iter().next())?
        };
        std::iter::successors(Some(id.to_owned()), of_tag).collect()
    }

    /// What these commits introduce.
    pub(crate) fn introductions<'a>(
        &self,
        commits: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<Introduction> {
        let mut all = BTreeSet::new();
        for commit in commits {
            let before: Vec<Held> = self.parents(commit).iter().map(|parent| self.held_by(parent)).collect();
            let held = self.held_by(commit);
            let new = held.iter().filter(|held| !before.iter().any(|parent| parent.contains(*held)));
            all.extend(new.map(|(path, seen)| Introduction {
                commit: commit.to_owned(),
                path: path.clone(),
                seen: seen.clone(),
            }));
        }
        all
    }

    /// The blobs in the trees of these commits.
    pub(crate) fn blobs_of<'a>(&self, commits: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let tree = |commit: &str| headers(self.bytes(commit).unwrap_or_default(), "tree");
        let mut due: Vec<String> = commits.into_iter().flat_map(tree).collect();
        let (mut trees, mut blobs) = (HashSet::new(), BTreeSet::new());
        while let Some(id) = due.pop() {
            match self.objects.get(&id) {
                Some((Kind::Tree, bytes)) if trees.insert(id.clone()) => {
                    due.extend(self.entries(bytes).into_iter().map(|(_, _, id)| id));
                }
                Some((Kind::Blob, _)) => drop(blobs.insert(id)),
                _ => {}
            }
        }
        blobs
    }

    /// The secrets of commit, tag and blob texts that stand at no path: by the object's id.
    pub(crate) fn of_texts<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, BTreeSet<Seen>> {
        let of = |id: &'a str| (id, secrets("", message(self.bytes(id).unwrap_or_default())));
        ids.into_iter().map(of).filter(|(_, seen)| !seen.is_empty()).collect()
    }
}

/// The oldest and the newest commit (or tag) that has a secret.
pub(crate) type Lifetime = (String, String);

impl Oracle {
    /// From when to when each secret that counts was in these commits and tags.
    pub(crate) fn lifetimes(&self, ids: &BTreeSet<String>) -> BTreeMap<Fingerprint, Lifetime> {
        let mut seen: BTreeMap<Fingerprint, BTreeSet<(i64, &str)>> = BTreeMap::new();
        let mut add = |id, one: &Seen| {
            if one.suppression.is_none() {
                seen.entry(one.fingerprint).or_default().insert((self.time(id), id));
            }
        };
        for kind in [Kind::Commit, Kind::Tag] {
            for id in self.of_kind(ids, kind) {
                if kind == Kind::Commit {
                    self.held_by(id).iter().for_each(|(_, one)| add(id, one));
                }
                let texts = self.of_texts([id]).into_values();
                texts.flatten().for_each(|one| add(id, &one));
            }
        }
        let ends = |(print, all): (Fingerprint, BTreeSet<(i64, &str)>)| {
            let end = |end: Option<&(i64, &str)>| end.map(|(_, id)| (*id).to_owned());
            Some((print, (end(all.first())?, end(all.last())?)))
        };
        seen.into_iter().filter_map(ends).collect()
    }

    /// When a commit or tag was made.
    fn time(&self, id: &str) -> i64 {
        let bytes = self.bytes(id).unwrap_or_default();
        let who = [headers(bytes, "committer"), headers(bytes, "tagger")].concat();
        let words: Vec<&str> = who.iter().flat_map(|who| who.rsplit(' ')).collect();
        words.get(1).and_then(|time| time.parse().ok()).unwrap_or(0)
    }
}

/// What stands behind the headers of a commit or tag.
fn message(bytes: &[u8]) -> &[u8] {
    memchr::memmem::find(bytes, b"\n\n").map_or(&[], |at| &bytes[at + 2..])
}

/// The values of a commit's or tag's headers of this name.
fn headers(bytes: &[u8], name: &str) -> Vec<String> {
    let head = memchr::memmem::find(bytes, b"\n\n").map_or(bytes, |at| &bytes[..at]);
    let head = String::from_utf8_lossy(head);
    let values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.map(str::to_owned).collect()
}

/// A part of a path, as reports write it.
fn shown(name: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("{}{invalid}", chunk.valid())
    };
    name.utf8_chunks().map(chunk).collect()
}

/// The answers in the output of `git cat-file --batch`, which may be cut; missing objects are of no kind.
pub(crate) fn parse_batch(mut output: &[u8]) -> Vec<(String, Option<Kind>, Vec<u8>)> {
    let mut objects = Vec::new();
    while let Some(end) = memchr::memchr(b'\n', output) {
        let head = String::from_utf8_lossy(&output[..end]);
        output = &output[end + 1..];
        let (kind, size) = match head.split(' ').collect::<Vec<_>>()[..] {
            [_, kind, size] => (Kind::of(kind), size.parse().unwrap_or(0)),
            [_, "missing"] => (None, 0),
            // A damaged object that is longer than its header says.
            _ => break,
        };
        if kind.is_some() && output.len() < size + 1 {
            break;
        }
        let id = head.split(' ').next().expect("a header has words").to_owned();
        objects.push((id, kind, output[..size].to_vec()));
        output = &output[size + usize::from(kind.is_some())..];
    }
    objects
}
