//! Where a repository keeps its things.
//!
//! Formats: gitrepository-layout(5), git-worktree(1).

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{HashKind, Oid, alternates, config::Config, file};

/// Small files of a git folder are read up to here, in bytes.
const MOST: u64 = 64 << 10;
/// One line per commit at which a shallow clone ends, in bytes.
const MOST_SHALLOW: u64 = 256 << 20;
/// Extensions that change nothing of what is read here, or that are read below.
const KNOWN_EXTENSIONS: &[&str] = &[
    "noop",
    "noop-v1",
    "objectformat",
    "partialclone",
    "preciousobjects",
    "refstorage",
    "relativeworktrees",
    "submodulepathconfig",
    "worktreeconfig",
];

/// A git repository, as seen from one of its work trees (or none).
#[derive(Debug, Clone)]
pub struct Repository {
    /// What belongs to this work tree alone: `HEAD`, the index.
    pub git_dir: PathBuf,
    /// What all work trees share: refs, objects, config. The same as `git_dir` but in linked worktrees.
    pub common_dir: PathBuf,
    /// Where files are checked out; `None` in a bare repository.
    pub work_tree: Option<PathBuf>,
    /// The index, there or not.
    pub index_path: PathBuf,
    /// How objects are named.
    pub hash: HashKind,
    /// Whether the config says that missing objects can be had from a remote. [`Self::is_partial`] looks at the packs too.
    pub has_promisor: bool,
    /// Where the objects of a push lie until it is accepted (`GIT_QUARANTINE_PATH`), as told by [`Self::from_env`].
    pub quarantine: Option<PathBuf>,
    /// URL of the remote `origin`, as the repository's config has it.
    pub origin: Option<String>,
    objects: Vec<PathBuf>,
}

/// A repository that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is none.
    #[error("{}: not in a git repository", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file of it can't be read, or holds what it should not.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its refs are in a format of their own.
    #[error("this repository keeps its refs in a reftable, which hekate can't read yet")]
    Reftable,
    /// It needs something else that hekate does not know.
    #[error("this repository needs {what}, which hekate can't read yet")]
    Unsupported {
        /// Which extension, version or format.
        what: String,
    },
}

