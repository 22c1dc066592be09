use std::collections::BTreeSet;

use super::*;
use crate::{
    model::Secret,
    net::{Answer, Request},
    provider::{Credential, Occasion, Role},
    rule::builtin,
};

fn occasion() -> Occasion {
    Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n-1".into() }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: Secret::new(body) }
}

fn sent(step: Step) -> Request {
    match step {
        Step::Send(request) => request,
        Step::End(ending) => panic!("it ended: {ending:?}"),
    }
}

fn ended(step: Step) -> Ending {
    match step {
        Step::End(ending) => ending,
        Step::Send(request) => panic!("it goes on: {request:?}"),
    }
}

fn shown(request: &Request) -> String {
    let path = String::from_utf8(request.path.expose().expose().to_vec()).unwrap();
    format!("{} {}{path}", request.method.as_str(), request.origin)
}

/// One action on a value of a rule, with these answers so far.
fn next(rule: &str, action: Action, value: &Secret, answers: &[Answer]) -> Step {
    let admin = Secret::new("admin-id:admin-secret");
    let credential = Credential { rule, value, companions: Vec::new() };
    let occasion = occasion();
    let asked = Asked { credential, admin: Some(&admin), name: "hekate-INC-7", occasion: &occasion };
    let origin = "https://double.example";
    Course { revocation: revocation_of(rule).unwrap(), action, asked: &asked, origin }.next(answers)
}

