//! What the store reads, and what it says of what it can't.

use hekate::{
    model::Secret,
    store::{Listing, Store, as_stored},
};

use super::{
    fault, path,
    server::Server,
    shown, store, store_as, text,
    world::{Import, Rights},
};

fn server() -> Server {
    let server = Server::start();
    let mut world = server.world();
    world.put(
        "production",
        "/",
        "DATABASE_URL",
        "postgres://kosmos:${production.infrastructure.POSTGRES_PASSWORD}@db/kosmos",
    );
    world.put("production", "/infrastructure", "POSTGRES_PASSWORD", "pg-1");
    world.put("production", "/infrastructure", "POSTGRES_PASSWORD", "pg-2");
    world.put("production", "/infrastructure/deep", "MINIO_SECRET_KEY", "minio-1");
    world.put("production", "/llm-providers", "OPENAI_API_KEY", "openai-1");
    world.put("staging", "/infrastructure", "POSTGRES_PASSWORD", "pg-9");
    world.make_folder("production", "/empty");
    drop(world);
    server
}

fn paths(listing: &Listing) -> Vec<String> {
    listing.secrets.iter().map(|stored| stored.path.to_string()).collect()
}

fn denied(listing: &Listing) -> Vec<&str> {
    listing.denied.iter().map(|denied| denied.path.as_str()).collect()
}

const ALL: [&str; 4] = [
    "production:/DATABASE_URL",
    "production:/infrastructure/POSTGRES_PASSWORD",
    "production:/infrastructure/deep/MINIO_SECRET_KEY",
    "production:/llm-providers/OPENAI_API_KEY",
];

#[test]
fn a_listing_has_all_folders_with_versions_and_times() {
    let server = server();
    let listing = store_as(&server, Rights::viewer()).list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL);
    assert_eq!(listing.denied, []);
    let expected = (ALL[1].to_owned(), 2, "pg-2".to_owned());
    assert_eq!(shown(&listing.secrets[1]), expected);
    assert_eq!(listing.secrets[1].written, Some(1_795_000_003));
}

#[test]
fn references_and_imports_are_switched_off_by_name_in_every_read() {
    let server = server();
    let from = ("staging".to_owned(), "/infrastructure".to_owned());
    server.world().imports.push(Import { into: ("production".into(), "/empty".into()), from });
    for is_old in [false, true] {
        server.world().settings.is_old = is_old;
        let store = store_as(&server, Rights::viewer());
        let listing = store.list("production").expect("it lists");
        assert_eq!(paths(&listing), ALL);
        let url = text(&listing.secrets[0].value);
        assert!(url.contains("${production.infrastructure.POSTGRES_PASSWORD}"), "{url}");
        let read = store.read(&path(ALL[0]), None).expect("it reads").expect("it is there");
        assert_eq!(text(&read.value), url);
        assert!(store.read(&path("production:/empty/POSTGRES_PASSWORD"), None).expect("it reads").is_none());
        let route = if is_old { "GET /api/v3/secrets/raw" } else { "GET /api/v4/secrets" };
        let imports = if is_old { "include_imports" } else { "includeImports" };
        let reads = server.received_at(route);
        assert!(reads.len() >= 3);
        for request in reads {
            assert_eq!(request.parameter("expandSecretReferences"), Some("false"));
            assert_eq!(request.parameter(imports), Some("false"));
        }
    }
}

#[test]
fn an_older_server_is_asked_for_its_newer_routes_once() {
    let server = server();
    server.world().settings.is_old = true;
    let store = store_as(&server, Rights::all());
    store.list("production").expect("it lists");
    store.list("staging").expect("it lists");
    assert_eq!(server.received_at("GET /api/v4").len(), 1);
}

#[test]
fn folders_that_can_not_be_read_are_told() {
    let server = server();
    let listing =
        store_as(&server, Rights::reads(&["/infrastructure"])).list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL[1..3]);
    assert_eq!(denied(&listing), ["production:/", "production:/empty", "production:/llm-providers"]);
}

#[test]
fn values_that_can_not_be_seen_are_told() {
    let server = server();
    let rights = Rights { describes: vec!["/infrastructure".into()], ..Rights::viewer() };
    let store = store_as(&server, rights);
    let listing = store.list("production").expect("it lists");
    assert_eq!(paths(&listing), [ALL[0], ALL[3]]);
    assert_eq!(denied(&listing), ALL[1..3]);
    let shown = fault(store.read(&path(ALL[1]), None));
    assert!(
        shown.contains("no permission for seeing the value of production:/infrastructure/POSTGRES_PASSWORD"),
        "{shown}"
    );
}

