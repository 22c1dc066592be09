//! A program at work.

use std::ops::RangeInclusive;

use regex_automata::util::{
    look::{Look, LookMatcher},
    primitives::NonMaxUsize,
};

use crate::rule::{ANY, Program, SetId, Step};

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Outcome {
    /// A match; the slots say where.
    Match,
    /// No match.
    None,
    /// The steps did not suffice.
    Undecided,
}

/// Where to go on when a branch fails; memory to be used again.
#[derive(Debug, Default)]
pub(in crate::detect) struct Stack {
    frames: Vec<Frame>,
    /// Rounds of each loop.
    counts: Vec<u16>,
}

#[derive(Debug)]
enum Frame {
    /// The other branch.
    Branch { step: u32, at: usize },
    /// A list's branches from one on.
    Others { table: u16, list: u8, number: u16, at: usize },
    /// A run that may be shorter, but not than `least`.
    Shorter { step: u32, least: usize, at: usize },
    /// A run that may be longer, but not than `most`.
    Longer { step: u32, most: usize, at: usize },
    /// One more round of a loop.
    Round { step: u32, at: usize },
    /// How many rounds a loop had.
    Count { counter: u16, was: u16 },
    /// What a slot held.
    Slot { slot: u16, was: Option<NonMaxUsize> },
}

/// The leftmost match that begins at one of the places and goes no farther than `end`; look-around sees its true neighbours. With the
/// memory stands how many steps it may take, and what is left of them. Slots that are not there are not filled.
pub(in crate::detect) fn find(
    program: &Program,
    (bytes, end): (&[u8], usize),
    starts: RangeInclusive<usize>,
    slots: &mut [Option<NonMaxUsize>],
    (stack, steps): (&mut Stack, &mut usize),
) -> Outcome {
    let Stack { frames, counts } = stack;
    counts.resize(program.counters, 0);
    let looks = LookMatcher::new();
    let mut attempt = Attempt { program, bytes, end, slots, frames, counts, left: *steps, looks };
    let mut outcome = Outcome::None;
    for at in starts {
        if attempt.may_follow(program.first, at) {
            outcome = attempt.begin(at);
            if outcome != Outcome::None {
                break;
            }
        }
    }
    *steps = attempt.left;
    outcome
}

struct Attempt<'a> {
    program: &'a Program,
    bytes: &'a [u8],
    end: usize,
    slots: &'a mut [Option<NonMaxUsize>],
    frames: &'a mut Vec<Frame>,
    counts: &'a mut [u16],
    /// Steps it may still take.
    left: usize,
    looks: LookMatcher,
}

