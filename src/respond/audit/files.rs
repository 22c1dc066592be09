//! The folder of a log: segments with the entries, `head.json` that says how far they go, and a lock.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    AuditError, AuditKey,
    seal::{Purpose, Receipt, Sealed},
};
use crate::store::{StoreError, file, lock};

/// No line of a log is longer, in bytes: events are capped far below.
pub(super) const LONGEST_LINE: u64 = 256 << 10;
const SCHEMA: &str = "hekate.audit-head/1";
/// Another one writes for milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where things lie in a log's folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

/// How far a log goes, as its last writer left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) receipt: Receipt,
    /// The segment with the last entry, counted from 1.
    pub(super) segment: u32,
    /// How long that segment is, in bytes.
    pub(super) bytes: u64,
}

/// `head.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
    count: u64,
    head: String,
    segment: u32,
    bytes: u64,
    key: String,
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "it is checked as bytes, before the rest is read")]
    mac: String,
}

/// A line of a segment.
pub(super) enum Line<'a> {
    /// With its line feed, which is not shown.
    Whole(&'a [u8]),
    /// What stands behind the last line feed.
    Torn(&'a [u8]),
}

/// What `head.json` says, if it can be believed.
pub(super) enum HeadState {
    Missing,
    Authentic(Tip),
    ForeignKey,
    Changed,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(super) fn name(&self) -> String {
        self.folder.display().to_string()
    }

    /// The file of a segment, by its number from 1.
    pub(super) fn segment(&self, number: u32) -> PathBuf {
        self.folder.join(segment_name(number))
    }

    fn head(&self) -> PathBuf {
        self.folder.join("head.json")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// Waits for its turn. It is held as long as the file is open.
    pub(super) fn lock(&self) -> Result<File, AuditError> {
        let path = self.lock_file();
        let file = lock::acquire(&path, PATIENCE).map_err(|error| file::trouble("lock", &path, error))?;
        file.ok_or_else(|| AuditError::Busy { folder: self.name() })
    }

    /// The same for who only reads: a copy on a medium that can't be written to has no other writer.
    pub(super) fn lock_to_read(&self) -> Result<Option<File>, AuditError> {
        let path = self.lock_file();
        if !path.exists() {
            return Ok(None);
        }
        match lock::acquire(&path, PATIENCE) {
            Ok(Some(file)) => Ok(Some(file)),
            Ok(None) => Err(AuditError::Busy { folder: self.name() }),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(file::trouble("lock", &path, error).into()),
        }
    }

    /// Numbers of the segments that are there, in order. What stands empty behind the last entry was begun just before a crash, and is as good as
    /// not there.
    pub(super) fn segments(&self) -> Result<Vec<u32>, StoreError> {
        let failed = |error: io::Error| file::trouble("list", &self.folder, error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            numbers.extend(segment_number(&entry.map_err(failed)?.file_name().to_string_lossy()));
        }
        numbers.sort_unstable();
        while let Some(last) = numbers.last()
            && self.length(*last)? == 0
        {
            numbers.pop();
        }
        Ok(numbers)
    }

    pub(super) fn read_head(&self, key: &AuditKey) -> Result<HeadState, StoreError> {
        let Some(bytes) = file::read(&self.head())? else { return Ok(HeadState::Missing) };
        let Some(line) = bytes.strip_suffix(b"\n") else { return Ok(HeadState::Changed) };
        let head: Option<Head> = serde_json::from_slice(line).ok();
        let is_authentic = Sealed::parse(line).is_some_and(|sealed| key.is_authentic(Purpose::Head, &sealed));
        let Some(head) = head.filter(|head| head.schema == SCHEMA) else { return Ok(HeadState::Changed) };
        if !is_authentic {
            let is_foreign = head.key != key.id();
            return Ok(if is_foreign { HeadState::ForeignKey } else { HeadState::Changed });
        }
        let Ok(digest) = head.head.parse() else { return Ok(HeadState::Changed) };
        let receipt = Receipt { count: head.count, head: digest };
        Ok(HeadState::Authentic(Tip { receipt, segment: head.segment, bytes: head.bytes }))
    }

    /// Puts the new `head.json` in the place of the old one, at once and for good.
    pub(super) fn write_head(&self, key: &AuditKey, tip: &Tip) -> Result<(), StoreError> {
        let head = Head {
            schema: SCHEMA.to_owned(),
            count: tip.receipt.count,
            head: tip.receipt.head(),
            segment: tip.segment,
            bytes: tip.bytes,
            key: key.id(),
            mac: String::new(),
        };
        let object = serde_json::to_string(&head).expect("numbers and texts are JSON");
        file::replace(&self.head(), format!("{}\n", key.seal(Purpose::Head, &object).0).as_bytes())
    }

    /// Length of a segment in bytes; 0 where it is not there.
    pub(super) fn length(&self, segment: u32) -> Result<u64, StoreError> {
        let path = self.segment(segment);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
            Ok(_) => Err(file::trouble("read", &path, "it is no file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(file::trouble("read", &path, error)),
        }
    }

    /// What a segment has from a byte on, one byte more than `most` at most.
    pub(super) fn tail(&self, segment: u32, from: u64, most: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.segment(segment);
        let read = || {
            let mut file = open(&path, OpenOptions::new().read(true))?;
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(most + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: io::Error| file::trouble("read", &path, error))
    }

    /// Shows every line of a segment, with its number from 1. What is too long for a line is shown cut, and so never authentic.
    pub(super) fn each_line(
        &self,
        segment: u32,
        mut see: impl FnMut(u64, Line<'_>),
    ) -> Result<(), StoreError> {
        let path = self.segment(segment);
        let mut read = || {
            let mut reader = BufReader::new(open(&path, OpenOptions::new().read(true))?);
            let mut bytes = Vec::new();
            for number in 1.. {
                bytes.clear();
                if reader.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes)? == 0 {
                    break;
                }
                let is_cut = bytes.len() as u64 > LONGEST_LINE && !bytes.ends_with(b"\n");
                if is_cut {
                    reader.skip_until(b'\n')?;
                }
                match bytes.strip_suffix(b"\n") {
                    Some(line) => see(number, Line::Whole(line)),
                    None if is_cut => see(number, Line::Whole(&bytes)),
                    None => see(number, Line::Torn(&bytes)),
                }
            }
            Ok(())
        };
        read().map_err(|error: io::Error| file::trouble("read", &path, error))
    }

    /// Adds bytes to the end of a segment, made where it is not there, for good.
    pub(super) fn append(&self, segment: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.segment(segment);
        let is_new = !path.exists();
        let write = || {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = open(&path, &mut options)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| file::trouble("write", &path, error))?;
        if is_new { file::sync(&self.folder) } else { Ok(()) }
    }

    /// Cuts a segment to a length, for good.
    pub(super) fn cut(&self, segment: u32, length: u64) -> Result<(), StoreError> {
        let path = self.segment(segment);
        let cut = || {
            let file = open(&path, OpenOptions::new().write(true))?;
            file.set_len(length)?;
            file.sync_all()
        };
        cut().map_err(|error: io::Error| file::trouble("repair", &path, error))
    }
}

/// Opens a file, not a link, a pipe or a device.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

pub(super) fn segment_name(number: u32) -> String {
    format!("audit.{number:06}.jsonl")
}

fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("audit.")?.strip_suffix(".jsonl")?.parse().ok()?;
    // One spelling each.
    (number > 0 && segment_name(number) == name).then_some(number)
}
