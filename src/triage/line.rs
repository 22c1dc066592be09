//! From offsets to lines and columns, and from offsets to the text of their lines.

use std::{borrow::Cow, io};

use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memrchr, memrchr2};

use crate::{
    detect::Content,
    model::{Position, Span},
};

/// How much of content that is not in memory is read at once.
const PIECE: usize = 1 << 20;
/// A line is looked at no farther than this to either side, in bytes.
const FARTHEST: u64 = 8 * 1024;

/// Positions of the offsets, which must be sorted. Content is read once, up to the last of them.
///
/// # Errors
/// What reading says.
pub fn positions(content: &dyn Content, offsets: &[u64]) -> io::Result<Vec<Position>> {
    let mut counter = Counter { line: 1, column: 1, after_return: false };
    if starts_with_mark(content)? {
        // A byte order mark is a character that no editor counts.
        counter.column = 0;
    }
    let mut positions = Vec::with_capacity(offsets.len());
    let mut buffer = Vec::new();
    let mut base = 0;
    while positions.len() < offsets.len() && base <= content.len() {
        let piece: &[u8] = match content.whole() {
            Some(bytes) => bytes,
            None => {
                buffer.resize(PIECE, 0);
                let read = content.read_at(base, &mut buffer)?;
                &buffer[..read]
            }
        };
        let end = base + piece.len() as u64;
        let mut done = base;
        while let Some(offset) = offsets.get(positions.len()).filter(|offset| **offset <= end) {
            counter.advance(&piece[index(done - base)..index(offset - base)]);
            done = *offset;
            positions.push(counter.position());
        }
        if piece.is_empty() {
            break;
        }
        counter.advance(&piece[index(done - base)..]);
        base = end;
    }
    // Content that became shorter since: its last position is the nearest truth.
    positions.resize(offsets.len(), counter.position());
    Ok(positions)
}

fn starts_with_mark(content: &dyn Content) -> io::Result<bool> {
    let mut head = [0; 3];
    Ok(content.read_at(0, &mut head)? == head.len() && head == *b"\xEF\xBB\xBF")
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset within a piece")
}

struct Counter {
    line: u64,
    column: u64,
    /// A `\r` was last: with a `\n` next, both are one line end.
    after_return: bool,
}

impl Counter {
    fn advance(&mut self, bytes: &[u8]) {
        let Some(last_byte) = bytes.last() else { return };
        let has_return = self.after_return || memchr(b'\r', bytes).is_some();
        let last_end = if has_return { self.count_mixed(bytes) } else { self.count_newlines(bytes) };
        if let Some(end) = last_end {
            self.column = 1 + characters(&bytes[end + 1..]);
        } else {
            self.column += characters(bytes);
        }
        self.after_return = *last_byte == b'\r';
    }

    /// The usual case, at the speed of memory. Returns where the last line ends.
    fn count_newlines(&mut self, bytes: &[u8]) -> Option<usize> {
        self.line += memchr_iter(b'\n', bytes).count() as u64;
        memrchr(b'\n', bytes)
    }

    /// With `\r` among the line ends: `\r\n` is one, a lone `\r` is one too.
    fn count_mixed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut last = None;
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            let after_return = if at == 0 { self.after_return } else { bytes[at - 1] == b'\r' };
            self.line += u64::from(!(bytes[at] == b'\n' && after_return));
            last = Some(at);
        }
        last
    }

    fn position(&self) -> Position {
        Position { line: self.line, column: self.column.max(1) }
    }
}

/// Characters of UTF-8: bytes that continue none.
fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count() as u64
}

/// The lines that a span touches, without their end, and where they start.
///
/// # Errors
/// What reading says.
pub(super) fn lines_of(content: &dyn Content, span: Span) -> io::Result<(u64, Cow<'_, [u8]>)> {
    let from = span.start.saturating_sub(FARTHEST);
    let to = content.len().min(span.end + FARTHEST);
    let around: Cow<'_, [u8]> = match content.whole() {
        Some(bytes) => Cow::Borrowed(&bytes[index(from)..index(to)]),
        None => Cow::Owned(content.read_range(from, to)?),
    };
    let (start, end) = (index(span.start - from).min(around.len()), index(span.end - from).min(around.len()));
    let line_start = memrchr2(b'\n', b'\r', &around[..start]).map_or(0, |newline| newline + 1);
    let line_end = memchr2(b'\n', b'\r', &around[end..]).map_or(around.len(), |newline| end + newline);
    let lines = match around {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[line_start..line_end]),
        Cow::Owned(bytes) => Cow::Owned(bytes[line_start..line_end].to_vec()),
    };
    Ok((from + line_start as u64, lines))
}

/// The line before the one that starts at `line_start`, or nothing.
///
/// # Errors
/// What reading says.
pub(super) fn line_before(content: &dyn Content, line_start: u64) -> io::Result<Cow<'_, [u8]>> {
    let Some(end) = line_start.checked_sub(1) else { return Ok(Cow::Borrowed(&[])) };
    let mut end_byte = [0];
    let crlf = end > 0 && content.read_at(end - 1, &mut end_byte)? == 1 && end_byte[0] == b'\r';
    let end = end - u64::from(crlf);
    lines_of(content, Span::new(end, end)).map(|(_, line)| line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that pretend not to be in memory.
    struct Pieces(Vec<u8>);

    impl Content for Pieces {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }
        fn whole(&self) -> Option<&[u8]> {
            None
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            // Short reads at odd places, as a file system may give them.
            let most = buffer.len().min(7);
            self.0.as_slice().read_at(offset, &mut buffer[..most])
        }
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let text = b"a\r\nb\rc\n\nd";
        let offsets: Vec<u64> = (0..=text.len() as u64).collect();
        let lines: Vec<u64> =
            positions(&text.as_slice(), &offsets).unwrap().iter().map(|at| at.line).collect();
        assert_eq!(lines, [1, 1, 2, 2, 2, 3, 3, 4, 5, 5]);
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let text = "\u{feff}key\nx".as_bytes();
        let columns: Vec<u64> = positions(&text, &[0, 3, 6, 7]).unwrap().iter().map(|at| at.column).collect();
        assert_eq!(columns, [1, 1, 4, 1]);
    }

    #[test]
    fn columns_count_characters() {
        let text = "ä€😀x".as_bytes();
        let at = positions(&text, &[text.len() as u64 - 1]).unwrap()[0];
        assert_eq!((at.line, at.column), (1, 4));
    }

    proptest! {
        #[test]
        fn positions_are_the_same_in_pieces(text in "[ab\r\né]{0,60}") {
            let offsets: Vec<u64> = (0..=text.len() as u64).collect();
            let whole = positions(&text.as_bytes(), &offsets).unwrap();
            prop_assert_eq!(positions(&Pieces(text.into_bytes()), &offsets).unwrap(), whole);
        }
    }
}
