//! Users of Redis.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use hekate::{
    inventory::{Cache, CacheFlavour},
    model::Secret,
    provider::login::{CacheSession, Reply, SessionError},
    respond::target::{Accepts, Act, CacheUser, Target, Trouble},
};

use super::{ADMIN, Pair, World, are_running, cache, port, proxy, setting, text, unique};

fn admin() -> CacheSession {
    cache(port("REDIS"), "hekate_admin", &setting("ADMIN_PASSWORD"))
}

fn run(session: &mut CacheSession, words: &[&str]) -> Reply {
    let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    session.run(&bytes).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Makes a user with the old value as its password.
fn make(name: &str, rules: &[&str], pair: &Pair) {
    let password = format!(">{}", text(&pair.old));
    let words = ["ACL", "SETUSER", name, "on", &password].into_iter().chain(rules.iter().copied());
    run(&mut admin(), &words.collect::<Vec<_>>());
}

const ALL: [&str; 3] = ["~*", "&*", "+@all"];

fn target(user: &str) -> Cache {
    Cache {
        flavour: CacheFlavour::Redis,
        host: "127.0.0.1".into(),
        port: port("REDIS"),
        user: user.into(),
        tls: false,
        admin_url_env: Some(ADMIN.into()),
    }
}

fn admin_url(port: u16) -> String {
    format!("redis://hekate_admin:{}@127.0.0.1:{port}", setting("ADMIN_PASSWORD"))
}

fn world() -> World {
    World::new(Some(admin_url(port("REDIS"))))
}

fn why(result: Result<(), Trouble>) -> String {
    match result {
        Err(Trouble::Refused(why)) => why,
        other => panic!("not refused but {other:?}"),
    }
}

fn ping(session: &mut CacheSession) -> Result<Reply, SessionError> {
    session.run(&[b"PING"])
}

#[test]
fn both_passwords_work_until_the_old_one_is_retired_and_its_clients_are_ended() {
    if !are_running() {
        return;
    }
    let (world, pair, name) = (world(), Pair::new(), unique("rotated_"));
    make(&name, &ALL, &pair);
    let user = CacheUser::new(&target(&name), world.means()).expect("a target");
    let accepted = || (user.accepts(&pair.old), user.accepts(&pair.new));
    pair.done(&user, Act::Check);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::No));
    let mut session = cache(port("REDIS"), &name, text(&pair.old));

    pair.done(&user, Act::Introduce);
    assert!(user.overlaps());
    assert_eq!(accepted(), (Accepts::Yes, Accepts::Yes));
    pair.done(&user, Act::Withdraw);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::No));
    pair.done(&user, Act::Introduce);
    pair.done(&user, Act::Retire);
    assert_eq!(accepted(), (Accepts::No, Accepts::Yes));

    ping(&mut session).expect("a session outlives its password");
    pair.done(&user, Act::EndSessions);
    assert!(ping(&mut session).is_err());
    assert_eq!(user.remains(&pair.values()), Ok(Vec::new()));
    let saved =
        fs::read_to_string(Path::new(&setting("SERVICES")).join("redis/users.acl")).expect("its users");
    let line = saved.lines().find(|line| line.contains(&name)).expect("it is saved");
    assert_eq!(line.matches('#').count(), 1);
    assert!(!saved.contains(text(&pair.new)) && !saved.contains(text(&pair.old)));
    // Taken back even now, the old one alone is valid.
    pair.done(&user, Act::Withdraw);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::No));
}

