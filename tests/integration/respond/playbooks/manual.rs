//! What a person changes: hekate makes the value, waits, and proves it. Here on a real nats-server.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use hekate::{
    model::{Secret, Verdict},
    provider::login::{self, Service, Target, Tls},
};

use super::{
    super::platform::{random, servers},
    Bench,
};

const PLACE: &str = "production:/infrastructure/NATS_SYSTEM_PASSWORD";

/// A nats-server of one test.
struct Nats {
    server: Child,
    port: u16,
    file: PathBuf,
}

impl Nats {
    fn start(file: PathBuf, password: &str) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a free port").port();
        let program = if PathBuf::from("/usr/sbin/nats-server").is_file() {
            "/usr/sbin/nats-server"
        } else {
            "nats-server"
        };
        write(&file, password);
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).args(["-a", "127.0.0.1", "-p", &port.to_string()]);
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start nats-server");
        let nats = Self { server, port, file };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return nats;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("nats-server does not listen");
    }

    /// Writes another password into the configuration and has the server read it.
    fn change(&self, password: &str) {
        write(&self.file, password);
        let sent = Command::new("kill").args(["-HUP", &self.server.id().to_string()]).status();
        assert!(sent.expect("run kill").success());
        for _ in 0..500 {
            if self.accepts(password) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("nats-server does not reload");
    }

    fn accepts(&self, password: &str) -> bool {
        let target = Target {
            service: Service::Nats,
            host: "127.0.0.1".into(),
            port: self.port,
            user: Some("sys".into()),
            password: Secret::new(password),
            database: None,
            tls: Tls::Off,
            is_replication: false,
        };
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect to nats-server");
        login::log_in(&target, stream, Duration::from_secs(30)).verdict == Verdict::Active
    }

    fn bench(&self, playbook: &str) -> Bench {
        Bench::new(&format!(
            "
folders:
  infrastructure: [NATS_SYSTEM_PASSWORD]
secrets:
  NATS_SYSTEM_PASSWORD:
    environments: [production]
    target: {{ type: nats, host: 127.0.0.1, port: {}, user: sys }}
{playbook}",
            self.port
        ))
    }
}

fn write(file: &std::path::Path, password: &str) {
    let text = format!(
        "accounts {{ SYS {{ users = [ {{ user: sys, password: \"{password}\" }} ] }} }}\nsystem_account: SYS\n"
    );
    fs::write(file, text).expect("write the configuration");
}

impl Drop for Nats {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[test]
fn a_person_changes_the_configuration_and_hekate_proves_it() {
    if !servers() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let old = random(40);
    let nats = Nats::start(folder.path().join("nats.conf"), &old);
    let bench = nats.bench("");
    bench.put(PLACE, &old);
    let plan = bench.plan(&["--secret", PLACE]);
    assert!(plan.stdout.contains("nats-server.conf"), "{}", plan.stdout);
    let waiting = bench.apply(&[]).ends(1);
    assert!(waiting.stdout.contains("introduce waits"), "{}", waiting.stdout);
    assert_eq!(bench.version(PLACE), 1);
    let (new, id) = (bench.pending_value(), bench.id());

    // Said too early, it is not believed, and the wait goes on.
    let early = bench.resume(&[&id, "--done"]).ends(1);
    assert!(early.stdout.contains("introduce waits"), "{}", early.stdout);
    assert_eq!((bench.version(PLACE), bench.pending_value()), (1, new.clone()));
    assert!(nats.accepts(&old));

    nats.change(&new);
    let done = bench.resume(&[&id, "--done"]).ends(0);
    assert_eq!((bench.value(PLACE), bench.version(PLACE)), (new.clone(), 2));
    assert!(nats.accepts(&new) && !nats.accepts(&old), "the new one alone is valid");
    bench.is_tidy(&[&plan, &waiting, &early, &done], &[&old, &new]);
    let report = bench.report(&id).ends(0);
    assert!(report.stdout.contains("introduce was done by hand, says ada"), "{}", report.stdout);
}

#[test]
fn without_a_word_resume_sees_that_it_was_done() {
    if !servers() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let old = random(40);
    let nats = Nats::start(folder.path().join("nats.conf"), &old);
    let bench = nats.bench("    playbook: manual\n");
    bench.put(PLACE, &old);
    bench.plan(&["--secret", PLACE]);
    bench.apply(&[]).ends(1);
    nats.change(&bench.pending_value());
    bench.resume(&[]).ends(0);
    assert_eq!(bench.version(PLACE), 2);
    bench.is_tidy(&[], &[&old, &bench.value(PLACE)]);
}

#[test]
fn where_nothing_tells_a_persons_word_counts_and_is_recorded() {
    let bench = Bench::new(
        "
folders:
  infrastructure: [BACKUP_PASSWORD]
secrets:
  BACKUP_PASSWORD:
    environments: [production]
    playbook: manual
",
    );
    const BACKUP: &str = "production:/infrastructure/BACKUP_PASSWORD";
    let old = random(40);
    bench.put(BACKUP, &old);
    bench.plan(&["--secret", BACKUP]);
    let waiting = bench.apply(&[]).ends(1);
    assert!(
        waiting.stdout.contains("make the new value of /infrastructure/BACKUP_PASSWORD the valid one"),
        "{}",
        waiting.stdout
    );
    let still = bench.resume(&[]).ends(1);
    assert!(still.stdout.contains("introduce waits"), "{}", still.stdout);
    let done = bench.resume(&[&bench.id(), "--done"]).ends(0);
    assert_eq!(bench.version(BACKUP), 2);
    assert!(done.stderr.contains("by a person's word"), "{}", done.stderr);
    bench.is_tidy(&[&waiting, &done], &[&old, &bench.value(BACKUP)]);
}
