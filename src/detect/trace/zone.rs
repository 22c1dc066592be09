//! Where content differs from what it is made from.

use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::{detect::block::BLOCK, model::Segment};

/// Stretches of zones this close together are searched as one, in bytes.
const JOIN: usize = 64;

/// All zones of one content, by place; they neither overlap nor touch.
#[derive(Debug, Default)]
pub(super) struct Zones {
    zones: Vec<Zone>,
    /// The first zone that starts behind the last hit that was asked for.
    next: usize,
}

#[derive(Debug, Clone)]
struct Zone {
    start: usize,
    end: usize,
    /// The lines it touches, once asked for.
    lines: Option<Range<usize>>,
}

/// The zones to either side of a hit.
#[derive(Debug, Clone)]
pub(super) struct Near {
    hit: Range<usize>,
    before: Option<(usize, usize)>,
    after: Option<(usize, usize)>,
}

impl Zones {
    /// Finds the zones of content of this length, made of `segments` of content of length `other`.
    pub(super) fn lay_out(&mut self, len: usize, other: usize, segments: &[Segment]) {
        self.zones.clear();
        let mut last_end = Some(0);
        for segment in segments {
            match segment.source {
                None => self.add(segment.start, segment.end()),
                // It goes on where the one before it ended only if that was the start of both contents.
                Some(source) if last_end != Some(source) || segment.start != 0 => {
                    self.add(segment.start, segment.start);
                }
                Some(_) => {}
            }
            last_end = segment.source.map(|source| source + segment.len);
        }
        if last_end != Some(other) {
            self.add(len, len);
        }
        if len.max(other) as u64 > BLOCK {
            self.add_cuts(len, segments);
        }
        self.next = 0;
    }

    /// Adds a zone behind all others.
    fn add(&mut self, start: usize, end: usize) {
        match self.zones.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => self.zones.push(Zone { start, end, lines: None }),
        }
    }

    /// Where a block ends in either content, clusters are cut.
    fn add_cuts(&mut self, len: usize, segments: &[Segment]) {
        let block = BLOCK as usize;
        let mut places: Vec<(usize, usize)> = self.zones.iter().map(|zone| (zone.start, zone.end)).collect();
        places.extend((1..=len / block).map(|cut| (cut * block, cut * block)));
        for segment in segments {
            let Some(source) = segment.source else { continue };
            let cuts = source.div_ceil(block)..=(source + segment.len) / block;
            places.extend(cuts.map(|cut| cut * block - source + segment.start).map(|cut| (cut, cut)));
        }
        places.sort_unstable();
        self.zones.clear();
        places.into_iter().for_each(|(start, end)| self.add(start, end));
    }

    /// Where literals may start that touch a zone; `longest` is the longest literal's length, 0 without any.
    pub(super) fn for_each_stretch(&self, longest: usize, mut search: impl FnMut(Range<usize>)) {
        let mut open: Option<Range<usize>> = None;
        for zone in &self.zones {
            let start = zone.start.saturating_sub(longest.saturating_sub(1));
            match &mut open {
                Some(stretch) if start <= stretch.end + JOIN => stretch.end = zone.end,
                _ => {
                    if let Some(done) = open.replace(start..zone.end) {
                        search(done);
                    }
                }
            }
        }
        if let Some(last) = open {
            search(last);
        }
    }

    /// Every zone, by place.
    pub(super) fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.zones.iter().map(|zone| zone.start..zone.end)
    }

    /// Starts again with hits from the front.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
    }

    /// The zones around a hit; hits are asked for in the order of their starts.
    pub(super) fn near(&mut self, hit: Range<usize>) -> Near {
        while self.zones.get(self.next).is_some_and(|zone| zone.start <= hit.start) {
            self.next += 1;
        }
        let place = |index: usize, distance: fn(&Zone, &Range<usize>) -> usize| {
            self.zones.get(index).map(|zone| (index, distance(zone, &hit)))
        };
        let before = self
            .next
            .checked_sub(1)
            .and_then(|index| place(index, |zone, hit| hit.start.saturating_sub(zone.end)));
        let after = place(self.next, |zone, hit| zone.start.saturating_sub(hit.end));
        Near { hit, before, after }
    }

    /// The lines that a zone touches, from the first one's start to the last one's end; not farther away than `most`.
    fn lines(&mut self, index: usize, bytes: &[u8], most: usize) -> &Range<usize> {
        let zone = &mut self.zones[index];
        zone.lines.get_or_insert_with(|| {
            let from = zone.start.saturating_sub(most);
            let to = bytes.len().min(zone.end.saturating_add(most));
            let start = memrchr(b'\n', &bytes[from..zone.start]).map_or(from, |newline| from + newline + 1);
            let end = memchr(b'\n', &bytes[zone.end..to]).map_or(to, |newline| zone.end + newline);
            start..end
        })
    }
}

impl Near {
    /// To the nearer zone, in bytes; 0 if one touches the hit.
    pub(super) fn distance(&self) -> usize {
        let of = |zone: Option<(usize, usize)>| zone.map_or(usize::MAX, |(_, distance)| distance);
        of(self.before).min(of(self.after))
    }

    /// Whether a zone that is no farther than `most` lies in the hit's own line, or at its ends.
    pub(super) fn touches_line(&self, bytes: &[u8], zones: &mut Zones, most: usize) -> bool {
        [self.before, self.after].into_iter().flatten().filter(|(_, distance)| *distance <= most).any(
            |(index, _)| {
                let lines = zones.lines(index, bytes, LINE);
                lines.start <= self.hit.start && self.hit.start <= lines.end
            },
        )
    }
}

/// Lines are followed no farther than this, in bytes: more than any rule's margin.
const LINE: usize = 4 * crate::rule::Reach::MAX;
