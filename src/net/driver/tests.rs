use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    model::Secret,
    net::{Method, Text},
};

/// What a server does once its first bytes are out.
#[derive(Clone, Copy)]
enum Then {
    Close,
    /// Says nothing more, and leaves the connection open.
    Stall,
    /// Goes on with these for ever.
    Repeat(&'static [u8]),
    /// A byte now and then, for ever.
    Drip,
}

/// A server on this machine that answers each connection as it is told, the last answer again and again.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: Vec<(String, Then)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            seen: Arc::default(),
        };
        let (connections, seen) = (Arc::clone(&server.connections), Arc::clone(&server.seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (text, then) = answers[number.min(answers.len() - 1)].clone();
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(stream.unwrap(), &text, then, &seen));
            }
        });
        server
    }

    fn saying(text: &str) -> Self {
        Self::start(vec![(text.to_owned(), Then::Close)])
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// What the client does with the answer, and whether it takes all of it, is the client's: errors end the connection.
fn serve(mut stream: TcpStream, text: &str, then: Then, seen: &Mutex<Vec<String>>) {
    let Ok(request) = read_request(&stream) else { return };
    seen.lock().unwrap().push(request);
    let mut is_alive = stream.write_all(text.as_bytes()).is_ok();
    match then {
        Then::Close => {}
        Then::Stall => drop(stream.read(&mut [0])),
        Then::Repeat(bytes) => while stream.write_all(bytes).is_ok() {},
        Then::Drip => {
            while is_alive {
                is_alive = stream.write_all(b"x").is_ok();
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn read_request(stream: &TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(format!("{text}\n{}", String::from_utf8(body).unwrap()))
}

fn driver_with(server: &Server, limits: Limits) -> Driver {
    let options = DriverOptions {
        origins: vec![server.origin().parse().unwrap()],
        addresses: AddressPolicy::allowing(["127.0.0.1"]),
        limits,
        ..DriverOptions::default()
    };
    Driver::new(options).unwrap()
}

fn driver(server: &Server) -> Driver {
    let limits = Limits { pace: Duration::ZERO, body: 1_000, ..Limits::default() };
    driver_with(server, limits)
}

fn hasty(server: &Server) -> Driver {
    let total = Duration::from_millis(300);
    driver_with(server, Limits { total, pace: Duration::ZERO, body: 1 << 30, ..Limits::default() })
}

fn get(server: &Server) -> Request {
    Request::get(server.origin(), "/path?query=1")
}

fn post(server: &Server) -> Request {
    Request { method: Method::Post, body: Some("some=body".into()), is_safe: false, ..get(server) }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\nX-Mark: yes\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_request_is_sent_as_it_is_and_its_answer_read() {
    let server = Server::saying(&ok("hello"));
    let value = "v".repeat(40);
    let request =
        post(&server).header("Authorization", Text::from("Bearer ").secret(Secret::new(value.as_str())));
    let answer = driver(&server).send(&request).unwrap();
    assert_eq!((answer.status, answer.header("x-mark")), (200, Some("yes")));
    assert_eq!(answer.body.expose(), b"hello");
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("POST /path?query=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\nsome=body"), "{seen}");
    let lower = seen.to_ascii_lowercase();
    assert!(lower.contains(&format!("authorization: bearer {value}\r\n")), "{seen}");
    assert!(lower.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)), "{seen}");
    assert!(lower.contains(concat!("user-agent: hekate/", env!("CARGO_PKG_VERSION"), "\r\n")), "{seen}");
}

#[test]
fn every_method_says_where_its_body_ends() {
    for (method, body, has_length) in [
        (Method::Get, None, false),
        (Method::Delete, None, false),
        (Method::Delete, Some("x=1"), true),
        (Method::Post, None, true),
        (Method::Put, Some("x=1"), true),
        (Method::Patch, Some("x=1"), true),
    ] {
        let server = Server::saying(&ok("done"));
        let request = Request { method, body: body.map(Text::from), ..get(&server) };
        assert_eq!(driver(&server).send(&request).unwrap().status, 200, "{method:?}");
        let seen = server.seen().remove(0);
        assert_eq!(seen.to_ascii_lowercase().contains("content-length:"), has_length, "{seen}");
        assert!(seen.ends_with(&format!("\n{}", body.unwrap_or_default())), "{seen}");
    }
}

#[test]
fn a_redirect_is_an_answer_and_nobody_else_is_asked() {
    let other = Server::saying(&ok("caught"));
    let server = Server::saying(&format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        other.origin()
    ));
    let options = DriverOptions {
        // Not even where the other host would be allowed.
        origins: vec![server.origin().parse().unwrap(), other.origin().parse().unwrap()],
        addresses: AddressPolicy::allowing(["127.0.0.1"]),
        ..DriverOptions::default()
    };
    let driver = Driver::new(options).unwrap();
    assert_eq!(driver.send(&get(&server)).unwrap().status, 302);
    assert_eq!(driver.send(&post(&server)).unwrap().status, 302);
    assert_eq!((server.connections(), other.connections()), (2, 0));
}

#[test]
fn an_origin_that_is_not_listed_gets_no_connection() {
    let server = Server::saying(&ok("hello"));
    let driver = Driver::new(DriverOptions {
        origins: vec!["https://api.github.com".parse().unwrap()],
        addresses: AddressPolicy::allowing(["127.0.0.1"]),
        ..DriverOptions::default()
    });
    let driver = driver.unwrap();
    for origin in [
        server.origin(),
        "https://api.github.com.evil.example".into(),
        "http://api.github.com".into(),
        "https://api.github.com:444".into(),
        "https://x@api.github.com".into(),
        "not an origin\n".into(),
    ] {
        let failure = driver.send(&Request::get(origin.clone(), "/")).unwrap_err();
        assert!(matches!(failure, Failure::Refused { .. }), "{origin}: {failure}");
        assert!(!failure.to_string().contains('\n'));
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_name_that_leads_to_this_machine_is_refused_unless_it_is_allowed() {
    let server = Server::saying(&ok("hello"));
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"] {
        let origin = format!("http://{host}:{}", server.port);
        let send = |addresses: AddressPolicy| {
            let origins = vec![origin.parse().unwrap()];
            let options = DriverOptions { origins, addresses, ..DriverOptions::default() };
            Driver::new(options).unwrap().send(&Request::get(origin.clone(), "/"))
        };
        let before = server.connections();
        let failure = send(AddressPolicy::allowing(["other.example"])).unwrap_err();
        assert!(matches!(failure, Failure::Refused { .. }), "{host}: {failure}");
        assert_eq!(server.connections(), before, "{host}");
        // Not every machine has IPv6.
        if !host.contains('[') {
            assert_eq!(send(AddressPolicy::allowing([host])).unwrap().status, 200, "{host}");
        }
    }
}

#[test]
fn an_endless_body_is_cut() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let server = Server::start(vec![(head.into(), Then::Repeat(&[b'x'; 4096]))]);
    let failure = driver(&server).send(&get(&server)).unwrap_err();
    assert_eq!(failure, Failure::TooLong { host: "127.0.0.1".into(), cap: 1_000 });
    assert_eq!(server.connections(), 1, "what is too long is not asked for again");
}

#[test]
fn a_body_of_exactly_the_cap_is_whole() {
    let server = Server::saying(&ok(&"x".repeat(1_000)));
    assert_eq!(driver(&server).send(&get(&server)).unwrap().body.len(), 1_000);
    let server = Server::saying(&ok(&"x".repeat(1_001)));
    assert!(matches!(driver(&server).send(&get(&server)), Err(Failure::TooLong { .. })));
}

#[test]
fn slow_answers_end_when_the_time_is_over() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    for (text, then) in [
        ("", Then::Stall),
        ("HTTP/1.1 200", Then::Stall),
        (head, Then::Stall),
        (head, Then::Drip),
        ("HTTP/1.1 200 OK\r\nX-Slow: ", Then::Drip),
    ] {
        let server = Server::start(vec![(text.into(), then)]);
        let started = Instant::now();
        let failure = hasty(&server).send(&get(&server)).unwrap_err();
        assert_eq!(failure, Failure::Timeout { host: "127.0.0.1".into() }, "{text}");
        assert!(started.elapsed() < Duration::from_secs(5), "{text}");
        assert_eq!(server.connections(), 1, "what may have been acted on is not asked again");
    }
}

#[test]
fn broken_answers_are_no_answers() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        "\u{0}\u{1}\u{2} garbage \r\n\r\n",
        "HTTP/1.1 99999 Huge\r\n\r\n",
    ] {
        let server = Server::saying(text);
        let failure = driver(&server).send(&get(&server)).unwrap_err();
        assert!(matches!(failure, Failure::Broken { .. }), "{text:?}: {failure}");
        assert!(!failure.to_string().contains("/path"), "{failure}");
    }
}

