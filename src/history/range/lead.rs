//! Where refs lead.

use std::collections::HashSet;

use super::{
    MOST_TEXT,
    read::{Read, read},
};
use crate::git::{Commit, ObjectKind, Objects, Oid, Tag};

/// What a ref's target leads to.
pub(super) struct Lead {
    /// It and, of a tag, what that names, and so on.
    pub(super) line: Vec<Oid>,
    /// Its root folder; `None` where it leads to no commit or folder, or not there.
    pub(super) root: Option<Oid>,
}

impl Lead {
    pub(super) fn of(objects: &Objects, tip: Oid) -> Self {
        let mut lead = Self { line: Vec::new(), root: None };
        let mut at = tip;
        let mut passed = HashSet::new();
        // A circle of tags takes a hash collision; it would end here all the same.
        while passed.insert(at) {
            let Read::Object(object) = read(objects, &at, MOST_TEXT) else { return lead };
            lead.line.push(at);
            match object.kind {
                ObjectKind::Commit => {
                    lead.root = Commit::parse(&object.bytes, objects.hash()).map(|commit| commit.tree);
                    return lead;
                }
                ObjectKind::Tag => match Tag::parse(&object.bytes, objects.hash()) {
                    Some(tag) => at = tag.target,
                    None => return lead,
                },
                ObjectKind::Tree => {
                    lead.root = Some(at);
                    return lead;
                }
                ObjectKind::Blob => return lead,
            }
        }
        lead
    }
}
