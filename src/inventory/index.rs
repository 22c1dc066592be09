//! The index of known values: a file of keyed hashes, made from what the manager holds.
//!
//! ```text
//! "hekate index 1\n"   the format's name
//! 8 bytes              which key it was made under
//! 8 bytes              when, seconds since 1970, little-endian
//! 24 bytes             nonce
//! rest                 XChaCha20-Poly1305 of the body, with all before it as associated data
//! ```
//!
//! No value is in it and no key; names, lengths and hashes are encrypted, and a file that was cut or changed is refused. Whoever has the
//! key can ask the index whether a guess is right: so weak values are left out.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, AeadInOut, Payload},
};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Weakness;
use crate::detect::known::{Entry, Form, KnownKey, KnownValues, Table, ValueId, Whereabouts, White};

const MAGIC: &[u8] = b"hekate index 1\n";
const KEY_ID: usize = 8;
const CREATED: usize = 8;
const NONCE: usize = 24;
/// What authenticates the whole, at the end.
const TAG: usize = 16;
/// What stands before the encrypted body.
const HEAD: usize = MAGIC.len() + KEY_ID + CREATED + NONCE;
/// Bigger files are refused, in bytes: about ten million values.
const MOST: u64 = 2 << 30;

/// The keys of an index, from the one that `HEKATE_KEY` gives for this purpose.
pub struct IndexKey {
    file: Zeroizing<[u8; 32]>,
    values: KnownKey,
    id: [u8; KEY_ID],
}

impl IndexKey {
    /// What HKDF is told, so that the user's key gives one for indexes.
    pub const PURPOSE: &[u8] = b"hekate index v1";

    /// From 32 secret bytes that serve nothing else.
    pub fn new(secret: &[u8; 32]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret);
        let mut file = Zeroizing::new([0; 32]);
        let mut values = Zeroizing::new([0; 32]);
        let mut id = [0; KEY_ID];
        let expect = "they are valid HKDF-SHA-256 lengths";
        hkdf.expand(b"file", file.as_mut_slice()).expect(expect);
        hkdf.expand(b"values", values.as_mut_slice()).expect(expect);
        hkdf.expand(b"id", &mut id).expect(expect);
        Self { file, values: KnownKey::new(&values), id }
    }

    /// What values are hashed under.
    pub fn values(&self) -> &KnownKey {
        &self.values
    }
}

/// What an index says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The manager it was made from.
    pub store: String,
    /// Environments it covers, with how many values of each.
    pub environments: Vec<(String, u64)>,
    /// What could not be read: where, and why.
    pub denied: Vec<(String, String)>,
    /// Values that are not looked for: where, and why.
    pub left_out: Vec<(String, Weakness)>,
}

/// An index, opened.
#[derive(Debug)]
pub struct Index {
    /// The values.
    pub known: KnownValues,
    /// When it was made, seconds since 1970.
    pub created: u64,
    /// What it covers.
    pub about: About,
}

/// An index that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file.
    #[error("read the index {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else, or of another version of hekate.
    #[error("{}: this is no index that this hekate reads; make it with `hekate inventory pull`", .0.display())]
    Foreign(PathBuf),
    /// The key is another one.
    #[error(
        "{}: the index was made under another key than the one in HEKATE_KEY (or HEKATE_KEY_FILE); with this key it finds \
         nothing. Give that key, or pull the index anew", .0.display()
    )]
    WrongKey(PathBuf),
    /// It was cut or changed.
    #[error("{}: the index was cut or changed since it was made; pull it anew", .0.display())]
    Damaged(PathBuf),
}

/// What stands behind the entries.
#[derive(Serialize, Deserialize)]
struct Tail {
    white: (bool, bool),
    /// Of the table.
    name: String,
    about: About,
    /// How many values there are.
    values: u64,
}

/// Where the values lie: read when something was found.
#[derive(Serialize, Deserialize)]
struct Places {
    /// Environments and folders, which are named by number.
    words: Vec<String>,
    whereabouts: Vec<Vec<Packed>>,
}

/// Environment and folder by number, name, version, whether it is the current one.
type Packed = (u32, u32, String, u64, bool);

/// What goes into an index.
pub(super) struct Contents {
    pub(super) table: Table,
    pub(super) whereabouts: Vec<Vec<Whereabouts>>,
    pub(super) about: About,
}

