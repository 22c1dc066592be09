//! Dragonfly, by a double that speaks as its sources do: passwords in a set, `>`, `<` and `resetpass` and no hashes, clients known by their
//! ids only. One of its kinds keeps the old password whatever it is told, as `CONFIG SET requirepass` did.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use hekate::{
    inventory::{Cache, CacheFlavour},
    provider::login::CacheSession,
    respond::target::{Accepts, Act, CacheUser, Target},
};

use super::{Pair, World, cache, text};

/// The server's state, which each client's thread changes.
pub(in crate::respond) struct State {
    pub(in crate::respond) passwords: BTreeSet<String>,
    pub(in crate::respond) keeps_all: bool,
    clients: BTreeMap<usize, TcpStream>,
    heard: Vec<String>,
}

pub(in crate::respond) type Shared = Arc<Mutex<State>>;

/// A Dragonfly with this password of its only user, `default`. Gives its port, and what it is like.
pub(in crate::respond) fn start(password: &str, keeps_all: bool) -> (u16, Shared) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let state = Arc::new(Mutex::new(State {
        passwords: BTreeSet::from([password.to_owned()]),
        keeps_all,
        clients: BTreeMap::new(),
        heard: Vec::new(),
    }));
    let shared = state.clone();
    thread::spawn(move || {
        for (id, client) in listener.incoming().enumerate() {
            let (client, state) = (client.expect("a client"), shared.clone());
            state.lock().expect("its state").clients.insert(id, client.try_clone().expect("a second handle"));
            thread::spawn(move || {
                serve(id, &client, &state);
                state.lock().expect("its state").clients.remove(&id);
            });
        }
    });
    (port, state)
}

fn serve(id: usize, client: &TcpStream, state: &Shared) {
    let mut reader = BufReader::new(client);
    let mut is_in = false;
    while let Some(words) = command(&mut reader) {
        let answer = answer(id, &words, &mut is_in, &mut state.lock().expect("its state"));
        if (&mut &*client).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut number = |sign: char| -> Option<usize> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.trim_end().strip_prefix(sign)?.parse().ok()
    };
    let count = number('*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length: usize = line.trim_end().strip_prefix('$')?.parse().ok()?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word).ok()?;
        words.push(String::from_utf8_lossy(&word[..length]).into_owned());
    }
    Some(words)
}

fn answer(id: usize, words: &[String], is_in: &mut bool, state: &mut State) -> String {
    let ok = || "+OK\r\n".to_owned();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words[0] != "AUTH" {
        state.heard.push(words.join(" "));
    }
    match words.as_slice() {
        ["AUTH", .., password] => {
            *is_in = state.passwords.contains(*password);
            if *is_in {
                ok()
            } else {
                "-WRONGPASS invalid username-password pair or user is disabled.\r\n".into()
            }
        }
        _ if !*is_in => "-NOAUTH Authentication required.\r\n".into(),
        ["PING"] => "+PONG\r\n".into(),
        ["ACL", "GETUSER", "default"] => {
            "*6\r\n+flags\r\n*1\r\n+on\r\n+passwords\r\n*1\r\n+0123456789abcde\r\n+commands\r\n+@all\r\n"
                .into()
        }
        ["ACL", "SETUSER", "default", rules @ ..] => {
            for rule in rules {
                match rule.split_at(1) {
                    (">", password) => drop(state.passwords.insert(password.to_owned())),
                    _ if *rule == "resetpass" && state.keeps_all => {}
                    _ if *rule == "resetpass" => state.passwords.clear(),
                    _ => return "-ERR Unrecognized parameter\r\n".into(),
                }
            }
            ok()
        }
        ["ACL", "SAVE"] => "-ERR Dragonfly is not configured to use an ACL file.\r\n".into(),
        ["CLIENT", "ID"] => format!(":{id}\r\n"),
        ["CLIENT", "LIST"] => {
            let lines: String =
                state.clients.keys().map(|id| format!("id={id} addr=127.0.0.1:1 name= age=0\n")).collect();
            format!("${}\r\n{lines}\r\n", lines.len())
        }
        ["CLIENT", "KILL", "ID", id] => match id.parse().ok().and_then(|id: usize| state.clients.get(&id)) {
            Some(client) => {
                client.shutdown(Shutdown::Both).expect("close a client");
                ok()
            }
            None => "-ERR No such client\r\n".into(),
        },
        ["CLIENT", "KILL", ..] => "-ERR syntax error\r\n".into(),
        ["CONFIG", "GET", _] => "*0\r\n".into(),
        ["ROLE"] => "*2\r\n$6\r\nmaster\r\n*0\r\n".into(),
        ["QUIT"] => ok(),
        _ => "-ERR unknown command\r\n".into(),
    }
}

fn target(port: u16) -> Cache {
    Cache {
        flavour: CacheFlavour::Dragonfly,
        host: "127.0.0.1".into(),
        port,
        user: "default".into(),
        tls: false,
        admin_url_env: None,
    }
}

#[test]
fn dragonfly_is_told_the_value_and_forgets_the_old_one() {
    let (world, pair) = (World::new(None), Pair::new());
    let (port, state) = start(text(&pair.old), false);
    let user = CacheUser::new(&target(port), world.means()).expect("a target");
    let accepted = || (user.accepts(&pair.old), user.accepts(&pair.new));
    let mut session: CacheSession = cache(port, "default", text(&pair.old));
    pair.done(&user, Act::Check);
    pair.done(&user, Act::Introduce);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::Yes));
    pair.done(&user, Act::Withdraw);
    assert_eq!(accepted(), (Accepts::Yes, Accepts::No));
    pair.done(&user, Act::Introduce);
    pair.done(&user, Act::Retire);
    assert_eq!(accepted(), (Accepts::No, Accepts::Yes));
    session.run(&[b"PING"]).expect("a session outlives its password");
    pair.done(&user, Act::EndSessions);
    assert!(session.run(&[b"PING"]).is_err());
    let notes = user.remains(&pair.values()).expect("notes");
    assert!(
        notes[0].contains("the server has no ACL file") && notes[1].contains("--requirepass"),
        "{notes:?}"
    );
    let heard = &state.lock().expect("its state").heard;
    assert!(!heard.iter().any(|command| command.starts_with("CONFIG SET") || command.contains('#')));
}

#[test]
fn a_server_that_keeps_the_old_password_is_found_out() {
    let (world, pair) = (World::new(None), Pair::new());
    let (port, _) = start(text(&pair.old), true);
    let user = CacheUser::new(&target(port), world.means()).expect("a target");
    pair.done(&user, Act::Introduce);
    pair.done(&user, Act::Retire);
    assert_eq!((user.accepts(&pair.old), user.accepts(&pair.new)), (Accepts::Yes, Accepts::Yes));
}
