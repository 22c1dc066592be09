//! Objects that are what their ids say: an index may be damaged, or forged, and no sweep has looked at it.

use crate::git::{EntryError, Object, ObjectKind, Objects, Oid};

/// What became of reading an object.
pub(super) enum Read {
    Object(Object),
    Missing,
    /// It has so many bytes, more than may be held.
    TooBig(u64),
    /// Why.
    Failed(String),
}

/// Reads an object and checks it against its id. `most` is how many bytes may be held.
pub(super) fn read(objects: &Objects, oid: &Oid, most: u64) -> Read {
    match objects.read(oid, most) {
        Ok(Some(object)) => {
            let head = format!("{} {}\0", object.kind.as_str(), object.bytes.len());
            if objects.hash().digest(&[head.as_bytes(), &object.bytes]) == *oid {
                Read::Object(object)
            } else {
                Read::Failed("its content is not what its name says".into())
            }
        }
        Ok(None) => Read::Missing,
        Err(error) => error.size().map_or_else(|| Read::Failed(error.entry().to_string()), Read::TooBig),
    }
}

/// Why an object can't stand where one of another kind should.
pub(super) fn misfit(there: ObjectKind, named: ObjectKind) -> String {
    if there == named {
        return EntryError::Malformed.to_string();
    }
    format!("it is a {}, and something names it as a {}", there.as_str(), named.as_str())
}
