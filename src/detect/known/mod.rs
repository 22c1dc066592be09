//! Values that a secret manager holds, found wherever they stand: without the network, without clear text, and without a rule.
//!
//! What is looked for is a set of keyed hashes ([`Table`]) of the values and of their usual forms. What is looked at:
//!
//! - **Stretches of text** that begin at the content's start or behind white space, a control byte, a quote, a bracket or one of
//!   `= : , ; & ? / @ # | \`, and that end where no letter, digit or `_` follows. All are tried that have a known form's length.
//! - **The same after one step of decoding**: base64 and base64url, hexadecimal digits, percent-encoding, backslash and HTML escapes.
//! - **PEM blocks**, with white space, escapes and headers taken away.
//!
//! Cost is kept small by a filter: of every possible beginning only the first eight bytes are hashed, quickly and under the key, and
//! looked up in a bitmap. What passes is compared by HMAC-SHA-256. A match depends on no byte farther away than `REACH`, so content can be
//! searched in blocks, and of a version of a file only what changed.

use std::{fmt, sync::OnceLock};

use crate::model::Secret;

mod form;
mod key;
mod search;
mod table;

pub use form::Form;
pub use key::{KnownKey, LONGEST, SHORTEST, Tag};
pub(super) use search::{Found, Reader, touched};
pub use table::{Entries, Entry, Table, ValueId, White};

/// How far from its first byte, on either side, bytes may lie that a match depends on.
pub(super) const REACH: usize = 2 * LONGEST + 64;

/// Where a value lies in the manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whereabouts {
    /// Its environment.
    pub environment: String,
    /// Folder and name.
    pub path: String,
    /// Its version.
    pub version: u64,
    /// Whether that is the current one.
    pub current: bool,
}

/// Reads where each value lies: a scan that finds nothing needs none of it.
type ReadPlaces = Box<dyn Fn() -> Vec<Vec<Whereabouts>> + Send + Sync>;

/// A set of known values, ready to be searched for.
pub struct KnownValues {
    key: KnownKey,
    table: Table,
    name: String,
    /// Of each value, once they are asked for.
    whereabouts: OnceLock<Vec<Vec<Whereabouts>>>,
    read: ReadPlaces,
}

impl KnownValues {
    /// Of a table that was made under this key and has this name ([`KnownKey::name_of`]); `read` gives the whereabouts of each value that
    /// an entry names.
    pub fn new(
        key: KnownKey,
        table: Table,
        name: String,
        read: impl Fn() -> Vec<Vec<Whereabouts>> + Send + Sync + 'static,
    ) -> Self {
        Self { key, table, name, whereabouts: OnceLock::new(), read: Box::new(read) }
    }

    fn places(&self) -> &[Vec<Whereabouts>] {
        self.whereabouts.get_or_init(|| (self.read)())
    }

    /// Where a value lies.
    pub fn whereabouts(&self, value: ValueId) -> &[Whereabouts] {
        self.places().get(value.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every value, with where it lies.
    pub fn values(&self) -> impl Iterator<Item = (ValueId, &[Whereabouts])> {
        let number = |at: usize| ValueId(u32::try_from(at).unwrap_or(u32::MAX));
        self.places().iter().enumerate().map(move |(at, places)| (number(at), places.as_slice()))
    }

    /// What is searched for.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Names the set: equal for equal sets under one key, and telling nothing of them.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownValues({} forms)", self.table.len())
    }
}

/// What a match is known as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which value.
    pub value: ValueId,
    /// In which form it stands there.
    pub form: Form,
    /// The value, where it stands in another form.
    pub clear: Option<Secret>,
}

#[cfg(test)]
mod tests;
