//! Repositories whose commits, refs and trees are nasty.

use std::fmt::Write as _;

use fastrand::Rng;

use super::{
    git::{Change, Import, Mark, Repo, file},
    text::{code, leak, leaky},
};

pub(crate) fn octopus_merge(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("shared.py", &code(1, 50))]);
    let arms: Vec<Mark> = (0..20)
        .map(|arm| {
            let path = format!("arm{arm}.py");
            import.commit(&format!("arm{arm}"), &[root], &[file(&path, &leaky(arm, arm / 2))])
        })
        .collect();
    // The merge brings in every arm's file, and one of its own.
    let files: Vec<(String, Vec<u8>)> =
        (0..20).map(|arm| (format!("arm{arm}.py"), leaky(arm, arm / 2))).collect();
    let mut changes: Vec<Change<'_>> = files.iter().map(|(path, bytes)| file(path, bytes)).collect();
    let own = leaky(99, 99);
    changes.push(file("merge.py", &own));
    let merge = import.commit("main", &[&[root], &arms[..]].concat(), &changes);
    import.commit("main", &[merge], &[Change::Delete(b"arm3.py"), Change::Delete(b"merge.py")]);
    Repo::of(&import)
}

pub(crate) fn criss_cross_merges(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "x = 1\n"), file("b.py", "y = 1\n")]);
    let mut left = import.commit("left", &[root], &[file("a.py", &leaky(1, 1))]);
    let mut right = import.commit("right", &[root], &[file("b.py", &leaky(2, 2))]);
    for round in 0..4 {
        let (a, b) = (leaky(1, 1 + round % 2), leaky(2, 2 + round % 3));
        let merged_left = import.commit("left", &[left, right], &[file("b.py", &b)]);
        let merged_right = import.commit("right", &[right, left], &[file("a.py", &a)]);
        left = import.commit("left", &[merged_left], &[file("a.py", &code(round, 30))]);
        right = import.commit("right", &[merged_right], &[file("b.py", &leaky(round, 7))]);
    }
    import.commit("main", &[left, right, root], &[file("a.py", &leaky(1, 1))]);
    Repo::of(&import)
}

pub(crate) fn content_only_in_a_merge(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "x = 1\n"), file("held.py", &leaky(5, 5))]);
    let one = import.commit("one", &[root], &[file("one.py", "1\n"), Change::Delete(b"held.py")]);
    let two = import.commit("two", &[root], &[file("two.py", "2\n")]);
    let merge = import.commit(
        "main",
        &[one, two],
        &[file("a.py", &leaky(1, 1)), file("held.py", &leaky(5, 5)), file("moved/held.py", &leaky(5, 5))],
    );
    // The leak is gone right behind the merge.
    let after = import.commit("main", &[merge], &[file("a.py", "x = 2\n")]);
    // A merge that takes neither side's file, and one with itself as both parents' equal.
    let other = import.commit("other", &[merge], &[file("a.py", &leaky(1, 2))]);
    import.commit("main", &[after, other], &[file("a.py", "x = 3\n")]);
    Repo::of(&import)
}

pub(crate) fn renames_edits_and_returns(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let first = leaky(1, 1);
    let root = import.commit("main", &[], &[file("old name.py", &first)]);
    let moved = import.commit("main", &[root], &[Change::Delete(b"old name.py"), file("new.py", &first)]);
    let edited = [first.clone(), leak(2).into_bytes()].concat();
    let both = import.commit("main", &[moved], &[Change::Delete(b"new.py"), file("deep/er/new.py", &edited)]);
    let gone = import.commit("main", &[both], &[Change::Delete(b"deep")]);
    let back = import.commit("main", &[gone], &[file("deep/er/new.py", &edited)]);
    let twice = import.commit("main", &[back], &[file("deep/er/new.py", &[&*edited, &*edited].concat())]);
    let gone_again = import.commit("main", &[twice], &[Change::Delete(b"deep")]);
    import.commit("main", &[gone_again], &[file("deep", &edited)]);
    Repo::of(&import)
}

pub(crate) fn unrelated_roots(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let roots: Vec<Mark> = (0..5)
        .map(|index| import.commit(&format!("root{index}"), &[], &[file("same.py", &leaky(1, index / 2))]))
        .collect();
    import.commit("joined", &roots, &[file("same.py", &leaky(1, 0))]);
    import.commit("empty", &[], &[]);
    Repo::of(&import)
}

