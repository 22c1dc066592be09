//! Findings of a history in a baseline: written from a report, met by the next scan, dropped when they are gone.

use super::{
    git::{Change, Import, Repo, file},
    text::{leak, leaky},
};
use crate::{
    harness::{Outcome, text},
    secrets::password,
};

/// A value too weak for a public id.
fn weak(seed: u64) -> String {
    format!("smtp_password = \"{}\"\n", password(seed, 10))
}

/// A strong secret and two weak ones, gone from the tip.
fn leaky_repo() -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", &leaky(1, 1)), file("b.ini", &weak(1))]);
    let next = import.commit("main", &[root], &[file("c.ini", &weak(2)), Change::Delete(b"a.py")]);
    import.commit("main", &[next], &[Change::Delete(b"b.ini"), Change::Delete(b"c.ini")]);
    let repo = Repo::of(&import);
    repo.git(&["reset", "--quiet", "--hard"]);
    repo
}

fn report(repo: &Repo, code: i32) -> Outcome {
    repo.hekate(&["history", "--show-suppressed", "-o", "../report.json", "--format", "json"]).ends(code)
}

fn entries(repo: &Repo) -> Vec<String> {
    let text = std::fs::read_to_string(repo.path("hekate.baseline")).expect("a baseline was written");
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line[..3].to_owned()).collect()
}

#[test]
fn a_baseline_written_from_a_report_makes_the_next_scan_clean() {
    let repo = leaky_repo();
    assert_eq!(report(&repo, 1).findings().len(), 3);
    let written = ["baseline", "write", "--report", "../report.json", "--reason", "rotated"];
    let outcome = repo.hekate(&written).ends(0);
    assert!(outcome.stderr.contains("3 secrets accepted"), "{}", outcome.stderr);
    assert_eq!(entries(&repo), ["l1:", "l1:", "p1:"]);
    let again = report(&repo, 0);
    assert_eq!((again.suppressed("baseline"), again.stderr.as_str()), (3, ""));
    // Written again, it stays as it is.
    repo.hekate(&written).ends(0);
    assert_eq!(entries(&repo).len(), 3);
}

#[test]
fn entries_that_a_history_does_not_meet_are_told_and_dropped_by_its_report() {
    let repo = leaky_repo();
    report(&repo, 1);
    repo.hekate(&["baseline", "write", "--report", "../report.json"]).ends(0);
    let mut lines = std::fs::read_to_string(repo.path("hekate.baseline")).expect("it was written");
    lines.push_str(&format!("p1:{} github-pat never there\n", "7".repeat(64)));
    std::fs::write(repo.path("hekate.baseline"), lines).expect("write it");
    let told = report(&repo, 0);
    assert!(told.stderr.contains("1 baseline entry matched nothing"), "{}", told.stderr);
    assert!(told.stderr.contains("hekate baseline prune --report FILE"), "{}", told.stderr);
    let pruned = repo.hekate(&["baseline", "prune", "--report", "../report.json"]).ends(0);
    assert!(pruned.stderr.contains("1 entry dropped"), "{}", pruned.stderr);
    assert_eq!(entries(&repo).len(), 3);
    assert_eq!(report(&repo, 0).stderr, "");
}

/// What files no longer hold, older commits still do.
#[test]
fn pruning_by_files_keeps_what_the_history_may_need() {
    let repo = leaky_repo();
    report(&repo, 1);
    repo.hekate(&["baseline", "write", "--report", "../report.json"]).ends(0);
    let path = repo.path("hekate.baseline");
    let expired = format!("p1:{} github-pat until=2020-01-01 old\n", "7".repeat(64));
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &expired).unwrap();
    let scanned = repo.hekate(&["scan"]).ends(0);
    assert!(
        scanned.stderr.contains("`hekate baseline prune --report FILE` drops them"),
        "{}",
        scanned.stderr
    );
    repo.hekate(&["scan", "-o", "../files.json", "--show-suppressed"]).ends(0);
    for args in [&[][..], &["--report", "../files.json"]] {
        let pruned = repo.hekate(&[&["baseline", "prune"], args].concat()).ends(0);
        assert!(pruned.stderr.contains("3 entries kept"), "{args:?}: {}", pruned.stderr);
        assert!(pruned.stderr.contains("hekate history --show-suppressed"), "{}", pruned.stderr);
        assert_eq!(entries(&repo).len(), 3);
    }
    report(&repo, 0);
    repo.hekate(&["baseline", "prune", "--report", "../report.json"]).ends(0);
    assert_eq!(entries(&repo).len(), 3);
}

#[test]
fn a_part_of_a_history_says_nothing_of_entries_for_the_rest() {
    let repo = leaky_repo();
    report(&repo, 1);
    repo.hekate(&["baseline", "write", "--report", "../report.json"]).ends(0);
    let outcome = repo.hekate(&["history", "--range", "HEAD~1..HEAD"]).ends(0);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_report_that_does_not_list_what_is_accepted_can_not_prune() {
    let repo = leaky_repo();
    report(&repo, 1);
    repo.hekate(&["baseline", "write", "--report", "../report.json"]).ends(0);
    repo.hekate(&["history", "-o", "../report.json"]).ends(0);
    repo.hekate(&["baseline", "prune", "--report", "../report.json"])
        .ends(2)
        .refuses(&["does not list what was suppressed", "--show-suppressed"]);
    assert_eq!(entries(&repo).len(), 3);
}

#[test]
fn a_place_that_was_accepted_is_accepted_in_every_commit_and_another_one_is_not() {
    let repo = leaky_repo();
    report(&repo, 1);
    repo.hekate(&["baseline", "write", "--report", "../report.json"]).ends(0);
    let mut import = Import::default();
    import.commit("other", &[], &[file("b.ini", &format!("# more\n{}", weak(1)))]);
    import.commit("third", &[], &[file("z.ini", &weak(1)), file("z.py", &leak(1))]);
    repo.import(&import);
    let outcome = report(&repo, 1);
    let paths: Vec<String> = outcome.occurrences().iter().map(|place| text(&place["path"])).collect();
    assert_eq!(paths, ["z.ini"], "a strong secret is accepted anywhere, a weak one in its line of its file");
}
