//! The detector: a set of rules, ready to run over content.

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use regex_automata::{meta::Cache, util::primitives::NonMaxUsize};

use super::{
    Capped, Content, RawMatch, backtrack,
    block::{self, BLOCK, Window},
    cap::Counts,
    cluster::clusters,
    decode,
    explain::Refused,
    judge::{judge, of_known},
    known::{self, Known, KnownValues, Reader, Whereabouts},
    machine::Machine,
    nearby,
    prefilter::{Hit, Plan, Prefilter},
    score,
};
use crate::{
    model::{DecodeStep, Span},
    rule::{Ahead, Detection, Origin, Rule, Search, builtin_plan},
};

/// A set of rules that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// A regex that parses, and is too big to run.
    #[error("rule `{rule}`: regex: {message}")]
    TooBig {
        /// The rule's id.
        rule: String,
        /// What the regex crate says.
        message: String,
    },
    /// More literals than can be searched for at once.
    #[error("the rules need {0} literals; at most 65,000 can be searched for at once: use fewer rules")]
    TooManyLiterals(usize),
}

/// Finds what a set of rules describes.
pub struct Detector {
    pub(super) rules: Vec<Machine>,
    pub(super) prefilter: Prefilter,
    /// For each literal of the prefilter, what a hit means.
    pub(super) uses: Vec<Vec<Use>>,
    /// Bytes around a block that its matches may touch or look at.
    pub(super) margin: usize,
    /// Known values to search for, and the index of the rule that stands for them.
    pub(super) known: Option<(usize, Arc<KnownValues>)>,
    /// For rules that know a value by a word nearby, if there are any.
    pub(super) nearby: Option<nearby::Finder>,
    /// Rules that have no necessary literal.
    pub(super) whole: Vec<usize>,
    opens_archives: bool,
    /// Scratch memory between two scans; whoever scans takes one and gives it back.
    idle: Mutex<Vec<Scratch>>,
}

#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Of a rule, where what may stand right behind it does.
    Literal(usize, Ahead),
    Gate(usize),
}

/// What a scan needs and the next one can use again.
#[derive(Default)]
pub(super) struct Scratch {
    buffer: Vec<u8>,
    pub(super) hits: Vec<Hit>,
    /// Literal spans per rule, and which rules have some.
    pub(super) by_rule: Vec<Vec<Range<usize>>>,
    pub(super) touched: Vec<usize>,
    /// Of the rules that were needed: all the others take a word each.
    pub(super) regexes: Vec<Option<Box<Cache>>>,
    pub(super) stack: backtrack::Stack,
    /// Of the match at hand and each of its groups, begin and end.
    pub(super) slots: Vec<Option<NonMaxUsize>>,
    /// What backtracking may still take in the block at hand, in steps.
    pub(super) steps: usize,
    /// Rules of which a gate was seen.
    pub(super) open: Vec<bool>,
    /// Matches of each rule in the block at hand.
    pub(super) counts: Counts,
    pub(super) nearby: nearby::Scratch,
    /// What was not decoded.
    pub(super) caps: Vec<Capped>,
    /// What was refused, where somebody wants to know.
    pub(super) refused: Option<Vec<Refused>>,
}

/// What backtracking may take in a block, in steps, and more for each of its bytes: ordinary text takes a hundredth of it. What is left
/// to regexes then is found as well.
const BLOCK_STEPS: usize = 1 << 16;
const STEPS_PER_BYTE: usize = 4;

impl Scratch {
    /// Before a block's clusters are searched.
    pub(super) fn begin(&mut self, window: &Window<'_>) {
        self.counts.clear();
        self.steps = BLOCK_STEPS + STEPS_PER_BYTE * window.core.len();
    }
}

/// Matches in a block, whose gates were seen in it, and what was not decoded.
type OfBlock = (Vec<RawMatch>, Vec<bool>, Vec<Capped>);

/// A window on its way through the rules.
pub(super) struct Pass<'a> {
    pub(super) window: &'a Window<'a>,
    pub(super) scratch: &'a mut Scratch,
    pub(super) matches: &'a mut Vec<RawMatch>,
}

impl Detector {
    /// Makes the rules ready. Regexes of built-in rules are compiled when they are first needed, those of users at once.
    ///
    /// # Errors
    /// A user's regex that is too big to run.
    pub fn new(rules: Vec<Rule>) -> Result<Self, DetectError> {
        Self::with_known(rules, None)
    }

