//! Servers in memory, for tests: honest ones, and others.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    rc::Rc,
    time::Duration,
};

use super::{
    Service, Target, Tls, ask,
    link::Link,
    wire::{Stream, Wire},
};
use crate::{model::Secret, provider::Outcome};

/// What a server says to what it is told.
type Server = dyn FnMut(&[u8]) -> Vec<u8>;

/// A server that is called with what it was told since, and gives what it says to that; nothing is the end.
pub(super) struct Script {
    server: Box<Server>,
    said: Vec<u8>,
    heard: Vec<u8>,
    log: Rc<RefCell<Vec<u8>>>,
}

impl Script {
    pub(super) fn new(server: impl FnMut(&[u8]) -> Vec<u8> + 'static) -> Self {
        Self { server: Box::new(server), said: Vec::new(), heard: Vec::new(), log: Rc::default() }
    }

    /// Says one after the other, whatever it hears.
    pub(super) fn saying<const N: usize>(turns: [Vec<u8>; N]) -> Self {
        let mut turns = turns.into_iter();
        Self::new(move |_| turns.next().unwrap_or_default())
    }

    /// The server itself, for another that changes what it says.
    pub(super) fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    /// All that it hears, to be read afterwards.
    pub(super) fn log(&self) -> Rc<RefCell<Vec<u8>>> {
        self.log.clone()
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.said.is_empty() {
            self.said = (self.server)(&std::mem::take(&mut self.heard));
        }
        let count = buffer.len().min(self.said.len());
        buffer[..count].copy_from_slice(&self.said[..count]);
        self.said.drain(..count);
        Ok(count)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend_from_slice(bytes);
        self.log.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Script {
    fn wait_at_most(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody with a password made up now, at a server without TLS.
pub(super) fn target(service: Service) -> Target {
    let password: String = (0..24).map(|_| fastrand::alphanumeric()).collect();
    Target {
        service,
        host: "db.example".into(),
        port: service.default_port(),
        user: Some("ada".into()),
        password: Secret::new(password),
        database: None,
        tls: Tls::Preferred { ca: None },
        is_replication: false,
    }
}

/// Logs in on this machine.
pub(super) fn near(target: &Target, script: Script) -> Outcome {
    ask(target, Link::new(Wire::new(script, Duration::from_secs(60), super::READ_CAP), true))
}

/// Logs in somewhere on the internet.
pub(super) fn far(target: &Target, script: Script) -> Outcome {
    ask(target, Link::new(Wire::new(script, Duration::from_secs(60), super::READ_CAP), false))
}

/// The reason of an unknown outcome.
pub(super) fn why(outcome: &Outcome) -> String {
    match &outcome.verdict {
        crate::model::Verdict::Unknown(why) => why.clone(),
        other => panic!("not unknown but {other}"),
    }
}

/// Whether bytes hold a password.
pub(super) fn holds(bytes: &[u8], password: &Secret) -> bool {
    bytes.windows(password.len()).any(|window| window == password.expose())
}

mod hostile {
    use super::*;

    const ALL: [Service; 4] = [Service::Postgres, Service::Mysql, Service::Redis, Service::Nats];

    fn each(server: impl Fn() -> Script) {
        for service in ALL {
            why(&near(&target(service), server()));
        }
    }

    #[test]
    fn a_server_that_closes_at_once_tells_nothing() {
        each(|| Script::saying([]));
    }

    #[test]
    fn an_endless_banner_is_cut() {
        each(|| Script::new(|_| vec![b'x'; 4096]));
        each(|| Script::new(|_| b"INFO {}\r\n".repeat(100)));
        each(|| Script::new(|_| vec![0; 4096]));
    }

    #[test]
    fn a_web_server_is_no_database() {
        each(|| Script::new(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n+OK\r\nPONG\r\n".to_vec()));
    }

    #[test]
    fn random_bytes_are_believed_nothing() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..random.usize(1..80)).map(|_| random.u8(..)).collect();
            each(|| Script::saying([bytes.clone(), bytes.clone()]));
        }
    }

    #[test]
    fn nothing_that_a_server_says_is_repeated() {
        let said = "\u{1b}]0;owned\u{7}";
        each(|| Script::new(move |_| format!("-ERR {said}\r\nE {said}").into_bytes()));
        for service in ALL {
            let outcome =
                near(&target(service), Script::new(move |_| format!("-ERR {said}\r\n").into_bytes()));
            assert!(!why(&outcome).contains("owned"));
        }
    }
}
