//! Writing and removing.

use hekate::{
    model::Secret,
    store::{Store, Written},
};

use super::{fault, http::Reply, path, routes, server::Server, store, store_as, world::Rights};

const AT: &str = "production:/infrastructure/POSTGRES_PASSWORD";

fn server() -> Server {
    let server = Server::start();
    server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", "pg-1");
    server
}

fn value(server: &Server) -> Option<String> {
    server.world().value("production", "/infrastructure", "POSTGRES_PASSWORD")
}

#[test]
fn a_write_is_a_new_version_with_its_reason() {
    let server = server();
    let store = store_as(&server, Rights::all());
    let written = store.write(&path(AT), &Secret::new("pg-2"), "rotated: INC-1").expect("it writes");
    assert_eq!(written, Written::Stored(2));
    // Equal values are versions too.
    assert_eq!(store.write(&path(AT), &Secret::new("pg-2"), "").expect("it writes"), Written::Stored(3));
    assert_eq!(value(&server).as_deref(), Some("pg-2"));
    assert_eq!(server.world().secrets[0].versions[1].comment, "rotated: INC-1");
    assert_eq!(server.received_at("PATCH /api/v4/secrets/POSTGRES_PASSWORD").len(), 2);
}

#[test]
fn a_secret_in_a_folder_that_is_not_there_is_made_with_it() {
    let server = server();
    for is_old in [false, true] {
        server.world().settings.is_old = is_old;
        let folder = format!("/hekate-pending/INC-1/{is_old}");
        let store = store_as(&server, Rights::all());
        let at = path(&format!("production:{folder}/NAME"));
        let pem = format!("-----BEGIN {0}-----\nMIIB\n-----END {0}-----\n", "PUBLIC KEY");
        assert_eq!(store.write(&at, &Secret::new(pem.as_str()), "").expect("it writes"), Written::Stored(1));
        assert_eq!(server.world().value("production", &folder, "NAME"), Some(pem));
        assert_eq!(store.write(&at, &Secret::new("next"), "").expect("it writes"), Written::Stored(2));
    }
    assert!(server.world().has_folder("production", "/hekate-pending/INC-1"));
}

#[test]
fn an_approval_leaves_the_old_value_in_force() {
    let server = server();
    server.world().settings.needs_approval = true;
    let store = store_as(&server, Rights::all());
    let written = store.write(&path(AT), &Secret::new("pg-2"), "").expect("it is held");
    assert!(matches!(written, Written::Pending { approval } if !approval.is_empty()));
    assert_eq!(value(&server).as_deref(), Some("pg-1"));
    let shown = fault(store.remove(&path(AT)));
    assert!(shown.contains("without an approval: it waits as"), "{shown}");
}

#[test]
fn two_writers_at_once_are_noticed() {
    let server = server();
    let store = store_as(&server, Rights::all());
    // Between our reading and our writing, somebody else writes: what we read is older.
    let old = server.world().secrets[0].clone();
    let body = serde_json::json!({"secret": {
        "id": old.id, "version": 1, "type": "shared", "secretKey": old.name, "secretValue": "pg-1",
        "environment": "production", "secretPath": "/infrastructure", "secretValueHidden": false,
    }});
    server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", "theirs");
    server.answer_instead("GET /api/v4/secrets/POSTGRES_PASSWORD", Reply::json(200, &body));
    let shown = fault(store.write(&path(AT), &Secret::new("pg-2"), ""));
    assert!(shown.contains("is at version 3 now and was at 1: somebody else changed it"), "{shown}");
}

#[test]
fn what_the_server_would_change_is_not_sent() {
    let server = server();
    let store = store_as(&server, Rights::all());
    let big = "A".repeat(1 << 20);
    for (value, words) in [
        (b" hunter2".as_slice(), "white space at its start or end"),
        (b"hunter2\n\n", "white space at its start or end"),
        (b"hunter2\xff", "is not UTF-8"),
        (b"hunter2\0", "NUL byte"),
        (big.as_bytes(), "takes requests of up to 1 MiB"),
    ] {
        let shown = fault(store.write(&path(AT), &Secret::new(value), ""));
        assert!(shown.contains(words) && !shown.contains("hunter2"), "{shown}");
    }
    assert!(server.received_at("PATCH").is_empty());
    assert_eq!(value(&server).as_deref(), Some("pg-1"));
}

#[test]
fn who_may_only_read_is_told_so() {
    let server = server();
    let viewer = Rights { writes: false, ..Rights::all() };
    let store_of_viewer = store_as(&server, viewer);
    let shown = fault(store_of_viewer.write(&path(AT), &Secret::new("hunter2"), ""));
    assert!(
        shown.contains("no permission for writing production:/infrastructure/POSTGRES_PASSWORD"),
        "{shown}"
    );
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read"]);
    let shown = fault(store(&server, &[("HEKATE_INFISICAL_TOKEN", &token)]).write(
        &path(AT),
        &Secret::new("hunter2"),
        "",
    ));
    assert!(shown.contains("no permission for writing"), "{shown}");
    assert!(fault(store_of_viewer.remove(&path(AT))).contains("no permission for removing"));
}

#[test]
fn a_service_token_that_writes_does_so_in_its_own_folder_only() {
    let server = server();
    server.world().make_folder("production", "/other");
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read", "write"]);
    let store = store(&server, &[("HEKATE_INFISICAL_TOKEN", &token)]);
    assert_eq!(store.write(&path(AT), &Secret::new("pg-2"), "").expect("it writes"), Written::Stored(2));
    let shown = fault(store.write(&path("production:/other/NAME"), &Secret::new("x"), ""));
    assert!(shown.contains("the service token reaches /infrastructure only"), "{shown}");
}

#[test]
fn removal_is_told_from_nothing_to_remove() {
    let server = server();
    for is_old in [false, true] {
        server.world().settings.is_old = is_old;
        server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", "pg-1");
        let store = store_as(&server, Rights::all());
        assert!(store.remove(&path(AT)).expect("it removes"));
        assert!(!store.remove(&path(AT)).expect("it answers"));
        assert!(!store.remove(&path("production:/nope/NAME")).expect("it answers"));
        assert_eq!(value(&server), None);
    }
}

#[test]
fn a_write_whose_answer_is_lost_says_that_it_may_have_happened() {
    let server = server();
    let store = store_as(&server, Rights::all());
    server
        .answer_instead("PATCH /api/v4", routes::refusal(500, "InternalServerError", "Something went wrong"));
    let shown = fault(store.write(&path(AT), &Secret::new("hunter2"), ""));
    assert!(shown.contains("whether it was done is not known"), "{shown}");
    assert_eq!(server.received_at("PATCH").len(), 1, "it is not sent again");
}

#[test]
fn an_answer_that_shows_another_value_is_no_success() {
    let server = server();
    let store = store_as(&server, Rights::all());
    let body = serde_json::json!({"secret": {"version": 2, "secretKey": "POSTGRES_PASSWORD", "secretValue": "hunter2"}});
    server.answer_instead("PATCH /api/v4", Reply::json(200, &body));
    let shown = fault(store.write(&path(AT), &Secret::new("pg-2"), ""));
    assert!(shown.contains("has stored another value") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_message_that_repeats_the_value_is_not_shown() {
    let server = server();
    let store = store_as(&server, Rights::all());
    server.answer_instead("PATCH /api/v4", routes::bad_request("Reference hunter2 does not exist"));
    let shown = fault(store.write(&path(AT), &Secret::new("hunter2"), ""));
    assert!(shown.contains("it does not take writing") && !shown.contains("hunter2"), "{shown}");
}
