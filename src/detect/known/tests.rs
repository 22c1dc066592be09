//! What is known is found as a plain look at every byte would find it, however the content is cut or made.

use std::{ops::Range, sync::Arc};

use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::{
    detect::{Detector, prefilter::class::is_boundary, trace::Trace},
    model::Segment,
};

/// Values of every kind: of one word, with what is escaped, over several words, and a key.
fn values() -> Vec<Vec<u8>> {
    let letters = |seed: u8, len: usize| -> Vec<u8> {
        (0..len).map(|at| b"aB3xY9kQ7mZ+w/"[(at * 5 + at * at + usize::from(seed)) % 14]).collect()
    };
    let key = [
        b"-----BEGIN KEY-----\n".to_vec(),
        letters(9, 64),
        b"\n".to_vec(),
        letters(3, 40),
        b"\n-----END KEY-----\n".to_vec(),
    ];
    vec![
        letters(1, 12),
        [letters(2, 20).as_slice(), b"=="].concat(),
        b"pa%ss&w<o>rd/\"1\\2'".to_vec(),
        "gehe\u{fc}m-w\u{f6}rt-42".as_bytes().to_vec(),
        [b"/", letters(4, 30).as_slice()].concat(),
        key.concat(),
    ]
}

fn known_of(values: &[Vec<u8>]) -> KnownValues {
    let key = KnownKey::new(&[7; 32]);
    let mut entries = Entries::default();
    let mut whereabouts = Vec::new();
    for (number, value) in values.iter().enumerate() {
        entries.add(&key, ValueId(number as u32), value);
        let (environment, path) = ("production".to_owned(), format!("/a/{number}"));
        whereabouts.push(vec![Whereabouts { environment, path, version: 1, current: true }]);
    }
    let table = entries.into_table();
    let name = key.name_of(&table);
    KnownValues::new(key, table, name, move || whereabouts.clone())
}

/// Where any form of a value stands between a boundary and what is no word, by looking everywhere.
fn plainly(values: &[Vec<u8>], bytes: &[u8]) -> Vec<(usize, u32)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut found = Vec::new();
    for (number, value) in values.iter().enumerate() {
        let forms = Form::of_value(value).into_iter().filter(|(form, _)| *form != Form::Pem);
        for (_, form) in forms.filter(|(_, form)| form.len() >= SHORTEST) {
            let form = form.expose();
            for start in 0..(bytes.len() + 1).saturating_sub(form.len()) {
                let end = start + form.len();
                let begins = start == 0 || is_boundary(bytes[start - 1]);
                let ends = !bytes.get(end).is_some_and(is_word) || !is_word(&bytes[end - 1]);
                if bytes[start..end] == *form && begins && ends {
                    found.push((start, number as u32));
                }
            }
        }
    }
    found
}

fn find(known: &KnownValues, bytes: &[u8], starts: Range<usize>) -> Vec<Found> {
    let mut found = Vec::new();
    Reader::new(known).find(bytes, starts, &mut found);
    sorted(found)
}

fn sorted(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.span.start, found.span.end, found.known.value, found.known.form));
    found.dedup();
    found
}

/// Pieces of text in which values, their forms and their ends stand.
fn piece(values: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let forms: Vec<Vec<u8>> = values
        .iter()
        .flat_map(|value| Form::of_value(value))
        .map(|(_, form)| form.expose().to_vec())
        .collect();
    let (whole, part) = (forms.clone(), forms);
    prop_oneof![
        3 => prop::sample::select(whole),
        1 => (prop::sample::select(part), 1..12_usize).prop_map(|(form, cut)| form[..form.len() - cut.min(form.len())].to_vec()),
        3 => "[ a-zA-Z0-9=:/,\"'\\\\%&;\n_.+-]{0,14}".prop_map(String::into_bytes),
        1 => Just(b" ".to_vec()),
        1 => (1..300_usize).prop_map(|len| vec![b'.'; len]),
    ]
}

