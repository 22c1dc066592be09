//! Logins to real servers, which `tests/run.sh` starts. Without it, these tests say so and do nothing.

use std::{env, fs, net::TcpStream, path::Path, time::Duration};

use hekate::{
    model::{Secret, Verdict},
    provider::{
        Outcome,
        login::{Service, Target, Tls, log_in},
    },
};

use crate::harness::Project;

/// The servers of `tests/services.sh`.
struct Servers;

impl Servers {
    #[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
    fn running() -> Option<Self> {
        if env::var_os("HEKATE_TEST_SERVICES").is_none() {
            eprintln!("skipped: no servers; run the tests by tests/run.sh");
            return None;
        }
        Some(Self)
    }

    fn value(name: &str) -> String {
        env::var(format!("HEKATE_TEST_{name}")).expect("tests/services.sh sets it")
    }

    fn authority() -> Vec<u8> {
        fs::read(Self::value("CA")).expect("read the authority of the tests")
    }

    /// Somebody with the right password, at the server on this port.
    fn target(service: Service, server: &str, user: &str) -> Target {
        Target {
            service,
            host: "localhost".into(),
            port: Self::value(&format!("{server}_PORT")).parse().expect("a port"),
            user: Some(user.into()).filter(|user: &String| !user.is_empty()),
            password: Secret::new(Self::value("PASSWORD")),
            database: None,
            tls: Tls::Off,
            is_replication: false,
        }
    }
}

fn postgres(user: &str) -> Target {
    Target {
        database: Some("hekate".into()),
        ..Servers::target(Service::Postgres, "POSTGRES", &format!("hekate_{user}"))
    }
}

fn mysql(user: &str) -> Target {
    Servers::target(Service::Mysql, "MYSQL", &format!("hekate_{user}"))
}

fn verified(target: Target) -> Target {
    Target { tls: Tls::Required { ca: Some(Servers::authority()) }, ..target }
}

fn preferred(target: Target) -> Target {
    Target { tls: Tls::Preferred { ca: None }, ..target }
}

fn wrong(target: Target) -> Target {
    Target { password: Secret::new("of somebody else"), ..target }
}

fn outcome(target: &Target) -> Outcome {
    let stream = TcpStream::connect(("127.0.0.1", target.port)).expect("connect to a server of the tests");
    log_in(target, stream, Duration::from_secs(30))
}

fn verdict(target: &Target) -> Verdict {
    outcome(target).verdict
}

/// Asserts that nobody can tell, for a reason with these words in it.
fn assert_unknown(target: &Target, words: &str) {
    match verdict(target) {
        Verdict::Unknown(why) if why.contains(words) => {}
        other => panic!("{:?} {:?}: {other}, and not for {words:?}", target.user, target.tls),
    }
}

#[test]
fn postgres_tells_right_wrong_expired_and_disabled_apart() {
    let Some(_) = Servers::running() else { return };
    for by in [|target| target, preferred, verified] {
        assert_eq!(verdict(&by(postgres("scram"))), Verdict::Active);
        assert_eq!(verdict(&by(wrong(postgres("scram")))), Verdict::Inactive);
        assert_eq!(verdict(&by(postgres("nobody"))), Verdict::Inactive);
        assert_eq!(verdict(&by(postgres("expired"))), Verdict::Inactive);
        assert_eq!(verdict(&by(postgres("disabled"))), Verdict::Disabled);
        assert_eq!(verdict(&by(wrong(postgres("disabled")))), Verdict::Inactive);
        assert_eq!(verdict(&by(postgres("full"))), Verdict::Active);
        assert_unknown(&by(postgres("rejected")), "28000");
        assert_unknown(&by(postgres("trust")), "without a password");
    }
}

#[test]
fn a_postgres_database_that_is_not_there_does_not_hide_that_the_password_is_right() {
    let Some(_) = Servers::running() else { return };
    let elsewhere = |target| Target { database: Some("nowhere".into()), ..target };
    assert_eq!(
        outcome(&elsewhere(postgres("scram"))),
        Outcome::of(Verdict::Active).with_detail("the database does not exist")
    );
    assert_eq!(verdict(&elsewhere(wrong(postgres("scram")))), Verdict::Inactive);
}

