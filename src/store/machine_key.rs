//! Keys of this machine's own, for who has set none.

use std::path::Path;

use zeroize::Zeroizing;

use super::{StoreError, file};

/// The key in a file, as 64 hexadecimal digits; made when it is first needed, readable by the user alone. Of two that make one at a time, one
/// is kept. The folder has to be there.
///
/// # Errors
/// [`StoreError::Io`]: it can't be read or made, is a link, or others can write to it.
pub(crate) fn machine_key(path: &Path) -> Result<Zeroizing<String>, StoreError> {
    if let Some(text) = read(path)? {
        return Ok(text);
    }
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| file::trouble("make a key for", path, error))?;
    let text: Zeroizing<String> = Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect());
    file::make(path, text.as_bytes())?;
    read(path)?.ok_or_else(|| file::trouble("read", path, "it is gone again"))
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, StoreError> {
    let Some(bytes) = file::read(path)? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|_| file::trouble("read", path, "it is no key"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}
