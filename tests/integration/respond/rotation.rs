//! A database password, from the commit that it leaked in to its end.

use super::platform::{PLACE, Platform, ROLE};

#[test]
fn a_password_of_a_commit_is_replaced_and_the_old_one_is_dead() {
    let Some(platform) = Platform::new() else { return };
    let store = ["--store", "dir:outside/store", "--inventory", "outside/inventory.yaml"];
    platform.hekate(&[&["inventory", "pull", "--index", "outside/hekate.idx"], &store[..]].concat()).ends(0);
    platform
        .hekate(&["history", ".", "--index", "outside/hekate.idx", "-o", "json:outside/report.json"])
        .ends(4);
    let shown =
        platform.respond(&["respond", "plan", "outside/report.json", "-o", "outside/plan.json"]).ends(0);
    assert!(shown.stdout.contains(PLACE) && shown.stdout.contains("ALTER ROLE"), "{}", shown.stdout);
    assert!(platform.accepts(&platform.old), "nothing is changed before apply");

    let done = platform.apply().ends(0);
    platform.is_whole(true);
    assert_eq!(platform.stored().version, 2);
    let new = platform.current();
    for text in [
        &shown.stdout,
        &done.stdout,
        &done.stderr,
        &platform.written(),
        &platform.project.read("outside/plan.json"),
    ] {
        assert!(!text.contains(&new) && !text.contains(&platform.old), "a value is shown");
    }
    let status = platform.hekate(&["respond", "status", "--all", "--state", "outside/state"]).ends(0);
    assert!(
        status.stdout.contains("contained: after") && status.stdout.contains("rotated: after"),
        "{}",
        status.stdout
    );
}

#[test]
fn a_plan_is_good_for_one_change_only() {
    let Some(platform) = Platform::new() else { return };
    platform.plan().apply().ends(0);
    let new = platform.current();
    let again = platform.apply().ends(0);
    assert!(
        again.stdout.contains("rotated") && platform.current() == new,
        "{}{}",
        again.stdout,
        again.stderr
    );
    platform.is_whole(true);
}

#[test]
fn nothing_is_changed_without_the_words_that_production_needs() {
    let Some(platform) = Platform::new() else { return };
    platform.plan();
    let apply =
        |more: &[&str]| platform.respond(&[&["respond", "apply", "outside/plan.json"], more].concat());
    for (more, words) in [
        (&["--role", ROLE][..], "say --environment production"),
        (&["--environment", "production"][..], "say in which --role"),
        (&["--environment", "production", "--role", "nobody"][..], "no role `nobody`"),
        (&["--environment", "production", "--role", "readers"][..], "may not change"),
        (&["--environment", "production", "--role", ROLE, "--max-changes", "0"][..], "may be in one run"),
        (&["--environment", "staging", "--role", ROLE][..], "nothing of the plan is chosen"),
    ] {
        let refused = apply(more).ends(2);
        assert!(refused.stderr.contains(words), "{more:?}: {}", refused.stderr);
        platform.is_whole(false);
    }
}

#[test]
fn a_plan_that_was_changed_or_made_from_something_else_is_refused() {
    let Some(platform) = Platform::new() else { return };
    platform.plan();
    let plan = platform.project.read("outside/plan.json");
    platform.project.file("outside/plan.json", plan.replace("infrastructure", "elsewhere"));
    assert!(platform.apply().ends(2).stderr.contains("changed, or made under another key"));
    platform.project.file("outside/plan.json", &plan);
    let inventory = platform.project.read("outside/inventory.yaml");
    platform.project.file("outside/inventory.yaml", format!("{inventory}# another\n"));
    assert!(platform.apply().ends(2).stderr.contains("made with another inventory"));
    platform.is_whole(false);
}

#[test]
fn what_somebody_has_replaced_meanwhile_is_left_alone() {
    let Some(platform) = Platform::new() else { return };
    platform.plan();
    let theirs = super::platform::random(40);
    platform.sql(&format!("ALTER ROLE {} PASSWORD '{theirs}'", platform.role));
    platform.store(&theirs);
    let outcome = platform.apply().ends(0);
    assert!(outcome.stdout.contains("replaced by somebody else already"), "{}", outcome.stdout);
    assert_eq!((platform.current(), platform.stored().version), (theirs, 2));
    platform.is_whole(true);
}
