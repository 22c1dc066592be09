//! The folders that objects lie in.
//!
//! Format: gitrepository-layout(5), `objects/info/alternates`; `GIT_ALTERNATE_OBJECT_DIRECTORIES` in git(1).

use std::{
    collections::HashSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::repository::{RepositoryError, read_up_to, to_path};

/// git goes no deeper.
const MOST_DEEP: usize = 5;
/// A list of folders beyond this is none, in bytes.
const MOST: u64 = 1 << 20;
/// No repository borrows from so many.
const MOST_FOLDERS: usize = 1000;

/// A repository's own folder of objects, then whatever it and `more` borrow from, each once, in git's order.
///
/// # Errors
/// A list that can't be read. A folder that is not there lacks its objects: whoever needs one of them will say so.
pub(super) fn folders(own: &Path, more: &[PathBuf]) -> Result<Vec<PathBuf>, RepositoryError> {
    let mut search = Search::default();
    search.add(own, 0)?;
    more.iter().try_for_each(|folder| search.add(folder, 1))?;
    Ok(search.folders)
}

/// The folders that the variable names, with `:` between them (`;` on Windows).
pub(super) fn from_variable(text: &OsStr, here: &Path) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { b';' } else { b':' };
    paths(text.as_encoded_bytes(), separator).map(|path| here.join(path)).collect()
}

#[derive(Default)]
struct Search {
    folders: Vec<PathBuf>,
    /// By real path, so that a circle ends.
    seen: HashSet<PathBuf>,
}

impl Search {
    fn add(&mut self, folder: &Path, depth: usize) -> Result<(), RepositoryError> {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if !self.seen.insert(real) {
            return Ok(());
        }
        let list = folder.join("info/alternates");
        if depth > MOST_DEEP || self.folders.len() >= MOST_FOLDERS {
            return Err(RepositoryError::invalid(&list, "it leads through too many other repositories"));
        }
        self.folders.push(folder.to_owned());
        let Some(text) = read_up_to(&list, MOST)? else { return Ok(()) };
        let named: Vec<PathBuf> = paths(&text, b'\n').map(|path| folder.join(path)).collect();
        named.iter().try_for_each(|folder| self.add(folder, depth + 1))
    }
}

/// The paths of a list; those that start with `"` are quoted as in C, those with `#` are comments.
fn paths(text: &[u8], separator: u8) -> impl Iterator<Item = PathBuf> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let quoted = rest.strip_prefix(b"\"").and_then(unquote);
            let (path, length) = quoted.map_or_else(
                || {
                    let length = memchr::memchr(separator, rest).unwrap_or(rest.len());
                    (rest[..length].to_vec(), length)
                },
                |(path, length)| (path, length + 1),
            );
            let is_comment = rest.starts_with(b"#");
            rest = &rest[length..];
            rest = rest.strip_prefix(&[separator]).unwrap_or(rest);
            if !path.is_empty() && !is_comment {
                return Some(to_path(&path));
            }
        }
        None
    })
}

/// Text up to the closing quote, and the length with it; `None` where there is none, or an escape that C does not know.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'"' => return Some((out, at)),
            b'\\' => {
                let escaped = *text.get(at)?;
                at += 1;
                out.push(match escaped {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escaped,
                    b'0'..=b'3' => {
                        let digits = text.get(at - 1..at + 2)?;
                        at += 2;
                        u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?
                    }
                    _ => return None,
                });
            }
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_plain_quoted_and_commented_paths() {
        let text = b"/a\n# /b\n\n\"c\\\"\\303\\251\\n\"\n\"open\n../d";
        let found: Vec<PathBuf> = paths(text, b'\n').collect();
        assert_eq!(found, ["/a", "c\"\u{e9}\n", "\"open", "../d"].map(PathBuf::from));
    }

    #[test]
    fn a_circle_ends_and_relative_paths_start_at_their_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let objects = |name: &str| folder.path().join(name).join("objects");
        for (name, list) in [("a", "../../b/objects"), ("b", "../../a/objects\n../../c/objects")] {
            std::fs::create_dir_all(objects(name).join("info")).unwrap();
            std::fs::write(objects(name).join("info/alternates"), list).unwrap();
        }
        std::fs::create_dir_all(objects("c")).unwrap();
        let real: Vec<PathBuf> = folders(&objects("a"), &[])
            .unwrap()
            .iter()
            .map(|folder| folder.canonicalize().unwrap())
            .collect();
        assert_eq!(real, ["a", "b", "c"].map(|name| objects(name).canonicalize().unwrap()));
    }
}
