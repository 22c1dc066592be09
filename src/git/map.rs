//! Files in memory: packs and their indexes.

use std::{fs::File, io, ops::Deref, path::Path};

use memmap2::Mmap;

/// A file's bytes, mapped. Git never changes a pack or an index of packs once it has its name; it only removes them, and a removed file stays
/// readable while it is mapped.
#[derive(Debug)]
pub(super) struct Map(Option<Mmap>);

impl Map {
    /// Maps a regular file.
    ///
    /// # Errors
    /// What the system says, or that it is no regular file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        if metadata.len() == 0 {
            return Ok(Self(None));
        }
        #[expect(
            unsafe_code,
            reason = "packs are written once and renamed into place; reading half a gigabyte up front would cost more than the scan"
        )]
        // SAFETY: the mapping is read-only and private to this process's view; the file is one that git never rewrites in place. Whoever truncates it
        // under a running scan gets a stopped scan (SIGBUS), as with git itself, and no wrong answer.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(Some(map)))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}
