//! What is found in encoded text, and where.

use std::{io::Write, path::Path};

use base64::{Engine as _, engine::general_purpose};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::{
    detect::{Content, Detector, RawMatch},
    model::Encoding,
    rule::{Extends, RulePack},
};

/// Text in another form.
pub(in crate::detect) fn encode(text: &[u8], form: usize) -> Vec<u8> {
    let each =
        |escape: &dyn Fn(u8) -> String| text.iter().flat_map(|byte| escape(*byte).into_bytes()).collect();
    match form {
        0 => general_purpose::STANDARD.encode(text).into_bytes(),
        1 => general_purpose::URL_SAFE_NO_PAD.encode(text).into_bytes(),
        2 => each(&|byte| format!("{byte:02x}")),
        3 => each(&|byte| {
            if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        }),
        4 => each(&|byte| {
            if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\u{byte:04x}") }
        }),
        _ => each(&|byte| {
            if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("&#{byte};") }
        }),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// `tok_` and 20 letters; what stands behind `word=`.
fn detector() -> Detector {
    let text = r#"
        [[rules]]
        id = "token"
        regex = '\b(tok_[a-z0-9]{20})\b'
        [[rules]]
        id = "generic-word"
        regex = '''word["']?\s?[=:]\s?["']?([^\s"']{8,40})'''
    "#;
    let rules = RulePack::parse(text, Path::new("decode.toml"), Extends::Refused).unwrap().rules;
    Detector::new(rules).unwrap()
}

const TOKEN: &str = "tok_abcdefghij0123456789";

fn scan(text: &[u8]) -> Vec<RawMatch> {
    thread_local!(static DETECTOR: Detector = detector());
    DETECTOR.with(|detector| detector.scan(&text).unwrap())
}

/// The one match: its rule, what stands at its place, its value, and how it is encoded.
fn only(text: &[u8]) -> (String, String, String, Vec<Encoding>) {
    let detector = detector();
    let found = detector.scan(&text).unwrap();
    assert_eq!(found.len(), 1, "{}: {found:?}", String::from_utf8_lossy(text));
    let found = &found[0];
    let at = found.secret_span.start as usize..found.secret_span.end as usize;
    assert_eq!(found.secret.expose(), &text[at.clone()]);
    let decoded = found.decoded.as_ref().expect("it is encoded");
    assert_eq!(decode_steps(&text[at.clone()], &decoded.steps).as_ref(), Some(&decoded.value), "read again");
    (
        detector.rule(found.rule).id.clone(),
        String::from_utf8_lossy(&text[at]).into_owned(),
        String::from_utf8_lossy(decoded.value.expose()).into_owned(),
        decoded.steps.iter().map(|step| step.by).collect(),
    )
}

#[test]
fn runs_are_found_as_a_whole_and_escapes_as_far_as_they_go() {
    let text = format!("say {TOKEN} to");
    for (form, by) in [(0, Encoding::Base64), (2, Encoding::Hex)] {
        let run = String::from_utf8(encode(text.as_bytes(), form)).unwrap();
        let (rule, place, value, steps) = only(format!("data: \"{run}\"\n").as_bytes());
        assert_eq!((rule.as_str(), place, value.as_str(), steps), ("token", run, TOKEN, vec![by]));
    }
    let line = "a=1&x=tok%5Fabcdefghij0123456789&b=%20";
    let (_, place, value, steps) = only(format!("{line}\nnext").as_bytes());
    assert_eq!(
        (place.as_str(), value.as_str(), steps),
        ("tok%5Fabcdefghij0123456789", TOKEN, vec![Encoding::Percent])
    );
    let line = "s = 'tok\\u005fabcdefghij0123456789'";
    assert_eq!(only(line.as_bytes()).3, [Encoding::Escaped]);
    let line = "<a b=\"tok&#95;abcdefghij0123456789\">";
    assert_eq!(only(line.as_bytes()).3, [Encoding::Html]);
}

#[test]
fn what_follows_an_escape_is_found_without_it() {
    let (_, place, value, _) = only(format!("u=%3D{TOKEN}").as_bytes());
    assert_eq!((place.as_str(), value.as_str()), (TOKEN, TOKEN));
}

#[test]
fn what_no_escape_touches_is_found_once_as_it_stands() {
    let found = scan(format!("%41 {TOKEN} %41").as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].decoded, None);
}

#[test]
fn utf_16_and_gzip_in_base64_are_text() {
    let wide: Vec<u8> = format!("$t = '{TOKEN}'").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let run = general_purpose::STANDARD.encode(wide);
    let (_, _, value, steps) = only(format!("powershell -EncodedCommand {run}").as_bytes());
    assert_eq!((value.as_str(), steps), (TOKEN, vec![Encoding::Base64, Encoding::Utf16]));
    let packed = gzip(format!("word list and {TOKEN} in it").as_bytes());
    let run = general_purpose::STANDARD.encode(general_purpose::STANDARD.encode(packed));
    let (_, _, value, steps) = only(format!("release: {run}").as_bytes());
    assert_eq!((value.as_str(), steps), (TOKEN, vec![Encoding::Base64, Encoding::Base64, Encoding::Gzip]));
}

