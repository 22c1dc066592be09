//! `packed-refs`: many refs in one file.

use crate::git::{Oid, Repository, RepositoryError, repository::read_up_to};

/// Room for many millions of refs, in bytes.
const MOST: u64 = 2 << 30;

/// The file, read once.
pub(super) struct Packed<'a> {
    repository: &'a Repository,
    bytes: Vec<u8>,
}

/// What a line says: the object, and what the tag there leads to.
type Line = Result<(Oid, Option<Oid>), String>;

impl<'a> Packed<'a> {
    /// Reads it; one that is not there holds nothing.
    pub(super) fn read(repository: &'a Repository) -> Result<Self, RepositoryError> {
        let bytes = read_up_to(&repository.common_dir.join("packed-refs"), MOST)?.unwrap_or_default();
        Ok(Self { repository, bytes })
    }

    /// The object of one name, without a look at the other lines.
    pub(super) fn find(&self, name: &[u8]) -> Result<Option<Oid>, String> {
        let needle = [b" ", name, b"\n"].concat();
        let digits = 2 * self.repository.hash.id_len();
        let unended = self.bytes.ends_with(&needle[..needle.len() - 1]);
        let last = unended.then(|| self.bytes.len() + 1 - needle.len());
        for at in memchr::memmem::find_iter(&self.bytes, &needle).chain(last) {
            let start = memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1);
            if self.bytes.get(start) == Some(&b'#') || at - start != digits {
                continue;
            }
            let found = self.repository.oid(&self.bytes[start..at]);
            return found.map(Some).ok_or_else(|| "its line in packed-refs holds no object id".into());
        }
        Ok(None)
    }

    /// Tells of every line. One that is no ref is told of as broken, under what stands in it.
    pub(super) fn each<'p>(&'p self, mut found: impl FnMut(&'p [u8], Line)) {
        let digits = 2 * self.repository.hash.id_len();
        let mut last: Option<(&[u8], Oid, Option<Oid>)> = None;
        for line in lines(&self.bytes) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if let Some(hex) = line.strip_prefix(b"^") {
                match (&mut last, self.repository.oid(hex)) {
                    (Some((_, _, peeled)), Some(oid)) => *peeled = Some(oid),
                    _ => found(line, Err("no line of packed-refs".into())),
                }
                continue;
            }
            if let Some((name, target, peeled)) = last.take() {
                found(name, Ok((target, peeled)));
            }
            let oid = line.get(..digits).and_then(|hex| self.repository.oid(hex));
            match (oid, line.get(digits..).and_then(|rest| rest.strip_prefix(b" "))) {
                (Some(oid), Some(name)) if name.starts_with(b"refs/") => last = Some((name, oid, None)),
                (_, Some(name)) => found(name, Err("its line in packed-refs is malformed".into())),
                (_, None) => found(line, Err("no line of packed-refs".into())),
            }
        }
        if let Some((name, target, peeled)) = last {
            found(name, Ok((target, peeled)));
        }
    }
}

/// The lines of a text, found many bytes at a time.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]).map(move |end| {
        let line = &bytes[start..end];
        start = end + 1;
        line
    })
}
