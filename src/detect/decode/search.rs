//! The search: units are decoded, what comes out is searched with the same rules, and decoded again.

use std::ops::Range;

use super::{
    Cap, Capped, DEPTH, Decoded, EXPANSION, LONGEST, SHORTEST,
    find::{self, Run, Start, for_each_start, line_at, run_at, stretch_at, stretch_within, unit_at},
    run::Text,
};
use crate::{
    detect::{
        RawMatch,
        block::{self, Window},
        context,
        matcher::{Detector, Scratch},
    },
    model::{DecodeStep, Secret, Span},
    rule::Specificity,
};

/// What decoding comes to.
pub(in crate::detect) type Outcome<'o> = (&'o mut Vec<RawMatch>, &'o mut Vec<Capped>);

impl Detector {
    /// Appends what is in runs that begin in `starts`, and in lines with an escape there; some may be given twice.
    pub(in crate::detect) fn search_decoded(
        &self,
        window: &Window<'_>,
        starts: Range<usize>,
        to: Outcome<'_>,
    ) {
        let Window { bytes, base, .. } = *window;
        let mut work = Work::new(self, to);
        let mut done = 0;
        for_each_start(bytes, starts, |start| match start {
            Start::Run(at) => {
                if let Some(run) = run_at(bytes, at, SHORTEST..=LONGEST) {
                    work.run((bytes, base), run);
                }
            }
            Start::Escape(at) if at < done => {}
            Start::Escape(at) => match unit_at(bytes, at) {
                Some(unit) => {
                    done = unit.end;
                    work.escapes((bytes, base), unit);
                }
                // All escapes in it are as far from its ends.
                None => done = stretch_at(bytes, at).map_or(at + 1, |stretch| stretch.end),
            },
        });
    }

    /// All matches in decoded text, without those of rules that it says too little for.
    fn search_text(&self, text: &[u8], scratch: &mut Scratch) -> Vec<RawMatch> {
        let mut matches = Vec::new();
        self.close_gates(scratch);
        for index in 0..block::count(text.len() as u64) {
            let window = block::of_slice(text, index);
            self.search_rules(&window, scratch, &mut matches);
            self.search_nearby(&window, scratch, &mut matches);
        }
        if matches.is_empty() {
            return matches;
        }
        let is_clean = find::is_clean(text);
        matches.retain(|found| {
            let is_plain = is_clean || self.rule(found.rule).specificity >= Specificity::Format;
            is_plain && self.is_open(found.rule, scratch)
        });
        matches
    }
}

/// Decodes; each run or line has a budget of its own, so that what it comes to depends on nothing else.
pub(super) struct Work<'d, 'o> {
    detector: &'d Detector,
    /// Taken when something is decoded: mostly nothing is.
    scratch: Option<Scratch>,
    matches: &'o mut Vec<RawMatch>,
    caps: &'o mut Vec<Capped>,
    /// Bytes that may still be decoded, of this unit.
    budget: usize,
    /// What kept it from being decoded wholly.
    cap: Option<Cap>,
}

impl Drop for Work<'_, '_> {
    fn drop(&mut self) {
        if let Some(scratch) = self.scratch.take() {
            self.detector.give_back(scratch);
        }
    }
}

impl<'d, 'o> Work<'d, 'o> {
    pub(super) fn new(detector: &'d Detector, (matches, caps): Outcome<'o>) -> Self {
        Self { detector, scratch: None, matches, caps, budget: 0, cap: None }
    }

    /// A run of the content; `base` is where the bytes start in it.
    pub(super) fn run(&mut self, (bytes, base): (&[u8], u64), run: Run) {
        let unit = run.range;
        let Some(text) = Text::of_run(run.head, &bytes[unit.clone()]) else { return };
        self.begin(unit.len());
        let found = self.of_text(&bytes[unit.clone()], unit.start, text, 1);
        self.end((bytes, base), &unit, found);
    }

    /// A line or stretch of the content with escapes in it.
    pub(super) fn escapes(&mut self, (bytes, base): (&[u8], u64), unit: Range<usize>) {
        self.begin(unit.len());
        let line = &bytes[unit.clone()];
        let found = Text::of_escapes(line).flat_map(|text| self.of_text(line, unit.start, text, 1)).collect();
        self.end((bytes, base), &unit, found);
    }

    /// Says that a unit is longer than what was decoded of it.
    pub(super) fn cut(&mut self, unit: Span) {
        self.caps.push(Capped { unit, cap: Cap::Size });
    }

