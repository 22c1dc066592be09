//! The test server itself: that it answers as the real one did, where the store does not ask.

use hekate::{
    model::Secret,
    net::{Answer, Method, Request, Send, Text},
};
use serde_json::{Value, json};

use super::{
    http::PlainSender,
    server::Server,
    world::{Owner, Rights},
};

/// Sends one request, with a token where one is given.
fn send(server: &Server, line: &str, token: &str, body: Option<Value>) -> Answer {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let mut request = Request::get(server.url(), path);
    request.method = match method {
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    if !token.is_empty() {
        request = request.header("authorization", Text::from("Bearer ").secret(Secret::new(token)));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json");
        request.body = Some(Text::new().secret(Secret::new(body.to_string())));
    }
    PlainSender.send(&request).expect("it answers")
}

/// Status and message, or the whole body.
fn said(server: &Server, line: &str, token: &str, body: Option<Value>) -> (u16, String) {
    let answer = send(server, line, token, body);
    let json = answer.json().unwrap_or_default();
    (answer.status, json["message"].as_str().map_or_else(|| json.to_string(), str::to_owned))
}

#[test]
fn logins_lock_after_three_wrong_ones_and_wrong_ids_look_like_wrong_secrets() {
    let server = Server::start();
    let (id, secret) = server.world().identity("scanner", Rights::all());
    let log_in = |id: &str, secret: &str| {
        let body = json!({"clientId": id, "clientSecret": secret});
        said(&server, "POST /api/v1/auth/universal-auth/login", "", Some(body))
    };
    assert_eq!(log_in(&id, &secret).0, 200);
    let wrong = (401, "Invalid credentials".to_owned());
    assert_eq!(log_in("nobody", &secret), wrong);
    for _ in 0..3 {
        assert_eq!(log_in(&id, "wrong"), wrong);
    }
    let locked = (401, "This identity auth method is temporarily locked, please try again later".to_owned());
    assert_eq!(log_in(&id, "wrong"), locked);
    assert_eq!(log_in(&id, &secret), locked);
    let user = server.world().user_token();
    let identity = server.world().identities[0].id.clone();
    let clear = format!("POST /api/v1/auth/universal-auth/identities/{identity}/clear-lockouts");
    assert_eq!(said(&server, &clear, &user, None), (200, json!({"deleted": 1}).to_string()));
    assert_eq!(log_in(&id, &secret).0, 200);
}

#[test]
fn revoked_client_secrets_take_their_tokens_with_them() {
    let server = Server::start();
    let (client_id, secret) = server.world().identity("scanner", Rights::viewer());
    let user = server.world().user_token();
    let id = server.world().identities[0].id.clone();
    let body = json!({"clientId": client_id, "clientSecret": secret});
    let login = send(&server, "POST /api/v1/auth/universal-auth/login", "", Some(body.clone()));
    let token = login.json().expect("JSON")["accessToken"].as_str().expect("a token").to_owned();
    assert_eq!(said(&server, "GET /api/v1/identities/details", &token, None).0, 200);

    let all = format!("/api/v1/auth/universal-auth/identities/{id}/client-secrets");
    let rows = send(&server, &format!("GET {all}"), &user, None).json().expect("JSON");
    assert_eq!(rows["clientSecretData"][0]["clientSecretPrefix"], secret[..4]);
    let revoke = format!("POST {all}/{}/revoke", rows["clientSecretData"][0]["id"].as_str().expect("an id"));
    assert_eq!(said(&server, &revoke, &token, None).1, "You are not allowed to delete on identity");
    assert_eq!(said(&server, &revoke, &user, None).0, 200);
    let revoked = (401, "Failed to authorize: client secret has been revoked".to_owned());
    assert_eq!(said(&server, "GET /api/v1/identities/details", &token, None), revoked);
    assert_eq!(said(&server, "POST /api/v1/auth/universal-auth/login", "", Some(body)).0, 401);
    let made = send(&server, &format!("POST {all}"), &user, Some(json!({"description": "next"})));
    assert_eq!(made.json().expect("JSON")["clientSecret"].as_str().map(str::len), Some(64));
}

#[test]
fn access_tokens_are_revoked_by_who_has_them() {
    let server = Server::start();
    server.world().identity("scanner", Rights::viewer());
    let id = server.world().identities[0].id.clone();
    let token = server.world().access_token(Owner::Identity(id.clone()), None).value;
    let revoke = |token: &str| {
        said(&server, "POST /api/v1/auth/token/revoke", "", Some(json!({"accessToken": token})))
    };
    assert_eq!(revoke(&token), (200, "Successfully revoked access token".to_owned()));
    let revoked = (401, "Failed to authorize: token has been revoked".to_owned());
    assert_eq!(said(&server, "GET /api/v1/identities/details", &token, None), revoked);
    assert_eq!(revoke("garbage").0, 403);
    let user = server.world().user_token();
    let made = format!("POST /api/v1/auth/token-auth/identities/{id}/tokens");
    let made = send(&server, &made, &user, Some(json!({"name": "ci"}))).json().expect("JSON");
    let by_id = format!(
        "POST /api/v1/auth/token-auth/tokens/{}/revoke",
        made["tokenData"]["id"].as_str().expect("an id")
    );
    assert_eq!(said(&server, &by_id, &user, None).0, 200);
    assert_eq!(said(&server, &format!("DELETE /api/v1/identities/{id}"), &user, None).0, 200);
    let token = made["accessToken"].as_str().expect("a token");
    assert_eq!(
        said(&server, "GET /api/v1/identities/details", token, None).1,
        "Identity is not a member of the organization"
    );
}

#[test]
fn service_tokens_are_for_users_to_make_list_and_delete() {
    let server = Server::start();
    let user = server.world().user_token();
    let project = server.world().project_id.clone();
    let body = json!({"name": "deploy", "workspaceId": project, "permissions": ["read"], "expiresIn": 2_592_000,
        "scopes": [{"environment": "production", "secretPath": "/infrastructure"}]});
    let made = send(&server, "POST /api/v2/service-token", &user, Some(body)).json().expect("JSON");
    let token = made["serviceToken"].as_str().expect("a token").to_owned();
    let own = send(&server, "GET /api/v2/service-token", &token, None).json().expect("JSON");
    assert!(
        own["secretHash"].is_string() && own["user"]["email"].is_string(),
        "the traps for logs are there"
    );
    let rows = format!("GET /api/v1/projects/{project}/service-token-data");
    assert_eq!(
        send(&server, &rows, &user, None).json().expect("JSON")["serviceTokenData"][0]["name"],
        "deploy"
    );
    let delete = format!("DELETE /api/v2/service-token/{}", own["id"].as_str().expect("an id"));
    for line in [&rows, &delete] {
        let refused = send(&server, line, &token, None);
        let error = refused.json().expect("JSON")["error"].as_str().expect("a text").to_owned();
        assert!(refused.status == 403 && error.starts_with("Forbidden access to /api/"), "{error}");
    }
    assert_eq!(said(&server, &delete, &user, None).0, 200);
    assert_eq!(said(&server, "GET /api/v2/service-token", &token, None).0, 404);
}

#[test]
fn a_user_redacts_a_version() {
    let server = Server::start();
    server.world().put("production", "/a", "NAME", "one");
    server.world().put("production", "/a", "NAME", "two");
    let user = server.world().user_token();
    let secret = server.world().secrets[0].clone();
    let redact = format!("DELETE /api/v2/secret-versions/{}/redact-value", secret.versions[0].id);
    assert_eq!(said(&server, &redact, &user, None).0, 200);
    assert!(server.world().secrets[0].versions[0].is_redacted);
}

#[test]
fn bodies_that_are_too_long_or_empty_fail_and_batches_are_all_or_nothing() {
    let server = Server::start();
    server.world().put("production", "/a", "NAME", "one");
    let user = server.world().user_token();
    let project = server.world().project_id.clone();
    let body = |value: &str| json!({"projectId": project, "environment": "production", "secretPath": "/a", "secretValue": value});
    let long = body(&"A".repeat(1_100_000));
    assert_eq!(
        said(&server, "POST /api/v4/secrets/BIG", &user, Some(long)),
        (500, "Something went wrong".to_owned())
    );
    let mut empty =
        Request::get(server.url(), "/api/v4/secrets/X").header("content-type", "application/json");
    empty.method = Method::Post;
    assert_eq!(PlainSender.send(&empty).expect("it answers").status, 500);
    assert_eq!(said(&server, "POST /api/v4/secrets/bad%2Fname", &user, Some(body("v"))).0, 422);
    let mut batch = body("");
    batch["secrets"] =
        json!([{"secretKey": "NAME", "secretValue": "two"}, {"secretKey": "NOPE", "secretValue": "x"}]);
    let refused = said(&server, "PATCH /api/v4/secrets/batch", &user, Some(batch.clone()));
    assert_eq!(refused, (404, "Secret does not exist: NOPE in path /a".to_owned()));
    assert_eq!(server.world().value("production", "/a", "NAME").as_deref(), Some("one"));
    batch["mode"] = "upsert".into();
    assert_eq!(said(&server, "PATCH /api/v4/secrets/batch", &user, Some(batch)).0, 200);
    assert_eq!(server.world().value("production", "/a", "NOPE").as_deref(), Some("x"));
}

#[test]
fn references_expand_by_default_in_v4_only_and_lists_have_tags() {
    let server = Server::start();
    server.world().put("production", "/", "A", "one");
    server.world().put("production", "/", "B", "<${A}>");
    let user = server.world().user_token();
    let project = server.world().project_id.clone();
    let value = |path: &str| {
        send(&server, &format!("GET {path}"), &user, None).json().expect("JSON")["secret"]["secretValue"]
            .clone()
    };
    assert_eq!(value(&format!("/api/v4/secrets/B?projectId={project}&environment=production")), "<one>");
    assert_eq!(
        value(&format!("/api/v3/secrets/raw/B?workspaceId={project}&environment=production")),
        "<${A}>"
    );
    let list = format!("/api/v4/secrets?projectId={project}&environment=production");
    let first = send(&server, &format!("GET {list}"), &user, None);
    let again = Request::get(server.url(), list.as_str())
        .header("authorization", Text::from("Bearer ").secret(Secret::new(user.as_str())))
        .header("if-none-match", first.header("etag").expect("a tag"));
    assert_eq!(PlainSender.send(&again).expect("it answers").status, 304);
}

#[test]
fn what_the_licence_does_not_hold_is_refused_and_unknown_routes_are_not_there() {
    let server = Server::start();
    let user = server.world().user_token();
    for line in [
        "GET /api/v2/secret-rotations/postgres-credentials",
        "POST /api/v2/secret-rotations/postgres-credentials/1/rotate-secrets",
        "GET /api/v2/secret-scanning/findings",
        "POST /api/v1/events/subscribe/project-events",
    ] {
        let (status, message) = said(&server, line, &user, None);
        assert!(status == 400 && message.contains("plan"), "{line}: {message}");
    }
    let unknown = (404, "Route GET:/api/v4/nope not found".to_owned());
    assert_eq!(said(&server, "GET /api/v4/nope", &user, None), unknown);
    let v4 = "GET /api/v4/secrets?environment=production";
    assert_eq!(said(&server, v4, "", None), (401, "Token missing".to_owned()));
    assert_eq!(said(&server, v4, "garbage", None).0, 403);
    assert_eq!(said(&server, v4, "a.b.c", None), (403, "invalid signature".to_owned()));
    assert_eq!(said(&server, v4, &user, None), (400, "Missing project id or environment".to_owned()));
}
