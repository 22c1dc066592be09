//! Which of the rules whose words stand near a run names the value there.

use std::{cmp::Reverse, ops::Range};

use super::{
    Engine, Entry, refusal,
    scene::{Place, Relation, Scene, ends_as_key},
    word::Hit,
};
use crate::{
    detect::{machine::Machine, placeholder},
    rule::Origin,
};

/// What there is to choose from.
pub(super) struct Choice<'a> {
    pub(super) engine: &'a Engine,
    pub(super) rules: &'a [Machine],
    pub(super) bytes: &'a [u8],
    pub(super) scene: &'a Scene<'a>,
    /// Words in the scene.
    pub(super) hits: &'a [Hit],
    pub(super) run: &'a Range<usize>,
}

/// A value of one form, and what speaks for its being a secret.
struct Claim {
    shape: usize,
    value: Range<usize>,
    place: Place,
    /// Its name has a word such as `key`.
    name_says_key: bool,
    /// Its line has.
    line_says_key: bool,
    entropy: f32,
    /// By its name it is none.
    is_refused: bool,
}

/// What is compared between rules; the least is the best.
type Rank = (Relation, Told, bool, usize, Reverse<usize>, usize);

/// How well the names that a rule asks for are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// By the value's name, or that of the provider's word.
    Name,
    /// By the line.
    Line,
    /// It asks for none.
    Unasked,
    /// By another line.
    Near,
    /// Not at all: the provider's word has to say enough.
    Untold,
}

/// A word this near before a value needs no other to say that it is a secret, in bytes.
const ADJACENT: usize = 16;