    /// The same, and known values are searched for. A rule that stands for these is added, if it is not there.
    ///
    /// # Errors
    /// As [`Detector::new`].
    pub fn with_known(mut rules: Vec<Rule>, known: Option<Arc<KnownValues>>) -> Result<Self, DetectError> {
        rules.retain(|rule| rule.detection != Detection::Known);
        let known = known.map(|known| {
            rules.push(Rule::of_known(known.name().to_owned()));
            (rules.len() - 1, known)
        });
        let rules: Vec<Machine> = rules.into_iter().map(Machine::new).collect();
        for machine in rules.iter().filter(|machine| machine.rule.origin == Origin::User) {
            let failed = |message| DetectError::TooBig { rule: machine.rule.id.clone(), message };
            machine.compile().map_err(failed)?;
        }
        let plan = plan(&rules)?;
        let mut uses = vec![Vec::new(); plan.literals.len()];
        let index_of = |literal: &[u8]| {
            plan.literals
                .binary_search_by(|placed| placed.bytes.as_slice().cmp(literal))
                .expect("the plan holds every literal")
        };
        for (index, Machine { rule, .. }) in rules.iter().enumerate() {
            if let Some(Search::Literals { literals, ahead, .. }) =
                rule.pattern().map(|pattern| &pattern.search)
            {
                literals.iter().for_each(|literal| uses[index_of(literal)].push(Use::Literal(index, *ahead)));
            }
            rule.gates.iter().for_each(|gate| uses[index_of(gate.as_bytes())].push(Use::Gate(index)));
        }
        let ahead_of = |usage: &Use| match usage {
            Use::Literal(_, ahead) => *ahead,
            Use::Gate(_) => Ahead::ANY,
        };
        let ahead = uses.iter().map(|uses| uses.iter().map(ahead_of).fold(Ahead::NONE, Ahead::or)).collect();
        let prefilter = Prefilter::new(&plan).with_ahead(ahead);
        let reaches =
            rules.iter().filter_map(|machine| machine.rule.pattern()).map(|pattern| pattern.search.reach());
        let farthest = reaches.map(|reach| reach.before.max(reach.after)).max().unwrap_or(0);
        let nearby = nearby::Finder::new(&rules);
        let is_whole = |machine: &Machine| {
            machine.rule.pattern().is_some_and(|pattern| matches!(pattern.search, Search::Whole { .. }))
        };
        let whole = (0..rules.len()).filter(|index| is_whole(&rules[*index])).collect();
        let farthest = farthest.max(if known.is_some() { known::REACH } else { 0 }).max(decode::REACH);
        let farthest = farthest.max(if nearby.is_some() { nearby::REACH } else { 0 });
        let margin = farthest + prefilter.farthest() + score::REACH + 16;
        Ok(Self {
            rules,
            prefilter,
            uses,
            margin,
            known,
            nearby,
            whole,
            opens_archives: true,
            idle: Mutex::default(),
        })
    }

    /// A detector for some of this one's rules.
    ///
    /// # Errors
    /// As [`Detector::new`].
    pub fn subset(&self, rules: Vec<Rule>) -> Result<Self, DetectError> {
        let known =
            self.known.as_ref().filter(|_| rules.iter().any(|rule| rule.detection == Detection::Known));
        let subset = Self::with_known(rules, known.map(|(_, known)| known.clone()))?;
        Ok(subset.with_archives(self.opens_archives))
    }

    /// The same, that looks into archives or does not; mostly it does.
    #[must_use]
    pub fn with_archives(mut self, opens_archives: bool) -> Self {
        self.opens_archives = opens_archives;
        self
    }

    /// Whether it looks into archives.
    pub fn opens_archives(&self) -> bool {
        self.opens_archives
    }

    /// Where a known value lies in the manager.
    pub fn whereabouts(&self, known: &Known) -> &[Whereabouts] {
        self.known.as_ref().map(|(_, values)| values.whereabouts(known.value)).unwrap_or_default()
    }

    /// The rule of a match.
    pub fn rule(&self, index: usize) -> &Rule {
        &self.rules[index].rule
    }