#[test]
fn header_bombs_end_early() {
    let long = Server::start(vec![("HTTP/1.1 200 OK\r\nX-Long: ".into(), Then::Repeat(&[b'x'; 4096]))]);
    let many = Server::start(vec![("HTTP/1.1 200 OK\r\n".into(), Then::Repeat(b"X-Many: 1\r\n"))]);
    for server in [long, many] {
        let failure = hasty(&server).send(&get(&server)).unwrap_err();
        assert!(matches!(failure, Failure::Broken { .. }), "{failure}");
    }
}

#[test]
fn a_safe_request_is_asked_twice_where_that_may_help_and_others_never() {
    let busy = |status: &str| {
        format!("HTTP/1.1 {status} Later\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    for status in ["429", "502", "503", "504"] {
        let answers = || vec![(busy(status), Then::Close), (ok("now"), Then::Close)];
        let server = Server::start(answers());
        assert_eq!(driver(&server).send(&get(&server)).unwrap().status, 200, "{status}");
        assert_eq!(server.connections(), 2);
        let server = Server::start(answers());
        assert_eq!(driver(&server).send(&post(&server)).unwrap().status.to_string(), status);
        assert_eq!(server.connections(), 1);
    }
    let server = Server::saying(&busy("429"));
    assert_eq!(driver(&server).send(&get(&server)).unwrap().status, 429, "a second no is the answer");
    assert_eq!(server.connections(), 2);
    let server = Server::saying(&busy("500"));
    assert_eq!(driver(&server).send(&get(&server)).unwrap().status, 500);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_host_that_wants_a_long_rest_gets_it() {
    let text = "HTTP/1.1 429 Later\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Server::saying(text);
    assert_eq!(driver(&server).send(&get(&server)).unwrap().status, 429);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_that_is_closed_early_is_tried_again_for_safe_requests_only() {
    let server = Server::start(vec![(String::new(), Then::Close), (ok("now"), Then::Close)]);
    assert_eq!(driver(&server).send(&get(&server)).unwrap().status, 200);
    let server = Server::saying("");
    let failure = driver(&server).send(&post(&server)).unwrap_err();
    assert!(matches!(failure, Failure::Broken { .. }), "{failure}");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_closed_port_is_no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Server { port, connections: Arc::default(), seen: Arc::default() };
    let failure = driver(&nobody).send(&get(&nobody)).unwrap_err();
    assert_eq!(failure.to_string(), "connect to 127.0.0.1: connection refused");
}

#[test]
fn what_would_be_read_as_more_than_it_is_is_not_sent() {
    let server = Server::saying(&ok("hello"));
    let hidden = format!("s{}t", "ecre".repeat(5));
    let with = |end: &str| Text::new().secret(Secret::new(format!("{hidden}{end}")));
    let header = |name: &str, value: Text| get(&server).header(name, value);
    let path = |path: Text| Request { path, ..get(&server) };
    for request in [
        header("Authorization", with("\r\nX-More: 1")),
        header("Authorization", with("\0")),
        header("X-A\r\nX-B", "1".into()),
        header("", "1".into()),
        header("Host", "evil.example".into()),
        header("content-length", "5".into()),
        header("Transfer-Encoding", "chunked".into()),
        path(Text::from("/").secret(Secret::new(format!("{hidden} HTTP/1.1\r\nX: 1")))),
        path(Text::from("/a b")),
        path(Text::from("/a#b")),
        path(Text::from("@evil.example/")),
        path(Text::from("")),
        path(Text::from(format!("/{}", "x".repeat(20_000)))),
    ] {
        let failure = driver(&server).send(&request).unwrap_err();
        assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
        assert!(!failure.to_string().contains(&hidden) && !failure.to_string().contains('\n'), "{failure}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_proxy_is_asked_for_the_tunnel_and_gets_no_secret() {
    let proxy = Server::saying("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let url = format!("http://user:word@127.0.0.1:{}", proxy.port);
    let options = DriverOptions {
        origins: vec!["https://api.example.com".parse().unwrap()],
        proxy: Some(Proxy::new(Secret::new(url), "")),
        ..DriverOptions::default()
    };
    let value = "v".repeat(40);
    let request = Request::get("https://api.example.com", "/").header("X-Key", value.as_str());
    let failure = Driver::new(options).unwrap().send(&request).unwrap_err();
    assert!(matches!(failure, Failure::Connect { .. }), "{failure}");
    let seen = proxy.seen().remove(0);
    assert!(seen.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{seen}");
    assert!(!seen.contains(&value));
}

#[test]
fn a_proxy_does_not_open_the_way_to_private_addresses() {
    let proxy = Server::saying(&ok(""));
    let options = DriverOptions {
        origins: vec!["https://10.0.0.1".parse().unwrap()],
        proxy: Some(Proxy::new(Secret::new(format!("http://127.0.0.1:{}", proxy.port)), "")),
        ..DriverOptions::default()
    };
    let failure = Driver::new(options).unwrap().send(&Request::get("https://10.0.0.1", "/")).unwrap_err();
    assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_proxy_that_is_none_is_said_so_without_its_password() {
    for url in ["socks5://user:hunter@proxy.example", "not a url", ""] {
        let proxy = Some(Proxy::new(Secret::new(url), ""));
        let error = Driver::new(DriverOptions { proxy, ..DriverOptions::default() }).unwrap_err();
        assert_eq!(error, DriverError::Proxy);
        assert!(!error.to_string().contains("hunter"));
    }
}

#[test]
fn what_speaks_no_tls_is_not_spoken_to_in_clear() {
    let server = Server::saying(&ok("hello"));
    let origin = format!("https://127.0.0.1:{}", server.port);
    let options = DriverOptions {
        origins: vec![origin.parse().unwrap()],
        addresses: AddressPolicy::allowing(["127.0.0.1"]),
        limits: Limits { connect: Duration::from_millis(500), ..Limits::default() },
        ..DriverOptions::default()
    };
    let request = Request { is_safe: false, ..Request::get(origin, "/") };
    let failure = Driver::new(options).unwrap().send(&request).unwrap_err();
    assert!(matches!(failure, Failure::Connect { .. }), "{failure}");
}
