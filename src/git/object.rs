//! Objects and what their bytes say.

use super::{HashKind, Oid};

/// The four kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// A file's content.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// Git's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// From git's word.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.as_str().as_bytes() == word)
    }
}

/// An object with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its root folder.
    pub tree: Oid,
    /// What it stands on, in git's order.
    pub parents: Vec<Oid>,
    /// `Name <mail>` of who wrote it; empty where it does not say.
    pub author: &'a [u8],
    /// When it was written, in seconds since 1970, and that clock's offset from UTC in minutes.
    pub author_time: (i64, i32),
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// That clock's offset from UTC, in minutes.
    pub offset: i32,
    /// What its author says of it.
    pub message: &'a [u8],
}

impl<'a> Commit<'a> {
    /// Reads a commit's bytes; `None` where they are none.
    pub fn parse(bytes: &'a [u8], hash: HashKind) -> Option<Self> {
        let mut commit = Self {
            tree: hash.null(),
            parents: Vec::new(),
            author: b"",
            author_time: (0, 0),
            time: 0,
            offset: 0,
            message: b"",
        };
        let mut rest = bytes;
        let (line, after) = split_line(rest);
        commit.tree = oid(line.strip_prefix(b"tree ")?, hash)?;
        rest = after;
        loop {
            let (line, after) = split_line(rest);
            if line.is_empty() {
                commit.message = after;
                return Some(commit);
            }
            if let Some(parent) = line.strip_prefix(b"parent ") {
                commit.parents.push(oid(parent, hash)?);
            } else if let Some(ident) = line.strip_prefix(b"author ") {
                (commit.author, commit.author_time) = identity(ident);
            } else if let Some(ident) = line.strip_prefix(b"committer ") {
                (commit.time, commit.offset) = identity(ident).1;
            }
            rest = after;
        }
    }
}

/// What an annotated tag says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it names.
    pub target: Oid,
    /// `Name <mail>` of who made it; empty where it does not say.
    pub tagger: &'a [u8],
    /// When it was made, in seconds since 1970, and that clock's offset from UTC in minutes.
    pub time: (i64, i32),
    /// Its text.
    pub message: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads a tag's bytes; `None` where they are none.
    pub fn parse(bytes: &'a [u8], hash: HashKind) -> Option<Self> {
        let (line, mut rest) = split_line(bytes);
        let target = oid(line.strip_prefix(b"object ")?, hash)?;
        let mut tag = Self { target, tagger: b"", time: (0, 0), message: b"" };
        loop {
            let (line, after) = split_line(rest);
            if line.is_empty() {
                tag.message = after;
                return Some(tag);
            }
            if let Some(ident) = line.strip_prefix(b"tagger ") {
                (tag.tagger, tag.time) = identity(ident);
            }
            rest = after;
        }
    }
}

fn oid(text: &[u8], hash: HashKind) -> Option<Oid> {
    Oid::from_hex(text).filter(|oid| oid.as_bytes().len() == hash.id_len())
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

/// `Name <mail> seconds zone`.
fn identity(line: &[u8]) -> (&[u8], (i64, i32)) {
    let end = memchr::memrchr(b'>', line).map_or(line.len(), |at| at + 1);
    let (name, rest) = line.split_at(end);
    let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let mut number = || -> Option<i64> { std::str::from_utf8(words.next()?).ok()?.parse().ok() };
    let time = number().unwrap_or(0);
    let zone = number().unwrap_or(0).clamp(-9999, 9999) as i32;
    (name, (time, zone / 100 * 60 + zone % 100))
}

/// An entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// What it is.
    pub kind: EntryKind,
    /// Its name within the folder.
    pub name: &'a [u8],
    /// The raw id of its object.
    pub id: &'a [u8],
}

/// What a tree's entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A folder.
    Tree,
    /// A file, or a symbolic link, whose target is its content.
    Blob,
    /// A submodule: a commit of another repository.
    Submodule,
}

/// Reads the tree entry that starts at `at`; gives it with where the next one starts. `None` where there is no whole one.
pub fn tree_entry(tree: &[u8], at: usize, hash: HashKind) -> Option<(TreeEntry<'_>, usize)> {
    let bytes = tree.get(at..)?;
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let mode = bytes[..space].iter().try_fold(0_u32, |mode, digit| {
        matches!(digit, b'0'..=b'7').then(|| mode << 3 | u32::from(digit - b'0'))
    })?;
    let kind = match mode & 0o170_000 {
        0o040_000 => EntryKind::Tree,
        0o160_000 => EntryKind::Submodule,
        _ => EntryKind::Blob,
    };
    let name_end = space + 1 + memchr::memchr(0, &bytes[space + 1..])?;
    let end = name_end + 1 + hash.id_len();
    let id = bytes.get(name_end + 1..end)?;
    Some((TreeEntry { kind, name: &bytes[space + 1..name_end], id }, at + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_say_who_when_and_what() {
        let id = "a".repeat(40);
        let text = format!(
            "tree {id}\nparent {id}\nparent {id}\nauthor A <b>c> <a@b> 1700000000 -0130\ncommitter C <c@d> 1700000001 +0000\ngpgsig -----BEGIN\n x\n \n y\n\nsubject\n\nbody"
        );
        let commit = Commit::parse(text.as_bytes(), HashKind::Sha1).unwrap();
        assert_eq!((commit.parents.len(), commit.time), (2, 1_700_000_001));
        assert_eq!((commit.author, commit.author_time), (&b"A <b>c> <a@b>"[..], (1_700_000_000, -90)));
        assert_eq!(commit.message, b"subject\n\nbody");
        assert_eq!(Commit::parse(b"tree short\n\n", HashKind::Sha1), None);
        assert_eq!(Commit::parse(text.as_bytes(), HashKind::Sha256), None);
    }

    #[test]
    fn tree_entries_are_read_one_by_one() {
        let tree = [&b"40000 dir\0"[..], &[7; 20], b"100644 a b\0", &[8; 20]].concat();
        let (first, next) = tree_entry(&tree, 0, HashKind::Sha1).unwrap();
        assert_eq!((first.kind, first.name), (EntryKind::Tree, &b"dir"[..]));
        let (second, end) = tree_entry(&tree, next, HashKind::Sha1).unwrap();
        assert_eq!((second.kind, second.name, end), (EntryKind::Blob, &b"a b"[..], tree.len()));
        assert_eq!(tree_entry(&tree, end, HashKind::Sha1), None);
        assert_eq!(tree_entry(&tree[..tree.len() - 1], next, HashKind::Sha1), None);
        assert_eq!(tree_entry(b"40000", 0, HashKind::Sha1), None);
    }
}
