//! Servers that are down, overloaded, or not Infisical at all.

use hekate::store::{Store, StoreError};

use super::{http::Reply, path, routes, server::Server, store_as, world::Rights};

/// What the store says when its listing is answered so.
fn said(reply: Reply) -> String {
    let server = Server::start();
    let store = store_as(&server, Rights::viewer());
    server.answer_instead("GET /api/v4/secrets", reply);
    store.list("production").expect_err("it fails").to_string()
}

#[test]
fn a_page_of_a_proxy_is_not_taken_for_an_answer() {
    for status in [200, 401, 403, 404, 500] {
        let shown = said(Reply::html(status));
        assert!(shown.contains("is not Infisical's, or not whole; check HEKATE_INFISICAL_URL"), "{shown}");
    }
    for status in [502, 503, 504] {
        let shown = said(Reply::html(status));
        assert!(shown.contains(&format!("a proxy before it answers {status}")), "{shown}");
    }
    assert!(said(Reply::html(301)).contains("a redirect (301)"));
}

#[test]
fn json_that_was_cut_is_no_answer() {
    let reply =
        Reply::json(200, &serde_json::json!({"secrets": [{"secretKey": "A", "secretValue": "hunter2"}]}));
    for length in [0, 1, reply.body.len() - 2] {
        let shown = said(Reply { body: reply.body[..length].to_owned(), ..reply.clone() });
        assert!(shown.contains("or not whole") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_limit_of_requests_is_told_with_its_end() {
    let server = Server::start();
    let store = store_as(&server, Rights::viewer());
    store.environments().expect("it answers");
    server.world().settings.requests_left = Some(0);
    let error = store.list("production").expect_err("it fails");
    assert!(matches!(error, StoreError::Unreachable { .. }));
    assert!(error.to_string().ends_with("try again in 3 seconds"), "{error}");
}

#[test]
fn the_other_refusals_are_told_apart() {
    let shown = said(routes::bad_request("Failed due to plan restriction. Upgrade plan."));
    assert!(shown.contains("its licence does not include listing production:/"), "{shown}");
    let shown = said(routes::invalid("invalid_type", "environment"));
    assert!(shown.contains("environment (invalid_type)"), "{shown}");
    let shown = said(routes::refusal(500, "InternalServerError", "Something went wrong"));
    assert!(shown.contains("it failed with 500 at listing production:/"), "{shown}");
    assert!(!shown.contains("whether it was done"), "{shown}");
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_out_of_reach() {
    let server = Server::start();
    let store = store_as(&server, Rights::viewer());
    drop(server);
    let error = store.environments().expect_err("it fails");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("(project kosmos) can't be reached: connect to 127.0.0.1"), "{error}");
}

#[test]
fn a_server_that_passes_the_current_value_off_as_an_old_one_is_not_believed() {
    let server = Server::start();
    for value in ["one", "two"] {
        server.world().put("production", "/a", "NAME", value);
    }
    let store = store_as(&server, Rights::viewer());
    let at = path("production:/a/NAME");
    let current = store.read(&at, None).expect("it reads").expect("it is there");
    let body = serde_json::json!({"secret": {
        "version": 2, "secretKey": "NAME", "secretValue": "hunter2", "secretPath": "/a", "environment": "production",
    }});
    server.answer_instead("GET /api/v4/secrets/NAME", Reply::json(200, &body));
    let shown = store.older(&current, 5).expect_err("it fails").to_string();
    assert!(shown.contains("asked for version 1 of production:/a/NAME, it gives version 2"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn no_names_of_a_hostile_server_break_out_of_messages() {
    let server = Server::start();
    let body = serde_json::json!({"projects": [{"id": "1", "name": "x", "slug": "\u{1b}[2Jevil", "environments": []}]});
    server.answer_instead(
        "GET /api/v1/projects/slug",
        routes::not_found("Project with slug 'kosmos' not found"),
    );
    server.answer_instead("GET /api/v1/projects", Reply::json(200, &body));
    let shown = store_as(&server, Rights::viewer()).environments().expect_err("it fails").to_string();
    assert!(shown.contains("evil") && !shown.contains('\u{1b}'), "{shown}");
}
