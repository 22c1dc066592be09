//! A user as `ACL GETUSER` gives it.

use crate::provider::login::Reply;

/// What is asked about a user.
pub(super) struct User {
    pub(super) is_off: bool,
    /// `nopass`.
    pub(super) needs_no_password: bool,
    /// The SHA-256 of each password, in hexadecimal. Dragonfly may show only how they start.
    pub(super) hashes: Vec<String>,
}

impl User {
    /// Reads a list of names, each with what it names; other names than those needed may come.
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        let parts = reply.list()?;
        let named = |name: &[u8]| {
            let is_it = |pair: &&[Reply]| pair[0].text().is_some_and(|text| text.expose() == name);
            parts.chunks_exact(2).find(is_it).map(|pair| words(&pair[1]))
        };
        let flags = named(b"flags")?;
        Some(Self {
            is_off: flags.iter().any(|flag| flag == "off"),
            needs_no_password: flags.iter().any(|flag| flag == "nopass"),
            hashes: named(b"passwords")?,
        })
    }
}

/// The words of a list, or the only one.
fn words(reply: &Reply) -> Vec<String> {
    let word = |reply: &Reply| reply.text().map(|text| String::from_utf8_lossy(text.expose()).into_owned());
    match reply.list() {
        Some(list) => list.iter().filter_map(word).collect(),
        None => word(reply).into_iter().collect(),
    }
}
