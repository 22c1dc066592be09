//! The manager fails.

use serde_json::json;

use super::{FOLDER, PENDING, Stage, wire::Fault};
use crate::{
    infisical::{http::Reply, server::Mishap, world::World},
    respond::platform::random,
};

/// The current version of the secret is written.
const PROMOTE: &str = "PATCH /api/v4/secrets/POSTGRES_PASSWORD";
/// The new value is kept.
const KEEP: &str = "POST /api/v4/secrets/POSTGRES_PASSWORD_HK_";
/// What is kept is removed.
const TIDY: &str = "DELETE /api/v4/secrets/POSTGRES_PASSWORD_HK_";
const READ: &str = "GET /api/v4/secrets/POSTGRES_PASSWORD";
const LOGIN: &str = "POST /api/v1/auth/universal-auth/login";

fn stage() -> Option<Stage> {
    Stage::new().map(Stage::managed)
}

/// A refusal as the manager words it.
fn refusal(status: u16, error: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"reqId": "req-7", "statusCode": status, "message": message, "error": error}))
}

fn failure() -> Reply {
    refusal(500, "InternalServerError", "Something went wrong")
}

fn keep_off(world: &mut World, folders: &[&str]) {
    world.identities[0].rights.keeps_off = folders.iter().map(|folder| (*folder).to_owned()).collect();
}

#[test]
fn a_login_that_is_not_taken_changes_nothing() {
    let Some(stage) = stage() else { return };
    for (reply, words) in [
        (refusal(401, "UnauthorizedError", "Invalid credentials"), "HEKATE_INFISICAL_CLIENT_SECRET"),
        (
            refusal(
                401,
                "UnauthorizedError",
                "This identity auth method is temporarily locked, please try again later",
            ),
            "is locked",
        ),
    ] {
        stage.begin();
        stage.plan().server().answer_instead(LOGIN, reply);
        stage.apply().stops(&["check", words, "the old value is in force"]);
        assert_eq!(stage.server().received_at(KEEP).len(), 0);
        stage.is_untouched();
    }
    stage.finish();
}

#[test]
fn a_token_that_is_revoked_between_introduce_and_promote_is_waited_for() {
    let Some(stage) = stage() else { return };
    let revoke = |world: &mut World| world.tokens.iter_mut().for_each(|token| token.is_revoked = true);
    stage.plan().server().mishap(PROMOTE, Mishap::Before(Box::new(revoke)));
    stage.apply().stops(&["promote", "access token was revoked", "resume it"]);
    // Nobody can read the manager: what is in force there stays to be found out.
    let (kept, before) = (stage.kept(), stage.before.borrow().clone());
    assert!(kept.len() == 1 && stage.stored() == before);
    assert!(stage.is_accepted(&kept[0]) != stage.is_accepted(&before.1), "one of them is valid");
    stage.finish();
}

#[test]
fn a_folder_that_may_not_be_written_to_is_said_and_what_was_done_is_taken_back() {
    let Some(stage) = stage() else { return };
    for (folder, words) in [(PENDING, "keep"), (FOLDER, "promote")] {
        stage.begin();
        stage.plan();
        keep_off(&mut stage.server().world(), &[folder]);
        stage.apply().stops(&[
            words,
            "no permission for writing production:",
            folder,
            "the old value is in force",
        ]);
        stage.is_untouched();
        keep_off(&mut stage.server().world(), &[]);
        stage.finish();
    }
}

#[test]
fn a_value_that_may_not_be_removed_is_kept_until_it_may() {
    let Some(stage) = stage() else { return };
    stage.plan();
    stage.server().mishap(PROMOTE, Mishap::Before(Box::new(|world| keep_off(world, &[FOLDER, PENDING]))));
    stage.apply().stops(&[
        "can't be taken back",
        "no permission for removing production:/hekate-pending",
        "resume it",
    ]);
    assert!(stage.is_accepted(&stage.before.borrow().1) && stage.kept().len() == 1);
    keep_off(&mut stage.server().world(), &[]);
    stage.finish();
}

#[test]
fn a_write_that_was_certainly_not_made_is_taken_back() {
    let Some(stage) = stage() else { return };
    for (mishap, words) in [
        (Mishap::Answer(refusal(409, "Conflict", "busy")), "409"),
        (
            Mishap::Answer(refusal(429, "RateLimitError", "Rate limit exceeded").header("retry-after", 3)),
            "try again in 3 seconds",
        ),
        (Mishap::Answer(failure()), "500"),
        (Mishap::Answer(Reply::html(504)), "504"),
        (Mishap::LoseRequest, "connection was closed"),
    ] {
        stage.begin();
        stage.plan().server().mishap(PROMOTE, mishap);
        stage.apply().stops(&[
            "promote",
            words,
            "taken back, the old value is in force",
            "resume it to try again",
        ]);
        stage.is_untouched();
        stage.finish();
    }
}

#[test]
fn a_write_that_was_made_is_seen_whatever_is_answered() {
    let Some(stage) = stage() else { return };
    for mishap in [
        Mishap::DoneBut(failure()),
        Mishap::DoneBut(Reply::html(504)),
        Mishap::DoneBut(Reply::html(200)),
        Mishap::LoseAnswer,
    ] {
        stage.begin();
        stage.plan().server().mishap(PROMOTE, mishap);
        stage.apply().ends(0);
        stage.is_whole();
    }
}

