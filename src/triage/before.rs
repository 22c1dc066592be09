//! Files as they stood before the change under scan: there a mark counts only if its line stood there already.

use std::{
    cell::OnceCell,
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
};

use memchr::memchr2;

type Read = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Where to read a file as it stood before the change, by its path in the repository.
pub struct Before(Box<Read>);

impl Before {
    /// Reads by a function that has `None` for what was not there and for what can't be read: no mark counts in it.
    pub fn new(read: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }

    /// The file at this path; it is read when it is first asked about.
    pub(super) fn file<'a>(&'a self, path: &'a str) -> FileBefore<'a> {
        FileBefore { before: self, path, lines: OnceCell::new() }
    }
}

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before")
    }
}

/// One file before the change.
pub(super) struct FileBefore<'a> {
    before: &'a Before,
    path: &'a str,
    lines: OnceCell<Option<LineTable>>,
}

impl FileBefore<'_> {
    /// Whether these lines stood there, in this order and with nothing between them. How lines end is not looked at, because a
    /// checkout may change it.
    pub(super) fn holds(&self, stretch: &[u8]) -> bool {
        let read = || (self.before.0)(self.path).map(LineTable::of);
        self.lines.get_or_init(read).as_ref().is_some_and(|table| table.holds(stretch))
    }
}

/// A text's lines, found by their hash: a file with many marks is not searched once for each.
struct LineTable {
    text: Vec<u8>,
    starts: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
}

impl LineTable {
    fn of(text: Vec<u8>) -> Self {
        let hasher = RandomState::new();
        let mut starts: HashMap<u64, Vec<usize>> = HashMap::new();
        for (start, line) in lines(&text) {
            starts.entry(hasher.hash_one(line)).or_default().push(start);
        }
        Self { text, starts, hasher }
    }

    fn holds(&self, stretch: &[u8]) -> bool {
        let Some((_, first)) = lines(stretch).next() else { return false };
        let candidates = self.starts.get(&self.hasher.hash_one(first));
        let stands_at = |start: &usize| {
            let mut there = lines(&self.text[*start..]).map(|(_, line)| line);
            lines(stretch).all(|(_, line)| there.next() == Some(line))
        };
        candidates.is_some_and(|starts| starts.iter().any(stands_at))
    }
}

/// Each line with its offset, without its end: `\n`, `\r\n` or a lone `\r`.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let Some(length) = memchr2(b'\n', b'\r', &text[start..]) else {
            next = None;
            return Some((start, &text[start..]));
        };
        let end = start + length;
        let end_length = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        next = Some(end + end_length);
        Some((start, &text[start..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(text: &'static str) -> Before {
        Before::new(move |path| (path == "a").then(|| text.as_bytes().to_vec()))
    }

    #[test]
    fn lines_count_where_they_stood_whole_and_in_order() {
        let before = before("one\r\ntwo # mark\nthree\n\nfour");
        let file = before.file("a");
        for held in ["one", "two # mark", "one\ntwo # mark", "two # mark\r\nthree", "four"] {
            assert!(file.holds(held.as_bytes()), "{held:?}");
        }
        for new in
            ["tw", "wo # mark", "two # mark ", "two # mark\none", "one\nthree", "three\nfour", "four\nfive"]
        {
            assert!(!file.holds(new.as_bytes()), "{new:?}");
        }
    }

    #[test]
    fn what_was_not_there_holds_nothing() {
        assert!(!before("one").file("b").holds(b"one"));
    }
}