#[test]
fn base64_of_base64_is_decoded_four_times_and_no_more() {
    let mut text = format!("the words before {TOKEN}").into_bytes();
    for depth in 1..=6 {
        text = encode(&text, 0);
        let (found, caps) = detector().scan_telling(&text.as_slice()).unwrap();
        assert_eq!(found.len(), usize::from(depth <= DEPTH), "{depth}");
        assert_eq!(
            caps.iter().map(|cap| cap.cap).collect::<Vec<_>>(),
            vec![Cap::Depth; usize::from(depth > DEPTH)]
        );
    }
}

#[test]
fn a_bomb_is_cut_and_told() {
    let packed = gzip(&vec![b'a'; 8 << 20]);
    let text = general_purpose::STANDARD.encode(packed);
    let (found, caps) = detector().scan_telling(&text.as_bytes()).unwrap();
    assert_eq!((found.len(), caps.len()), (0, 1));
    assert_eq!(caps[0].cap, Cap::Size);
}

#[test]
fn values_in_a_long_run_have_places_of_their_own() {
    let text = format!(
        "{}{TOKEN}{}tok_zzzzzzzzzz0123456789{}",
        "a b ".repeat(500),
        " c d ".repeat(99),
        " e".repeat(99)
    );
    for form in [0, 1, 2] {
        let run = encode(text.as_bytes(), form);
        let found = scan(&run);
        assert_eq!(found.len(), 2);
        assert!(found[0].secret_span.end < found[1].secret_span.start);
        for one in found {
            let decoded = one.decoded.unwrap();
            assert_eq!(decode_steps(one.secret.expose(), &decoded.steps), Some(decoded.value));
            assert!(one.secret.len() < 60);
        }
    }
}

#[test]
fn runs_of_any_length_are_decoded_and_only_what_is_text() {
    for size in [LONGEST / 2, LONGEST, 3 * LONGEST] {
        let text = format!("{}\n{TOKEN} {}", "lorem ipsum ".repeat(size / 12), "dolor ".repeat(9));
        for form in [0, 2, 3] {
            let mut run = b"x: ".to_vec();
            run.extend(encode(text.as_bytes(), form));
            assert_eq!(scan(&run).len(), 1, "{size} {form}");
        }
    }
    let mut noise = 1_u64;
    let mut digit = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b"0123456789abcdef"[(noise >> 60) as usize]
    };
    let digits: Vec<u8> = (0..3 * LONGEST).map(|_| digit()).collect();
    let (found, caps) = detector().scan_telling(&digits.as_slice()).unwrap();
    assert_eq!((found.len(), caps.len()), (0, 0));
}

/// Bytes that pretend not to be in memory.
struct Pieces<'a>(&'a [u8]);

impl Content for Pieces<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn whole(&self) -> Option<&[u8]> {
        None
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

#[test]
fn borders_between_blocks_change_nothing() {
    let detector = detector();
    let block = 1 << 20;
    let text = format!("some words, {TOKEN}, and more of them");
    for form in 0..6 {
        let run = encode(text.as_bytes(), form);
        for before in [1 + form, run.len() / 2] {
            let mut bytes = b". \n".repeat(block / 3);
            bytes.truncate(block - before.min(block) - 1);
            bytes.push(b'\n');
            bytes.extend(&run);
            bytes.extend(b"\n. ".repeat(20));
            let found = detector.scan(&bytes.as_slice()).unwrap();
            assert_eq!(found.len(), 1, "{form} {before}");
            assert_eq!(detector.scan(&Pieces(&bytes)).unwrap(), found);
        }
    }
}

#[test]
fn a_line_of_percent_signs_and_escapes_takes_no_time() {
    for unit in ["%", "%41", "\\u0041", "&#65;", "&", "A", "%25"] {
        // With time that is not linear this would take hours.
        let text = unit.repeat(200_000);
        assert!(scan(text.as_bytes()).is_empty(), "{unit}");
    }
}

/// Every run of letters, looked at one byte after the other.
fn starts_plainly(bytes: &[u8]) -> Vec<usize> {
    let is_letter = |at: usize| bytes.get(at).is_some_and(|byte| find::is_letter(*byte));
    let begins = |at: &usize| (*at == 0 || !is_letter(at - 1)) && (*at..at + SHORTEST).all(is_letter);
    (0..bytes.len()).filter(begins).collect()
}

proptest! {
    #[test]
    fn every_run_is_found_where_it_begins(text in "([A-Za-z0-9+/_=-]{0,60}[ .%]{1,3}){0,12}", from in 0..200_usize) {
        let bytes = text.as_bytes();
        let from = from.min(bytes.len());
        let mut found = Vec::new();
        find::for_each_start(bytes, from..bytes.len(), |start| {
            if let find::Start::Run(at) = start {
                found.push(at);
            }
        });
        let expected: Vec<usize> = starts_plainly(bytes).into_iter().filter(|at| *at >= from).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[A-Za-z0-9%&#;\\\\u]{0,300}") {
        scan(&bytes);
        scan(text.as_bytes());
    }

    #[test]
    fn what_is_found_is_read_again(forms in prop::collection::vec(0..6_usize, 1..4), before in "[a-z é=]{0,40}") {
        let mut text = format!("{before} {TOKEN} {before}").into_bytes();
        for form in forms {
            text = encode(&text, form);
        }
        for found in scan(&text) {
            if let Some(decoded) = found.decoded {
                prop_assert_eq!(decode_steps(found.secret.expose(), &decoded.steps), Some(decoded.value));
            }
        }
    }
}
