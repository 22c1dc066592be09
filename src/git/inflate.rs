//! zlib streams: of a known size at once, and of what is too big to hold piece by piece.

use std::io::{self, Read};

use libdeflater::{DecompressionError, Decompressor};

/// A stream that can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// It is no zlib stream, or its checksum is wrong.
    #[error("the zlib stream is damaged")]
    Damaged,
    /// It holds more or fewer bytes than its header says.
    #[error("the zlib stream does not hold the {0} bytes that its header says")]
    Size(u64),
}

/// Inflates; one per thread.
pub struct Inflater(Decompressor);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompressor::new())
    }
}

impl Inflater {
    /// Inflates a stream that holds just `size` bytes to the end of `out`. What follows it in `stream` does not matter.
    ///
    /// # Errors
    /// That it is damaged (its Adler-32 is checked), or of another size; `out` is as it was.
    pub fn inflate(&mut self, stream: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), InflateError> {
        let start = out.len();
        out.resize(start + size, 0);
        let wrong_size = InflateError::Size(size as u64);
        let result = match self.0.zlib_decompress(stream, &mut out[start..]) {
            Ok(written) if written == size => return Ok(()),
            Ok(_) | Err(DecompressionError::InsufficientSpace) => Err(wrong_size),
            Err(DecompressionError::BadData) => Err(InflateError::Damaged),
        };
        out.truncate(start);
        result
    }
}

/// At most the first `most` bytes of a stream, however much it holds.
///
/// # Errors
/// That it is damaged before that.
pub fn inflate_head(stream: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    flate2::read::ZlibDecoder::new(stream).take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}
