use std::{cell::RefCell, rc::Rc};

use super::{postgres::SqlSession, redis::CacheSession, *};
use crate::{
    model::Secret,
    provider::login::{
        Service,
        postgres::tests::{error, packet, scram_server, welcome},
        script::{Script, holds, target},
    },
};

const PATIENCE: Duration = Duration::from_secs(60);

fn complete(tag: &str) -> Vec<u8> {
    packet(b'C', &[tag.as_bytes(), b"\0"].concat())
}

fn ready() -> Vec<u8> {
    packet(b'Z', b"I")
}

/// A `DataRow` of one column.
fn row(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    packet(b'D', &[&[0, 1], length.as_slice(), text].concat())
}

/// A session of PostgreSQL with a server that says `answer` to its first statement, and what the server hears.
fn sql(answer: Vec<u8>) -> (SqlSession, Rc<RefCell<Vec<u8>>>) {
    let target = target(Service::Postgres);
    let mut honest = scram_server(target.password.clone(), 1, welcome());
    let mut turn = 0;
    let script = Script::new(move |heard| {
        turn += 1;
        match turn {
            1..=4 => (honest.server_mut())(heard),
            5 => [complete("SET"), ready()].concat(),
            6 => answer.clone(),
            _ => Vec::new(),
        }
    });
    let log = script.log();
    let session = SqlSession::over(&target, link_over(Box::new(script), PATIENCE, true));
    (session.expect("the login is right"), log)
}

fn told(answer: Vec<u8>) -> Result<Vec<Row>, SessionError> {
    sql(answer).0.run(&Secret::new("ALTER ROLE ada PASSWORD 'x'"))
}

/// A session of Redis with a server that says `answer` to its first command.
fn redis(answer: Vec<u8>) -> CacheSession {
    let script = Script::saying([b"+OK\r\n".to_vec(), answer]);
    let link = link_over(Box::new(script), PATIENCE, true);
    CacheSession::over(&target(Service::Redis), link).expect("the login is right")
}

fn said(answer: impl Into<Vec<u8>>) -> Result<Reply, SessionError> {
    redis(answer.into()).run(&[b"ACL", b"WHOAMI"])
}

fn is_unclear<T>(result: &Result<T, SessionError>) -> bool {
    matches!(result, Err(SessionError::Unclear(_)))
}

#[test]
fn a_statement_whose_answer_is_cut_is_unclear_until_the_server_says_that_it_is_committed() {
    let (done, ready) = (complete("ALTER ROLE"), ready());
    let answer = [done.as_slice(), &ready].concat();
    for end in 0..answer.len() {
        let result = told(answer[..end].to_vec());
        assert_eq!(is_unclear(&result), end < done.len(), "{end}: {result:?}");
    }
    assert_eq!(told(answer), Ok(Vec::new()));
}

#[test]
fn an_error_is_a_refusal_and_the_end_of_the_session_is_not() {
    let refused = SessionError::Refused("the role that is logged in lacks the right (42501)".into());
    assert_eq!(told([error("42501"), ready()].concat()), Err(refused.clone()));
    assert_eq!(told(error("42501")), Err(refused));
    let fatal = packet(b'E', b"SFATAL\0VFATAL\0C57P01\0Mno\0\0");
    let ended = SessionError::Unclear("the server ended the session (57P01)".into());
    assert_eq!(told(fatal.clone()), Err(ended));
    assert_eq!(told([complete("ALTER ROLE"), fatal].concat()), Ok(Vec::new()));
}

#[test]
fn nothing_that_a_server_says_to_a_command_is_repeated() {
    let words = "ALTER ROLE ada PASSWORD";
    let quoting = packet(b'E', format!("SERROR\0C42601\0Mat \"{words}\"\0\0").as_bytes());
    let error = told([quoting, ready()].concat()).unwrap_err();
    assert_eq!(error, SessionError::Refused("the server refuses the statement (42601)".into()));
    let error = said(format!("-ERR Error in ACL SETUSER modifier '{words}'\r\n")).unwrap_err();
    assert_eq!(error, SessionError::Refused("the server refuses the command".into()));
    let error = said(format!("-{words}\r\n")).unwrap_err();
    assert!(!error.to_string().contains("ALTER"));
}

