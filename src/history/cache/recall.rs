//! What a cache holds, as numbers of the census at hand.

use std::collections::HashSet;

use super::{KnownBlob, KnownPack, Remembered, Shape, name_of, names_of, shape::digest_of};
use crate::{
    detect::Detector,
    git::{ObjectKind, Oid},
    history::{
        blob::Blobs,
        census::{Bits, Census, Gid, NONE},
        closure::{KnownLists, Lists},
        graph::Graph,
        name::Names,
        tree::{Folders, KnownNames},
    },
    rule::Rule,
};

/// What need not be done again.
pub(in crate::history) struct Recall {
    /// Blobs that were scanned and had no match, with their sizes in bytes.
    clean: Vec<(Gid, u64)>,
    is_clean: Bits,
    /// Of these, pointers of Git LFS.
    pub(in crate::history) pointers: Vec<Gid>,
    /// Blobs that had matches.
    marked: Vec<Gid>,
    /// Rules that all this was not scanned by.
    pub(in crate::history) missing_rules: Vec<Rule>,
    /// How the packs' commits and folders lie.
    shape: Option<Shape>,
    /// What is written if nothing else is found.
    packs: Vec<KnownPack>,
    /// Blobs that were read from the file.
    count: usize,
    /// The most bytes that had to be held for one of them.
    pub(in crate::history) largest: u64,
}

/// What was found of commits and folders this time, to be remembered.
pub(in crate::history) struct Seen<'s> {
    pub(in crate::history) graph: &'s Graph,
    /// Commits and tags with matches in their texts.
    pub(in crate::history) texts: &'s [Gid],
    pub(in crate::history) folders: &'s Folders,
    pub(in crate::history) lists: &'s Lists,
    /// Of files that matter whatever they hold.
    pub(in crate::history) names: &'s Names,
    /// All of them could be read.
    pub(in crate::history) is_whole: bool,
}

impl Recall {
    /// Finds what the cache knows among the objects that are there.
    pub(in crate::history) fn of(remembered: Remembered, census: &Census<'_>, detector: &Detector) -> Self {
        let known: HashSet<&[u8; 32]> = remembered.rules.iter().collect();
        let missing = detector.rules().filter(|rule| !known.contains(&name_of(rule))).cloned();
        let is_empty = remembered.blobs.is_empty() && remembered.shape.is_none();
        let mut recall = Self {
            clean: Vec::new(),
            is_clean: Bits::of_len(census.len()),
            pointers: Vec::new(),
            marked: Vec::new(),
            missing_rules: if is_empty { Vec::new() } else { missing.collect() },
            shape: None,
            count: remembered.blobs.len(),
            largest: remembered.largest,
            packs: remembered.packs,
        };
        // Packs that are known come first, so numbers of what they hold are what they were; if none is gone.
        let are_there = recall.packs.len() <= census.packs.len()
            && recall.packs.iter().zip(census.known_packs()).all(|(then, now)| *then == now);
        let id_len = census.hash().id_len();
        for (blob, id) in remembered.blobs.iter().zip(remembered.ids.chunks_exact(id_len)) {
            let gid = if are_there && blob.gid != NONE { Some(blob.gid) } else { census.find(id) };
            let is_blob =
                |gid: &Gid| (*gid as usize) < census.len() && census.kind(*gid) == Some(ObjectKind::Blob);
            if let Some(gid) = gid.filter(is_blob) {
                recall.put(gid, *blob);
            }
        }
        let end: u32 = recall.packs.iter().map(|pack| pack.count).sum();
        recall.shape = remembered.shape.filter(|shape| are_there && shape.end() == end);
        recall
    }

    fn put(&mut self, gid: Gid, blob: KnownBlob) {
        if blob.is_marked {
            self.marked.push(gid);
            return;
        }
        self.clean.push((gid, blob.size));
        self.is_clean.set(gid);
        if blob.is_pointer {
            self.pointers.push(gid);
        }
    }

