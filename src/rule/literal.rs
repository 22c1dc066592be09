//! Literals that a regex can't match without, and how far a match goes beyond them, both from the syntax tree.

use std::collections::BTreeSet;

use regex_syntax::hir::{Capture, Class, Hir, HirKind, Repetition};

use super::{Ahead, Reach, Search, program, stretch_rate};

/// Shorter literals hit too often to be of use.
pub(super) const MIN_LITERAL: usize = 3;
/// Longer ones are no rarer.
const MAX_LITERAL: usize = 48;
/// More are not worth their place in the prefilter.
const MAX_LITERALS: usize = 64;

/// A set of lower-case strings of which every match holds at least one (without ASCII case), with the longest stretch of the
/// match before and after it; `None` has no bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Necessary {
    pub(super) literals: BTreeSet<Vec<u8>>,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    /// What has to match from the start of a literal on, where that can be told.
    from: Option<Hir>,
}

impl Necessary {
    /// Literals that are the whole of what was looked at.
    fn whole(literals: BTreeSet<Vec<u8>>, hir: Hir) -> Self {
        Self { literals, before: Some(0), after: Some(0), from: Some(hir) }
    }

    /// The same with other parts of the pattern before and behind it.
    fn between(mut self, before: &[Hir], after: &[Hir]) -> Self {
        self.before = self.before.zip(total_len(before)).map(|(one, two)| one + two);
        self.after = self.after.zip(total_len(after)).map(|(one, two)| one + two);
        self.from = self.from.map(|from| Hir::concat([&[from], after].concat()));
        self
    }

    /// The pattern that has to match from the start of a literal on, where checking it spares something: where matches start with their
    /// literal the whole pattern is tried there.
    pub(super) fn gate(&self) -> Option<Hir> {
        if self.before == Some(0) {
            return None;
        }
        let from = self.from.as_ref()?;
        let shortest = self.literals.iter().map(Vec::len).min().unwrap_or(0);
        let is_useful = |hir: &Hir| hir.properties().minimum_len().is_some_and(|least| least > shortest);
        let is_near = |hir: &Hir| max_len(hir).is_some_and(|most| most <= Search::GATE_REACH);
        [&head(from).0, from].into_iter().find(|hir| is_useful(hir) && is_near(hir)).cloned()
    }

    /// What may stand right behind a literal.
    pub(super) fn ahead(&self) -> Ahead {
        let Some(from) = &self.from else { return Ahead::ANY };
        program::ahead(&head(from).0, &self.literals)
    }
}

/// What every match of the expression begins with, and whether something was cut off behind it: long repetitions, of which an automaton has a
/// state for each round, are there with as many rounds as there must be, and nothing behind them.
fn head(hir: &Hir) -> (Hir, bool) {
    const MOST_ROUNDS: u32 = 48;
    match hir.kind() {
        HirKind::Capture(capture) => head(&capture.sub),
        HirKind::Repetition(repetition) if repetition.max.is_none_or(|max| max > MOST_ROUNDS) => {
            let least = Repetition { max: Some(repetition.min), ..repetition.clone() };
            (if repetition.min == 0 { Hir::empty() } else { Hir::repetition(least) }, true)
        }
        HirKind::Concat(parts) => {
            let mut heads = Vec::new();
            for part in parts {
                let (part, is_cut) = head(part);
                heads.push(part);
                if is_cut {
                    return (Hir::concat(heads), true);
                }
            }
            (Hir::concat(heads), false)
        }
        HirKind::Alternation(branches) => {
            let (heads, cuts): (Vec<Hir>, Vec<bool>) = branches.iter().map(head).unzip();
            (Hir::alternation(heads), cuts.contains(&true))
        }
        _ => (hir.clone(), false),
    }
}

fn without_groups(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => without_groups(&capture.sub),
        _ => hir,
    }
}

/// The text of an expression, if it reads back as what is meant.
pub(super) fn printed(hir: &Hir) -> Option<String> {
    let printable = printable(hir, &mut 0);
    let text = printable.to_string();
    let reads_back = |unicode| super::parser(unicode).parse(&text).as_ref() == Ok(&printable);
    [false, true].into_iter().any(reads_back).then_some(text)
}

/// The same expression in a form that prints right: regex-syntax writes `(?:a{3})?` as `a{3}?`, which is something else, unless
/// there is a group between. Groups are numbered as the parser will number them.
fn printable(hir: &Hir, groups: &mut u32) -> Hir {
    match hir.kind() {
        HirKind::Capture(capture) => printable(&capture.sub, groups),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| printable(part, groups)).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(|part| printable(part, groups)).collect())
        }
        HirKind::Repetition(repetition) => {
            let needs_group = matches!(without_groups(&repetition.sub).kind(), HirKind::Repetition(_));
            *groups += u32::from(needs_group);
            let index = *groups;
            let sub = Box::new(printable(&repetition.sub, groups));
            let sub =
                if needs_group { Box::new(Hir::capture(Capture { index, name: None, sub })) } else { sub };
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        _ => hir.clone(),
    }
}

