//! Clusters: hits of one rule whose reaches overlap.
//!
//! The regex runs once over each cluster's span, non-overlapping from its left edge. This is the only matching semantics: results
//! depend on bytes within a known distance, and time is linear however often a keyword repeats.

use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::rule::Reach;

/// Joins hits (literal spans in the order of their starts) into the spans that the regex has to look at; each comes with the range of
/// its hits.
pub(super) fn clusters(
    bytes: &[u8],
    reach: Reach,
    hits: &[Range<usize>],
    mut search: impl FnMut(Range<usize>, Range<usize>),
) {
    let mut open: Option<Range<usize>> = None;
    let mut first = 0;
    for (index, hit) in hits.iter().enumerate() {
        let span = span_of(bytes, reach, hit);
        match &mut open {
            Some(cluster) if span.start < cluster.end => cluster.end = cluster.end.max(span.end),
            _ => {
                if let Some(done) = open.replace(span) {
                    search(done, first..index);
                }
                first = index;
            }
        }
    }
    if let Some(last) = open {
        search(last, first..hits.len());
    }
}

/// A hit with its reach on both sides, cut at the line's ends where no match goes beyond them.
fn span_of(bytes: &[u8], reach: Reach, hit: &Range<usize>) -> Range<usize> {
    let start = hit.start.saturating_sub(reach.before);
    let end = bytes.len().min(hit.end + reach.after);
    if !reach.within_line {
        return start..end;
    }
    let line_start = memrchr(b'\n', &bytes[start..hit.start]).map_or(start, |newline| start + newline + 1);
    let line_end = memchr(b'\n', &bytes[hit.end..end]).map_or(end, |newline| hit.end + newline);
    line_start..line_end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, reach: Reach, hits: &[Range<usize>]) -> Vec<String> {
        let mut found = Vec::new();
        clusters(text.as_bytes(), reach, hits, |span, _| found.push(text[span].to_owned()));
        found
    }

    #[test]
    fn hits_whose_reaches_overlap_are_one_cluster() {
        let reach = Reach { before: 1, after: 2, within_line: false, capped: false };
        assert_eq!(run("..k..k......k..", reach, &[2..3, 5..6, 12..13]), [".k..k..", ".k.."]);
    }

    #[test]
    fn lines_end_the_reach_of_rules_that_match_no_newline() {
        let reach = Reach { before: 9, after: 9, within_line: true, capped: false };
        assert_eq!(run("ab\nckd\nkf", reach, &[4..5, 7..8]), ["ckd", "kf"]);
    }
}
