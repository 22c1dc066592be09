//! Scanning content that is mostly made of stretches of other, already scanned content: a version of a file, stored as a delta.
//!
//! What carries over is every literal hit and every match whose cluster stands unchanged within one stretch; a regex runs only over
//! clusters that bytes of its own, or a seam between two stretches, may have changed. The result is that of a whole scan, by proof
//! and by test:
//!
//! - Bytes that differ from the other content's lie in *zones*: inserted bytes, seams, a lost head or tail, and the cuts between blocks.
//! - A hit is *affected* if a zone touches the bytes that its cluster may depend on: its reach, the literal and the reach of any hit that
//!   might join it, and what look-around sees; of rules that match no newline, as far as its line goes.
//! - A run that may be a value by a word nearby is a hit with a reach of its own, and a cluster of its own.
//! - A cluster with no affected hit has no zone within all that any of its hits depends on. These stretches overlap, so all of it
//!   lies in one copied segment, and there it was the same cluster with the same matches.

mod nearby;
mod zone;

use std::ops::Range;

use super::{
    Capped, RawMatch,
    block::{self, BLOCK},
    cluster::clusters,
    context,
    decode::{Decoded, Touched, touched},
    judge::of_known,
    known::{self, Form, Reader},
    matcher::{Detector, Pass, Scratch, Use, in_order},
    score,
};
use crate::{
    model::{Segment, Span},
    rule::{Ahead, Search},
};
use nearby::Run;
use zone::Zones;

/// What a scan leaves for the scan of content that is made from this one's.
#[derive(Debug, Default)]
pub struct Trace {
    len: usize,
    /// By start.
    hits: Vec<Hit>,
    /// Runs that may be values by a word nearby, by place.
    runs: Vec<Run>,
    /// Of all clusters, whether or not their rules' gates were seen.
    matches: Vec<RawMatch>,
    /// Some rule has more matches than are kept: what is made from this content is scanned whole.
    is_cut: bool,
    /// What was not decoded.
    caps: Vec<Capped>,
}

/// A literal's place. Content that is traced has less than 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    start: u32,
    literal: u16,
}

impl Hit {
    fn start(self) -> usize {
        self.start as usize
    }
}

/// How far from a hit bytes may lie that its cluster depends on, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Margin {
    /// On either side: what joins it from one side reaches as far as what it reaches itself.
    distance: usize,
    /// Not beyond its line.
    within_line: bool,
}

/// Scans and rescans; one per thread.
pub struct Tracer<'d> {
    detector: &'d Detector,
    scratch: Scratch,
    /// Of each rule.
    margins: Vec<Margin>,
    /// The greatest of the rules that a literal is of.
    farthest: Vec<usize>,
    /// Some rule needs more than its clusters: a gate, or the whole content.
    has_gates: bool,
    zones: Zones,
    /// Buffers for hits that stand in what the content is made from, and for others.
    carried: Vec<Hit>,
    found: Vec<Hit>,
    /// Which hits of the content at hand are affected, for which rule; in the order of hits.
    affected: Vec<(u32, u32)>,
    /// For the hits in the scratch's `by_rule`: whether each is affected.
    flags: Vec<Vec<bool>>,
    /// Rules with an affected hit.
    marked: Vec<bool>,
    /// Spans that were searched anew, with their rule.
    searched: Vec<(usize, Range<usize>)>,
    /// Of each run of the content at hand, whether it is affected.
    affected_runs: Vec<bool>,
}

/// What a regex's look-around and the judging of a value see beyond a cluster, in bytes.
const GUARD: usize = 4 + score::REACH;

impl Detector {
    /// Ready to scan content that comes in families.
    pub fn tracer(&self) -> Tracer<'_> {
        let margins: Vec<Margin> = self.rules.iter().map(|machine| margin(&machine.rule)).collect();
        let of_use = |usage: &Use| match usage {
            Use::Literal(rule, _) => margins[*rule].distance,
            Use::Gate(_) => 0,
        };
        let farthest = self.uses.iter().map(|uses| uses.iter().map(of_use).max().unwrap_or(0)).collect();
        Tracer {
            detector: self,
            scratch: self.take_scratch(),
            farthest,
            has_gates: !self.whole.is_empty()
                || self.rules.iter().any(|machine| !machine.rule.gates.is_empty()),
            zones: Zones::default(),
            carried: Vec::new(),
            found: Vec::new(),
            affected: Vec::new(),
            flags: vec![Vec::new(); self.rules.len()],
            marked: vec![false; self.rules.len()],
            searched: Vec::new(),
            affected_runs: Vec::new(),
            margins,
        }
    }
}

