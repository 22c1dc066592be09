//! Content that is read piece by piece gives what the same content gives in memory.

use std::{io, sync::LazyLock};

use fastrand::Rng;
use hekate::{
    detect::{Content, Detector, RawMatch, Utf16, Utf16Content},
    rule::builtin,
    triage::{Policy, Sighting, Triage},
};
use proptest::prelude::*;

use crate::secrets::{in_base64, password, pem, token, utf16};

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(builtin()).expect("the built-in rules can be run"));

static TRIAGE: LazyLock<Triage<'static>> = LazyLock::new(|| {
    let policy = Policy { show_secrets: true, ..Policy::default() };
    Triage::new(&DETECTOR, policy).expect("the built-in allowlists can be run")
});

/// Content that hides that it is in memory.
struct Unheld<C>(C);

impl<C: Content> Content for Unheld<C> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn whole(&self) -> Option<&[u8]> {
        None
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn file_offset(&self, offset: u64) -> u64 {
        self.0.file_offset(offset)
    }
}

fn matches(content: &dyn Content) -> Vec<RawMatch> {
    DETECTOR.scan(content).expect("memory can be read")
}

/// What a user would see of each sighting.
fn sightings(content: &dyn Content) -> Vec<String> {
    let show = |sighting: &Sighting| {
        let place = &sighting.occurrence;
        let where_to = (place.start, place.end, place.span, &place.excerpt, &place.matched, place.place);
        format!("{} {where_to:?} {:?}", DETECTOR.rule(sighting.rule).id, sighting.evidence)
    };
    let found = matches(content);
    let judged = TRIAGE.judge(content, "a.txt", found).expect("memory can be read");
    judged.iter().map(show).collect()
}

const BLOCK: usize = 1 << 20;

/// Something worth finding, or something that makes it hard to.
fn held(kind: u8, seed: u64) -> String {
    match kind {
        0 => format!("\nkey = \"{}\"\n", token("github-pat", seed)),
        1 => format!("\n{}", pem(seed)),
        2 => format!("\n    {}\n", pem(seed).replace('\n', "\n    ")),
        3 => format!("\nKEY={}\n", in_base64(&pem(seed))),
        4 => format!("\nsmtp_password = \"{}\"\n", password(seed, 18)),
        5 => format!("\n- name: POSTGRES_PASSWORD\n  value: \"{}\"\n", password(seed, 20)),
        6 => "password=".repeat(3000),
        7 => "ghp_".repeat(5000),
        8 => "-----BEGIN RSA PRIVATE KEY-----\n".repeat(800),
        9 => format!("{}{}\n", "token: ".repeat(2000), token("anthropic-api-key", seed)),
        _ => format!("x=\"{}\",", token("slack-bot-token", seed)).repeat(200),
    }
}

/// Text of so many bytes: code in lines, or all in one.
fn filler(length: usize, in_lines: bool, seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let words = ["let", "value", "compute", "(x, 1)", "return", "token", "for", "é", "secret", "{ }", ";"];
    let mut bytes = Vec::with_capacity(length + 16);
    while bytes.len() < length {
        bytes.extend_from_slice(words[rng.usize(..words.len())].as_bytes());
        bytes.push(if in_lines && rng.u8(..8) == 0 { b'\n' } else { b' ' });
    }
    bytes.truncate(length);
    bytes
}

/// Puts each thing so that it starts so far from a border between two blocks.
fn build(length: usize, in_lines: bool, placed: &[(u8, u64, usize, isize)]) -> Vec<u8> {
    let mut bytes = filler(length, in_lines, length as u64);
    for (kind, seed, border, distance) in placed {
        let held = held(*kind, *seed);
        let start = (border * BLOCK).saturating_add_signed(*distance).min(length.saturating_sub(held.len()));
        bytes[start..start + held.len()].copy_from_slice(held.as_bytes());
    }
    bytes
}

fn placed() -> impl Strategy<Value = Vec<(u8, u64, usize, isize)>> {
    let distance = prop_oneof![-60_isize..4, -2000_isize..100, -40_000_isize..40_000];
    prop::collection::vec((0..11_u8, 0..50_u64, 1..4_usize, distance), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_and_memory_give_the_same_matches_and_the_same_report(
        length in BLOCK..7 * BLOCK / 2,
        in_lines in any::<bool>(),
        placed in placed(),
    ) {
        let bytes = build(length, in_lines, &placed);
        let whole = bytes.as_slice();
        prop_assert_eq!(matches(&whole), matches(&Unheld(whole)));
        prop_assert_eq!(sightings(&whole), sightings(&Unheld(whole)));
    }

    #[test]
    fn decoded_text_gives_the_same_in_pieces(big in any::<bool>(), placed in placed()) {
        let text = String::from_utf8_lossy(&build(5 * BLOCK / 4, true, &placed)).into_owned();
        let order = if big { Utf16::Big } else { Utf16::Little };
        let raw = utf16(&text, big);
        let decoded = Utf16Content::decode(&raw, order);
        for found in matches(&decoded) {
            let place = decoded.file_offset(found.secret_span.start)..decoded.file_offset(found.secret_span.end);
            let there = &raw[place.start as usize..place.end as usize];
            prop_assert_eq!(there, utf16(&String::from_utf8_lossy(found.secret.expose()), big));
        }
        prop_assert_eq!(sightings(&decoded), sightings(&Unheld(decoded)));
    }
}

/// Every offset from wholly before the border to wholly behind it.
#[test]
fn a_token_is_found_wherever_it_lies_on_a_border() {
    let secret = token("github-pat", 1);
    for distance in (0..=secret.len() + 1).rev() {
        let start = BLOCK - distance;
        let mut bytes = vec![b'.'; BLOCK + 4096];
        bytes[start..start + secret.len()].copy_from_slice(secret.as_bytes());
        let starts: Vec<u64> =
            matches(&Unheld(bytes.as_slice())).iter().map(|found| found.secret_span.start).collect();
        assert_eq!(starts, [start as u64], "{distance} bytes before the border");
    }
}

#[test]
fn a_key_of_many_lines_is_found_wherever_it_lies_on_a_border() {
    let key = pem(1);
    for distance in [0, 1, 11, 31, 32, 33, 600, key.len() - 30, key.len() - 1, key.len()] {
        let start = BLOCK - distance;
        let mut bytes = b"line\n".repeat((BLOCK + 8192) / 5);
        bytes[start - 1] = b'\n';
        bytes[start..start + key.len()].copy_from_slice(key.as_bytes());
        let found = matches(&Unheld(bytes.as_slice()));
        let spans: Vec<u64> = found.iter().map(|found| found.secret_span.start).collect();
        assert_eq!(spans, [start as u64], "{distance} bytes before the border");
        assert_eq!(found[0].secret.expose(), key.trim_end().as_bytes());
    }
}

#[test]
fn content_that_became_shorter_is_an_error_and_not_clean() {
    struct Shrunk;
    impl Content for Shrunk {
        fn len(&self) -> u64 {
            3 << 20
        }
        fn whole(&self) -> Option<&[u8]> {
            None
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            [b' '; 1 << 20].as_slice().read_at(offset, buffer)
        }
    }
    assert_eq!(DETECTOR.scan(&Shrunk).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}
