//! The server: a thread that answers, and a world that tests set up and look at.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::{
    http::{self, Received, Reply},
    routes,
    world::World,
};

/// An Infisical of one test, on a port of its own.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    world: Mutex<World>,
    received: Mutex<Vec<Received>>,
    /// Answers that something in between gives, for requests whose line begins so; each once.
    instead: Mutex<Vec<(String, Reply)>>,
    is_over: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// With the project `kosmos`, three environments in it, and nothing else.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || serve(&listener, &theirs));
        Self { address, shared, thread: Some(thread) }
    }

    /// What it holds and how it behaves. It answers nothing while this is held.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.shared.world)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request whose line begins so (`GET /api/v4`) is answered by something in between.
    pub(crate) fn answer_instead(&self, line: &str, reply: Reply) {
        locked(&self.shared.instead).push((line.to_owned(), reply));
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }

    /// Those whose line begins so.
    pub(crate) fn received_at(&self, line: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|request| request.line().starts_with(line));
        received
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes it up, to see that.
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the server's thread has panicked");
    }
}

fn serve(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        // A peer that hangs up is its own business.
        let Ok(request) = http::receive(&stream) else { continue };
        let reply = answer(shared, &request);
        locked(&shared.received).push(request);
        drop(http::reply(&stream, &reply));
    }
}

fn answer(shared: &Shared, request: &Received) -> Reply {
    let line = request.line();
    let mut instead = locked(&shared.instead);
    if let Some(at) = instead.iter().position(|(start, _)| line.starts_with(start)) {
        return instead.remove(at).1;
    }
    drop(instead);
    routes::answer(&mut locked(&shared.world), request)
}