fn text(values: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(values), 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn all_that_a_plain_look_finds_is_found() {
    // With a value that begins with several words, and without.
    for values in [values(), [values(), vec![b"a b c 1X d e".to_vec()]].concat()] {
        let known = known_of(&values);
        let check = |bytes: Vec<u8>| {
            let found = find(&known, &bytes, 0..bytes.len());
            for (start, value) in plainly(&values, &bytes) {
                let is_it = |found: &Found| found.span.start == start && found.known.value == ValueId(value);
                prop_assert!(
                    found.iter().any(is_it),
                    "{value} at {start} of {:?}",
                    String::from_utf8_lossy(&bytes)
                );
            }
            // And nothing else: what is found stands for its value.
            for Found { span, known } in found {
                let clear = known.clear.as_ref().map_or(&bytes[span], |clear| clear.expose());
                let value = &values[known.value.0 as usize];
                prop_assert_eq!(crate::detect::canonical(clear), crate::detect::canonical(value));
            }
            Ok(())
        };
        TestRunner::deterministic().run(&text(values.clone()), check).unwrap();
    }
}

#[test]
fn what_is_found_does_not_depend_on_where_content_is_cut() {
    let values = [values(), vec![b"a b c 1X d e".to_vec()]].concat();
    let known = known_of(&values);
    let filler = prop::sample::select(vec![
        b".".to_vec(),
        b"x".to_vec(),
        b"%41".to_vec(),
        b"QUJD".to_vec(),
        b" ".to_vec(),
    ]);
    let strategy = (
        text(values.clone()),
        filler,
        0..24_000_usize,
        text(values.clone()),
        prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    );
    let check =
        |(before, filler, len, after, cuts): (Vec<u8>, Vec<u8>, usize, Vec<u8>, Vec<prop::sample::Index>)| {
            let bytes = [before, filler.iter().copied().cycle().take(len).collect(), after].concat();
            let mut cuts: Vec<usize> =
                cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut parts = Vec::new();
            for cut in cuts.windows(2) {
                let (first, last) = (cut[0].saturating_sub(REACH), bytes.len().min(cut[1] + REACH));
                let shift =
                    |found: Found| Found { span: found.span.start + first..found.span.end + first, ..found };
                parts.extend(
                    find(&known, &bytes[first..last], cut[0] - first..cut[1] - first).into_iter().map(shift),
                );
            }
            prop_assert_eq!(sorted(parts), find(&known, &bytes, 0..bytes.len()));
            Ok(())
        };
    let config = proptest::test_runner::Config { cases: 96, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    runner.run(&strategy, check).unwrap();
}

/// A copy of what was before, from where and how long, or new text.
type Edit = (Option<(usize, usize)>, Vec<u8>);

/// Copies of what was before, in thousandths of its length, and new text.
fn edits(values: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        3 => (0..1000_usize, 1..900_usize).prop_map(|copy| (Some(copy), Vec::new())),
        2 => piece(values).prop_map(|new| (None, new)),
    ];
    prop::collection::vec(edit, 1..10)
}

#[test]
fn versions_that_are_made_of_others_hold_what_a_whole_scan_finds() {
    for values in [values(), [values(), vec![b"a b c 1X d e".to_vec()]].concat()] {
        let known = Arc::new(known_of(&values));
        let detector = Detector::with_known(crate::rule::builtin(), Some(known)).unwrap();
        let check = |versions: Vec<Vec<Edit>>| {
            let mut tracer = detector.tracer();
            let (mut before, mut trace) = (Vec::<u8>::new(), Trace::default());
            for edits in versions {
                let (mut bytes, mut segments) = (Vec::new(), Vec::new());
                for (copy, new) in edits {
                    let start = bytes.len();
                    let source = copy.map(|(from, _)| before.len() * from / 1000);
                    match (copy, source) {
                        (Some((_, len)), Some(from)) => {
                            let len = (before.len() * len / 1000 + 1).min(before.len() - from);
                            bytes.extend_from_slice(&before[from..from + len]);
                        }
                        _ => bytes.extend_from_slice(&new),
                    }
                    if bytes.len() > start {
                        segments.push(Segment { start, len: bytes.len() - start, source });
                    }
                }
                let retraced = tracer.retrace(&bytes, &trace, &segments);
                let expected = detector.scan(&bytes.as_slice()).unwrap();
                prop_assert_eq!(
                    tracer.matches(&bytes, &retraced),
                    expected,
                    "{:?}",
                    String::from_utf8_lossy(&bytes)
                );
                (before, trace) = (bytes, retraced);
            }
            Ok(())
        };
        let strategy = prop::collection::vec(edits(values.clone()), 2..5);
        TestRunner::deterministic().run(&strategy, check).unwrap();
    }
}

#[test]
fn values_are_found_within_what_encodes_them() {
    let value = values().remove(1);
    let known = known_of(std::slice::from_ref(&value));
    let text = String::from_utf8(value).unwrap();
    let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let hex: String = format!("key={text}").bytes().map(|byte| format!("{byte:02x}")).collect();
    for line in [
        text.clone(),
        format!("x {} y", base64(&text)),
        format!("Authorization: Basic {}", base64(&format!("ada:{text}"))),
        format!("data:text/plain;base64,{}", base64(&format!("url=postgres://ada:{text}@host/db\n"))),
        format!(
            "https://host/p/{}/q",
            base64(&format!("k={text}")).replace('/', "_").replace('+', "-").trim_end_matches('=')
        ),
        hex,
        format!("q=a%20b&p={}", text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")),
        format!("{{\"p\":\"{}\"}}", text.replace('/', "\\/").replace('=', "\\u003d")),
        format!("<p>{}</p>", text.replace('+', "&#43;").replace('=', "&#x3D;")),
        base64(&base64(&text)),
    ] {
        let found = find(&known, line.as_bytes(), 0..line.len());
        assert!(!found.is_empty(), "{line}");
    }
}

#[test]
fn repeated_beginnings_take_time_in_proportion() {
    let value = values().remove(1);
    let known = known_of(std::slice::from_ref(&value));
    // None of these is a value; each begins like one, or asks to be decoded.
    for unit in [
        &value[..16],
        b"/SUlJSUlJ",
        b"%41%42/",
        b"\\u0041\"",
        b"-----BEGIN KEY-----",
        b"-----BEGIN K-----\nA-----END K-----",
    ] {
        let bytes: Vec<u8> = unit.iter().copied().cycle().take(1 << 20).collect();
        assert_eq!(find(&known, &bytes, 0..bytes.len()), []);
    }
}
