//! Lines of code and configuration with what they hold, through the detector itself.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Clue, is_placeholder};
use crate::{
    detect::{Detector, RawMatch},
    rule::{Rule, builtin},
};

/// A sequence that looks random and is the same each time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        usize::try_from(mixed >> 33).expect("31 bits") % sides
    }

    fn pick(&mut self, kind: u8) -> char {
        const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
        const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const DIGITS: &str = "0123456789";
        let alphabet = match kind {
            b'l' => LOWER.to_owned(),
            b'L' => UPPER.to_owned(),
            b'm' => LOWER.to_owned() + UPPER,
            b'a' => LOWER.to_owned() + DIGITS,
            b'A' => LOWER.to_owned() + UPPER + DIGITS,
            b'd' => DIGITS.to_owned(),
            b'h' => DIGITS.to_owned() + "abcdef",
            b'b' => LOWER.to_owned() + UPPER + DIGITS + "+/",
            b'u' => LOWER.to_owned() + UPPER + DIGITS + "-_",
            b's' => LOWER.to_owned() + UPPER + DIGITS + "!@%^*?",
            other => panic!("no such alphabet: {}", char::from(other)),
        };
        alphabet.as_bytes()[self.roll(alphabet.len())].into()
    }

    /// What people make passwords of.
    fn words(&mut self) -> String {
        const WORDS: [&str; 8] =
            ["kosmos", "winter", "dragon", "Falcon", "orange", "Matrix", "coffee", "pirate"];
        const ENDS: [&str; 4] = ["4ever", "1987", "2024!", "7x"];
        let word = WORDS[self.roll(WORDS.len())];
        format!("{word}{}", ENDS[self.roll(ENDS.len())])
    }

    /// The text with `{l8}` and the like filled in.
    fn fill(&mut self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let inner = rest[open + 1..].split('}').next().unwrap_or_default();
            let length = inner.get(1..).and_then(|digits| digits.parse::<usize>().ok());
            let is_field = inner.starts_with(|c: char| "lLmaAdhbusw".contains(c));
            let Some(length) = length.filter(|_| is_field) else {
                filled.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            };
            filled.push_str(&rest[..open]);
            match inner.as_bytes()[0] {
                b'w' => filled.push_str(&self.words()),
                kind => filled.extend((0..length).map(|_| self.pick(kind))),
            }
            rest = &rest[open + inner.len() + 2..];
        }
        filled + rest
    }
}

/// The rules that leave all to the score: what an allowlist says comes later.
fn detector() -> Detector {
    let is_left_to_it = |rule: &Rule| rule.is_weighed() && rule.allowlists.is_empty();
    Detector::new(builtin().into_iter().filter(is_left_to_it).collect()).unwrap()
}

fn reported(detector: &Detector, text: &str) -> Vec<RawMatch> {
    let is_enough = |found: &RawMatch| found.score.is_some_and(super::Score::is_enough);
    detector.scan(&text.as_bytes()).unwrap().into_iter().filter(is_enough).collect()
}

fn explained(detector: &Detector, text: &str) -> String {
    let (matches, refused) = detector.explain(&text.as_bytes()).unwrap();
    let mut all = String::new();
    for one in matches {
        let clues: Vec<Clue> = one.score.into_iter().flat_map(super::Score::clues).collect();
        write!(all, "\n    found {} {clues:?}", detector.rule(one.rule).id).unwrap();
    }
    for one in refused {
        write!(all, "\n    refused {} {:?}", detector.rule(one.rule).id, one.why).unwrap();
    }
    all
}

