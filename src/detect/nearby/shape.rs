//! Shapes of values: where around a run one stands.

use std::{ops::Range, sync::OnceLock};

use super::{refusal, run::is_run};
use crate::{detect::Expression, rule::Nearby};

/// A form that values of one or more rules have.
pub(super) struct Shape {
    least: usize,
    most: usize,
    /// Bytes that stand anywhere in a value.
    alphabet: [u64; 2],
    /// Some of them stand in no run.
    is_wide: bool,
    source: String,
    value: OnceLock<Expression>,
}

/// Bytes behind which a value may begin, though values hold them, too.
const OPENS: &[u8] = b"=:,;|&?([{<>!*^";
/// Bytes before which a value may end, though values hold them, too.
const CLOSES: &[u8] = b".:,;|&?)]}<>@!/=";
/// Of these, those that are not a value's own even where values hold them.
const MARKS: &[u8] = b".:,;!?)]}>@";
/// More places than these are not tried.
const PLACES: usize = 8;

impl Shape {
    pub(super) fn new(nearby: &Nearby) -> Self {
        let is_wide = (0..128_u8).any(|byte| has(&nearby.alphabet, byte) && !is_run(byte));
        Self {
            least: nearby.shortest,
            most: nearby.longest,
            alphabet: nearby.alphabet,
            is_wide,
            source: nearby.value.clone(),
            value: OnceLock::new(),
        }
    }

    /// How far the lengths of its values differ.
    pub(super) fn slack(&self) -> usize {
        self.most - self.least
    }

    /// Whether it has the form of a UUID: these name things more often than they open them.
    pub(super) fn is_uuid(&self) -> bool {
        const UUID: usize = 36;
        let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        self.slack() == 0
            && self.least == UUID
            && (0..128).all(|byte| !has(&self.alphabet, byte) || is_hex(byte))
    }

    /// The value that holds the run, if it has this form.
    pub(super) fn find(&self, bytes: &[u8], run: &Range<usize>) -> Option<Range<usize>> {
        if self.is_wide {
            return self.find_wide(bytes, run);
        }
        let value = behind_escape(bytes, run.start)..run.end;
        self.matches(bytes, &value).then_some(value)
    }

    /// Whether a value stands alone, apart from longer names, paths and values. In the path of a URL it stands between slashes.
    pub(super) fn stands_alone(&self, bytes: &[u8], value: &Range<usize>, in_path: bool) -> bool {
        let is_own = |byte: Option<&u8>| self.is_wide && byte.is_some_and(|byte| has(&self.alphabet, *byte));
        let before = value.start.checked_sub(1).and_then(|at| bytes.get(at));
        (is_own(before) || !refusal::came_on(bytes, value.start, in_path))
            && (is_own(bytes.get(value.end)) || !refusal::goes_on(bytes, value.end, in_path))
    }

    fn matches(&self, bytes: &[u8], value: &Range<usize>) -> bool {
        if value.start >= value.end || !(self.least..=self.most).contains(&value.len()) {
            return false;
        }
        let text = &bytes[value.clone()];
        text.iter().all(|byte| has(&self.alphabet, *byte)) && self.value().is_match(text)
    }

    fn value(&self) -> &Expression {
        self.value.get_or_init(|| Expression::new(&whole(&self.source)))
    }

    /// The same of values that hold bytes which no run has.
    fn find_wide(&self, bytes: &[u8], run: &Range<usize>) -> Option<Range<usize>> {
        let goes_on = |byte: &u8| is_run(*byte) || has(&self.alphabet, *byte);
        let from = run.end.saturating_sub(self.most + 1);
        let to = bytes.len().min(run.start + self.most + 1);
        let first =
            (from..run.start).rev().find(|at| !goes_on(&bytes[*at])).map_or(from.min(run.start), |at| at + 1);
        let last = (run.end..to).find(|at| !goes_on(&bytes[*at])).unwrap_or(to.max(run.end));
        let opens = (first + 1..=run.start).rev().filter(|at| OPENS.contains(&bytes[at - 1])).take(PLACES);
        let mut starts: Vec<usize> = opens.chain([behind_escape(bytes, first), run.start]).collect();
        starts.sort_unstable();
        starts.dedup();
        let closes = (run.end..last).filter(|at| CLOSES.contains(&bytes[*at])).take(PLACES);
        let mut ends: Vec<usize> = closes.chain([last]).collect();
        ends.sort_unstable_by(|one, two| two.cmp(one));
        let spans = starts.iter().flat_map(|start| ends.iter().map(move |end| *start..*end));
        spans.into_iter().find(|span| self.is_whole(bytes, span) && self.matches(bytes, span))
    }

    /// Whether no byte next to the value is one that values have.
    fn is_whole(&self, bytes: &[u8], value: &Range<usize>) -> bool {
        let before = value.start.checked_sub(1).map(|at| bytes[at]);
        let begins =
            before.is_none_or(|byte| !is_run(byte) && (OPENS.contains(&byte) || !has(&self.alphabet, byte)));
        let after = bytes.get(value.end).copied();
        let next = bytes.get(value.end + 1).copied();
        let ends = match after {
            None => true,
            Some(byte) if is_run(byte) => false,
            // At the end of a sentence, before a host.
            Some(byte) if has(&self.alphabet, byte) => {
                MARKS.contains(&byte) && next.is_none_or(|next| byte == b'@' || !is_run(next))
            }
            Some(_) => true,
        };
        begins && ends
    }
}

/// The regex of a text that is a value.
pub(in crate::detect) fn whole(value: &str) -> String {
    format!(r"\A(?:{value})\z")
}

fn has(alphabet: &[u64; 2], byte: u8) -> bool {
    byte < 128 && alphabet[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

/// Where a value begins whose run begins with the rest of an escape, or of an operator: `\n`, `\x3d`, `\u003d`, `%3D`, `:-`.
fn behind_escape(bytes: &[u8], start: usize) -> usize {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let digits = |at: usize, count: usize| {
        bytes.get(at..at + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match (before, bytes.get(start)) {
        (Some(b'%'), _) if digits(start, 2) => start + 2,
        (Some(b'\\'), Some(b'n' | b't' | b'r')) | (Some(b':'), Some(b'-')) => start + 1,
        (Some(b'\\'), Some(b'x')) if digits(start + 1, 2) => start + 3,
        (Some(b'\\'), Some(b'u')) if digits(start + 1, 4) => start + 5,
        _ => start,
    }
}
