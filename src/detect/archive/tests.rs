//! Archives of every kind, whole, damaged and hostile.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder, write::GzEncoder};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = ::tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What a zip says of an entry.
#[derive(Clone, Copy)]
struct Said {
    flags: u16,
    method: u16,
    /// Where it says that the entry stands, if elsewhere.
    at: Option<u32>,
}

const PLAIN: Said = Said { flags: 0, method: 8, at: None };

/// A zip of entries, each with what is said of it; and where its directory starts.
fn zip_of(entries: &[(&str, &[u8], Said)]) -> (Vec<u8>, usize) {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content, said) in entries {
        let at = bytes.len() as u32;
        let packed = if said.method == 8 { deflate(content) } else { content.to_vec() };
        let sizes = [0_u32, packed.len() as u32, content.len() as u32];
        let name_len = (name.len() as u16).to_le_bytes();
        bytes.extend(LOCAL_MARK);
        for number in [20, said.flags, said.method, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
        bytes.extend(name_len);
        bytes.extend([0; 2]);
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend(b"PK\x01\x02");
        for number in [20, 20, said.flags, said.method, 0, 0] {
            directory.extend(number.to_le_bytes());
        }
        sizes.iter().for_each(|size| directory.extend(size.to_le_bytes()));
        directory.extend(name_len);
        directory.extend([0; 12]);
        directory.extend(said.at.unwrap_or(at).to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = bytes.len();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(entries.len() as u16).to_le_bytes(); 2].as_flattened());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend((start as u32).to_le_bytes());
    bytes.extend([0; 2]);
    (bytes, start)
}

const LOCAL_MARK: &[u8] = b"PK\x03\x04";

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_of(&entries.iter().map(|(name, bytes)| (*name, *bytes, PLAIN)).collect::<Vec<_>>()).0
}

/// Every entry of an archive called `a`, and every gap.
/// What was shown of an archive, and what was not.
type Opened = (Vec<(String, Vec<u8>)>, Vec<(String, GapReason)>);

fn open(bytes: &[u8]) -> Opened {
    let mut shown = Vec::new();
    let mut show = |path: &str, bytes: &[u8]| {
        shown.push((path.to_owned(), bytes.to_vec()));
        Ok(())
    };
    let archive = Archive::of(&bytes).unwrap().expect("it is an archive");
    let gaps = unpack(archive, &bytes, "a", &mut show).unwrap();
    (shown, gaps.into_iter().map(|gap| (gap.path, gap.reason)).collect())
}

fn entry(path: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (path.to_owned(), bytes.to_vec())
}

#[test]
fn every_kind_is_told_by_its_bytes_and_opened() {
    let text = b"first line\nsecond line\n".repeat(9);
    let entries: &[(&str, &[u8])] = &[("dir/one.txt", &text), ("two.txt", b"2")];
    let both = [entry("a!dir/one.txt", &text), entry("a!two.txt", b"2")];
    for archive in [zip(entries), tar(entries), gzip(&tar(entries)), bzip2(&tar(entries))] {
        assert_eq!(open(&archive), (both.to_vec(), vec![]));
    }
    for archive in [gzip(&text), bzip2(&text)] {
        assert_eq!(open(&archive), (vec![entry("a!content", &text)], vec![]));
    }
    // Made by `xz` and `zstd` of "hello archives\n".
    let xz: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16,
        0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x0e, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x61,
        0x72, 0x63, 0x68, 0x69, 0x76, 0x65, 0x73, 0x0a, 0x00, 0x00, 0xbe, 0xd9, 0x1d, 0x93, 0x83, 0x19, 0x2e,
        0x68, 0x00, 0x01, 0x27, 0x0f, 0xdf, 0x1a, 0xfc, 0x6a, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00,
        0x00, 0x04, 0x59, 0x5a,
    ];
    let zstd: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x79, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x61, 0x72,
        0x63, 0x68, 0x69, 0x76, 0x65, 0x73, 0x0a, 0x4b, 0x55, 0xfd, 0x50,
    ];
    let frames = [zstd, zstd].concat();
    assert_eq!(open(&frames).0, [entry("a!content", b"hello archives\nhello archives\n")]);
    for archive in [xz, zstd] {
        assert_eq!(open(archive), (vec![entry("a!content", b"hello archives\n")], vec![]));
    }
}

#[test]
fn archives_in_archives_are_opened_four_deep() {
    let mut bytes = b"the innermost text".to_vec();
    let mut path = String::new();
    for depth in 1..=MOST_DEPTH + 1 {
        bytes = zip(&[("i", &bytes)]);
        path.push_str("!i");
        if depth <= MOST_DEPTH {
            assert_eq!(open(&bytes), (vec![entry(&format!("a{path}"), b"the innermost text")], vec![]));
        }
    }
    let (shown, gaps) = open(&bytes);
    assert_eq!(shown.len(), 1, "the last one as it is");
    assert_eq!(gaps, [("a!i!i!i!i".to_owned(), GapReason::Cap)]);
}

