//! Many tokens of GitHub: revoked in one request, and each proved.

use std::{collections::BTreeSet, sync::Mutex};

use super::{
    super::web::{Double, answer},
    Bench,
};
use crate::secrets::token;

/// A GitHub that forgets all tokens of a request at once.
fn github(alive: &[String]) -> Double {
    let alive: Mutex<BTreeSet<String>> = Mutex::new(alive.iter().cloned().collect());
    Double::saying(move |request| {
        let mut alive = alive.lock().expect("nobody panicked");
        match request.line().as_str() {
            "GET /user" => {
                let shown = request.header("authorization").unwrap_or_default();
                let is_alive = shown.split(' ').next_back().is_some_and(|token| alive.contains(token));
                if is_alive {
                    answer(200, r#"{"login":"bot"}"#)
                } else {
                    answer(401, r#"{"message":"Bad credentials"}"#)
                }
            }
            "POST /credentials/revoke" => {
                let told = request.json()["credentials"].clone();
                for one in told.as_array().expect("a list") {
                    alive.remove(one.as_str().expect("a text"));
                }
                answer(202, "")
            }
            other => panic!("{other} was not expected"),
        }
    })
}

#[test]
fn many_tokens_are_revoked_in_one_request_and_each_is_proved() {
    let leaked: Vec<String> = (0..4).map(|seed| token("github-pat", 9_000 + seed)).collect();
    let double = github(&leaked);
    let mut bench = Bench::new("folders: {}\n");
    bench.trust("github", &double.origin());
    let lines: Vec<String> =
        leaked.iter().enumerate().map(|(at, one)| format!("TOKEN_{at}={one}\n")).collect();
    bench.project.git_init().file("deploy.env", lines.concat()).commit_all();
    bench.hekate(&["history", ".", "-o", "json:outside/report.json"]).ends(1);
    // A server of one's own is not asked by `verify` where the token could be one of github.com: as if that had been asked.
    let report =
        bench.project.read("outside/report.json").replace("\"verdict\": null", "\"verdict\": \"active\"");
    bench.project.file("outside/verified.json", report);
    bench.plan(&["outside/verified.json"]);
    let done = bench.apply(&[]).ends(0);
    assert_eq!(double.count("POST /credentials/revoke"), 1, "{}{}", done.stdout, done.stderr);
    assert_eq!(done.stdout.matches(": revoked").count(), 4, "{}", done.stdout);
    let tokens: Vec<&str> = leaked.iter().map(String::as_str).collect();
    bench.is_tidy(&[&done], &tokens);
}