/// The bytes of an index file.
///
/// # Errors
/// That the system has no randomness.
pub(super) fn seal(contents: &Contents, key: &IndexKey, created: u64) -> io::Result<Vec<u8>> {
    let body = Zeroizing::new(body_of(contents, key));
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    let mut file = Vec::with_capacity(HEAD + body.len() + TAG);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&key.id);
    file.extend_from_slice(&created.to_le_bytes());
    file.extend_from_slice(&nonce);
    let payload = Payload { msg: &body, aad: &file };
    let sealed =
        cipher(key).encrypt(&XNonce::from(nonce), payload).expect("an index is short enough to be sealed");
    file.extend_from_slice(&sealed);
    Ok(file)
}

fn cipher(key: &IndexKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.file).into())
}

fn body_of(contents: &Contents, key: &IndexKey) -> Vec<u8> {
    let Contents { table, whereabouts, about } = contents;
    let mut body = (table.len() as u64).to_le_bytes().to_vec();
    body.extend(table.entries().flat_map(|entry| entry.mark.to_le_bytes()));
    body.extend(table.entries().flat_map(|entry| entry.value.0.to_le_bytes()));
    body.extend(table.entries().flat_map(|entry| entry.len.to_le_bytes()));
    body.extend(table.entries().map(|entry| entry.form as u8));
    body.extend(table.entries().flat_map(|entry| entry.tag));
    let mut words: Vec<String> = Vec::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut number = |word: &str| {
        *numbers.entry(word.to_owned()).or_insert_with(|| {
            words.push(word.to_owned());
            u32::try_from(words.len() - 1).expect("there are fewer folders than that")
        })
    };
    let mut pack = |place: &Whereabouts| -> Packed {
        let (folder, name) = place.path.rsplit_once('/').unwrap_or(("", &place.path));
        (number(&place.environment), number(folder), name.to_owned(), place.version, place.current)
    };
    let values = whereabouts.len() as u64;
    let whereabouts = whereabouts.iter().map(|places| places.iter().map(&mut pack).collect()).collect();
    let White { at_start, anywhere } = table.white();
    let tail =
        Tail { white: (at_start, anywhere), name: key.values.name_of(table), about: about.clone(), values };
    let expect = "an index is written to memory";
    let body = postcard::to_extend(&tail, body).expect(expect);
    postcard::to_extend(&Places { words, whereabouts }, body).expect(expect)
}

impl Index {
    /// Reads and opens an index file.
    ///
    /// # Errors
    /// What is wrong with the file, or that the key is not the one it was made under.
    pub fn load(path: &Path, key: &IndexKey) -> Result<Self, IndexError> {
        let fail = |source| IndexError::Read { path: path.to_owned(), source };
        Self::open(&mut read(path).map_err(fail)?, path, key)
    }