#[test]
fn what_is_read_again_is_what_was_shown() {
    let bytes = zip(&[("x/inner.tgz", &gzip(&tar(&[("db.env", b"password"), ("b", b"")])))]);
    let content: &dyn Content = &bytes.as_slice();
    let path = "lib/a.zip!x/inner.tgz!db.env";
    assert_eq!(read_entry(content, "lib/a.zip", path).unwrap().as_deref(), Some(&b"password"[..]));
    assert_eq!(read_entry(content, "lib/a.zip", "lib/a.zip!none").unwrap(), None);
    assert_eq!(read_entry(&b"text".as_slice(), "lib/a.zip", path).unwrap(), None);
}

#[test]
fn truncated_archives_give_what_is_there_and_a_gap() {
    let text = b"some text that does not pack well: q8wz3x5c7v9b1n2m".repeat(40);
    let entries: &[(&str, &[u8])] = &[("one", b"1"), ("two", &text)];
    for whole in [zip(entries), tar(entries), gzip(&tar(entries)), gzip(&text), bzip2(&tar(entries))] {
        for len in [whole.len() - 1, whole.len() * 3 / 4, whole.len() / 2, 40] {
            let Some(_) = Archive::detect(&whole[..len]) else { continue };
            let (shown, gaps) = open(&whole[..len]);
            let is_whole = shown.iter().any(|(_, bytes)| *bytes == text);
            assert!(!gaps.is_empty() || is_whole, "{len} of {}", whole.len());
        }
    }
    let (bytes, directory) = zip_of(&[("one", b"first", PLAIN), ("two", b"second", PLAIN)]);
    let (shown, gaps) = open(&bytes[..directory]);
    assert_eq!(shown, [entry("a!one", b"first"), entry("a!two", b"second")]);
    assert_eq!(gaps, [("a".to_owned(), GapReason::Damaged)]);
}

#[test]
fn encrypted_and_unknown_entries_are_told_of() {
    let encrypted = Said { flags: 1, ..PLAIN };
    let unknown = Said { method: 99, ..PLAIN };
    let elsewhere = Said { at: Some(3), ..PLAIN };
    let (bytes, _) =
        zip_of(&[("a", b"1", encrypted), ("b", b"2", unknown), ("c", b"3", elsewhere), ("d", b"4", PLAIN)]);
    let (shown, gaps) = open(&bytes);
    assert_eq!(shown, [entry("a!d", b"4")]);
    let told = |path: &str, reason| (path.to_owned(), reason);
    assert_eq!(
        gaps,
        [told("a", GapReason::Encrypted), told("a!b", GapReason::Damaged), told("a!c", GapReason::Damaged)]
    );
}

#[test]
fn what_stands_before_a_zip_does_not_hide_it() {
    let mut bytes = b"Cr24 and a header of its own".to_vec();
    bytes.extend(zip(&[("one", b"first")]));
    assert_eq!(open(&bytes), (vec![entry("a!one", b"first")], vec![]));
}

#[test]
fn bombs_are_cut_and_told() {
    let zeros = vec![0; 8 << 20];
    // Ten entries that are one and the same stretch of bytes.
    let (one, directory) = zip_of(&[("a", zeros.as_slice(), PLAIN)]);
    let listing = &one[directory..one.len() - 22];
    let mut bomb = one[..directory].to_vec();
    (0..10).for_each(|_| bomb.extend(listing));
    let mut end = one[one.len() - 22..].to_vec();
    end[12..16].copy_from_slice(&(10 * listing.len() as u32).to_le_bytes());
    bomb.extend(end);
    let (shown, gaps) = open(&bomb);
    let out: usize = shown.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(out as u64 <= LEAST_BYTES, "{out}");
    assert!(gaps.contains(&("a".to_owned(), GapReason::Cap)), "{gaps:?}");
    // Nested: the budget is one for all.
    let inner = zip(&[("z", &zeros)]);
    let nested = zip(&[("1", &inner), ("2", &inner), ("3", &inner), ("4", &inner)]);
    let (shown, gaps) = open(&nested);
    assert!(
        shown.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            <= LEAST_BYTES + inner.len() as u64 * 4
    );
    assert!(gaps.iter().any(|(_, reason)| *reason == GapReason::Cap));
}

#[test]
fn arbitrary_damage_does_no_harm() {
    let text = b"text of some length ".repeat(30);
    let entries: &[(&str, &[u8])] = &[("one", &text), ("two", b"2")];
    let mut noise = 7_u64;
    let mut next = move || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (noise >> 33) as usize
    };
    for whole in [zip(entries), tar(entries), gzip(&tar(entries)), bzip2(&text)] {
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..=next() % 4 {
                let at = 8 + next() % (bytes.len() - 8);
                bytes[at] = next() as u8;
            }
            bytes.truncate(8 + next() % bytes.len());
            if Archive::detect(&bytes[..bytes.len().min(HEAD)]).is_some() {
                open(&bytes);
            }
        }
    }
}