#[test]
fn labelled_lines_are_told_apart() {
    let detector = detector();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut wrong = String::new();
    let mut count = 0;
    for line in include_str!("cases.txt").lines() {
        let Some((sign @ ("+" | "-"), template)) = line.split_once(' ') else { continue };
        let text = dice.fill(&template.replace("\\n", "\n"));
        count += 1;
        if reported(&detector, &text).is_empty() == (sign == "+") {
            write!(wrong, "\n{line}{}", explained(&detector, &text)).unwrap();
        }
    }
    assert!(count >= 200, "{count} lines");
    assert!(wrong.is_empty(), "{wrong}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn placeholders_are_never_reported(
        word in "changeme|password|secret|example|your[-_]api[-_]key|test|admin|dummy|foobar|todo|placeholder",
        tail in "|1|12|123|_here|-token|_value",
        quote in "\"|'",
        name in "password|API_KEY|token|clientSecret|db_pass",
        sign in " = |: |=",
    ) {
        let detector = detector();
        let text = format!("{name}{sign}{quote}{word}{tail}{quote}\n");
        prop_assert!(reported(&detector, &text).is_empty(), "{}{}", text, explained(&detector, &text));
    }

    #[test]
    fn a_short_look_decides_as_a_long_one_does(
        before in "(# |#define |x = )?(csrf_|key_|db[._-])?(password|token|secret|key)(_url|Hash)?( = |: |=| )[\"'$(]?",
        value in "[!-~]{1,60}|[a-z]{4,12}|[A-Za-z0-9]{8,40}|\\PC{1,20}",
        after in "[\"');, ]?.{0,20}",
    ) {
        let text = format!("{before}{value}{after}");
        let name = before.find(['p', 't', 's', 'k']).unwrap();
        let secret = before.len()..before.len() + value.len();
        for naming in [super::Naming::InMatch, super::Naming::BySyntax] {
            let short = super::weigh(text.as_bytes(), &(name..secret.end), &secret, naming);
            let long = super::weigh_all(text.as_bytes(), &(name..secret.end), &secret, naming);
            prop_assert_eq!(short.total() >= super::LOW, long.total() >= super::LOW, "{}", text);
            prop_assert_eq!(short.is_enough(), long.is_enough(), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_weighed_without_harm(before in ".{0,40}", value in any::<Vec<u8>>(), after in ".{0,20}") {
        let mut bytes = format!("{before}password = \"").into_bytes();
        let start = bytes.len();
        bytes.extend_from_slice(&value);
        let secret = start..bytes.len();
        bytes.extend_from_slice(b"\"");
        bytes.extend_from_slice(after.as_bytes());
        let name = before.len();
        if !secret.is_empty() {
            super::weigh_all(&bytes, &(name..secret.end), &secret, super::Naming::InMatch);
            super::weigh_all(&bytes, &(name..secret.end), &secret, super::Naming::BySyntax);
        }
        is_placeholder(&value);
    }
}

#[test]
fn random_values_in_quotes_are_found() {
    let detector = detector();
    let mut dice = Dice(7);
    for (template, least) in [
        ("password = \"{A12}\"", 990),
        ("password = \"{a16}\"", 990),
        ("password = \"{s16}\"", 990),
        ("password = \"{l12}\"", 990),
        ("api_key: '{A20}'", 990),
        ("secret = \"{h32}\"", 990),
        ("password = \"{l8}\"", 900),
        ("password = \"{a8}\"", 980),
        ("DB_PASSWORD={A10}", 980),
    ] {
        let found = (0..1000).filter(|_| !reported(&detector, &dice.fill(template)).is_empty()).count();
        assert!(found >= least, "{template}: {found} of 1000");
    }
}

/// The table of docs/detection.md: `cargo test --lib recall_by_syntax -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn recall_by_syntax() {
    const VALUES: &[&str] = &["{l8}", "{l12}", "{a8}", "{A12}", "{d8}", "{s12}", "{A32}", "{h32}", "{b44}"];
    let detector = detector();
    let mut dice = Dice(11);
    let mut table = String::new();
    for line in include_str!("syntaxes.txt").lines().filter(|line| !line.starts_with("# ")) {
        write!(table, "| `{}` |", line.replace('|', "\\|")).unwrap();
        for value in VALUES {
            let text = line.replace("VALUE", value).replace("\\n", "\n");
            let found = (0..200).filter(|_| !reported(&detector, &dice.fill(&text)).is_empty()).count();
            write!(table, " {} |", found / 2).unwrap();
        }
        table.push('\n');
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/target/recall-by-syntax.txt"), table).unwrap();
}
