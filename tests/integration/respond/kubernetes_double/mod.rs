//! A Kubernetes of one test: an API server that is strict about what is relied on, the manager's operator, and the controllers of workloads.
//!
//! ```ignore
//! let cluster = KubernetesDouble::start();
//! cluster.manage(move |environment, folder| store.values(environment, folder));
//! cluster.world().put(objects::infisical_secret("kosmos-db", "credentials", "production", "/infrastructure"));
//! cluster.world().put(objects::deployment("kosmos-core", "zeus", "credentials"));
//! cluster.settle();
//! let kubeconfig = cluster.kubeconfig(folder.path());
//! // … HEKATE_KUBECONFIG=kubeconfig hekate respond apply …
//! assert_eq!(cluster.world().pod("kosmos-core", "zeus")["POSTGRES_PASSWORD"], new);
//! ```
//!
//! What it does when is set in [`World`]; every request that came in is kept, see [`KubernetesDouble::received`].

mod api;
mod controller;
pub(crate) mod objects;
mod operator;
mod patch;
mod world;

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

pub(crate) use world::{Operator, Rollout, World};

use crate::infisical::http::{self, Received, Reply};

/// The only token that is let in; made here so that none stands in a file.
pub(crate) fn token() -> String {
    format!("token-{}", "of-the-double-".repeat(2))
}

/// What happens to a request instead of the usual.
#[derive(Debug, Clone)]
pub(crate) enum Mishap {
    /// This is answered, and nothing done.
    Answer(Reply),
    /// It is done, and no answer comes.
    LoseAnswer,
    /// Somebody else changes the object just before.
    Interfere,
}

type Manager = dyn Fn(&str, &str) -> BTreeMap<String, String> + Send + Sync;

#[derive(Default)]
struct Shared {
    world: Mutex<World>,
    received: Mutex<Vec<Received>>,
    /// For requests whose line begins so; each once.
    mishaps: Mutex<Vec<(String, Mishap)>>,
    /// What the manager holds, as the operator sees it.
    manager: Mutex<Option<Arc<Manager>>>,
    is_over: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The double. It ends with the value.
pub(crate) struct KubernetesDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl KubernetesDouble {
    /// With nothing in it.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let (server, others) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            thread::spawn(move || serve(&listener, &server)),
            thread::spawn(move || run_controllers(&others)),
        ];
        Self { address, shared, threads }
    }

    /// What the manager holds in a folder of an environment: names and values. Without it, operators sync nothing.
    pub(crate) fn manage(
        &self,
        values: impl Fn(&str, &str) -> BTreeMap<String, String> + Send + Sync + 'static,
    ) {
        *locked(&self.shared.manager) = Some(Arc::new(values));
    }

    /// Its objects and how it behaves. Nothing moves while this is held.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.shared.world)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes a kubeconfig for it.
    pub(crate) fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let file = folder.join("kubeconfig.yaml");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: double\n\
             contexts:\n- name: double\n  context: {{cluster: double, user: hekate}}\n\
             clusters:\n- name: double\n  cluster: {{server: \"{}\"}}\n\
             users:\n- name: hekate\n  user: {{token: {}}}\n",
            self.url(),
            token()
        );
        fs::write(&file, text).expect("write a kubeconfig");
        file
    }

    /// Waits until the operator and the controllers have nothing more to do.
    pub(crate) fn settle(&self) {
        for _ in 0..5_000 {
            if self.world().is_settled() {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("the double does not come to rest");
    }

    /// The next request whose line begins so (`PATCH /apis/apps`) meets with a mishap.
    pub(crate) fn mishap(&self, line: &str, mishap: Mishap) {
        locked(&self.shared.mishaps).push((line.to_owned(), mishap));
    }

    /// Requests meet with nothing more.
    pub(crate) fn end_mishaps(&self) {
        locked(&self.shared.mishaps).clear();
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

    /// That no request had this value anywhere: consumers are told that there is a new one, never which.
    pub(crate) fn assert_told_nobody(&self, value: &str) {
        for request in self.received() {
            let line = format!("{} {:?}", request.line(), request.query);
            assert!(!line.contains(value), "a value stands in the path of {}", request.method);
            assert!(!String::from_utf8_lossy(&request.body).contains(value), "a value was sent to {line}");
        }
    }
}

impl Drop for KubernetesDouble {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes it up, to see that.
        drop(TcpStream::connect(self.address));
        let is_well = self.threads.drain(..).map(JoinHandle::join).all(|ended| ended.is_ok());
        assert!(thread::panicking() || is_well, "a thread of the double has panicked");
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || converse(&stream, &shared));
    }
}

fn converse(stream: &TcpStream, shared: &Shared) {
    // A peer that hangs up is its own business.
    let Ok(request) = http::receive(stream) else { return };
    let line = request.line();
    locked(&shared.received).push(request.clone());
    let mishap = {
        let mut mishaps = locked(&shared.mishaps);
        let at = mishaps.iter().position(|(start, _)| line.starts_with(start));
        at.map(|at| mishaps.remove(at).1)
    };
    let reply = match mishap {
        Some(Mishap::Answer(reply)) => reply,
        Some(Mishap::LoseAnswer) => {
            api::answer(&mut locked(&shared.world), &request);
            return;
        }
        Some(Mishap::Interfere) => {
            let mut world = locked(&shared.world);
            world.interfere(&format!("/{}", request.path.join("/")));
            api::answer(&mut world, &request)
        }
        None => api::answer(&mut locked(&shared.world), &request),
    };
    drop(http::reply(stream, &reply));
}

/// The operator and the controllers, in turns.
fn run_controllers(shared: &Shared) {
    while !shared.is_over.load(Ordering::SeqCst) {
        let manager = locked(&shared.manager).clone();
        let mut world = locked(&shared.world);
        if let Some(manager) = manager {
            operator::step(&mut world, &*manager);
        }
        controller::step(&mut world);
        drop(world);
        thread::sleep(Duration::from_millis(1));
    }
}
