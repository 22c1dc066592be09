//! A proxy before a database or cache, in which something happens when certain words come by.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What happens when the client says the words.
pub(super) enum Fault {
    /// They are not handed over, and the connection ends.
    Cut,
    /// The same, and from now on nobody is there.
    CutAndDown,
    /// The server acts on them, and the connection ends before its answer.
    Lose,
    /// The same, and from now on nobody is there.
    LoseAndDown,
    /// All goes well with them, and from now on nobody is there.
    DownAfter,
    /// They are not handed over, and no answer comes.
    Stall,
    /// The server acts on them, and no answer comes.
    StallAnswer,
    /// Something happens before they are handed over.
    Meanwhile(Box<dyn FnOnce() + Send>),
}

#[derive(Default)]
struct Shared {
    /// Each once.
    faults: Mutex<Vec<(&'static str, Fault)>>,
    is_down: AtomicBool,
}

/// The proxy; it lives as long as the tests.
pub(super) struct Wire {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// Before a server on this machine.
    pub(super) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&theirs);
                if !shared.is_down.load(Ordering::SeqCst) {
                    thread::spawn(move || carry(client, server, &shared));
                }
            }
        });
        Self { port, shared }
    }

    /// When a client says these words next.
    pub(super) fn when(&self, words: &'static str, fault: Fault) {
        locked(&self.shared.faults).push((words, fault));
    }

    pub(super) fn set_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Shared {
    fn fault(&self, said: &[u8]) -> Option<Fault> {
        let mut faults = locked(&self.faults);
        let is_said = |words: &str| said.windows(words.len()).any(|window| window == words.as_bytes());
        let at = faults.iter().position(|(words, _)| is_said(words))?;
        Some(faults.remove(at).1)
    }

    fn go_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }
}

/// What becomes of the server's answers.
struct Answers {
    are_lost: AtomicBool,
    end_it: AtomicBool,
}

fn carry(client: TcpStream, server: u16, shared: &Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    let answers = Arc::new(Answers { are_lost: AtomicBool::new(false), end_it: AtomicBool::new(false) });
    let back = (server.try_clone().expect("a second handle"), client.try_clone().expect("a second handle"));
    let theirs = Arc::clone(&answers);
    let returning = thread::spawn(move || give_back(back.0, back.1, &theirs));
    hand_over(&client, &server, shared, &answers);
    // Either may be closed already.
    server.shutdown(Shutdown::Write).unwrap_or_default();
    returning.join().expect("the way back");
    client.shutdown(Shutdown::Both).unwrap_or_default();
}

fn give_back(mut server: TcpStream, mut client: TcpStream, answers: &Answers) {
    let mut buffer = [0; 64 * 1024];
    while let Some(count) = server.read(&mut buffer).ok().filter(|count| *count > 0) {
        if answers.end_it.load(Ordering::SeqCst) {
            break;
        }
        if !answers.are_lost.load(Ordering::SeqCst) && client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // A client that waits for a lost answer waits on, until it hangs up itself.
    if !answers.are_lost.load(Ordering::SeqCst) {
        client.shutdown(Shutdown::Both).unwrap_or_default();
    }
}

fn hand_over(mut client: &TcpStream, mut server: &TcpStream, shared: &Shared, answers: &Answers) {
    let mut buffer = [0; 64 * 1024];
    while let Some(count) = client.read(&mut buffer).ok().filter(|count| *count > 0) {
        let said = &buffer[..count];
        match shared.fault(said) {
            None => {}
            Some(Fault::Cut) => return,
            Some(Fault::CutAndDown) => return shared.go_down(),
            Some(Fault::Lose) => answers.end_it.store(true, Ordering::SeqCst),
            Some(Fault::LoseAndDown) => {
                answers.end_it.store(true, Ordering::SeqCst);
                shared.go_down();
            }
            Some(Fault::DownAfter) => shared.go_down(),
            Some(Fault::Stall) => continue,
            Some(Fault::StallAnswer) => answers.are_lost.store(true, Ordering::SeqCst),
            Some(Fault::Meanwhile(act)) => act(),
        }
        if server.write_all(said).is_err() {
            return;
        }
    }
}
