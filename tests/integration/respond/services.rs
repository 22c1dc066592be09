//! Passwords of Keycloak, Grafana, MinIO and NATS, changed and proved at doubles on this machine.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hekate::{
    inventory,
    model::Secret,
    respond::target::{Accepts, Act, Grafana, Keycloak, Minio, Nats, Target, Trouble, Values},
};

use super::web::{Double, World, answer};
use crate::{infisical::http::Received, secrets::password};

const ADMIN: &str = "HEKATE_TEST_ADMIN_URL";

fn values<'a>(old: &'a Secret, new: Option<&'a Secret>) -> Values<'a> {
    Values { old, new, incident: "INC-7" }
}

fn pair() -> (Secret, Secret) {
    (Secret::new(password(1, 20)), Secret::new(format!("{} &\"ä", password(2, 20))))
}

fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose().to_vec()).expect("it is text")
}

/// An address with a user and a password in it.
fn with_login(origin: &str, user: &str, password: &str) -> String {
    origin.replace("http://", &format!("http://{user}:{password}@"))
}

/// A Grafana with the users `admin` and `root`, whose passwords these are.
fn grafana(own: &Secret) -> (Double, Arc<Mutex<String>>) {
    let current = Arc::new(Mutex::new(text(own)));
    let kept = Arc::clone(&current);
    let double = Double::saying(move |request| {
        let mut current = kept.lock().expect("nobody panicked");
        let login = |user: &str, password: &str| {
            Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        };
        let given = request.header("authorization").map(str::to_owned);
        if given != login("admin", &current) && given != login("root", "root-password") {
            return answer(401, r#"{"message":"Invalid username or password"}"#);
        }
        match request.line().as_str() {
            "GET /grafana/api/org" => answer(200, r#"{"id":1,"name":"Main Org."}"#),
            "GET /grafana/api/users/lookup" => {
                assert_eq!(request.parameter("loginOrEmail"), Some("admin"));
                answer(200, r#"{"id":7,"login":"admin"}"#)
            }
            "PUT /grafana/api/admin/users/7/password" => {
                *current = request.field("password").expect("a password");
                answer(200, r#"{"message":"User password updated"}"#)
            }
            "POST /grafana/api/admin/users/7/logout" => answer(200, r#"{"message":"User logged out"}"#),
            _ => answer(404, "{}"),
        }
    });
    (double, current)
}

fn web_login(double: &Double, admin: Option<&str>) -> inventory::WebLogin {
    inventory::WebLogin {
        url: format!("{}/grafana/", double.origin()),
        user: "admin".into(),
        admin_url_env: admin.map(Into::into),
    }
}

#[test]
fn grafanas_password_is_changed_by_itself_or_by_an_administrator() {
    for admin in [None, Some(ADMIN)] {
        let (old, new) = pair();
        let (double, _) = grafana(&old);
        let url = with_login(&double.origin(), "root", "root-password");
        let world = World::new(None, Some((ADMIN, &url)));
        let login = web_login(&double, admin);
        let target = Grafana::new(&login, world.means());
        let values = values(&old, Some(&new));
        assert_eq!(target.perform(Act::Check, &values), Ok(()));
        for _ in 0..2 {
            assert_eq!(target.perform(Act::Introduce, &values), Ok(()), "again is as good");
        }
        assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::Yes, Accepts::No));
        assert_eq!(target.perform(Act::EndSessions, &values), Ok(()));
        assert_eq!(double.count("POST /grafana/api/admin/users/7/logout"), 1);
        for _ in 0..2 {
            assert_eq!(target.perform(Act::Withdraw, &values), Ok(()));
        }
        assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::No, Accepts::Yes));
        assert_eq!((target.overlaps(), target.requests(Act::Contain)), (false, None));
    }
}

#[test]
fn an_administrators_address_has_to_be_the_targets() {
    let (old, new) = pair();
    let (double, _) = grafana(&old);
    let login = web_login(&double, Some(ADMIN));
    for (url, why) in [
        (None, "is not set"),
        (Some("http://root:root-password@127.0.0.1:1/".to_owned()), "another host"),
        (Some(with_login(&double.origin(), "root", "x").replace("http", "https")), "another host"),
        (Some(double.origin()), "no user and password"),
        (Some("root-password".into()), "is no URL"),
    ] {
        let world = World::new(None, url.as_deref().map(|url| (ADMIN, url)));
        let outcome = Grafana::new(&login, world.means()).perform(Act::Introduce, &values(&old, Some(&new)));
        let Err(Trouble::Refused(told)) = &outcome else { panic!("{outcome:?}") };
        assert!(told.contains(why) && !told.contains("root-password"), "{told}");
    }
    assert!(double.seen().is_empty());
}

#[test]
fn a_grafana_that_does_not_answer_as_it_should_is_refused_or_unclear() {
    let (old, new) = pair();
    for (status, body, is_unclear) in [
        (401, "{}", false),
        (403, "{}", false),
        (404, "{}", false),
        (429, "{}", false),
        (500, "{}", true),
        (200, "<html>", true),
        (0, "", true),
    ] {
        let double = Double::saying(move |request| match (request.method.as_str(), status) {
            ("GET", _) if request.line().ends_with("/lookup") => answer(200, r#"{"id":7,"login":"admin"}"#),
            ("GET", _) => answer(401, r#"{"message":"Invalid username or password"}"#),
            (_, 0) => None,
            _ => answer(status, body),
        });
        let login = web_login(&double, None);
        let world = World::new(None, None);
        let outcome = Grafana::new(&login, world.means()).perform(Act::Introduce, &values(&old, Some(&new)));
        let is = matches!(outcome, Err(Trouble::Unclear(_)));
        assert!(outcome.is_err() && is == is_unclear, "{status}: {outcome:?}");
        assert_eq!(double.count("PUT /grafana/api/admin/users/7/password"), 1, "{status}");
    }
}

#[test]
fn a_user_of_grafana_with_another_login_is_not_touched() {
    let (old, new) = pair();
    let double = Double::saying(|_| answer(200, r#"{"id":8,"login":"administrator"}"#));
    let login = web_login(&double, None);
    let world = World::new(None, None);
    let target = Grafana::new(&login, world.means());
    // To whoever asks for the organization this looks right as well; only the lookup counts.
    let double_lines = || double.lines().iter().filter(|line| line.starts_with("PUT")).count();
    drop(target.perform(Act::Check, &values(&old, Some(&new))));
    assert!(matches!(target.perform(Act::EndSessions, &values(&old, None)), Err(Trouble::Refused(_))));
    assert_eq!(double_lines(), 0);
}

#[test]
fn a_locked_user_of_grafana_says_nothing() {
    let double = Double::saying(|_| {
        answer(
            401,
            r#"{"message":"too many consecutive incorrect login attempts for user - login for user temporarily blocked"}"#,
        )
    });
    let login = web_login(&double, None);
    let world = World::new(None, None);
    let target = Grafana::new(&login, world.means());
    assert!(matches!(target.accepts(&pair().0), Accepts::Unknown(_)));
    assert_eq!(double.seen().len(), 1);
}

/// A Keycloak with `admin` in `kosmos` and `root` in `master`, and the count of its open sessions.
fn keycloak(own: &Secret) -> (Double, Arc<Mutex<usize>>) {
    let open = Arc::new(Mutex::new(0));
    let kept = Arc::clone(&open);
    let mut current = text(own);
    let double = Double::saying(move |request| {
        let mut open = kept.lock().expect("nobody panicked");
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field =
            |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let is_in = request.header("authorization") == Some("Bearer access-token-of-a-session");
        let session = r#"{"access_token":"access-token-of-a-session","refresh_token":"refresh-token-of-it"}"#;
        match request.line().as_str() {
            line if line.ends_with("/protocol/openid-connect/token") => {
                assert_eq!((field("grant_type"), field("client_id")), (Some("password"), Some("admin-cli")));
                let given = (field("username"), field("password"));
                let own =
                    line.contains("/realms/kosmos/") && given == (Some("admin"), Some(current.as_str()));
                let root = line.contains("/realms/master/") && given == (Some("root"), Some("root-password"));
                if !own && !root {
                    return answer(
                        401,
                        r#"{"error":"invalid_grant","error_description":"Invalid user credentials"}"#,
                    );
                }
                *open += 1;
                answer(200, session)
            }
            line if line.ends_with("/protocol/openid-connect/logout") => {
                assert_eq!(field("refresh_token"), Some("refresh-token-of-it"));
                *open -= 1;
                answer(204, "")
            }
            _ if !is_in => answer(401, "{}"),
            "GET /admin/realms/kosmos/users" => {
                assert_eq!(
                    (request.parameter("username"), request.parameter("exact")),
                    (Some("admin"), Some("true"))
                );
                answer(200, r#"[{"id":"u-2","username":"admin-2"},{"id":"u-1","username":"admin"}]"#)
            }
            "PUT /admin/realms/kosmos/users/u-1/reset-password" => {
                assert_eq!(request.json()["temporary"], false);
                current = request.field("value").expect("a password");
                answer(204, "")
            }
            "POST /admin/realms/kosmos/users/u-1/logout" => answer(204, ""),
            "GET /admin/realms/kosmos/attack-detection/brute-force/users/u-1" => {
                answer(200, r#"{"disabled":false}"#)
            }
            _ => answer(404, "{}"),
        }
    });
    (double, open)
}

fn user(double: &Double, admin: Option<&str>) -> inventory::Keycloak {
    inventory::Keycloak {
        url: double.origin(),
        realm: "kosmos".into(),
        user: "admin".into(),
        admin_url_env: admin.map(Into::into),
    }
}

#[test]
fn keycloaks_password_is_changed_and_no_session_stays_open() {
    for admin in [None, Some(ADMIN)] {
        let (old, new) = pair();
        let (double, open) = keycloak(&old);
        let url = with_login(&double.origin(), "root", "root-password");
        let world = World::new(None, Some((ADMIN, &url)));
        let user = user(&double, admin);
        let target = Keycloak::new(&user, world.means());
        let values = values(&old, Some(&new));
        assert_eq!(target.perform(Act::Check, &values), Ok(()));
        for _ in 0..2 {
            assert_eq!(target.perform(Act::Introduce, &values), Ok(()));
        }
        assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::Yes, Accepts::No));
        assert_eq!(target.perform(Act::EndSessions, &values), Ok(()));
        assert_eq!(double.count("POST /admin/realms/kosmos/users/u-1/logout"), 1);
        for _ in 0..2 {
            assert_eq!(target.perform(Act::Withdraw, &values), Ok(()));
        }
        assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::No, Accepts::Yes));
        assert_eq!(*open.lock().expect("nobody panicked"), 0, "{admin:?}");
    }
}

#[test]
fn a_keycloak_that_does_not_answer_as_it_should_is_refused_or_unclear() {
    let (old, new) = pair();
    for (status, is_unclear) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (429, false),
        (500, true),
        (200, true),
        (0, true),
    ] {
        let double = Double::saying(move |request: &Received| match request.line().as_str() {
            line if line.ends_with("/token") => answer(200, r#"{"access_token":"access-token"}"#),
            "GET /admin/realms/kosmos/users" => answer(200, r#"[{"id":"u-1","username":"Admin"}]"#),
            _ if status == 0 => None,
            _ => answer(status, "<html>"),
        });
        let user = user(&double, None);
        let world = World::new(None, None);
        let outcome = Keycloak::new(&user, world.means()).perform(Act::Introduce, &values(&old, Some(&new)));
        let is = matches!(outcome, Err(Trouble::Unclear(_)));
        assert!(outcome.is_err() && is == is_unclear, "{status}: {outcome:?}");
        assert_eq!(double.count("PUT /admin/realms/kosmos/users/u-1/reset-password"), 1);
    }
}

#[test]
fn a_locked_user_of_keycloak_says_nothing_and_each_password_is_shown_once() {
    let (old, new) = pair();
    let double = Double::saying(|request| match request.line().as_str() {
        "POST /realms/master/protocol/openid-connect/token" => {
            answer(200, r#"{"access_token":"access-token"}"#)
        }
        "GET /admin/realms/kosmos/users" => answer(200, r#"[{"id":"u-1","username":"admin"}]"#),
        line if line.contains("brute-force") => answer(200, r#"{"disabled":true}"#),
        _ => answer(401, r#"{"error":"invalid_grant","error_description":"Invalid user credentials"}"#),
    });
    let url = with_login(&double.origin(), "root", "root-password");
    let world = World::new(None, Some((ADMIN, &url)));
    let with_admin = user(&double, Some(ADMIN));
    let target = Keycloak::new(&with_admin, world.means());
    assert!(matches!(target.accepts(&old), Accepts::Unknown(_)));
    assert_eq!(double.count("POST /realms/kosmos/protocol/openid-connect/token"), 1);
    let alone = user(&double, None);
    let outcome = Keycloak::new(&alone, world.means()).perform(Act::Introduce, &values(&old, Some(&new)));
    assert!(matches!(outcome, Err(Trouble::Refused(_))));
    assert_eq!(double.count("POST /realms/kosmos/protocol/openid-connect/token"), 3, "one for each password");
}

fn minio_target(double: &Double, access_key: Option<&str>, admin: Option<&str>) -> inventory::Minio {
    inventory::Minio {
        url: double.origin(),
        access_key: access_key.map(Into::into),
        user: Some("kosmos".into()),
        admin_url_env: admin.map(Into::into),
    }
}

#[test]
fn minios_root_is_for_a_person_until_the_new_password_is_in_force() {
    let (old, new) = pair();
    let current = Arc::new(Mutex::new(false));
    let is_new = Arc::clone(&current);
    let signatures: Arc<Mutex<Vec<String>>> = Arc::default();
    let double = Double::saying(move |request| {
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        assert!(authorization.contains("Credential=kosmos/"), "{authorization}");
        let mut seen = signatures.lock().expect("nobody panicked");
        seen.push(authorization);
        // The first to come is asked about the new password while the old one is in force.
        if *is_new.lock().expect("nobody panicked") {
            answer(200, "<ListAllMyBucketsResult></ListAllMyBucketsResult>")
        } else {
            answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        }
    });
    let root = minio_target(&double, None, None);
    let world = World::new(None, None);
    let target = Minio::new(&root, world.means());
    let values = values(&old, Some(&new));
    let Err(Trouble::Person(lines)) = target.perform(Act::Introduce, &values) else {
        panic!("a person does it")
    };
    assert!(lines[0].contains("MINIO_ROOT_PASSWORD") && lines[0].contains("kosmos"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(&text(&new)) && !line.contains(&text(&old))));
    assert_eq!(target.accepts(&new), Accepts::No);
    *current.lock().expect("nobody panicked") = true;
    assert_eq!((target.perform(Act::Introduce, &values), target.accepts(&new)), (Ok(()), Accepts::Yes));
    assert_eq!(target.requests(Act::Contain), None);
}

#[test]
fn an_access_key_of_minio_is_switched_off_and_on() {
    let (old, _) = pair();
    let double = Double::saying(|request| {
        assert!(request.header("authorization").unwrap_or_default().contains("Credential=root/"));
        answer(200, "")
    });
    let url = with_login(&double.origin(), "root", "root-password");
    let world = World::new(None, Some((ADMIN, &url)));
    let key = minio_target(&double, Some("app"), Some(ADMIN));
    let target = Minio::new(&key, world.means());
    for (act, status) in [(Act::Contain, "disabled"), (Act::Release, "enabled")] {
        assert_eq!(target.perform(act, &values(&old, None)), Ok(()));
        let seen = double.seen();
        let last = seen.last().expect("it was asked");
        assert_eq!(last.line(), "PUT /minio/admin/v3/set-user-status");
        assert_eq!((last.parameter("accessKey"), last.parameter("status")), (Some("app"), Some(status)));
    }
}

#[test]
fn what_minio_does_not_switch_is_told_and_what_is_unclear_is_unclear() {
    let (old, _) = pair();
    for (status, body, expected) in [
        (400, r#"{"Code":"XMinioIAMActionNotAllowed"}"#, "person"),
        (404, r#"{"Code":"XMinioAdminNoSuchUser"}"#, "person"),
        (403, r#"{"Code":"AccessDenied"}"#, "refused"),
        (429, "", "refused"),
        (500, "", "unclear"),
        (200, "<html>", "unclear"),
        (0, "", "unclear"),
    ] {
        let double = Double::saying(move |_| if status == 0 { None } else { answer(status, body) });
        let url = with_login(&double.origin(), "root", "root-password");
        let world = World::new(None, Some((ADMIN, &url)));
        let key = minio_target(&double, Some("app"), Some(ADMIN));
        let outcome = Minio::new(&key, world.means()).perform(Act::Contain, &values(&old, None));
        let was = match &outcome {
            Err(Trouble::Person(lines)) => {
                assert_eq!(lines, &["mc admin accesskey disable ALIAS app"]);
                "person"
            }
            Err(Trouble::Refused(_)) => "refused",
            Err(Trouble::Unclear(_)) => "unclear",
            Ok(()) => "done",
        };
        assert_eq!(was, expected, "{status}: {outcome:?}");
        assert_eq!(double.seen().len(), 1);
    }
}

/// A nats-server that lets one password in.
fn nats(password: Arc<Mutex<String>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = listener.local_addr().expect("it listens").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let info = b"INFO {\"server_id\":\"A\",\"version\":\"2.10.0\",\"auth_required\":true,\"max_payload\":1048576}\r\n";
            drop(stream.write_all(info));
            let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let connect = lines.next().and_then(Result::ok).unwrap_or_default();
            let current = serde_json::Value::from(password.lock().expect("nobody panicked").as_str());
            let is_in = connect.contains(&format!("\"pass\":{current}"));
            let said = if is_in { "PONG\r\n" } else { "-ERR 'Authorization Violation'\r\n" };
            drop(stream.write_all(said.as_bytes()));
        }
    });
    port
}

#[test]
fn a_password_of_nats_is_for_a_person_and_proved_by_a_login() {
    let (old, new) = (Secret::new(password(1, 20)), Secret::new(password(2, 20)));
    let current = Arc::new(Mutex::new(text(&old)));
    let port = nats(Arc::clone(&current));
    let user =
        inventory::Nats { host: "127.0.0.1".into(), port, user: "sys".into(), account: None, tls: false };
    let world = World::new(None, None);
    let target = Nats::new(&user, "NATS_SYSTEM_PASSWORD", world.means());
    let values = values(&old, Some(&new));
    assert_eq!(target.perform(Act::Check, &values), Ok(()));
    let Err(Trouble::Person(lines)) = target.perform(Act::Introduce, &values) else {
        panic!("a person does it")
    };
    let block = "accounts { $SYS { users = [ { user: sys, password: $NATS_SYSTEM_PASSWORD } ] } }";
    assert!(lines[0].contains(block), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(&text(&new)) && !line.contains(&text(&old))));
    *current.lock().expect("nobody panicked") = text(&new);
    assert_eq!(target.perform(Act::Introduce, &values), Ok(()));
    assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::Yes, Accepts::No));
}
