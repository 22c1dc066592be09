//! What reflogs name and say.

use std::collections::BTreeSet;

use crate::{
    git::{Objects, Oid, Reflog, Repository, RepositoryError, reflogs},
    model::{Exposure, Gap, GapReason},
    source::display_bytes,
    triage::{Shared, Sighting, Site, Triage},
};

/// Objects are read up to here to see whether they are there, in bytes; a bigger one is.
const MOST: u64 = 64 << 20;

/// All reflogs of a repository.
#[derive(Default)]
pub(super) struct Logged {
    /// What they name and is there, each once.
    pub(super) tips: Vec<Oid>,
    /// What they name and is not, and lines that are none.
    pub(super) gaps: Vec<Gap>,
    logs: Vec<Reflog>,
}

impl Logged {
    /// Reads them.
    ///
    /// # Errors
    /// A folder or log that can't be read.
    pub(super) fn read(repository: &Repository, objects: &Objects) -> Result<Self, RepositoryError> {
        let logs = reflogs(repository)?;
        let mut logged = Self::default();
        let mut seen = BTreeSet::new();
        for log in &logs {
            let path = path_of(log);
            for line in &log.broken {
                let detail = format!("line {line} is none of a reflog");
                logged.gaps.push(Gap { path: path.clone(), reason: GapReason::Unreadable, detail });
            }
            for oid in log.entries.iter().flat_map(|entry| [entry.old, entry.new]).flatten() {
                if !seen.insert(oid) {
                    continue;
                }
                if matches!(objects.read(&oid, MOST), Ok(None)) {
                    let detail = format!("it names {oid}, which is not there");
                    logged.gaps.push(Gap { path: path.clone(), reason: GapReason::Missing, detail });
                } else {
                    logged.tips.push(oid);
                }
            }
        }
        logged.logs = logs;
        Ok(logged)
    }

    /// Secrets in their messages. A place is the log with the number of the entry as its line.
    pub(super) fn sightings(&self, triage: &Triage<'_>, shared: &Shared, prefix: &str) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for log in &self.logs {
            let messages: Vec<&[u8]> = log.entries.iter().map(|entry| entry.message.as_slice()).collect();
            let text = messages.join(&b'\n');
            let text = text.as_slice();
            let matches = triage.detector().scan(&text).expect("bytes in memory can be read");
            if matches.is_empty() {
                continue;
            }
            let examined = triage.examine(&text, &matches, shared).expect("bytes in memory can be read");
            let path = format!("{prefix}{}", path_of(log));
            for mut sighting in triage.judge_at(Site { path: &path, commit: None }, &examined) {
                sighting.exposure = Exposure::Past;
                let entry =
                    usize::try_from(sighting.occurrence.start.line).ok().and_then(|line| line.checked_sub(1));
                let moved_to = entry.and_then(|entry| log.entries.get(entry)?.new);
                sighting.occurrence.commit = moved_to.map(|oid| oid.to_string());
                sightings.push(sighting);
            }
        }
        sightings
    }
}

fn path_of(log: &Reflog) -> String {
    format!("logs/{}", display_bytes(&log.name))
}
