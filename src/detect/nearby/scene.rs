//! What stands around a value: its line, its name, the lines next to it, the URL that it stands in; and how a word there relates to it.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::word::{Hit, begins, is_joint};
use crate::detect::context::{self, assigned_to, name_before};

/// How far from a run words count, in bytes: on its line before and behind it, and on other lines.
const BEFORE: usize = context::LOOK_BACK;
const AFTER: usize = 80;
const ABOVE: usize = 240;
const BELOW: usize = 160;
/// How many other lines are looked at.
const LINES_ABOVE: usize = 3;
const LINES_BELOW: usize = 2;

/// The surroundings of a run.
pub(super) struct Scene<'b> {
    bytes: &'b [u8],
    /// The run's line, as far as it counts.
    line: Range<usize>,
    /// All that counts.
    pub(super) window: Range<usize>,
}

/// The surroundings of a value in a scene.
pub(super) struct Place {
    value: Range<usize>,
    /// The name that the value is assigned to, and with it the words that stand before that: `Airbrake API key`.
    pub(super) name: Option<Range<usize>>,
    phrase: Range<usize>,
    /// The host of the URL whose path the value stands in.
    pub(super) host: Option<Range<usize>>,
}

/// How a word relates to a value; what comes first says more. With the distance, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    /// It is in the name that the value is assigned to.
    Name,
    /// It stands before the value in its line.
    Before(usize),
    /// It stands behind it in its line.
    After(usize),
    /// It stands in a line above.
    Above(usize),
    /// It stands in a line below.
    Below(usize),
}

impl<'b> Scene<'b> {
    pub(super) fn around(bytes: &'b [u8], run: &Range<usize>) -> Self {
        let near = run.start.saturating_sub(BEFORE);
        let far = run.start.saturating_sub(ABOVE);
        let (line_start, above) = match memrchr(b'\n', &bytes[near..run.start]) {
            Some(newline) => (near + newline + 1, lines_above(bytes, far, near + newline)),
            None => (near, near),
        };
        let end = bytes.len().min(run.end + AFTER);
        let (line_end, below) = match memchr(b'\n', &bytes[run.end..end]) {
            Some(newline) => {
                let newline = run.end + newline;
                (newline, lines_below(bytes, newline, bytes.len().min(run.end + BELOW)))
            }
            None => (end, end),
        };
        Self { bytes, line: line_start..line_end, window: above..below }
    }

    /// The surroundings of a value that holds the run.
    pub(super) fn place(&self, value: Range<usize>) -> Place {
        let bytes = self.bytes;
        let host = if bytes[..value.start].ends_with(b"/") { host_before(bytes, value.start) } else { None };
        let name = if host.is_some() { None } else { name_of(bytes, value.start) };
        let phrase = name.clone().map_or(value.start..value.start, |name| self.with_words_before(name));
        Place { value, name, phrase, host }
    }

    /// The name and up to two words before it: `Airbrake API key`.
    fn with_words_before(&self, name: Range<usize>) -> Range<usize> {
        let mut start = name.start;
        for _ in 0..2 {
            let Some(b' ' | b'\t') = start.checked_sub(1).map(|at| self.bytes[at]) else { break };
            let from = start.saturating_sub(BEFORE).max(self.line.start.min(start));
            // A line that is too long begins somewhere: behind its first byte nothing may be left.
            let word = name_before(self.bytes.get(from..start - 1).unwrap_or_default());
            if word.is_empty() {
                break;
            }
            start = from + word.start;
        }
        start..name.end
    }

    /// How a word relates to the value; `None` where it shares bytes with it.
    pub(super) fn relation(&self, hit: &Hit, place: &Place) -> Option<Relation> {
        let Place { value, phrase, .. } = place;
        if hit.is_in(phrase) {
            Some(Relation::Name)
        } else if hit.end <= value.start {
            let distance = value.start - hit.end;
            Some(if hit.start >= self.line.start {
                Relation::Before(distance)
            } else {
                Relation::Above(distance)
            })
        } else if hit.start >= value.end {
            let distance = hit.start - value.end;
            Some(if hit.end <= self.line.end { Relation::After(distance) } else { Relation::Below(distance) })
        } else {
            None
        }
    }

    /// Whether the place is in the value's line.
    pub(super) fn is_in_line(&self, hit: &Hit) -> bool {
        hit.is_in(&self.line)
    }

    /// The line that a word stands in, as far as it counts.
    pub(super) fn line_of(&self, hit: &Hit) -> Range<usize> {
        let start = memrchr(b'\n', &self.bytes[self.window.start..hit.start])
            .map_or(self.window.start, |newline| self.window.start + newline + 1);
        let end = memchr(b'\n', &self.bytes[hit.end..self.window.end.max(hit.end)])
            .map_or(self.window.end.max(hit.end), |newline| hit.end + newline);
        start..end
    }

    /// Whether a word is the whole of a line, as the head of a section, or the key of what is indented below: `box:`, `[box]`, `"box": {`.
    pub(super) fn is_head(&self, hit: &Hit) -> bool {
        let line = self.line_of(hit);
        let is_mark = |byte: &u8| byte.is_ascii_whitespace() || b"-\"'[]{}:=(<>#".contains(byte);
        self.bytes[line.start..hit.start].iter().all(is_mark)
            && self.bytes[hit.end..line.end].iter().all(is_mark)
            && line.len() > hit.end - hit.start
    }

