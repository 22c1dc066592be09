//! A provider's double on this machine.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Answers every request alike, and keeps what it was sent.
pub(super) struct Double {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Double {
    /// Answers with a status and JSON.
    pub(super) fn saying(status: u16, body: &str) -> Self {
        let length = body.len();
        Self::start(format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    fn start(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = listener.local_addr().expect("it listens").port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("accept a connection");
                // Whoever connects is seen, whether it says anything or not.
                kept.lock().expect("nobody panicked").push(String::new());
                let request = answer_one(stream, &answer);
                *kept.lock().expect("nobody panicked").last_mut().expect("it was pushed") = request;
            }
        });
        Self { port, seen }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What came in, a text for each connection.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panicked").clone()
    }
}

fn answer_one(mut stream: TcpStream, answer: &str) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
    }
    // The other side may have what it wants already.
    drop(stream.write_all(answer.as_bytes()));
    String::from_utf8_lossy(&request).into_owned()
}
