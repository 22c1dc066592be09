//! What commits and tags say of themselves: who, when and a line of what for.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    git::{Commit, Objects, Oid, Tag},
    model::{Moment, Occurrence},
};

/// Texts of commits are read up to here to be quoted, in bytes.
const MOST_TEXT: u64 = 64 << 20;

/// What commits say of themselves, each read once.
#[derive(Default)]
pub(super) struct Quotes(Mutex<HashMap<Oid, Quote>>);

#[derive(Clone, Default)]
struct Quote {
    author: String,
    date: Option<String>,
    committed: Option<String>,
    subject: String,
}

impl Quotes {
    fn of(&self, objects: &Objects, oid: &Oid) -> Quote {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(*oid).or_insert_with(|| Quote::read(objects, oid)).clone()
    }

    /// Writes a commit's id and words to a place.
    pub(super) fn put(&self, objects: &Objects, oid: &Oid, at: &mut Occurrence) {
        let quote = self.of(objects, oid);
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        at.commit = Some(oid.to_string());
        (at.author, at.date, at.subject) = (said(quote.author), quote.date, said(quote.subject));
    }

    /// A commit with when it was committed; of a tag, when it was made.
    pub(super) fn moment(&self, objects: &Objects, oid: &Oid) -> Moment {
        Moment { commit: oid.to_string(), date: self.of(objects, oid).committed }
    }
}

impl Quote {
    fn read(objects: &Objects, oid: &Oid) -> Self {
        let Ok(Some(object)) = objects.read(oid, MOST_TEXT) else { return Self::default() };
        let hash = objects.hash();
        let quote = |author: &[u8], time, committed, message: &[u8]| {
            let subject = message.split(|byte| *byte == b'\n').next().unwrap_or_default();
            Self {
                author: String::from_utf8_lossy(author).into_owned(),
                date: rfc3339(time),
                committed: rfc3339(committed),
                subject: String::from_utf8_lossy(subject).chars().take(200).collect(),
            }
        };
        let bytes = &object.bytes;
        if let Some(commit) = Commit::parse(bytes, hash) {
            let committed = (commit.time, commit.offset);
            return quote(commit.author, commit.author_time, committed, commit.message);
        }
        Tag::parse(bytes, hash)
            .map(|tag| quote(tag.tagger, tag.time, tag.time, tag.message))
            .unwrap_or_default()
    }
}

/// `2026-11-24T01:02:03+01:00`; `None` beyond the years that it can write.
fn rfc3339((seconds, offset): (i64, i32)) -> Option<String> {
    let local = seconds.checked_add(i64::from(offset) * 60)?;
    let (days, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    // Howard Hinnant's civil_from_days: eras of 400 years from 0000-03-01.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
        offset / 60,
        offset % 60
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_with_their_offset() {
        assert_eq!(rfc3339((0, 0)).unwrap(), "1970-01-01T00:00:00+00:00");
        assert_eq!(rfc3339((951_782_400, -90)).unwrap(), "2000-02-28T22:30:00-01:30");
        assert_eq!(rfc3339((i64::MAX, 1)), None);
        assert_eq!(rfc3339((-1, 60)).unwrap(), "1970-01-01T00:59:59+01:00");
    }
}
