//! Caches fail: those where both values are valid for a while, and one that never forgets.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use hekate::{
    model::Secret,
    provider::login::{CacheSession, Service, Target, Tls},
};

use super::{
    Stage,
    wire::{Fault, Wire},
};
use crate::respond::{
    databases::dragonfly,
    platform::{Platform, random, servers, setting},
};

const NAME: &str = "DRAGONFLY_PASSWORD";
/// Redis is told a hash to add, or to take away.
const INTRODUCE: &str = "\r\n#";
const RETIRE: &str = "\r\n!";

fn log_in(port: u16, user: &str, password: &str) -> Result<CacheSession, String> {
    let target = Target {
        service: Service::Redis,
        host: "127.0.0.1".into(),
        port,
        user: Some(user.into()),
        password: Secret::new(password),
        database: None,
        tls: Tls::Off,
        is_replication: false,
    };
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect to the cache");
    CacheSession::open(&target, stream, Duration::from_secs(20)).map_err(|error| error.to_string())
}

/// A user of a server, with a wire before it.
fn stage(server: u16, flavour: &str, user: &str, old: &str, more: &str) -> Stage {
    let wire = Wire::to(server);
    let entry = format!(
        "  {NAME}:\n    environments: [production]\n    kind: cache-password\n    \
         target: {{ type: {flavour}, host: localhost, port: {}, user: {user}{more} }}\npolicies:\n",
        wire.port
    );
    let platform = Platform::with(|inventory| {
        inventory
            .replace("[POSTGRES_PASSWORD]", &format!("[POSTGRES_PASSWORD, {NAME}]"))
            .replace("policies:\n", &entry)
    });
    let platform = platform.expect("the servers run");
    let lines = platform.project.read("outside/store/production/infrastructure.env");
    platform.project.file("outside/store/production/infrastructure.env", format!("{lines}{NAME}={old}\n"));
    let user = user.to_owned();
    Stage::of(platform, wire, NAME, move |_, value| log_in(server, &user, value).is_ok())
}

/// A user of one of the tests' Redis servers, changed by an administrator.
fn redis(server: &str) -> Option<Stage> {
    if !servers() {
        return None;
    }
    let port: u16 = setting(&format!("{server}_PORT")).parse().expect("a port");
    let (user, old) = (format!("user_{}", random(10)), random(40));
    let (admin, password) = if server == "REDIS" {
        ("hekate_admin".to_owned(), setting("ADMIN_PASSWORD"))
    } else {
        (format!("admin_{}", random(10)), random(30))
    };
    let make = |user: &str, password: &str| format!("ACL SETUSER {user} on >{password} ~* &* +@all\r\n");
    // The open one lets anybody in as its default user.
    let first =
        if server == "REDIS" { format!("AUTH {admin} {password}\r\n") } else { make(&admin, &password) };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect to the cache");
    stream.write_all(format!("{first}{}", make(&user, &old)).as_bytes()).expect("make a user");
    let mut answers = [0; 10];
    stream.read_exact(&mut answers).expect("two answers");
    assert_eq!(&answers, b"+OK\r\n+OK\r\n");
    let stage = stage(port, "redis", &user, &old, ", admin_url_env: HEKATE_REDIS_ADMIN_URL");
    let url = format!("redis://{admin}:{password}@localhost:{}", stage.wire.port);
    Some(stage.variable("HEKATE_REDIS_ADMIN_URL", url))
}

#[test]
fn both_passwords_are_valid_while_it_is_not_known_how_far_it_is() {
    let Some(stage) = redis("REDIS") else { return };
    for (words, fault, step, is_new_valid, is_old_valid) in [
        (INTRODUCE, Fault::LoseAndDown, "introduce failed", true, true),
        (INTRODUCE, Fault::CutAndDown, "introduce failed", false, true),
        (RETIRE, Fault::LoseAndDown, "retire failed", true, false),
        (RETIRE, Fault::CutAndDown, "retire failed", true, true),
    ] {
        stage.begin();
        stage.plan().wire.when(words, fault);
        stage.apply().stops(&[step, "resume it once that is mended"]);
        let (kept, before) = (stage.kept(), stage.before.borrow().clone());
        assert_eq!(
            (stage.is_accepted(&kept[0]), stage.is_accepted(&before.1)),
            (is_new_valid, is_old_valid),
            "{step}"
        );
        assert_eq!(stage.stored() == before, words == INTRODUCE);
        stage.wire.set_down(false);
        stage.finish();
    }
}

#[test]
fn an_answer_of_a_cache_that_is_lost_is_found_out_by_a_login() {
    let Some(stage) = redis("REDIS") else { return };
    for words in [INTRODUCE, RETIRE] {
        stage.begin();
        stage.plan().wire.when(words, Fault::Lose);
        stage.apply().ends(0);
        stage.is_whole();
    }
    stage.begin();
    stage.plan().wire.when(INTRODUCE, Fault::Cut);
    stage.apply().stops(&["introduce", "the old value is in force"]);
    stage.is_untouched();
    stage.finish();
    stage.begin();
    stage.plan().wire.when(RETIRE, Fault::Cut);
    stage.apply().stops(&["retire failed", "resume it once that is mended"]);
    assert!(stage.is_accepted(&stage.before.borrow().1) && stage.is_accepted(&stage.stored().1));
    stage.finish();
}

#[test]
fn a_cache_that_can_not_save_its_users_is_told_of_in_the_report() {
    let Some(stage) = redis("REDIS_OPEN") else { return };
    let id = {
        stage.plan();
        stage.incident()
    };
    stage.apply().ends(0);
    stage.is_whole();
    let report =
        stage.hear(super::watch(stage.command(&["respond", "report", &id, "--state", stage.state]))).ends(0);
    let words: Vec<&str> = report.stdout.split_whitespace().collect();
    assert!(
        words.join(" ").contains("a restart of the server brings the old password back"),
        "{}",
        report.stdout
    );
    stage.tells_nothing();
}

#[test]
fn an_old_value_that_is_still_accepted_keeps_the_incident_open() {
    if !servers() {
        return;
    }
    let old = random(40);
    let (port, state) = dragonfly::start(&old, true);
    let stage = stage(port, "dragonfly", "default", &old, "");
    stage.plan();
    for outcome in [stage.apply(), stage.resume()] {
        outcome.stops(&[
            "prove-old failed",
            "the old value is still accepted",
            "resume it once that is mended",
        ]);
        let (version, value) = stage.stored();
        assert!(version == 2 && stage.is_accepted(&value) && stage.is_accepted(&old));
        assert_eq!(stage.kept(), [value]);
    }
    let id = stage.incident();
    let refused = stage.hear(super::watch(stage.command(&[
        "respond",
        "close",
        &id,
        "--reason",
        "enough",
        "--state",
        stage.state,
    ])));
    assert!(refused.ends(2).stderr.contains("half done"));
    stage.tells_nothing();
    // Somebody has restarted it with the new value only.
    state.lock().expect("its state").passwords.remove(&old);
    stage.finish();
}
