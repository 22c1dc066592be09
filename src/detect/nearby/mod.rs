//! Values that a provider's word nearby tells: `AIRBRAKE_KEY=…`.
//!
//! Most keys have no form of their own. What they have in common is looked for once, whatever the provider: a *run* ([`run`]) of letters
//! and digits that is neither words nor code. Around the few that are left, providers' words are looked up ([`word`]), in names, in the line,
//! in the lines next to it ([`scene`]). Where one stands, the forms of that provider's values are tried ([`shape`]); of several that fit, the
//! word that says most names the value ([`choice`]). What is no secret whatever it looks like stands in [`refusal`].
//!
//! No word is a literal of the prefilter: a common one costs nothing where no run is.
//!
//! A value is found by its *owner*, the first candidate run that shares bytes with it; what is found by a run depends on bytes within
//! [`REACH`] of that run only. A set of rules finds in a run what the best of its rules does, so that no rule keeps another from being tried.

mod choice;
mod refusal;
mod run;
mod scene;
mod shape;
mod word;

use std::{collections::HashMap, ops::Range, sync::OnceLock};

use super::{machine::Machine, prefilter::class::Classifier};
use crate::rule::{Nearby, Rule};
use choice::Choice;
use scene::Scene;
use shape::Shape;
use word::{Hit, WordId, Words};

pub(super) use run::{GUARD, start_of};
pub(super) use shape::whole;

/// How far from a run bytes may lie that decide what is found by it, in bytes: a value and a run before it, and the words around it.
pub(super) const REACH: usize = 2 * Nearby::LONGEST + 2 * super::context::LOOK_BACK + 64;

/// Words that names of secrets have.
const KEY_WORDS: &[&str] = &[
    "key",
    "keys",
    "token",
    "secret",
    "api",
    "apikey",
    "auth",
    "authorization",
    "password",
    "passwd",
    "pwd",
    "pass",
    "credential",
    "cred",
    "creds",
    "access",
    "bearer",
    "private",
    "webhook",
    "license",
    "signing",
    "pat",
];

/// Finds the values of all such rules of a detector.
pub(super) struct Finder {
    classifier: Classifier,
    /// Made at the first candidate: most small scans need it not.
    engine: OnceLock<Engine>,
}

/// Rules, as they are tried.
pub(super) struct Engine {
    rules: Vec<Entry>,
    shapes: Vec<Shape>,
    words: Words,
    /// Of each word, what it means.
    uses: Vec<Uses>,
}

#[derive(Default)]
struct Uses {
    /// Whose word it is: indexes of entries.
    rules: Vec<u32>,
    /// Names of secrets have it.
    is_key: bool,
}

/// A rule.
struct Entry {
    /// Its index in the detector.
    rule: usize,
    shape: usize,
    common: bool,
    assumed: bool,
    /// One of these has to stand near, if there are any.
    names: Vec<WordId>,
}

/// Scratch memory between two candidates and two scans.
#[derive(Default)]
pub(super) struct Scratch {
    /// Words in the stretch that was looked through last, by place.
    hits: Vec<Hit>,
    stretch: Range<usize>,
}

impl Finder {
    /// For the rules of this kind, if there are any.
    pub(super) fn new(rules: &[Machine]) -> Option<Self> {
        let is_there = rules.iter().any(|machine| machine.rule.nearby().is_some());
        is_there.then(|| Self { classifier: Classifier::of(&run::RUNS), engine: OnceLock::new() })
    }

    /// Calls with each candidate that begins in `starts`: a run that may be a value by its own bytes and [`GUARD`] around it.
    pub(super) fn candidates(&self, bytes: &[u8], starts: Range<usize>, look: impl FnMut(Range<usize>)) {
        run::for_each(self.classifier, bytes, starts, look);
    }

