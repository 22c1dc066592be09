//! Whether a log is as it was written, and where it is not.

use std::{collections::HashSet, fmt, path::Path};

use serde::Serialize;

use super::{
    AuditError, AuditKey, Receipt,
    files::{Files, HeadState, Line, Tip, segment_name},
    log::Link,
    seal::{Digest, Purpose, Sealed},
};
use crate::store::file;

/// So many faults are told one by one.
const MOST_FAULTS: usize = 100;

/// What a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// An entry is not as it was written.
    Edit,
    /// Entries are missing.
    Cut,
    /// Entries stand in another order.
    Order,
    /// A line was put in that is no entry, or is one a second time.
    Insertion,
    /// It was written with another key.
    ForeignKey,
    /// `head.json` is missing, was changed, or is not that of this log.
    Head,
    /// The log does not hold what a receipt says.
    Expectation,
}

impl FaultKind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edited",
            Self::Cut => "cut",
            Self::Order => "reordered",
            Self::Insertion => "inserted",
            Self::ForeignKey => "foreign key",
            Self::Head => "head",
            Self::Expectation => "not as expected",
        }
    }
}

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// The file in the log's folder.
    pub file: String,
    /// The line in it, from 1, where there is one.
    pub line: Option<u64>,
    /// The number of the entry, where it can be told.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        self.line.iter().try_for_each(|line| write!(f, ":{line}"))?;
        write!(f, ": {}", self.kind.as_str())?;
        self.seq.iter().try_for_each(|seq| write!(f, ", entry {seq}"))?;
        write!(f, ": {}", self.what)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// How many entries the log has.
    pub entries: u64,
    /// The same with the last one's MAC, `COUNT:HEAD`; none where the last one is no entry.
    pub head: Option<String>,
    /// In how many files.
    pub segments: usize,
    /// What is wrong, in the order of the log; the first hundred.
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub fault_count: usize,
    /// What a crash left, which the next entry puts right.
    pub notes: Vec<String>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.fault_count == 0
    }
}

/// Reads a whole log and compares it with itself, with `head.json`, and with the receipt of a notification. It changes nothing.
///
/// # Errors
/// [`AuditError::File`]: there is no log, or it can't be read.
pub fn verify(folder: &Path, key: &AuditKey, expected: Option<&Receipt>) -> Result<Verification, AuditError> {
    let files = Files::new(folder);
    if !file::is_folder(folder)? {
        return match expected {
            Some(receipt) => Ok(gone(receipt)),
            None => Err(file::trouble("read", folder, "there is no audit log").into()),
        };
    }
    let _lock = files.lock_to_read()?;
    let head = files.read_head(key)?;
    let chain = Chain::read(&files, key)?;
    let told = match &head {
        HeadState::Authentic(tip) => Some(tip.receipt.count),
        _ => None,
    };
    let mut check = Check { told, ..Check::default() };
    if chain.is_foreign(&head) {
        check.fault(
            FaultKind::ForeignKey,
            &chain.first_file(),
            None,
            "nothing in this log was written with this key",
        );
    } else {
        check.segments(&chain);
        check.entries(&chain);
        check.head(&chain, &head);
    }
    expected.into_iter().for_each(|receipt| check.receipt(&chain, key, receipt));
    let last = chain.records.last().filter(|last| last.is_authentic);
    Ok(Verification {
        entries: chain.records.len() as u64,
        head: last.map(|last| Receipt { count: last.seq, head: last.digest }.to_string()),
        segments: chain.segments.len(),
        faults: check.faults,
        fault_count: check.count,
        notes: check.notes,
    })
}

/// Of a log of which nothing is left but a receipt.
fn gone(receipt: &Receipt) -> Verification {
    let mut check = Check::default();
    let what = format!("the receipt says {} entries, and there is no log", receipt.count);
    check.fault(FaultKind::Cut, &segment_name(1), None, &what);
    let (faults, fault_count) = (check.faults, check.count);
    Verification { entries: 0, head: None, segments: 0, faults, fault_count, notes: Vec::new() }
}

/// A line, as far as it places itself in the chain.
struct Record {
    segment: u32,
    line: u64,
    /// As the line says; what it says counts only where it is authentic.
    seq: u64,
    previous: Option<Digest>,
    digest: Digest,
    is_authentic: bool,
}

/// All that stands in a folder.
struct Chain {
    segments: Vec<u32>,
    records: Vec<Record>,
    /// What stands behind the last line feed of the last segment, in bytes.
    torn: usize,
    /// How long the last segment is up to there.
    whole: u64,
    start: Digest,
}

