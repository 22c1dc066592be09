//! A finding's value, read again from where it was found, and what stands around it.

use std::{ops::Range, sync::Arc};

use crate::{
    detect::{Content, Utf16, Utf16Content, canonical, decode_steps},
    model::{Finding, FingerprintKey, Occurrence, Secret},
};

use super::Reader;

/// No value is longer, in bytes.
const LONGEST_VALUE: u64 = 256 << 10;
/// What belongs to a value stands no farther from it, in bytes.
const AROUND: u64 = 4 << 10;
/// So many places of a finding are tried.
const MOST_PLACES: usize = 50;

/// A value that is the one which was found.
pub(super) struct Recovered {
    /// The value as it stands there.
    pub(super) value: Secret,
    /// The text around each place that it was read from.
    pub(super) around: Vec<Around>,
}

/// A stretch of a file, with a value in it.
pub(super) struct Around {
    /// Its bytes: whatever else stands there may be secret, too.
    pub(super) text: Secret,
    /// The value in it.
    pub(super) at: Range<usize>,
}

impl Around {
    /// What stands before the value.
    pub(super) fn before(&self) -> &[u8] {
        &self.text.expose()[..self.at.start]
    }

    /// What stands behind it.
    pub(super) fn after(&self) -> &[u8] {
        &self.text.expose()[self.at.end..]
    }
}

/// Reads a finding's value again.
///
/// # Errors
/// Why it is not at hand.
pub(super) fn recover(
    finding: &Finding,
    reader: &dyn Reader,
    key: &FingerprintKey,
) -> Result<Recovered, String> {
    let mut why = "the report names no place of it".to_owned();
    let mut found: Option<Recovered> = None;
    for place in finding.occurrences.iter().take(MOST_PLACES) {
        match read(finding, place, reader, key) {
            Ok(Recovered { value, around }) => match &mut found {
                Some(found) => found.around.extend(around),
                None => found = Some(Recovered { value, around }),
            },
            Err(reason) => why = reason,
        }
    }
    found.or_else(|| shown(finding, key)).ok_or(why)
}

/// The value that the report itself shows, where its reader asked for that.
fn shown(finding: &Finding, key: &FingerprintKey) -> Option<Recovered> {
    let value = Secret::new(finding.secret.value.as_deref()?);
    is_it(finding, value.expose(), key).then_some(Recovered { value, around: Vec::new() })
}

fn read(
    finding: &Finding,
    place: &Occurrence,
    reader: &dyn Reader,
    key: &FingerprintKey,
) -> Result<Recovered, String> {
    let length = place.span.end.checked_sub(place.span.start).filter(|length| *length <= LONGEST_VALUE);
    if length.is_none() {
        return Err("its place is none".into());
    }
    for content in reader.open(place)? {
        for around in [plain(&content, place), utf16(&content, place)].into_iter().flatten() {
            let stands = &around.text.expose()[around.at.clone()];
            // Without steps to take, this is what stands there.
            let Some(value) = decode_steps(stands, &place.decode) else { continue };
            // What may be shown of a weak value is said of it as it stands there.
            let told = if finding.fingerprint.is_place() { stands } else { value.expose() };
            if is_it(finding, told, key) {
                return Ok(Recovered { value, around: vec![around] });
            }
        }
    }
    Err("it does not stand there any more".into())
}

/// Whether a value is the finding's: by its fingerprint, or where that names a place only, by what may be shown of it.
fn is_it(finding: &Finding, value: &[u8], key: &FingerprintKey) -> bool {
    if value.is_empty() {
        return false;
    }
    if finding.fingerprint.is_place() {
        let secret = Secret::new(value);
        return secret.redacted() == finding.secret.redacted && secret.characters() == finding.secret.length;
    }
    let canonical = canonical(value);
    let keys = [key, &FingerprintKey::public()];
    keys.iter().any(|key| key.fingerprint(&canonical) == finding.fingerprint)
}

fn plain(content: &Arc<dyn Content + Send>, place: &Occurrence) -> Option<Around> {
    let from = place.span.start.saturating_sub(AROUND);
    let text = Secret::new(content.read_range(from, place.span.end.saturating_add(AROUND)).ok()?);
    let start = usize::try_from(place.span.start - from).ok()?;
    let end = usize::try_from(place.span.end - from).ok()?;
    (end <= text.len()).then_some(Around { text, at: start..end })
}

/// The same of UTF-16, whose values are found in decoded text and named by where they stand in the file.
fn utf16(content: &Arc<dyn Content + Send>, place: &Occurrence) -> Option<Around> {
    let order = Utf16::detect(&content.read_range(0, 1024).ok()?)?;
    // An even number of bytes before it, so that units stay whole.
    let from = place.span.start - place.span.start.min(AROUND) / 2 * 2;
    let decode = |from: u64, to: u64| {
        let raw = content.read_range(from, to).ok()?;
        Utf16Content::decode(&raw, order).whole().map(<[u8]>::to_vec)
    };
    let before = decode(from, place.span.start)?;
    let value = decode(place.span.start, place.span.end)?;
    let after = decode(place.span.end, place.span.end.saturating_add(AROUND))?;
    let at = before.len()..before.len() + value.len();
    Some(Around { text: Secret::new([before, value, after].concat()), at })
}