impl Choice<'_> {
    /// The rule and the value.
    pub(super) fn best(&self) -> Option<(usize, Range<usize>)> {
        let mut claims: Vec<(usize, Option<Claim>)> = Vec::new();
        let mut best: Option<(Rank, Range<usize>)> = None;
        for hit in self.hits.iter().filter(|hit| hit.end <= self.scene.window.end) {
            for &index in &self.engine.uses[usize::from(hit.word)].rules {
                let entry = &self.engine.rules[index as usize];
                let at = claims.iter().position(|(shape, _)| *shape == entry.shape).unwrap_or_else(|| {
                    claims.push((entry.shape, self.claim(entry.shape)));
                    claims.len() - 1
                });
                let Some(claim) = &claims[at].1 else { continue };
                let Some(rank) = self.rank(hit, entry, claim) else { continue };
                if best.as_ref().is_none_or(|(least, _)| rank < *least)
                    && self.is_eligible(entry, claim, rank.1)
                {
                    best = Some((rank, claim.value.clone()));
                }
            }
        }
        best.map(|(rank, value)| (rank.5, value))
    }

    /// The value of a form, if there is one.
    fn claim(&self, shape: usize) -> Option<Claim> {
        let form = &self.engine.shapes[shape];
        let value = form.find(self.bytes, self.run)?;
        let place = self.scene.place(value.clone());
        let name = place.name.clone().map(|name| &self.bytes[name]);
        let is_hash = name.is_some_and(refusal::is_of_hash);
        if is_hash || !form.stands_alone(self.bytes, &value, place.host.is_some()) {
            return None;
        }
        let name_says_key = name.is_some_and(ends_as_key)
            || place.name.as_ref().is_some_and(|name| self.keys().any(|key| key.is_in(name)));
        let on_line =
            |key: &Hit| self.scene.is_in_line(key) && (key.end <= value.start || key.start >= value.end);
        let line_says_key = name_says_key || self.keys().any(on_line);
        let text = &self.bytes[value.clone()];
        Some(Claim {
            shape,
            name_says_key,
            line_says_key,
            entropy: entropy::shannon_entropy(text),
            is_refused: name.is_some_and(refusal::is_of_id),
            value,
            place,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(|hit| self.engine.is_key(hit))
    }

    /// Whether a rule would take the value: what it is, and how much chance is in it.
    fn is_eligible(&self, entry: &Entry, claim: &Claim, told: Told) -> bool {
        let rule = &self.rules[entry.rule].rule;
        let is_random = rule.entropy.is_none_or(|least| claim.entropy > least);
        let is_stand_in = || placeholder::is_ruled_out(self.bytes, &claim.value, rule.specificity);
        let is_real = rule.origin == Origin::User || !is_stand_in();
        // A rule that asks for an id by its name means it.
        let is_meant = !claim.is_refused || told <= Told::Line;
        is_random && is_meant && is_real
    }

    /// How much a word says for a rule; `None` where that is not enough.
    fn rank(&self, hit: &Hit, entry: &Entry, claim: &Claim) -> Option<Rank> {
        let relation = self.scene.relation(hit, &claim.place)?;
        let told = self.told(hit, entry, claim);
        if !self.counts(hit, entry, claim, (relation, told)) {
            return None;
        }
        let slack = self.engine.shapes[claim.shape].slack();
        Some((relation, told, entry.assumed, slack, Reverse(hit.end - hit.start), entry.rule))
    }

    /// Whether a word is near enough, given what else says that the value is a secret.
    fn counts(&self, hit: &Hit, entry: &Entry, claim: &Claim, (relation, told): (Relation, Told)) -> bool {
        if let Some(host) = &claim.place.host {
            return !entry.assumed && hit.is_in(host) && self.scene.is_api(&claim.place);
        }
        // What the rule asks for is as good as a word such as `key`.
        let says_key = claim.line_says_key || told <= Told::Line;
        let near_says_key = || says_key || self.says_key(&self.scene.line_of(hit), hit);
        let is_near = match relation {
            Relation::Name => !entry.assumed || near_says_key(),
            Relation::Before(distance) => says_key || (distance <= ADJACENT && !entry.assumed),
            Relation::After(_) => says_key,
            Relation::Above(_) => near_says_key(),
            Relation::Below(_) => claim.name_says_key && self.scene.is_host(hit),
        };
        if told == Told::Untold && !self.speaks_for_itself(entry, claim, relation) {
            return false;
        }
        let is_plain_uuid = self.engine.shapes[claim.shape].is_uuid() && !near_says_key();
        is_near && !is_plain_uuid && (!entry.common || self.common_counts(hit, claim))
    }

    /// Whether a value whose rule asks for a name that is not there is a secret of the provider all the same: it is as long as those are, and
    /// its own name, or the word right before it, is the provider's. Which of the provider's it is stays open.
    fn speaks_for_itself(&self, entry: &Entry, claim: &Claim, relation: Relation) -> bool {
        let is_close = match relation {
            Relation::Name => true,
            Relation::Before(distance) => distance <= ADJACENT || claim.name_says_key,
            Relation::After(_) | Relation::Above(_) | Relation::Below(_) => false,
        };
        is_close && !entry.assumed && !claim.is_refused && self.engine.shapes[claim.shape].slack() == 0
    }

    /// A common word counts in a name that says that it is a secret's, as a host, and as the head of what the value stands in.
    fn common_counts(&self, hit: &Hit, claim: &Claim) -> bool {
        let name = self.scene.name_around(hit);
        let word = &self.bytes[name.clone()];
        let is_name_of_key = self.says_key(&name, hit) || ends_as_key(word);
        is_name_of_key
            || (claim.line_says_key && self.scene.is_host(hit))
            || (claim.name_says_key && self.scene.is_head(hit))
    }

    /// Whether a word such as `key` stands in the stretch, besides this one.
    fn says_key(&self, stretch: &Range<usize>, besides: &Hit) -> bool {
        self.keys().any(|key| key.is_in(stretch) && (key.end <= besides.start || key.start >= besides.end))
    }

    /// How well what the rule asks for is told.
    fn told(&self, hit: &Hit, entry: &Entry, claim: &Claim) -> Told {
        if entry.names.is_empty() {
            return Told::Unasked;
        }
        let around = self.scene.name_around(hit);
        let level = |name: &Hit| {
            let is_name =
                self.scene.relation(name, &claim.place) == Some(Relation::Name) || name.is_in(&around);
            if is_name {
                Told::Name
            } else if self.scene.is_in_line(name) {
                Told::Line
            } else {
                Told::Near
            }
        };
        let outside = |name: &&Hit| name.end <= claim.value.start || name.start >= claim.value.end;
        let names = self.hits.iter().filter(|name| entry.names.contains(&name.word));
        names.filter(outside).map(level).min().unwrap_or(Told::Untold)
    }
}
