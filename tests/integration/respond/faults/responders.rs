//! Two responders at once.

use std::{
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{Stage, watch, wire::Fault};
use crate::respond::platform::ROLE;

/// How often two are set on one secret.
const ROUNDS: usize = 3;

#[test]
fn a_second_responder_is_refused_and_told_of_the_first() {
    let Some(stage) = Stage::new() else { return };
    let (arrived, is_there) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    stage.plan().wire.when(
        "ALTER ROLE",
        Fault::Meanwhile(Box::new(move || {
            arrived.send(()).expect("the test waits");
            // Released, or the test is over.
            released.recv().unwrap_or_default();
        })),
    );
    let mut first = stage.apply_command();
    let mut first =
        first.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start hekate");
    is_there.recv_timeout(Duration::from_secs(60)).expect("the first comes to its change");
    let pid = format!("another responder is at work (pid {} since ", first.id());
    for outcome in [stage.apply(), stage.respond(&["resume", "--role", ROLE])] {
        assert!(outcome.ends(2).stderr.contains(&pid), "it does not say `{pid}`");
    }
    // Looking is allowed.
    assert!(
        stage
            .hear(watch(stage.command(&["respond", "status", "--state", stage.state])))
            .stdout
            .contains("under way")
    );
    release.send(()).expect("the first waits");
    assert!(first.wait().expect("wait for the first").success());
    stage.is_whole();
}

#[test]
fn two_state_folders_on_one_manager_lock_nobody_out() {
    for is_managed in [false, true] {
        let Some(stage) = Stage::new() else { return };
        let mut stage = if is_managed { stage.managed() } else { stage };
        let states = ["outside/state", "outside/other-state"];
        for round in 0..ROUNDS {
            stage.begin();
            for (state, plan) in states.iter().zip(["outside/plan.json", "outside/other-plan.json"]) {
                stage.state = state;
                let place = "production:/infrastructure/POSTGRES_PASSWORD";
                stage.respond(&["plan", "--secret", place, "-o", plan]).ends(0);
            }
            at_once(&mut stage, states, Duration::from_millis(50 * u64::try_from(round).expect("a few")));
            for _ in 0..2 {
                for state in states {
                    stage.state = state;
                    let outcome = stage.respond(&["resume", "--role", ROLE]);
                    assert!(outcome.code < 2, "{}", outcome.stderr);
                }
            }
            for state in states {
                stage.state = state;
                let status = stage
                    .hear(watch(stage.command(&["respond", "status", "--format", "json", "--state", state])));
                for incident in status.json()["incidents"].as_array().expect("a list") {
                    let id = incident["incident"]["id"].as_str().expect("an id").to_owned();
                    stage.respond(&["resume", &id, "--role", ROLE]).ends(0);
                }
                stage.is_whole();
            }
        }
    }
}

/// Both apply their plans, one a little later.
fn at_once(stage: &mut Stage, states: [&'static str; 2], pause: Duration) {
    let commands: Vec<Command> = states
        .iter()
        .zip(["outside/plan.json", "outside/other-plan.json"])
        .map(|(state, plan)| {
            stage.state = state;
            stage.respond_command(&["apply", plan, "--environment", "production", "--role", ROLE])
        })
        .collect();
    let runs: Vec<_> = commands
        .into_iter()
        .map(|command| {
            let run = thread::spawn(move || watch(command));
            thread::sleep(pause);
            run
        })
        .collect();
    for run in runs {
        let outcome = stage.hear(run.join().expect("a run"));
        assert!(outcome.code < 2, "{}", outcome.stderr);
    }
}
