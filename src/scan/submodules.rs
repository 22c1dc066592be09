//! Histories of submodules, joined to the one of the repository that they are part of.

use super::HistoryError;
use crate::{
    git::{Repository, submodules},
    model::{Coverage, Gap, GapReason},
    source::display_bytes,
    triage::Sighting,
};

/// Adds what `scan` finds in the repositories of the submodules; it is given what goes before their paths.
///
/// # Errors
/// A folder of submodules that can't be listed. A repository that can't be read is a gap.
pub(super) fn add(
    repository: &Repository,
    scan: impl Fn(&Repository, &str) -> Result<(Vec<Sighting>, Coverage), HistoryError>,
    (sightings, coverage): (&mut Vec<Sighting>, &mut Coverage),
) -> Result<(), HistoryError> {
    let mut swept: Vec<String> = Vec::new();
    for submodule in submodules(repository)? {
        let path = display_bytes(submodule.path.as_os_str().as_encoded_bytes());
        let prefix = format!("{path}/");
        let scanned = submodule.repository.map_err(HistoryError::from).and_then(|one| scan(&one, &prefix));
        match scanned {
            Ok((more, mut covered)) => {
                covered.gaps.iter_mut().for_each(|gap| gap.path = format!("{path}: {}", gap.path));
                sightings.extend(more);
                coverage.merge(covered);
                swept.push(path);
            }
            Err(error) => {
                let (reason, detail) = (GapReason::Unreadable, error.to_string());
                coverage.gaps.push(Gap { path: format!("submodule {path}"), reason, detail });
            }
        }
    }
    // Folders have the last name of a path alone; who has two of that name can tell them apart by the rest.
    for note in coverage.gaps.iter_mut().filter(|gap| gap.reason == GapReason::Submodule) {
        let name = note.path.rsplit(": ").next().unwrap_or_default();
        let same = |path: &&String| path.rsplit('/').next() == Some(name);
        let known: Vec<&str> = swept.iter().filter(same).map(String::as_str).collect();
        if !known.is_empty() {
            note.detail = format!("covered: {}", known.join(", "));
        }
    }
    Ok(())
}
