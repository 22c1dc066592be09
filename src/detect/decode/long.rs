//! Runs and stretches that are too long to be decoded where they are met: they are looked for once the content is there.

use std::{io, ops::Range};

use super::{
    LONGEST, SHORTEST,
    find::{Start, ends_stretch, for_each_start, run_at},
    search::{Outcome, Work},
};
use crate::{
    detect::{Content, matcher::Detector},
    model::Span,
};

/// So much of one is decoded at once, in bytes; of a run no more.
const MOST: u64 = 16 << 20;
/// Bytes that are looked at to see whether a stretch may go on there.
const PROBE: usize = 64;

impl Detector {
    /// Appends what is in runs and stretches of more than [`LONGEST`] bytes.
    ///
    /// # Errors
    /// What reading the content says.
    pub(in crate::detect) fn search_long(&self, content: &dyn Content, to: Outcome<'_>) -> io::Result<()> {
        // A longer stretch goes over one of these places, and some bytes behind it.
        const EVERY: usize = LONGEST / 2;
        let mut done = 0;
        let (matches, caps) = to;
        for place in (0..content.len()).step_by(EVERY) {
            if place < done || !goes_on(&read(content, place, place + PROBE as u64)?) {
                continue;
            }
            let stretch = stretch_around(content, place)?;
            done = stretch.end;
            if stretch.end - stretch.start > LONGEST as u64 {
                self.search_stretch(content, &stretch, (matches, caps))?;
            }
        }
        Ok(())
    }

    fn search_stretch(&self, content: &dyn Content, stretch: &Range<u64>, to: Outcome<'_>) -> io::Result<()> {
        let mut work = Work::new(self, to);
        let mut base = stretch.start;
        while base < stretch.end {
            let end = stretch.end.min(base + MOST);
            // The byte before tells whether a run goes on.
            let before = base.min(1);
            let bytes = read(content, base - before, end)?;
            let before = usize::try_from(before).unwrap_or_default();
            let mut is_escaped = false;
            let mut runs = Vec::new();
            for_each_start(&bytes, before..bytes.len(), |start| match start {
                Start::Run(at) => runs.extend(run_at(&bytes, at, SHORTEST..=usize::MAX)),
                Start::Escape(_) => is_escaped = true,
            });
            let at = (&*bytes, base - before as u64);
            for run in runs {
                if run.range.end == bytes.len() && end < stretch.end {
                    work.cut(Span::new(at.1 + run.range.start as u64, end));
                } else if run.letters <= LONGEST {
                    // It was decoded where it was met.
                    continue;
                }
                work.run(at, run);
            }
            if is_escaped {
                if end < stretch.end {
                    work.cut(Span::new(base, end));
                }
                work.escapes(at, before..bytes.len());
            }
            base = end;
        }
        Ok(())
    }
}

fn goes_on(bytes: &[u8]) -> bool {
    bytes.len() == PROBE && !bytes.iter().any(|byte| ends_stretch(*byte))
}

/// The stretch that goes over a place, followed to its ends.
fn stretch_around(content: &dyn Content, place: u64) -> io::Result<Range<u64>> {
    let (mut start, mut end) = (place, place);
    while start > 0 {
        let from = start.saturating_sub(LONGEST as u64);
        let bytes = read(content, from, start)?;
        let last = bytes.iter().rposition(|byte| ends_stretch(*byte));
        start = last.map_or(from, |last| from + last as u64 + 1);
        if last.is_some() {
            break;
        }
    }
    while end < content.len() {
        let bytes = read(content, end, end + LONGEST as u64)?;
        let first = bytes.iter().position(|byte| ends_stretch(*byte));
        end += first.unwrap_or(bytes.len()) as u64;
        if first.is_some() || bytes.is_empty() {
            break;
        }
    }
    Ok(start..end)
}

/// Bytes of the content, borrowed where they are in memory.
fn read(content: &dyn Content, start: u64, end: u64) -> io::Result<std::borrow::Cow<'_, [u8]>> {
    let Some(bytes) = content.whole() else { return content.read_range(start, end).map(Into::into) };
    let at = |offset: u64| usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
    Ok(bytes[at(start)..at(end)].into())
}
