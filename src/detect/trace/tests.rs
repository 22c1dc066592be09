//! Retracing equals scanning, whatever is made of whatever.

use std::path::Path;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;
use crate::rule::{Extends, RulePack, Templater, builtin_with_templates};

/// What happens to the content before: copies of it (in thousandths of its length) and new text.
#[derive(Debug, Clone)]
enum Edit {
    Copy(usize, usize),
    New(String),
    Rule(usize, u64),
    /// The same, encoded: how, and how often.
    Encoded(usize, u64, Vec<usize>),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (0..1000_usize, 1..600_usize).prop_map(|(from, len)| Edit::Copy(from, len)),
        2 => "[ a-z=:\"\n]{0,12}|k{1,3}|kk1|-----BEGIN |key\n?=|\n".prop_map(Edit::New),
        1 => (0..10_000_usize, 0..100_u64).prop_map(|(rule, seed)| Edit::Rule(rule, seed)),
        2 => (0..10_000_usize, 0..100_u64, prop::collection::vec(0..6_usize, 1..4))
            .prop_map(|(rule, seed, forms)| Edit::Encoded(rule, seed, forms)),
        1 => "[A-Za-z0-9]{20,40}|={1,2}|%41|\\\\u0041|&#65;|%".prop_map(Edit::New),
    ];
    prop::collection::vec(edit, 1..12)
}

/// Rules of every kind: with chains of clusters, over lines, with gates, without necessary literals.
fn odd_rules() -> Vec<crate::rule::Rule> {
    let text = r#"
        [[rules]]
        id = "chain"
        regex = 'kk.{0,4}[0-9a-z]'
        [[rules]]
        id = "lines"
        regex = 'key\s{0,5}=\s{0,5}([a-z ]{1,30})'
        [[rules]]
        id = "boundary"
        regex = '\bkk1\b'
        [[rules]]
        id = "gated"
        regex = 'begin[a-z -]{1,9}'
        keywords = ["zzz", "  "]
        [[rules]]
        id = "whole"
        regex = '[0-9][a-z]{2}[0-9]'
        keywords = ["1"]
        [[rules]]
        id = "far"
        regex = '(?s)BEGIN.{0,400}?KEY'
    "#;
    RulePack::parse(text, Path::new("odd.toml"), Extends::Refused).unwrap().rules
}

fn make(before: &[u8], edits: &[Edit], render: &dyn Fn(usize, u64) -> Vec<u8>) -> (Vec<u8>, Vec<Segment>) {
    let (mut bytes, mut segments) = (Vec::new(), Vec::new());
    for edit in edits {
        let start = bytes.len();
        let source = match edit {
            Edit::Copy(from, len) => {
                let from = before.len() * from / 1000;
                let len = (before.len() * len / 1000 + 1).min(before.len() - from);
                bytes.extend_from_slice(&before[from..from + len]);
                Some(from)
            }
            Edit::New(text) => {
                bytes.extend_from_slice(text.as_bytes());
                None
            }
            Edit::Rule(rule, seed) => {
                bytes.extend(render(*rule, *seed));
                None
            }
            Edit::Encoded(rule, seed, forms) => {
                let text = render(*rule, *seed);
                bytes.extend(
                    forms.iter().fold(text, |text, form| crate::detect::decode::encode(&text, *form)),
                );
                None
            }
        };
        if bytes.len() > start {
            segments.push(Segment { start, len: bytes.len() - start, source });
        }
    }
    (bytes, segments)
}

#[test]
fn retracing_equals_scanning() {
    let templated = builtin_with_templates();
    let templaters: Vec<Templater> = templated.iter().map(Templater::new).collect();
    let detector = Detector::new(templated.iter().cloned().chain(odd_rules()).collect()).unwrap();
    let render = |rule: usize, seed: u64| {
        let rule = rule % templated.len();
        let templates = &templated[rule].templates;
        let all: Vec<_> = templates.examples.iter().chain(&templates.negatives).collect();
        templaters[rule].render(all[seed as usize % all.len()], seed).unwrap().text
    };
    let mut runner = TestRunner::deterministic();
    runner
        .run(&prop::collection::vec(edits(), 2..6), |versions| {
            let mut tracer = detector.tracer();
            let mut before = Vec::new();
            let mut trace = Trace::default();
            for edits in versions {
                let (bytes, segments) = make(&before, &edits, &render);
                let retraced = tracer.retrace(&bytes, &trace, &segments);
                let fresh = tracer.trace(&bytes);
                prop_assert_eq!(&retraced.hits, &fresh.hits);
                let expected = detector.scan(&bytes.as_slice()).unwrap();
                prop_assert_eq!(tracer.matches(&bytes, &fresh), expected.clone());
                prop_assert_eq!(tracer.matches(&bytes, &retraced), expected);
                (before, trace) = (bytes, retraced);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn cuts_between_blocks_move_with_no_one() {
    let detector = Detector::new(odd_rules()).unwrap();
    let block = BLOCK as usize;
    let mut runner = TestRunner::deterministic();
    let config = (0..4_usize, 0..60_usize, 0..60_usize, prop::collection::vec(0..2 * block, 1..4));
    for _ in 0..24 {
        let (kind, before, after, cuts) = config.new_tree(&mut runner).unwrap().current();
        let unit = ["kk1 ", "key =\n abc\n", "BEGIN x KEY ", "kkakkbkkc"][kind].as_bytes();
        // Chains of hits stand across both cuts, and the edit shifts everything behind it.
        let mut base = vec![b'.'; block - before];
        base.extend(unit.iter().cycle().take(200));
        base.resize(2 * block - after, b',');
        base.extend(unit.iter().cycle().take(300));
        let (mut bytes, mut segments, mut from) = (Vec::new(), Vec::new(), 0);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < base.len()).collect();
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts.iter().copied().chain([base.len()]) {
            if cut > from {
                segments.push(Segment { start: bytes.len(), len: cut - from, source: Some(from) });
                bytes.extend_from_slice(&base[from..cut]);
            }
            segments.push(Segment { start: bytes.len(), len: 3, source: None });
            bytes.extend_from_slice(b"kk1");
            from = cut;
        }
        let mut tracer = detector.tracer();
        let first = tracer.trace(&base);
        assert_eq!(tracer.matches(&base, &first), detector.scan(&base.as_slice()).unwrap());
        let second = tracer.retrace(&bytes, &first, &segments);
        assert_eq!(tracer.matches(&bytes, &second), detector.scan(&bytes.as_slice()).unwrap());
    }
}
