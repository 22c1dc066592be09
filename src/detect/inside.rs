//! What stands in archives, found by the same rules.

use std::{collections::BTreeSet, io};

use super::{
    Content, Detector, RawMatch, Utf16, Utf16Content,
    archive::{Archive, unpack},
    decode::capped_gap,
};
use crate::model::{Gap, Secret};

/// What looking into content came to.
#[derive(Debug, Default)]
pub struct Inside {
    /// What was not opened or decoded, or not wholly.
    pub gaps: Vec<Gap>,
    /// Secrets that stand in an entry: where they stand in the archive's own bytes, too, they need not be told twice.
    told: BTreeSet<Secret>,
}

impl Inside {
    /// Keeps of the matches in an archive's own bytes those that were not found in an entry.
    pub fn retain_untold(&self, matches: &mut Vec<RawMatch>) {
        if !self.told.is_empty() {
            matches.retain(|found| !self.told.contains(&Secret::new(found.canonical())));
        }
    }
}

/// Who is told of an entry's path and content, with its matches.
pub type TellEntry<'t> = &'t mut dyn FnMut(&str, &dyn Content, Vec<RawMatch>) -> io::Result<()>;

impl Detector {
    /// Tells of every entry of content that is an archive; of one that is text in UTF-16 a second time, decoded. Other content has none.
    ///
    /// # Errors
    /// What reading says, or whoever is told.
    pub fn search_inside(
        &self,
        content: &dyn Content,
        path: &str,
        tell: TellEntry<'_>,
    ) -> io::Result<Inside> {
        let mut inside = Inside::default();
        let archive = if self.opens_archives() { Archive::of(content)? } else { None };
        let Some(archive) = archive else { return Ok(inside) };
        let mut capped = Vec::new();
        let mut show = |path: &str, bytes: &[u8]| {
            let text = Utf16::detect(bytes).map(|order| Utf16Content::decode(bytes, order));
            let text = text.as_ref().map(|text| -> &dyn Content { text });
            for content in [Some::<&dyn Content>(&bytes), text].into_iter().flatten() {
                let (matches, caps) = self.scan_telling(content)?;
                inside.told.extend(matches.iter().map(|found| Secret::new(found.canonical())));
                capped.extend(capped_gap(path, &caps));
                tell(path, content, matches)?;
            }
            Ok(())
        };
        inside.gaps = unpack(archive, content, path, &mut show)?;
        inside.gaps.extend(capped);
        Ok(inside)
    }
}
