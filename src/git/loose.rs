//! Loose objects: a file each, its zlib stream with `kind size\0` before the content.

use std::{
    fs,
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use super::{HashKind, Object, ObjectKind, Oid, inflate::Inflater, inflate::inflate_head};

/// Longest head: the longest word, 20 digits, a space and a NUL.
const HEAD: usize = 32;

/// A loose object that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LooseError {
    /// The file can't be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It is no object, or damaged.
    #[error("the loose object is damaged")]
    Damaged,
    /// It is another object than its name says.
    #[error("the loose object's content is not what its name says")]
    Misnamed,
    /// It is bigger than may be held, in bytes.
    #[error("the object has {0} bytes, more than may be held; raise --memory")]
    TooBig(u64),
}

/// The file of a loose object in an object folder.
pub fn path_of(folder: &Path, oid: &Oid) -> PathBuf {
    let hex = oid.to_string();
    folder.join(&hex[..2]).join(&hex[2..])
}

/// All loose objects of an object folder, and what can't be listed.
pub fn list(folder: &Path, hash: HashKind) -> (Vec<Oid>, Vec<io::Error>) {
    let (mut ids, mut failed) = (Vec::new(), Vec::new());
    for first in 0..=255_u8 {
        let prefix = format!("{first:02x}");
        let entries = match fs::read_dir(folder.join(&prefix)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                failed.push(error);
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let name = entry.file_name();
                    let hex = [prefix.as_bytes(), name.as_encoded_bytes()].concat();
                    // Git leaves `tmp_obj_…` there while it writes.
                    ids.extend(Oid::from_hex(&hex).filter(|oid| oid.as_bytes().len() == hash.id_len()));
                }
                Err(error) => failed.push(error),
            }
        }
    }
    ids.sort_unstable();
    (ids, failed)
}

/// Reads the loose object of this id in an object folder; `None` where there is none. `most` is how many bytes may be held.
///
/// # Errors
/// A file that can't be read, or is no object.
pub fn read(folder: &Path, oid: &Oid, most: u64) -> Result<Option<Object>, LooseError> {
    let Some(mut file) = open(folder, oid)? else { return Ok(None) };
    let mut raw = Vec::new();
    file.read_to_end(&mut raw)?;
    let object = decode(&raw, most)?;
    let hash =
        if oid.as_bytes().len() == HashKind::Sha1.id_len() { HashKind::Sha1 } else { HashKind::Sha256 };
    let head = format!("{} {}\0", object.kind.as_str(), object.bytes.len());
    // No index has a checksum of it.
    if hash.digest(&[head.as_bytes(), &object.bytes]) != *oid {
        return Err(LooseError::Misnamed);
    }
    Ok(Some(object))
}

/// Opens a loose object's file; `None` where there is none. What is no regular file (a FIFO would block) is an error.
fn open(folder: &Path, oid: &Oid) -> io::Result<Option<fs::File>> {
    let path = path_of(folder, oid);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
        }
        Ok(_) => fs::File::open(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The content of a loose object, piece by piece; `None` where there is none.
///
/// # Errors
/// A file that can't be read.
pub fn stream(folder: &Path, oid: &Oid) -> io::Result<Option<Box<dyn io::Read + Send>>> {
    let Some(file) = open(folder, oid)? else { return Ok(None) };
    let mut content = io::BufReader::new(flate2::read::ZlibDecoder::new(file));
    let mut head = Vec::new();
    content.by_ref().take(HEAD as u64).read_until(0, &mut head)?;
    Ok(Some(Box::new(content)))
}

/// What a loose object is; `None` where its file is not there, can't be read, or is none.
pub fn kind(folder: &Path, oid: &Oid) -> Option<ObjectKind> {
    let mut raw = Vec::new();
    // A stream's first bytes hold the head, however long it is.
    open(folder, oid).ok()??.take(4096).read_to_end(&mut raw).ok()?;
    head(&raw).ok().map(|(kind, _, _)| kind)
}

/// Kind, size in bytes, and length of the head itself.
fn head(raw: &[u8]) -> Result<(ObjectKind, u64, usize), LooseError> {
    let head = inflate_head(raw, HEAD).map_err(|_| LooseError::Damaged)?;
    let end = memchr::memchr(0, &head).ok_or(LooseError::Damaged)?;
    let space = memchr::memchr(b' ', &head[..end]).ok_or(LooseError::Damaged)?;
    let kind = ObjectKind::from_word(&head[..space]).ok_or(LooseError::Damaged)?;
    let digits = std::str::from_utf8(&head[space + 1..end]).ok();
    let size = digits.and_then(|digits| digits.parse().ok()).ok_or(LooseError::Damaged)?;
    Ok((kind, size, end + 1))
}

fn decode(raw: &[u8], most: u64) -> Result<Object, LooseError> {
    let (kind, size, head_len) = head(raw)?;
    if size > most {
        return Err(LooseError::TooBig(size));
    }
    // No stream of this length holds so much: zlib shrinks to a thousandth at best.
    if size / 1100 > raw.len() as u64 {
        return Err(LooseError::Damaged);
    }
    let size = usize::try_from(size).map_err(|_| LooseError::TooBig(size))?;
    let mut bytes = Vec::new();
    Inflater::default().inflate(raw, head_len + size, &mut bytes).map_err(|_| LooseError::Damaged)?;
    bytes.drain(..head_len);
    Ok(Object { kind, bytes })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn encode(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_loose_object_is_its_kind_and_bytes() {
        let object = decode(&encode(b"blob 5\0hello"), 100).unwrap();
        assert_eq!(object, Object { kind: ObjectKind::Blob, bytes: b"hello".to_vec() });
        assert_eq!(decode(&encode(b"blob 0\0"), 100).unwrap().bytes, b"");
    }

    #[test]
    fn what_does_not_hold_what_it_says_is_refused() {
        for text in [&b"blob 6\0hello"[..], b"blob 4\0hello", b"blub 5\0hello", b"blob x\0hello", b"blob 5"] {
            assert!(matches!(decode(&encode(text), 100), Err(LooseError::Damaged)), "{text:?}");
        }
        assert!(matches!(decode(&encode(b"blob 1000000000000\0hello"), u64::MAX), Err(LooseError::Damaged)));
        assert!(matches!(decode(&encode(b"blob 500\0hello"), 100), Err(LooseError::TooBig(500))));
        assert!(matches!(decode(b"", 100), Err(LooseError::Damaged)));
    }
}