    fn begin(&mut self, len: usize) {
        const LEAST: usize = 1 << 10;
        self.budget = len * EXPANSION + LEAST;
        self.cap = None;
    }

    fn end(&mut self, (bytes, base): (&[u8], u64), unit: &Range<usize>, found: Vec<RawMatch>) {
        let shift = |span: Span| Span::new(span.start + base, span.end + base);
        self.caps.extend(self.cap.map(|cap| Capped { unit: shift(span_of(unit)), cap }));
        for mut found in found {
            found.context = found.context.or_else(|| context::assigned_name(bytes, unit.start));
            found.span = shift(found.span);
            found.secret_span = shift(found.secret_span);
            if let Some(unit) = found.decoded.as_mut().and_then(|decoded| decoded.path.first_mut()) {
                *unit = shift(*unit);
            }
            self.matches.push(found);
        }
    }

    /// What is in a text that stands encoded at this offset of another; with places of that one.
    fn of_text(&mut self, encoded: &[u8], offset: usize, text: Text, depth: usize) -> Vec<RawMatch> {
        if text.is_cut || text.bytes.len() > self.budget {
            self.cap = Some(Cap::Size);
        }
        let Some(left) = self.budget.checked_sub(text.bytes.len()) else { return Vec::new() };
        self.budget = left;
        let found = match text.unpack(self.budget) {
            Some(inner) => self.of_text(&text.bytes, 0, inner, depth + 1),
            None => self.search(&text, depth),
        };
        let unit = offset..offset + encoded.len();
        found.into_iter().filter_map(|found| lead_back(found, &text, encoded, &unit)).collect()
    }

    /// What is in decoded text, and in what that holds in turn. What was escaped is looked for once more in the same way only: all ways in
    /// all orders would be as many texts as there are orders.
    fn search(&mut self, decoded: &Text, depth: usize) -> Vec<RawMatch> {
        let detector = self.detector;
        let text = decoded.bytes.as_slice();
        let is_next = |inner: &Text| !decoded.by.is_escape() || inner.by == decoded.by;
        let scratch = self.scratch.get_or_insert_with(|| detector.take_scratch());
        let mut matches = detector.search_text(text, scratch);
        let mut done = 0;
        for_each_start(text, 0..text.len(), |start| match start {
            Start::Run(at) => {
                let Some(run) = run_at(text, at, SHORTEST..=usize::MAX) else { return };
                if depth == DEPTH {
                    self.cap = Some(Cap::Depth);
                    return;
                }
                let letters = &text[run.range.clone()];
                if let Some(inner) = Text::of_run(run.head, letters) {
                    matches.extend(self.of_text(letters, run.range.start, inner, depth + 1));
                }
            }
            Start::Escape(at) if at < done || depth == DEPTH => {}
            Start::Escape(at) => {
                let unit = line_at(text, at).or_else(|| stretch_within(text, at, 0..text.len()));
                let Some(unit) = unit else { return };
                done = unit.end;
                for inner in Text::of_escapes(&text[unit.clone()]).filter(is_next) {
                    matches.extend(self.of_text(&text[unit.clone()], unit.start, inner, depth + 1));
                }
            }
        });
        matches
    }
}

/// From a match in decoded text to one in the text around it; `None` where no escape has to do with it.
fn lead_back(found: RawMatch, text: &Text, encoded: &[u8], unit: &Range<usize>) -> Option<RawMatch> {
    let (whole, secret) = (range_of(found.span), range_of(found.secret_span));
    if !text.touches(&whole) {
        return None;
    }
    let (place, within) = text.place(&secret);
    let (around, _) = text.place(&whole);
    let step = DecodeStep { by: text.by, start: within.start as u64, end: within.end as u64 };
    let (value, steps, path) = match found.decoded {
        Some(Decoded { value, steps, path, .. }) => (value, steps, path),
        None => (found.secret, Vec::new(), vec![found.secret_span]),
    };
    let at = |range: &Range<usize>| span_of(&(unit.start + range.start..unit.start + range.end));
    Some(RawMatch {
        span: at(&around),
        secret_span: at(&place),
        secret: Secret::new(&encoded[place]),
        decoded: Some(Decoded {
            value,
            steps: [vec![step], steps].concat(),
            path: [vec![span_of(unit)], path].concat(),
            is_searched: true,
        }),
        ..found
    })
}

fn span_of(range: &Range<usize>) -> Span {
    Span::new(range.start as u64, range.end as u64)
}

fn range_of(span: Span) -> Range<usize> {
    let at = |offset: u64| usize::try_from(offset).expect("decoded text is in memory");
    at(span.start)..at(span.end)
}
