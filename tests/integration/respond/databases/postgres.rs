//! Roles of PostgreSQL.

use std::{fs, net::TcpListener};

use hekate::{
    inventory::Postgres,
    model::Secret,
    provider::login::{Service, SessionError, SqlSession},
    respond::target::{Accepts, Act, PostgresRole, Target, Trouble},
};

use super::{
    ADMIN, PATIENCE, Pair, World, are_running, connect, login, port, proxy, setting, sql, text, unique,
};

fn admin() -> SqlSession {
    let mut session = sql("hekate_admin", &setting("ADMIN_PASSWORD"));
    // What a test prepares is not what hekate did.
    run(&mut session, "SET log_statement TO 'none'");
    session
}

fn run(session: &mut SqlSession, statement: &str) -> Vec<Vec<Option<String>>> {
    session.run(&Secret::new(statement)).unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// Makes a role with the old value as its password.
fn make(name: &str, options: &str, pair: &Pair) {
    let quoted = name.replace('"', "\"\"");
    run(&mut admin(), &format!("CREATE ROLE \"{quoted}\" LOGIN {options} PASSWORD '{}'", text(&pair.old)));
}

fn target(role: &str) -> Postgres {
    Postgres {
        host: "127.0.0.1".into(),
        port: port("POSTGRES"),
        database: "hekate".into(),
        role: role.into(),
        replication: false,
        admin_url_env: Some(ADMIN.into()),
    }
}

fn admin_url(port: u16) -> String {
    format!("postgres://hekate_admin:{}@127.0.0.1:{port}/hekate?sslmode=disable", setting("ADMIN_PASSWORD"))
}

fn world() -> World {
    World::new(Some(admin_url(port("POSTGRES"))))
}

/// What the server wrote of everybody so far.
fn log() -> String {
    String::from_utf8_lossy(&fs::read(setting("POSTGRES_LOG")).expect("read the server's log")).into_owned()
}

fn why(result: Result<(), Trouble>) -> String {
    match result {
        Err(Trouble::Refused(why)) => why,
        other => panic!("not refused but {other:?}"),
    }
}

#[test]
fn a_role_is_rotated_and_no_log_holds_either_value() {
    if !are_running() {
        return;
    }
    let (world, pair, name) = (world(), Pair::new(), unique("rotated_"));
    make(&name, "", &pair);
    let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
    pair.done(&role, Act::Check);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::Yes, Accepts::No));

    let mut session = sql(&name, text(&pair.old));
    pair.done(&role, Act::Introduce);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
    assert!(!role.overlaps() && role.requests(Act::Retire).is_none());
    pair.done(&role, Act::Retire);

    run(&mut session, "SELECT 1");
    pair.done(&role, Act::EndSessions);
    assert!(matches!(session.run(&Secret::new("SELECT 1")), Err(SessionError::Unclear(_))));
    assert_eq!(role.remains(&pair.values()), Ok(Vec::new()));

    pair.done(&role, Act::Withdraw);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::Yes, Accepts::No));
    let log = log();
    assert!(log.contains(&format!("ALTER ROLE \"{name}\" PASSWORD 'SCRAM-SHA-256$4096:")));
    assert!(!log.contains(text(&pair.old)) && !log.contains(text(&pair.new)));
}

#[test]
fn a_contained_role_has_no_session_and_neither_value_counts_as_refused() {
    if !are_running() {
        return;
    }
    let (world, pair, name) = (world(), Pair::new(), unique("contained_"));
    make(&name, "", &pair);
    let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
    let mut session = sql(&name, text(&pair.old));
    pair.done(&role, Act::Contain);
    assert!(matches!(session.run(&Secret::new("SELECT 1")), Err(SessionError::Unclear(_))));
    assert!(matches!(role.accepts(&pair.old), Accepts::Unknown(why) if why.contains("may not log in")));
    assert_eq!(role.accepts(&pair.new), Accepts::No);
    // The new password does not give the login back: that is for `Release`.
    pair.done(&role, Act::Introduce);
    assert!(matches!(role.accepts(&pair.new), Accepts::Unknown(_)));
    assert_eq!(role.accepts(&pair.old), Accepts::No);
    pair.done(&role, Act::Release);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
}

#[test]
fn a_role_without_an_administrator_changes_itself() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("own_"));
    make(&name, "", &pair);
    let own_url = format!("postgres://{name}:{}@127.0.0.1:{}/hekate", text(&pair.old), port("POSTGRES"));
    for (world, variable) in [(World::new(None), None), (World::new(Some(own_url)), Some(ADMIN.to_owned()))] {
        let target = Postgres { admin_url_env: variable, ..target(&name) };
        let role = PostgresRole::new(&target, world.means()).expect("a target");
        pair.done(&role, Act::Check);
        assert!(role.requests(Act::Contain).is_none() && role.requests(Act::Release).is_none());
        pair.done(&role, Act::Contain);
        assert_eq!(role.accepts(&pair.old), Accepts::Yes);
        let mut session = sql(&name, text(&pair.old));
        pair.done(&role, Act::Introduce);
        assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
        pair.done(&role, Act::Check);
        pair.done(&role, Act::EndSessions);
        assert!(session.run(&Secret::new("SELECT 1")).is_err());
        pair.done(&role, Act::Withdraw);
        assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::Yes, Accepts::No));
    }
    assert!(!log().contains(text(&pair.new)));
    let stranger = Pair::new();
    let role =
        PostgresRole::new(&Postgres { admin_url_env: None, ..target(&name) }, World::new(None).means())
            .map(|role| why(stranger.perform(&role, Act::Introduce)));
    assert!(role.expect("a target").contains("none of the passwords"));
}