fn margin(rule: &crate::rule::Rule) -> Margin {
    let Some(Search::Literals { literals, reach, .. }) = rule.pattern().map(|pattern| &pattern.search) else {
        return Margin::default();
    };
    let longest = literals.iter().map(Vec::len).max().unwrap_or(0);
    Margin { distance: reach.before + reach.after + longest + GUARD, within_line: reach.within_line }
}

impl Drop for Tracer<'_> {
    fn drop(&mut self) {
        self.detector.give_back(std::mem::take(&mut self.scratch));
    }
}

impl Tracer<'_> {
    /// Scans content that is made from nothing.
    pub fn trace(&mut self, bytes: &[u8]) -> Trace {
        let own = Segment { start: 0, len: bytes.len(), source: None };
        self.retrace(bytes, &Trace::default(), &[own])
    }

    /// Scans content that is made of `segments`, in order and without gaps; the copied ones stand in the content that `other` is the trace of.
    pub fn retrace(&mut self, bytes: &[u8], other: &Trace, segments: &[Segment]) -> Trace {
        if other.is_cut {
            return self.trace(bytes);
        }
        self.zones.lay_out(bytes.len(), other.len, segments);
        let mut carried = std::mem::take(&mut self.carried);
        self.carry_hits(bytes.len(), other, segments, &mut carried);
        let mut found = std::mem::take(&mut self.found);
        self.find_hits(bytes, &mut found);
        let hits = merged(&carried, &found);
        (self.carried, self.found) = (carried, found);
        self.mark_affected(bytes, &hits);
        let mut matches = Vec::new();
        self.search_affected(bytes, &hits, &mut matches);
        self.search_known(bytes, &mut matches);
        let runs = self.search_nearby(bytes, other, segments, &mut matches);
        self.carry_matches((bytes, &runs), other, segments, &mut matches);
        let mut caps = Vec::new();
        let again = self.search_decoded(bytes, &mut matches, &mut caps);
        carry_decoded((other, segments), &again, &mut matches, &mut caps);
        in_order(&mut matches);
        let is_cut = self.detector.is_over(&matches);
        Trace { len: bytes.len(), hits, runs, matches, is_cut, caps }
    }

    /// The matches of the content that this is the trace of: what [`Detector::scan`] finds in it.
    pub fn matches(&mut self, bytes: &[u8], trace: &Trace) -> Vec<RawMatch> {
        let mut matches = trace.matches.clone();
        self.scratch.caps.clone_from(&trace.caps);
        if !self.has_gates && self.detector.known.is_none() {
            let before = matches.len();
            let searched = self.detector.search_long(&bytes, (&mut matches, &mut self.scratch.caps));
            searched.expect("bytes in memory can be read");
            if matches.len() > before {
                in_order(&mut matches);
            }
            self.order_caps();
            self.detector.cut_off(&mut matches);
            return matches;
        }
        let open = &mut self.scratch.open;
        open.clear();
        open.resize(self.detector.rules.len(), false);
        for hit in &trace.hits {
            for usage in &self.detector.uses[usize::from(hit.literal)] {
                if let Use::Gate(rule) = *usage {
                    open[rule] = true;
                }
            }
        }
        let concluded = self.detector.conclude(&bytes, &mut self.scratch, &mut matches);
        concluded.expect("bytes in memory can be read");
        matches
    }

    /// What was not decoded of the content whose matches were asked for last.
    pub fn take_capped(&mut self) -> Vec<Capped> {
        std::mem::take(&mut self.scratch.caps)
    }

    fn order_caps(&mut self) {
        self.scratch.caps.sort_unstable();
        self.scratch.caps.dedup();
    }

    /// Hits that lie wholly in one copied segment, with what they see behind them; in order. `len` is that of the content at hand.
    fn carry_hits(&self, len: usize, other: &Trace, segments: &[Segment], hits: &mut Vec<Hit>) {
        hits.clear();
        for segment in segments {
            let Some(source) = segment.source else { continue };
            let first = other.hits.partition_point(|hit| hit.start() < source);
            // Behind its last byte nothing stands, here as there.
            let is_tail = source + segment.len == other.len && segment.end() == len;
            let ahead = if is_tail { 0 } else { Ahead::LEN };
            for hit in &other.hits[first..] {
                if hit.start() >= source + segment.len {
                    break;
                }
                let end = hit.start() + self.detector.prefilter.literal_len(hit.literal);
                if end + ahead <= source + segment.len {
                    let start = to_u32(hit.start() - source + segment.start);
                    hits.push(Hit { start, literal: hit.literal });
                }
            }
        }
    }

    /// Hits that touch a zone, and some that are carried already; in order.
    fn find_hits(&mut self, bytes: &[u8], hits: &mut Vec<Hit>) {
        let longest = self.detector.prefilter.farthest();
        let found = &mut self.scratch.hits;
        found.clear();
        self.zones.for_each_stretch(longest, |starts| self.detector.prefilter.find(bytes, starts, found));
        hits.clear();
        hits.extend(found.iter().map(|hit| Hit { start: to_u32(hit.start), literal: hit.literal }));
        hits.sort_unstable();
    }

    /// Fills `affected` and `marked`.
    fn mark_affected(&mut self, bytes: &[u8], hits: &[Hit]) {
        self.affected.clear();
        self.zones.rewind();
        for (index, hit) in hits.iter().enumerate() {
            let literal = usize::from(hit.literal);
            let end = hit.start() + self.detector.prefilter.literal_len(hit.literal);
            let near = self.zones.near(hit.start()..end);
            if near.distance() > self.farthest[literal] {
                continue;
            }
            for usage in &self.detector.uses[literal] {
                let Use::Literal(rule, ahead) = *usage else { continue };
                let margin = self.margins[rule];
                let is_affected = if margin.within_line {
                    near.touches_line(bytes, &mut self.zones, margin.distance)
                } else {
                    near.distance() <= margin.distance
                };
                if is_affected && ahead.admits(bytes, end) {
                    self.affected.push((to_u32(index), to_u32(rule)));
                    self.marked[rule] = true;
                }
            }
        }
    }

    /// Searches every cluster with an affected hit.
    fn search_affected(&mut self, bytes: &[u8], hits: &[Hit], matches: &mut Vec<RawMatch>) {
        self.searched.clear();
        if self.affected.is_empty() {
            return;
        }
        self.sort_by_rule(bytes, hits);
        let detector = self.detector;
        let mut touched = std::mem::take(&mut self.scratch.touched);
        for rule in touched.drain(..) {
            self.marked[rule] = false;
            let mut spans = std::mem::take(&mut self.scratch.by_rule[rule]);
            let mut flags = std::mem::take(&mut self.flags[rule]);
            let reach = detector.rules[rule].pattern().search.reach();
            let mut first = 0;
            while first < spans.len() {
                // Clusters end with their block.
                let block = spans[first].start as u64 / BLOCK;
                let count = spans[first..].partition_point(|span| span.start as u64 / BLOCK == block);
                let (spans, flags) = (&spans[first..first + count], &flags[first..first + count]);
                let window = block::of_slice(bytes, block);
                self.scratch.begin(&window);
                clusters(bytes, reach, spans, |span, range| {
                    if !flags[range.clone()].contains(&true) {
                        return;
                    }
                    self.searched.push((rule, span.clone()));
                    let pass = &mut Pass { window: &window, scratch: &mut self.scratch, matches };
                    detector.search_cluster(rule, span, &spans[range], pass);
                });
                first += count;
            }
            spans.clear();
            flags.clear();
            self.scratch.by_rule[rule] = spans;
            self.flags[rule] = flags;
        }
        self.scratch.touched = touched;
    }

    /// Searches for known values around every zone, and for PEM blocks everywhere: they go over many lines.
    fn search_known(&mut self, bytes: &[u8], matches: &mut Vec<RawMatch>) {
        let Some((rule, known)) = &self.detector.known else { return };
        let mut found = Vec::new();
        let reader = Reader::new(known);
        let mut done = 0;
        for zone in self.zones.places() {
            let place = known::touched(bytes, zone, known);
            self.searched.push((*rule, place.clone()));
            reader.find_stretches(bytes, place.start.max(done)..place.end, &mut found);
            done = done.max(place.end);
        }
        reader.pem(bytes, 0..bytes.len(), &mut found);
        matches.extend(found.into_iter().map(|found| of_known(*rule, bytes, 0, found)));
    }

    /// Decodes around every zone, and says where that was.
    fn search_decoded(
        &self,
        bytes: &[u8],
        matches: &mut Vec<RawMatch>,
        caps: &mut Vec<Capped>,
    ) -> Vec<Touched> {
        let again: Vec<Touched> = self.zones.places().map(|zone| touched(bytes, zone)).collect();
        let window = block::all_of(bytes);
        let mut done = 0;
        for place in &again {
            let starts = place.starts.start.max(done)..place.starts.end;
            done = done.max(starts.end);
            if !starts.is_empty() {
                self.detector.search_decoded(&window, starts, (matches, caps));
            }
        }
        again
    }

    /// All hits of the marked rules, by rule; with whether they are affected.
    fn sort_by_rule(&mut self, bytes: &[u8], hits: &[Hit]) {
        self.scratch.by_rule.resize_with(self.detector.rules.len(), Vec::new);
        let mut affected = self.affected.iter().copied().peekable();
        for (index, hit) in hits.iter().enumerate() {
            for usage in &self.detector.uses[usize::from(hit.literal)] {
                let Use::Literal(rule, ahead) = *usage else { continue };
                let end = hit.start() + self.detector.prefilter.literal_len(hit.literal);
                if !self.marked[rule] || !ahead.admits(bytes, end) {
                    continue;
                }
                if self.scratch.by_rule[rule].is_empty() {
                    self.scratch.touched.push(rule);
                }
                self.scratch.by_rule[rule].push(hit.start()..end);
                let is_affected = affected.next_if_eq(&(to_u32(index), to_u32(rule))).is_some();
                self.flags[rule].push(is_affected);
            }
        }
    }

    /// Matches that lie wholly in one copied segment, but for those of clusters that were searched anew.
    fn carry_matches(
        &self,
        (bytes, runs): (&[u8], &[Run]),
        other: &Trace,
        segments: &[Segment],
        matches: &mut Vec<RawMatch>,
    ) {
        if other.matches.is_empty() {
            return;
        }
        for segment in segments {
            let Some(source) = segment.source else { continue };
            let (from, to) = (source as u64, (source + segment.len) as u64);
            let first = other.matches.partition_point(|found| found.span.start < from);
            let inside = other.matches[first..].iter().take_while(|found| found.span.start < to);
            for found in inside.filter(|found| found.span.end <= to && !found.is_of_decoded()) {
                let shift = |span: Span| {
                    let start = segment.start as u64;
                    Span::new(span.start - from + start, span.end - from + start)
                };
                let span = shift(found.span);
                let is_searched = self.searched.iter().any(|(rule, searched)| {
                    *rule == found.rule
                        && span.overlaps(Span::new(searched.start as u64, searched.end as u64))
                });
                // PEM blocks are looked for everywhere.
                let is_pem = found.known.as_ref().is_some_and(|known| known.form == Form::Pem);
                let is_nearby = self.detector.rules[found.rule].rule.nearby().is_some();
                if is_searched || is_pem || (is_nearby && !self.is_owner_unaffected(runs, span)) {
                    continue;
                }
                let secret_span = shift(found.secret_span);
                // The name lies before the cluster, where a zone changes nothing else.
                let context = context::assigned_name(bytes, secret_span.start as usize);
                let mut found = RawMatch { span, secret_span, context, ..found.clone() };
                if let Some(unit) = found.decoded.as_mut().and_then(|decoded| decoded.path.first_mut()) {
                    *unit = secret_span;
                }
                matches.push(found);
            }
        }
    }
}