/// The best set of necessary literals of a regex, or `None` where it has none of [`MIN_LITERAL`] bytes.
pub(super) fn necessary(hir: &Hir) -> Option<Necessary> {
    best(hir)
}

/// The reach that follows; with no necessary literal, the longest match.
pub(super) fn reach(hir: &Hir, necessary: Option<&Necessary>) -> Reach {
    let whole = max_len(hir);
    let (before, after) = necessary.map_or((Some(0), whole), |set| (set.before, set.after));
    let bounded = |length: Option<usize>| length.filter(|length| *length <= Reach::MAX);
    Reach {
        before: bounded(before).unwrap_or(Reach::CAP),
        after: bounded(after).unwrap_or(Reach::CAP),
        within_line: !can_match_newline(hir),
        capped: bounded(before).is_none() || bounded(after).is_none(),
    }
}

/// The expression inside a capture group.
pub(super) fn capture(hir: &Hir, group: usize) -> Option<&Hir> {
    match hir.kind() {
        HirKind::Capture(capture) if capture.index as usize == group => Some(&capture.sub),
        HirKind::Capture(inner) => capture(&inner.sub, group),
        HirKind::Repetition(repetition) => capture(&repetition.sub, group),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().find_map(|part| capture(part, group))
        }
        _ => None,
    }
}

fn total_len(parts: &[Hir]) -> Option<usize> {
    parts.iter().map(max_len).try_fold(0_usize, |sum, length| Some(sum + length?))
}

fn max_len(hir: &Hir) -> Option<usize> {
    hir.properties().maximum_len()
}

/// Whether some match can hold `\n`.
fn can_match_newline(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| range.start() <= b'\n' && b'\n' <= range.end())
        }
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| range.start() <= '\n' && '\n' <= range.end())
        }
        HirKind::Repetition(repetition) => can_match_newline(&repetition.sub),
        HirKind::Capture(capture) => can_match_newline(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(can_match_newline),
    }
}

fn best(hir: &Hir) -> Option<Necessary> {
    let whole = language(hir).and_then(|literals| useful(Necessary::whole(literals, hir.clone())));
    let inner = match hir.kind() {
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Literal(literal) if literal.0.len() > MAX_LITERAL => {
            let head = literal.0[..MAX_LITERAL].to_ascii_lowercase();
            let [own, rest] = [&literal.0[..MAX_LITERAL], &literal.0[MAX_LITERAL..]].map(Hir::literal);
            useful(Necessary::whole(BTreeSet::from([head]), own).between(&[], &[rest]))
        }
        HirKind::Repetition(repetition) if repetition.min >= 1 => best(&repetition.sub).map(|mut set| {
            // The first round's literal is the one that counts; the other rounds come after it.
            let others = repetition.max.map(|max| max as usize - 1);
            let rest = others.and_then(|others| Some(others * max_len(&repetition.sub)?));
            set.after = set.after.zip(rest).map(|(after, rest)| after + rest);
            set.from = set.from.map(|from| Hir::concat(vec![from, other_rounds(repetition)]));
            set
        }),
        HirKind::Concat(parts) => best_of_concat(parts),
        HirKind::Alternation(branches) => best_of_alternation(branches),
        _ => None,
    };
    cheapest([whole, inner])
}

fn best_of_alternation(branches: &[Hir]) -> Option<Necessary> {
    let mut all = Necessary { literals: BTreeSet::new(), before: Some(0), after: Some(0), from: None };
    let mut from = Some(Vec::new());
    for branch in branches {
        let set = best(branch)?;
        all.literals.extend(set.literals);
        all.before = all.before.zip(set.before).map(|(one, two)| one.max(two));
        all.after = all.after.zip(set.after).map(|(one, two)| one.max(two));
        from = from.zip(set.from).map(|(mut from, own)| {
            if !from.contains(&own) {
                from.push(own);
            }
            from
        });
    }
    all.from = from.map(Hir::alternation);
    useful(all)
}

