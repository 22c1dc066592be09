//! Blobs that are too big to be held: inflated piece by piece, from the front again where that is needed.

use std::{
    io::{self, Read},
    sync::{Mutex, PoisonError},
};

use crate::{
    detect::Content,
    git::{Objects, Oid},
};

/// What is kept behind the place that was read last, in bytes: more than any line or match that is looked at again.
const KEPT: usize = 4 << 20;
/// How much is inflated at once, in bytes.
const PIECE: usize = 256 << 10;

/// A big blob.
pub(super) struct BigBlob<'a> {
    objects: &'a Objects,
    oid: Oid,
    len: u64,
    state: Mutex<State<'a>>,
}

#[derive(Default)]
struct State<'a> {
    stream: Option<Box<dyn Read + Send + 'a>>,
    /// The last bytes that were inflated, and where they start.
    window: Vec<u8>,
    start: u64,
}

impl<'a> BigBlob<'a> {
    pub(super) fn new(objects: &'a Objects, oid: Oid, len: u64) -> Self {
        Self { objects, oid, len, state: Mutex::default() }
    }
}

impl State<'_> {
    fn end(&self) -> u64 {
        self.start + self.window.len() as u64
    }

    /// Inflates on, until the window reaches from `offset` (which it has not passed) to `to`.
    fn advance(&mut self, offset: u64, to: u64) -> io::Result<()> {
        while self.end() < to {
            let behind = (self.end().min(offset) - self.start) as usize;
            if behind > 2 * KEPT {
                self.window.drain(..behind - KEPT);
                self.start += (behind - KEPT) as u64;
            }
            let stream = self.stream.as_mut().expect("it was opened");
            let length = self.window.len();
            self.window.resize(length + PIECE, 0);
            let read = stream.read(&mut self.window[length..])?;
            self.window.truncate(length + read);
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

impl Content for BigBlob<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn whole(&self) -> Option<&[u8]> {
        None
    }

    fn is_sequential(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let end = self.len.min(offset.saturating_add(buffer.len() as u64));
        if offset >= end {
            return Ok(0);
        }
        if offset < state.start || state.stream.is_none() {
            let stream = self.objects.stream(&self.oid)?;
            *state = State { stream: Some(stream.ok_or(io::ErrorKind::NotFound)?), ..State::default() };
        }
        state.advance(offset, end)?;
        let from = (offset - state.start) as usize;
        let length = (end - offset) as usize;
        buffer[..length].copy_from_slice(&state.window[from..from + length]);
        Ok(length)
    }
}
