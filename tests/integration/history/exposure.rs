//! How far a secret is out: what the tips of refs hold, and what only older commits do.

use std::collections::{BTreeMap, BTreeSet};

use hekate::model::Fingerprint;

use super::{
    exactness::agreed,
    git::{Change, Import, Repo, file},
    oracle::{Kind, Oracle},
    report::Reported,
    text::{code, leak, leaky},
};

/// How far a ref is out, by its name; the first that fits.
const PLACES: &[(&str, &str)] = &[
    ("HEAD", "head"),
    ("worktrees/", "head"),
    ("refs/heads/", "branch"),
    ("refs/remotes/", "branch"),
    ("refs/tags/", "tag"),
];

/// Compares each secret's exposure with what the tips of the refs hold.
#[track_caller]
pub(crate) fn check(oracle: &Oracle, ids: &BTreeSet<String>, reported: &Reported) {
    let mut expected: BTreeMap<Fingerprint, &str> = BTreeMap::new();
    for (prefix, place) in PLACES {
        for (_, id) in oracle.refs.iter().filter(|(name, _)| name.starts_with(prefix)) {
            for seen in at_tip(oracle, id) {
                expected.entry(seen).or_insert(place);
            }
        }
    }
    assert_eq!(reported.lifetimes, oracle.lifetimes(ids));
    let reach = oracle.reach();
    let reachable = oracle.of_kind(&reach.there, Kind::Commit);
    let past = oracle.introductions(reachable).into_iter().filter(|one| one.seen.suppression.is_none());
    let past: BTreeSet<Fingerprint> = past.map(|one| one.seen.fingerprint).collect();
    let texts = [Kind::Commit, Kind::Tag, Kind::Blob].into_iter().flat_map(|kind| {
        let there = oracle.of_kind(&reach.there, kind);
        let of_blob = |id: &&str| {
            (kind == Kind::Blob).then(|| oracle.of_blob(id, "").iter().cloned().collect::<Vec<_>>())
        };
        let blobs: Vec<_> = there.iter().filter_map(of_blob).flatten().collect();
        let texts = if kind == Kind::Blob { BTreeMap::new() } else { oracle.of_texts(there) };
        texts.into_values().flatten().chain(blobs).map(|seen| seen.fingerprint).collect::<Vec<_>>()
    });
    let in_texts: BTreeSet<Fingerprint> = texts.collect();
    for (fingerprint, exposure) in &reported.exposure {
        let is_past = past.contains(fingerprint) || in_texts.contains(fingerprint);
        let beyond = if is_past { "past" } else { "unreachable" };
        let expected = expected.get(fingerprint).copied().unwrap_or(beyond);
        assert_eq!(exposure, expected, "{fingerprint}, of {} objects", ids.len());
    }
}

/// The secrets that count in what a ref points at: files, a file, its own text and, of a tag, the text of what it names.
fn at_tip(oracle: &Oracle, id: &str) -> BTreeSet<Fingerprint> {
    let held = oracle.held_by(id);
    let file = oracle.file_of(id).map(|id| oracle.of_blob(id, "")).unwrap_or_default();
    let line = oracle.line(id);
    let is_text = |id: &&str| matches!(oracle.kind(id), Some(Kind::Commit | Kind::Tag));
    let texts = oracle.of_texts(line.iter().map(String::as_str).filter(is_text));
    let all = held.iter().map(|(_, seen)| seen).chain(file.iter()).chain(texts.values().flatten());
    all.filter(|seen| seen.suppression.is_none()).map(|seen| seen.fingerprint).collect()
}

fn exposures(repo: &Repo, args: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Reported::of(&agreed(repo, args)).exposure.into_values().collect();
    all.sort();
    all
}

#[test]
fn each_state_has_its_word() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("head.py", &leaky(1, 1)), file("past.py", &leaky(2, 2))]);
    let next = import.commit("main", &[root], &[file("past.py", &code(2, 9))]);
    import.commit("side", &[next], &[file("side.py", &leaky(3, 3))]);
    let tagged = import.commit("gone", &[next], &[file("tagged.py", &leaky(4, 4))]);
    import.tag("v1", tagged, "first\n");
    let repo = Repo::of(&import);
    repo.git(&["branch", "-D", "gone"]);
    repo.blob(leak(5).as_bytes());
    assert_eq!(exposures(&repo, &[]), ["branch", "head", "past", "tag"]);
    assert_eq!(exposures(&repo, &["--unreachable"]), ["branch", "head", "past", "tag", "unreachable"]);
}