impl Chain {
    fn read(files: &Files, key: &AuditKey) -> Result<Self, AuditError> {
        let segments = files.segments()?;
        let last = segments.last().copied();
        let mut chain =
            Self { segments: segments.clone(), records: Vec::new(), torn: 0, whole: 0, start: key.start() };
        for segment in segments {
            files.each_line(segment, |number, line| match line {
                Line::Torn(bytes) if Some(segment) == last => chain.torn = bytes.len(),
                Line::Whole(bytes) => chain.records.push(record(key, segment, number, bytes)),
                // No crash leaves that: the next segment is begun behind whole lines only.
                Line::Torn(bytes) => {
                    let torn = Record { is_authentic: false, ..record(key, segment, number, bytes) };
                    chain.records.push(torn);
                }
            })?;
            chain.whole = files.length(segment)?.saturating_sub(chain.torn as u64);
        }
        Ok(chain)
    }

    /// Nothing fits this key, and `head.json` does not say that something should.
    fn is_foreign(&self, head: &HeadState) -> bool {
        let has_own = self.records.iter().any(|record| record.is_authentic);
        !has_own
            && match head {
                HeadState::ForeignKey => true,
                HeadState::Authentic(_) => false,
                HeadState::Missing | HeadState::Changed => !self.records.is_empty(),
            }
    }

    fn first_file(&self) -> String {
        segment_name(self.segments.first().copied().unwrap_or(1))
    }

    fn last_segment(&self) -> u32 {
        self.records.last().map_or(1, |record| record.segment)
    }
}

fn record(key: &AuditKey, segment: u32, line: u64, bytes: &[u8]) -> Record {
    let sealed = Sealed::parse(bytes);
    let link = Link::parse(bytes);
    let is_sealed = sealed.as_ref().is_some_and(|sealed| key.is_authentic(Purpose::Entry, sealed));
    Record {
        segment,
        line,
        seq: link.as_ref().map_or(0, |link| link.seq),
        previous: link.as_ref().and_then(Link::previous),
        digest: sealed.map_or(key.start(), |sealed| sealed.digest),
        is_authentic: is_sealed && link.is_some(),
    }
}

/// What is found while a log is gone through.
#[derive(Default)]
struct Check {
    faults: Vec<Fault>,
    count: usize,
    notes: Vec<String>,
    /// The number that the next entry has, in a log where nothing is missing.
    next: u64,
    /// How many entries there are by what `head.json` says.
    told: Option<u64>,
}

impl Check {
    fn fault(&mut self, kind: FaultKind, file: &str, place: Option<(u64, Option<u64>)>, what: &str) {
        self.count += 1;
        if self.faults.len() < MOST_FAULTS {
            let (line, seq) = place.map_or((None, None), |(line, seq)| (Some(line), seq));
            self.faults.push(Fault { kind, file: file.to_owned(), line, seq, what: what.to_owned() });
        }
    }

    fn at(&mut self, kind: FaultKind, record: &Record, seq: Option<u64>, what: &str) {
        self.fault(kind, &segment_name(record.segment), Some((record.line, seq)), what);
    }

    /// Segments are numbered from 1, none left out.
    fn segments(&mut self, chain: &Chain) {
        let mut next = 1;
        for segment in &chain.segments {
            for missing in (next..*segment).take(MOST_FAULTS) {
                self.fault(FaultKind::Cut, &segment_name(missing), None, "the file is missing");
            }
            next = segment + 1;
        }
    }

    /// Each entry is authentic, and follows the one before it.
    fn entries(&mut self, chain: &Chain) {
        let authentic = || chain.records.iter().filter(|record| record.is_authentic);
        let present: HashSet<u64> = authentic().map(|record| record.seq).collect();
        let mut seen: HashSet<u64> = HashSet::new();
        let mut before: Option<&Record> = None;
        self.next = 1;
        for (index, record) in chain.records.iter().enumerate() {
            if !record.is_authentic {
                let after = chain.records[index..].iter().find(|record| record.is_authentic);
                self.unauthentic(record, after);
                before = None;
                continue;
            }
            self.place(record, &present, !seen.insert(record.seq));
            self.link(record, before, chain.start);
            before = Some(record);
            self.next = self.next.max(record.seq + 1);
        }
    }

    /// A line that is no entry of this log: in the place of one, or between two.
    fn unauthentic(&mut self, record: &Record, after: Option<&Record>) {
        let is_full = match after {
            Some(after) => after.seq == self.next,
            None => self.told.is_some_and(|told| told < self.next),
        };
        if is_full {
            self.at(FaultKind::Insertion, record, None, "this line is no entry of the log");
            return;
        }
        let next = self.next;
        self.at(
            FaultKind::Edit,
            record,
            Some(next),
            "the line is not as it was written: its MAC does not fit",
        );
        self.next += 1;
    }

