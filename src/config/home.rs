//! Where the repository's own policy files are read from: its folder, or the tree of a commit that the change under scan can't touch.

use std::{
    env,
    ffi::OsStr,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use git2::{ErrorCode, ObjectType, Oid, Repository as Git, TreeEntry};

use super::{CONFIG_NAME, ConfigError, ConfigFile, file::stays_inside, root_of};
use crate::{
    rule::{Extends, RuleError, RulePack},
    triage::Before,
};

/// Configs of betterleaks and gitleaks at the root of a repository; the first that is there counts.
const GITLEAKS_NAMES: &[&str] = &[".betterleaks.toml", ".gitleaks.toml"];

/// Where policy is read from, in place of the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyFrom {
    /// This branch, tag or commit.
    Ref(String),
    /// What HEAD names: on a server the default branch. Nothing, where it has no commit yet.
    Head,
}

/// A policy file.
#[derive(Debug)]
pub(super) struct Text {
    /// What errors call it.
    pub(super) name: PathBuf,
    pub(super) text: String,
}

impl Text {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        Ok(Self { name: path.to_owned(), text: std::fs::read_to_string(path).map_err(read)? })
    }
}

/// The repository one works in, else the working directory.
#[derive(Debug)]
pub(super) struct Home {
    /// Its root.
    pub(super) root: PathBuf,
    /// Whether it is a repository with files.
    pub(super) is_repository: bool,
    source: Source,
}

enum Source {
    Folder,
    Tree(RefTree),
    Nothing,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Folder => "Folder",
            Self::Tree(_) => "Tree",
            Self::Nothing => "Nothing",
        })
    }
}

impl Home {
    /// Finds it from the working directory.
    ///
    /// # Errors
    /// A ref that names no commit here, or no repository to look it up in.
    pub(super) fn find(from: Option<&PolicyFrom>, here: &Path) -> Result<Self, ConfigError> {
        let repository = root_of(here);
        let source = match from {
            None => Source::Folder,
            Some(from) => RefTree::open(from, here)?.map_or(Source::Nothing, Source::Tree),
        };
        let is_repository = repository.is_some();
        Ok(Self { root: repository.unwrap_or_else(|| here.to_owned()), is_repository, source })
    }

    /// Whether policy comes from a commit and not from the files as they are now.
    pub(super) fn is_pinned(&self) -> bool {
        !matches!(self.source, Source::Folder)
    }

    /// The file of this name at the root, if there is one.
    pub(super) fn own(&self, name: &str) -> Result<Option<Text>, ConfigError> {
        match &self.source {
            Source::Folder => Some(self.root.join(name))
                .filter(|path| path.is_file())
                .map(|path| Text::read(&path))
                .transpose(),
            Source::Tree(tree) => tree.file(Path::new(name)),
            Source::Nothing => Ok(None),
        }
    }

    /// The file that the repository's own config names.
    pub(super) fn named(&self, path: &Path) -> Result<Text, ConfigError> {
        match &self.source {
            Source::Tree(tree) => tree.file(path)?.ok_or_else(|| tree.missing(path)),
            Source::Folder | Source::Nothing => Text::read(path),
        }
    }

    /// Its `hekate.toml`, else the defaults.
    pub(super) fn config(&self) -> Result<ConfigFile, ConfigError> {
        match &self.source {
            Source::Folder => {
                let path = self.root.join(CONFIG_NAME);
                if path.is_file() { ConfigFile::load(&path, false) } else { Ok(ConfigFile::default()) }
            }
            Source::Tree(tree) => match tree.file(Path::new(CONFIG_NAME))? {
                Some(text) => {
                    let inside = |from: &Path, named: &str| tree.read_inside(from, named);
                    ConfigFile::parse(&text, |path| tree.rules(path), Extends::Inside(&inside))
                }
                None => Ok(ConfigFile::default()),
            },
            Source::Nothing => Ok(ConfigFile::default()),
        }
    }

    /// Its config for betterleaks or gitleaks, if there is one: rules and allowlists.
    pub(super) fn gitleaks(&self) -> Result<RulePack, ConfigError> {
        let own = GITLEAKS_NAMES.iter().find_map(|name| self.own(name).transpose());
        let Some(Text { name, text }) = own.transpose()? else { return Ok(RulePack::default()) };
        let inside = |from: &Path, named: &str| match &self.source {
            Source::Tree(tree) => tree.read_inside(from, named),
            Source::Folder | Source::Nothing => read_inside(&self.root, from, named),
        };
        Ok(RulePack::parse_file(&text, &name, Extends::Inside(&inside))?)
    }

    /// What marks are held against, where policy is pinned.
    pub(super) fn into_before(self) -> Option<Before> {
        match self.source {
            Source::Folder => None,
            Source::Nothing => Some(Before::new(|_| None)),
            Source::Tree(tree) => {
                let tree = Mutex::new(tree);
                // A file that can't be read accepts nothing: what is marked in it is reported.
                Some(Before::new(move |path| {
                    let tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
                    tree.bytes(Path::new(path)).ok().flatten()
                }))
            }
        }
    }
}

/// Reads a file that another of the same folder names; links are followed before it is judged where that leads.
pub(super) fn read_inside(root: &Path, from: &Path, named: &str) -> Result<(PathBuf, String), RuleError> {
    let path = from.parent().unwrap_or(Path::new(".")).join(named);
    let read = |source| RuleError::Read { path: path.clone(), source };
    let real = path.canonicalize().map_err(read)?;
    if !real.starts_with(root.canonicalize().map_err(read)?) {
        return Err(leads_out(from, named));
    }
    let text = std::fs::read_to_string(&path).map_err(read)?;
    Ok((path, text))
}

