//! Standard input as one file.

use std::io::{self, Read};

use super::{Entry, Listing, Location, Opened, Source};
use crate::model::{Gap, GapReason, SourceKind};

/// A pipe can't be read twice and must not be written to disk, so it is held in memory up to here, in bytes.
const MOST: u64 = 2 << 30;

/// Standard input could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read standard input: {0}")]
pub struct StdinError(#[from] io::Error);

/// What came in by standard input.
pub struct Stdin {
    name: String,
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Stdin {
    /// Reads all of `input`; `name` is what reports call it.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(input: impl Read, name: String) -> Result<Self, StdinError> {
        let mut bytes = Vec::new();
        input.take(MOST + 1).read_to_end(&mut bytes)?;
        let is_cut = bytes.len() as u64 > MOST;
        Ok(Self { name, bytes, is_cut })
    }

    /// What came in.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Source for Stdin {
    fn kind(&self) -> SourceKind {
        SourceKind::Stdin
    }

    fn root(&self) -> String {
        "-".into()
    }

    fn list(&self) -> Listing {
        let mut listing = Listing::default();
        listing.entries.push(Entry { name: self.name.clone(), location: Location::Nth(0) });
        if self.is_cut {
            let detail = format!("only the first {MOST} bytes were scanned");
            listing.gaps.push(Gap { path: self.name.clone(), reason: GapReason::Cap, detail });
        }
        listing
    }

    fn open<'a>(&'a self, _: &Entry, _: &'a mut Vec<u8>) -> Result<Opened<'a>, Gap> {
        Ok(Opened::memory(&self.bytes))
    }
}
