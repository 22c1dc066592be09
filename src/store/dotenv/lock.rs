//! One writer at a time.

use std::{fs::File, path::Path, time::Duration};

use crate::store::{StoreError, file::trouble, lock};

/// Its name in the store's folder.
const NAME: &str = ".hekate.lock";
/// How long another writer is waited for: a write takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held for as long as it lives; the system lets go of it when the process dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process or thread writes.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the file can't be made, or somebody else holds it for long.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        Self::acquire_within(root, PATIENCE)
    }

    fn acquire_within(root: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = root.join(NAME);
        match lock::acquire(&path, patience).map_err(|error| trouble("lock", &path, error))? {
            Some(file) => Ok(Self { _file: file }),
            None => Err(trouble("lock", &path, "another hekate writes to this store; try again")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_waits_and_is_told_who_is_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::acquire(folder.path()).unwrap();
        let error = Lock::acquire_within(folder.path(), Duration::ZERO).err().unwrap().to_string();
        assert!(error.contains("another hekate writes"), "{error}");
        drop(first);
        assert!(Lock::acquire_within(folder.path(), Duration::ZERO).is_ok());
    }
}
