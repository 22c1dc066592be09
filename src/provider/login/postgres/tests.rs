use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;
use crate::provider::login::{
    Service,
    script::{Script, far, holds, near, target, why},
};

pub(in crate::provider::login) fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag], with_length(body).as_slice()].concat()
}

fn request_of(kind: u32, body: &[u8]) -> Vec<u8> {
    packet(b'R', &[&kind.to_be_bytes(), body].concat())
}

pub(in crate::provider::login) fn error(state: &str) -> Vec<u8> {
    packet(b'E', format!("SFATAL\0C{state}\0Mno\0\0").as_bytes())
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// The signature by which a server shows that it knows the password, after RFC 5802; one round.
fn server_signature(password: &[u8], messages: &str) -> String {
    let salted = keyed(password, b"salt\0\0\0\x01");
    BASE64_STANDARD.encode(keyed(&keyed(&salted, b"Server Key"), messages.as_bytes()))
}

/// A server without TLS, that asks for SCRAM, knows the password or another one, and then says `after`.
pub(in crate::provider::login) fn scram_server(password: Secret, rounds: u64, after: Vec<u8>) -> Script {
    let mut turn = 0;
    let mut bare = String::new();
    let mut first = String::new();
    Script::new(move |heard| {
        turn += 1;
        let text = String::from_utf8_lossy(heard).into_owned();
        match turn {
            1 => b"N".to_vec(),
            2 => request_of(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
            3 => {
                bare = text[text.find("n=,r=").unwrap()..].to_owned();
                let nonce = &bare["n=,r=".len()..];
                first = format!("r={nonce}server,s={},i={rounds}", BASE64_STANDARD.encode("salt"));
                request_of(11, first.as_bytes())
            }
            4 => {
                let last = &text[text.find("c=").unwrap()..text.find(",p=").unwrap()];
                let signature = server_signature(password.expose(), &format!("{bare},{first},{last}"));
                [request_of(12, format!("v={signature}").as_bytes()), after.clone()].concat()
            }
            _ => Vec::new(),
        }
    })
}

pub(in crate::provider::login) fn welcome() -> Vec<u8> {
    [request_of(0, b""), packet(b'S', b"server_version\x0015\x00"), packet(b'K', &[0; 8]), packet(b'Z', b"I")]
        .concat()
}

fn after_proof(after: Vec<u8>) -> Outcome {
    let target = target(Service::Postgres);
    let script = scram_server(target.password.clone(), 1, after);
    far(&target, script)
}

#[test]
fn a_server_that_proves_to_know_the_password_makes_it_active_even_without_tls() {
    assert_eq!(after_proof(welcome()), Outcome::of(Verdict::Active));
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let target = target(Service::Postgres);
    let script = scram_server(Secret::new("another"), 1, welcome());
    assert!(why(&near(&target, script)).contains("does not prove"));
}

#[test]
fn a_server_that_skips_its_proof_is_not_believed() {
    let target = target(Service::Postgres);
    let mut honest = scram_server(target.password.clone(), 1, Vec::new());
    let mut turn = 0;
    let script = Script::new(move |heard| {
        turn += 1;
        let said = (honest.server_mut())(heard);
        if turn == 4 { welcome() } else { said }
    });
    assert!(why(&near(&target, script)).contains("does not prove"));
}

#[test]
fn a_server_that_asks_for_nothing_says_nothing_of_the_password() {
    let script = Script::saying([b"N".to_vec(), welcome()]);
    assert!(why(&near(&target(Service::Postgres), script)).contains("without a password"));
}

#[test]
fn clear_text_and_md5_are_never_answered_without_verified_tls() {
    for request in [request_of(3, b""), request_of(5, b"salt")] {
        for tls in [super::super::Tls::Off, super::super::Tls::Preferred { ca: None }] {
            let mut target = target(Service::Postgres);
            target.tls = tls.clone();
            let script = match tls {
                super::super::Tls::Off => Script::saying([request.clone()]),
                _ => Script::saying([b"N".to_vec(), request.clone()]),
            };
            let log = script.log();
            assert!(why(&near(&target, script)).contains("without verified TLS"));
            assert!(!holds(&log.borrow(), &target.password));
            assert!(!log.borrow().windows(3).any(|window| window == b"md5"));
        }
    }
}

#[test]
fn required_tls_is_not_talked_out_of() {
    let mut target = target(Service::Postgres);
    target.tls = super::super::Tls::Required { ca: None };
    let script = Script::saying([b"N".to_vec(), welcome()]);
    let log = script.log();
    assert_eq!(why(&near(&target, script)), "TLS: the server has none");
    assert_eq!(log.borrow().as_slice(), SSL_REQUEST);
}

#[test]
fn what_is_refused_before_the_password_was_checked() {
    let refused =
        |state: &str| near(&target(Service::Postgres), Script::saying([b"N".to_vec(), error(state)])).verdict;
    assert_eq!(refused("28P01"), Verdict::Inactive);
    for state in ["28000", "3D000", "53300", "57P03", "42501", "08P01", "XX000"] {
        assert!(matches!(refused(state), Verdict::Unknown(why) if why.contains(state)));
    }
}

#[test]
fn what_is_refused_after_the_password_was_accepted() {
    let refused = |state: &str| after_proof([request_of(0, b""), error(state)].concat()).verdict;
    for (state, verdict) in [
        ("28000", Verdict::Disabled),
        ("42501", Verdict::Restricted),
        ("3D000", Verdict::Active),
        ("53300", Verdict::Active),
        ("55000", Verdict::Active),
    ] {
        assert_eq!(refused(state), verdict, "{state}");
    }
    assert_eq!(after_proof(request_of(0, b"")).verdict, Verdict::Active);
}

#[test]
fn a_billion_rounds_are_not_done() {
    let target = target(Service::Postgres);
    for rounds in [0, 1_000_000_000, u64::MAX] {
        let outcome = near(&target, scram_server(Secret::new("another"), rounds, welcome()));
        let why = why(&outcome);
        assert!(why.contains("SCRAM") || why.contains("does not prove"), "{why}");
    }
}

#[test]
fn methods_that_nobody_knows_and_bad_messages_tell_nothing() {
    let bad = [
        request_of(10, b"NONSENSE\0\0"),
        request_of(10, b""),
        request_of(7, b""),
        request_of(99, b""),
        request_of(5, b"sal"),
        packet(b'R', b"\0"),
        packet(b'E', b""),
        packet(b'E', b"C\x1b[31m\0\0"),
        packet(b'E', b"C28P0\0\0"),
        vec![b'R', 0, 0, 0, 3],
        vec![b'R', 0xff, 0xff, 0xff, 0xff],
        packet(b'N', b"Mpatience\0\0").repeat(20_000),
    ];
    for said in bad {
        why(&near(&target(Service::Postgres), Script::saying([b"N".to_vec(), said])));
    }
}

#[test]
fn a_dialogue_that_is_cut_tells_nothing() {
    let refusal = [b"N".to_vec(), error("28P01")].concat();
    for end in 0..refusal.len() {
        why(&near(&target(Service::Postgres), Script::saying([refusal[..end].to_vec()])));
    }
}

#[test]
fn a_nul_in_a_name_does_not_reach_the_server() {
    let mut target = target(Service::Postgres);
    target.database = Some("a\0replication\0true".into());
    assert_eq!(why(&near(&target, Script::saying([b"N".to_vec()]))), "the database holds a NUL");
    target.user = None;
    assert!(why(&near(&target, Script::saying([b"N".to_vec()]))).contains("without a user"));
}
