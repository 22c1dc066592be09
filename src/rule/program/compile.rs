//! From a syntax tree to a program.

use std::collections::HashMap;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::{ANY, ByteSet, CharSet, Letter, Program, SetId, Step, Table};

/// Longer programs are not made: their pattern is run by its regex.
const MOST_STEPS: usize = 1 << 12;

/// Of so many rounds each is written out.
const FEW_ROUNDS: u32 = 3;

/// The pattern can't be run so.
struct Unfit;

impl Program {
    /// `None` where the pattern has to be run otherwise: it is too long, or repeats what may be empty without an end.
    pub fn new(hir: &Hir) -> Option<Self> {
        let mut writer = Writer::default();
        writer.sets.id(ByteSet::ALL).ok()?;
        writer.write(hir).ok()?;
        writer.steps.push(Step::Match);
        let firsts = firsts(&writer);
        let Writer { mut steps, mut sets, chars, letters, counters, switches, .. } = writer;
        let tables = switches.iter().map(|branches| table(branches, &firsts)).collect::<Option<_>>()?;
        let mut id_of = |at: usize| sets.id(firsts[at]).ok();
        for (at, step) in steps.iter_mut().enumerate() {
            match step {
                Step::Split { first, second, first_set, second_set } => {
                    *first_set = id_of(*first as usize)?;
                    *second_set = id_of(*second as usize)?;
                }
                Step::Loop { round_set, exit, exit_set, .. } => {
                    *round_set = id_of(at + 1)?;
                    *exit_set = id_of(*exit as usize)?;
                }
                Step::Run { next, .. } => *next = id_of(at + 1)?,
                _ => {}
            }
        }
        let first = id_of(0)?;
        let groups = hir.properties().explicit_captures_len();
        let (slots, counters) = (2 * (groups + 1), usize::from(counters));
        Some(Self { steps, sets: sets.all, chars, letters, tables, slots, counters, first })
    }
}

/// Sets of bytes, each once.
#[derive(Default)]
struct Sets {
    all: Vec<ByteSet>,
    ids: HashMap<ByteSet, SetId>,
}

impl Sets {
    fn id(&mut self, set: ByteSet) -> Result<SetId, Unfit> {
        if let Some(id) = self.ids.get(&set) {
            return Ok(*id);
        }
        let id = SetId::try_from(self.all.len()).map_err(|_| Unfit)?;
        self.all.push(set);
        self.ids.insert(set, id);
        Ok(id)
    }
}

#[derive(Default)]
struct Writer {
    steps: Vec<Step>,
    sets: Sets,
    chars: Vec<CharSet>,
    letters: Vec<Letter>,
    counters: u16,
    /// The last step that something leads to but the one before it.
    joint: u32,
    /// Where the branches of each are.
    switches: Vec<Vec<u32>>,
}

impl Writer {
    fn push(&mut self, step: Step) -> Result<usize, Unfit> {
        if self.steps.len() >= MOST_STEPS {
            return Err(Unfit);
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    /// Where the next step is, to which something leads: it is not joined to the one before.
    fn here(&mut self) -> u32 {
        self.joint = self.next();
        self.joint
    }

    fn next(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("a program is shorter than MOST_STEPS")
    }

    fn write(&mut self, hir: &Hir) -> Result<(), Unfit> {
        match hir.kind() {
            HirKind::Empty => Ok(()),
            HirKind::Literal(literal) => literal.0.iter().try_for_each(|byte| self.set(ByteSet::of(*byte))),
            HirKind::Class(class) => self.class(class),
            HirKind::Look(look) => self.push(Step::Look(look.as_repr())).map(drop),
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) => {
                let slot = u16::try_from(capture.index).ok().and_then(|index| index.checked_mul(2));
                let slot = slot.filter(|slot| *slot < u16::MAX).ok_or(Unfit)?;
                self.push(Step::Save(slot))?;
                self.write(&capture.sub)?;
                self.push(Step::Save(slot + 1)).map(drop)
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part)),
            HirKind::Alternation(branches) => self.alternation(branches),
        }
    }

    fn class(&mut self, class: &Class) -> Result<(), Unfit> {
        if let Some(set) = byte_set(class) {
            return self.set(set);
        }
        let Class::Unicode(class) = class else { return Err(Unfit) };
        let ranges = class.ranges().iter().map(|range| (range.start(), range.end())).collect();
        let id = u16::try_from(self.chars.len()).map_err(|_| Unfit)?;
        self.chars.push(CharSet(ranges));
        self.push(Step::Char(id)).map(drop)
    }

