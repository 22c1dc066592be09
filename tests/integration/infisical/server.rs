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

/// What happens to a request instead of the usual.
pub(crate) enum Mishap {
    /// This is answered, and nothing done.
    Answer(Reply),
    /// It is done, and this is answered.
    DoneBut(Reply),
    /// It is done, and no answer comes.
    LoseAnswer,
    /// It is not done, and no answer comes.
    LoseRequest,
    /// It is not done, and from now on nobody is there.
    GoDown,
    /// It is done, no answer comes, and from now on nobody is there.
    LoseAnswerAndGoDown,
    /// Something happens just before it is done.
    Before(Box<dyn FnOnce(&mut World) + Send>),
    /// Something happens just after it is done, before the answer comes.
    After(Box<dyn FnOnce(&mut World) + Send>),
}

/// An Infisical of one test, on a port of its own.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Somebody who changes what the server holds.
pub(crate) struct Handle(Arc<Shared>);

impl Handle {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut locked(&self.0.world))
    }
}

#[derive(Default)]
struct Shared {
    world: Mutex<World>,
    received: Mutex<Vec<Received>>,
    /// For requests whose line begins so; each once.
    mishaps: Mutex<Vec<(String, Mishap)>>,
    is_down: AtomicBool,
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

    /// For somebody in another thread who changes what it holds.
    pub(crate) fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
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
        self.mishap(line, Mishap::Answer(reply));
    }

    /// The next request whose line begins so meets with a mishap.
    pub(crate) fn mishap(&self, line: &str, mishap: Mishap) {
        locked(&self.shared.mishaps).push((line.to_owned(), mishap));
    }

    /// Whether it is there: while it is not, every connection is closed at once.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
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
        if shared.is_down.load(Ordering::SeqCst) {
            continue;
        }
        // A peer that hangs up is its own business.
        let Ok(request) = http::receive(&stream) else { continue };
        let reply = answer(shared, &request);
        locked(&shared.received).push(request);
        if let Some(reply) = reply {
            drop(http::reply(&stream, &reply));
        }
    }
}

/// The answer, if one comes.
fn answer(shared: &Shared, request: &Received) -> Option<Reply> {
    let line = request.line();
    let mut mishaps = locked(&shared.mishaps);
    let at = mishaps.iter().position(|(start, _)| line.starts_with(start));
    let mishap = at.map(|at| mishaps.remove(at).1);
    drop(mishaps);
    let go_down = || shared.is_down.store(true, Ordering::SeqCst);
    let mut world = locked(&shared.world);
    match mishap {
        None => Some(routes::answer(&mut world, request)),
        Some(Mishap::Answer(reply)) => Some(reply),
        Some(Mishap::DoneBut(reply)) => {
            routes::answer(&mut world, request);
            Some(reply)
        }
        Some(Mishap::LoseAnswer) => {
            routes::answer(&mut world, request);
            None
        }
        Some(Mishap::LoseRequest) => None,
        Some(Mishap::GoDown) => {
            go_down();
            None
        }
        Some(Mishap::LoseAnswerAndGoDown) => {
            routes::answer(&mut world, request);
            go_down();
            None
        }
        Some(Mishap::Before(act)) => {
            act(&mut world);
            Some(routes::answer(&mut world, request))
        }
        Some(Mishap::After(act)) => {
            let reply = routes::answer(&mut world, request);
            act(&mut world);
            Some(reply)
        }
    }
}
