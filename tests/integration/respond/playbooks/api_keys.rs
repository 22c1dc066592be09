//! Keys of providers: revoked, rolled, or followed by one that a person makes; at doubles on this machine.

use std::sync::{Arc, Mutex};

use super::{
    super::{
        platform::random,
        web::{Double, answer},
    },
    Bench, bears, flat, masked,
};
use crate::secrets::token;

const CLOUDFLARE: &str = "production:/external-services/CLOUDFLARE_API_TOKEN";
const HUGGINGFACE: &str = "production:/llm-providers/HUGGINGFACE_API_KEY";

/// A GitLab where this token lives until it is revoked; the token is told by itself.
fn gitlab(alive: String) -> Double {
    let alive = Mutex::new(Some(alive));
    Double::saying(move |request| {
        let mut alive = alive.lock().expect("nobody panicked");
        let is_alive = alive.is_some() && request.header("private-token") == alive.as_deref();
        match request.line().as_str() {
            "GET /api/v4/personal_access_tokens/self" if is_alive => {
                answer(200, r#"{"id":1,"name":"ci","active":true,"revoked":false,"scopes":["api"]}"#)
            }
            "DELETE /api/v4/personal_access_tokens/self" if is_alive => {
                *alive = None;
                answer(204, "")
            }
            "GET /api/v4/personal_access_tokens/self" | "DELETE /api/v4/personal_access_tokens/self" => {
                answer(401, r#"{"message":"401 Unauthorized"}"#)
            }
            other => panic!("{other} was not expected"),
        }
    })
}

/// A repository with this token in an older commit.
fn leaking(bench: &Bench, name: &str, leaked: &str) {
    bench.project.git_init().file("deploy.sh", format!("export {name}={leaked}\n"));
    bench.project.commit_all().file("deploy.sh", format!("export {name}\n")).commit_all();
    bench.hekate(&["history", ".", "-o", "json:outside/report.json"]).ends(1);
}

#[test]
fn a_token_that_no_manager_holds_is_found_alive_and_revoked() {
    const REVOKED: &str = "DELETE /api/v4/personal_access_tokens/self";
    let leaked = token("gitlab-pat", 4_711);
    let double = gitlab(leaked.clone());
    let mut bench = Bench::new("folders: {}\n");
    bench.trust("gitlab", &double.origin());
    leaking(&bench, "GITLAB_TOKEN", &leaked);
    let verify = ["verify", "outside/report.json", "--config", "outside/hekate.toml"];
    let verified = bench.hekate(&[&verify[..], &["-o", "json:outside/verified.json"]].concat()).ends(4);
    let plan = bench.plan(&["outside/verified.json"]);
    insta::assert_snapshot!(masked(&plan.stdout), @"
    hk-0123456789  gitlab-pat glpa********
      reason    leak, known since YYYY-MM-DDTHH:MM:SSZ
      verdict   active
      exposure  past: found by gitlab-pat at deploy.sh:1 in 0123456789
      playbook  revoke
      target    key of gitlab
       1  check: look whether everything can be changed: target, administrator, manager, consumers
          read the value again from where it was found
          ask gitlab whether the key is accepted
       2  retire: make the old value invalid
          DELETE http://127.0.0.1:PORT/api/v4/personal_access_tokens/self
      ──  no way back from here: what follows is finished
       3  prove-old: see that the old value is refused
          key of gitlab: try the old value: has to be refused
      → nothing follows it: whoever used it needs another on
        https://gitlab.com/-/user_settings/personal_access_tokens

    1 incident: 1 in no manager · dir:outside/store
    ");
    assert_eq!(double.count(REVOKED), 0, "nothing is changed before apply");
    let done = bench.apply(&[]).ends(0);
    assert!(done.stdout.contains("revoked"), "{}", done.stdout);
    assert_eq!(double.count(REVOKED), 1);
    let status = bench.status(&["--all"]).ends(0);
    assert!(status.stdout.contains("contained: after"), "{}", status.stdout);
    let report = bench.report(&bench.id()).ends(0);
    assert!(report.stdout.contains("block addresses that used it"), "{}", report.stdout);
    bench.is_tidy(&[&verified, &plan, &done, &status, &report], &[&leaked]);
    // What is dead is not confirmed any more.
    bench.hekate(&[&verify[..], &["--format", "json"]].concat()).ends(1);
}

/// A GitHub where this token lives until it is revoked, and one question longer.
fn github(alive: String) -> Double {
    let (alive, mut questions) = (alive, usize::MAX);
    Double::saying(move |request| match request.line().as_str() {
        "GET /user" if bears(request, &alive) && questions > 0 => {
            questions -= 1;
            answer(200, r#"{"login":"bot"}"#)
        }
        "GET /user" => answer(401, r#"{"message":"Bad credentials"}"#),
        "POST /credentials/revoke" => {
            assert_eq!(request.header("authorization"), None, "it is a public call");
            assert_eq!(request.json()["credentials"], serde_json::json!([alive]));
            questions = 1;
            answer(202, "")
        }
        other => panic!("{other} was not expected"),
    })
}

#[test]
fn githubs_public_revocation_is_submitted_and_then_waited_for() {
    let leaked = token("github-pat", 4_713);
    let double = github(leaked.clone());
    let mut bench = Bench::new("folders: {}\n");
    bench.trust("github", &double.origin());
    leaking(&bench, "GITHUB_TOKEN", &leaked);
    // Checks of GitHub go to GitHub alone, so that a test has to give the answer itself.
    let report =
        bench.project.read("outside/report.json").replace("\"verdict\": null", "\"verdict\": \"active\"");
    bench.project.file("outside/report.json", report);
    let plan = bench.plan(&["outside/report.json"]);
    assert!(plan.stdout.contains("/credentials/revoke"), "{}", plan.stdout);
    let done = bench.apply(&[]).ends(0);
    assert_eq!(double.count("POST /credentials/revoke"), 1);
    bench.is_tidy(&[&plan, &done], &[&leaked]);
}

#[test]
fn what_nobody_was_asked_about_is_passed_over() {
    let bench = Bench::new("folders: {}\n");
    bench
        .project
        .git_init()
        .file("deploy.sh", format!("export GITHUB_TOKEN={}\n", token("github-pat", 4_712)))
        .commit_all();
    bench.hekate(&["history", ".", "-o", "json:outside/report.json"]).ends(1);
    let plan = bench.plan(&["outside/report.json"]);
    assert!(plan.stdout.contains("nobody was asked about it"), "{}", plan.stdout);
    assert!(bench.apply(&[]).ends(2).stderr.contains("nothing of the plan is chosen"));
}

#[test]
fn a_token_that_its_provider_can_roll_is_rolled_and_stored() {
    let (old, new, admin) =
        (token("cloudflare-user-api-token", 1), token("cloudflare-user-api-token", 2), random(40));
    let current = Arc::new(Mutex::new(old.clone()));
    let (kept, next, administrator) = (Arc::clone(&current), new.clone(), admin.clone());
    let double = Double::saying(move |request| {
        let mut current = kept.lock().expect("nobody panicked");
        match request.line().as_str() {
            "GET /client/v4/user/tokens/verify" if bears(request, &current) => answer(
                200,
                r#"{"success":true,"errors":[],"messages":[],"result":{"id":"f00d","status":"active"}}"#,
            ),
            "GET /client/v4/user/tokens/verify" => answer(
                401,
                r#"{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"messages":[],"result":null}"#,
            ),
            "PUT /client/v4/user/tokens/f00d/value" => {
                assert!(bears(request, &administrator), "an administrator rolls it");
                *current = next.clone();
                answer(200, &format!(r#"{{"success":true,"errors":[],"messages":[],"result":"{next}"}}"#))
            }
            other => panic!("{other} was not expected"),
        }
    });
    let mut bench = Bench::new(&format!(
        "
folders:
  external-services: [CLOUDFLARE_API_TOKEN]
secrets:
  CLOUDFLARE_API_TOKEN:
    environments: [production]
    target: {{ type: provider, provider: cloudflare, url: \"{}\", admin_key_env: HEKATE_CLOUDFLARE_ADMIN_KEY }}
",
        double.origin()
    ));
    bench.put(CLOUDFLARE, &old);
    bench.set("HEKATE_CLOUDFLARE_ADMIN_KEY", &admin);
    let plan = bench.plan(&["--secret", CLOUDFLARE]);
    let done = bench.apply(&[]).ends(0);
    assert_eq!((bench.value(CLOUDFLARE), bench.version(CLOUDFLARE)), (new.clone(), 2));
    assert_eq!(*current.lock().expect("nobody panicked"), new);
    bench.is_tidy(&[&plan, &done], &[&old, &new, &admin]);
}

/// A Hugging Face where these tokens are valid until they are revoked.
fn huggingface(tokens: &[&str]) -> (Double, Arc<Mutex<Vec<String>>>) {
    let alive = Arc::new(Mutex::new(tokens.iter().map(|token| (*token).to_owned()).collect::<Vec<_>>()));
    let kept = Arc::clone(&alive);
    let double = Double::saying(move |request| {
        let mut alive = kept.lock().expect("nobody panicked");
        match request.line().as_str() {
            "GET /api/whoami-v2" if alive.iter().any(|token| bears(request, token)) => {
                answer(200, r#"{"name":"bot","auth":{"type":"access_token"}}"#)
            }
            "GET /api/whoami-v2" => answer(401, r#"{"error":"Invalid credentials"}"#),
            "POST /api/credentials/revoke" => {
                let told = request.json()["credentials"].clone();
                alive.retain(|token| {
                    told.as_array().is_some_and(|all| all.iter().all(|one| one.as_str() != Some(token)))
                });
                answer(202, "")
            }
            other => panic!("{other} was not expected"),
        }
    });
    (double, alive)
}

#[test]
fn a_leaked_key_that_a_person_replaces_is_contained_at_once_and_finished_with_the_new_value() {
    let [old, new] = [1, 2].map(|seed| token("huggingface-access-token", seed));
    let (double, alive) = huggingface(&[&old, &new]);
    let mut bench = Bench::new(
        "
folders:
  llm-providers: [HUGGINGFACE_API_KEY]
secrets:
  HUGGINGFACE_API_KEY:
    environments: [production]
    target: { type: provider, provider: huggingface }
",
    );
    bench.trust("huggingface", &double.origin());
    bench.put(HUGGINGFACE, &old);
    bench.project.git_init().file("notebook.py", format!("login(token=\"{old}\")\n")).commit_all();
    let store = ["--store", "dir:outside/store", "--inventory", "outside/inventory.yaml"];
    bench.hekate(&[&["inventory", "pull", "--index", "outside/hekate.idx"], &store[..]].concat()).ends(0);
    bench
        .hekate(&["history", ".", "--index", "outside/hekate.idx", "-o", "json:outside/report.json"])
        .ends(4);
    let plan = bench.plan(&["outside/report.json"]);
    assert!(plan.stdout.contains("verdict   known"), "{}", plan.stdout);

    let waiting = bench.apply(&[]).ends(1);
    let id = bench.id();
    assert!(
        flat(&waiting.stdout).contains("keep waits")
            && flat(&waiting.stdout).contains("huggingface.co/settings/tokens"),
        "{}",
        waiting.stdout
    );
    assert_eq!(*alive.lock().expect("nobody panicked"), [new.as_str()], "the leaked one is dead already");
    let status = bench.status(&[]).ends(0);
    assert!(
        status.stdout.contains("contained: after") && status.stdout.contains("left"),
        "{}",
        status.stdout
    );

    // Nobody may make do with the old one, and the wait is not over by that.
    let same = bench.resume_giving(&format!("{old}\n"), &[&id, "--value-fd", "0"]).ends(1);
    assert!(flat(&same.stdout).contains("the given value is the old one"), "{}", same.stdout);
    assert_eq!(bench.version(HUGGINGFACE), 1);
    let dead = token("huggingface-access-token", 3);
    let wrong = bench.resume_giving(&dead, &[&id, "--value-fd", "0"]).ends(1);
    assert!(flat(&wrong.stdout).contains("the given value is not accepted"), "{}", wrong.stdout);
    let empty = bench.resume_giving("\n", &[&id, "--value-fd", "0"]).ends(2);
    assert!(empty.stderr.contains("it is empty"), "{}", empty.stderr);
    let status = bench.status(&[]).ends(0);
    assert!(
        status.stdout.contains("keep waits") && status.stdout.contains("contained: after"),
        "{}",
        status.stdout
    );

    let done = bench.resume_giving(&format!("{new}\n"), &[&id, "--value-fd", "0"]).ends(0);
    assert_eq!((bench.value(HUGGINGFACE), bench.version(HUGGINGFACE)), (new.clone(), 2));
    assert_eq!(double.count("POST /api/credentials/revoke"), 1);
    bench.is_tidy(&[&plan, &waiting, &same, &wrong, &done], &[&old, &new, &dead]);
}
