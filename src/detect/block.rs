//! How content is cut: the blocks that clusters end at, with the bytes around them that matches may need.

use std::{io, ops::Range};

use super::Content;

/// Clusters end at multiples of this many bytes. A part of the semantics, the same for every source and engine: it lets big
/// content be searched in parallel, in bounded memory, with one result.
pub(super) const BLOCK: u64 = 1 << 20;

/// A block with its surroundings.
pub(super) struct Window<'a> {
    /// The block's bytes, with all neighbours that a match in it may touch or look at.
    pub(super) bytes: &'a [u8],
    /// Where `bytes` start in the content.
    pub(super) base: u64,
    /// The block within `bytes`: literals that start here are this block's.
    pub(super) core: Range<usize>,
}

/// Number of blocks of content this long.
pub(super) fn count(len: u64) -> u64 {
    len.div_ceil(BLOCK)
}

/// Whether content is searched in several blocks, by all threads at once.
pub fn is_split(content: &dyn Content) -> bool {
    count(content.len()) > 1
}

/// The `index`th block of content that is in memory.
pub(super) fn of_slice(bytes: &[u8], index: u64) -> Window<'_> {
    let (start, end) = bounds(bytes.len() as u64, index);
    Window { bytes, base: 0, core: to_usize(start)..to_usize(end) }
}

/// All of some bytes, as one window.
pub(super) fn all_of(bytes: &[u8]) -> Window<'_> {
    Window { bytes, base: 0, core: 0..bytes.len() }
}

/// Reads the `index`th block and `margin` bytes on either side into `buffer`.
///
/// # Errors
/// What the system says, or that the content is shorter than it was.
pub(super) fn read<'a>(
    content: &dyn Content,
    index: u64,
    margin: usize,
    buffer: &'a mut Vec<u8>,
) -> io::Result<Window<'a>> {
    let (start, end) = bounds(content.len(), index);
    let base = start.saturating_sub(margin as u64);
    let stop = content.len().min(end + margin as u64);
    buffer.resize(to_usize(stop - base), 0);
    let read = content.read_at(base, buffer)?;
    if read < buffer.len() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file became shorter while it was read",
        ));
    }
    Ok(Window { bytes: buffer, base, core: to_usize(start - base)..to_usize(end - base) })
}

fn bounds(len: u64, index: u64) -> (u64, u64) {
    (index * BLOCK, len.min((index + 1) * BLOCK))
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).expect("a block with its margins fits into memory")
}
