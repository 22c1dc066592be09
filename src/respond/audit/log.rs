//! The log as it is written: one entry after the other, each for good before the next.
//!
//! An entry is written and synced first, then `head.json`. So after a crash at any instant the log is as `head.json` says, or one whole entry
//! ahead of it, which [`AuditLog::open`] and the next append take in, or a part of an entry ahead: nobody was told that that one was written, so
//! it is cut off, and an entry of its own says so. Anything else is no crash, and nothing more is written.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    Action, AuditError, AuditKey, Event, EventType, Receipt, User,
    files::{Files, HeadState, LONGEST_LINE, Tip, segment_name},
    seal::{Digest, Purpose, Sealed},
};
use crate::store::file;

/// What holds for all that a process writes.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Who did it, where an event does not say.
    pub user: User,
    /// Metadata of every event that does not say otherwise itself: `incident`, `role`, `request_id`.
    pub common: BTreeMap<String, String>,
    /// A segment that would grow beyond this, in bytes, is followed by the next.
    pub segment_bytes: u64,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { user: User::new("hekate"), common: BTreeMap::new(), segment_bytes: 16 << 20 }
    }
}

/// The log, to be written to: by any number of threads and processes at a time.
#[derive(Debug)]
pub struct AuditLog {
    files: Files,
    key: AuditKey,
    options: AuditOptions,
    /// Threads of this process wait here, others at the lock file.
    turn: Mutex<()>,
}

/// An entry without its MAC.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    event: &'a Event,
    seq: u64,
    previous: String,
}

/// What places an entry in the chain.
#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) seq: u64,
    previous: String,
}

impl Link {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    pub(super) fn previous(&self) -> Option<Digest> {
        self.previous.parse().ok()
    }
}

impl AuditLog {
    /// Opens the log in a folder, which is made where it is not there; what a crash left is put right.
    ///
    /// # Errors
    /// [`AuditError`]: the folder can't be used, the log is broken or has another key.
    pub fn open(folder: &Path, key: AuditKey, options: AuditOptions) -> Result<Self, AuditError> {
        file::make_folder(folder)?;
        let log = Self { files: Files::new(folder), key, options, turn: Mutex::new(()) };
        log.head()?;
        Ok(log)
    }

    /// Writes an event, for good.
    ///
    /// # Errors
    /// [`AuditError`]: it is not written, or not for good; whatever the event was about should not go on.
    pub fn append(&self, event: Event) -> Result<Receipt, AuditError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock()?;
        let tip = self.settle()?;
        Ok(self.write(&tip, event)?.receipt)
    }

    /// How far the log is: for notifications.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub fn head(&self) -> Result<Receipt, AuditError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock()?;
        Ok(self.settle()?.receipt)
    }

    /// Where the log ends, with what a crash left put right.
    fn settle(&self) -> Result<Tip, AuditError> {
        let tip = match self.files.read_head(&self.key)? {
            HeadState::Authentic(tip) => tip,
            HeadState::ForeignKey => return Err(AuditError::ForeignKey { folder: self.files.name() }),
            HeadState::Changed => return Err(self.broken("head.json was changed")),
            HeadState::Missing => self.begin()?,
        };
        let (segment, from) = self.end_of(&tip)?;
        let rest = self.files.tail(segment, from, LONGEST_LINE);
        let rest = if self.files.length(segment)? == from { Vec::new() } else { rest? };
        match rest.iter().position(|byte| *byte == b'\n') {
            None if rest.is_empty() => Ok(tip),
            None if rest.len() as u64 <= LONGEST_LINE => self.cut_off(&tip, segment, from, rest.len()),
            Some(end) if end + 1 == rest.len() => self.take_in(&tip, segment, from, &rest[..end]),
            _ => Err(self.broken(&format!("{} has more than head.json says", segment_name(segment)))),
        }
    }

    /// A new log: `head.json` is there before the first entry, so that one that is missing later was taken away.
    fn begin(&self) -> Result<Tip, AuditError> {
        if !self.files.segments()?.is_empty() {
            return Err(self.broken("head.json is missing"));
        }
        let tip = Tip { receipt: Receipt { count: 0, head: self.key.start() }, segment: 1, bytes: 0 };
        self.files.write_head(&self.key, &tip)?;
        Ok(tip)
    }

    /// The last segment that is there, and how long it should be.
    fn end_of(&self, tip: &Tip) -> Result<(u32, u64), AuditError> {
        let segments = self.files.segments()?;
        let last = segments.last().copied().unwrap_or(tip.segment);
        let is_whole = segments.iter().copied().eq(1..=segments.len() as u32);
        let length = self.files.length(tip.segment)?;
        if !is_whole || length < tip.bytes {
            return Err(self.broken("entries are missing at its end, or a whole segment is"));
        }
        match last.checked_sub(tip.segment) {
            Some(0) => Ok((last, tip.bytes)),
            // It was begun when the one before was full.
            Some(1) if length == tip.bytes => Ok((last, 0)),
            _ => Err(self.broken(&format!("{} is not the last segment", segment_name(tip.segment)))),
        }
    }

    /// A whole entry that `head.json` does not know of yet.
    fn take_in(&self, tip: &Tip, segment: u32, from: u64, line: &[u8]) -> Result<Tip, AuditError> {
        let sealed = Sealed::parse(line).filter(|sealed| self.key.is_authentic(Purpose::Entry, sealed));
        let link = Link::parse(line);
        let follows = link.is_some_and(|link| {
            link.seq == tip.receipt.count + 1 && link.previous() == Some(tip.receipt.head)
        });
        let Some(sealed) = sealed.filter(|_| follows) else {
            let what = format!("{} ends with a line that is no entry of it", segment_name(segment));
            return Err(self.broken(&what));
        };
        let tip = Tip {
            receipt: Receipt { count: tip.receipt.count + 1, head: sealed.digest },
            segment,
            bytes: from + line.len() as u64 + 1,
        };
        self.files.write_head(&self.key, &tip)?;
        Ok(tip)
    }

    /// A part of an entry: nobody was told that it was written.
    fn cut_off(&self, tip: &Tip, segment: u32, from: u64, length: usize) -> Result<Tip, AuditError> {
        self.files.cut(segment, from)?;
        let event = Event::new(EventType::Audit, Action::AUDIT_REPAIRED)
            .with("file", segment_name(segment))
            .with("bytes", length)
            .with("reason", "a part of an entry that a crash had left was cut off");
        self.write(tip, event)
    }

    fn write(&self, tip: &Tip, event: Event) -> Result<Tip, AuditError> {
        let event = event.with_common(&self.options.user, &self.options.common);
        let count = tip.receipt.count + 1;
        let body = Body { event: &event, seq: count, previous: tip.receipt.head() };
        let object = serde_json::to_string(&body).expect("texts and numbers are JSON");
        let (mut line, head) = self.key.seal(Purpose::Entry, &object);
        line.push('\n');
        let length = line.len() as u64;
        let is_full = tip.bytes > 0 && tip.bytes + length > self.options.segment_bytes;
        let (segment, from) = if is_full { (tip.segment + 1, 0) } else { (tip.segment, tip.bytes) };
        self.files.append(segment, line.as_bytes())?;
        let tip = Tip { receipt: Receipt { count, head }, segment, bytes: from + length };
        self.files.write_head(&self.key, &tip)?;
        Ok(tip)
    }

    fn broken(&self, what: &str) -> AuditError {
        AuditError::Broken { folder: self.files.name(), what: what.to_owned() }
    }
}