    /// Opens what was read, in its place.
    fn open(file: &mut [u8], path: &Path, key: &IndexKey) -> Result<Self, IndexError> {
        if !file.starts_with(MAGIC) || file.len() as u64 > MOST {
            return Err(IndexError::Foreign(path.to_owned()));
        }
        let damaged = || IndexError::Damaged(path.to_owned());
        let (head, sealed) = file.split_at_mut_checked(HEAD).ok_or_else(damaged)?;
        let (body, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or_else(damaged)?;
        let (id, rest) = head[MAGIC.len()..].split_at(KEY_ID);
        if id != key.id {
            return Err(IndexError::WrongKey(path.to_owned()));
        }
        let (created, nonce) = rest.split_at(CREATED);
        let nonce: [u8; NONCE] = nonce.try_into().expect("the head ends with it");
        let tag: chacha20poly1305::Tag = (*tag).into();
        let opened =
            cipher(key).decrypt_inout_detached(&XNonce::from(nonce), head, (&mut *body).into(), &tag);
        opened.map_err(|_| damaged())?;
        let created = u64::from_le_bytes(created.try_into().expect("eight bytes"));
        let (table, tail, places) = parse(body).ok_or_else(damaged)?;
        if table.entries().any(|entry| u64::from(entry.value.0) >= tail.values) {
            return Err(damaged());
        }
        let places = places.to_vec();
        // The file is authentic, so that what it holds can be read.
        let read =
            move || postcard::from_bytes(&places).ok().and_then(|places| unpack(&places)).unwrap_or_default();
        let known = KnownValues::new(key.values.clone(), table, tail.name, read);
        Ok(Self { known, created, about: tail.about })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let open = fs::File::open(path)?;
    let len = usize::try_from(open.metadata()?.len().min(MOST)).unwrap_or(0);
    let mut file = Vec::with_capacity(len + 1);
    open.take(MOST + 1).read_to_end(&mut file)?;
    Ok(file)
}

fn parse(body: &[u8]) -> Option<(Table, Tail, &[u8])> {
    const ENTRY: usize = 4 + 4 + 2 + 1 + 16;
    let (count, rest) = body.split_first_chunk::<8>()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (columns, tail) = rest.split_at_checked(count.checked_mul(ENTRY)?)?;
    let (marks, columns) = columns.split_at(4 * count);
    let (values, columns) = columns.split_at(4 * count);
    let (lens, columns) = columns.split_at(2 * count);
    let (forms, tags) = columns.split_at(count);
    let (marks, values) = (marks.as_chunks::<4>().0, values.as_chunks::<4>().0);
    let (lens, tags) = (lens.as_chunks::<2>().0, tags.as_chunks::<16>().0);
    let entry = |at: usize| {
        Some(Entry {
            mark: u32::from_le_bytes(marks[at]),
            len: u16::from_le_bytes(lens[at]),
            form: *Form::ALL.get(usize::from(forms[at]))?,
            value: ValueId(u32::from_le_bytes(values[at])),
            tag: tags[at],
        })
    };
    // The count is that of bytes which are there.
    let mut entries = Vec::with_capacity(count);
    for at in 0..count {
        entries.push(entry(at)?);
    }
    let (tail, places): (Tail, &[u8]) = postcard::take_from_bytes(tail).ok()?;
    let (at_start, anywhere) = tail.white;
    Some((Table::new(entries, White { at_start, anywhere }), tail, places))
}

fn unpack(places: &Places) -> Option<Vec<Vec<Whereabouts>>> {
    let unpack = |(environment, folder, name, version, current): &Packed| {
        let folder = places.words.get(*folder as usize)?;
        Some(Whereabouts {
            environment: places.words.get(*environment as usize)?.clone(),
            path: format!("{folder}/{name}"),
            version: *version,
            current: *current,
        })
    };
    places.whereabouts.iter().map(|places| places.iter().map(unpack).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::known::Entries;

    fn contents(key: &IndexKey) -> Contents {
        let mut entries = Entries::default();
        entries.add(key.values(), ValueId(0), b"Zk3-not-a-word-91");
        let place = |version, current| Whereabouts {
            environment: "production".into(),
            path: "/a/b/NAME".into(),
            version,
            current,
        };
        let about = About { store: "dir:x".into(), ..About::default() };
        Contents {
            table: entries.into_table(),
            whereabouts: vec![vec![place(2, true), place(1, false)]],
            about,
        }
    }

    #[test]
    fn an_index_reads_back() {
        let key = IndexKey::new(&[1; 32]);
        let contents = contents(&key);
        let mut file = seal(&contents, &key, 42).unwrap();
        let index = Index::open(&mut file, Path::new("x.idx"), &key).unwrap();
        assert_eq!((index.created, &index.about), (42, &contents.about));
        assert_eq!(index.known.whereabouts(ValueId(0)), contents.whereabouts[0]);
        let entries = |table: &Table| table.entries().copied().collect::<Vec<Entry>>();
        assert_eq!(entries(index.known.table()), entries(&contents.table));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let key = IndexKey::new(&[1; 32]);
        let file = seal(&contents(&key), &key, 42).unwrap();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(Index::open(&mut changed, Path::new("x.idx"), &key).is_err(), "{at}");
            assert!(Index::open(&mut file.clone()[..at], Path::new("x.idx"), &key).is_err(), "{at}");
        }
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let key = IndexKey::new(&[1; 32]);
        let mut file = seal(&contents(&key), &key, 42).unwrap();
        let opened = Index::open(&mut file, Path::new("x.idx"), &IndexKey::new(&[2; 32]));
        assert!(matches!(opened, Err(IndexError::WrongKey(_))));
    }
}
