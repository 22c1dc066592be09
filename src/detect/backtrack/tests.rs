use proptest::prelude::*;
use regex_automata::{Anchored, Input, meta::Regex, util::primitives::NonMaxUsize, util::syntax};

use super::{Outcome, Stack, find};
use crate::rule::{Program, Templater, builtin_with_templates, parser};

type Slots = Vec<Option<NonMaxUsize>>;

const ENOUGH: usize = 1 << 20;

fn program(pattern: &str, unicode: bool) -> Option<Program> {
    Program::new(&parser(unicode).parse(pattern).unwrap())
}

fn regex(pattern: &str, unicode: bool) -> Regex {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(unicode).utf8(false))
        .configure(Regex::config().utf8_empty(false))
        .build(pattern)
        .unwrap()
}

/// What a program finds; `None` where its steps did not suffice.
fn found(program: &Program, input: &Input<'_>, steps: usize) -> Option<Option<Slots>> {
    let mut slots = vec![None; program.slots];
    let (bytes, span, mut steps) = (input.haystack(), input.get_range(), steps);
    let mut stack = Stack::default();
    let last = if input.get_anchored().is_anchored() { span.start } else { span.end };
    let memory = (&mut stack, &mut steps);
    let outcome = find(program, (bytes, span.end), span.start..=last, &mut slots, memory);
    match outcome {
        Outcome::Match => Some(Some(slots)),
        Outcome::None => Some(None),
        Outcome::Undecided => None,
    }
}

fn expected(regex: &Regex, input: &Input<'_>) -> Option<Slots> {
    let mut slots = vec![None; regex.group_info().slot_len()];
    regex.search_slots(input, &mut slots).map(|_| slots)
}

/// Each way of asking: from anywhere, from one place, in a part of the text.
fn inputs(text: &[u8]) -> Vec<Input<'_>> {
    let (third, end) = (text.len() / 3, text.len());
    let spans = [0..end, third..end, third..end - third];
    let ways = [Anchored::No, Anchored::Yes];
    spans
        .into_iter()
        .flat_map(|span| ways.map(|way| Input::new(text).span(span.clone()).anchored(way)))
        .collect()
}

/// Patterns of every kind, over few letters, so that they match often.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[ab]",
        3 => prop::sample::select(vec!["[ab]", "[^a]", ".", r"\w", r"\s", "(?i:b)", "é", "[é-ü]", r"[^\n]", "[ -~]"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec![r"\b", r"\B", "^", "$", "(?m:^)", "(?m:$)", "", r"\b{start}", "(?R:$)"])
            .prop_map(str::to_owned),
    ];
    atom.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..6)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            2 => inner.clone().prop_map(|sub| format!("({sub})")),
            3 => (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "{2,5}", "{5}", "{0,7}"]), any::<bool>())
                .prop_map(|(sub, count, is_lazy)| {
                    format!("(?:{sub}){count}{}", if is_lazy { "?" } else { "" })
                }),
        ]
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[abB]".prop_map(String::into_bytes),
        2 => "[ \n\r_é€]".prop_map(String::into_bytes),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn finds_what_the_regex_finds(pattern in pattern(), texts in prop::collection::vec(text(), 6), unicode: bool) {
        prop_assume!(parser(unicode).parse(&pattern).is_ok());
        let Some(program) = program(&pattern, unicode) else { return Ok(()) };
        let regex = regex(&pattern, unicode);
        for text in &texts {
            for input in inputs(text) {
                if let Some(found) = found(&program, &input, ENOUGH) {
                    prop_assert_eq!(found, expected(&regex, &input), "{} in {:?}", pattern, input);
                }
            }
        }
    }

    #[test]
    fn with_few_steps_it_decides_the_same_or_nothing(pattern in pattern(), text in text(), steps in 0..200_usize) {
        prop_assume!(parser(false).parse(&pattern).is_ok());
        let Some(program) = program(&pattern, false) else { return Ok(()) };
        let regex = regex(&pattern, false);
        for input in inputs(&text) {
            if let Some(found) = found(&program, &input, steps) {
                prop_assert_eq!(found, expected(&regex, &input), "{} in {:?}", pattern, input);
            }
        }
    }
}

#[test]
fn every_builtin_pattern_has_a_program_that_finds_what_its_regex_finds() {
    for rule in builtin_with_templates() {
        let Some(pattern) = rule.pattern() else { continue };
        let program = program(&pattern.regex, pattern.unicode);
        let program = program.unwrap_or_else(|| panic!("{} has none", rule.id));
        let regex = regex(&pattern.regex, pattern.unicode);
        let templater = Templater::new(&rule);
        for (seed, template) in rule.templates.examples.iter().chain(&rule.templates.negatives).enumerate() {
            let text = templater.render(template, seed as u64).unwrap().text;
            // As it is, and cut, and with a byte changed.
            for cut in 0..12.min(text.len()) {
                let mut text = text.clone();
                text[cut] ^= if cut == 0 { 0 } else { 0x15 };
                text.truncate(text.len() - cut / 2);
                for input in inputs(&text) {
                    if let Some(found) = found(&program, &input, ENOUGH) {
                        assert_eq!(found, expected(&regex, &input), "{}: {input:?}", rule.id);
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_run_walks_over_takes_steps() {
    let text = vec![b'a'; 100_000];
    for pattern in ["ba*?x", "ba{9,}x", "(?s)ba.*?x"] {
        let program = Program::of(pattern).unwrap();
        // The first place takes all of them.
        let text = [b"b", text.as_slice(), b"b"].concat();
        assert_eq!(found(&program, &Input::new(&text), 10_000), None, "{pattern}");
    }
}

#[test]
fn steps_are_bounded_however_a_pattern_is_made() {
    let program = Program::of("(?:a|aa)+(?:a|aa)+(?:a|aa)+b").unwrap();
    let text = vec![b'a'; 200];
    assert_eq!(found(&program, &Input::new(&text), 10_000), None);
}

#[test]
fn patterns_without_an_end_of_rounds_that_may_be_empty_are_left_to_the_regex() {
    assert!(Program::of("(?:a?)*b").is_none());
    assert!(Program::of("(?:[a-z]{0,99}){0,9999}x").is_none());
}