#[test]
fn rows_are_text_or_nothing() {
    let null = packet(b'D', &[0, 1, 0xff, 0xff, 0xff, 0xff]);
    let rows = told([row(b"a"), null, row(b""), complete("SELECT 3"), ready()].concat()).unwrap();
    assert_eq!(rows, [vec![Some("a".to_owned())], vec![None], vec![Some(String::new())]]);
    for bad in [
        packet(b'D', &[]),
        packet(b'D', &[0]),
        packet(b'D', &[0, 1]),
        packet(b'D', &[0, 1, 0, 0, 0, 9, b'a']),
        packet(b'D', &[0, 1, 0, 0, 0, 0, b'a']),
        packet(b'D', &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        row(b"\xff"),
        packet(b'G', b""),
        vec![b'D', 0xff, 0xff, 0xff, 0xff],
    ] {
        assert!(is_unclear(&told([bad, complete("SELECT 1"), ready()].concat())));
    }
    // An answer that is no answer.
    assert!(is_unclear(&told(ready())));
}

#[test]
fn endless_rows_are_cut() {
    let rows = row(&[b'x'; 30_000]).repeat(READ_CAP / 30_000 + 1);
    assert!(is_unclear(&told(rows)));
}

#[test]
fn a_statement_with_a_nul_is_not_sent() {
    let (mut session, log) = sql(Vec::new());
    log.borrow_mut().clear();
    assert!(matches!(session.run(&Secret::new("SELECT 1\0; SELECT 2")), Err(SessionError::Refused(_))));
    assert!(log.borrow().is_empty());
}

#[test]
fn no_session_is_opened_with_a_server_that_does_not_know_the_password() {
    let target = target(Service::Postgres);
    let script = scram_server(Secret::new("another"), 1, welcome());
    let log = script.log();
    let session = SqlSession::over(&target, link_over(Box::new(script), PATIENCE, true));
    assert!(matches!(session.err(), Some(SessionError::NotOpen(_))));
    assert!(!log.borrow().windows(3).any(|window| window == b"SET"));
}

#[test]
fn an_administrators_password_crosses_no_public_network_in_clear() {
    let target = target(Service::Redis);
    let script = Script::saying([b"+OK\r\n".to_vec()]);
    let log = script.log();
    let session = CacheSession::over(&target, link_over(Box::new(script), PATIENCE, false));
    assert!(matches!(session.err(), Some(SessionError::NotOpen(_))));
    assert!(!holds(&log.borrow(), &target.password));
}

#[test]
fn replies_are_read_in_every_form() {
    let text = |text: &str| Reply::Text(Secret::new(text));
    assert_eq!(said("+OK\r\n"), Ok(text("OK")));
    assert_eq!(said(":-7\r\n"), Ok(Reply::Integer(-7)));
    assert_eq!(said("$4\r\na\r\nb\r\n"), Ok(text("a\r\nb")));
    assert_eq!(said("$-1\r\n"), Ok(Reply::Nothing));
    assert_eq!(said("*-1\r\n"), Ok(Reply::Nothing));
    let list = Reply::List(vec![text("a"), Reply::List(vec![Reply::Integer(1)]), Reply::Nothing]);
    assert_eq!(said("*3\r\n+a\r\n*1\r\n:1\r\n$-1\r\n"), Ok(list));
    assert!(matches!(said("-NOPERM this user has no permissions\r\n"), Err(SessionError::Refused(_))));
}

#[test]
fn replies_too_large_too_deep_or_senseless_are_unclear() {
    for answer in [
        String::new(),
        "+OK".into(),
        "\r\n".into(),
        "?\r\n".into(),
        ":x\r\n".into(),
        "$9999999999\r\n".into(),
        "$3\r\nabcd\r\n".into(),
        "*9223372036854775807\r\n".into(),
        "*1\r\n".repeat(1000),
        format!("*5000\r\n{}", "+\r\n".repeat(5000)),
        "*1\r\n-ERR no\r\n".into(),
        format!("+{}", "x".repeat(10_000)),
        "*2\r\n+a\r\n".into(),
    ] {
        assert!(is_unclear(&said(answer.clone())), "{:.40}", answer);
    }
}

#[test]
fn random_bytes_are_never_a_success_of_a_statement() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..random.usize(1..60)).map(|_| random.u8(..)).collect();
        assert!(told(bytes.clone()).is_err());
        // Redis' answers are short, so that random ones may be some.
        drop(said(bytes));
    }
}
