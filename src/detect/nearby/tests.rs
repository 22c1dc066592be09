//! What is found, and what is not; and that it depends on no byte farther away than is said.

use std::path::Path;

use proptest::{prelude::*, test_runner::TestRunner};

use super::{GUARD, Nearby, REACH, Scratch, run};
use crate::{
    detect::{Detector, RawMatch, machine::Machine},
    rule::{Extends, Rule, RulePack},
};

/// Rules of every kind.
pub(in crate::detect) const PACK: &str = r#"
    [[providers]]
    name = "airbrake"
    [[providers.tokens]]
    id = "airbrake-user-key"
    title = "Airbrake user key"
    value = '[0-9a-f]{40}'
    [[providers.tokens]]
    id = "airbrake-project-key"
    title = "Airbrake project key"
    value = '[0-9a-f]{32}'
    [[providers]]
    name = "box"
    common = true
    [[providers.tokens]]
    id = "box-key"
    title = "Box key"
    value = '[0-9A-Za-z]{32}'
    [[providers]]
    name = "betterstack"
    words = ["better stack", "logtail"]
    [[providers.tokens]]
    id = "betterstack-token"
    title = "Better Stack token"
    [[providers]]
    name = "wide"
    words = ["wideworld"]
    [[providers.tokens]]
    id = "wide-key"
    title = "Key in base64"
    value = '[0-9A-Za-z+/]{43}='
    [[providers.tokens]]
    id = "wide-pair"
    title = "Id and secret"
    value = '[0-9a-f]{12}:[0-9a-f]{24}'
    [[providers]]
    name = "twins"
    [[providers.tokens]]
    id = "twins-client-id"
    title = "Client id"
    value = '[0-9a-f]{32}'
    [[providers.tokens]]
    id = "twins-client-secret"
    title = "Client secret"
    value = '[0-9a-f]{32}'
    names = ["client secret", "app secret"]
    [[providers]]
    name = "uuids"
    [[providers.tokens]]
    id = "uuids-token"
    title = "A UUID"
    value = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
"#;

pub(in crate::detect) fn rules() -> Vec<Rule> {
    let mut rules = RulePack::parse(PACK, Path::new("own.toml"), Extends::Refused).unwrap().rules;
    rules.iter_mut().for_each(|rule| rule.origin = crate::rule::Origin::BuiltIn);
    rules
}

/// Values that are random, and the same in every run.
fn fill(text: &str) -> String {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut pick = |alphabet: &str, count: usize| {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| letters[rng.usize(..letters.len())]).collect::<String>()
    };
    const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const HEX: &str = "0123456789abcdef";
    let uuid = [8, 4, 4, 4, 12].map(|count| pick(HEX, count)).join("-");
    text.replace("<hex32>", &pick(HEX, 32))
        .replace("<hex40>", &pick(HEX, 40))
        .replace("<hex12>", &pick(HEX, 12))
        .replace("<hex24>", &pick(HEX, 24))
        .replace("<alnum32>", &pick(ALNUM, 32))
        .replace("<base64>", &format!("{}+{}/{}=", pick(ALNUM, 4), pick(ALNUM, 17), pick(ALNUM, 20)))
        .replace("<uuid>", &uuid)
}

fn named(text: &str) -> Vec<String> {
    let detector = Detector::new(rules()).unwrap();
    let text = fill(text);
    let id = |found: &RawMatch| detector.rule(found.rule).id.clone();
    detector.scan(&text.as_bytes()).unwrap().iter().filter(|found| found.decoded.is_none()).map(id).collect()
}

#[test]
fn a_word_in_the_name_or_near_it_tells_whose_the_value_is() {
    for text in [
        "AIRBRAKE_KEY=<hex32>",
        "export AIRBRAKE_PROJECT_KEY='<hex32>'",
        "\"airbrakeKey\": \"<hex32>\",",
        "const myAirbrakeKey = \"<hex32>\";",
        "AIRBRAKEKEY=<hex32>",
        "airbrake:\n  project_id: 1\n  api_key: <hex32>\n",
        "# Airbrake\nAPI_KEY = '<hex32>'",
        "Airbrake.configure { |c| c.project_key = '<hex32>' }",
        "<add key=\"AirbrakeKey\" value=\"<hex32>\"/>",
        "<airbrake><key><hex32></key></airbrake>",
        "- name: AIRBRAKE_API_KEY\n  value: <hex32>",
        "{\"name\":\"AIRBRAKE_API_KEY\",\"value\":\"<hex32>\"}",
        "curl -H 'X-Api-Key: <hex32>' https://api.airbrake.io/v4/projects",
        "curl -H \"Authorization: Bearer <hex32>\" \\\n  https://api.airbrake.io/v4/projects",
        "https://api.airbrake.io/v4/projects?key=<hex32>&page=1",
        "https://api.airbrake.io/v4/<hex32>/notices",
        "airbrake --api-key <hex32>",
        "os.environ[\"AIRBRAKE_KEY\"] = \"<hex32>\"",
        "AIRBRAKE_KEY: ${AIRBRAKE_KEY:-<hex32>}",
        "setAirbrakeKey(\"<hex32>\")",
        "key = \"<hex32>\" # airbrake",
        "The key for airbrake is <hex32>.",
        "url=x%3Fairbrake_key%3D<hex32>%26",
        "\"airbrake:\\n\\tkey: \\t<hex32>\\n\"",
        "[DEBUG] asking the airbrake API\n[DEBUG] Key=<hex32>\n",
        "airbrake.api.key = <hex32>",
        "airbrake,<hex32>",
        "| airbrake | <hex32> |",
    ] {
        assert_eq!(named(text), ["airbrake-project-key"], "{text}");
    }
}