#[test]
fn a_secret_that_moved_is_still_in_head() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    let gone = import.commit("main", &[root], &[file("a.py", "clean\n")]);
    import.commit("main", &[gone], &[file("other/b.py", &leaky(5, 1))]);
    let repo = Repo::of(&import);
    assert_eq!(exposures(&repo, &[]), ["head"]);
    assert_eq!(agreed(&repo, &[]).occurrences().len(), 2);
}

#[test]
fn a_secret_accepted_in_head_and_not_in_the_past_is_in_the_past() {
    let marked = leak(1).replace('\n', " # hekate:allow\n");
    let mut import = Import::default();
    import.series("a.py", [leak(1).as_bytes(), marked.as_bytes()]);
    assert_eq!(exposures(&Repo::of(&import), &[]), ["past"]);
}

#[test]
fn a_clone_without_branches_is_told_by_its_remote_ones() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "clean\n")]);
    import.commit("side", &[root], &[file("a.py", &leaky(1, 1))]);
    let repo = Repo::of(&import).cloned("clone", &[]);
    assert_eq!(exposures(&repo, &[]), ["branch"]);
}

#[test]
fn a_secret_is_out_from_the_first_commit_that_brings_it_to_the_last_that_has_it() {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "clean\n")]);
    let first = import.commit("main", &[root], &[file("a.py", &leaky(1, 1))]);
    let other = import.commit("main", &[first], &[file("b.py", "more\n")]);
    let moved = import.commit("main", &[other], &[file("a.py", "clean\n"), file("c.py", &leaky(1, 1))]);
    let gone = import.commit("main", &[moved], &[Change::Delete(b"c.py")]);
    import.commit("main", &[gone], &[file("b.py", "and more\n")]);
    // Accepted where it stands: so it does not count there.
    import.commit("side", &[gone], &[file("d.py", &leak(1).replace('\n', " # hekate:allow\n"))]);
    let repo = Repo::new();
    let ids = repo.import(&import);
    let json = agreed(&repo, &[]).json();
    let expected = |mark: usize, date: &str| serde_json::json!({ "commit": ids[mark], "date": date });
    let finding = &json["findings"][0];
    assert_eq!(finding["first_seen"], expected(first, "2020-09-13T14:26:40+00:00"));
    assert_eq!(finding["last_seen"], expected(moved, "2020-09-13T16:26:40+00:00"));
    assert_eq!(finding["exposure"], "past");
}

#[test]
fn a_secret_that_is_still_there_was_last_seen_in_the_newest_commit_that_has_it() {
    let mut import = Import::default();
    let first = import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    let head = import.commit("main", &[first], &[file("b.py", "clean\n")]);
    import.commit("side", &[first], &[file("a.py", "clean\n")]);
    let repo = Repo::new();
    let ids = repo.import(&import);
    let finding = &agreed(&repo, &[]).json()["findings"][0];
    assert_eq!(
        (&finding["exposure"], &finding["last_seen"]["commit"]),
        (&"head".into(), &ids[head].as_str().into())
    );
}

#[test]
fn a_text_is_as_far_out_as_the_refs_that_point_to_it() {
    let mut import = Import::default();
    let root = import.commit_saying(&leak(1), "main", &[], &[file("a.py", "1\n")]);
    import.commit_saying(&leak(2), "main", &[root], &[file("a.py", "2\n")]);
    let tag = import.tag("v1", root, &leak(3));
    import.tag("outer", tag, &leak(4));
    let repo = Repo::of(&import);
    repo.git(&["tag", "-d", "v1"]);
    assert_eq!(exposures(&repo, &[]), ["head", "tag", "tag", "tag"]);
    let outcome = agreed(&repo, &[]);
    let refs: BTreeSet<String> = Reported::of(&outcome).refs.into_values().flatten().collect();
    assert_eq!(refs, ["HEAD", "refs/heads/main", "refs/tags/outer"].map(str::to_owned).into());
}
