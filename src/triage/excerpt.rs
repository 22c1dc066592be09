//! Lines as they may be shown: every secret in them masked.

use crate::model::Span;

/// What is shown of a line before the secret and from its start on, in bytes.
const BEFORE: u64 = 80;
const AFTER: u64 = 160;
/// What of a line identifies a place, in bytes to either side of the secret.
const PLACE: u64 = 1024;

/// A stretch of content: where it starts, and its bytes.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
}

/// The first line of the stretch around the secret, cut to what a terminal holds, with each secret in it replaced by its redacted form.
pub(super) fn excerpt(lines: Stretch<'_>, secret: Span, masks: &[(Span, String)]) -> String {
    let line = first_line(lines, secret);
    let from = line.start.max(secret.start.saturating_sub(BEFORE));
    let line_end = line.start + line.bytes.len() as u64;
    let to = line_end.min(secret.start + AFTER);
    let masked = masked(line, from, to, masks);
    let text = String::from_utf8_lossy(&masked);
    let (head, tail) = (if from > line.start { "…" } else { "" }, if to < line_end { "…" } else { "" });
    format!("{head}{}{tail}", text.trim_matches('\u{fffd}'))
}

/// What identifies the place of a secret: its line, with every secret in it, and every repetition of this one's value, replaced
/// by the same mark: the identity is public, and must not help to guess the value.
pub(super) fn place_line(
    lines: Stretch<'_>,
    secret: Span,
    value: &[u8],
    masks: &[(Span, String)],
) -> Vec<u8> {
    let line = first_line(lines, secret);
    let from = line.start.max(secret.start.saturating_sub(PLACE));
    let to = (line.start + line.bytes.len() as u64).min(secret.end + PLACE);
    let same: Vec<(Span, String)> = masks.iter().map(|(span, _)| (*span, "*".to_owned())).collect();
    let line = masked(line, from, to, &same);
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line.trim_ascii();
    while let Some(at) = memchr::memmem::find(rest, value).filter(|_| !value.is_empty()) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'*');
        rest = &rest[at + value.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// The line in which the secret starts.
fn first_line<'a>(lines: Stretch<'a>, secret: Span) -> Stretch<'a> {
    let at =
        usize::try_from(secret.start - lines.start).expect("the lines are in memory").min(lines.bytes.len());
    let end =
        memchr::memchr2(b'\n', b'\r', &lines.bytes[at..]).map_or(lines.bytes.len(), |newline| at + newline);
    let start = memchr::memrchr2(b'\n', b'\r', &lines.bytes[..at]).map_or(0, |newline| newline + 1);
    Stretch { start: lines.start + start as u64, bytes: &lines.bytes[start..end] }
}

/// The masks that share a byte with the span. They are sorted and share none among themselves.
pub(super) fn within(masks: &[(Span, String)], span: Span) -> &[(Span, String)] {
    let first = masks.partition_point(|(mask, _)| mask.end <= span.start);
    let after = masks.partition_point(|(mask, _)| mask.start < span.end);
    &masks[first..after.max(first)]
}

/// The bytes from `from` to `to`, with whatever lies in a mask's span replaced by the mask.
fn masked(line: Stretch<'_>, from: u64, to: u64, masks: &[(Span, String)]) -> Vec<u8> {
    let slice = |start: u64, end: u64| {
        let index = |offset: u64| usize::try_from(offset - line.start).expect("the line is in memory");
        &line.bytes[index(start)..index(end)]
    };
    let mut out = Vec::new();
    let mut at = from;
    for (span, mask) in within(masks, Span::new(from, to)) {
        // A span that starts before what is shown still gets its mask.
        out.extend_from_slice(slice(at, span.start.max(at)));
        out.extend_from_slice(mask.as_bytes());
        at = span.end.min(to);
    }
    out.extend_from_slice(slice(at, to));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, word: &str) -> Span {
        let start = text.find(word).unwrap() as u64;
        Span::new(start, start + word.len() as u64)
    }

    #[test]
    fn every_secret_of_the_line_is_masked() {
        let text = "one\na = SECRET1, b = SECRET2\nthree";
        let masks = vec![(at(text, "SECRET1"), "***".to_owned()), (at(text, "SECRET2"), "###".to_owned())];
        let lines = Stretch { start: 0, bytes: text.as_bytes() };
        assert_eq!(excerpt(lines, at(text, "SECRET2"), &masks), "a = ***, b = ###");
        assert_eq!(place_line(lines, at(text, "SECRET2"), b"SECRET2", &masks), b"a = *, b = *");
    }

    #[test]
    fn long_lines_are_cut_and_secrets_at_the_cut_stay_masked() {
        let text = format!("{}SECRET1{}SECRET2 {}", "a".repeat(10), "b".repeat(80), "c".repeat(400));
        let masks = vec![(at(&text, "SECRET1"), "*".to_owned()), (at(&text, "SECRET2"), "#".to_owned())];
        let shown = excerpt(Stretch { start: 0, bytes: text.as_bytes() }, at(&text, "SECRET2"), &masks);
        assert!(shown.starts_with("…b") && shown.ends_with("c…") && !shown.contains("SECRET"), "{shown}");
        let cut = format!("{}SECRET1{}SECRET2", "a".repeat(10), "b".repeat(76));
        let masks = vec![(at(&cut, "SECRET1"), "*".to_owned()), (at(&cut, "SECRET2"), "#".to_owned())];
        let shown = excerpt(Stretch { start: 0, bytes: cut.as_bytes() }, at(&cut, "SECRET2"), &masks);
        assert_eq!(shown, format!("…*{}#", "b".repeat(76)));
    }
}
