//! The key that authenticates caches: it must not lie where a repository under scan could bring it along.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

use super::{settings::master_key, user_folder};
use crate::{history::CacheKey, model::derived_key};

/// The key of the user's `HEKATE_KEY`, else one of this machine's own, made when it is first needed. `None` where neither can be
/// had: then nothing is cached.
pub fn cache_key() -> Option<CacheKey> {
    const PURPOSE: &[u8] = b"hekate history cache v1";
    if let Some((_, text)) = master_key().ok()? {
        return derived_key(&text, PURPOSE).ok().map(|key| CacheKey(*key));
    }
    let folder = user_folder("XDG_STATE_HOME", ".local/state")?;
    let path = folder.join("cache.key");
    let text = read(&path).or_else(|_| make(&folder, &path).and_then(|()| read(&path))).ok()?;
    derived_key(&text, PURPOSE).ok().map(|key| CacheKey(*key))
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = Zeroizing::new(String::new());
    fs::File::open(path)?.take(100).read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a key, readable by the user alone. Of two that make one at a time, one is kept.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice())?;
    let text: Zeroizing<String> = Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect());
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}