pub(crate) fn one_blob_at_many_paths(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let bytes = leaky(1, 1);
    let deep = format!("{}x.py", "d/".repeat(300));
    let mut paths: Vec<String> = (0..400).map(|index| format!("p{}/q{index}.py", index % 7)).collect();
    paths.push(deep);
    let changes: Vec<Change<'_>> = paths.iter().map(|path| file(path, &bytes)).collect();
    let root = import.commit("main", &[], &changes);
    import.commit("main", &[root], &[Change::Delete(b"p1"), file("p1/only.py", &bytes)]);
    Repo::of(&import)
}

pub(crate) fn names_of_any_bytes(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let names: [&[u8]; 9] = [
        b"with blank.py",
        b"new\nline.py",
        b"quote\"\\.py",
        b"bad\xff\xfe.py",
        b"esc\x1b[31m.py",
        b"tab\t.py",
        b"-dash.py",
        "größe/é.py".as_bytes(),
        b" lead/ing ",
    ];
    let files: Vec<Vec<u8>> = (0..names.len() as u64).map(|index| leaky(index, index)).collect();
    let changes: Vec<Change<'_>> =
        names.iter().zip(&files).map(|(name, bytes)| Change::File(name, bytes)).collect();
    let root = import.commit("main", &[], &changes);
    import.commit("main", &[root], &[Change::File(b"bad\xfe.py", &files[3])]);
    Repo::of(&import)
}

pub(crate) fn links_and_submodules(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let target = format!("https://x/?{}", leak(1).trim());
    let elsewhere = "1234567890abcdef1234567890abcdef12345678";
    let root = import.commit(
        "main",
        &[],
        &[
            Change::Link(b"link", target.as_bytes()),
            Change::Link(b"dangling", b"../../etc/passwd"),
            Change::Submodule(b"module", elsewhere),
            file(".gitmodules", "[submodule \"module\"]\n\tpath = module\n\turl = ../elsewhere\n"),
        ],
    );
    // The link becomes a file of the same bytes: the same blob, and the secret stays where it is.
    import.commit("main", &[root], &[Change::File(b"link", target.as_bytes())]);
    Repo::of(&import)
}

pub(crate) fn texts_that_leak(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit_saying(&format!("start\n\n{}", leak(1)), "main", &[], &[file("a.py", "1\n")]);
    let next = import.commit_saying(&leak(2), "main", &[root], &[file("a.py", &leaky(3, 3))]);
    let tag = import.tag("v1", next, &format!("release\n\n{}", leak(4)));
    import.tag("nested", tag, &leak(5));
    let repo = Repo::of(&import);
    repo.git(&["notes", "add", "-m", &leak(6), "main"]);
    repo.git(&["notes", "--ref", "review", "add", "-m", &leak(7), "main~1"]);
    repo
}

pub(crate) fn tags_of_anything(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "1\n"), file("folder/b.py", "2\n")]);
    let leaked = import.commit("side", &[root], &[file("folder/c.py", &leaky(1, 1))]);
    import.tag("on-side", leaked, "kept by a tag only\n");
    let repo = Repo::of(&import);
    let blob = repo.blob(&leaky(2, 2));
    repo.git(&["tag", "light-blob", &blob]);
    let other = repo.blob(&leaky(3, 3));
    repo.git(&["tag", "-a", "-m", "a blob", "full-blob", &other]);
    let inner = repo.blob(&leaky(4, 4));
    let tree = repo.git_fed(format!("100644 blob {inner}\tinside.py\n").as_bytes(), &["mktree"]);
    let tree = String::from_utf8(tree).expect("an id").trim().to_owned();
    repo.git(&["tag", "a-tree", &tree]);
    repo.git(&["tag", "-a", "-m", "a tag of a tag", "of-a-tag", "full-blob"]);
    repo.git(&["branch", "-D", "side"]);
    repo.git(&["update-ref", "refs/odd/place", &repo.blob(&leaky(5, 5))]);
    repo
}