/// Tries each part by itself, and each run of neighbours which together have few forms.
fn best_of_concat(parts: &[Hir]) -> Option<Necessary> {
    let languages: Vec<_> = parts.iter().map(language).collect();
    let mut found = Vec::new();
    for start in 0..parts.len() {
        found.push(best(&parts[start]).map(|set| set.between(&parts[..start], &parts[start + 1..])));
        let mut run = BTreeSet::from([Vec::new()]);
        for (end, forms) in languages.iter().enumerate().skip(start) {
            let Some(joined) = forms.as_ref().and_then(|forms| join(&run, forms)) else {
                let set = with_first_round((&run, &parts[start..end]), &parts[end]);
                found.push(set.map(|set| set.between(&parts[..start], &parts[end + 1..])));
                break;
            };
            run = joined;
            let own = Hir::concat(parts[start..=end].to_vec());
            let set = Necessary::whole(run.clone(), own);
            found.push(useful(set.between(&parts[..start], &parts[end + 1..])));
        }
    }
    cheapest(found)
}

/// A run that goes on with the first round of a repetition: `SK[0-9a-f]{32}` has `sk0` to `skf`.
fn with_first_round((run, parts): (&BTreeSet<Vec<u8>>, &[Hir]), next: &Hir) -> Option<Necessary> {
    let inner = match next.kind() {
        HirKind::Capture(capture) => &capture.sub,
        _ => next,
    };
    let HirKind::Repetition(repetition) = inner.kind() else { return None };
    if repetition.min == 0 {
        return None;
    }
    let rounds = repetition.max.map(|max| max as usize - 1);
    let after = rounds.and_then(|rounds| Some(rounds * max_len(&repetition.sub)?));
    let literals = join(run, &language(&repetition.sub)?)?;
    let rounds = [(*repetition.sub).clone(), other_rounds(repetition)];
    let from = Hir::concat(parts.iter().cloned().chain(rounds).collect());
    useful(Necessary { literals, before: Some(0), after, from: Some(from) })
}

/// What of a repetition comes behind its first round.
fn other_rounds(repetition: &Repetition) -> Hir {
    let max = repetition.max.map(|max| max - 1);
    Hir::repetition(Repetition { min: repetition.min - 1, max, ..repetition.clone() })
}

/// Every string that the expression matches, in lower case, where there are few and short ones.
fn language(hir: &Hir) -> Option<BTreeSet<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(BTreeSet::from([Vec::new()])),
        HirKind::Literal(literal) => {
            (literal.0.len() <= MAX_LITERAL).then(|| BTreeSet::from([literal.0.to_ascii_lowercase()]))
        }
        HirKind::Class(class) => class_members(class),
        HirKind::Capture(capture) => language(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().try_fold(BTreeSet::from([Vec::new()]), |run, part| join(&run, &language(part)?))
        }
        HirKind::Alternation(branches) => {
            let mut all = BTreeSet::new();
            for branch in branches {
                all.extend(language(branch)?);
            }
            (all.len() <= MAX_LITERALS).then_some(all)
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max.filter(|max| *max as usize <= MAX_LITERAL)?;
            let sub = language(&repetition.sub)?;
            let mut run = BTreeSet::from([Vec::new()]);
            let mut all = BTreeSet::new();
            for round in 0..=max {
                if round >= repetition.min {
                    all.extend(run.iter().cloned());
                }
                if round < max {
                    run = join(&run, &sub)?;
                }
            }
            (all.len() <= MAX_LITERALS).then_some(all)
        }
    }
}

fn class_members(class: &Class) -> Option<BTreeSet<Vec<u8>>> {
    const MOST: usize = 16;
    let mut members = BTreeSet::new();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                members.extend(
                    (range.start()..=range.end()).map(|byte| vec![byte.to_ascii_lowercase()]).take(2 * MOST),
                );
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                members.extend(
                    (range.start()..=range.end())
                        .map(|c| c.to_ascii_lowercase().to_string().into_bytes())
                        .take(2 * MOST),
                );
            }
        }
    }
    (members.len() <= MOST).then_some(members)
}

fn join(heads: &BTreeSet<Vec<u8>>, tails: &BTreeSet<Vec<u8>>) -> Option<BTreeSet<Vec<u8>>> {
    if heads.len() * tails.len() > MAX_LITERALS {
        return None;
    }
    let joined: BTreeSet<_> = heads
        .iter()
        .flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat()))
        .collect();
    joined.iter().all(|form| form.len() <= MAX_LITERAL).then_some(joined)
}

/// The set without members that another member is part of, if its shortest is long enough.
fn useful(set: Necessary) -> Option<Necessary> {
    let shortest = set.literals.iter().map(Vec::len).min()?;
    if shortest < MIN_LITERAL || set.literals.len() > MAX_LITERALS {
        return None;
    }
    Some(set)
}

/// Expected hits per byte decide; between equals, the shorter reach.
fn cheapest(sets: impl IntoIterator<Item = Option<Necessary>>) -> Option<Necessary> {
    sets.into_iter().flatten().min_by(|one, two| cost(one).total_cmp(&cost(two)))
}

