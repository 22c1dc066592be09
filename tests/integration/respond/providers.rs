//! Keys of providers, revoked at doubles on this machine: each kind once, with every answer that can come.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hekate::{
    inventory,
    model::Secret,
    provider::{
        Role,
        revoke::{Action, revocation_of, revocations},
    },
    respond::target::{Accepts, Act, Birth, Provider, Target, Trouble, Values},
};

use super::web::{Double, Nowhere, World, answer};
use crate::{
    infisical::http::{Received, Reply},
    secrets::token,
};

/// How a kind of key is ended, told by a service's double.
struct Kind {
    rule: &'static str,
    /// What asks about a key, with the answer while it is alive and the one when it is dead. Empty where nothing can ask.
    check: (&'static str, &'static str, (u16, &'static str)),
    /// Lists on the way: a request, and the answer.
    lists: &'static [(&'static str, &'static str)],
    /// What ends it: the request, and the answer.
    act: (&'static str, u16, &'static str),
    /// A part of its body or of a header.
    shows: &'static str,
    /// What is said when the key was dead before.
    gone: Option<(u16, &'static str)>,
}

const KIND: Kind =
    Kind { rule: "", check: ("", "", (401, "")), lists: &[], act: ("", 204, ""), shows: "", gone: None };

const KINDS: &[Kind] = &[
    Kind {
        rule: "github-pat",
        check: ("GET /user", r#"{"login":"bot"}"#, (401, r#"{"message":"Bad credentials"}"#)),
        act: ("POST /credentials/revoke", 202, ""),
        shows: r#"{"credentials":["$VALUE"]}"#,
        ..KIND
    },
    Kind {
        rule: "github-app-token",
        check: (
            "GET /installation/repositories",
            r#"{"total_count":1}"#,
            (401, r#"{"message":"Bad credentials"}"#),
        ),
        act: ("DELETE /installation/token", 204, ""),
        shows: "Bearer $VALUE",
        gone: Some((401, r#"{"message":"Bad credentials"}"#)),
        ..KIND
    },
    Kind {
        rule: "huggingface-access-token",
        check: (
            "GET /api/whoami-v2",
            r#"{"name":"bot","auth":{}}"#,
            (401, r#"{"error":"Invalid credentials"}"#),
        ),
        act: ("POST /api/credentials/revoke", 202, ""),
        shows: r#"{"credentials":["$VALUE"]}"#,
        ..KIND
    },
    Kind {
        rule: "gitlab-pat",
        check: (
            "GET /api/v4/personal_access_tokens/self",
            r#"{"id":1,"active":true,"revoked":false,"scopes":[]}"#,
            (401, r#"{"message":"401 Unauthorized"}"#),
        ),
        act: ("DELETE /api/v4/personal_access_tokens/self", 204, ""),
        shows: "$VALUE",
        gone: Some((401, r#"{"message":"401 Unauthorized"}"#)),
        ..KIND
    },
    Kind {
        rule: "slack-bot-token",
        check: ("POST /api/auth.test", r#"{"ok":true}"#, (200, r#"{"ok":false,"error":"token_revoked"}"#)),
        act: ("POST /api/auth.revoke", 200, r#"{"ok":true,"revoked":true}"#),
        shows: "Bearer $VALUE",
        gone: Some((200, r#"{"ok":false,"error":"token_revoked"}"#)),
        ..KIND
    },
    Kind {
        rule: "doppler-api-token",
        check: (
            "GET /v3/me",
            r#"{"type":"personal","workplace":{"name":"w"},"name":"x","slug":"x","token_preview":"x"}"#,
            (401, r#"{"success":false,"messages":["Invalid Auth token"]}"#),
        ),
        act: ("POST /v3/auth/revoke", 200, "{}"),
        shows: r#"{"token":"$VALUE"}"#,
        ..KIND
    },
    Kind {
        rule: "digitalocean-pat",
        check: (
            "GET /v2/account",
            r#"{"account":{"uuid":"u","status":"active","email":"a"}}"#,
            (401, r#"{"id":"Unauthorized","message":"Unable to authenticate you"}"#),
        ),
        act: ("POST /v1/oauth/revoke", 200, "{}"),
        shows: "token=$VALUE",
        ..KIND
    },
    Kind {
        rule: "vercel-access-token",
        check: (
            "GET /v2/user",
            r#"{"user":{"id":"u","username":"u"}}"#,
            (403, r#"{"error":{"code":"forbidden","invalidToken":true}}"#),
        ),
        act: ("DELETE /v3/user/tokens/current", 200, r#"{"tokenId":"t"}"#),
        shows: "Bearer $VALUE",
        gone: Some((403, r#"{"error":{"code":"forbidden","invalidToken":true}}"#)),
        ..KIND
    },
    Kind {
        rule: "posthog-personal-api-key",
        check: (
            "GET /api/users/@me/",
            r#"{"uuid":"u","distinct_id":"d","email":"e"}"#,
            (
                401,
                r#"{"type":"authentication_error","code":"authentication_failed","detail":"Invalid personal API key"}"#,
            ),
        ),
        act: ("POST /api/revoke_leaked_key", 200, "{}"),
        shows: r#"{"token":"$VALUE"}"#,
        gone: Some((404, "{}")),
        ..KIND
    },
    Kind {
        rule: "buildkite-api-token",
        check: (
            "GET /v2/access-token",
            r#"{"uuid":"u","scopes":[]}"#,
            (401, r#"{"message":"Authentication required. Please supply a valid API Access Token"}"#),
        ),
        act: ("DELETE /v2/access-token", 204, ""),
        shows: "Bearer $VALUE",
        gone: Some((401, r#"{"message":"Authentication required."}"#)),
        ..KIND
    },
    Kind {
        rule: "twitch-oauth-password",
        check: (
            "GET /oauth2/validate",
            r#"{"client_id":"c1","login":"l","scopes":[],"expires_in":5}"#,
            (401, r#"{"status":401,"message":"invalid access token"}"#),
        ),
        act: ("POST /oauth2/revoke", 200, ""),
        shows: "client_id=c1&token=$VALUE",
        gone: Some((400, r#"{"status":400,"message":"Invalid token"}"#)),
        ..KIND
    },
    Kind {
        rule: "vault-service-token",
        check: (
            "GET /v1/auth/token/lookup-self",
            r#"{"data":{"id":"x","policies":[],"accessor":"a","display_name":"d"}}"#,
            (403, r#"{"errors":["bad token"]}"#),
        ),
        act: ("POST /v1/auth/token/revoke-self", 204, ""),
        shows: "$VALUE",
        ..KIND
    },
    Kind {
        rule: "twilio-api-key",
        check: (
            "GET /2010-04-01/Accounts.json",
            r#"{"accounts":[{"status":"active"}]}"#,
            (401, r#"{"code":20003}"#),
        ),
        act: ("DELETE /2010-04-01/Accounts/acc/Keys/$VALUE.json", 204, ""),
        shows: "Basic $ADMIN64",
        ..KIND
    },
    Kind {
        rule: "sendgrid-api-token",
        check: (
            "GET /v3/scopes",
            r#"{"scopes":[]}"#,
            (
                401,
                r#"{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked"}]}"#,
            ),
        ),
        act: ("DELETE /v3/api_keys/$SENDGRID", 204, ""),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "heroku-api-key-v2",
        check: (
            "GET /account",
            r#"{"id":"u","email":"e"}"#,
            (401, r#"{"id":"unauthorized","message":"Invalid credentials provided."}"#),
        ),
        lists: &[(
            "GET /oauth/authorizations",
            r#"[{"id":"other","access_token":{"token":"x"}},{"id":"mine","access_token":{"token":"$VALUE"}}]"#,
        )],
        act: ("DELETE /oauth/authorizations/mine", 200, r#"{"id":"mine"}"#),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "aws-secret-access-key",
        check: (
            "GET / GetCallerIdentity",
            "<GetCallerIdentityResult/>",
            (403, "<Code>InvalidClientTokenId</Code>"),
        ),
        act: ("GET / UpdateAccessKey", 200, "<UpdateAccessKeyResponse/>"),
        shows: "Credential=one/",
        ..KIND
    },
    Kind {
        rule: "alibaba-secret-key",
        check: (
            "GET / GetCallerIdentity",
            r#"{"RequestId":"r","Arn":"a"}"#,
            (403, r#"{"RequestId":"r","Code":"InvalidAccessKeyId.Inactive"}"#),
        ),
        act: ("GET / UpdateAccessKey", 200, r#"{"RequestId":"r"}"#),
        ..KIND
    },
    Kind {
        rule: "azure-ad-client-secret",
        check: (
            "POST /tenant/oauth2/v2.0/token",
            r#"{"access_token":"a","token_type":"Bearer"}"#,
            (401, r#"{"error_codes":[7000215]}"#),
        ),
        lists: &[(
            "GET /v1.0/applications(appId='client')",
            r#"{"passwordCredentials":[{"keyId":"k0","hint":"~~~"},{"keyId":"k1","hint":"$START3"}]}"#,
        )],
        act: ("POST /v1.0/applications(appId='client')/removePassword", 204, ""),
        shows: r#"{"keyId":"k1"}"#,
        ..KIND
    },
    Kind {
        rule: "openai-api-key",
        check: (
            "GET /v1/models",
            r#"{"object":"list","data":[]}"#,
            (401, r#"{"error":{"code":"invalid_api_key"}}"#),
        ),
        lists: &[(
            "GET /v1/organization/projects/acc/api_keys",
            r#"{"data":[{"id":"k0","redacted_value":"sk-...zzzz"},{"id":"k1","redacted_value":"$HINT"}],"has_more":false}"#,
        )],
        act: ("DELETE /v1/organization/projects/acc/api_keys/k1", 200, r#"{"deleted":true}"#),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "openai-admin-key",
        check: (
            "GET /v1/organization/projects",
            r#"{"object":"list","data":[]}"#,
            (401, r#"{"error":{"code":"invalid_api_key"}}"#),
        ),
        lists: &[(
            "GET /v1/organization/admin_api_keys",
            r#"{"data":[{"id":"k1","redacted_value":"$HINT"}],"has_more":false}"#,
        )],
        act: ("DELETE /v1/organization/admin_api_keys/k1", 200, r#"{"deleted":true}"#),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "anthropic-api-key",
        check: (
            "GET /v1/models",
            r#"{"data":[],"has_more":false}"#,
            (401, r#"{"error":{"type":"authentication_error"}}"#),
        ),
        lists: &[(
            "GET /v1/organizations/api_keys",
            r#"{"data":[{"id":"k1","partial_key_hint":"$HINT"}],"has_more":false}"#,
        )],
        act: ("POST /v1/organizations/api_keys/k1", 200, r#"{"status":"inactive"}"#),
        shows: r#"{"status":"inactive"}"#,
        ..KIND
    },
    Kind {
        rule: "cloudflare-user-api-token",
        check: (
            "GET /client/v4/user/tokens/verify",
            r#"{"success":true,"result":{"id":"t1","status":"active"}}"#,
            (401, r#"{"success":false}"#),
        ),
        act: ("DELETE /client/v4/user/tokens/t1", 200, r#"{"success":true,"result":{"id":"t1"}}"#),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "cloudflare-account-api-token",
        check: (
            "GET /client/v4/accounts/acc/tokens/verify",
            r#"{"success":true,"result":{"id":"t1","status":"active"}}"#,
            (401, r#"{"success":false}"#),
        ),
        act: ("DELETE /client/v4/accounts/acc/tokens/t1", 200, r#"{"success":true,"result":{"id":"t1"}}"#),
        shows: "Bearer one:two",
        ..KIND
    },
    Kind {
        rule: "langfuse-secret-key",
        check: (
            "GET /api/public/projects",
            r#"{"data":[{"id":"p","name":"p"}]}"#,
            (401, r#"{"message":"Invalid credentials"}"#),
        ),
        lists: &[(
            "GET /api/public/projects/acc/apiKeys",
            r#"{"apiKeys":[{"id":"k0","publicKey":"pk-lf-0","displaySecretKey":"$HINT"},{"id":"k1","publicKey":"public","displaySecretKey":"$HINT"}]}"#,
        )],
        act: ("DELETE /api/public/projects/acc/apiKeys/k1", 200, r#"{"success":true}"#),
        shows: "Basic $ADMIN64",
        ..KIND
    },
    Kind {
        rule: "datadog-api-key",
        check: ("GET /api/v1/validate", r#"{"valid":true}"#, (403, r#"{"errors":["Forbidden"]}"#)),
        lists: &[("GET /api/v2/api_keys/keyid", r#"{"data":{"id":"keyid","attributes":{"last4":"$END4"}}}"#)],
        act: ("DELETE /api/v2/api_keys/keyid", 204, ""),
        shows: "two",
        ..KIND
    },
    Kind {
        rule: "crates-io-api-token",
        check: (
            "GET /api/v1/me",
            r#"{"user":{"login":"l","id":1}}"#,
            (403, r#"{"errors":[{"detail":"authentication failed"}]}"#),
        ),
        act: ("DELETE /api/v1/tokens/current", 204, ""),
        shows: "$VALUE",
        ..KIND
    },
];

/// Kinds that have tests of their own, and why.
const APART: &[(&str, &str)] = &[
    ("gcp", "its check compares a real key with its certificate"),
    ("perplexity", "nothing can ask about its keys"),
    ("shopify", "its end is asked for by name"),
    ("discord", "its webhook is a part of an address"),
];

fn companions(kind: &str) -> Vec<(Role, Secret)> {
    let id = if kind.starts_with("alibaba") { "LTAI" } else { "keyid" };
    [
        (Role::KeyId, id),
        (Role::Account, "acc"),
        (Role::Tenant, "tenant"),
        (Role::ClientId, "client"),
        (Role::PublicKey, "public"),
        (Role::KeySecret, "secret"),
    ]
    .into_iter()
    .filter(|(role, _)| *role != Role::KeySecret || kind == "twilio-api-key")
    .filter(|(role, _)| *role != Role::KeyId || kind != "twilio-api-key")
    .map(|(role, text)| (role, Secret::new(text)))
    .collect()
}

impl Kind {
    /// A text of the table with this value in it.
    fn filled(&self, text: &str, value: &str) -> String {
        let part = |from: usize, to: usize| value.get(from..to).unwrap_or_default().to_owned();
        let end = part(value.len() - 4, value.len());
        text.replace("$VALUE", value)
            .replace("$HINT", &format!("{}...{end}", part(0, 6)))
            .replace("$START3", &part(0, 3))
            .replace("$END4", &end)
            .replace("$ADMIN64", &STANDARD.encode("one:two"))
            .replace("$SENDGRID", value.split('.').nth(1).unwrap_or_default())
    }

    fn provider(&self) -> &'static str {
        &revocation_of(self.rule).expect("it is in the table").provider
    }

    fn value(&self) -> String {
        token(self.rule, 7)
    }

    /// The service: alive until it is ended, with `end` for an answer to that in place of the right one.
    fn double(&'static self, end: End) -> Double {
        let value = self.value();
        let mut is_alive = true;
        Double::saying(move |request| {
            let line = line(request);
            if line == self.filled(self.act.0, &value) {
                return match end {
                    End::Done => {
                        is_alive = false;
                        answer(self.act.1, self.act.2)
                    }
                    End::Lost => None,
                    End::Said(status, body) => answer(status, body),
                };
            }
            if line == self.check.0 {
                let (status, body) = if is_alive { (200, self.check.1) } else { self.check.2 };
                return answer(status, &self.filled(body, &value));
            }
            let list = self.lists.iter().find(|(known, _)| *known == line);
            list.map_or_else(|| answer(599, ""), |(_, body)| answer(200, &self.filled(body, &value)))
        })
    }
}

/// `GET /path`, with the action of those that have one.
fn line(request: &Received) -> String {
    let action = request.parameter("Action").map(|action| format!(" {action}")).unwrap_or_default();
    format!("{}{action}", request.line())
}

#[derive(Clone, Copy)]
enum End {
    Done,
    Lost,
    Said(u16, &'static str),
}

/// Has the key of a kind ended, as one that was found and is in no inventory.
fn end(kind: &Kind, double: &Double, act: Act) -> Result<(), Trouble> {
    let variable = format!("HEKATE_{}_ADMIN_KEY", kind.provider().to_uppercase().replace('-', "_"));
    let world = World::new(Some((kind.provider(), &double.origin())), Some((&variable, "one:two")));
    let target = Provider::of_finding(kind.rule, companions(kind.rule), world.means()).expect("it is known");
    let target = target.waiting(Duration::ZERO, Duration::ZERO);
    let old = Secret::new(kind.value());
    target.perform(act, &Values { old: &old, new: None, incident: "INC-7" })
}

#[test]
fn every_call_of_the_table_is_in_these_tests() {
    for one in revocations() {
        let has_calls = one.who != hekate::provider::revoke::Who::Person;
        let is_here = KINDS.iter().any(|kind| one.rules.iter().any(|rule| rule == kind.rule));
        let is_apart = APART.iter().any(|(provider, _)| *provider == one.provider);
        assert!(!has_calls || is_here || is_apart, "{} {:?}", one.provider, one.rules);
    }
}

#[test]
fn every_kind_of_key_is_ended_by_its_own_request_once() {
    let mut again = Vec::new();
    for kind in KINDS {
        let double = kind.double(End::Done);
        let value = kind.value();
        assert_eq!(end(kind, &double, Act::Retire), Ok(()), "{}: {:?}", kind.rule, double.lines());
        let wanted = kind.filled(kind.act.0, &value);
        let acts: Vec<Received> = double.seen().into_iter().filter(|one| line(one) == wanted).collect();
        assert_eq!(acts.len(), 1, "{}", kind.rule);
        let headers: Vec<&str> = acts[0].headers.iter().map(|(_, value)| value.as_str()).collect();
        let sent = format!("{} {}", headers.join(" "), String::from_utf8_lossy(&acts[0].body));
        assert!(sent.contains(&kind.filled(kind.shows, &value)), "{}: {sent}", kind.rule);
        again.extend(ended_again(kind, &double, &wanted).then_some(kind.rule));
    }
    // Twilio answers for a dead key as it does for one that may not be asked with.
    assert_eq!(again, ["twilio-api-key"]);
}

/// Whether a key that is dead is ended a second time.
fn ended_again(kind: &Kind, double: &Double, act: &str) -> bool {
    let outcome = end(kind, double, Act::Retire);
    assert_eq!(outcome, Ok(()), "{}", kind.rule);
    double.seen().into_iter().filter(|one| line(one) == act).count() > 1
}

#[test]
fn a_refusal_is_one_and_what_is_unclear_is_unclear() {
    for kind in KINDS {
        let wanted = kind.filled(kind.act.0, &kind.value());
        for status in [400, 401, 403, 404, 409, 429, 500, 502, 200, 0] {
            let said = match status {
                0 => End::Lost,
                status => End::Said(status, "<html>"),
            };
            let is_documented_without_body = kind.gone == Some((404, "{}")) && status == 404;
            let double = kind.double(said);
            let outcome = end(kind, &double, Act::Retire);
            match status {
                404 if is_documented_without_body => assert_eq!(outcome, Ok(()), "{}", kind.rule),
                400..=499 => {
                    assert!(
                        matches!(outcome, Err(Trouble::Refused(_))),
                        "{} {status}: {outcome:?}",
                        kind.rule
                    );
                }
                _ => assert!(
                    matches!(outcome, Err(Trouble::Unclear(_))),
                    "{} {status}: {outcome:?}",
                    kind.rule
                ),
            }
            let count = double.seen().into_iter().filter(|one| line(one) == wanted).count();
            assert_eq!(count, 1, "{} {status}: nothing that changes something is sent twice", kind.rule);
        }
    }
}

#[test]
fn a_key_that_was_dead_before_is_as_good() {
    for kind in KINDS {
        let Some((status, body)) = kind.gone else { continue };
        let double = kind.double(End::Said(status, body));
        assert_eq!(end(kind, &double, Act::Retire), Ok(()), "{}", kind.rule);
    }
}

#[test]
fn without_a_way_to_the_provider_nothing_has_changed() {
    for kind in KINDS {
        let world = World::new(Some((kind.provider(), "http://127.0.0.1:9")), None);
        let means = hekate::respond::target::Means { send: &Nowhere, ..world.means() };
        let target = Provider::of_finding(kind.rule, companions(kind.rule), means).expect("it is known");
        let old = Secret::new(kind.value());
        let outcome = target.perform(Act::Retire, &Values { old: &old, new: None, incident: "INC-7" });
        assert!(
            matches!(outcome, Err(Trouble::Refused(_) | Trouble::Person(_))),
            "{}: {outcome:?}",
            kind.rule
        );
        assert!(!format!("{outcome:?}").contains(&kind.value()));
    }
}

#[test]
fn without_an_administrators_key_a_person_is_told_where_to_go() {
    let kind = KINDS.iter().find(|kind| kind.rule == "anthropic-api-key").expect("it is there");
    let double = kind.double(End::Done);
    let world = World::new(Some(("anthropic", &double.origin())), None);
    let target = Provider::of_finding(kind.rule, Vec::new(), world.means()).expect("it is known");
    let old = Secret::new(kind.value());
    let outcome = target.perform(Act::Retire, &Values { old: &old, new: None, incident: "INC-7" });
    let Err(Trouble::Person(lines)) = outcome else { panic!("{outcome:?}") };
    assert!(lines.iter().any(|line| line == "https://platform.claude.com/settings/keys"), "{lines:?}");
    assert!(lines[0].contains("HEKATE_ANTHROPIC_ADMIN_KEY is not set"), "{lines:?}");
}

#[test]
fn an_access_key_whose_id_is_of_another_is_left_alone() {
    for (rule, body) in [
        ("aws-secret-access-key", "<Code>SignatureDoesNotMatch</Code>"),
        ("alibaba-secret-key", r#"{"RequestId":"r","Code":"SignatureDoesNotMatch"}"#),
    ] {
        let double = Double::saying(move |_| answer(403, body));
        let kind = KINDS.iter().find(|kind| kind.rule == rule).expect("it is there");
        let outcome = end(kind, &double, Act::Contain);
        assert!(matches!(outcome, Err(Trouble::Person(_))), "{rule}: {outcome:?}");
        assert_eq!(double.seen().len(), 1, "{rule}: it was only asked about");
    }
}

#[test]
fn two_keys_that_look_alike_are_for_a_person() {
    let kind = KINDS.iter().find(|kind| kind.rule == "anthropic-api-key").expect("it is there");
    let value = kind.value();
    let double = Double::saying(move |request| match request.line().as_str() {
        "GET /v1/models" => answer(200, kind.check.1),
        _ => {
            let one = kind.filled(r#"{"id":"k","partial_key_hint":"$HINT"}"#, &value);
            answer(200, &format!(r#"{{"data":[{one},{one}],"has_more":false}}"#))
        }
    });
    assert!(matches!(end(kind, &double, Act::Contain), Err(Trouble::Person(_))));
    assert!(double.seen().iter().all(|request| request.method == "GET"));
}

#[test]
fn what_was_switched_off_is_switched_on_again() {
    let mut is_on = true;
    let double = Double::saying(move |request| match (request.method.as_str(), request.field("status")) {
        ("POST", Some(status)) => {
            is_on = status == "active";
            answer(200, &format!(r#"{{"status":"{status}"}}"#))
        }
        _ if request.line() == "GET /v1/models" => {
            if is_on {
                answer(200, KINDS[20].check.1)
            } else {
                answer(401, KINDS[20].check.2.1)
            }
        }
        _ => answer(200, &KINDS[20].filled(KINDS[20].lists[0].1, &KINDS[20].value())),
    });
    let kind = &KINDS[20];
    assert_eq!(kind.rule, "anthropic-api-key");
    for act in [Act::Contain, Act::Contain, Act::Release, Act::Release] {
        assert_eq!(end(kind, &double, act), Ok(()));
    }
    assert_eq!(double.count("POST /v1/organizations/api_keys/k1"), 2);
}

fn entry(
    provider: &str,
    url: Option<String>,
    admin: Option<&str>,
    account: Option<&str>,
) -> inventory::Provider {
    inventory::Provider {
        provider: provider.into(),
        url,
        account: account.map(Into::into),
        key_id: None,
        admin_key_env: admin.map(Into::into),
        page: None,
    }
}

#[test]
fn gitlab_rotates_a_token_by_itself_and_only_once() {
    let (old, new) = (token("gitlab-pat", 1), token("gitlab-pat", 2));
    let (given, shown) = (new.clone(), old.clone());
    let mut current = old.clone();
    let double = Double::saying(move |request| {
        let is_current = request.header("private-token") == Some(&current);
        match request.line().as_str() {
            _ if !is_current => answer(401, r#"{"message":"401 Unauthorized"}"#),
            "POST /api/v4/personal_access_tokens/self/rotate" => {
                assert_eq!(request.header("private-token"), Some(shown.as_str()));
                assert!(request.field("expires_at").is_some());
                current = given.clone();
                answer(201, &format!(r#"{{"token":"{given}","active":true}}"#))
            }
            _ => answer(200, KINDS[3].check.1),
        }
    });
    let world = World::new(None, None);
    let entry = entry("gitlab", Some(double.origin()), None, None);
    let (old, new) = (Secret::new(old), Secret::new(new));
    let target = Provider::of_entry(&entry, Some(&old), world.means());
    assert_eq!((target.birth(), target.overlaps()), (Birth::Issued, false));
    assert_eq!((target.requests(Act::Contain), target.requests(Act::Retire)), (None, None));
    let values = Values { old: &old, new: None, incident: "INC-7" };
    assert!(target.issue(&values).is_ok_and(|issued| issued == new));
    assert_eq!((target.accepts(&new), target.accepts(&old)), (Accepts::Yes, Accepts::No));
    // To show a token that was rotated would end the one that follows it.
    assert!(matches!(target.issue(&values), Err(Trouble::Person(_))));
    assert_eq!(double.count("POST /api/v4/personal_access_tokens/self/rotate"), 1);
}

#[test]
fn cloudflare_rolls_a_token_that_proves_its_own_id() {
    let (old, new) = (token("cloudflare-api-key", 1), token("cloudflare-user-api-token", 2));
    let (given, mut current) = (new.clone(), old.clone());
    let double = Double::saying(move |request| match request.line().as_str() {
        "PUT /client/v4/user/tokens/t1/value" => {
            assert_eq!(request.header("authorization"), Some("Bearer admin-token"));
            current = given.clone();
            answer(200, &format!(r#"{{"success":true,"result":"{given}"}}"#))
        }
        _ if request.header("authorization") == Some(&format!("Bearer {current}")) => {
            answer(200, r#"{"success":true,"result":{"id":"t1","status":"active"}}"#)
        }
        _ => answer(401, r#"{"success":false}"#),
    });
    let world = World::new(None, Some(("HEKATE_CLOUDFLARE_ADMIN_TOKEN", "admin-token")));
    let entry = entry("cloudflare", Some(double.origin()), Some("HEKATE_CLOUDFLARE_ADMIN_TOKEN"), None);
    let (old, new) = (Secret::new(old), Secret::new(new));
    let target = Provider::of_entry(&entry, Some(&old), world.means());
    assert_eq!(target.birth(), Birth::Issued);
    let values = Values { old: &old, new: None, incident: "INC-7" };
    assert_eq!(target.perform(Act::Check, &values), Ok(()));
    assert!(target.issue(&values).is_ok_and(|issued| issued == new));
    assert_eq!(target.accepts(&new), Accepts::Yes);
}

/// OpenAI's project, with the service accounts that it has.
fn openai(new: String, loses_first: bool) -> Double {
    let mut accounts: Vec<(String, String)> = vec![("sa0".into(), "ci".into())];
    let mut tries = 0;
    Double::saying(move |request| {
        let base = "/v1/organization/projects/acc/service_accounts";
        let line = request.line();
        if line == format!("GET {base}") {
            let item = |(id, name): &(String, String)| format!(r#"{{"id":"{id}","name":"{name}"}}"#);
            let items: Vec<String> = accounts.iter().map(item).collect();
            return answer(200, &format!(r#"{{"data":[{}],"has_more":false}}"#, items.join(",")));
        }
        if let Some(id) = line.strip_prefix(&format!("DELETE {base}/")) {
            accounts.retain(|(known, _)| known != id);
            return answer(200, r#"{"deleted":true}"#);
        }
        if line == format!("POST {base}") {
            tries += 1;
            accounts.push((format!("sa{tries}"), request.field("name").expect("a name")));
            if loses_first && tries == 1 {
                return None;
            }
            return answer(200, &format!(r#"{{"id":"sa{tries}","api_key":{{"value":"{new}"}}}}"#));
        }
        answer(404, "{}")
    })
}

#[test]
fn openai_makes_a_service_account_and_takes_back_one_that_got_lost() {
    let (old, new) = (token("openai-api-key", 1), token("openai-api-key", 2));
    let double = openai(new.clone(), true);
    let world = World::new(None, Some(("HEKATE_OPENAI_ADMIN_KEY", "admin")));
    let entry = entry("openai", Some(double.origin()), Some("HEKATE_OPENAI_ADMIN_KEY"), Some("acc"));
    let old = Secret::new(old);
    let target = Provider::of_entry(&entry, Some(&old), world.means());
    assert_eq!((target.birth(), target.overlaps()), (Birth::Issued, true));
    let values = Values { old: &old, new: None, incident: "INC-7" };
    assert!(matches!(target.issue(&values), Err(Trouble::Unclear(_))));
    assert!(target.issue(&values).is_ok_and(|issued| issued == Secret::new(new)));
    let deleted: Vec<String> = double.lines().into_iter().filter(|line| line.starts_with("DELETE")).collect();
    assert_eq!(deleted, ["DELETE /v1/organization/projects/acc/service_accounts/sa1"]);
    // Withdrawing takes the new one back, and leaves the others.
    assert_eq!(target.perform(Act::Withdraw, &values), Ok(()));
    assert_eq!(target.perform(Act::Withdraw, &values), Ok(()));
    assert_eq!(double.count("DELETE /v1/organization/projects/acc/service_accounts/sa2"), 1);
    assert_eq!(double.count("DELETE /v1/organization/projects/acc/service_accounts/sa0"), 0);
}

#[test]
fn without_a_project_a_new_key_of_openai_is_for_a_person() {
    let world = World::new(None, Some(("HEKATE_OPENAI_ADMIN_KEY", "admin")));
    let entry = entry("openai", None, Some("HEKATE_OPENAI_ADMIN_KEY"), None);
    let target = Provider::of_entry(&entry, None, world.means());
    let Birth::Person { page, .. } = target.birth() else { panic!("{:?}", target.birth()) };
    assert_eq!(page.as_deref(), Some("https://platform.openai.com/api-keys"));
    let lines = target.requests(Act::Retire).expect("it is revoked");
    assert_eq!(lines[0], "GET https://api.openai.com/v1/organization/projects?limit=100");
}

#[test]
fn what_nobody_can_ask_about_is_unclear_after_it_was_submitted() {
    let double = Double::saying(|_| answer(200, "{}"));
    let world = World::new(Some(("perplexity", &double.origin())), None);
    let target = Provider::of_finding("perplexity-api-key", Vec::new(), world.means()).expect("it is known");
    let old = Secret::new(token("perplexity-api-key", 1));
    let outcome = target.perform(Act::Retire, &Values { old: &old, new: None, incident: "INC-7" });
    assert!(matches!(outcome, Err(Trouble::Unclear(_))), "{outcome:?}");
    assert_eq!(double.lines(), ["POST /revoke_auth_token"]);
}

#[test]
fn more_than_a_key_is_only_ended_when_that_is_asked_for_by_name() {
    let double = Double::saying(|_| {
        Some(Reply { status: 200, headers: Vec::new(), body: r#"{"shop":{"id":1,"name":"s"}}"#.into() })
    });
    let world = World::new(Some(("shopify", &double.origin())), None);
    let target =
        || Provider::of_finding("shopify-access-token", Vec::new(), world.means()).expect("it is known");
    let old = Secret::new(token("shopify-access-token", 1));
    let values = Values { old: &old, new: None, incident: "INC-7" };
    assert!(matches!(target().perform(Act::Retire, &values), Err(Trouble::Person(_))));
    assert_eq!(double.count("DELETE /admin/api_permissions/current.json"), 0);
    let deleting = target().deleting().waiting(Duration::ZERO, Duration::ZERO);
    assert!(matches!(deleting.perform(Act::Retire, &values), Err(Trouble::Unclear(_))));
    assert_eq!(double.count("DELETE /admin/api_permissions/current.json"), 1);
    assert!(!revocation_of("shopify-access-token").expect("it is known").can(Action::Revoke));
}

#[test]
fn a_webhook_of_discord_deletes_itself() {
    let mut is_alive = true;
    let double = Double::saying(move |request| {
        is_alive &= request.method != "DELETE";
        match (request.method.as_str(), is_alive) {
            ("DELETE", _) => answer(204, ""),
            (_, true) => answer(200, r#"{"id":"1","channel_id":"2","token":"x","type":1}"#),
            (_, false) => answer(404, r#"{"code":10015,"message":"Unknown Webhook"}"#),
        }
    });
    let world = World::new(Some(("discord", &double.origin())), None);
    let target = Provider::of_finding("discord-webhook-url", Vec::new(), world.means()).expect("it is known");
    let old = Secret::new(token("discord-webhook-url", 1));
    let values = Values { old: &old, new: None, incident: "INC-7" };
    assert_eq!(target.perform(Act::Contain, &values), Ok(()), "{:?}", double.lines());
    assert_eq!(target.accepts(&old), Accepts::No);
    assert_eq!(target.perform(Act::Contain, &values), Ok(()));
    assert_eq!(double.lines().iter().filter(|line| line.starts_with("DELETE")).count(), 1);
}

#[test]
fn a_google_key_that_no_certificate_proves_is_left_alone() {
    let double = Double::saying(|_| answer(404, "{}"));
    let world = World::new(Some(("gcp", &double.origin())), Some(("HEKATE_GCP_ADMIN_KEY", "admin")));
    let companions =
        vec![(Role::Email, Secret::new("a@b.iam.gserviceaccount.com")), (Role::KeyId, Secret::new("k"))];
    let target =
        Provider::of_finding("gcp-service-account-key", companions, world.means()).expect("it is known");
    let old = Secret::new("no key");
    let outcome = target.perform(Act::Contain, &Values { old: &old, new: None, incident: "INC-7" });
    assert!(!double.seen().iter().any(|request| request.method != "GET"), "{outcome:?}");
}
