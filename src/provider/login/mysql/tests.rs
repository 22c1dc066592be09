use super::*;
use crate::provider::login::{
    Service,
    script::{Script, far, holds, near, target, why},
};

const NONCE_OF_TESTS: &[u8; NONCE] = b"abcdefghijklmnopqrst";

fn packet(sequence: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], body].concat()
}

fn greeting(method: &str, capabilities: u32) -> Vec<u8> {
    let [low, second, third, high] = (OURS | capabilities).to_le_bytes();
    let (start, end) = NONCE_OF_TESTS.split_at(8);
    let parts: [&[u8]; 10] = [
        &[10],
        b"8.4.0\0",
        &[1, 0, 0, 0],
        start,
        &[0, low, second, 45, 2, 0, third, high, 21],
        &[0; 10],
        end,
        &[0],
        method.as_bytes(),
        &[0],
    ];
    packet(0, &parts.concat())
}

fn error(sequence: u8, number: u16) -> Vec<u8> {
    packet(sequence, &[&[0xff], number.to_le_bytes().as_slice(), b"#28000no"].concat())
}

fn said(turns: impl IntoIterator<Item = Vec<u8>> + 'static) -> Outcome {
    let mut turns = turns.into_iter().collect::<Vec<_>>().into_iter();
    let greeted = Script::new(move |_| turns.next().unwrap_or_default());
    near(&target(Service::Mysql), greeted)
}

/// What a server without TLS says to the answer.
fn answered(method: &str, packet: Vec<u8>) -> Outcome {
    said([greeting(method, 0), packet])
}

#[test]
fn ok_is_active_by_both_methods() {
    for (method, _) in METHODS {
        assert_eq!(answered(method, packet(2, &[0, 0, 0, 2, 0, 0, 0])).verdict, Verdict::Active);
    }
}

#[test]
fn the_numbers_of_errors_are_told_apart() {
    let refused = |number| answered("mysql_native_password", error(2, number)).verdict;
    for (number, verdict) in [
        (1045, Verdict::Inactive),
        (1862, Verdict::Restricted),
        (1820, Verdict::Restricted),
        (3118, Verdict::Disabled),
        (4151, Verdict::Disabled),
        (3955, Verdict::Locked),
    ] {
        assert_eq!(refused(number), verdict, "{number}");
    }
    for number in [1040, 1130, 1129, 3159, 1251, 9999] {
        assert!(matches!(refused(number), Verdict::Unknown(why) if why.contains(&number.to_string())));
    }
    assert!(why(&said([error(0, 1130)])).contains("1130"));
}

#[test]
fn the_native_answer_is_what_a_server_computes_from_its_hash() {
    let password = target(Service::Mysql).password;
    let answer = scramble_native(password.expose(), NONCE_OF_TESTS);
    let stored = Sha1::digest(Sha1::digest(password.expose()));
    let mask = Sha1::new().chain_update(NONCE_OF_TESTS).chain_update(stored).finalize();
    assert_eq!(Sha1::digest(xor(&answer, &mask).expose()), stored);
}

#[test]
fn the_sha2_answer_is_what_a_server_computes_from_its_hash() {
    let password = target(Service::Mysql).password;
    let answer = scramble_sha2(password.expose(), NONCE_OF_TESTS);
    let stored = Sha256::digest(Sha256::digest(password.expose()));
    let mask = Sha256::new().chain_update(stored).chain_update(NONCE_OF_TESTS).finalize();
    assert_eq!(Sha256::digest(xor(&answer, &mask).expose()), stored);
}

#[test]
fn a_switch_of_method_is_followed_to_one_that_is_answered() {
    let switch =
        |method: &str| packet(2, &[b"\xfe", method.as_bytes(), b"\0", NONCE_OF_TESTS, b"\0"].concat());
    let followed =
        said([greeting("client_ed25519", 0), switch("mysql_native_password"), packet(4, &[0, 0, 0, 2, 0])]);
    assert_eq!(followed.verdict, Verdict::Active);
    for method in NOT_ANSWERED.iter().copied().chain(["\u{1b}[31m"]) {
        let outcome = said([greeting("mysql_native_password", 0), switch(method)]);
        assert!(why(&outcome).contains("not answered"));
        assert!(!why(&outcome).contains('\u{1b}'));
    }
}

#[test]
fn the_password_itself_is_not_told_without_verified_tls() {
    let target = target(Service::Mysql);
    let script = Script::saying([
        greeting("caching_sha2_password", 0),
        packet(2, &[1, 4]),
        packet(4, &[0, 0, 0, 2, 0]),
    ]);
    let log = script.log();
    assert!(why(&near(&target, script)).contains("without verified TLS"));
    assert!(!holds(&log.borrow(), &target.password));
}

#[test]
fn the_quick_way_of_sha2_needs_no_tls_nearby() {
    let quick = [packet(2, &[1, 3]), packet(3, &[0, 0, 0, 2, 0])].concat();
    assert_eq!(answered("caching_sha2_password", quick).verdict, Verdict::Active);
}

#[test]
fn no_answer_crosses_a_public_network_without_verified_tls() {
    let script = Script::saying([greeting("mysql_native_password", 0)]);
    let log = script.log();
    assert!(why(&far(&target(Service::Mysql), script)).contains("verified TLS"));
    assert!(log.borrow().is_empty());
}

#[test]
fn refused_without_tls_where_there_is_tls_tells_nothing() {
    let mut target = target(Service::Mysql);
    target.tls = Tls::Off;
    let script = Script::saying([greeting("mysql_native_password", SSL), error(2, 1045)]);
    assert!(why(&near(&target, script)).contains("without TLS"));
}

#[test]
fn required_tls_is_not_talked_out_of() {
    let mut target = target(Service::Mysql);
    target.tls = Tls::Required { ca: None };
    let script = Script::saying([greeting("mysql_native_password", 0)]);
    assert_eq!(why(&near(&target, script)), "TLS: the server has none");
}

#[test]
fn bad_packets_tell_nothing() {
    let whole = greeting("mysql_native_password", 0);
    for end in 0..whole.len() {
        why(&said([whole[..end].to_vec()]));
        why(&said([packet(0, &whole[4..end.max(4)])]));
    }
    let bad = [
        packet(0, b"\x09old"),
        packet(0, b"\xff"),
        packet(7, &whole[4..]),
        vec![0xff, 0xff, 0xff, 0],
        [whole.clone(), packet(2, b"\xfe")].concat(),
        [whole.clone(), packet(2, b"\xfemysql_native_password\0short")].concat(),
        [whole.clone(), packet(2, b"\x01\x04")].concat(),
        [whole.clone(), packet(1, b"\0")].concat(),
    ];
    for said_at_once in bad {
        why(&said([said_at_once]));
    }
}