impl RepositoryError {
    /// Whether there is a repository, and what it holds could not be read: then nobody may take it for clean.
    pub fn is_unreadable(&self) -> bool {
        !matches!(self, Self::NotFound { .. })
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn invalid(path: &Path, why: &str) -> Self {
        Self::read(path, io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

/// What one is told of where things are, before config is read.
struct Place {
    git_dir: PathBuf,
    common_dir: Option<PathBuf>,
    /// The folder that holds `.git`.
    above: Option<PathBuf>,
}

impl Repository {
    /// The repository that a file or folder lies in: the nearest one upwards.
    ///
    /// # Errors
    /// That there is none, or that it can't be read.
    pub fn discover(path: &Path) -> Result<Self, RepositoryError> {
        let start = path.canonicalize().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RepositoryError::NotFound { path: path.to_owned() },
            _ => RepositoryError::read(path, source),
        })?;
        for folder in start.ancestors() {
            if let Some(place) = at(folder)? {
                return Self::load(place);
            }
        }
        Err(RepositoryError::NotFound { path: path.to_owned() })
    }

    /// The repository whose work tree or git folder this is.
    ///
    /// # Errors
    /// That there is none, or that it can't be read.
    pub fn open(path: &Path) -> Result<Self, RepositoryError> {
        let folder = path.canonicalize().map_err(|source| RepositoryError::read(path, source))?;
        let place = at(&folder)?.ok_or_else(|| RepositoryError::NotFound { path: path.to_owned() })?;
        Self::load(place)
    }

    /// The repository that git's variables name, as they are set in hooks, else the one that `here` lies in. `variable` looks one up.
    ///
    /// # Errors
    /// That there is none, or that it can't be read.
    pub fn from_env(
        here: &Path,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, RepositoryError> {
        let named = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut repository = match named("GIT_DIR") {
            None => Self::discover(here)?,
            Some(path) => {
                let git_dir = follow(&here.join(path))?;
                if !is_git_dir(&git_dir) {
                    return Err(RepositoryError::NotFound { path: git_dir });
                }
                let common_dir = named("GIT_COMMON_DIR").map(|path| here.join(path));
                // Whoever names the git folder alone stands at the root of the work tree.
                Self::load(Place { git_dir, common_dir, above: Some(here.to_owned()) })?
            }
        };
        if let Some(path) = named("GIT_WORK_TREE") {
            repository.work_tree = Some(here.join(path));
        }
        if let Some(path) = named("GIT_INDEX_FILE") {
            // git stands at the root of the work tree when it looks at this.
            let base = repository.work_tree.as_deref().unwrap_or(here);
            repository.index_path = base.join(path);
        }
        repository.quarantine = named("GIT_QUARANTINE_PATH").map(|path| here.join(path));
        let own = named("GIT_OBJECT_DIRECTORY").map(|path| here.join(path));
        let more = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
        if own.is_some() || !more.is_empty() {
            let own = own.unwrap_or_else(|| repository.common_dir.join("objects"));
            repository.objects = alternates::folders(&own, &alternates::from_variable(&more, here))?;
        }
        Ok(repository)
    }

    fn load(place: Place) -> Result<Self, RepositoryError> {
        let Place { git_dir, common_dir, above } = place;
        let linked = match common_dir {
            Some(folder) => Some(folder),
            None => common_dir_of(&git_dir)?,
        };
        let common_dir = linked.clone().unwrap_or_else(|| git_dir.clone());
        let config_path = common_dir.join("config");
        let config =
            Config::read(&config_path).map_err(|source| RepositoryError::read(&config_path, source))?;
        let hash = check_format(&config)?;
        let mut own = None;
        if config.flag("extensions", "worktreeconfig") == Some(true) {
            let path = git_dir.join("config.worktree");
            own = Some(Config::read(&path).map_err(|source| RepositoryError::read(&path, source))?);
        }
        let work_tree = work_tree(&git_dir, linked.is_some(), above, [own.as_ref(), Some(&config)])?;
        let origin = config.get_in("remote", "origin", "url");
        Ok(Self {
            index_path: git_dir.join("index"),
            hash,
            work_tree,
            has_promisor: config.any_flag("remote", "promisor")
                || config.get("extensions", "partialclone").is_some(),
            quarantine: None,
            origin: origin.map(|url| String::from_utf8_lossy(url).into_owned()),
            objects: alternates::folders(&common_dir.join("objects"), &[])?,
            git_dir,
            common_dir,
        })
    }

    /// The folders that hold objects: its own, then the alternates.
    pub fn object_folders(&self) -> &[PathBuf] {
        &self.objects
    }

    /// The commits at which a shallow clone ends: their parents are not there. Empty for a whole one.
    ///
    /// # Errors
    /// A file that can't be read, or holds something else than ids.
    pub fn shallow_commits(&self) -> Result<BTreeSet<Oid>, RepositoryError> {
        let path = self.common_dir.join("shallow");
        let Some(bytes) = read_up_to(&path, MOST_SHALLOW)? else { return Ok(BTreeSet::new()) };
        let lines =
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let ids: Option<BTreeSet<Oid>> = lines.map(|line| self.oid(line)).collect();
        ids.ok_or_else(|| RepositoryError::invalid(&path, "a line is no object id"))
    }

    /// Whether it is a shallow clone.
    ///
    /// # Errors
    /// As [`Self::shallow_commits`].
    pub fn is_shallow(&self) -> Result<bool, RepositoryError> {
        Ok(!self.shallow_commits()?.is_empty())
    }

    /// Whether objects may be missing because a remote promised them: a partial clone.
    ///
    /// # Errors
    /// A pack folder that can't be listed.
    pub fn is_partial(&self) -> Result<bool, RepositoryError> {
        if self.has_promisor {
            return Ok(true);
        }
        for folder in &self.objects {
            let folder = folder.join("pack");
            for name in names_in(&folder)? {
                if Path::new(&name).extension().is_some_and(|extension| extension == "promisor") {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The git folders of the linked worktrees with their names, sorted; whether or not this is seen from one of them.
    ///
    /// # Errors
    /// A folder that can't be listed.
    pub fn worktrees(&self) -> Result<Vec<(OsString, PathBuf)>, RepositoryError> {
        let folder = self.common_dir.join("worktrees");
        let mut names = names_in(&folder)?;
        names.sort();
        let git_dirs = names.into_iter().map(|name| (name.clone(), folder.join(name)));
        Ok(git_dirs.filter(|(_, git_dir)| git_dir.join("HEAD").symlink_metadata().is_ok()).collect())
    }

    /// An id in hex, of the kind of this repository.
    pub(super) fn oid(&self, hex: &[u8]) -> Option<Oid> {
        if hex.len() == 2 * self.hash.id_len() { Oid::from_hex(hex) } else { None }
    }
}

/// The repository of exactly this folder: by its `.git`, or because it is a git folder itself.
fn at(folder: &Path) -> Result<Option<Place>, RepositoryError> {
    let dot_git = folder.join(".git");
    match fs::metadata(&dot_git) {
        Ok(metadata) if metadata.is_file() => {
            let git_dir = follow(&dot_git)?;
            if !is_git_dir(&git_dir) {
                return Err(RepositoryError::invalid(&dot_git, "it names no git folder"));
            }
            return Ok(Some(Place { git_dir, common_dir: None, above: Some(folder.to_owned()) }));
        }
        Ok(_) if is_git_dir(&dot_git) => {
            return Ok(Some(Place { git_dir: dot_git, common_dir: None, above: Some(folder.to_owned()) }));
        }
        _ => {}
    }
    Ok(is_git_dir(folder).then(|| Place { git_dir: folder.to_owned(), common_dir: None, above: None }))
}

/// As git decides it: a `HEAD`, refs and objects, some of which may lie in the common folder.
fn is_git_dir(folder: &Path) -> bool {
    let has_head = folder.join("HEAD").symlink_metadata().is_ok();
    let is_linked = folder.join("commondir").is_file();
    has_head && (is_linked || (folder.join("objects").is_dir() && folder.join("refs").is_dir()))
}

/// The git folder that a `.git` file names; a folder is itself.
fn follow(path: &Path) -> Result<PathBuf, RepositoryError> {
    if !path.is_file() {
        return Ok(path.to_owned());
    }
    let text = read_up_to(path, MOST)?.unwrap_or_default();
    let Some(target) = text.strip_prefix(b"gitdir:").map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
    else {
        return Err(RepositoryError::invalid(path, "it does not start with `gitdir: `"));
    };
    Ok(path.parent().unwrap_or(Path::new("")).join(to_path(target)))
}

fn common_dir_of(git_dir: &Path) -> Result<Option<PathBuf>, RepositoryError> {
    let text = read_up_to(&git_dir.join("commondir"), MOST)?;
    Ok(text.map(|text| git_dir.join(to_path(text.trim_ascii()))))
}

/// Where files are checked out. `configs` are asked one after the other; a linked worktree does not ask the one that all share.
fn work_tree(
    git_dir: &Path,
    is_linked: bool,
    above: Option<PathBuf>,
    configs: [Option<&Config>; 2],
) -> Result<Option<PathBuf>, RepositoryError> {
    let asked = || configs.into_iter().take(if is_linked { 1 } else { 2 }).flatten();
    if asked().find_map(|config| config.flag("core", "bare")) == Some(true) {
        return Ok(None);
    }
    if let Some(named) = asked().find_map(|config| config.get("core", "worktree")) {
        return Ok(Some(git_dir.join(to_path(named))));
    }
    if above.is_some() || !is_linked {
        return Ok(above);
    }
    let link = read_up_to(&git_dir.join("gitdir"), MOST)?;
    let dot_git = link.map(|text| git_dir.join(to_path(text.trim_ascii())));
    Ok(dot_git.and_then(|dot_git| Some(dot_git.parent()?.to_owned())))
}

/// How objects are named, if all that the repository needs is known.
fn check_format(config: &Config) -> Result<HashKind, RepositoryError> {
    let unsupported = |what: String| Err(RepositoryError::Unsupported { what });
    let version = config.get("core", "repositoryformatversion").unwrap_or(b"0");
    if !matches!(version, b"0" | b"1") {
        return unsupported(format!("format version {}", String::from_utf8_lossy(version)));
    }
    let mut hash = HashKind::Sha1;
    for (key, value) in config.section("extensions") {
        match (key, value) {
            ("refstorage", b"files") | ("objectformat", b"sha1") => {}
            ("refstorage", value) if value.starts_with(b"reftable") => return Err(RepositoryError::Reftable),
            ("objectformat", b"sha256") => hash = HashKind::Sha256,
            ("objectformat" | "refstorage", value) => {
                return unsupported(format!("`extensions.{key} = {}`", String::from_utf8_lossy(value)));
            }
            // Before version 1, extensions were for whoever knows them.
            (key, _) if version == b"1" && !KNOWN_EXTENSIONS.contains(&key) => {
                return unsupported(format!("the extension `{key}`"));
            }
            _ => {}
        }
    }
    Ok(hash)
}

/// A small file's bytes; `None` where it is not there.
pub(super) fn read_up_to(path: &Path, most: u64) -> Result<Option<Vec<u8>>, RepositoryError> {
    match file::read(path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RepositoryError::read(path, source)),
    }
}

/// The names in a folder, in no order; none where there is no folder.
pub(super) fn names_in(folder: &Path) -> Result<Vec<OsString>, RepositoryError> {
    let list = || -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    };
    match list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|source| RepositoryError::read(folder, source)),
    }
}

/// A path as git writes it into its files.
#[cfg(unix)]
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// A path as git writes it into its files.
#[cfg(not(unix))]
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
