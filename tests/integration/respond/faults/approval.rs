//! The manager wants somebody's approval: nothing is done until it is there, and the old value stays valid as long as the manager holds it.

use super::{FOLDER, PENDING, Stage};

fn stage(folders: &[&str]) -> Option<Stage> {
    let stage = Stage::new()?.managed();
    stage.server().world().settings.approval_folders =
        folders.iter().map(|folder| (*folder).to_owned()).collect();
    Some(stage)
}

#[test]
fn a_kept_value_that_waits_for_approval_changes_nothing() {
    let Some(stage) = stage(&[PENDING]) else { return };
    stage.plan();
    for outcome in [stage.apply(), stage.resume()] {
        outcome.stops(&["keep waits for somebody to approve", "in the manager; then resume it"]);
        stage.is_untouched();
    }
    assert_eq!(stage.server().world().approve(), 1, "it is asked for once");
    // What is kept can't be removed without somebody either.
    stage.resume().stops(&["tidy", "without an approval: it waits as", "resume it once that is mended"]);
    assert!(stage.is_accepted(&stage.stored().1) && !stage.is_accepted(&stage.before.borrow().1));
    assert_eq!(stage.server().world().approve(), 1);
    stage.finish();
}

#[test]
fn a_value_that_waits_for_approval_leaves_the_old_one_valid() {
    let Some(stage) = stage(&[FOLDER]) else { return };
    stage.plan();
    for outcome in [stage.apply(), stage.resume()] {
        outcome.stops(&["promote waits for somebody to approve", "in the manager; then resume it"]);
        let before = stage.before.borrow().clone();
        assert_eq!(stage.stored(), before);
        let kept = stage.kept();
        assert!(stage.is_accepted(&before.1) && kept.len() == 1 && !stage.is_accepted(&kept[0]));
        stage.tells_nothing();
    }
    assert_eq!(stage.server().world().approve(), 1, "it is asked for once");
    stage.finish();
}

#[test]
fn a_database_that_is_down_while_one_waits_for_approval_is_taken_back_later() {
    let Some(stage) = stage(&[FOLDER]) else { return };
    stage.plan().wire.when("ALTER ROLE", super::wire::Fault::DownAfter);
    stage
        .apply()
        .stops(&["introduce: can't be taken back: PostgreSQL role", "promote waits for somebody to approve"]);
    let (kept, before) = (stage.kept(), stage.before.borrow().clone());
    assert!(kept.len() == 1 && stage.stored() == before);
    stage.wire.set_down(false);
    stage.resume().stops(&["introduce: taken back", "promote waits for somebody to approve"]);
    assert!(
        stage.is_accepted(&before.1),
        "what the manager holds is not valid while the approval is waited for"
    );
    stage.server().world().approve();
    stage.finish();
}
