//! What was done of an incident: a file of JSON lines that is only ever added to, each line on the disk before the next thing is done.
//!
//! It holds no value, and nothing made from one. A last line without its end is what a crash left: nothing was done after it was begun
//! to be written, so that it is cut off.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Incident, Step, incident::is_incident_id};

/// A journal is never so long, in bytes: a step leaves a few hundred.
const MOST: u64 = 16 << 20;

/// The journal of one incident, open for more.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    records: Vec<Record>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, seconds since 1970.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// Whether people know the incident by this id.
    pub fn has_ticket(&self, id: &str) -> bool {
        matches!(&self.event, Event::Started { ticket: Some(ticket), .. } if ticket == id)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The incident became known, or was planned again.
    Opened {
        /// All that is known of it.
        incident: Box<Incident>,
        /// Who planned, by name.
        by: String,
    },
    /// An approved plan for it is being carried out.
    Started {
        /// Who started it.
        by: String,
        /// In which role.
        role: Option<String>,
        /// The id that people know the incident by.
        ticket: Option<String>,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// A step is about to be taken. After a crash it may have been.
    Begun {
        /// Which.
        step: Step,
    },
    /// A step has been taken.
    Done {
        /// Which.
        step: Step,
        /// What there is to say of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    /// A step did not go well.
    Failed {
        /// Which.
        step: Step,
        /// Why.
        why: String,
    },
    /// A step waits for something.
    Waiting {
        /// Which.
        step: Step,
        /// For what.
        wait: Wait,
    },
    /// What a person was asked to do was done, by their word.
    Confirmed {
        /// Which step.
        step: Step,
        /// Who says so.
        by: String,
    },
    /// What was done is being taken back, from this step on backwards.
    Undoing {
        /// Why.
        why: String,
    },
    /// A step has been taken back.
    Undone {
        /// Which.
        step: Step,
    },
    /// All that was done has been taken back: everything is as it was before.
    RolledBack,
    /// A part of the goal was reached, for the clocks.
    Reached {
        /// Which.
        mark: Mark,
    },
    /// People were told of a state.
    Told {
        /// Of which, and by which channel.
        what: String,
    },
    /// It is over.
    Closed {
        /// How it ended.
        outcome: Outcome,
        /// Who closed it, or why.
        note: String,
    },
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "for")]
pub enum Wait {
    /// Somebody to do something.
    Person {
        /// What, a line each.
        todo: Vec<String>,
    },
    /// Somebody to give the new value.
    Value {
        /// Where a new one is made.
        page: Option<String>,
        /// What to do there.
        what: String,
    },
    /// Somebody to approve a change in the manager.
    Approval {
        /// What the manager calls the request.
        approval: String,
    },
    /// A time.
    Until {
        /// Seconds since 1970.
        at: i64,
    },
}

/// A part of the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The old value is refused, or was switched off.
    Contained,
    /// A new value is in force, and proved.
    Rotated,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Replaced, and the old value proved dead.
    Rotated,
    /// Taken out of service; nothing follows it.
    Revoked,
    /// Somebody had replaced the value already.
    Superseded,
    /// A person says that it is over.
    Dismissed,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { todo } => {
                write!(f, "for a person: {}; then resume it with --done", todo.join(" · "))
            }
            Self::Value { page, what } => {
                let page = page.as_deref().map(|page| format!(" ({page})")).unwrap_or_default();
                write!(f, "for the new value: {what}{page}; then resume it with --ask-value or --value-fd")
            }
            Self::Approval { approval } => {
                write!(f, "for somebody to approve {approval} in the manager; then resume it")
            }
            Self::Until { at } => match jiff::Timestamp::from_second(*at) {
                Ok(at) => write!(f, "until {at}; then resume it"),
                Err(_) => f.write_str("for a time that never comes"),
            },
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contained => "contained",
            Self::Rotated => "rotated",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rotated => "rotated",
            Self::Revoked => "revoked",
            Self::Superseded => "replaced by somebody else already",
            Self::Dismissed => "closed by a person",
        })
    }
}

/// A journal that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is none of ours.
    #[error("{}:{line}: this is no line of a journal; the file was changed by something else", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Text that is no incident's id.
    #[error("`{0}` is no incident; `hekate respond status` lists them")]
    NoIncident(String),
}