pub(crate) fn stash_worktrees_and_reflogs(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", "1\n")]);
    import.commit("main", &[root], &[file("b.py", "2\n")]);
    let repo = Repo::of(&import);
    repo.git(&["reset", "--quiet", "--hard"]);
    std::fs::write(repo.path("a.py"), leaky(1, 1)).expect("write a file");
    std::fs::write(repo.path("untracked.py"), leaky(2, 2)).expect("write a file");
    repo.git(&["stash", "--quiet", "--include-untracked"]);
    std::fs::write(repo.path("a.py"), leaky(3, 3)).expect("write a file");
    repo.git(&["stash", "--quiet"]);
    // Only the reflog of the branch still knows of this one.
    std::fs::write(repo.path("a.py"), leaky(4, 4)).expect("write a file");
    repo.git(&["commit", "--quiet", "-am", "soon gone"]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // A worktree beside it whose HEAD no branch holds.
    repo.git(&["worktree", "add", "--quiet", "--detach", "../tree", "main"]);
    let tree = repo.beside("tree");
    std::fs::write(tree.path("b.py"), leaky(5, 5)).expect("write a file");
    tree.git(&["commit", "--quiet", "-am", "detached"]);
    repo
}

pub(crate) fn bare(rng: &mut Rng) -> Repo {
    octopus_merge(rng).cloned("bare.git", &["--bare"])
}

pub(crate) fn detached_head(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    let next = import.commit("main", &[root], &[file("a.py", &leaky(1, 2))]);
    import.commit("main", &[next], &[file("a.py", "clean\n")]);
    let repo = Repo::of(&import);
    repo.git(&["checkout", "--quiet", "--detach", "main~1"]);
    repo.git(&["branch", "old", "main~2"]);
    repo
}

pub(crate) fn nothing_committed(_: &mut Rng) -> Repo {
    Repo::new()
}

pub(crate) fn unborn_head_beside_branches(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    import.commit("side", &[], &[file("a.py", &leaky(1, 1))]);
    Repo::of(&import)
}

pub(crate) fn replaced_and_grafted(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let root = import.commit("main", &[], &[file("a.py", &leaky(1, 1))]);
    let next = import.commit("main", &[root], &[file("a.py", "clean\n")]);
    import.commit("main", &[next], &[file("b.py", &leaky(2, 2))]);
    import.commit("other", &[], &[file("a.py", "harmless\n"), file("c.py", &leaky(3, 3))]);
    let repo = Repo::of(&import);
    // What leaks is replaced by what does not, and cut off by a graft.
    repo.git(&["replace", "main~2", "other"]);
    let leaked = repo.git_line(&["rev-parse", "main:b.py"]);
    repo.git(&["replace", &leaked, &repo.blob(b"harmless\n")]);
    let tip = repo.git_line(&["rev-parse", "main"]);
    std::fs::write(repo.git_path("info/grafts"), format!("{tip}\n")).expect("write grafts");
    repo.git(&["branch", "-D", "other"]);
    repo
}

/// So many refs in the packed file, with some loose ones over them.
fn with_refs(count: usize) -> Repo {
    let mut import = Import::default();
    let mut parents = Vec::new();
    for number in 0..20_u64 {
        parents = vec![import.commit("main", &parents, &[file("a.py", &leaky(number, number / 3))])];
    }
    let repo = Repo::of(&import);
    let commits = String::from_utf8(repo.git(&["rev-list", "main"])).expect("ids are text");
    let commits: Vec<&str> = commits.lines().collect();
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for number in 0..count {
        let kind = ["heads/topic", "pull", "remotes/origin", "tags"][number * 4 / count];
        let _ = writeln!(packed, "{} refs/{kind}/{number:06}/x", commits[number % commits.len()]);
    }
    let mut lines: Vec<&str> = packed.lines().skip(1).collect();
    lines.sort_by_key(|line| &line[41..]);
    let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{}\n", lines.join("\n"));
    std::fs::write(repo.git_path("packed-refs"), packed).expect("write packed refs");
    repo.git(&["update-ref", "refs/heads/topic/000000/x", commits[0]]);
    repo
}

pub(crate) fn hundreds_of_refs(_: &mut Rng) -> Repo {
    with_refs(400)
}

pub(crate) fn hundred_thousand_refs(_: &mut Rng) -> Repo {
    with_refs(100_000)
}

pub(crate) fn accepted_and_not(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let marked = leak(1).replace('\n', " # hekate:allow\n");
    let versions = [leak(1), marked.clone(), format!("{marked}{}", leak(1)), String::new(), leak(1), marked];
    let versions: Vec<Vec<u8>> =
        versions.iter().map(|held| [code(1, 30), held.clone().into_bytes(), code(2, 30)].concat()).collect();
    import.series("a.py", versions.iter().map(Vec::as_slice));
    Repo::of(&import)
}