#[test]
fn a_check_says_what_is_missing_before_anything_is_changed() {
    if !are_running() {
        return;
    }
    let pair = Pair::new();
    let (plain, mighty, expired, standby, weak) =
        (unique("plain_"), unique("super_"), unique("expired_"), unique("standby_"), unique("weak_"));
    make(&plain, "", &pair);
    make(&mighty, "SUPERUSER", &pair);
    make(&expired, "VALID UNTIL '2001-01-01'", &pair);
    make(&standby, "REPLICATION", &pair);
    make(&weak, "", &pair);
    let check = |role: &str, admin: &str| {
        let password =
            if admin == "hekate_admin" { setting("ADMIN_PASSWORD") } else { text(&pair.old).into() };
        let world = World::new(Some(format!("postgres://{admin}:{password}@127.0.0.1:{}", port("POSTGRES"))));
        let role = PostgresRole::new(&target(role), world.means()).expect("a target");
        pair.perform(&role, Act::Check).map_or_else(|trouble| why(Err(trouble)), |()| "fine".into())
    };
    assert_eq!(check(&mighty, "hekate_admin"), "fine");
    assert_eq!(check(&standby, "hekate_admin"), "fine");
    assert!(check(&unique("nobody_"), "hekate_admin").contains("there is no such role"));
    assert!(check(&expired, "hekate_admin").contains("VALID UNTIL"));
    assert!(check(&plain, &weak).contains("CREATEROLE"));
    run(&mut admin(), &format!("ALTER ROLE {weak} CREATEROLE"));
    assert!(check(&plain, &weak).contains("pg_signal_backend"));
    run(&mut admin(), &format!("GRANT pg_signal_backend TO {weak}"));
    assert_eq!(check(&plain, &weak), "fine");
    assert!(check(&mighty, &weak).contains("only a superuser"));
    assert!(check(&standby, &weak).contains("replication"));

    // What the check foretells is what the server says.
    let world =
        World::new(Some(format!("postgres://{weak}:{}@127.0.0.1:{}", text(&pair.old), port("POSTGRES"))));
    for refused in [&mighty, &standby] {
        let role = PostgresRole::new(&target(refused), world.means()).expect("a target");
        assert!(why(pair.perform(&role, Act::Introduce)).contains("lacks the right (42501)"));
    }
    let role = PostgresRole::new(&target(&plain), world.means()).expect("a target");
    pair.done(&role, Act::Contain);
    pair.done(&role, Act::Introduce);
    pair.done(&role, Act::Release);
    assert_eq!(role.accepts(&pair.new), Accepts::Yes);
}

#[test]
fn hostile_names_are_names() {
    if !are_running() {
        return;
    }
    let victim = Pair::new();
    let bystander = unique("bystander_");
    make(&bystander, "", &victim);
    for start in [r#"q"; DROP ROLE x; --"#, r"b\'; SELECT 1; --", "ünï", "a b$$c$$", "'||'"] {
        let (world, pair, name) = (world(), Pair::new(), unique(start));
        make(&name, "", &pair);
        let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
        let mut session = sql(&name, text(&pair.old));
        let mut other = sql(&bystander, text(&victim.old));
        for act in [Act::Check, Act::Contain, Act::Introduce, Act::Release, Act::EndSessions] {
            pair.done(&role, act);
        }
        assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes), "{name}");
        assert!(session.run(&Secret::new("SELECT 1")).is_err());
        run(&mut other, "SELECT 1");
    }
}

#[test]
fn a_standbys_role_is_proved_by_a_login_for_replication() {
    if !are_running() {
        return;
    }
    let (world, pair, name) = (world(), Pair::new(), unique("replica_"));
    make(&name, "REPLICATION", &pair);
    let target = Postgres { replication: true, ..target(&name) };
    let role = PostgresRole::new(&target, world.means()).expect("a target");
    pair.done(&role, Act::Introduce);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
    assert!(role.remains(&pair.values()).expect("notes")[0].contains("primary_conninfo"));
    let alone = Postgres { admin_url_env: None, ..target };
    assert!(PostgresRole::new(&alone, world.means()).expect_err("it can't").contains("admin_url_env"));
}

