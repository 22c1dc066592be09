//! What `hekate history` prints for people.

use super::{
    git::{Import, Repo, file},
    text::leak,
};

/// A leak that is at the tips, one of long ago, one in a tag's text.
fn repo() -> Repo {
    let mut import = Import::default();
    let root =
        import.commit_saying("Old deploy script\n\nwith a body", "main", &[], &[file("old.sh", &leak(1))]);
    let next = import.commit("main", &[root], &[file("old.sh", "clean\n"), file("app/new.sh", &leak(2))]);
    let side = import.commit("side", &[next], &[file("copy.sh", &leak(2))]);
    import.tag("v1", side, &leak(3));
    Repo::of(&import)
}

#[test]
fn history_is_told_in_plain_words() {
    let outcome = repo().hekate(&["history", "--only-rule", "github-pat"]).ends(1);
    insta::assert_snapshot!(outcome.stdout, @r#"
    critical  GitHub personal access token (classic) [github-pat]
      app/new.sh:1:10
        1 | token = "ghp_********"
          |          ^^^^^^^^^^^^
        1d2d56122402 2020-09-13 Ada Test: change 2
      copy.sh:1:10
        1 | token = "ghp_********"
          |          ^^^^^^^^^^^^
        7045dd74afa3 2020-09-13 Ada Test: change 3
      why      almost certain: checksum is right; has the format of this type; 4.9 bits of entropy per
               character; assigned to token
      where    still at HEAD (main); branch side; tag v1
      when     since 2020-09-13 (1d2d56122402), last 2020-09-13 (7045dd74afa3)
      next     revoke or rotate it (https://github.com/settings/tokens), then remove it
      id       p1:749163fedad1

    critical  GitHub personal access token (classic) [github-pat]
      message:1:10 (commit or tag text)
        1 | token = "ghp_********"
          |          ^^^^^^^^^^^^
        0d678ad9e261 2020-09-13 Ada Test: token = "ghp_********"
      why      almost certain: checksum is right; has the format of this type; 4.9 bits of entropy per
               character; assigned to token
      where    still at tag v1
      when     since 2020-09-13 (0d678ad9e261)
      next     revoke or rotate it (https://github.com/settings/tokens), then remove it
      id       p1:61b948011078

    critical  GitHub personal access token (classic) [github-pat]
      old.sh:1:10
        1 | token = "ghp_********"
          |          ^^^^^^^^^^^^
        222dfeb49481 2020-09-13 Ada Test: Old deploy script
      why      almost certain: checksum is right; has the format of this type; 4.8 bits of entropy per
               character; assigned to token
      where    in older commits only: at the tip of no branch, at no tag
      when     on 2020-09-13 (222dfeb49481)
      next     revoke or rotate it (https://github.com/settings/tokens), then remove it
      id       p1:bacc66fab21f

    A leaked secret stays leaked, in every clone, when its line is gone: revoke or rotate it first.
    To accept them: `hekate history -o report.json`, `hekate baseline write --report report.json`.

    3 secrets in 4 places · 3 commits, 4 trees, 3 blobs, 108 B scanned
    "#);
}

#[test]
fn clean_history_is_one_line() {
    let mut import = Import::default();
    import.commit("main", &[], &[file("a.py", "clean\n")]);
    let outcome = Repo::of(&import).hekate(&["history"]).ends(0);
    insta::assert_snapshot!(outcome.stdout, @"no secrets found in 1 commit, 1 tree, 1 blob (6 B)");
}
