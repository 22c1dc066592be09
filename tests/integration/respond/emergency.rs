//! An emergency: everything of an environment, confirmed by a second person.

use super::platform::{Platform, ROLE};

/// The platform with a second secret, and a page that tells of its health.
fn platform(health: &str) -> Option<Platform> {
    let health = health.to_owned();
    let platform = Platform::with(move |inventory| {
        inventory
            .replace("[POSTGRES_PASSWORD]", "[POSTGRES_PASSWORD]\n  authentication: [SESSION_SECRET]")
            .replace("paths: [/infrastructure/*]", "paths: [/*]")
            .replace("policies:", &format!("health: [\"{health}\"]\npolicies:"))
    })?;
    platform.project.file(
        "outside/store/production/authentication.env",
        format!("SESSION_SECRET={}\n", super::platform::random(40)),
    );
    Some(platform)
}

impl Platform {
    fn emergency(&self, more: &[&str]) -> crate::harness::Outcome {
        let own = [
            "emergency",
            "--incident",
            "INC-9",
            "--reason",
            "keys on a stick",
            "--environment",
            "production",
        ];
        self.respond(&[&own[..], &["--role", ROLE], more].concat())
    }

    fn session(&self) -> String {
        self.project.read("outside/store/production/authentication.env")
    }
}

/// A server that answers one request with a status.
fn page(status: &'static str) -> (String, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = format!("http://{}/health", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        let mut request = [0; 4096];
        let _read = stream.read(&mut request).expect("read it");
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            .expect("answer it");
    });
    (address, server)
}

#[test]
fn everything_is_replaced_once_a_second_person_confirms() {
    let (address, server) = page("200 OK");
    let Some(platform) = platform(&address) else { return };
    let before = platform.session();
    let outcome = platform.emergency(&["--approved-by", "bob", "--confirm", "CONFIRM"]).ends(0);
    server.join().expect("the page was asked");
    platform.is_whole(true);
    assert_ne!(platform.session(), before);
    assert!(outcome.stdout.contains("healthy"), "{}", outcome.stdout);
    let listed = platform
        .hekate(&["audit", "list", "--state", "outside/state", "--action", "emergency.started"])
        .ends(0);
    assert!(listed.stdout.contains("confirmed by bob"), "{}", listed.stdout);
}

#[test]
fn nothing_is_changed_without_a_second_person_and_the_word() {
    let Some(platform) = platform("http://127.0.0.1:9/health") else { return };
    let before = platform.session();
    let refusals: [(&[&str], &str); 4] = [
        (&[], "a second person has to confirm at a terminal"),
        (&["--approved-by", "bob", "--confirm", "confirm"], "the word is CONFIRM"),
        (&["--approved-by", "Ada", "--confirm", "CONFIRM"], "started this"),
        (&["--approved-by", " ", "--confirm", "CONFIRM"], "who they are"),
    ];
    for (more, words) in refusals {
        platform.emergency(more).refuses(&[words]);
        platform.is_whole(false);
        assert_eq!(platform.session(), before);
    }
    platform.emergency(&["--dry-run"]).ends(0);
    platform.is_whole(false);
}

#[test]
fn what_could_not_be_done_turns_the_exit_code_and_keeps_nothing_else_from_being_done() {
    let (address, server) = page("404 Not Found");
    let Some(platform) = platform(&address) else { return };
    let role = &platform.role;
    let inventory = platform
        .project
        .read("outside/inventory.yaml")
        .replace(&format!("role: {role}"), "role: nobody_there");
    platform.project.file("outside/inventory.yaml", inventory);
    let before = platform.session();
    let outcome = platform.emergency(&["--approved-by", "bob", "--confirm", "CONFIRM"]).ends(1);
    server.join().expect("the page was asked");
    assert_ne!(platform.session(), before);
    assert!(
        outcome.stdout.contains("it answers with 404") && outcome.stdout.contains("nobody_there"),
        "{}",
        outcome.stdout
    );
    platform.is_whole(false);
}