    /// One byte of a set. Letters are joined to words, but for those that something else leads to.
    fn set(&mut self, set: ByteSet) -> Result<(), Unfit> {
        let Some(letter) = Letter::of(&set) else {
            let set = self.sets.id(set)?;
            return self.push(Step::Set(set)).map(drop);
        };
        self.letters.push(letter);
        let is_joined = self.joint != self.next();
        match self.steps.last_mut() {
            Some(Step::Word { len, .. }) if is_joined => *len += 1,
            _ => {
                let start = u32::try_from(self.letters.len() - 1).map_err(|_| Unfit)?;
                self.push(Step::Word { start, len: 1 })?;
            }
        }
        Ok(())
    }

    fn alternation(&mut self, branches: &[Hir]) -> Result<(), Unfit> {
        let [first, second] = branches else { return self.switch(branches) };
        let split = self.split()?;
        self.write(first)?;
        let jump = self.push(Step::Jump(0))?;
        let next = self.here();
        self.aim(split, true, next);
        self.write(second)?;
        self.steps[jump] = Step::Jump(self.here());
        Ok(())
    }

    fn switch(&mut self, branches: &[Hir]) -> Result<(), Unfit> {
        let table = self.switches.len();
        self.switches.push(Vec::new());
        self.push(Step::Switch(u16::try_from(table).map_err(|_| Unfit)?))?;
        let mut ends = Vec::new();
        for branch in branches {
            let start = self.here();
            self.switches[table].push(start);
            self.write(branch)?;
            ends.push(self.push(Step::Jump(0))?);
        }
        let end = self.here();
        ends.into_iter().for_each(|at| self.steps[at] = Step::Jump(end));
        Ok(())
    }

    /// Two branches, of which the first comes next.
    fn split(&mut self) -> Result<usize, Unfit> {
        let next = self.next() + 1;
        self.push(Step::Split { first: next, second: next, first_set: ANY, second_set: ANY })
    }

    /// Says where the other branch of a split is, and whether it is the second.
    fn aim(&mut self, split: usize, is_second: bool, target: u32) {
        let Step::Split { first, second, .. } = &mut self.steps[split] else { return };
        if is_second {
            *second = target;
        } else {
            (*first, *second) = (target, *first);
        }
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), Unfit> {
        let Repetition { min, max, greedy, sub } = repetition;
        if let Some(set) = single(sub) {
            let set = self.sets.id(set)?;
            let max = max.unwrap_or(u32::MAX);
            let run = Step::Run { set, min: *min, max, is_greedy: *greedy, next: ANY };
            return self.push(run).map(drop);
        }
        let may_be_empty = sub.properties().minimum_len().is_none_or(|least| least == 0);
        let is_short = max.unwrap_or(*min) <= FEW_ROUNDS;
        if !is_short && !may_be_empty {
            return self.counted(repetition);
        }
        for _ in 0..*min {
            self.write(sub)?;
        }
        match max {
            Some(max) => self.optional(sub, max.saturating_sub(*min), *greedy),
            // Rounds without an end that may be empty are a matter of its own.
            None if may_be_empty => Err(Unfit),
            None => self.endless(sub, *greedy),
        }
    }

    /// Rounds that are counted.
    fn counted(&mut self, repetition: &Repetition) -> Result<(), Unfit> {
        let counter = self.counters;
        self.counters = counter.checked_add(1).ok_or(Unfit)?;
        let count = |rounds: u32| u16::try_from(rounds).ok().filter(|count| *count < u16::MAX).ok_or(Unfit);
        let (min, is_greedy) = (count(repetition.min)?, repetition.greedy);
        let max = repetition.max.map_or(Ok(u16::MAX), count)?;
        self.push(Step::Start(counter))?;
        let start = self.here();
        let (round_set, exit_set) = (ANY, ANY);
        let head =
            self.push(Step::Loop { counter, min, max, is_greedy, round_set, exit: start, exit_set })?;
        self.write(&repetition.sub)?;
        self.push(Step::Jump(start))?;
        let end = self.here();
        if let Step::Loop { exit, .. } = &mut self.steps[head] {
            *exit = end;
        }
        Ok(())
    }

    /// So many more rounds, or less.
    fn optional(&mut self, sub: &Hir, rounds: u32, is_greedy: bool) -> Result<(), Unfit> {
        let mut splits = Vec::new();
        for _ in 0..rounds {
            splits.push(self.split()?);
            self.write(sub)?;
        }
        let end = self.here();
        splits.into_iter().for_each(|split| self.aim(split, is_greedy, end));
        Ok(())
    }