#[test]
fn a_user_who_is_off_has_no_client_and_neither_value_counts_as_refused() {
    if !are_running() {
        return;
    }
    let (world, pair, name) = (world(), Pair::new(), unique("contained_"));
    make(&name, &ALL, &pair);
    let user = CacheUser::new(&target(&name), world.means()).expect("a target");
    let mut session = cache(port("REDIS"), &name, text(&pair.old));
    pair.done(&user, Act::Contain);
    assert!(ping(&mut session).is_err());
    assert!(matches!(user.accepts(&pair.old), Accepts::Unknown(why) if why.contains("off")));
    pair.done(&user, Act::Introduce);
    pair.done(&user, Act::Retire);
    pair.done(&user, Act::Release);
    assert_eq!((user.accepts(&pair.old), user.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
    // A restart must not turn it off again.
    let saved =
        fs::read_to_string(Path::new(&setting("SERVICES")).join("redis/users.acl")).expect("its users");
    let line = saved.lines().find(|line| line.contains(&name)).expect("it is saved");
    assert!(line.contains(" on "), "turned off");
}

#[test]
fn a_check_says_what_is_missing_before_anything_is_changed() {
    if !are_running() {
        return;
    }
    let (pair, weak, name, open) = (Pair::new(), unique("weak_"), unique("plain_"), unique("open_"));
    make(&weak, &["+@all", "-acl|setuser"], &pair);
    make(&name, &ALL, &pair);
    make(&open, &["nopass"], &pair);
    let check = |user: &str, admin: &str| {
        let password =
            if admin == "hekate_admin" { setting("ADMIN_PASSWORD") } else { text(&pair.old).into() };
        let world = World::new(Some(format!("redis://{admin}:{password}@127.0.0.1:{}", port("REDIS"))));
        let user = CacheUser::new(&target(user), world.means()).expect("a target");
        why(pair.perform(&user, Act::Check))
    };
    let nobody = unique("nobody_");
    assert!(check(&nobody, "hekate_admin").contains("there is no such user"));
    assert!(check(&open, "hekate_admin").contains("nopass"));
    assert!(check(&name, &weak).contains("lacks the right (NOPERM); grant it `+acl`"));
    // Nobody was made who was not there.
    assert_eq!(run(&mut admin(), &["ACL", "GETUSER", &nobody]), Reply::Nothing);
    let world = world();
    let missing = CacheUser::new(&target(&nobody), world.means()).expect("a target");
    for act in [Act::Introduce, Act::Contain, Act::Release, Act::Retire] {
        assert!(why(pair.perform(&missing, act)).contains("there is no such user"));
    }
}

#[test]
fn a_lost_answer_is_unclear_and_doing_it_again_ends_it() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("lost_"));
    make(&name, &ALL, &pair);
    let through = proxy::losing_answer_to("SETUSER", port("REDIS"));
    let lossy = World::new(Some(admin_url(through)));
    let user = CacheUser::new(&Cache { port: through, ..target(&name) }, lossy.means()).expect("a target");
    assert!(matches!(pair.perform(&user, Act::Introduce), Err(Trouble::Unclear(_))));
    assert_eq!(user.accepts(&pair.new), Accepts::Yes);
    // Once it is there, nothing more is to be said.
    pair.done(&user, Act::Introduce);
}

#[test]
fn tls_is_spoken_where_the_target_says_so() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("tls_"));
    let (password, port) = (setting("ADMIN_PASSWORD"), port("REDIS_TLS"));
    let world = |scheme: &str, more: &str| {
        World::new(Some(format!("{scheme}://hekate_admin:{password}@localhost:{port}{more}")))
    };
    let target = Cache { host: "localhost".into(), port, tls: true, ..target(&name) };
    let trusting = world("rediss", &format!("?sslrootcert={}", setting("CA")));
    let user = CacheUser::new(&target, trusting.means()).expect("a target");
    assert!(why(pair.perform(&user, Act::Check)).contains("there is no such user"));
    assert_eq!(user.accepts(&pair.new), Accepts::No);
    let doubting = world("rediss", "");
    let user = CacheUser::new(&target, doubting.means()).expect("a target");
    assert!(why(pair.perform(&user, Act::Check)).contains("not trusted"));
    let clear = world("redis", "");
    assert!(CacheUser::new(&target, clear.means()).expect_err("they differ").contains("without TLS"));
}

/// A Redis of a test's own, with a config file or none, and with a password of its default user.
struct Own {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Own {
    fn start(password: &str, has_file: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if has_file {
            fs::write(folder.path().join("redis.conf"), format!("save \"\"\nrequirepass {password}\n"))
                .expect("write its config");
        }
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let child = Self::launch(folder.path(), port, (!has_file).then_some(password));
        Self { folder, port, child }
    }