fn cost(set: &Necessary) -> f32 {
    // A rule's share of a prefilter pass: a little per literal, a lot per hit, less per byte behind it. A match may begin at each byte before.
    let [before, after] = [set.before, set.after].map(|bytes| bytes.unwrap_or(Reach::CAP) as f32);
    let hits: f32 = set.literals.iter().map(|literal| stretch_rate(literal)).sum();
    set.literals.len() as f32 * 1e-6 + hits * (1.0 + before / 256.0 + after / 4096.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::parser;

    fn analyse(regex: &str) -> (Vec<String>, Reach) {
        let hir = parser(false).parse(regex).unwrap();
        let set = necessary(&hir);
        let reach = reach(&hir, set.as_ref());
        let literals = set.map(|set| set.literals).unwrap_or_default();
        (literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect(), reach)
    }

    #[test]
    fn prefix_is_the_literal_and_the_rest_is_the_reach() {
        let (literals, reach) = analyse(r"\bghp_[0-9A-Za-z]{36}\b");
        assert_eq!(literals, ["ghp_"]);
        assert_eq!((reach.before, reach.after, reach.within_line, reach.capped), (0, 36, true, false));
    }

    #[test]
    fn alternatives_are_joined_with_their_neighbours() {
        assert_eq!(analyse(r"(?i)[\w.-]{0,50}?sk_(live|test)_[a-z]{10,99}").0, ["sk_live_", "sk_test_"]);
        assert_eq!(analyse(r"[a-z0-9]{8}-us[12]{1,99}").0, ["-us1", "-us2"]);
        assert_eq!(analyse(r"(?i)api[_-]?key[ \t]*=").0, ["api-key", "api_key", "apikey"]);
    }

    #[test]
    fn inner_literals_bound_what_stands_before() {
        let (literals, reach) = analyse(r"[a-z]{0,9}(?:acme|zenith)[ \t]{0,3}=[0-9]{8}");
        assert_eq!(literals, ["acme", "zenith"]);
        assert_eq!((reach.before, reach.after), (9, 12));
    }

    #[test]
    fn a_branch_without_a_literal_leaves_none() {
        assert!(analyse(r"(?:acme|[0-9]{4})x").0.is_empty());
        assert!(analyse(r"[0-9a-f]{32}").0.is_empty());
        assert!(analyse(r"(?:acme)?[0-9]{4}").0.is_empty());
    }

    #[test]
    fn patterns_with_no_bound_are_capped() {
        let (literals, reach) = analyse(r"(?s)-----BEGIN KEY-----.*?END KEY");
        assert_eq!(literals, ["-----begin key-----"]);
        assert!(reach.capped && !reach.within_line);
        assert_eq!(reach.after, Reach::CAP);
    }

    #[test]
    fn gates_are_what_matches_from_a_literal_on() {
        let gate = |regex: &str| necessary(&parser(false).parse(regex).unwrap()).unwrap().gate();
        let is = |regex: &str, from: &str| assert_eq!(gate(regex), Some(parser(false).parse(from).unwrap()));
        is(r"\w{1,9}zqx_key=(?:[0-9]{3})?!x[0-9]", r"zqx_key=(?:[0-9]{3})?!x[0-9]");
        is(r"\w{1,9}(?:zqx_key=[0-9]{2}){1,3}x", r"zqx_key=[0-9]{2}(?:zqx_key=[0-9]{2}){0,2}x");
        is(r"\w{1,9}(?i:zqx_key|zqx_token)=\d{40}", r"(?i:zqx_key|zqx_token)=\d{40}");
        assert_eq!(gate(r"\w{1,9}zqx_key="), None);
        is(r"(?s)\w{1,9}zqx_key=[0-9].*x", "zqx_key=[0-9]");
    }

    #[test]
    fn each_branch_has_its_own_gate() {
        let gate = |regex: &str| necessary(&parser(false).parse(regex).unwrap()).unwrap().gate();
        let gate = gate(r"[a-z]{2}zqx_key=[0-9]{9}|[a-z]{3}-qzw=[a-f]{9}").unwrap();
        assert_eq!(gate, parser(false).parse("zqx_key=[0-9]{9}|-qzw=[a-f]{9}").unwrap());
    }

    #[test]
    fn where_matches_start_with_their_literal_there_is_no_gate() {
        assert_eq!(necessary(&parser(false).parse("zqx_key=[0-9]{9}").unwrap()).unwrap().gate(), None);
    }

    #[test]
    fn repeated_literals_count_from_their_first_round() {
        let (literals, reach) = analyse(r"(?:zqx_key=[0-9]{2}){1,3}");
        assert_eq!(literals, ["zqx_key="]);
        assert_eq!(reach.after, 2 + 2 * 10);
    }
}
