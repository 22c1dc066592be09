//! Random histories that grow, shrink and are packed anew, step by step.

use fastrand::Rng;

use super::{
    super::{
        git::{Change, Import, Repo, overwrite},
        is_long,
        random::{self, held},
        text::{code, leak, leaky},
    },
    kept, restore, same, same_with_and_without,
};

const VIEWS: &[&[&str]] =
    &[&[], &["--unreachable"], &["--reflog"], &["--skip-rule", "github-pat"], &["--only-rule", "github-pat"]];

#[test]
fn random_histories_that_grow() {
    for seed in 0..if is_long() { 100 } else { 4 } {
        println!("a history that grows from seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let repo = random::random(&mut rng);
        let mut caches = Vec::new();
        for at in 0..if is_long() { 15 } else { 4 } {
            let view = if rng.bool() { &[] } else { VIEWS[rng.usize(..VIEWS.len())] };
            println!("step {at}, seen with {view:?}");
            let without = same_with_and_without(&repo, view);
            // Any cache of earlier is as good.
            caches.extend(kept(&repo));
            if !caches.is_empty() && rng.bool() {
                restore(&repo, Some(&caches[rng.usize(..caches.len())]));
                same(&without, &repo.history(view), "a cache of some steps ago");
            }
            for _ in 0..rng.usize(1..4) {
                let step = grow(&mut rng, &repo);
                println!("{step}");
            }
        }
    }
}

fn lines(repo: &Repo, args: &[&str]) -> Vec<String> {
    String::from_utf8(repo.git(args)).expect("git prints text").lines().map(str::to_owned).collect()
}

/// One thing that happens to a repository; what it was.
fn grow(rng: &mut Rng, repo: &Repo) -> &'static str {
    let branches = lines(repo, &["for-each-ref", "--format=%(refname)", "refs/heads"]);
    let commits = lines(repo, &["rev-list", "--all", "--reflog"]);
    let any = commits[rng.usize(..commits.len())].as_str();
    let branch = branches.get(rng.usize(..branches.len().max(1))).map_or("refs/heads/main", String::as_str);
    match rng.u8(..14) {
        0..=3 => grown(rng, repo, branch, any, &[]),
        4 | 5 => grown(rng, repo, branch, any, &["-c", "fastimport.unpackLimit=10000"]),
        6 => done(repo, &["update-ref", &format!("refs/heads/n{}", rng.u8(..9)), any], "a branch"),
        7 => done(repo, &["update-ref", branch, any], "a forced push"),
        8 if branches.len() > 1 => done(repo, &["update-ref", "-d", branch], "a branch less"),
        9 => {
            let name = format!("t{}", rng.u32(..));
            done(repo, &["tag", "-a", "-m", &held(rng), &name, any], "a tag")
        }
        10 => {
            repo.blob(&leaky(rng.u64(..9), rng.u64(..30)));
            "a blob that nothing names"
        }
        11 => done(repo, &["repack", "--quiet", "-adf", "--depth=30", "--window=20"], "one pack"),
        12 => {
            repo.git(&["reflog", "expire", "--expire=now", "--all"]);
            done(repo, &["gc", "--quiet", "--prune=now"], "no leftovers")
        }
        _ => repacked(rng, repo),
    }
}

fn done(repo: &Repo, args: &[&str], what: &'static str) -> &'static str {
    repo.git(args);
    what
}

fn repacked(rng: &mut Rng, repo: &Repo) -> &'static str {
    let ways: [&[&str]; 4] = [
        &["repack", "--quiet", "-d", "--cruft"],
        &["repack", "--quiet", "-d"],
        &["multi-pack-index", "write"],
        &["repack", "--quiet", "-a", "-d", "--keep-unreachable"],
    ];
    repo.git(ways[rng.usize(..ways.len())]);
    "packed anew"
}

/// Commits on a branch, or from anywhere onto it.
fn grown(rng: &mut Rng, repo: &Repo, branch: &str, any: &str, options: &[&str]) -> &'static str {
    let tip = repo.try_git(b"", &["rev-parse", "--verify", "--quiet", branch]);
    let tip = String::from_utf8(tip.1).expect("an id is text");
    let from = if tip.is_empty() || rng.u8(..4) == 0 { any } else { tip.trim() };
    let blobs = lines(repo, &["ls-tree", "-r", "--format=%(objectname)", from]);
    let mut changes = Vec::new();
    let names: Vec<String> = (0..rng.usize(1..5)).map(|_| random::name(rng)).collect();
    let files: Vec<Vec<u8>> = names.iter().map(|_| content(rng)).collect();
    for (name, bytes) in names.iter().zip(&files) {
        changes.push(match rng.u8(..5) {
            0 => Change::Delete(name.as_bytes()),
            1 if !blobs.is_empty() => Change::Blob(name.as_bytes(), blobs[rng.usize(..blobs.len())].clone()),
            _ => Change::File(name.as_bytes(), bytes),
        });
    }
    let mut import = Import::default();
    import.commit_onto(from, branch, &changes);
    repo.import_with(&import, options, &[]);
    "a commit"
}

fn content(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..4) {
        0 => leaky(rng.u64(..9), rng.u64(..30)),
        1 => [code(rng.u64(..9), 20), held(rng).into_bytes(), b"\n".to_vec()].concat(),
        2 => leak(rng.u64(..30)).into_bytes(),
        _ => code(rng.u64(..40), 40),
    }
}

#[test]
fn random_histories_that_lose_objects() {
    for seed in 0..if is_long() { 60 } else { 2 } {
        println!("a history that loses objects, seed {seed}");
        let mut rng = Rng::with_seed(1000 + seed);
        let repo = random::random(&mut rng);
        super::storage::unpack(&repo);
        let listed = lines(&repo, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        same_with_and_without(&repo, &[]);
        let mut gone = Vec::new();
        for _ in 0..if is_long() { 10 } else { 4 } {
            for _ in 0..rng.usize(1..4) {
                let path = repo.loose(&listed[rng.usize(..listed.len())]);
                if let Ok(bytes) = std::fs::read(&path) {
                    std::fs::remove_file(&path).expect("remove an object");
                    gone.push((path, bytes));
                }
            }
            if rng.bool() && !gone.is_empty() {
                let (path, bytes) = gone.swap_remove(rng.usize(..gone.len()));
                overwrite(&path, &bytes);
            }
            same_with_and_without(&repo, VIEWS[rng.usize(..2)]);
        }
        gone.iter().for_each(|(path, bytes)| overwrite(path, bytes));
        assert!(same_with_and_without(&repo, &[]).gaps().is_empty());
    }
}
