//! Packs written by hand: with deltas that git would never choose, and with such that no honest program writes.

use std::{fs, io::Write};

use flate2::{Compression, write::ZlibEncoder};

use super::git::Repo;

/// One instruction of a delta.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// So many bytes of the base, from an offset on.
    Copy(usize, usize),
    Insert(Vec<u8>),
}

/// The kinds of object, by the number that packs give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit = 1,
    Tree = 2,
    Blob = 3,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
        }
    }
}

/// An entry that stands in the pack.
struct Placed {
    id: [u8; 20],
    offset: u64,
    crc: u32,
}

/// A pack of version 2 with an index of version 2, for SHA-1 repositories.
pub(crate) struct Pack {
    bytes: Vec<u8>,
    placed: Vec<Placed>,
}

impl Pack {
    pub(crate) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), placed: Vec::new() }
    }

    /// Where the next entry will stand.
    pub(crate) fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// An object as it is; its id.
    pub(crate) fn whole(&mut self, kind: Kind, bytes: &[u8]) -> String {
        let id = object_id(kind, bytes);
        self.entry(id, &header(kind as u8, bytes.len()), bytes);
        hex(id)
    }

    /// A blob as a delta of the entry at `base`.
    pub(crate) fn ofs_delta(&mut self, base: u64, delta: &Delta, id: [u8; 20]) -> u64 {
        let at = self.end();
        let mut head = header(6, delta.bytes.len());
        head.extend(distance(at - base));
        self.entry(id, &head, &delta.bytes);
        at
    }

    /// A blob as a delta of the object with this id.
    pub(crate) fn ref_delta(&mut self, base: [u8; 20], delta: &Delta, id: [u8; 20]) -> u64 {
        let at = self.end();
        let mut head = header(7, delta.bytes.len());
        head.extend(base);
        self.entry(id, &head, &delta.bytes);
        at
    }

    /// An entry of any header.
    pub(crate) fn entry(&mut self, id: [u8; 20], head: &[u8], bytes: &[u8]) {
        let offset = self.end();
        let raw = [head, &deflated(bytes)].concat();
        self.placed.push(Placed { id, offset, crc: crc32fast::hash(&raw) });
        self.bytes.extend(raw);
    }

    /// Writes pack and index into the repository.
    pub(crate) fn write(mut self, repo: &Repo) {
        let count = u32::try_from(self.placed.len()).expect("few entries");
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        let trailer = sha1(&self.bytes);
        self.bytes.extend(trailer);
        self.placed.sort_by_key(|entry| entry.id);
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255_u8 {
            let upto = self.placed.partition_point(|entry| entry.id[0] <= first);
            index.extend(u32::try_from(upto).expect("few entries").to_be_bytes());
        }
        self.placed.iter().for_each(|entry| index.extend(entry.id));
        self.placed.iter().for_each(|entry| index.extend(entry.crc.to_be_bytes()));
        let offset = |entry: &Placed| u32::try_from(entry.offset).expect("a small pack").to_be_bytes();
        self.placed.iter().for_each(|entry| index.extend(offset(entry)));
        index.extend(trailer);
        index.extend(sha1(&index));
        let folder = repo.git_path("objects/pack");
        fs::create_dir_all(&folder).expect("make the folder of packs");
        let stem = folder.join(format!("pack-{}", hex(trailer)));
        fs::write(stem.with_extension("pack"), self.bytes).expect("write a pack");
        fs::write(stem.with_extension("idx"), index).expect("write its index");
    }
}

/// A delta, with what it makes of its base.
pub(crate) struct Delta {
    pub(crate) bytes: Vec<u8>,
    pub(crate) result: Vec<u8>,
}

impl Delta {
    /// Of instructions that lie within the base.
    pub(crate) fn new(base: &[u8], ops: &[Op]) -> Self {
        let mut result = Vec::new();
        for op in ops {
            match op {
                Op::Copy(offset, length) => result.extend_from_slice(&base[*offset..offset + length]),
                Op::Insert(bytes) => result.extend_from_slice(bytes),
            }
        }
        Self { bytes: encoded(base.len(), result.len(), ops), result }
    }

    /// Of instructions that may lie anywhere, with sizes that may be wrong.
    pub(crate) fn lying(base: usize, result: usize, ops: &[Op]) -> Self {
        Self { bytes: encoded(base, result, ops), result: Vec::new() }
    }

    pub(crate) fn id(&self) -> [u8; 20] {
        object_id(Kind::Blob, &self.result)
    }
}