#[test]
fn common_words_count_with_a_word_such_as_key_as_hosts_and_as_heads() {
    for text in [
        "BOX_API_KEY=<alnum32>",
        "boxToken: \"<alnum32>\"",
        "box api key = <alnum32>",
        "curl -H 'Authorization: Bearer <alnum32>' https://api.box.com/2.0/users",
        "box:\n  api_key: <alnum32>",
        "[box]\ntoken = <alnum32>",
        "- name: BOX_KEY\n  value: <alnum32>",
    ] {
        assert_eq!(named(text), ["box-key"], "{text}");
    }
    for text in [
        "box = '<alnum32>'",
        "open the box\nkey = <alnum32>",
        "boxes_key=<alnum32>",
        "box.width; key = '<alnum32>'",
    ] {
        assert_eq!(named(text), [""; 0], "{text}");
    }
}

#[test]
fn hashes_ids_parts_and_stand_ins_are_none() {
    for text in [
        "uses: airbrake/deploy@<hex40>",
        "https://github.com/airbrake/airbrake/commit/<hex40>",
        "airbrake_commit = <hex40>",
        "airbrake key: sha256:<hex32>",
        "\"airbrakeKeyId\": \"<hex32>\"",
        "airbrake_key/<hex32>/x",
        "airbrake_key = lib.x<hex32>.js",
        "airbrake_key = f<hex32>(1)",
        "airbrake_key = ${<hex32>}",
        "<hex32>  airbrake-1.0.tgz",
        "AIRBRAKE_KEY=0123456789abcdef0123456789abcdef",
        "AIRBRAKE_KEY=<hex24>",
        "BETTERSTACK_TOKEN=your_betterstack_token_here_1234",
        "betterstack_token_name_of_staging_2 = 1",
        "hairbrake_key=<hex32>",
        "airbrake\n\n\n\n\nkey=<hex32>",
        "uuids = [\"<uuid>\"]",
        "uuids_request_id: <uuid>",
    ] {
        assert_eq!(named(text), [""; 0], "{text}");
    }
}

#[test]
fn forms_that_hold_more_than_runs_are_found_whole() {
    for (text, rule) in [
        ("WIDEWORLD_KEY=<base64>", "wide-key"),
        ("wideworld_key: \"<base64>\"", "wide-key"),
        ("wideworld_pair=<hex12>:<hex24>", "wide-pair"),
        ("https://<hex12>:<hex24>@wideworld.io/key", "wide-pair"),
        ("LOGTAIL_SOURCE_TOKEN=<alnum32>", "betterstack-token"),
        ("better-stack token: <alnum32>", "betterstack-token"),
        ("uuids_token: <uuid>", "uuids-token"),
    ] {
        assert_eq!(named(text), [rule], "{text}");
    }
}

#[test]
fn names_tell_the_types_of_a_provider_apart() {
    assert_eq!(named("TWINS_CLIENT_ID=<hex32>\nTWINS_CLIENT_SECRET=<hex24><hex12>\n"), ["twins-client-id"]);
    assert_eq!(named("TWINS_CLIENT_SECRET=<hex32>"), ["twins-client-secret"]);
    assert_eq!(named("twins:\n  client_id: <hex32>\n"), ["twins-client-id"]);
    assert_eq!(named("twins:\n  app_secret: <hex32>\n"), ["twins-client-secret"]);
}

#[test]
fn of_several_words_the_name_wins_and_then_the_nearer() {
    assert_eq!(named("AIRBRAKE_KEY=<hex32> # twins client secret"), ["airbrake-project-key"]);
    assert_eq!(named("# airbrake key\ntwins client secret: <hex32>"), ["twins-client-secret"]);
}