impl Attempt<'_> {
    fn begin(&mut self, start: usize) -> Outcome {
        self.slots.fill(None);
        self.frames.clear();
        let mut taken = 0;
        let outcome = self.run(start, &mut taken);
        self.left = self.left.saturating_sub(taken);
        outcome
    }

    /// The step and the place at hand stay in registers: to hand them around takes longer than most steps.
    #[inline]
    fn run(&mut self, start: usize, taken: &mut usize) -> Outcome {
        let (mut index, mut at) = (0_u32, start);
        loop {
            *taken += 1;
            if *taken > self.left {
                return Outcome::Undecided;
            }
            let mut next = index + 1;
            let goes_on = match self.program.steps[index as usize] {
                Step::Word { start, len } => {
                    let is_there = self.is_word(start as usize, len as usize, at);
                    at += len as usize;
                    is_there
                }
                Step::Set(set) => {
                    let is_in = self.is_in(set, at);
                    at += 1;
                    is_in
                }
                Step::Char(set) => {
                    let length = self.char_at(set, at);
                    at += length;
                    length > 0
                }
                Step::Run { set, min, max, is_greedy, .. } => {
                    let end = self.start_run(index, (set, is_greedy), at, (min, max));
                    at = end.unwrap_or(at);
                    end.is_some()
                }
                Step::Look(look) => {
                    Look::from_repr(look).is_some_and(|look| self.looks.matches(look, self.bytes, at))
                }
                Step::Save(slot) => {
                    self.keep(slot, at);
                    true
                }
                Step::Jump(target) => {
                    next = target;
                    true
                }
                Step::Split { first, second, first_set, second_set } => {
                    let branches = [(first, first_set), (second, second_set)];
                    let branch = self.branch(branches, at);
                    next = branch.unwrap_or(next);
                    branch.is_some()
                }
                Step::Switch(table) => {
                    let byte = (at < self.end).then(|| self.bytes[at]);
                    let list = self.program.tables[usize::from(table)].list_of(byte);
                    let branch = self.branch_of(table, (list, 0), at);
                    next = branch.unwrap_or(next);
                    branch.is_some()
                }
                Step::Start(counter) => {
                    self.count(counter, 0);
                    true
                }
                Step::Loop { .. } => {
                    let branch = self.start_round(index, at);
                    next = branch.unwrap_or(next);
                    branch.is_some()
                }
                Step::Match => {
                    self.save(0, start);
                    self.save(1, at);
                    return Outcome::Match;
                }
            };
            index = next;
            if !goes_on {
                match self.back() {
                    Some(spot) => (index, at) = spot,
                    None => return Outcome::None,
                }
            }
        }
    }

    #[inline]
    fn is_in(&self, set: SetId, at: usize) -> bool {
        at < self.end && self.program.sets[usize::from(set)].has(self.bytes[at])
    }

    #[inline]
    fn is_word(&self, start: usize, len: usize, at: usize) -> bool {
        let letters = &self.program.letters[start..start + len];
        let there = self.bytes[..self.end].get(at..at + len);
        there.is_some_and(|there| there.iter().zip(letters).all(|(byte, letter)| letter.is(*byte)))
    }

    #[inline]
    fn may_follow(&self, set: SetId, at: usize) -> bool {
        set == ANY || self.is_in(set, at)
    }

    /// The first of two branches that may lead on; the other one is tried later.
    #[inline]
    fn branch(&mut self, branches: [(u32, SetId); 2], at: usize) -> Option<u32> {
        let [(first, first_set), (second, second_set)] = branches;
        let is_first = self.may_follow(first_set, at);
        let is_second = self.may_follow(second_set, at);
        if is_first && is_second {
            self.frames.push(Frame::Branch { step: second, at });
        }
        if is_first { Some(first) } else { is_second.then_some(second) }
    }

    /// A branch of a list; those behind it are tried later.
    #[inline]
    fn branch_of(&mut self, table: u16, (list, number): (u8, u16), at: usize) -> Option<u32> {
        let branches = self.program.tables[usize::from(table)].list(list);
        let number = usize::from(number);
        if number + 1 < branches.len() {
            self.frames.push(Frame::Others { table, list, number: number as u16 + 1, at });
        }
        branches.get(number).copied()
    }

    /// One more round of a loop, or what comes behind it.
    fn start_round(&mut self, step: u32, at: usize) -> Option<u32> {
        let Step::Loop { counter, min, max, is_greedy, round_set, exit, exit_set } =
            self.program.steps[step as usize]
        else {
            return None;
        };
        let rounds = self.counts[usize::from(counter)];
        let is_round = (rounds < max || max == u16::MAX) && self.may_follow(round_set, at);
        let is_exit = rounds >= min && self.may_follow(exit_set, at);
        if is_exit && !(is_greedy && is_round) {
            if is_round {
                self.frames.push(Frame::Round { step, at });
            }
            return Some(exit);
        }
        if is_exit {
            self.frames.push(Frame::Branch { step: exit, at });
        }
        is_round.then(|| self.next_round(step, counter))
    }

    /// Where the next round begins, which is counted.
    fn next_round(&mut self, step: u32, counter: u16) -> u32 {
        self.count(counter, self.counts[usize::from(counter)].saturating_add(1));
        step + 1
    }

    /// Sets a counter; what it was comes back with what was tried before.
    fn count(&mut self, counter: u16, rounds: u16) {
        let held = &mut self.counts[usize::from(counter)];
        if !self.frames.is_empty() {
            self.frames.push(Frame::Count { counter, was: *held });
        }
        *held = rounds;
    }

    /// How long the character there is, if it is one of the set; else 0.
    fn char_at(&self, set: u16, at: usize) -> usize {
        let Some(rest) = self.bytes.get(at..self.end.min(at + 4)) else { return 0 };
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
        let found = valid.chars().next().filter(|found| self.program.chars[usize::from(set)].has(*found));
        found.map_or(0, char::len_utf8)
    }

    /// Where a run ends first, and what follows goes on.
    fn start_run(
        &mut self,
        step: u32,
        (set, is_greedy): (SetId, bool),
        at: usize,
        (min, max): (u32, u32),
    ) -> Option<usize> {
        let set = &self.program.sets[usize::from(set)];
        let most = self.end.min(at.saturating_add(max as usize));
        let least = at.saturating_add(min as usize);
        let far = if is_greedy { most } else { least };
        if least > most {
            return None;
        }
        let reached = self.bytes[at..far].iter().position(|byte| !set.has(*byte)).map_or(far, |run| at + run);
        self.walked(reached - at);
        if reached < least {
            None
        } else if is_greedy {
            self.shorten(step, least, reached)
        } else {
            self.lengthen(step, most, least)
        }
    }

    /// The last place up to `longest` where a run may end, and something may follow.
    fn shorten(&mut self, step: u32, least: usize, longest: usize) -> Option<usize> {
        let Step::Run { next, .. } = self.program.steps[step as usize] else { return None };
        let found = (least..=longest).rev().find(|at| self.may_follow(next, *at));
        self.walked(longest - found.unwrap_or(least));
        let at = found?;
        if at > least {
            self.frames.push(Frame::Shorter { step, least, at: at - 1 });
        }
        Some(at)
    }

    /// The same from the shortest on.
    fn lengthen(&mut self, step: u32, most: usize, shortest: usize) -> Option<usize> {
        let Step::Run { set, next, .. } = self.program.steps[step as usize] else { return None };
        let mut at = shortest;
        while !self.may_follow(next, at) && at < most && self.is_in(set, at) {
            at += 1;
        }
        self.walked(at - shortest);
        if !self.may_follow(next, at) {
            return None;
        }
        if at < most && self.is_in(set, at) {
            self.frames.push(Frame::Longer { step, most, at: at + 1 });
        }
        Some(at)
    }

    /// To look at bytes takes steps, too, if short ones.
    fn walked(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes / 8);
    }

    fn save(&mut self, slot: u16, at: usize) {
        if let Some(held) = self.slots.get_mut(usize::from(slot)) {
            *held = NonMaxUsize::new(at);
        }
    }

    /// The same, and what it was comes back with what was tried before.
    fn keep(&mut self, slot: u16, at: usize) {
        let Some(was) = self.slots.get(usize::from(slot)).copied() else { return };
        if !self.frames.is_empty() {
            self.frames.push(Frame::Slot { slot, was });
        }
        self.save(slot, at);
    }

    /// The next thing to try.
    fn back(&mut self) -> Option<(u32, usize)> {
        loop {
            match self.frames.pop()? {
                Frame::Branch { step, at } => return Some((step, at)),
                Frame::Others { table, list, number, at } => {
                    if let Some(branch) = self.branch_of(table, (list, number), at) {
                        return Some((branch, at));
                    }
                }
                Frame::Round { step, at } => {
                    if let Step::Loop { counter, .. } = self.program.steps[step as usize] {
                        return Some((self.next_round(step, counter), at));
                    }
                }
                Frame::Count { counter, was } => self.counts[usize::from(counter)] = was,
                Frame::Slot { slot, was } => self.slots[usize::from(slot)] = was,
                Frame::Shorter { step, least, at } => {
                    if let Some(at) = self.shorten(step, least, at) {
                        return Some((step + 1, at));
                    }
                }
                Frame::Longer { step, most, at } => {
                    if let Some(at) = self.lengthen(step, most, at) {
                        return Some((step + 1, at));
                    }
                }
            }
        }
    }
}
