//! Commits and refs that come and go between two scans.

use std::fs;

use fastrand::Rng;

use super::{
    super::{
        contents,
        git::{Change, Import, Repo, file},
        graphs, is_long, storage,
        text::{code, leak, leaky},
    },
    commit, commit_loose, same_in_every_view, same_with_and_without, some_history, written,
};
use crate::harness::Outcome;

#[test]
fn an_unchanged_repository() {
    let repo = some_history();
    let first = same_with_and_without(&repo, &[]).ends(1);
    assert!(!written(&repo).is_empty());
    assert_eq!(same_with_and_without(&repo, &[]).stdout, first.stdout);
    same_in_every_view(&repo);
}

#[test]
fn a_repository_without_commits_gets_some() {
    let repo = Repo::new();
    same_with_and_without(&repo, &[]).ends(0);
    let mut import = Import::default();
    import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    repo.import(&import);
    same_with_and_without(&repo, &[]).ends(1);
}

#[test]
fn a_new_commit_that_is_loose_or_in_a_pack_of_its_own() {
    let repo = some_history();
    let before = same_with_and_without(&repo, &[]).findings().len();
    commit_loose(&repo, "main", &[file("new.py", &leaky(20, 20))]);
    assert_eq!(same_with_and_without(&repo, &[]).findings().len(), before + 1);
    commit(&repo, "main", &[file("newer.py", &leaky(21, 21)), file("lib/b.py", &leaky(3, 71))]);
    assert_eq!(same_with_and_without(&repo, &[]).findings().len(), before + 2);
    // One that changes nothing, and one that brings nothing new but takes away.
    commit(&repo, "main", &[]);
    commit_loose(&repo, "side", &[Change::Delete(b"lib")]);
    assert_eq!(same_with_and_without(&repo, &[]).findings().len(), before + 2);
}

#[test]
fn a_blob_that_was_there_comes_to_another_path() {
    let repo = some_history();
    same_with_and_without(&repo, &[]);
    for (old, path, leaks) in [
        ("main~3:a.py", "lib/c.py", true),
        ("main:lib/b.py", "lib/d.py", false),
        ("side:lib/b.py", "d/e/f.py", true),
    ] {
        let blob = repo.git_line(&["rev-parse", old]);
        commit(&repo, "main", &[Change::Blob(path.as_bytes(), blob)]);
        let found = same_with_and_without(&repo, &[]).paths();
        assert_eq!(found.contains(&path.to_owned()), leaks, "{found:?}");
    }
}

#[test]
fn a_branch_to_an_old_commit_comes_moves_and_goes() {
    let repo = some_history();
    same_in_every_view(&repo);
    for args in [
        &["branch", "old", "main~5"][..],
        &["branch", "-f", "old", "main~2"],
        &["tag", "light", "main~6"],
        &["pack-refs", "--all"],
        &["branch", "-D", "old", "side"],
        &["tag", "-d", "v1"],
        &["update-ref", "refs/odd/place", "main~3"],
        &["symbolic-ref", "HEAD", "refs/heads/gone"],
        &["update-ref", "--no-deref", "HEAD", "main~1"],
    ] {
        repo.git(args);
        same_with_and_without(&repo, &[]);
        same_with_and_without(&repo, &["--unreachable"]);
    }
}

