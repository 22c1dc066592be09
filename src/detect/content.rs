//! What is scanned: bytes that are all at hand, or read piece by piece.

use std::{fs::File, io};

use super::{Utf16, utf16};

/// Bytes with random access.
pub trait Content: Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes, where they are in memory.
    fn whole(&self) -> Option<&[u8]>;

    /// Fills `buffer` from `offset` on; fewer bytes only at the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Whether reading goes forward only, at a fair price: then it is not read by several threads.
    fn is_sequential(&self) -> bool {
        false
    }

    /// The place in the file of an offset in this content; another one only where the content is decoded.
    fn file_offset(&self, offset: u64) -> u64 {
        offset
    }

    /// The bytes from `start` to `end`, less what lies beyond the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_range(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let end = end.min(self.len());
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX)];
        let read = self.read_at(start, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

impl Content for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// A file that is read, not mapped: one that shrinks meanwhile gives a short read, not a signal.
pub struct FileContent {
    file: File,
    len: u64,
}

impl FileContent {
    /// Of an open regular file with this length.
    pub fn new(file: File, len: u64) -> Self {
        Self { file, len }
    }
}

impl Content for FileContent {
    fn len(&self) -> u64 {
        self.len
    }

    fn whole(&self) -> Option<&[u8]> {
        None
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match read_at(&self.file, &mut buffer[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// UTF-16 text as UTF-8; offsets are those of the UTF-8, [`Content::file_offset`] leads back.
pub struct Utf16Content {
    text: String,
    marks: Vec<utf16::Mark>,
}

impl Utf16Content {
    /// Decodes a whole file.
    pub fn decode(raw: &[u8], order: Utf16) -> Self {
        let (text, marks) = utf16::decode(raw, order);
        Self { text, marks }
    }
}

impl Content for Utf16Content {
    fn len(&self) -> u64 {
        self.text.len() as u64
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self.text.as_bytes())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.text.as_bytes().read_at(offset, buffer)
    }

    fn file_offset(&self, offset: u64) -> u64 {
        utf16::file_offset(&self.text, &self.marks, offset)
    }
}
