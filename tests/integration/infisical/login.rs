//! Who the store comes as, and how often it logs in.

use hekate::store::Store;

use super::{
    fault, path,
    server::Server,
    store, store_as, text,
    world::{Owner, Rights},
};

const LOGIN: &str = "POST /api/v1/auth/universal-auth/login";
const RENEW: &str = "POST /api/v1/auth/token/renew";

fn server() -> Server {
    let server = Server::start();
    server.world().put("production", "/infrastructure", "POSTGRES_PASSWORD", "pg-1");
    server
}

#[test]
fn one_login_serves_all_requests_of_all_threads() {
    let server = server();
    let store = store_as(&server, Rights::all());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| store.list("production").expect("it lists"));
        }
    });
    store.read(&path("production:/infrastructure/POSTGRES_PASSWORD"), None).expect("it reads");
    assert_eq!(server.received_at(LOGIN).len(), 1);
    assert_eq!(server.received_at("GET /api/v1/projects/slug").len(), 1);
}

#[test]
fn a_wrong_login_is_tried_once_however_often_the_store_is_asked() {
    let server = server();
    let (id, _) = server.world().identity("scanner", Rights::all());
    let wrong = server.world().hex(64);
    let store =
        store(&server, &[("HEKATE_INFISICAL_CLIENT_ID", &id), ("HEKATE_INFISICAL_CLIENT_SECRET", &wrong)]);
    for _ in 0..3 {
        let shown = fault(store.list("production"));
        assert!(shown.contains("the client id or the client secret is wrong"), "{shown}");
        assert!(!shown.contains(&wrong), "{shown}");
    }
    assert_eq!(server.received_at(LOGIN).len(), 1);
}

#[test]
fn a_locked_identity_is_said_to_be_locked() {
    let server = server();
    let (id, secret) = server.world().identity("scanner", Rights::all());
    for _ in 0..3 {
        let wrong = server.world().hex(64);
        let variables =
            [("HEKATE_INFISICAL_CLIENT_ID", id.as_str()), ("HEKATE_INFISICAL_CLIENT_SECRET", &wrong)];
        assert!(fault(store(&server, &variables).environments()).contains("is wrong"));
    }
    let variables =
        [("HEKATE_INFISICAL_CLIENT_ID", id.as_str()), ("HEKATE_INFISICAL_CLIENT_SECRET", &secret)];
    let shown = fault(store(&server, &variables).environments());
    assert!(shown.contains("locked after too many wrong logins"), "{shown}");
}

#[test]
fn a_malformed_client_id_is_named() {
    let server = server();
    server.answer_instead(LOGIN, super::routes::invalid("invalid_type", "clientId"));
    let shown = fault(store_as(&server, Rights::all()).environments());
    assert!(shown.contains("is malformed; check HEKATE_INFISICAL_CLIENT_ID"), "{shown}");
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let server = server();
    server.world().settings.token_ttl = 30;
    let store = store_as(&server, Rights::all());
    store.environments().expect("it answers");
    store.list("production").expect("it lists");
    assert_eq!(server.received_at(LOGIN).len(), 1);
    assert!(!server.received_at(RENEW).is_empty());
    let used: Vec<_> = server.received_at("GET /").iter().map(|request| request.headers.clone()).collect();
    assert!(used.first() != used.last(), "the renewed token is used");
}

#[test]
fn a_token_that_can_not_be_renewed_makes_way_for_one_login_more() {
    let server = server();
    server.world().settings.token_ttl = 30;
    let store = store_as(&server, Rights::all());
    store.environments().expect("it answers");
    for token in &mut server.world().tokens {
        token.is_revoked = true;
    }
    store.list("production").expect("it lists");
    assert_eq!(server.received_at(LOGIN).len(), 2);
}

#[test]
fn a_token_for_ever_is_never_renewed() {
    let server = server();
    server.world().settings.token_ttl = 0;
    let store = store_as(&server, Rights::all());
    store.list("production").expect("it lists");
    assert!(server.received_at(RENEW).is_empty());
}