    /// Whether a word stands in the host of a URL, or looks like a host.
    pub(super) fn is_host(&self, hit: &Hit) -> bool {
        let from = hit.start.saturating_sub(80);
        let before = &self.bytes[from..hit.start];
        let labels = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            .count();
        if before[..before.len() - labels].ends_with(b"//") {
            return true;
        }
        let rest = &self.bytes[hit.end..self.bytes.len().min(hit.end + 8)];
        TOP_LEVEL.iter().any(|domain| {
            let there = context::starts_with(rest, domain);
            there
                && rest
                    .get(domain.len())
                    .is_none_or(|next| !next.is_ascii_alphanumeric() && !matches!(next, b'_' | b'('))
        })
    }

    /// The whole name that a word is a part of, and up to two words behind it, each behind one blank: `BOX_API_KEY`, `box api key`.
    pub(super) fn name_around(&self, hit: &Hit) -> Range<usize> {
        let from = hit.start.saturating_sub(80);
        let start = from + name_before(&self.bytes[from..hit.start]).start;
        let to = self.bytes.len().min(hit.end + 80);
        let mut end = self.word_end(hit.end, to);
        for _ in 0..2 {
            if self.bytes.get(end) != Some(&b' ') || !begins(self.bytes, end + 1) {
                break;
            }
            end = self.word_end(end + 1, to);
        }
        start..end
    }

    fn word_end(&self, from: usize, to: usize) -> usize {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || is_joint(*byte) && *byte != b' ';
        let rest = &self.bytes[from.min(to)..to];
        from + rest.iter().position(|byte| !is_name(byte)).unwrap_or(rest.len())
    }

    /// Whether the URL that the value stands in is one of an API: its host says so, or a version stands before the value.
    pub(super) fn is_api(&self, place: &Place) -> bool {
        let Some(host) = &place.host else { return false };
        let name = self.bytes[host.clone()].to_ascii_lowercase();
        let says_so = API_HOSTS.iter().any(|word| memchr::memmem::find(&name, word).is_some());
        let path = &self.bytes[host.end..place.value.start];
        let version = path.split(|byte| *byte == b'/').rev().nth(1).unwrap_or_default();
        says_so
            || matches!(version, [b'v', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
    }
}

/// Domains of the hosts that are told without a scheme.
const TOP_LEVEL: &[&[u8]] =
    &[b".com", b".io", b".net", b".org", b".co", b".ai", b".dev", b".app", b".cloud", b".us", b".eu"];
/// Parts of the names of hosts in whose URLs keys stand.
const API_HOSTS: &[&[u8]] =
    &[b"api", b"rpc", b"hook", b"mainnet", b"testnet", b"node", b"gateway", b"ingest"];
/// Words between a name and its value.
const SCHEMES: &[&[u8]] = &[
    b"bearer",
    b"basic",
    b"token",
    b"key",
    b"apikey",
    b"api-key",
    b"bot",
    b"ssws",
    b"geniekey",
    b"accesskey",
    b"secret",
];

/// Where the lines above a newline begin, as far as they count.
fn lines_above(bytes: &[u8], far: usize, newline: usize) -> usize {
    let mut end = newline;
    for _ in 0..LINES_ABOVE {
        match memrchr(b'\n', &bytes[far.min(end)..end]) {
            Some(before) => end = far.min(end) + before,
            None => return far.min(end),
        }
    }
    end + 1
}

/// Where the lines below a newline end, as far as they count.
fn lines_below(bytes: &[u8], newline: usize, far: usize) -> usize {
    let mut end = newline;
    for _ in 0..LINES_BELOW {
        match memchr(b'\n', &bytes[end + 1..far.max(end + 1)]) {
            Some(next) => end += 1 + next,
            None => return far.max(end + 1),
        }
    }
    end
}

/// The name that a value is assigned to, in more ways than evidence is written of: `Authorization: Bearer …`, `setKey("…")`, `--api-key …`,
/// and whatever word stands right before it.
fn name_of(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let with_letter = |name: &Range<usize>| bytes[name.clone()].iter().any(u8::is_ascii_alphabetic);
    if let Some(name) = assigned_to(bytes, start).filter(with_letter) {
        return Some(name);
    }
    let line_start = context::line_start(bytes, start);
    let before = context::trim_end(&bytes[line_start..start], b"\"'`\\([{@rbuf \t");
    let word = name_before(before);
    let word = line_start + word.start..line_start + word.end;
    let is_scheme = SCHEMES.iter().any(|scheme| bytes[word.clone()].eq_ignore_ascii_case(scheme));
    let assigned = is_scheme.then(|| assigned_to(bytes, word.start)).flatten().filter(with_letter);
    assigned.or_else(|| Some(word).filter(with_letter))
}

/// The host of the URL in whose path this place is.
fn host_before(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at.saturating_sub(BEFORE);
    let is_url = |byte: &u8| byte.is_ascii_alphanumeric() || b"._~:/@!$&*+,;=%-{}".contains(byte);
    let len = bytes[from..at].iter().rev().take_while(|byte| is_url(byte)).count();
    let url = at - len;
    let scheme = memchr::memmem::rfind(&bytes[url..at], b"://")?;
    let start = url + scheme + 3;
    let end = start + memchr(b'/', &bytes[start..at])?;
    Some(start..end)
}

/// Whether a name ends with a word such as `key`, even written onto another.
pub(super) fn ends_as_key(name: &[u8]) -> bool {
    const ENDS: &[&[u8]] =
        &[b"key", b"token", b"secret", b"pass", b"pwd", b"passwd", b"password", b"auth", b"credential"];
    ENDS.iter().any(|end| context::ends_with(name, end))
}