#[test]
fn folders_that_can_not_be_listed_leave_a_note() {
    let server = server();
    server.answer_instead("GET /api/v2/folders", super::routes::denied("read on secret-folders"));
    let listing = store_as(&server, Rights::viewer()).list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL);
    assert!(listing.denied[0].why.contains("its folders can't be listed"), "{:?}", listing.denied);
}

#[test]
fn one_users_own_value_is_not_taken_for_everybodys() {
    let server = server();
    server.world().override_for_one("production", "/llm-providers", "OPENAI_API_KEY", "mine");
    server.world().override_for_one("production", "/llm-providers", "ZED", "mine too");
    let listing = store_as(&server, Rights::viewer()).list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL);
    assert_eq!(text(&listing.secrets[3].value), "openai-1");
}

#[test]
fn pages_are_read_to_the_end() {
    let server = server();
    server.world().settings.page = Some(3);
    let listing = store_as(&server, Rights::viewer()).list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL);
}

#[test]
fn environments_are_known_by_slug_and_by_name() {
    let server = server();
    server.world().environments[0] = ("dev".into(), "Development".into());
    server.world().put("dev", "/a", "NAME", "value");
    let store = store_as(&server, Rights::viewer());
    assert_eq!(store.environments().expect("it answers"), ["dev", "production", "staging"]);
    for asked in ["dev", "development", "DEV"] {
        let listing = store.list(asked).expect("it lists");
        assert_eq!(paths(&listing), [format!("{asked}:/a/NAME")]);
        let read =
            store.read(&path(&format!("{asked}:/a/NAME")), None).expect("it reads").expect("it is there");
        assert_eq!(text(&read.value), "value");
    }
    let shown = fault(store.list("test"));
    assert!(shown.contains("no environment `test`; there are dev, production, staging"), "{shown}");
}

#[test]
fn a_service_token_lists_its_folder_under_its_own_name() {
    let server = server();
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read"]);
    let store = store(&server, &[("HEKATE_INFISICAL_TOKEN", &token)]);
    let listing = store.list("production").expect("it lists");
    assert_eq!(paths(&listing), [ALL[1]]);
    assert_eq!(denied(&listing), ["production:/"]);
    assert!(listing.denied[0].why.contains("reaches /infrastructure only"), "{:?}", listing.denied);
    // What the server would answer from the token's own scope is not asked for.
    let shown = fault(store.read(&path("production:/llm-providers/OPENAI_API_KEY"), None));
    assert!(shown.contains("the service token reaches /infrastructure only"), "{shown}");
    assert!(fault(store.list("staging")).contains("no environment `staging`; there are production"));
}

#[test]
fn a_service_token_with_patterns_lists_what_they_fit() {
    let server = server();
    let scopes =
        [("production", "/infrastructure/**"), ("production", "/nowhere"), ("staging", "/infrastructure")];
    let token = server.world().service_token(&scopes, &["read"]);
    let store = store(&server, &[("HEKATE_INFISICAL_TOKEN", &token)]);
    let listing = store.list("production").expect("it lists");
    assert_eq!(paths(&listing), ALL[1..3]);
    assert_eq!(denied(&listing), ["production:/", "production:/nowhere"]);
    assert_eq!(
        paths(&store.list("staging").expect("it lists")),
        ["staging:/infrastructure/POSTGRES_PASSWORD"]
    );
    let whole = server.world().service_token(&[("production", "/**")], &["read"]);
    let listing =
        super::store(&server, &[("HEKATE_INFISICAL_TOKEN", &whole)]).list("production").expect("it lists");
    assert_eq!((paths(&listing).len(), denied(&listing).len()), (4, 0));
}