    /// All rules, in the order of their indexes.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|machine| &machine.rule)
    }

    /// Every match in the content, by place, then by rule.
    ///
    /// # Errors
    /// What reading says.
    pub fn scan(&self, content: &dyn Content) -> io::Result<Vec<RawMatch>> {
        self.scan_telling(content).map(|(matches, _)| matches)
    }

    /// The same, and what was not decoded, by place.
    ///
    /// # Errors
    /// As [`Detector::scan`].
    pub fn scan_telling(&self, content: &dyn Content) -> io::Result<(Vec<RawMatch>, Vec<Capped>)> {
        let mut scratch = self.take_scratch();
        scratch.caps.clear();
        let result = self.scan_with(content, &mut scratch);
        let caps = std::mem::take(&mut scratch.caps);
        self.give_back(scratch);
        result.map(|matches| (matches, caps))
    }

    fn scan_with(&self, content: &dyn Content, scratch: &mut Scratch) -> io::Result<Vec<RawMatch>> {
        let blocks = block::count(content.len());
        self.close_gates(scratch);
        let mut matches = Vec::new();
        match content.whole() {
            Some(bytes) if blocks <= 1 => self.scan_block(&block::of_slice(bytes, 0), scratch, &mut matches),
            _ => {
                let scan = |index| self.scan_block_of(content, index);
                let parts: io::Result<Vec<_>> = if content.is_sequential() {
                    (0..blocks).map(scan).collect()
                } else {
                    (0..blocks).into_par_iter().map(scan).collect()
                };
                for (part, open, caps) in parts? {
                    matches.extend(part);
                    scratch.caps.extend(caps);
                    scratch.open.iter_mut().zip(open).for_each(|(all, one)| *all |= one);
                }
            }
        }
        self.conclude(content, scratch, &mut matches)?;
        Ok(matches)
    }

    /// From the matches of clusters to those of the content, now that it is known which gates were seen in it.
    pub(super) fn conclude(
        &self,
        content: &dyn Content,
        scratch: &mut Scratch,
        matches: &mut Vec<RawMatch>,
    ) -> io::Result<()> {
        self.scan_whole(content, scratch, matches)?;
        // Decoded text has its own gates.
        matches.retain(|found| found.is_of_decoded() || self.is_open(found.rule, scratch));
        self.search_long(content, (matches, &mut scratch.caps))?;
        scratch.caps.sort_unstable();
        scratch.caps.dedup();
        in_order(matches);
        self.cut_off(matches);
        if self.known.is_some() {
            share_knowledge(matches);
        }
        Ok(())
    }

    /// Known values that begin in `starts`.
    pub(super) fn search_known(
        &self,
        window: &Window<'_>,
        starts: Range<usize>,
        matches: &mut Vec<RawMatch>,
    ) {
        let Some((rule, known)) = &self.known else { return };
        let mut found = Vec::new();
        Reader::new(known).find(window.bytes, starts, &mut found);
        matches.extend(found.into_iter().map(|found| of_known(*rule, window.bytes, window.base, found)));
    }

    /// One block of content with many, on whichever thread.
    fn scan_block_of(&self, content: &dyn Content, index: u64) -> io::Result<OfBlock> {
        let mut scratch = self.take_scratch();
        self.close_gates(&mut scratch);
        scratch.caps.clear();
        let mut matches = Vec::new();
        let mut buffer = std::mem::take(&mut scratch.buffer);
        let window = match content.whole() {
            Some(bytes) => Ok(block::of_slice(bytes, index)),
            None => block::read(content, index, self.margin, &mut buffer),
        };
        let window = window.inspect(|window| self.scan_block(window, &mut scratch, &mut matches));
        let caps = std::mem::take(&mut scratch.caps);
        let result = window.map(|_| (matches, scratch.open.clone(), caps));
        scratch.buffer = buffer;
        self.give_back(scratch);
        result
    }

    pub(super) fn scan_block(&self, window: &Window<'_>, scratch: &mut Scratch, matches: &mut Vec<RawMatch>) {
        self.search_rules(window, scratch, matches);
        self.search_known(window, window.core.clone(), matches);
        self.search_nearby(window, scratch, matches);
        self.search_decoded(window, window.core.clone(), (matches, &mut scratch.caps));
    }

    /// No gate was seen yet.
    pub(super) fn close_gates(&self, scratch: &mut Scratch) {
        scratch.open.clear();
        scratch.open.resize(self.rules.len(), false);
    }

    /// Whether a rule's gate was seen, if it has one.
    pub(super) fn is_open(&self, rule: usize, scratch: &Scratch) -> bool {
        self.rules[rule].rule.gates.is_empty() || scratch.open[rule]
    }

    /// Matches of rules with necessary literals, in the bytes as they are.
    pub(super) fn search_rules(
        &self,
        window: &Window<'_>,
        scratch: &mut Scratch,
        matches: &mut Vec<RawMatch>,
    ) {
        scratch.hits.clear();
        self.prefilter.find(window.bytes, window.core.clone(), &mut scratch.hits);
        scratch.by_rule.resize_with(self.rules.len(), Vec::new);
        scratch.begin(window);
        for hit in &scratch.hits {
            let span = hit.start..hit.start + self.prefilter.literal_len(hit.literal);
            for usage in &self.uses[usize::from(hit.literal)] {
                match *usage {
                    Use::Gate(rule) => scratch.open[rule] = true,
                    Use::Literal(_, ahead) if !ahead.admits(window.bytes, span.end) => {}
                    Use::Literal(rule, _) => {
                        if scratch.by_rule[rule].is_empty() {
                            scratch.touched.push(rule);
                        }
                        scratch.by_rule[rule].push(span.clone());
                    }
                }
            }
        }
        let mut touched = std::mem::take(&mut scratch.touched);
        for rule in touched.drain(..) {
            let mut hits = std::mem::take(&mut scratch.by_rule[rule]);
            hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
            let reach = self.rules[rule].pattern().search.reach();
            clusters(window.bytes, reach, &hits, |span, range| {
                self.search_cluster(rule, span, &hits[range], &mut Pass { window, scratch, matches });
            });
            hits.clear();
            scratch.by_rule[rule] = hits;
        }
        scratch.touched = touched;
    }

    /// Values that begin with a run of the block, by words nearby.
    pub(super) fn search_nearby(
        &self,
        window: &Window<'_>,
        scratch: &mut Scratch,
        matches: &mut Vec<RawMatch>,
    ) {
        let Some(finder) = &self.nearby else { return };
        scratch.nearby.reset();
        finder.candidates(window.bytes, window.core.clone(), |run| {
            self.search_run(finder, window, &run, (&mut scratch.nearby, matches));
        });
    }

    /// What a run is the owner of.
    pub(super) fn search_run(
        &self,
        finder: &nearby::Finder,
        window: &Window<'_>,
        run: &Range<usize>,
        (scratch, matches): (&mut nearby::Scratch, &mut Vec<RawMatch>),
    ) {
        let Some((rule, value)) = finder.search(&self.rules, window.bytes, run, scratch) else { return };
        let named = (rule, &self.rules[rule].rule);
        matches.extend(judge(named, window.bytes, window.base, value.clone(), value));
    }

    /// Rules that have no necessary literal: over each block, where a gate was seen anywhere in the content.
    fn scan_whole(
        &self,
        content: &dyn Content,
        scratch: &mut Scratch,
        matches: &mut Vec<RawMatch>,
    ) -> io::Result<()> {
        let due: Vec<usize> =
            self.whole.iter().copied().filter(|index| self.is_open(*index, scratch)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let mut buffer = Vec::new();
        for index in 0..block::count(content.len()) {
            let window = match content.whole() {
                Some(bytes) => block::of_slice(bytes, index),
                None => block::read(content, index, self.margin, &mut buffer)?,
            };
            scratch.begin(&window);
            for &rule in &due {
                let reach = self.rules[rule].pattern().search.reach();
                let end = window.bytes.len().min(window.core.end + reach.after);
                let first = matches.len();
                self.search(
                    rule,
                    window.core.start..end,
                    end,
                    &mut Pass { window: &window, scratch, matches },
                );
                // What starts beyond the block is the next one's.
                let limit = (index + 1) * BLOCK;
                let mut at = 0;
                matches.retain(|found| {
                    at += 1;
                    at <= first || found.span.start < limit
                });
            }
        }
        Ok(())
    }

    pub(super) fn take_scratch(&self) -> Scratch {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, scratch: Scratch) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

/// By place, then by rule; each once: a cluster cut at a block's end may be seen from both sides.
pub(super) fn in_order(matches: &mut Vec<RawMatch>) {
    let known = |found: &RawMatch| found.known.as_ref().map(|known| (known.value, known.form));
    fn decoded(found: &RawMatch) -> Option<(&[Span], &[DecodeStep])> {
        found.decoded.as_ref().map(|decoded| (decoded.path.as_slice(), decoded.steps.as_slice()))
    }
    let place = |found: &RawMatch| (found.span.start, found.span.end, found.rule, known(found));
    matches.sort_by(|one, two| place(one).cmp(&place(two)).then_with(|| decoded(one).cmp(&decoded(two))));
    // One value in one place is one match, in whichever of its forms.
    let value = |found: &RawMatch| found.known.as_ref().map(|known| known.value);
    matches.dedup_by(|one, two| {
        (one.span, one.rule, value(one), decoded(one)) == (two.span, two.rule, value(two), decoded(two))
    });
}

/// Where a rule finds what is known, its match says so: the rule knows best what the value is. What is known within other bytes stays
/// a match of its own.
fn share_knowledge(matches: &mut [RawMatch]) {
    let known: Vec<usize> = (0..matches.len()).filter(|index| matches[*index].known.is_some()).collect();
    let longest = known.iter().map(|index| matches[*index].span.len()).max().unwrap_or(0);
    let same = |other: &RawMatch| {
        let place = other.secret_span;
        let first = known.partition_point(|index| matches[*index].span.start + longest <= place.start);
        let near = known[first..].iter().map(|index| &matches[*index]);
        let mut near =
            near.take_while(|one| one.span.start < place.end).filter(|one| one.span.overlaps(place));
        near.find(|one| one.canonical() == other.canonical()).and_then(|one| one.known.clone())
    };
    let told: Vec<(usize, Known)> = matches
        .iter()
        .enumerate()
        .filter(|(_, other)| other.known.is_none())
        .filter_map(|(index, other)| Some((index, same(other)?)))
        .collect();
    for (index, known) in told {
        matches[index].known = Some(known);
    }
}

/// The prefilter's plan: the one that was laid out at build time where the rules are just the built-in ones.
fn plan(rules: &[Machine]) -> Result<Plan, DetectError> {
    let mut literals: Vec<Vec<u8>> = rules.iter().flat_map(|machine| machine.rule.literals()).collect();
    literals.sort();
    literals.dedup();
    if literals.len() > 65_000 {
        return Err(DetectError::TooManyLiterals(literals.len()));
    }
    let ready: Plan = postcard::from_bytes(builtin_plan()).expect("build.rs wrote it with this very type");
    if ready.literals.iter().map(|placed| &placed.bytes).eq(&literals) {
        return Ok(ready);
    }
    Ok(Plan::lay_out(literals))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rule::{Templater, builtin_with_templates};

    #[test]
    fn programs_and_gates_change_no_result() {
        let rules = builtin_with_templates();
        let gated = Detector::new(rules.clone()).unwrap();
        let mut plain = Detector::new(rules.clone()).unwrap();
        plain.rules.iter_mut().for_each(Machine::forget_programs);
        // Nor does what stands behind a literal.
        for usage in plain.uses.iter_mut().flatten() {
            if let Use::Literal(_, ahead) = usage {
                *ahead = Ahead::ANY;
            }
        }
        plain.prefilter = Prefilter::new(&plan(&plain.rules).unwrap());
        let templaters: Vec<Templater> = rules.iter().map(Templater::new).collect();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let strategy =
            prop::collection::vec((0..rules.len(), 0..8_usize, 0..1000_u64, "[ a-z=:\"\n]{0,12}"), 1..20);
        let check = |parts: Vec<(usize, usize, u64, String)>| {
            let mut text = Vec::new();
            for (rule, template, seed, filler) in parts {
                let templates = &rules[rule].templates;
                let all: Vec<_> = templates.examples.iter().chain(&templates.negatives).collect();
                text.extend(templaters[rule].render(all[template % all.len()], seed).unwrap().text);
                text.extend(filler.into_bytes());
            }
            prop_assert_eq!(gated.scan(&text.as_slice()).unwrap(), plain.scan(&text.as_slice()).unwrap());
            Ok(())
        };
        runner.run(&strategy, check).unwrap();
    }
}