/// Pieces of text in which much of what matters stands close together.
pub(in crate::detect) fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "airbrake",
        "AIRBRAKE_KEY=",
        "box",
        "box_key: ",
        "BetterStack",
        "wideworld",
        "twins",
        "client_secret=",
        "uuids",
        "key",
        "token",
        "secret",
        "id: \"",
        "commit ",
        "api.",
        "https://api.airbrake.io/v1/",
        "://",
        "@",
        "?key=",
        "airbrake:\n  key: ",
        "name: ",
        "value: ",
        "# ",
        "\n",
        "\n\n",
        " ",
        "=",
        "\"",
        "/",
        ".",
        "+",
        ":",
        "-",
        "_",
        "%3D",
        "\\n",
        "(",
        "${",
        "sha256:",
    ]);
    let value = "[0-9a-f]{32}|[0-9a-f]{40}|[0-9A-Za-z]{32}|[0-9A-Za-z+/]{43}=|[0-9a-f]{12}:[0-9a-f]{24}|[0-9a-f]{4,14}|[a-z]{1,24}|[0-9A-Za-z]{500,520}";
    prop_oneof![
        6 => words.prop_map(str::to_owned),
        3 => value,
        1 => "[ -~\n]{0,90}",
    ]
}

/// What each run of the text owns, looked at by itself, in the text and within its reach alone.
fn one_by_one(
    rules: &[Machine],
    detector: &Detector,
    bytes: &[u8],
    only_reach: bool,
) -> Vec<(usize, usize, usize)> {
    let finder = detector.nearby.as_ref().unwrap();
    let mut found = Vec::new();
    for start in 0..bytes.len() {
        if !run::is_run(bytes[start]) || (start > 0 && run::is_run(bytes[start - 1])) {
            continue;
        }
        let end = start + bytes[start..].iter().take_while(|byte| run::is_run(**byte)).count();
        if !(Nearby::SHORTEST..=Nearby::LONGEST).contains(&(end - start)) {
            continue;
        }
        let cut = |far: usize| {
            if only_reach { start.saturating_sub(far)..bytes.len().min(end + far) } else { 0..bytes.len() }
        };
        let (near, far) = (cut(GUARD), cut(REACH));
        let within = |range: &std::ops::Range<usize>| start - range.start..end - range.start;
        if run::is_candidate(&bytes[near.clone()], &within(&near)) {
            let owned = finder.search(rules, &bytes[far.clone()], &within(&far), &mut Scratch::default());
            found.extend(owned.map(|(rule, value)| (far.start + value.start, far.start + value.end, rule)));
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn what_is_found_depends_on_no_byte_beyond_its_reach() {
    let detector = Detector::new(rules()).unwrap();
    let rules: Vec<Machine> = rules().into_iter().map(Machine::new).collect();
    let check = |pieces: Vec<String>| {
        let text = pieces.concat();
        let bytes = text.as_bytes();
        let plain = one_by_one(&rules, &detector, bytes, false);
        prop_assert_eq!(&one_by_one(&rules, &detector, bytes, true), &plain);
        let place = |found: RawMatch| (found.span.start as usize, found.span.end as usize, found.rule);
        let as_it_stands = detector.scan(&bytes).unwrap().into_iter().filter(|found| found.decoded.is_none());
        let scanned: Vec<_> = as_it_stands.map(place).collect();
        prop_assert_eq!(scanned, plain);
        Ok(())
    };
    TestRunner::deterministic().run(&prop::collection::vec(piece(), 1..60), check).unwrap();
}

#[test]
fn fewer_rules_find_no_value_that_more_do_not() {
    let all = Detector::new(rules()).unwrap();
    let check = |(pieces, kept): (Vec<String>, Vec<bool>)| {
        let text = pieces.concat();
        let some: Vec<Rule> =
            rules().into_iter().zip(kept).filter_map(|(rule, kept)| kept.then_some(rule)).collect();
        let some = Detector::new(some).unwrap();
        let places = |detector: &Detector| -> Vec<_> {
            detector.scan(&text.as_bytes()).unwrap().iter().map(|found| found.span).collect()
        };
        let (more, fewer) = (places(&all), places(&some));
        // A cache relies on it: what all rules find nothing in, some find nothing in.
        prop_assert!(!more.is_empty() || fewer.is_empty(), "{text:?}");
        Ok(())
    };
    let strategy =
        (prop::collection::vec(piece(), 1..20), prop::collection::vec(any::<bool>(), rules().len()));
    TestRunner::deterministic().run(&strategy, check).unwrap();
}

#[test]
fn lines_that_are_cut_anywhere_do_no_harm() {
    let detector = Detector::new(rules()).unwrap();
    let value = fill("<hex32>");
    for before in 120..200 {
        for name in ["key=", " key = ", "a key: ", "airbrake key ", "  =", " b -> "] {
            let text = format!("{}{name}{value} x", " x".repeat(200)[..before].to_owned() + "airbrake ");
            detector.scan(&text.as_bytes()).unwrap();
        }
    }
}

#[test]
fn repeated_words_and_runs_take_time_in_proportion() {
    let detector = Detector::new(rules()).unwrap();
    for unit in [
        "airbrake key ",
        "airbrake_key=0a1b2c3d4e5f60718293a4b5c6d7e8f9 ",
        "0a1b2c3d4e5f+",
        "wideworld:a1b2c3d4e5/",
        "_",
    ] {
        let text = unit.repeat((256 << 10) / unit.len());
        detector.scan(&text.as_bytes()).unwrap();
    }
}
