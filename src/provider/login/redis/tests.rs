use super::*;
use crate::provider::login::{
    Service,
    script::{Script, far, holds, near, target, why},
};

fn answer(line: &str) -> Vec<u8> {
    format!("{line}\r\n").into_bytes()
}

/// What is said of the password of the default user after this answer.
fn said(line: &str) -> Outcome {
    let mut target = target(Service::Redis);
    target.user = None;
    near(&target, Script::saying([answer(line)]))
}

#[test]
fn ok_is_active_and_a_wrong_password_inactive() {
    assert_eq!(said("+OK"), Outcome::of(Verdict::Active));
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(said(wrong), Outcome::of(Verdict::Inactive));
    assert_eq!(said("-ERR invalid password"), Outcome::of(Verdict::Inactive));
}

#[test]
fn what_is_neither_tells_nothing() {
    let others = [
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure?",
        "-ERR Client sent AUTH, but no password is set",
        "-LOADING Redis is loading the dataset in memory",
        "-DENIED Redis is running in protected mode",
        "-ERR max number of clients reached",
        "-NOPERM this user has no permissions",
        "+OKAY",
        "+PONG",
        ":1",
        "",
        "$-1",
    ];
    for line in others {
        why(&said(line));
    }
    assert_eq!(why(&said(others[0])), "no password is set on the server");
}

#[test]
fn a_user_who_gets_in_with_any_password_says_nothing_of_this_one() {
    let target = target(Service::Redis);
    let script = Script::saying([answer("+OK"), answer("+OK")]);
    assert!(why(&near(&target, script)).contains("any password"));
    let script = Script::saying([answer("+OK"), answer("-WRONGPASS invalid username-password pair")]);
    assert_eq!(near(&target, script), Outcome::of(Verdict::Active));
}

#[test]
fn a_password_crosses_no_public_network_in_clear_unless_config_says_so() {
    let mut target = target(Service::Redis);
    let script = Script::saying([answer("+OK")]);
    let log = script.log();
    assert!(why(&far(&target, script)).contains("verified TLS"));
    assert!(log.borrow().is_empty());
    target.tls = super::super::Tls::Off;
    target.user = None;
    assert_eq!(far(&target, Script::saying([answer("+OK")])).verdict, Verdict::Active);
}

#[test]
fn a_password_of_any_bytes_stays_one_word() {
    let hostile = b"a\r\n*1\r\n$8\r\nFLUSHALL\r\n\0\xff";
    let password = Secret::new(hostile.to_vec());
    let command = command(Some("ada"), &password);
    let start = format!("*3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n${}\r\n", password.len());
    assert!(command.expose().starts_with(start.as_bytes()));
    assert!(holds(command.expose(), &password));
}

#[test]
fn a_line_without_end_is_cut() {
    assert!(why(&said(&"+".repeat(LINE_CAP + 1))).contains("more than a login needs"));
}
