//! Which lines of a file are new.

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::{model::Span, source::Added};

/// Bigger files are compared with nothing: all of them counts, in bytes.
pub(super) const MOST: u64 = 16 << 20;
/// A NUL this early makes a file binary, as in git, in bytes.
const BINARY_HEAD: usize = 8000;

/// The lines of `new` that `old` has not, or not there. What ends a line is no part of it.
pub(super) fn added(old: &[u8], new: &[u8]) -> Added {
    let is_text =
        |bytes: &[u8]| bytes.len() as u64 <= MOST && !bytes[..bytes.len().min(BINARY_HEAD)].contains(&0);
    if !is_text(old) || !is_text(new) {
        return Added::All;
    }
    let mut input = InternedInput::default();
    input.update_before(lines(old).map(|(_, line)| line));
    input.update_after(lines(new).map(|(_, line)| line));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut spans: Vec<Span> = Vec::new();
    let mut last = None;
    for (number, (start, line)) in (0..).zip(lines(new)) {
        if !diff.is_added(number) {
            continue;
        }
        let end = start + line.len() as u64;
        match spans.last_mut() {
            Some(span) if last.is_some_and(|last| last + 1 == number) => span.end = end,
            _ => spans.push(Span::new(start, end)),
        }
        last = Some(number);
    }
    Added::Spans(spans)
}

/// Each line with where it starts.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        let line = &rest[..length];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let start = at as u64;
        at += length;
        Some((start, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(old: &str, new: &str) -> Vec<String> {
        let Added::Spans(spans) = added(old.as_bytes(), new.as_bytes()) else { panic!("{new} is text") };
        spans.iter().map(|span| new[span.start as usize..span.end as usize].to_owned()).collect()
    }

    #[test]
    fn new_and_changed_lines_count() {
        assert_eq!(texts("a\nb\nc\n", "a\nB\nc\nd\n"), ["B", "d"]);
        assert_eq!(texts("b\n", "a\n\nb\nc\nd"), ["a\n", "c\nd"]);
        assert_eq!(texts("a\n", ""), Vec::<String>::new());
    }

    #[test]
    fn how_a_line_ends_is_no_change_of_it() {
        assert_eq!(texts("a\nb", "a\r\nb\r\nc"), ["c"]);
    }

    #[test]
    fn of_a_binary_file_all_counts() {
        assert_eq!(added(b"a\0", b"a\0b"), Added::All);
    }
}