#[test]
fn every_entry_is_for_rules_that_exist_and_is_valid() {
    let known: BTreeSet<String> = builtin().into_iter().map(|rule| rule.id).collect();
    let named = revocations().iter().flat_map(|one| &one.rules);
    assert_eq!(named.filter(|id| !known.contains(*id)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(revocations().iter().flat_map(|one| &one.origins).all(|origin| origin.starts_with("https://")));
    assert!(
        revocations().iter().filter_map(|one| one.page.as_ref()).all(|page| page.starts_with("https://"))
    );
}

#[test]
fn templates_name_fields_that_exist() {
    const OWN: &[&str] = &[
        "value",
        "pair-id",
        "pair-secret",
        "admin",
        "admin-id",
        "admin-secret",
        "acting",
        "id",
        "parent",
        "cursor",
        "name",
        "expires",
    ];
    for one in revocations() {
        let calls = one.calls.values().flat_map(Call::fields);
        let finds = [one.find.as_ref(), one.find_minted.as_ref()].into_iter().flatten();
        let fields = calls.chain(finds.flat_map(Find::fields)).collect::<Vec<_>>();
        for field in fields {
            assert!(OWN.contains(&field) || Role::parse(field).is_some(), "{}: {field}", one.provider);
        }
    }
}

/// A proxy answers 200 to anything: that alone is no proof.
#[test]
fn a_success_is_seen_by_more_than_status_200() {
    for one in revocations() {
        for (action, call) in &one.calls {
            assert!(call.proves_success(), "{} {action:?}", one.provider);
        }
    }
}

#[test]
fn what_can_be_switched_off_can_be_switched_on_and_nothing_is_only_deleted_unasked() {
    for one in revocations() {
        assert_eq!(one.can(Action::Deactivate), one.can(Action::Activate), "{}", one.provider);
        assert!(!(one.can(Action::Deactivate) && one.can(Action::Revoke)), "{}", one.provider);
    }
}

#[test]
fn the_public_call_of_github_bears_no_key_and_a_202_is_no_proof() {
    let value = Secret::new("t".repeat(40));
    let request = sent(next("github-pat", Action::Revoke, &value, &[]));
    assert_eq!(shown(&request), "POST https://double.example/credentials/revoke");
    assert!(request.headers.iter().all(|(name, _)| name != "authorization"));
    assert!(!request.is_safe);
    for (status, expected) in [(202, Some(Ending::Submitted)), (200, None), (422, None), (500, None)] {
        let ending = ended(next("github-pat", Action::Revoke, &value, &[answer(status, "{}")]));
        match expected {
            Some(expected) => assert_eq!(ending, expected),
            None => assert!(matches!(ending, Ending::Refused(_) | Ending::Unclear(_)), "{ending:?}"),
        }
    }
}

#[test]
fn of_a_list_only_the_one_key_that_fits_is_acted_on() {
    let value = Secret::new(format!("sk-ant-api03-R2D{}igAA", "x".repeat(80)));
    let mine = r#"{"id":"key_1","partial_key_hint":"sk-ant-api03-R2D...igAA"}"#;
    let other = r#"{"id":"key_2","partial_key_hint":"sk-ant-api03-R2D...zzAA"}"#;
    let list = |items: &[&str]| answer(200, &format!(r#"{{"data":[{}],"has_more":false}}"#, items.join(",")));
    let step = |list: Answer| next("anthropic-api-key", Action::Deactivate, &value, &[list]);
    let request = sent(step(list(&[other, mine])));
    assert_eq!(shown(&request), "POST https://double.example/v1/organizations/api_keys/key_1");
    assert_eq!(request.body.unwrap().expose().expose(), br#"{"status":"inactive"}"#);
    assert_eq!(ended(step(list(&[other]))), Ending::NotFound);
    assert_eq!(ended(step(list(&[mine, mine]))), Ending::Ambiguous(2));
    assert!(matches!(ended(step(answer(403, "{}"))), Ending::Refused(_)));
    assert!(matches!(ended(step(answer(200, "<html>"))), Ending::Refused(_)));
}

#[test]
fn a_list_is_read_to_its_end_before_anything_is_done() {
    let value = Secret::new(format!("sk-ant-api03-R2D{}igAA", "x".repeat(80)));
    let page = r#"{"data":[{"id":"key_1","partial_key_hint":"sk-ant-api03-R2D...igAA"}],"has_more":true,"last_id":"a/b"}"#;
    let request = sent(next("anthropic-api-key", Action::Deactivate, &value, &[answer(200, page)]));
    assert_eq!(
        shown(&request),
        "GET https://double.example/v1/organizations/api_keys?limit=1000&after_id=a%2Fb"
    );
    let endless: Vec<Answer> = (0..60).map(|_| answer(200, page)).collect();
    assert!(matches!(
        ended(next("anthropic-api-key", Action::Deactivate, &value, &endless)),
        Ending::Refused(_)
    ));
}

#[test]
fn keys_of_all_projects_are_looked_through() {
    let value = Secret::new(format!("sk-proj-{}abcd", "x".repeat(80)));
    let projects = answer(200, r#"{"data":[{"id":"p1"},{"id":"p2"}],"has_more":false}"#);
    let none = answer(200, r#"{"data":[],"has_more":false}"#);
    let one =
        answer(200, r#"{"data":[{"id":"k","redacted_value":"sk-proj-**********abcd"}],"has_more":false}"#);
    let step = |answers: &[Answer]| next("openai-api-key", Action::Revoke, &value, answers);
    assert!(shown(&sent(step(&[]))).ends_with("/v1/organization/projects?limit=100"));
    assert!(shown(&sent(step(&[projects.clone(), one.clone()]))).contains("/projects/p2/api_keys?"));
    let request = sent(step(&[projects.clone(), one.clone(), none]));
    assert_eq!(shown(&request), "DELETE https://double.example/v1/organization/projects/p1/api_keys/k");
    assert_eq!(ended(step(&[projects, one.clone(), one])), Ending::Ambiguous(2));
}

#[test]
fn the_id_of_a_sendgrid_key_is_its_own_part() {
    let value = Secret::new(format!("SG.{}.{}", "i".repeat(22), "s".repeat(43)));
    let request = sent(next("sendgrid-api-token", Action::Revoke, &value, &[]));
    assert_eq!(shown(&request), format!("DELETE https://double.example/v3/api_keys/{}", "i".repeat(22)));
    let other = Secret::new("SG.short.x");
    assert!(matches!(ended(next("sendgrid-api-token", Action::Revoke, &other, &[])), Ending::Refused(_)));
}

#[test]
fn a_new_value_is_read_from_where_it_stands() {
    let value = Secret::new("v".repeat(40));
    let found = answer(200, r#"{"success":true,"result":{"id":"t1","status":"active"}}"#);
    let roll = |last: Answer| next("cloudflare-api-key", Action::Roll, &value, &[found.clone(), last]);
    let new = "n".repeat(40);
    let ending = ended(roll(answer(200, &format!(r#"{{"success":true,"result":"{new}"}}"#))));
    assert_eq!(ending, Ending::Done(Some(Secret::new(new.as_str()))));
    assert!(!format!("{ending:?}").contains(&new));
    assert!(matches!(ended(roll(answer(200, r#"{"success":true,"result":{}}"#))), Ending::Unclear(_)));
    assert!(matches!(ended(roll(answer(502, ""))), Ending::Unclear(_)));
    assert!(matches!(ended(roll(answer(403, "{}"))), Ending::Refused(_)));
}

#[test]
fn access_keys_are_switched_off_by_themselves_or_by_an_administrator() {
    let secret = Secret::new("s".repeat(40));
    let id = Secret::new(format!("AKIA{}", "B".repeat(16)));
    let occasion = occasion();
    for (rule, key) in [("aws-secret-access-key", "AccessKeyId"), ("alibaba-secret-key", "UserAccessKeyId")] {
        for admin in [None, Some(Secret::new("ADMIN:secret")), Some(Secret::new("no-colon"))] {
            let companions = vec![(Role::KeyId, id.clone()), (Role::Account, Secret::new("ci user"))];
            let credential = Credential { rule, value: &secret, companions };
            let asked = Asked { credential, admin: admin.as_ref(), name: "x", occasion: &occasion };
            let revocation = revocation_of(rule).unwrap();
            let course = Course {
                revocation,
                action: Action::Deactivate,
                asked: &asked,
                origin: "https://iam.amazonaws.com",
            };
            let step = course.next(&[]);
            if admin.as_ref().is_some_and(|admin| !admin.expose().contains(&b':')) {
                assert!(matches!(ended(step), Ending::Refused(_)));
                continue;
            }
            let request = sent(step);
            let line = shown(&request);
            let wanted = format!("{key}=AKIA{}", "B".repeat(16));
            for part in [wanted.as_str(), "Action=UpdateAccessKey", "Status=Inactive", "UserName=ci%20user"] {
                assert!(line.contains(part), "{rule}: {part} in {line}");
            }
            assert!(!request.is_safe && !line.contains(&"s".repeat(40)));
        }
    }
}

#[test]
fn a_plan_shows_requests_without_anything_secret() {
    let lines = revocation_of("openai-api-key").unwrap().preview(Action::Revoke, "https://api.openai.com");
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], "DELETE https://api.openai.com/v1/organization/projects/<parent>/api_keys/<id>");
    let lines = revocation_of("aws-access-token").unwrap().preview(Action::Deactivate, "https://iam");
    assert_eq!(lines, ["GET https://iam/?Action=UpdateAccessKey&AccessKeyId=<key-id>&Status=Inactive"]);
}
