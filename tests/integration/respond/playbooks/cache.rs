//! A cache password, on the real Redis.

use std::{net::TcpStream, os::unix::fs::PermissionsExt, time::Duration};

use hekate::{
    model::Secret,
    provider::login::{CacheSession, Service, SessionError, Target, Tls},
};

use super::{
    super::platform::{random, servers, setting},
    Bench,
};

const PLACE: &str = "production:/infrastructure/REDIS_PASSWORD";

fn port() -> u16 {
    setting("REDIS_PORT").parse().expect("a port")
}

fn log_in(user: &str, password: &str) -> Result<CacheSession, SessionError> {
    let target = Target {
        service: Service::Redis,
        host: "127.0.0.1".into(),
        port: port(),
        user: Some(user.into()),
        password: Secret::new(password),
        database: None,
        tls: Tls::Off,
        is_replication: false,
    };
    let stream = TcpStream::connect(("127.0.0.1", port())).expect("connect to Redis");
    CacheSession::open(&target, stream, Duration::from_secs(30))
}

/// Runs a command as the administrator.
fn administer(words: &[&str]) {
    let mut admin = log_in("hekate_admin", &setting("ADMIN_PASSWORD")).expect("the administrator logs in");
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    admin.run(&words).expect("the administrator may do that");
}

/// A user of one test, and the bench that rotates its password. The one consumer is a program, which writes down which of both passwords
/// are accepted when it is run.
fn bench(user: &str, old: &str) -> Bench {
    let port = port();
    let password = format!(">{old}");
    administer(&["ACL", "SETUSER", user, "on", &password, "~*", "&*", "+@all"]);
    let mut bench = Bench::new(&format!(
        "
folders:
  infrastructure: [REDIS_PASSWORD]
secrets:
  REDIS_PASSWORD:
    environments: [production]
    target: {{ type: redis, host: 127.0.0.1, port: {port}, user: {user}, admin_url_env: HEKATE_REDIS_ADMIN_URL }}
    consumers:
      - {{ type: command, name: reload-app }}
"
    ));
    bench.put(PLACE, old);
    bench.set(
        "HEKATE_REDIS_ADMIN_URL",
        format!("redis://hekate_admin:{}@127.0.0.1:{port}", setting("ADMIN_PASSWORD")),
    );
    let (script, folder) = (bench.project.path("outside/reload"), bench.project.path("outside"));
    let text = format!(
        "#!/bin/sh
cd '{}' || exit 1
new=$(sed -n 's/^REDIS_PASSWORD=//p' store/production/infrastructure.env | tr -d \"'\\\"\")
for password in \"$(cat old)\" \"$new\"; do
    REDISCLI_AUTH=$password redis-cli -h 127.0.0.1 -p {port} --user {user} ping >> answers 2>> errors
done
echo \"$HEKATE_ACTION\" >> answers
",
        folder.display()
    );
    bench.project.file("outside/reload", text).file("outside/old", old);
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("make it executable");
    bench.config(&format!("[respond.commands.reload-app]\nprogram = [{:?}]\n", script.display().to_string()));
    bench
}

#[test]
fn both_passwords_are_valid_while_consumers_restart_and_the_old_one_ends_with_its_connections() {
    if !servers() {
        return;
    }
    let (user, old) = (format!("user_{}", random(12)), random(40));
    let bench = bench(&user, &old);
    let mut before = log_in(&user, &old).expect("the old password is valid");

    let plan = bench.plan(&["--secret", PLACE]);
    assert!(plan.stdout.contains("affects   command reload-app"), "{}", plan.stdout);
    let done = bench.apply(&[]).ends(0);
    let new = bench.value(PLACE);
    assert_eq!(bench.version(PLACE), 2);
    assert_eq!(
        bench.project.read("outside/answers"),
        "PONG\nPONG\nrestart\n",
        "{}",
        bench.project.read("outside/errors")
    );
    assert!(log_in(&user, &new).is_ok(), "the new password is valid");
    assert!(log_in(&user, &old).is_err(), "the old password is not");
    assert!(before.run(&[b"PING"]).is_err(), "a connection from before is cut");
    bench.is_tidy(&[&plan, &done], &[&old, &new]);
    let report = bench.report(&bench.id()).ends(0);
    assert!(report.stdout.contains("restart done: command reload-app ran"), "{}", report.stdout);
    administer(&["ACL", "DELUSER", &user]);
}

#[test]
fn a_program_that_is_not_in_trusted_config_stops_everything_before_it_begins() {
    if !servers() {
        return;
    }
    let (user, old) = (format!("user_{}", random(12)), random(40));
    let mut bench = bench(&user, &old);
    bench.config("");
    bench.plan(&["--secret", PLACE]);
    let refused = bench.apply(&[]).ends(1);
    assert!(
        refused.stderr.contains("add [respond.commands.reload-app] to the trusted config"),
        "{}",
        refused.stderr
    );
    assert_eq!((bench.version(PLACE), bench.pending()), (1, Vec::new()));
    administer(&["ACL", "DELUSER", &user]);
}
