use super::*;
use crate::provider::login::{
    Service,
    script::{Script, far, holds, near, target, why},
};

fn info(fields: &str) -> Vec<u8> {
    format!("INFO {{\"server_id\":\"N\",\"auth_required\":true{fields}}} \r\n").into_bytes()
}

fn said(lines: &str) -> Outcome {
    near(&target(Service::Nats), Script::saying([info(""), lines.as_bytes().to_vec()]))
}

#[test]
fn pong_is_active_and_a_violation_inactive() {
    assert_eq!(said("PONG\r\n"), Outcome::of(Verdict::Active));
    assert_eq!(said("+OK\r\nINFO {}\r\nPING\r\nPONG\r\n"), Outcome::of(Verdict::Active));
    assert_eq!(said("-ERR 'Authorization Violation'\r\n"), Outcome::of(Verdict::Inactive));
}

#[test]
fn what_is_neither_tells_nothing() {
    for lines in [
        "-ERR 'Authentication Timeout'\r\n",
        "-ERR 'maximum connections exceeded'\r\n",
        "-ERR\r\n",
        "MSG a 1 4\r\nPONG\r\n",
        "PONG",
        &"PING\r\n".repeat(1000),
    ] {
        why(&said(lines));
    }
}

#[test]
fn a_server_that_asks_nobody_is_told_nothing() {
    let target = target(Service::Nats);
    let script = Script::saying([b"INFO {\"server_id\":\"N\"}\r\n".to_vec(), b"PONG\r\n".to_vec()]);
    let log = script.log();
    assert!(why(&near(&target, script)).contains("asks nobody"));
    assert!(log.borrow().is_empty());
}

#[test]
fn a_password_crosses_no_public_network_in_clear() {
    let target = target(Service::Nats);
    let script = Script::saying([info(""), b"PONG\r\n".to_vec()]);
    let log = script.log();
    assert!(why(&far(&target, script)).contains("verified TLS"));
    assert!(!holds(&log.borrow(), &target.password));
}

#[test]
fn tls_is_as_both_sides_want_it() {
    let mut target = target(Service::Nats);
    target.tls = Tls::Off;
    let demands = info(",\"tls_required\":true");
    assert!(why(&near(&target, Script::saying([demands]))).starts_with("TLS: the server demands it"));
    target.tls = Tls::Required { ca: None };
    assert_eq!(why(&near(&target, Script::saying([info("")]))), "TLS: the server has none");
}

#[test]
fn a_password_can_say_nothing_of_its_own() {
    let mut target = target(Service::Nats);
    target.password = Secret::new("x\"}\r\nPUB a 0\r\n\r\n");
    let line = greeting(&target).unwrap();
    assert_eq!(line.expose().iter().filter(|byte| **byte == b'\n').count(), 2);
}

#[test]
fn a_token_is_sent_where_there_is_no_user() {
    let mut target = target(Service::Nats);
    target.user = None;
    let line = String::from_utf8(greeting(&target).unwrap().expose().to_vec()).unwrap();
    assert!(line.contains("\"auth_token\":") && !line.contains("\"pass\":"));
}

#[test]
fn a_bcrypt_hash_is_no_password() {
    let mut target = target(Service::Nats);
    target.password = Secret::new(format!("$2a$11${}", "a".repeat(53)));
    assert!(why(&near(&target, Script::saying([info("")]))).contains("bcrypt"));
}