#[test]
fn a_lost_answer_is_unclear_and_doing_it_again_ends_it() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("lost_"));
    make(&name, "", &pair);
    let through = proxy::losing_answer_to("ALTER ROLE", port("POSTGRES"));
    let lossy = World::new(Some(admin_url(through)));
    let role =
        PostgresRole::new(&Postgres { port: through, ..target(&name) }, lossy.means()).expect("a target");
    assert!(matches!(pair.perform(&role, Act::Introduce), Err(Trouble::Unclear(_))));
    // It was done: the proxy let it through.
    assert_eq!(role.accepts(&pair.new), Accepts::Yes);
    let world = world();
    let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
    pair.done(&role, Act::Introduce);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
}

#[test]
fn sessions_that_may_not_be_ended_after_the_login_was_taken_are_not_told_as_nothing_done() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("half_"));
    make(&name, "", &pair);
    let through = proxy::losing_answer_to("pg_terminate_backend", port("POSTGRES"));
    let lossy = World::new(Some(admin_url(through)));
    let role =
        PostgresRole::new(&Postgres { port: through, ..target(&name) }, lossy.means()).expect("a target");
    let trouble = pair.perform(&role, Act::Contain).expect_err("the answer is lost");
    assert!(matches!(&trouble, Trouble::Unclear(why) if why.contains("its login was taken")), "{trouble:?}");
    assert!(matches!(role.accepts(&pair.old), Accepts::Unknown(_)));
}

#[test]
fn what_never_got_there_is_refused() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("away_"));
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("it is bound").port()
    };
    let world = World::new(Some(admin_url(closed)));
    let role =
        PostgresRole::new(&Postgres { port: closed, ..target(&name) }, world.means()).expect("a target");
    assert!(why(pair.perform(&role, Act::Introduce)).contains("connect to 127.0.0.1"));
    assert!(matches!(role.accepts(&pair.new), Accepts::Unknown(_)));
    let wrong = format!("postgres://hekate_admin:{}@127.0.0.1:{}", text(&pair.new), port("POSTGRES"));
    let world = World::new(Some(wrong));
    let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
    assert!(why(pair.perform(&role, Act::Introduce)).contains("refuses the administrator's password"));
}

#[test]
fn verified_tls_is_held_to_by_both_logins() {
    if !are_running() {
        return;
    }
    let (pair, name) = (Pair::new(), unique("tls_"));
    make(&name, "", &pair);
    let url = |more: &str| {
        let (password, port) = (setting("ADMIN_PASSWORD"), port("POSTGRES"));
        World::new(Some(format!("postgres://hekate_admin:{password}@LOCALHOST:{port}/hekate?{more}")))
    };
    let target = Postgres { host: "localhost".into(), ..target(&name) };
    let world = url(&format!("sslmode=verify-full&sslrootcert={}", setting("CA")));
    let role = PostgresRole::new(&target, world.means()).expect("a target");
    pair.done(&role, Act::Introduce);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::No, Accepts::Yes));
    let world = url("sslmode=require");
    let role = PostgresRole::new(&target, world.means()).expect("a target");
    assert!(why(pair.perform(&role, Act::Introduce)).contains("not trusted"));
    assert!(matches!(role.accepts(&pair.new), Accepts::Unknown(_)));
}

#[test]
fn a_password_beyond_ascii_comes_back_as_it_was() {
    if !are_running() {
        return;
    }
    let (world, name) = (world(), unique("accents_"));
    let pair = Pair { old: Secret::new(unique("pässwörd-ﬁ-")), new: Secret::new(unique("n")) };
    run(&mut admin(), &format!("CREATE ROLE {name} LOGIN PASSWORD '{}'", text(&pair.old)));
    let role = PostgresRole::new(&target(&name), world.means()).expect("a target");
    assert_eq!(role.accepts(&pair.old), Accepts::Yes);
    pair.done(&role, Act::Introduce);
    pair.done(&role, Act::Withdraw);
    assert_eq!((role.accepts(&pair.old), role.accepts(&pair.new)), (Accepts::Yes, Accepts::No));
}

#[test]
fn a_session_gives_rows_as_text_and_says_nothing_of_what_it_was_told() {
    if !are_running() {
        return;
    }
    let mut session = admin();
    let rows = run(&mut session, "SELECT 1, NULL, 'a''b' UNION ALL SELECT 2, 'x', ''");
    let cell = |text: &str| Some(text.to_owned());
    assert_eq!(rows, [vec![cell("1"), None, cell("a'b")], vec![cell("2"), cell("x"), cell("")]]);
    let secret = unique("verifier");
    let error = session.run(&Secret::new(format!("ALTER ROLE nobody PASSWORD {secret}"))).unwrap_err();
    assert_eq!(error, SessionError::Refused("the server refuses the statement (42601)".into()));
    // The session goes on after an error.
    assert_eq!(run(&mut session, "SELECT 3"), [[cell("3")]]);
    let target = login(Service::Postgres, port("POSTGRES"), "hekate_disabled", &setting("PASSWORD"));
    let refused = SqlSession::open(&target, connect(target.port), PATIENCE).err();
    assert!(matches!(refused, Some(SessionError::NotOpen(_))), "{refused:?}");
}