/// What was found encoded in runs and lines that lie wholly in one copied segment, but for those that were decoded again.
fn carry_decoded(
    (other, segments): (&Trace, &[Segment]),
    again: &[Touched],
    matches: &mut Vec<RawMatch>,
    caps: &mut Vec<Capped>,
) {
    let decoded: Vec<&RawMatch> = other.matches.iter().filter(|found| found.is_of_decoded()).collect();
    if decoded.is_empty() && other.caps.is_empty() {
        return;
    }
    for segment in segments {
        let Some(source) = segment.source else { continue };
        let (from, to, start) = (source as u64, (source + segment.len) as u64, segment.start as u64);
        let shift = |span: Span| Span::new(span.start - from + start, span.end - from + start);
        let stands = |unit: Span| {
            from <= unit.start && unit.end <= to && !again.iter().any(|place| place.concerns(shift(unit)))
        };
        for cap in other.caps.iter().filter(|cap| stands(cap.unit)) {
            caps.push(Capped { unit: shift(cap.unit), ..*cap });
        }
        for found in &decoded {
            let unit = found.decoded.as_ref().map(Decoded::unit);
            if !unit.is_some_and(stands) {
                continue;
            }
            let mut found = RawMatch::clone(found);
            (found.span, found.secret_span) = (shift(found.span), shift(found.secret_span));
            if let Some(unit) = found.decoded.as_mut().and_then(|decoded| decoded.path.first_mut()) {
                *unit = shift(*unit);
            }
            matches.push(found);
        }
    }
}

/// All hits of two lists in order, each once. The first list may be long: it is copied in stretches.
fn merged(carried: &[Hit], found: &[Hit]) -> Vec<Hit> {
    let mut hits = Vec::with_capacity(carried.len() + found.len());
    let mut rest = carried;
    for hit in found {
        let (before, behind) = rest.split_at(rest.partition_point(|other| other <= hit));
        hits.extend_from_slice(before);
        rest = behind;
        if hits.last() != Some(hit) {
            hits.push(*hit);
        }
    }
    hits.extend_from_slice(rest);
    hits
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).expect("content that is traced has less than 4 GiB")
}

#[cfg(test)]
mod tests;