#[test]
fn a_write_that_is_made_after_it_was_given_up_leaves_nobody_locked_out() {
    let Some(stage) = stage() else { return };
    stage.plan().server().answer_instead(PROMOTE, Reply::html(504));
    let late = |world: &mut World| {
        let kept = world.secrets.iter().find(|secret| secret.folder == PENDING).expect("it is kept still");
        let value = kept.current().value.clone();
        world.put("production", FOLDER, "POSTGRES_PASSWORD", &value);
    };
    // It comes while the target is given its old value again, which was the manager's a moment ago.
    let server = stage.server().handle();
    stage.wire.when("ALTER ROLE", Fault::Meanwhile(Box::new(|| ())));
    stage.wire.when("ALTER ROLE", Fault::Meanwhile(Box::new(move || server.change(late))));
    let outcome = stage.apply();
    if outcome.code != 0 {
        stage.finish();
    }
    stage.is_whole();
}

#[test]
fn a_manager_that_goes_down_after_introduce_is_finished() {
    let Some(stage) = stage() else { return };
    for (mishap, is_done) in [(Mishap::GoDown, false), (Mishap::LoseAnswerAndGoDown, true)] {
        stage.begin();
        stage.plan().server().mishap(PROMOTE, mishap);
        let outcome =
            stage.apply().stops(&["promote failed", "can't be reached", "resume it once that is mended"]);
        assert!(!outcome.stderr.contains("taken back"), "{}", outcome.stderr);
        let (kept, before) = (stage.kept(), stage.before.borrow().clone());
        assert!(kept.len() == 1 && stage.is_accepted(&kept[0]) && !stage.is_accepted(&before.1));
        assert_eq!(stage.stored() == before, !is_done);
        stage.resume().stops(&["can't be reached", "resume it"]);
        stage.server().set_down(false);
        stage.finish();
    }
}

#[test]
fn a_manager_that_fails_while_the_value_is_kept_or_removed_is_finished() {
    let Some(stage) = stage() else { return };
    for (line, mishap, words) in [
        (KEEP, Mishap::GoDown, "keep failed"),
        (KEEP, Mishap::LoseAnswerAndGoDown, "keep failed"),
        (KEEP, Mishap::LoseAnswer, "keep failed"),
        (KEEP, Mishap::DoneBut(failure()), "keep failed"),
        (TIDY, Mishap::GoDown, "tidy failed"),
        (TIDY, Mishap::LoseAnswer, "tidy failed"),
        (TIDY, Mishap::Answer(failure()), "tidy failed"),
    ] {
        stage.begin();
        stage.plan().server().mishap(line, mishap);
        stage.apply().stops(&[words, "resume it once that is mended"]);
        let current = stage.stored().1;
        assert!(stage.is_accepted(&current), "what the manager holds is not accepted");
        stage.server().set_down(false);
        stage.finish();
    }
}

#[test]
fn a_manager_that_wants_a_moment_is_given_it() {
    let Some(stage) = stage() else { return };
    stage.plan().server().answer_instead(READ, refusal(429, "RateLimitError", "x").header("retry-after", 1));
    stage.apply().ends(0);
    stage.is_whole();
}

#[test]
fn what_somebody_else_stores_between_introduce_and_promote_is_in_force_at_the_target_too() {
    let Some(stage) = stage() else { return };
    let theirs = random(40);
    stage.values.borrow_mut().insert(theirs.clone());
    let stores = theirs.clone();
    let rotate = move |world: &mut World| world.put("production", FOLDER, "POSTGRES_PASSWORD", &stores);
    // The first read after that is the one that promote looks with.
    let server = stage.server().handle();
    stage
        .plan()
        .wire
        .when("ALTER ROLE", Fault::Meanwhile(Box::new(move || assert_eq!(server.change(rotate), 2))));
    stage.apply().stops(&["promote", "version 2 now", "somebody else"]);
    assert_eq!(stage.stored(), (2, theirs.clone()));
    stage.is_whole();
    stage.resume().ends(0);
    stage.is_whole();
}

#[test]
fn two_writes_at_the_same_time_end_with_the_value_that_the_manager_holds() {
    let Some(stage) = stage() else { return };
    for is_after in [false, true] {
        stage.begin();
        let theirs = random(40);
        stage.values.borrow_mut().insert(theirs.clone());
        let write = Box::new(move |world: &mut World| {
            world.put("production", FOLDER, "POSTGRES_PASSWORD", &theirs);
        });
        let mishap = if is_after { Mishap::After(write) } else { Mishap::Before(write) };
        stage.plan().server().mishap(PROMOTE, mishap);
        if stage.apply().code != 0 {
            stage.finish();
        }
        stage.is_whole();
    }
}

#[test]
fn a_kept_value_that_somebody_removes_behind_the_point_of_no_return_is_not_missed() {
    let Some(stage) = stage() else { return };
    stage.plan().server().mishap(
        PROMOTE,
        Mishap::After(Box::new(|world| {
            world.secrets.retain(|secret| secret.folder != PENDING);
        })),
    );
    stage.wire.when("pg_terminate_backend", Fault::Lose);
    stage.apply().ends(1);
    stage.finish();
}

#[test]
fn a_kept_value_that_somebody_removes_before_it_is_taken_back() {
    let Some(stage) = stage() else { return };
    stage.plan().server().mishap(PROMOTE, Mishap::GoDown);
    stage.apply().stops(&["promote failed"]);
    stage.kept();
    stage.server().set_down(false);
    stage.server().world().secrets.retain(|secret| secret.folder != PENDING);
    stage.resume().stops(&["not in the manager's pending folder any more", "the old value is in force"]);
    stage.is_untouched();
    stage.finish();
}