impl Journal {
    /// The journal of an incident, made if it is not there yet.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(folder: &Path, id: &str) -> Result<Self, JournalError> {
        let path = path_of(folder, id)?;
        let fail = |action: &'static str| {
            let path = path.clone();
            move |source| JournalError::Io { action, path, source }
        };
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
        }
        let mut file = options.open(&path).map_err(fail("open"))?;
        let bytes = bounded(&mut file).map_err(fail("read"))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(fail("repair"))?;
        }
        file.seek(SeekFrom::Start(whole as u64)).map_err(fail("read"))?;
        if is_new {
            // The name has to be there after a crash, too.
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail("write"))?;
        }
        let records = parse(&path, &bytes[..whole])?;
        Ok(Self { file, path, records })
    }

    /// What a journal holds, to be looked at; `None` where there is none.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn read(folder: &Path, id: &str) -> Result<Option<Vec<Record>>, JournalError> {
        let path = path_of(folder, id)?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::Io { action: "open", path, source }),
        };
        let bytes = bounded(&mut file).map_err(|source| JournalError::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        parse(&path, &bytes[..whole]).map(Some)
    }

    /// The ids of all incidents of a folder, sorted.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn ids(folder: &Path) -> Result<Vec<String>, JournalError> {
        let fail = |source| JournalError::Io { action: "list", path: folder.to_owned(), source };
        let mut ids = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
            ids.extend(name.strip_suffix(".jsonl").filter(|id| is_incident_id(id)).map(str::to_owned));
        }
        ids.sort();
        Ok(ids)
    }

    /// All that happened so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Adds a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// That it could not be written: then nothing more may be done.
    pub fn append(&mut self, at: i64, event: Event) -> Result<(), JournalError> {
        let record = Record { at, event };
        let fail = |source| JournalError::Io { action: "write", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&record).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(fail)?;
        self.records.push(record);
        Ok(())
    }
}

fn path_of(folder: &Path, id: &str) -> Result<PathBuf, JournalError> {
    if is_incident_id(id) {
        Ok(folder.join(format!("{id}.jsonl")))
    } else {
        Err(JournalError::NoIncident(id.escape_default().to_string()))
    }
}

fn bounded(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other(format!("it is longer than {MOST} bytes")));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Record>, JournalError> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let record = |(index, line): (usize, &[u8])| {
        serde_json::from_slice(line)
            .map_err(|_| JournalError::Malformed { path: path.to_owned(), line: index + 1 })
    };
    lines.enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "hk-0123456789";

    fn done(step: Step) -> Event {
        Event::Done { step, notes: vec!["a note".into()] }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), ID).unwrap();
        journal.append(1, Event::Begun { step: Step::Keep }).unwrap();
        journal.append(2, done(Step::Keep)).unwrap();
        let wait = Wait::Approval { approval: "a-1".into() };
        journal.append(3, Event::Waiting { step: Step::Promote, wait }).unwrap();
        let again = Journal::open(folder.path(), ID).unwrap();
        assert_eq!(again.records(), journal.records());
        assert_eq!(Journal::ids(folder.path()).unwrap(), [ID]);
    }

    #[test]
    fn a_line_that_a_crash_cut_is_taken_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{ID}.jsonl"));
        let mut journal = Journal::open(folder.path(), ID).unwrap();
        journal.append(1, Event::Begun { step: Step::Keep }).unwrap();
        let whole = fs::read(&path).unwrap();
        journal.append(2, done(Step::Keep)).unwrap();
        let bytes = fs::read(&path).unwrap();
        for cut in whole.len()..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            assert_eq!(Journal::read(folder.path(), ID).unwrap().unwrap().len(), 1);
            let mut again = Journal::open(folder.path(), ID).unwrap();
            assert_eq!(again.records().len(), 1, "cut at {cut}");
            again.append(2, done(Step::Keep)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn what_something_else_wrote_is_said_and_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("{ID}.jsonl")), "{}\n").unwrap();
        let error = Journal::open(folder.path(), ID).unwrap_err().to_string();
        assert!(error.contains(".jsonl:1: this is no line"), "{error}");
    }

    #[test]
    fn an_id_leads_to_no_other_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Journal::open(folder.path(), "../x"), Err(JournalError::NoIncident(_))));
    }
}
