//! The key that authenticates caches: it must not lie where a repository under scan could bring it along.

use std::fs;

use super::{settings::master_key, user_folder};
use crate::{history::CacheKey, model::derived_key, store::machine_key};

/// The key of the user's `HEKATE_KEY`, else one of this machine's own, made when it is first needed. `None` where neither can be
/// had: then nothing is cached.
pub fn cache_key() -> Option<CacheKey> {
    const PURPOSE: &[u8] = b"hekate history cache v1";
    if let Some((_, text)) = master_key().ok()? {
        return derived_key(&text, PURPOSE).ok().map(|key| CacheKey(*key));
    }
    let folder = user_folder("XDG_STATE_HOME", ".local/state")?;
    fs::create_dir_all(&folder).ok()?;
    let text = machine_key(&folder.join("cache.key")).ok()?;
    derived_key(&text, PURPOSE).ok().map(|key| CacheKey(*key))
}