    /// An entry where another one should be.
    fn place(&mut self, record: &Record, present: &HashSet<u64>, is_seen: bool) {
        let next = self.next;
        if is_seen {
            self.at(
                FaultKind::Insertion,
                record,
                Some(record.seq),
                "there is an entry of this number before it already",
            );
        } else if record.seq < next {
            self.at(
                FaultKind::Order,
                record,
                Some(record.seq),
                "it stands behind entries that were written later",
            );
        } else if record.seq > next {
            // What stands elsewhere was moved; what stands nowhere was taken out.
            let gone: Vec<u64> = (next..record.seq).filter(|seq| !present.contains(seq)).take(2).collect();
            let (kind, what) = match gone.is_empty() {
                true => (FaultKind::Order, format!("entry {next} should stand here")),
                false => (FaultKind::Cut, format!("{} missing before it", numbers(next, record.seq - 1))),
            };
            self.at(kind, record, Some(record.seq), &what);
        }
    }

    /// Two neighbours of which both are authentic know each other, unless they come from two copies that went on separately.
    fn link(&mut self, record: &Record, before: Option<&Record>, start: Digest) {
        let expected = match before {
            Some(before) if before.seq + 1 == record.seq => before.digest,
            None if record.seq == 1 => start,
            _ => return,
        };
        if record.previous != Some(expected) {
            let what = "it was written after another entry than the one before it: two copies of this log were written to";
            self.at(FaultKind::Order, record, Some(record.seq), what);
        }
    }

    fn head(&mut self, chain: &Chain, head: &HeadState) {
        const FILE: &str = "head.json";
        match head {
            HeadState::Missing if chain.records.is_empty() => {}
            HeadState::Missing => self.fault(FaultKind::Head, FILE, None, "it is missing"),
            HeadState::Changed => self.fault(FaultKind::Head, FILE, None, "it is not as it was written"),
            HeadState::ForeignKey => {
                self.fault(FaultKind::Head, FILE, None, "it was written with another key")
            }
            HeadState::Authentic(tip) => self.tip(chain, tip),
        }
    }

    /// The log goes as far as `head.json` says, or by one entry further after a crash.
    fn tip(&mut self, chain: &Chain, tip: &Tip) {
        let (count, told) = (self.next - 1, tip.receipt.count);
        let end = segment_name(chain.last_segment());
        let last = chain.records.last();
        if count < told {
            let what = format!("{} missing at the end, by what head.json says", numbers(count + 1, told));
            return self.fault(FaultKind::Cut, &end, None, &what);
        }
        let is_one_ahead = count == told + 1
            && last.is_some_and(|last| last.is_authentic && last.previous == Some(tip.receipt.head));
        if is_one_ahead && chain.torn == 0 {
            return self
                .notes
                .push("the last entry is not in head.json yet: hekate was stopped while it wrote".into());
        }
        if count > told {
            let what = format!("it says {told} entries, and the log has {count}: it is an older one");
            return self.fault(FaultKind::Head, "head.json", None, &what);
        }
        if chain.torn > 0 {
            self.notes.push(format!("{end} ends with a part of an entry: hekate was stopped while it wrote"));
        }
        let digest = last.map_or(chain.start, |last| last.digest);
        let is_same_end = last.is_none() || (tip.segment, tip.bytes) == (chain.last_segment(), chain.whole);
        if self.count == 0 && (digest != tip.receipt.head || !is_same_end) {
            self.fault(FaultKind::Head, "head.json", None, "it is that of another log");
        }
    }

    fn receipt(&mut self, chain: &Chain, key: &AuditKey, receipt: &Receipt) {
        let entry = chain.records.iter().find(|record| record.is_authentic && record.seq == receipt.count);
        let end = segment_name(chain.last_segment());
        match entry {
            Some(record) if record.digest != receipt.head => {
                let what = "it is another entry than the receipt says: the log was cut off and written anew";
                self.at(FaultKind::Expectation, record, Some(receipt.count), what);
            }
            Some(_) => {}
            None if receipt.count == 0 && receipt.head == key.start() => {}
            None => {
                let what = format!("entry {} of the receipt is not in the log", receipt.count);
                self.fault(FaultKind::Expectation, &end, None, &what);
            }
        }
    }
}

/// `entry 3 is`, `entries 3 to 5 are`.
fn numbers(first: u64, last: u64) -> String {
    if first == last { format!("entry {first} is") } else { format!("entries {first} to {last} are") }
}