#[test]
fn a_forced_push_leaves_commits_that_nothing_reaches() {
    let repo = some_history();
    let lost = commit(&repo, "main", &[file("lost.py", &leaky(30, 30))]);
    let before = same_with_and_without(&repo, &[]).findings().len();
    repo.git(&["update-ref", "refs/heads/main", "main~1"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    assert_eq!(same_with_and_without(&repo, &[]).findings().len(), before - 1);
    assert_eq!(same_with_and_without(&repo, &["--unreachable"]).findings().len(), before);
    // It is reached again.
    repo.git(&["branch", "back", &lost]);
    assert_eq!(same_with_and_without(&repo, &[]).findings().len(), before);
    repo.git(&["branch", "-D", "back"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    assert_eq!(same_with_and_without(&repo, &["--unreachable"]).findings().len(), before - 1);
}

#[test]
fn blobs_without_a_commit_texts_notes_and_stashes_come_later() {
    let repo = some_history();
    repo.git(&["reset", "--quiet", "--hard"]);
    let count = |args: &[&str]| same_with_and_without(&repo, args).findings().len();
    let before = count(&[]);
    repo.blob(&leaky(40, 40));
    assert_eq!((count(&[]), count(&["--unreachable"])), (before, before + 1));
    repo.git(&["tag", "-a", "-m", &leak(41), "late", "main~2"]);
    repo.git(&["notes", "add", "-m", &leak(42), "main"]);
    repo.git(&["commit", "--quiet", "--allow-empty", "-m", &leak(43)]);
    assert_eq!(count(&[]), before + 3);
    fs::write(repo.path("lib/b.py"), leaky(44, 44)).expect("write a file");
    repo.git(&["stash", "--quiet"]);
    assert_eq!(count(&[]), before + 4);
    repo.git(&["stash", "drop", "--quiet"]);
    assert_eq!((count(&[]), count(&["--unreachable"])), (before + 3, before + 5));
}

#[test]
fn work_trees_share_one_cache() {
    let repo = some_history();
    repo.git(&["worktree", "add", "--quiet", "--detach", "../tree", "main~2"]);
    let tree = repo.beside("tree");
    same_with_and_without(&repo, &[]).ends(1);
    let mut cache = written(&repo);
    assert_eq!(written(&tree), cache, "both name one file");
    for number in 0..3 {
        fs::write(tree.path("a.py"), leaky(9, 90 + number)).expect("write a file");
        tree.git(&["commit", "--quiet", "-am", "detached"]);
        let first: &Repo = if number % 2 == 0 { &tree } else { &repo };
        same_with_and_without(first, &[]).ends(1);
        assert_ne!(std::mem::replace(&mut cache, written(&repo)), written(&repo));
        same_with_and_without(&repo, &[]);
        same_with_and_without(&tree, &[]);
    }
    let private = repo.git_path("worktrees/tree/hekate");
    assert!(!private.exists(), "a linked work tree has no cache of its own");
    repo.git(&["worktree", "remove", "--force", "../tree"]);
    same_with_and_without(&repo, &[]);
}

#[test]
fn what_a_clean_blob_says_of_other_repositories_is_still_noted() {
    let mut import = Import::default();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "4d7a".repeat(16));
    let elsewhere = "1234567890abcdef1234567890abcdef12345678";
    let changes = [
        file("big.bin", &pointer),
        Change::Submodule(b"module", elsewhere),
        file(".gitmodules", "[submodule \"module\"]\n\tpath = module\n\turl = ../elsewhere\n"),
    ];
    let root = import.commit("main", &[], &changes);
    import.commit("main", &[root], &[Change::Delete(b"big.bin"), Change::Delete(b"module")]);
    let repo = Repo::of(&import);
    let notes = |outcome: &Outcome| {
        let gaps = outcome.gaps();
        let of = |reason: &str| gaps.iter().filter(|gap| gap.ends_with(reason)).count();
        (of("lfs"), of("submodule"))
    };
    assert_eq!(notes(&same_with_and_without(&repo, &[])), (1, 1));
    commit(
        &repo,
        "main",
        &[Change::Submodule(b"other", elsewhere), file("c.bin", &pointer.replace('5', "6"))],
    );
    assert_eq!(notes(&same_with_and_without(&repo, &[])), (2, 2));
    same_with_and_without(&repo, &["--recurse-submodules"]);
}

#[test]
fn submodules_are_swept_with_a_cache_as_without() {
    let inner = some_history();
    let outer = inner.beside("outer");
    fs::create_dir(outer.path("")).expect("make a folder");
    outer.git(&["init", "--quiet"]);
    let url = inner.path("").display().to_string();
    outer.git(&["submodule", "--quiet", "add", &url, "libs/inner"]);
    outer.git(&["commit", "--quiet", "-m", "with a submodule"]);
    for args in [&[][..], &["--recurse-submodules"], &[]] {
        same_with_and_without(&outer, args);
    }
    let module = outer.beside("outer/libs/inner");
    fs::write(module.path("more.py"), leaky(50, 50)).expect("write a file");
    module.git(&["add", "more.py"]);
    module.git(&["commit", "--quiet", "-m", "more"]);
    for args in [&["--recurse-submodules"][..], &[], &["--recurse-submodules"]] {
        same_with_and_without(&outer, args);
    }
    same_with_and_without(&module, &[]).ends(1);
    same_with_and_without(&outer, &["--recurse-submodules"]).ends(1);
}

/// As it is, and with one more commit on whatever is there.
fn before_and_after(repo: &Repo) {
    same_in_every_view(repo);
    let head =
        repo.git_line(&["for-each-ref", "--count=1", "--format=%(objectname)", "refs/heads", "refs/remotes"]);
    let mut import = Import::default();
    let (old, new) = (code(77, 50), leaky(77, 77));
    let changes = [file("a.py", &old), file("all/new.py", &new)];
    match head.as_str() {
        "" => import.commit("main", &[], &changes),
        head => import.commit_onto(head, "grown", &changes),
    };
    // A clone that lacks trees can't be committed to.
    if repo.try_git(b"", &["cat-file", "-e", &format!("{head}^{{tree}}")]).0 || head.is_empty() {
        repo.import(&import);
    }
    same_in_every_view(repo);
}

macro_rules! grown {
    ($($which:ident: $($name:ident),+;)+) => {
        $($(#[test] fn $name() { before_and_after(&$which::$name(&mut Rng::with_seed(1))); })+)+
    };
}

mod grown {
    use super::*;

    grown! {
        graphs: octopus_merge, links_and_submodules, texts_that_leak, tags_of_anything,
            stash_worktrees_and_reflogs, bare, nothing_committed, replaced_and_grafted, accepted_and_not;
        storage: packs_with_the_same_objects, packed_and_loose, alternates_two_deep, cruft_and_leftovers,
            multi_pack_index, sha256, shallow, without_blobs;
        contents: utf16_files, odd_line_ends_and_empty_files, half_copied_half_inserted;
    }
}

macro_rules! grown_in_long {
    ($($which:ident: $($name:ident),+;)+) => {
        $($(#[test] fn $name() {
            if is_long() { before_and_after(&$which::$name(&mut Rng::with_seed(1))); }
        })+)+
    };
}

mod grown_in_long {
    use super::*;

    grown_in_long! {
        graphs: criss_cross_merges, content_only_in_a_merge, renames_edits_and_returns, unrelated_roots,
            one_blob_at_many_paths, names_of_any_bytes, detached_head, unborn_head_beside_branches,
            hundreds_of_refs, hundred_thousand_refs;
        storage: loose_only, no_deltas, chains_one_deep, chains_fifty_deep, chains_hundreds_deep,
            ref_deltas_only, index_of_version_1, bitmaps_and_reverse_indexes, sha256_with_ref_deltas,
            without_big_blobs, without_trees, blobs_of_several_blocks, chains_4095_deep;
        contents: lines_of_a_megabyte, binary_files, a_key_whose_lines_change, keyword_and_value_part_and_meet,
            blocks_that_move, rows_of_keywords, glued_at_every_byte, deltas_of_any_shape,
            clusters_that_shift_over_a_border;
    }
}