#[test]
fn an_answer_from_elsewhere_is_not_labelled_as_what_was_asked_for() {
    let server = server();
    let (client_id, secret) = server.world().identity("scanner", Rights::viewer());
    let variables =
        [("HEKATE_INFISICAL_CLIENT_ID", client_id.as_str()), ("HEKATE_INFISICAL_CLIENT_SECRET", &secret)];
    for (key, value) in [("environment", "staging"), ("secretPath", "/other")] {
        let mut secret = serde_json::json!({
            "id": "1", "version": 1, "type": "shared", "secretKey": "OPENAI_API_KEY", "secretValue": "hunter2",
            "environment": "production", "secretPath": "/llm-providers", "secretValueHidden": false,
        });
        secret[key] = value.into();
        let body = serde_json::json!({ "secret": secret });
        server.answer_instead("GET /api/v4/secrets/OPENAI_API_KEY", super::http::Reply::json(200, &body));
        let shown = fault(store(&server, &variables).read(&path(ALL[3]), None));
        assert!(shown.contains("it answers from") && shown.contains(value), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn older_versions_are_read_by_number_down_to_the_last_that_is_kept() {
    let server = server();
    server.world().settings.kept_versions = 4;
    for number in 3..=6 {
        server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", &format!("pg-{number}"));
    }
    let store = store_as(&server, Rights::viewer());
    let current = store.read(&path(ALL[1]), None).expect("it reads").expect("it is there");
    assert_eq!(shown(&current), (ALL[1].to_owned(), 6, "pg-6".to_owned()));
    let older = store.older(&current, 10).expect("it reads");
    let numbers: Vec<_> = older.iter().map(|stored| (stored.version, text(&stored.value))).collect();
    assert_eq!(numbers, [(5, "pg-5".to_owned()), (4, "pg-4".to_owned()), (3, "pg-3".to_owned())]);
    assert!(older.iter().all(|stored| stored.written.is_some()));
    assert_eq!(store.older(&current, 2).expect("it reads").len(), 2);
    let asked = server.received_at("GET /api/v4/secrets/POSTGRES_PASSWORD");
    assert!(asked.iter().all(|request| request.parameter("version").is_none_or(|number| number != "1")));
    assert!(store.read(&path(ALL[1]), Some(1)).expect("it reads").is_none());
}

#[test]
fn older_versions_are_listed_with_a_users_token() {
    let server = server();
    for number in 3..=45 {
        server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", &format!("pg-{number}"));
    }
    let user = server.world().user_token();
    let (id, secret) = server.world().identity("scanner", Rights::viewer());
    let store = store(
        &server,
        &[
            ("HEKATE_INFISICAL_CLIENT_ID", &id),
            ("HEKATE_INFISICAL_CLIENT_SECRET", &secret),
            ("HEKATE_INFISICAL_USER_TOKEN", &user),
        ],
    );
    let current = store.read(&path(ALL[1]), None).expect("it reads").expect("it is there");
    let older = store.older(&current, 100).expect("it lists");
    assert_eq!(
        older.iter().map(|stored| stored.version).collect::<Vec<_>>(),
        (1..45).rev().collect::<Vec<_>>()
    );
    assert_eq!(server.received_at("GET /api/v1/secret").len(), 3);
    assert_eq!(store.older(&current, 3).expect("it lists").len(), 3);
}

#[test]
fn a_users_token_that_is_none_is_told_and_not_passed_over() {
    let server = server();
    let (id, secret) = server.world().identity("scanner", Rights::viewer());
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read"]);
    let store = store(
        &server,
        &[
            ("HEKATE_INFISICAL_CLIENT_ID", &id),
            ("HEKATE_INFISICAL_CLIENT_SECRET", &secret),
            ("HEKATE_INFISICAL_USER_TOKEN", &token),
        ],
    );
    let current = store.read(&path(ALL[1]), None).expect("it reads").expect("it is there");
    let shown = fault(store.older(&current, 3));
    assert!(shown.contains("as a user (HEKATE_INFISICAL_USER_TOKEN)"), "{shown}");
}

#[test]
fn redacted_versions_are_not_values() {
    let server = server();
    let mut world = server.world();
    let at = world.find("production", "/infrastructure", "POSTGRES_PASSWORD").expect("it is there");
    world.secrets[at].versions[0].is_redacted = true;
    world.secrets[at].versions[0].value.clear();
    drop(world);
    let store = store_as(&server, Rights::viewer());
    let current = store.read(&path(ALL[1]), None).expect("it reads").expect("it is there");
    assert!(store.older(&current, 3).expect("it reads").is_empty());
}

#[test]
fn what_is_stored_is_the_value_as_the_server_trims_it() {
    let server = server();
    for value in ["  padded value \n\n", "line\n", " \t x", "a b"] {
        server.world().put("production", "/a", "NAME", value);
        let read = store_as(&server, Rights::viewer()).read(&path("production:/a/NAME"), None);
        assert_eq!(read.expect("it reads").expect("it is there").value, as_stored(&Secret::new(value)));
    }
}

#[test]
fn what_is_not_there_is_none() {
    let server = server();
    let store = store_as(&server, Rights::viewer());
    for at in ["production:/infrastructure/NOPE", "production:/nope/POSTGRES_PASSWORD"] {
        assert!(store.read(&path(at), None).expect("it reads").is_none(), "{at}");
    }
    for at in
        ["production:/infrastructure/a:b", "production:/../infrastructure/A", "production:/infrastructure/"]
    {
        assert!(store.read(&path(at), None).is_err(), "{at}");
    }
}
