//! Content as a stream.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use crate::detect::Content;

/// Reads content forward, from any place on.
pub(super) struct ContentReader<'c> {
    content: &'c dyn Content,
    at: u64,
}

impl<'c> ContentReader<'c> {
    /// From the start.
    pub(super) fn new(content: &'c dyn Content) -> Self {
        Self { content, at: 0 }
    }

    /// From an offset on.
    pub(super) fn from(content: &'c dyn Content, at: u64) -> Self {
        Self { content, at }
    }

    /// Reading in bigger pieces.
    pub(super) fn buffered(self) -> impl BufRead + use<'c> {
        BufReader::with_capacity(64 << 10, self)
    }
}

impl Read for ContentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for ContentReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.content.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