    /// The rule and the value that a candidate owns. All bytes within [`REACH`] of it must be there, as far as the content has them.
    pub(super) fn search(
        &self,
        rules: &[Machine],
        bytes: &[u8],
        run: &Range<usize>,
        scratch: &mut Scratch,
    ) -> Option<(usize, Range<usize>)> {
        let name = super::context::assigned_to(bytes, run.start);
        if refusal::is_in_hash(bytes, run) || name.is_some_and(|name| refusal::is_of_hash(&bytes[name])) {
            return None;
        }
        let engine = self.engine.get_or_init(|| Engine::new(rules));
        let scene = Scene::around(bytes, run);
        scratch.look_through(bytes, scene.window.clone(), &engine.words);
        let hits = scratch.within(&scene.window);
        let (rule, value) = Choice { engine, rules, bytes, scene: &scene, hits, run }.best()?;
        self.owns(bytes, run, &value).then_some((rule, value))
    }

    /// Whether no candidate before this one shares bytes with the value.
    fn owns(&self, bytes: &[u8], run: &Range<usize>, value: &Range<usize>) -> bool {
        if value.start >= run.start {
            return true;
        }
        let mut is_first = true;
        self.candidates(bytes, start_of(bytes, value.start)..run.start, |other| {
            is_first &= other.end <= value.start
        });
        is_first
    }
}

impl Scratch {
    /// Forgets what was seen: other bytes are next.
    pub(super) fn reset(&mut self) {
        self.hits.clear();
        self.stretch = 0..0;
    }

    /// Sees to it that the words of the window are there. Candidates come in order, so that each byte is looked at about once.
    fn look_through(&mut self, bytes: &[u8], window: Range<usize>, words: &Words) {
        /// Passed words are let go when there are so many.
        const MANY: usize = 4096;
        if window.start < self.stretch.start || window.start > self.stretch.end {
            self.hits.clear();
            self.stretch = window.start..window.start;
        }
        if self.hits.len() > MANY {
            self.hits.retain(|hit| hit.start >= window.start);
            self.stretch.start = window.start;
        }
        if window.end > self.stretch.end {
            words.find(bytes, self.stretch.end..window.end, &mut self.hits);
            self.stretch.end = window.end;
        }
    }

    fn within(&self, window: &Range<usize>) -> &[Hit] {
        let first = self.hits.partition_point(|hit| hit.start < window.start);
        let last = self.hits.partition_point(|hit| hit.start < window.end);
        &self.hits[first..last]
    }
}

impl Engine {
    fn new(rules: &[Machine]) -> Self {
        let mut known: HashMap<(&str, bool), WordId> = HashMap::new();
        let mut texts: Vec<(&str, bool)> = Vec::new();
        let mut uses: Vec<Uses> = Vec::new();
        let mut number = |text, alone, uses: &mut Vec<Uses>| {
            *known.entry((text, alone)).or_insert_with(|| {
                texts.push((text, alone));
                uses.push(Uses::default());
                WordId::try_from(texts.len() - 1).unwrap_or(WordId::MAX)
            })
        };
        for word in KEY_WORDS {
            let id = number(word, false, &mut uses);
            uses[usize::from(id)].is_key = true;
        }
        let mut shapes = Vec::new();
        let mut shape_of: HashMap<&str, usize> = HashMap::new();
        let mut entries = Vec::new();
        for (rule, nearby) in all(rules) {
            let shape = *shape_of.entry(&nearby.value).or_insert_with(|| {
                shapes.push(Shape::new(nearby));
                shapes.len() - 1
            });
            let entry = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            for word in &nearby.words {
                let id = number(word, nearby.common, &mut uses);
                uses[usize::from(id)].rules.push(entry);
            }
            let names = nearby.names.iter().map(|name| number(name, false, &mut uses)).collect();
            entries.push(Entry { rule, shape, common: nearby.common, assumed: nearby.assumed, names });
        }
        let words = Words::new(texts.iter().copied());
        Self { rules: entries, shapes, words, uses }
    }

    fn is_key(&self, hit: &Hit) -> bool {
        self.uses[usize::from(hit.word)].is_key
    }
}

fn all(rules: &[Machine]) -> impl Iterator<Item = (usize, &Nearby)> {
    rules.iter().enumerate().filter_map(|(index, machine)| Some((index, Rule::nearby(&machine.rule)?)))
}

#[cfg(test)]
pub(super) mod tests;
