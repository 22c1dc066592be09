//! Where in the folder a secret lies, and which names can lie there.

use std::path::{Path, PathBuf};

use super::text;
use crate::store::SecretPath;

/// The file of the folder `/`. No folder has its name.
const ROOT: &str = "_root";
/// What the files of the store end with.
const ENDING: &str = ".env";
/// The folder of kept versions, in that of the environment.
const VERSIONS: &str = ".versions";
/// How deep folders lie in each other.
pub(super) const DEEPEST: usize = 16;
/// How long the name of a folder or an environment is.
const LONGEST: usize = 100;

/// The files of one secret.
#[derive(Debug)]
pub(super) struct Place {
    /// The folder of its environment.
    pub(super) environment: PathBuf,
    /// The file with its line.
    pub(super) file: PathBuf,
    /// The folder with its kept versions.
    pub(super) versions: PathBuf,
}

impl Place {
    /// Where a secret lies under the store's folder.
    ///
    /// # Errors
    /// What is wrong with the name of its environment, its folder or itself.
    pub(super) fn of(root: &Path, path: &SecretPath) -> Result<Self, String> {
        check_environment(&path.environment)?;
        let segments = segments(&path.folder)?;
        if !text::is_name(&path.name) {
            return Err(format!(
                "`{}` is no name of a secret in a dotenv file: letters, digits and _, and no digit in front",
                path.name.escape_default()
            ));
        }
        let environment = root.join(&path.environment);
        let (stem, folders) =
            segments.split_last().map_or((ROOT, [].as_slice()), |(last, folders)| (*last, folders));
        let under = |top: PathBuf| folders.iter().fold(top, |path, folder| path.join(folder));
        Ok(Self {
            file: under(environment.clone()).join(format!("{stem}{ENDING}")),
            versions: under(environment.join(VERSIONS)).join(stem).join(&path.name),
            environment,
        })
    }
}

/// What a name in a folder of the store is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The file of this folder of secrets.
    File(String),
    /// A folder with more of them.
    Folder(String),
    /// Nothing of ours: a README, a lock, kept versions.
    Other,
    /// Looks like ours and is not, and why.
    Wrong(&'static str),
}

/// What an entry of `folder` is, by its name; `/` is the environment's own.
pub(super) fn kind(folder: &str, name: &str, is_folder: bool) -> Kind {
    let parent = folder.trim_end_matches('/');
    if name == ENDING {
        return Kind::Wrong("the file of a folder is FOLDER.env, and that of / is _root.env: rename it");
    }
    if name.starts_with('.') {
        return Kind::Other;
    }
    let stem = if is_folder { Some(name) } else { name.strip_suffix(ENDING) };
    match stem {
        None => Kind::Other,
        Some(ROOT) if !is_folder && parent.is_empty() => Kind::File("/".to_owned()),
        Some(stem) if !is_segment(stem) || stem == ROOT => Kind::Wrong(
            "the name of a folder has up to 100 letters, digits, - and _ only, and is not _root: rename it",
        ),
        Some(stem) if is_folder => Kind::Folder(format!("{parent}/{stem}")),
        Some(stem) => Kind::File(format!("{parent}/{stem}")),
    }
}

/// Whether it can be an environment's name.
///
/// # Errors
/// That it can't, and why.
pub(super) fn check_environment(name: &str) -> Result<(), String> {
    if is_segment(name) {
        return Ok(());
    }
    let name = name.escape_default();
    Err(format!("`{name}` is no name of an environment: letters, digits, - and _ only"))
}

/// The names that a folder's path has.
fn segments(folder: &str) -> Result<Vec<&str>, String> {
    let wrong = || {
        let folder = folder.escape_default();
        format!(
            "`{folder}` is no folder: a / before each name, which has letters, digits, - and _ only and is not _root"
        )
    };
    if folder == "/" {
        return Ok(Vec::new());
    }
    let segments: Vec<&str> = folder.strip_prefix('/').ok_or_else(wrong)?.split('/').collect();
    let is_right = |segment: &&str| is_segment(segment) && *segment != ROOT;
    if segments.iter().all(is_right) && segments.len() <= DEEPEST { Ok(segments) } else { Err(wrong()) }
}

fn is_segment(name: &str) -> bool {
    let is_right = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && !name.starts_with('-') && name.len() <= LONGEST && name.chars().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &str, name: &str) -> Result<Place, String> {
        let path = SecretPath { environment: "production".into(), folder: folder.into(), name: name.into() };
        Place::of(Path::new("s"), &path)
    }

    #[test]
    fn folders_are_files_and_those_in_them_lie_in_a_folder_beside() {
        let file = |folder| place(folder, "A").unwrap().file;
        assert_eq!(file("/"), Path::new("s/production/_root.env"));
        assert_eq!(file("/a"), Path::new("s/production/a.env"));
        assert_eq!(file("/a/b"), Path::new("s/production/a/b.env"));
        assert_eq!(place("/a/b", "A").unwrap().versions, Path::new("s/production/.versions/a/b/A"));
        assert_eq!(kind("/", "_root.env", false), Kind::File("/".into()));
        assert_eq!(kind("/", "a.env", false), Kind::File("/a".into()));
        assert_eq!(kind("/a", "b.env", false), Kind::File("/a/b".into()));
        assert_eq!(kind("/a", "b", true), Kind::Folder("/a/b".into()));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for folder in
            ["", "a", "/..", "/a/../b", "/a/", "//a", "/.versions", "/_root", "/-a", "/a b", "/a\\b", "/a\0"]
        {
            assert!(place(folder, "A").is_err(), "{folder:?}");
        }
        for name in ["", "..", "a/b", "1A", "A B", "A=B", "Ä"] {
            assert!(place("/a", name).is_err(), "{name:?}");
        }
        for name in ["", "..", ".git", "a/b", "-a"] {
            assert!(check_environment(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_folders_file_is_told() {
        for (name, is_folder) in [(".env", false), ("a b.env", false), ("_root", true), ("a.b", true)] {
            assert!(matches!(kind("/", name, is_folder), Kind::Wrong(_)), "{name}");
        }
        for (name, is_folder) in [("README.md", false), (".versions", true), (".gitignore", false)] {
            assert_eq!(kind("/", name, is_folder), Kind::Other, "{name}");
        }
    }
}