#[test]
fn a_standby_logs_in_for_replication_and_others_lack_the_privilege() {
    let Some(_) = Servers::running() else { return };
    let standby = |target| Target { is_replication: true, database: None, ..target };
    assert_eq!(verdict(&standby(postgres("replication"))), Verdict::Active);
    assert_eq!(verdict(&standby(wrong(postgres("replication")))), Verdict::Inactive);
    assert_eq!(verdict(&standby(postgres("scram"))), Verdict::Restricted);
}

#[test]
fn md5_and_clear_text_are_answered_in_verified_tls_only() {
    let Some(_) = Servers::running() else { return };
    for user in ["md5", "clear"] {
        assert_unknown(&postgres(user), "without verified TLS");
        assert_unknown(&preferred(postgres(user)), "without verified TLS");
        assert_eq!(verdict(&verified(postgres(user))), Verdict::Active);
        assert_eq!(verdict(&verified(wrong(postgres(user)))), Verdict::Inactive);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_or_for_another_name_gets_no_login() {
    let Some(_) = Servers::running() else { return };
    let untrusted = Target { tls: Tls::Required { ca: None }, ..postgres("scram") };
    assert_unknown(&untrusted, "not trusted");
    assert_unknown(&Target { host: "db.example".into(), ..verified(postgres("scram")) }, "another name");
    let no_authority = Tls::Required { ca: Some(b"no PEM".to_vec()) };
    assert_unknown(&Target { tls: no_authority, ..postgres("scram") }, "file of authorities");
}

#[test]
fn a_login_to_postgres_runs_no_query() {
    let Some(_) = Servers::running() else { return };
    assert_eq!(verdict(&postgres("replication")), Verdict::Active);
    let log = fs::read(Path::new(&Servers::value("SERVICES")).join("postgres.log")).expect("read its log");
    let log = String::from_utf8_lossy(&log);
    let of_the_role: Vec<&str> = log.lines().filter(|line| line.starts_with("hekate_replication ")).collect();
    assert!(of_the_role.iter().any(|line| line.contains("connection authorized")));
    assert!(!of_the_role.iter().any(|line| line.contains("statement:")));
}

#[test]
fn mysql_tells_right_wrong_locked_and_expired_apart() {
    let Some(_) = Servers::running() else { return };
    for by in [preferred, verified] {
        assert_eq!(verdict(&by(mysql("native"))), Verdict::Active);
        assert_eq!(verdict(&by(wrong(mysql("native")))), Verdict::Inactive);
        assert_eq!(verdict(&by(mysql("nobody"))), Verdict::Inactive);
        assert_eq!(verdict(&by(mysql("locked"))), Verdict::Disabled);
        assert_eq!(verdict(&by(wrong(mysql("locked")))), Verdict::Inactive);
        assert_eq!(verdict(&by(mysql("expired"))), Verdict::Restricted);
        assert_eq!(verdict(&by(wrong(mysql("expired")))), Verdict::Inactive);
        assert_eq!(verdict(&by(mysql("tls"))), Verdict::Active);
        assert_unknown(&by(mysql("ed25519")), "client_ed25519");
    }
    assert_eq!(verdict(&mysql("native")), Verdict::Active);
    assert_unknown(&wrong(mysql("native")), "without TLS");
    assert_unknown(&mysql("tls"), "without TLS");
}

#[test]
fn redis_tells_right_and_wrong_apart_and_calls_a_user_who_is_off_inactive() {
    let Some(_) = Servers::running() else { return };
    let plain = |user: &str| preferred(Servers::target(Service::Redis, "REDIS", user));
    let in_tls = |user: &str| verified(Servers::target(Service::Redis, "REDIS_TLS", user));
    for by in [&plain as &dyn Fn(&str) -> Target, &in_tls] {
        for user in ["", "default", "hekate_on"] {
            assert_eq!(verdict(&by(user)), Verdict::Active, "{user:?}");
            assert_eq!(verdict(&wrong(by(user))), Verdict::Inactive, "{user:?}");
        }
        assert_eq!(verdict(&by("hekate_off")), Verdict::Inactive);
        assert_eq!(verdict(&by("nobody")), Verdict::Inactive);
    }
    assert_unknown(&preferred(Servers::target(Service::Redis, "REDIS_OPEN", "")), "no password is set");
    assert_unknown(
        &preferred(Servers::target(Service::Redis, "REDIS_OPEN", "default")),
        "no password is set",
    );
    let speaks_no_tls = verified(Servers::target(Service::Redis, "REDIS", ""));
    assert!(matches!(verdict(&speaks_no_tls), Verdict::Unknown(_)));
}

#[test]
fn nats_tells_right_and_wrong_apart() {
    let Some(_) = Servers::running() else { return };
    let plain = preferred(Servers::target(Service::Nats, "NATS", "hekate"));
    let in_tls = verified(Servers::target(Service::Nats, "NATS_TLS", "hekate"));
    for target in [plain, in_tls] {
        assert_eq!(verdict(&target), Verdict::Active);
        assert_eq!(verdict(&wrong(target.clone())), Verdict::Inactive);
        assert_eq!(verdict(&Target { user: Some("nobody".into()), ..target }), Verdict::Inactive);
    }
    assert_unknown(&Servers::target(Service::Nats, "NATS_TLS", "hekate"), "demands it");
    assert_unknown(&Servers::target(Service::Nats, "NATS_OPEN", "hekate"), "asks nobody");
}

#[test]
fn a_server_of_another_kind_tells_nothing() {
    let Some(_) = Servers::running() else { return };
    let servers = [
        ("POSTGRES", Service::Postgres),
        ("MYSQL", Service::Mysql),
        ("REDIS", Service::Redis),
        ("NATS", Service::Nats),
    ];
    for (server, there) in servers {
        for (_, other) in servers.iter().filter(|(_, service)| *service != there) {
            let mut target = preferred(Servers::target(*other, server, "hekate"));
            target.password = Secret::new("never sent to anybody");
            let stream = TcpStream::connect(("127.0.0.1", target.port)).expect("connect");
            let outcome = log_in(&target, stream, Duration::from_secs(1));
            assert!(matches!(outcome.verdict, Verdict::Unknown(_)), "{other:?} at {server}");
        }
    }
}

#[test]
fn verify_logs_in_where_trusted_config_says_and_nowhere_else() {
    if Servers::running().is_none() {
        return;
    }
    let right = Servers::value("PASSWORD");
    let wrong = right.chars().rev().collect::<String>();
    let [postgres, redis, nats] =
        ["POSTGRES", "REDIS", "NATS"].map(|name| Servers::value(&format!("{name}_PORT")));
    let database = |service: &str, port: &str| {
        format!(
            "[[verify.databases]]\ntype = \"{service}\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"off\"\n"
        )
    };
    let trusted = [("postgres", &postgres), ("redis", &redis), ("nats", &nats)]
        .map(|(name, port)| database(name, port));
    for (url, expected) in [
        (format!("postgres://hekate_scram:{right}@127.0.0.1:{postgres}/postgres"), "active"),
        (format!("postgres://hekate_scram:{wrong}@127.0.0.1:{postgres}/postgres"), "inactive"),
        (format!("postgres://hekate_disabled:{right}@127.0.0.1:{postgres}/postgres"), "disabled"),
        (format!("redis://default:{right}@127.0.0.1:{redis}/0"), "active"),
        (format!("redis://default:{wrong}@127.0.0.1:{redis}/0"), "inactive"),
        (format!("redis://hekate_off:{right}@127.0.0.1:{redis}/0"), "inactive"),
        (format!("nats://hekate:{right}@127.0.0.1:{nats}"), "active"),
        (format!("nats://hekate:{wrong}@127.0.0.1:{nats}"), "inactive"),
        (format!("postgres://hekate_scram:{right}@attacker.example:{postgres}/postgres"), "unknown"),
    ] {
        let project = Project::new();
        project.file("trusted.toml", trusted.concat()).file("a.env", format!("URL={url}\n"));
        let outcome = project.scan(&["a.env", "--config", "trusted.toml", "--verify"]);
        let verdicts: Vec<String> =
            outcome.findings().iter().map(|one| crate::harness::text(&one["verdict"])).collect();
        assert!(verdicts.len() == 1 && verdicts[0].starts_with(expected), "{expected}: {verdicts:?}");
    }
}