#[test]
fn tokens_that_are_no_longer_taken_are_told_apart() {
    let server = server();
    let (client_id, _) = server.world().identity("scanner", Rights::all());
    let mut world = server.world();
    let at =
        world.identities.iter().position(|identity| identity.client_id == client_id).expect("it is there");
    let (id, secret) = (world.identities[at].id.clone(), world.identities[at].client_secrets[0].id.clone());
    let token = world.access_token(Owner::Identity(id), Some(secret)).value;
    drop(world);
    let said = || fault(store(&server, &[("HEKATE_INFISICAL_TOKEN", &token)]).environments());

    server.world().tokens[0].is_expired = true;
    assert!(said().contains("the access token has expired"), "{}", said());
    server.world().tokens[0].is_expired = false;
    server.world().tokens[0].is_revoked = true;
    assert!(said().contains("the access token was revoked"), "{}", said());
    server.world().identities[at].client_secrets[0].is_revoked = true;
    assert!(said().contains("the client secret that this access token came from"), "{}", said());
    server.world().identities[at].has_universal_auth = false;
    assert!(said().contains("universal auth was taken"), "{}", said());
    server.world().identities[at].is_deleted = true;
    assert!(said().contains("the identity was deleted"), "{}", said());
    assert!(!said().contains(&token));
}

#[test]
fn a_service_token_knows_its_project_and_is_sent_without_its_fourth_part() {
    let server = server();
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read"]);
    let long = format!("{token}.{}", server.world().hex(32));
    let store = store(&server, &[("HEKATE_INFISICAL_PROJECT", ""), ("INFISICAL_TOKEN", &long)]);
    assert_eq!(store.environments().expect("it answers"), ["production"]);
    let read = store.read(&path("production:/infrastructure/POSTGRES_PASSWORD"), None).expect("it reads");
    assert_eq!(text(&read.expect("it is there").value), "pg-1");
    let sent = server.received();
    assert!(sent.iter().all(|request| request.header("authorization") == Some(&format!("Bearer {token}"))));
}

#[test]
fn service_tokens_that_are_no_longer_taken_are_told_apart() {
    let server = server();
    let token = server.world().service_token(&[("production", "/infrastructure")], &["read"]);
    let said = |token: &str| fault(store(&server, &[("HEKATE_INFISICAL_TOKEN", token)]).environments());
    let (id, _) = token.rsplit_once('.').expect("it has parts");
    let wrong = format!("{id}.{}", server.world().hex(32));
    assert!(said(&wrong).contains("the service token is wrong"), "{}", said(&wrong));
    server.world().service_tokens[0].is_expired = true;
    assert!(said(&token).contains("the service token has expired"), "{}", said(&token));
    server.world().service_tokens.clear();
    assert!(said(&token).contains("the service token was deleted"), "{}", said(&token));
}

#[test]
fn projects_are_found_by_slug_id_and_name() {
    let server = server();
    let id = server.world().project_id.clone();
    let (client_id, secret) = server.world().identity("scanner", Rights::all());
    let as_project = |project: &str| {
        let variables = [
            ("HEKATE_INFISICAL_PROJECT", project),
            ("HEKATE_INFISICAL_CLIENT_ID", client_id.as_str()),
            ("HEKATE_INFISICAL_CLIENT_SECRET", secret.as_str()),
        ];
        store(&server, &variables).environments()
    };
    for project in ["kosmos", id.as_str(), "KOSMOS Platform", "kosmos platform"] {
        assert_eq!(as_project(project).expect(project), ["development", "production", "staging"]);
    }
    for project in ["nope", "No Such Project"] {
        let shown = fault(as_project(project));
        assert!(shown.contains(&format!("no project `{project}`; there are kosmos")), "{shown}");
    }
}

#[test]
fn who_is_no_member_is_told_to_be_added() {
    let server = server();
    let shown = fault(store_as(&server, Rights::default()).environments());
    assert!(shown.contains("this identity is no member of it"), "{shown}");
}

#[test]
fn an_older_server_is_asked_by_its_older_names() {
    let server = server();
    server.world().settings.is_old = true;
    let route = "GET /api/v1/projects/slug/kosmos";
    let missing = serde_json::json!({"message": "Route GET:/api/v1/projects/slug/kosmos not found", "error": "Not Found", "statusCode": 404});
    server.answer_instead(route, super::http::Reply::json(404, &missing));
    assert_eq!(store_as(&server, Rights::all()).environments().expect("it answers").len(), 3);
    assert_eq!(server.received_at("GET /api/v2/workspace/kosmos").len(), 1);
}