fn encoded(base: usize, result: usize, ops: &[Op]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_size(&mut bytes, base);
    write_size(&mut bytes, result);
    for op in ops {
        match op {
            Op::Copy(offset, length) => write_copies(&mut bytes, *offset, *length),
            Op::Insert(inserted) => inserted.chunks(127).for_each(|chunk| {
                bytes.push(u8::try_from(chunk.len()).expect("at most 127"));
                bytes.extend_from_slice(chunk);
            }),
        }
    }
    bytes
}

fn write_size(bytes: &mut Vec<u8>, mut size: usize) {
    while size >= 0x80 {
        bytes.push(0x80 | (size & 0x7f) as u8);
        size >>= 7;
    }
    bytes.push(size as u8);
}

/// One copy takes at most 2^24 - 1 bytes.
fn write_copies(bytes: &mut Vec<u8>, mut offset: usize, mut length: usize) {
    const MOST: usize = 0xff_ffff;
    while length > 0 {
        let now = length.min(MOST);
        let at = bytes.len();
        bytes.push(0x80);
        for (bit, byte) in offset.to_le_bytes()[..4].iter().enumerate().filter(|(_, byte)| **byte != 0) {
            bytes[at] |= 1 << bit;
            bytes.push(*byte);
        }
        // No size at all means 2^16.
        if now != 0x1_0000 {
            for (bit, byte) in now.to_le_bytes()[..3].iter().enumerate().filter(|(_, byte)| **byte != 0) {
                bytes[at] |= 0x10 << bit;
                bytes.push(*byte);
            }
        }
        offset += now;
        length -= now;
    }
}

/// The header of an entry: its type and the size of what follows, once inflated.
pub(crate) fn header(kind: u8, size: usize) -> Vec<u8> {
    let mut first = (kind << 4) | (size & 0x0f) as u8;
    let mut rest = size >> 4;
    let mut bytes = Vec::new();
    while rest > 0 {
        bytes.push(first | 0x80);
        first = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    bytes.push(first);
    bytes
}

/// How far back an offset delta's base stands.
pub(crate) fn distance(mut back: u64) -> Vec<u8> {
    let mut bytes = vec![(back & 0x7f) as u8];
    back >>= 7;
    while back > 0 {
        back -= 1;
        bytes.insert(0, 0x80 | (back & 0x7f) as u8);
        back >>= 7;
    }
    bytes
}

pub(crate) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("write to memory");
    encoder.finish().expect("write to memory")
}

/// A loose object's file, of a header that may lie.
pub(crate) fn loose(header: &str, bytes: &[u8]) -> Vec<u8> {
    deflated(&[header.as_bytes(), b"\0", bytes].concat())
}

pub(crate) fn object_id(kind: Kind, bytes: &[u8]) -> [u8; 20] {
    sha1(&[format!("{} {}\0", kind.word(), bytes.len()).as_bytes(), bytes].concat())
}

pub(crate) fn hex(id: [u8; 20]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn raw_id(hex: &str) -> [u8; 20] {
    let mut id = [0; 20];
    for (index, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("an id is hexadecimal");
    }
    id
}

/// SHA-1 as FIPS 180-4 has it.
pub(crate) fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks(4)) {
            *word = u32::from_be_bytes(bytes.try_into().expect("four bytes"));
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
            (e, d, c, b) = (d, c, b.rotate_left(30), a);
            a = next.wrapping_add(constant).wrapping_add(*word);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[test]
fn hand_written_packs_are_what_git_reads() {
    let repo = Repo::new();
    let base = b"a base of some length, to be copied from\n".repeat(4000);
    let mut pack = Pack::new();
    let at = pack.end();
    let id = pack.whole(Kind::Blob, &base);
    assert_eq!(repo.git_fed(&base, &["hash-object", "--stdin"]).trim_ascii(), id.as_bytes());
    let ops =
        [Op::Copy(100_000, 70), Op::Insert(vec![b'x'; 300]), Op::Copy(0, 0x1_0000), Op::Copy(5, 99_999)];
    let one = Delta::new(&base, &ops);
    let two = Delta::new(&one.result, &[Op::Insert(b"y".to_vec()), Op::Copy(71, 600), Op::Copy(0, 1)]);
    let middle = pack.ofs_delta(at, &one, one.id());
    pack.ofs_delta(middle, &two, two.id());
    let three = Delta::new(&two.result, &[Op::Copy(1, 7)]);
    pack.ref_delta(two.id(), &three, three.id());
    pack.write(&repo);
    repo.git(&["fsck", "--full", "--strict"]);
    for delta in [one, two, three] {
        assert_eq!(repo.git(&["cat-file", "blob", &hex(delta.id())]), delta.result);
    }
}
