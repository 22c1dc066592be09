//! Where a file came from that was moved and edited.

use std::collections::HashMap;

use super::{Staged, blob, lines::lines};
use crate::git::Oid;

/// So many deleted files are looked at, those of the same name first, and as many as make so many comparisons for all changes together.
const MOST_CANDIDATES: usize = 200;
const MOST_COMPARISONS: usize = 100_000;
/// Bigger files are taken for new, in bytes.
const MOST: u64 = 1 << 20;

/// The content of the deleted file that resembles this one most, if half of the bigger one's lines (by bytes) stand in both: as git decides it.
pub(super) fn most_alike(staged: &Staged, path: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    if new.len() as u64 > MOST {
        return None;
    }
    let mut candidates: Vec<&(Vec<u8>, Oid)> = staged.deleted.iter().collect();
    candidates.sort_by_key(|(other, _)| file_name(other) != file_name(path));
    let most = MOST_CANDIDATES.min(MOST_COMPARISONS / staged.changes.len().max(1) + 1);
    let mut best: Option<(u64, Vec<u8>)> = None;
    for (_, oid) in candidates.into_iter().take(most) {
        // One that can't be read excuses nothing.
        let Ok(old) = blob(&staged.objects, oid, MOST) else { continue };
        let shared = shared(&old, new);
        let is_alike = shared * 2 >= old.len().max(new.len()) as u64;
        if is_alike && best.as_ref().is_none_or(|(most, _)| shared > *most) {
            best = Some((shared, old));
        }
    }
    best.map(|(_, old)| old)
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Bytes of lines that stand in both, line ends included.
fn shared(old: &[u8], new: &[u8]) -> u64 {
    let mut counts: HashMap<&[u8], u32> = HashMap::new();
    lines(old).for_each(|(_, line)| *counts.entry(line).or_default() += 1);
    let mut shared = 0;
    for (_, line) in lines(new) {
        if let Some(count) = counts.get_mut(line).filter(|count| **count > 0) {
            *count -= 1;
            shared += line.len() as u64 + 1;
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shared_as_often_as_both_have_it() {
        assert_eq!(shared(b"aa\nbb\naa\n", b"aa\ncc\naa\naa"), 6);
    }
}