    fn launch(folder: &Path, port: u16, password: Option<&str>) -> Child {
        let mut command = Command::new("redis-server");
        match password {
            Some(password) => command.args(["--requirepass", password, "--save", ""]),
            None => command.arg(folder.join("redis.conf")),
        };
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(folder);
        let mut child = command.stdout(Stdio::null()).spawn().expect("start redis-server");
        for _ in 0..400 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return child;
            }
            thread::sleep(Duration::from_millis(25));
        }
        child.kill().expect("end redis-server");
        child.wait().expect("end redis-server");
        panic!("redis-server does not listen");
    }

    fn restart(&mut self) {
        self.end();
        self.child = Self::launch(self.folder.path(), self.port, None);
    }

    fn end(&mut self) {
        self.child.kill().expect("end redis-server");
        self.child.wait().expect("end redis-server");
    }

    fn target(&self) -> Cache {
        Cache { port: self.port, admin_url_env: None, ..target("default") }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn the_default_user_changes_itself_and_a_restart_keeps_it() {
    if !are_running() {
        return;
    }
    let pair = Pair::new();
    let mut server = Own::start(text(&pair.old), true);
    let world = World::new(None);
    let target = server.target();
    let user = CacheUser::new(&target, world.means()).expect("a target");
    let accepted = || (user.accepts(&pair.old), user.accepts(&pair.new));
    let mut session = cache(server.port, "default", text(&pair.old));
    pair.done(&user, Act::Check);
    assert!(user.requests(Act::Contain).is_none());
    pair.done(&user, Act::Contain);
    pair.done(&user, Act::Introduce);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::Yes));
    pair.done(&user, Act::Retire);
    pair.done(&user, Act::EndSessions);
    assert!(ping(&mut session).is_err());
    assert_eq!(accepted(), (Accepts::No, Accepts::Yes));
    let notes = user.remains(&pair.values()).expect("notes");
    assert!(notes.len() == 1 && notes[0].starts_with("`requirepass`"), "{notes:?}");

    server.restart();
    assert_eq!(accepted(), (Accepts::No, Accepts::Yes));
    let file = fs::read_to_string(server.folder.path().join("redis.conf")).expect("its config");
    assert!(!file.contains(text(&pair.new)));
}

#[test]
fn what_a_restart_would_undo_is_told() {
    if !are_running() {
        return;
    }
    let pair = Pair::new();
    let server = Own::start(text(&pair.old), false);
    run(
        &mut cache(server.port, "default", text(&pair.old)),
        &["CONFIG", "SET", "masterauth", text(&pair.old)],
    );
    let world = World::new(None);
    let target = server.target();
    let user = CacheUser::new(&target, world.means()).expect("a target");
    pair.done(&user, Act::Introduce);
    pair.done(&user, Act::Retire);
    let notes = user.remains(&pair.values()).expect("notes");
    let starts = ["a restart of the server brings", "`requirepass`", "`masterauth`"];
    assert!(
        notes.len() == 3 && starts.iter().zip(&notes).all(|(start, note)| note.starts_with(start)),
        "{notes:?}"
    );
    assert!(!notes.concat().contains(text(&pair.old)));
}

#[test]
fn answers_are_read_whatever_they_hold() {
    if !are_running() {
        return;
    }
    let mut session = admin();
    let key = unique("key");
    assert_eq!(run(&mut session, &["SET", &key, "a\r\n+b"]), Reply::Text(Secret::new("OK")));
    assert_eq!(run(&mut session, &["GET", &key]), Reply::Text(Secret::new("a\r\n+b")));
    assert_eq!(run(&mut session, &["DEL", &key]), Reply::Integer(1));
    assert_eq!(run(&mut session, &["GET", &key]), Reply::Nothing);
    let error = session.run(&[b"ACL", b"SETUSER", b"x", b"!not-a-hash"]).unwrap_err();
    assert_eq!(error, SessionError::Refused("the server refuses the command".into()));
}
