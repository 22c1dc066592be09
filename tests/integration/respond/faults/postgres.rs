//! PostgreSQL fails.

use super::{Stage, admin_url, wire::Fault};
use crate::respond::platform::{random, sql};

const ALTER: &str = "ALTER ROLE";
const QUESTION: &str = "rolname =";

#[test]
fn a_database_that_is_down_at_the_check_leaves_all_as_it_was() {
    let Some(stage) = Stage::new() else { return };
    stage.plan().wire.set_down(true);
    stage.apply().stops(&["check", "the old value is in force", "localhost", "resume it to try again"]);
    stage.is_untouched();
    stage.wire.set_down(false);
    stage.finish();
}

#[test]
fn a_database_that_goes_down_after_the_check_is_taken_back_once_it_is_there_again() {
    let Some(stage) = Stage::new() else { return };
    stage.plan().wire.when(QUESTION, Fault::DownAfter);
    stage.apply().stops(&["introduce", "can't be taken back", "localhost", "resume it"]);
    assert!(stage.is_accepted(&stage.before.borrow().1) && stage.stored() == *stage.before.borrow());
    // Still down: no worse.
    stage.resume().stops(&["can't be taken back", "resume it"]);
    assert_eq!(stage.kept().len(), 1);
    stage.wire.set_down(false);
    stage
        .resume()
        .stops(&["taken back, the old value is in force: PostgreSQL role", "resume it to try again"]);
    stage.is_untouched();
    stage.finish();
}

#[test]
fn a_change_without_an_answer_is_found_out_by_a_login() {
    let Some(stage) = Stage::new() else { return };
    for (fault, is_done) in
        [(Fault::Lose, true), (Fault::StallAnswer, true), (Fault::Cut, false), (Fault::Stall, false)]
    {
        stage.begin();
        stage.plan().wire.when(ALTER, fault);
        if is_done {
            stage.apply().ends(0);
            stage.is_whole();
        } else {
            stage.apply().stops(&[
                "introduce",
                "taken back, the old value is in force",
                "resume it to try again",
            ]);
            stage.is_untouched();
            stage.finish();
        }
    }
}

#[test]
fn what_nobody_can_tell_is_left_as_it_is_and_finished_later() {
    let Some(stage) = Stage::new() else { return };
    for (fault, is_done) in [(Fault::LoseAndDown, true), (Fault::CutAndDown, false)] {
        stage.begin();
        stage.plan().wire.when(ALTER, fault);
        let outcome = stage.apply().stops(&["introduce failed", "resume it once that is mended"]);
        assert!(!outcome.stderr.contains("taken back"), "{}", outcome.stderr);
        let kept = stage.kept();
        assert_eq!((kept.len(), stage.is_accepted(&kept[0])), (1, is_done));
        assert_eq!(
            (stage.is_accepted(&stage.before.borrow().1), stage.stored()),
            (!is_done, stage.before.borrow().clone())
        );
        stage.resume().stops(&["resume it"]);
        stage.wire.set_down(false);
        stage.finish();
    }
}

#[test]
fn an_administrator_who_may_not_is_told_before_or_what_was_done_is_taken_back() {
    let Some(stage) = Stage::new() else { return };
    let (admin, password, role) = (format!("admin_{}", random(8)), random(30), stage.platform.role.clone());
    sql(&format!("CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD '{password}'"));
    let grant =
        format!("GRANT {role} TO {admin} WITH ADMIN OPTION; GRANT pg_signal_backend, {role} TO {admin}");
    let url = admin_url(stage.wire.port, &admin, &password);
    let stage = stage.variable("HEKATE_POSTGRES_ADMIN_URL", url);
    stage.plan().apply().stops(&["check", &role, "grant it pg_signal_backend", "the old value is in force"]);
    stage.is_untouched();

    sql(&grant);
    let revoke =
        format!("REVOKE ADMIN OPTION FOR {role} FROM {admin} CASCADE; ALTER ROLE {admin} NOCREATEROLE");
    stage.wire.when(ALTER, Fault::Meanwhile(Box::new(move || drop(sql(&revoke)))));
    stage.resume().stops(&["introduce", "right"]);
    assert!(stage.is_accepted(&stage.before.borrow().1), "it was never changed");
    sql(&format!("ALTER ROLE {admin} CREATEROLE; {grant}"));
    stage.finish();
    sql(&format!("DROP OWNED BY {admin}; DROP ROLE {admin}"));
}

#[test]
fn a_database_that_goes_down_behind_the_point_of_no_return_is_finished() {
    let Some(stage) = Stage::new() else { return };
    stage.plan().wire.when(ALTER, Fault::DownAfter);
    stage.apply().stops(&["prove-new", "can't be told", "resume it once that is mended"]);
    let (version, value) = stage.stored();
    assert_eq!((version, stage.is_accepted(&value)), (2, true));
    assert!(!stage.is_accepted(&stage.before.borrow().1));
    stage.wire.set_down(false);
    stage.finish();
}

#[test]
fn sessions_that_can_not_be_ended_keep_the_incident_open() {
    let Some(stage) = Stage::new() else { return };
    stage.plan().wire.when("pg_terminate_backend", Fault::Lose);
    stage.apply().stops(&["end-sessions", "resume it once that is mended"]);
    assert!(stage.is_accepted(&stage.stored().1));
    stage.finish();
}