fn leads_out(from: &Path, named: &str) -> RuleError {
    let message = format!(
        "[extend] path: `{named}` leads out of the repository; only a file named by --config or --rules may do that"
    );
    RuleError::Pack { file: from.to_owned(), message }
}

/// The tree of a commit.
struct RefTree {
    git: Git,
    tree: Oid,
    /// As the user named it.
    name: String,
}

impl RefTree {
    fn open(from: &PolicyFrom, here: &Path) -> Result<Option<Self>, ConfigError> {
        let (name, may_be_unborn) = match from {
            PolicyFrom::Ref(name) => (name.as_str(), false),
            PolicyFrom::Head => ("HEAD", true),
        };
        let fail = |source| ConfigError::PolicyRef { name: name.to_owned(), source };
        // Not from the environment as a whole: in a hook that names the objects that were just pushed.
        let git = match env::var_os("GIT_DIR") {
            Some(folder) => Git::open(Path::new(&folder)),
            None => Git::discover(here),
        };
        let git = git.map_err(|source| ConfigError::Git { source })?;
        if may_be_unborn && git.head().is_err_and(|error| error.code() == ErrorCode::UnbornBranch) {
            return Ok(None);
        }
        let object = git.revparse_single(name).and_then(|object| object.peel(ObjectType::Commit));
        let tree = object.and_then(|commit| commit.peel_to_tree()).map(|tree| tree.id()).map_err(fail)?;
        Ok(Some(Self { git, tree, name: name.to_owned() }))
    }

    /// What errors call a file of it.
    fn shown(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("{}:{}", self.name, path.display()))
    }

    fn read_error(&self, path: &Path, message: impl Into<String>) -> ConfigError {
        ConfigError::Read { path: self.shown(path), source: io::Error::other(message.into()) }
    }

    fn missing(&self, path: &Path) -> ConfigError {
        let source = io::Error::new(ErrorKind::NotFound, "it is not in that commit");
        ConfigError::Read { path: self.shown(path), source }
    }

    /// Folder by folder: libgit2's own search calls itself for each, and a history may hold thousands in each other.
    fn entry(&self, path: &Path) -> Result<Option<TreeEntry<'static>>, git2::Error> {
        let names = path.components().map(|part| part.as_os_str()).filter(|name| *name != OsStr::new("."));
        let mut found: Option<TreeEntry<'static>> = None;
        for name in names {
            let folder = match &found {
                None => self.tree,
                Some(entry) if entry.kind() == Some(ObjectType::Tree) => entry.id(),
                Some(_) => return Ok(None),
            };
            let folder = self.git.find_tree(folder)?;
            let Some(entry) = folder.get_name_bytes(name.as_encoded_bytes()) else { return Ok(None) };
            found = Some(entry.to_owned());
        }
        Ok(found)
    }

    /// The bytes of a regular file; `None` where there is none.
    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, git2::Error> {
        const KIND: i32 = 0o170_000;
        const FILE: i32 = 0o100_000;
        let Some(entry) = self.entry(path)?.filter(|entry| entry.filemode() & KIND == FILE) else {
            return Ok(None);
        };
        Ok(Some(self.git.find_blob(entry.id())?.content().to_vec()))
    }

    fn file(&self, path: &Path) -> Result<Option<Text>, ConfigError> {
        let bytes = self.bytes(path).map_err(|error| self.read_error(path, error.message()))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| self.read_error(path, "it is not UTF-8"))?;
        Ok(Some(Text { name: self.shown(path), text }))
    }

    /// Reads a file that another of the same commit names.
    fn read_inside(&self, from: &Path, named: &str) -> Result<(PathBuf, String), RuleError> {
        let shown = from.to_string_lossy();
        let from_root = shown.strip_prefix(&format!("{}:", self.name)).unwrap_or(&shown);
        if !stays_inside(Path::new(named)) {
            return Err(leads_out(from, named));
        }
        let path = Path::new(from_root).parent().unwrap_or(Path::new("")).join(named);
        let read = |source| RuleError::Read { path: self.shown(&path), source };
        let missing = || io::Error::new(ErrorKind::NotFound, "it is not in that commit");
        let bytes = self.bytes(&path).map_err(|error| read(io::Error::other(error.message().to_owned())))?;
        let text = String::from_utf8(bytes.ok_or_else(|| read(missing()))?);
        let text = text.map_err(|_| read(io::Error::other("it is not UTF-8")))?;
        Ok((self.shown(&path), text))
    }

    /// A rule file, or all `*.toml` of a folder.
    fn rules(&self, path: &Path) -> Result<RulePack, ConfigError> {
        let inside = |from: &Path, named: &str| self.read_inside(from, named);
        let extends = Extends::Inside(&inside);
        let fail = |error: git2::Error| self.read_error(path, error.message());
        if let Some(file) = self.file(path)? {
            return Ok(RulePack::parse_file(&file.text, &file.name, extends)?);
        }
        let folder = self.entry(path).map_err(fail)?.filter(|entry| entry.kind() == Some(ObjectType::Tree));
        let tree = self.git.find_tree(folder.ok_or_else(|| self.missing(path))?.id()).map_err(fail)?;
        let mut files = Vec::new();
        for entry in &tree {
            let name = PathBuf::from(entry.name().map_err(fail)?);
            if name.extension().is_some_and(|extension| extension == "toml") {
                files.extend(self.file(&path.join(name))?);
            }
        }
        let files = files.into_iter().map(|file| (file.name, file.text));
        Ok(RulePack::parse_folder(&self.shown(path), files.collect(), extends)?)
    }
}
