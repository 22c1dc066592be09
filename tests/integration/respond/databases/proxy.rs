//! A proxy that loses answers: it hands over what the client says up to some words, sees to it that the server has acted on them, and hangs
//! up before the answer.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

/// The port of a proxy to a server on this machine, which loses the answer to whatever holds these words.
pub(super) fn losing_answer_to(words: &'static str, server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a client");
            thread::spawn(move || carry(client, server, words));
        }
    });
    port
}

fn carry(mut client: TcpStream, server: u16, words: &str) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).expect("connect to the server");
    let mut buffer = [0; 64 * 1024];
    // These protocols take turns.
    loop {
        let Some(said) = hear(&mut client, &mut buffer) else { return };
        if server.write_all(&said).is_err() {
            return;
        }
        let Some(answer) = hear(&mut server, &mut buffer) else { return };
        if said.windows(words.len()).any(|window| window == words.as_bytes()) {
            drop(client.shutdown(Shutdown::Both));
            return;
        }
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

fn hear(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<Vec<u8>> {
    let count = stream.read(buffer).ok().filter(|count| *count > 0)?;
    Some(buffer[..count].to_vec())
}