    /// Whether nothing is known.
    pub(in crate::history) fn is_empty(&self) -> bool {
        self.count == 0 && self.shape.is_none()
    }

    /// Blobs that need not be scanned.
    pub(in crate::history) fn clean(&self) -> &Bits {
        &self.is_clean
    }

    /// How many these are, and their bytes in all.
    pub(in crate::history) fn clean_size(&self) -> (u64, u64) {
        (self.clean.len() as u64, self.clean.iter().map(|(_, size)| size).sum())
    }

    /// That these must be scanned all the same.
    pub(in crate::history) fn forget(&mut self, blobs: &[Gid]) {
        blobs.iter().for_each(|gid| self.is_clean.clear(*gid));
        self.clean.retain(|(gid, _)| self.is_clean.get(*gid));
        self.pointers.retain(|gid| self.is_clean.get(*gid));
    }

    /// The graph of the packs that are known, with the commits and tags in it, and those of them whose texts have matches.
    pub(in crate::history) fn graph(&self, census: &Census<'_>) -> Option<(Graph, Bits, &[Gid])> {
        // Texts are to be scanned by all rules.
        let shape = self.shape.as_ref().filter(|_| self.missing_rules.is_empty())?;
        Some((shape.graph(census)?, shape.bits(census.len()), &shape.marked))
    }

    /// What is known of folders, with the objects it is known of. `wanted` are the blobs with matches, `paths` the names that matter.
    pub(in crate::history) fn folders(
        &self,
        census: &Census<'_>,
        wanted: &[Gid],
        paths: &Names,
    ) -> Option<(KnownNames, KnownLists, Bits)> {
        let shape = self.shape.as_ref()?;
        let (names, lists) =
            shape.folders(census, digest_of(in_packs(census, &self.packs, wanted), paths))?;
        Some((names, lists, shape.bits(census.len())))
    }

    /// What to write: nothing where it would be what was read.
    pub(in crate::history) fn next<T>(
        &self,
        census: &Census<'_>,
        detector: &Detector,
        blobs: &Blobs<T>,
        seen: &Seen<'_>,
    ) -> Option<Remembered> {
        let packs: Vec<KnownPack> = census.known_packs().collect();
        let rules = names_of(detector);
        let count = self.clean.len() + blobs.sizes.len();
        let is_new = blobs.sizes.len() > self.marked.len() || count != self.count;
        let has_shape = self.shape.is_some() || !seen.is_whole;
        if packs == self.packs && self.missing_rules.is_empty() && !is_new && has_shape {
            return None;
        }
        let wanted = digest_of(in_packs(census, &packs, &blobs.marked), seen.names);
        let shape = || Shape::of(census, (seen.graph, seen.texts), (seen.folders, seen.lists), wanted);
        let shape = seen.is_whole.then(shape).flatten();
        let marked: HashSet<Gid> = blobs.marked.iter().copied().collect();
        let pointers: HashSet<Gid> = blobs.pointers.iter().copied().collect();
        let end = census.end_of_packs();
        let mut remembered =
            Remembered { packs, rules, shape, largest: blobs.largest, ..Remembered::default() };
        for (gid, size) in self.clean.iter().chain(&blobs.sizes) {
            remembered.ids.extend_from_slice(census.id(*gid));
            remembered.blobs.push(KnownBlob {
                gid: if *gid < end { *gid } else { NONE },
                size: *size,
                is_marked: marked.contains(gid),
                is_pointer: pointers.contains(gid),
            });
        }
        Some(remembered)
    }
}

/// Those of the blobs that the packs hold.
fn in_packs(census: &Census<'_>, packs: &[KnownPack], blobs: &[Gid]) -> Vec<Oid> {
    let end: u32 = packs.iter().map(|pack| pack.count).sum();
    blobs.iter().filter(|gid| **gid < end).map(|gid| census.oid(*gid)).collect()
}