    /// Any number of rounds more, of which none is empty.
    fn endless(&mut self, sub: &Hir, is_greedy: bool) -> Result<(), Unfit> {
        let start = self.here();
        let split = self.split()?;
        self.write(sub)?;
        self.push(Step::Jump(start))?;
        let end = self.here();
        self.aim(split, is_greedy, end);
        Ok(())
    }
}

/// The bytes that an expression matches one of, if it matches just one, and groups nothing.
fn single(hir: &Hir) -> Option<ByteSet> {
    match hir.kind() {
        HirKind::Literal(literal) => match *literal.0 {
            [byte] => Some(ByteSet::of(byte)),
            _ => None,
        },
        HirKind::Class(class) => byte_set(class),
        _ => None,
    }
}

/// The bytes of a class whose members are one byte each.
fn byte_set(class: &Class) -> Option<ByteSet> {
    match class {
        Class::Bytes(class) => {
            let ranges = class.ranges().iter();
            Some(ranges.fold(ByteSet::default(), |set, range| set.with(range.start(), range.end())))
        }
        Class::Unicode(class) => class.ranges().iter().try_fold(ByteSet::default(), |set, range| {
            let ascii = |end: char| u8::try_from(end).ok().filter(u8::is_ascii);
            Some(set.with(ascii(range.start())?, ascii(range.end())?))
        }),
    }
}

/// The bytes that characters of a set begin with, or a few more.
fn lead(chars: &CharSet) -> ByteSet {
    let ascii = (0..0x80_u8).filter(|byte| chars.has(char::from(*byte)));
    ascii.fold(ByteSet::default().with(0xC2, 0xF4), |set, byte| set.with(byte, byte))
}

/// For each step, the bytes that a match can go on with from there; all of them where it may go on with none.
fn firsts(writer: &Writer) -> Vec<ByteSet> {
    let Writer { steps, sets, chars, letters, switches, .. } = writer;
    let mut firsts = vec![ByteSet::default(); steps.len()];
    let leads: Vec<ByteSet> = chars.iter().map(lead).collect();
    loop {
        let mut is_done = true;
        for at in (0..steps.len()).rev() {
            let next = |target: u32| firsts[target as usize];
            let set = match steps[at] {
                Step::Word { start, .. } => letters[start as usize].set(),
                Step::Set(set) => sets.all[usize::from(set)],
                Step::Char(set) => leads[usize::from(set)],
                Step::Run { set, min, .. } => {
                    let own = sets.all[usize::from(set)];
                    if min > 0 { own } else { own.join(firsts[at + 1]) }
                }
                Step::Look(_) | Step::Save(_) => firsts[at + 1],
                Step::Jump(target) => next(target),
                Step::Split { first, second, .. } => next(first).join(next(second)),
                Step::Switch(table) => {
                    let branches = switches[usize::from(table)].iter();
                    branches.fold(ByteSet::default(), |all, branch| all.join(next(*branch)))
                }
                Step::Loop { exit, .. } => firsts[at + 1].join(next(exit)),
                Step::Start(_) => match steps[at + 1] {
                    Step::Loop { min: 1.., .. } => firsts[at + 2],
                    _ => firsts[at + 1],
                },
                Step::Match => ByteSet::ALL,
            };
            is_done &= set == firsts[at];
            firsts[at] = set;
        }
        if is_done {
            return firsts;
        }
    }
}

/// Which of the branches may go on with each byte, and at the end: `None` where there are too many lists.
fn table(branches: &[u32], firsts: &[ByteSet]) -> Option<Table> {
    let mut lists: Vec<Vec<u32>> = Vec::new();
    let mut list_of = Vec::new();
    for byte in (0..=u8::MAX).map(Some).chain([None]) {
        let may = |branch: &&u32| {
            let first = firsts[**branch as usize];
            byte.map_or(first == ByteSet::ALL, |byte| first.has(byte))
        };
        let list: Vec<u32> = branches.iter().filter(may).copied().collect();
        let known = lists.iter().position(|other| *other == list);
        let number = known.unwrap_or(lists.len());
        if known.is_none() {
            lists.push(list);
        }
        list_of.push(u8::try_from(number).ok()?);
    }
    let mut bounds = vec![0];
    for list in &lists {
        let end = usize::from(*bounds.last().expect("there is a first one")) + list.len();
        bounds.push(u16::try_from(end).ok()?);
    }
    Some(Table { list_of, bounds, branches: lists.concat() })
}
