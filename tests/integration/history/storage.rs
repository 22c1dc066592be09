//! The same kinds of history, stored in every way that git knows.

use std::fs;

use fastrand::Rng;

use super::{
    git::{Import, Mark, Repo, file},
    is_long,
    text::{code, leak, leaky, line, lines, spliced, text},
};

/// A file that grows and changes through so many versions, with a leak that comes, moves and goes, and another that stays still.
pub(crate) fn edits(import: &mut Import, versions: u64, seed: u64) -> Mark {
    let mut rng = Rng::with_seed(seed);
    let mut code = lines(&mut rng, 120);
    let mut parents = Vec::new();
    for version in 0..versions {
        let at = rng.usize(..code.len());
        match version % 12 {
            3 => code.insert(at, leak(seed + version / 24).trim().to_owned()),
            9 => code.retain(|line| !line.contains("token = \"")),
            _ => code[at] = line(&mut rng),
        }
        let bytes = text(&code);
        let still = leaky(7, seed + version / 40);
        parents = vec![import.commit("main", &parents, &[file("a.py", &bytes), file("lib/b.py", &still)])];
    }
    parents[0]
}

fn edited(versions: u64) -> Import {
    let mut import = Import::default();
    edits(&mut import, versions, 1);
    import
}

/// Packed anew with these options of git and of `git repack`.
fn repacked(repo: &Repo, options: &[&str], args: &[&str]) {
    repo.git(&[options, &["repack", "--quiet"], args].concat());
}

pub(crate) fn loose_only(_: &mut Rng) -> Repo {
    let repo = Repo::of(&edited(30));
    let pack = repo.packs("pack").pop().expect("there is one");
    let bytes = fs::read(&pack).expect("read it");
    for path in repo.packs("pack").iter().chain(&repo.packs("idx")) {
        fs::remove_file(path).expect("remove a pack");
    }
    repo.git_fed(&bytes, &["unpack-objects", "-q"]);
    repo
}

pub(crate) fn no_deltas(_: &mut Rng) -> Repo {
    let repo = Repo::of(&edited(60));
    repacked(&repo, &[], &["-adf", "--depth=0", "--window=0"]);
    repo
}

fn chain(depth: u64, versions: u64) -> Repo {
    let repo = Repo::new();
    repo.import_with(&edited(versions), &[], &[&format!("--depth={depth}")]);
    repo.lay_out_all();
    repo
}

pub(crate) fn chains_one_deep(_: &mut Rng) -> Repo {
    chain(1, 60)
}

pub(crate) fn chains_fifty_deep(_: &mut Rng) -> Repo {
    let repo = chain(50, 150);
    repacked(&repo, &[], &["-adf", "--depth=50", "--window=60"]);
    repo.lay_out_all();
    repo
}

pub(crate) fn chains_hundreds_deep(_: &mut Rng) -> Repo {
    chain(4095, 400)
}

pub(crate) fn chains_4095_deep(_: &mut Rng) -> Repo {
    chain(4095, 4200)
}

pub(crate) fn chains_4095_deep_repacked(_: &mut Rng) -> Repo {
    let repo = chain(4095, 4200);
    repacked(&repo, &[], &["-adf", "--depth=4095", "--window=10"]);
    repo
}

pub(crate) fn ref_deltas_only(_: &mut Rng) -> Repo {
    let repo = Repo::of(&edited(100));
    repacked(&repo, &["-c", "repack.useDeltaBaseOffset=false"], &["-adf", "--depth=60", "--window=40"]);
    repo
}

pub(crate) fn packs_with_the_same_objects(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    edits(&mut import, 90, 1);
    let repo = Repo::of(&import);
    let ids = String::from_utf8(repo.git(&["rev-list", "--objects", "--all"])).expect("ids are text");
    let ids: Vec<&str> = ids.lines().map(|line| &line[..40]).collect();
    for (index, step) in [2, 3, 5].into_iter().enumerate() {
        let some: Vec<&str> = ids.iter().copied().step_by(step).collect();
        let style = if index == 1 { "--no-reuse-delta" } else { "--delta-base-offset" };
        let args = ["pack-objects", "--quiet", "--window=30", "--depth=30", style];
        repo.git_fed(some.join("\n").as_bytes(), &[&args[..], &[".git/objects/pack/pack"]].concat());
    }
    let some: Vec<&str> = ids.iter().copied().step_by(7).collect();
    let bytes = repo.git_fed(some.join("\n").as_bytes(), &["pack-objects", "--quiet", "--stdout"]);
    // Loose ones besides: unpacking leaves out what is there, so it goes through a folder of its own.
    let apart = repo.beside("apart");
    fs::create_dir(apart.path("")).expect("make a folder");
    apart.git(&["init", "--quiet"]);
    apart.git_fed(&bytes, &["unpack-objects", "-q"]);
    for id in &some {
        let to = repo.loose(id);
        fs::create_dir_all(to.parent().expect("it has a folder")).expect("make a folder");
        fs::copy(apart.loose(id), to).expect("copy a loose object");
    }
    repo
}

pub(crate) fn packed_and_loose(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let last = edits(&mut import, 60, 1);
    let mut more = Import::default();
    let repo = Repo::of(&import);
    let mut parents = vec![];
    for number in 0..10 {
        parents = vec![more.commit("loose", &parents, &[file("c.py", &leaky(number, number / 2))])];
    }
    repo.import_with(&more, &["-c", "fastimport.unpackLimit=10000"], &[]);
    assert!(last > 0, "the first pack has commits");
    repo
}

pub(crate) fn alternates_two_deep(_: &mut Rng) -> Repo {
    let first = Repo::of(&edited(40));
    let second = first.cloned("second", &["--shared", "--bare"]);
    let mut more = Import::default();
    let mut parents = Vec::new();
    for number in 0..8 {
        parents = vec![more.commit("more", &parents, &[file("second.py", &leaky(number, 50 + number / 2))])];
    }
    second.import(&more);
    let third = second.cloned("third", &["--shared"]);
    // Relative ones are relative to the objects' folder; a loop and a line of a comment do no harm.
    fs::write(third.git_path("objects/info/alternates"), "# far\n../../../second/objects\n").expect("write");
    fs::write(third.path("third.py"), leaky(3, 80)).expect("write a file");
    third.git(&["add", "third.py"]);
    third.git(&["commit", "--quiet", "-m", "third"]);
    third
}

pub(crate) fn cruft_and_leftovers(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    edits(&mut import, 40, 1);
    let mut parents = Vec::new();
    for number in 0..20 {
        let (bytes, shared) = (leaky(number, 200 + number / 2), leaky(7, 1));
        parents = vec![import.commit("gone", &parents, &[file("gone.py", &bytes), file("b.py", &shared)])];
    }
    let repo = Repo::of(&import);
    repo.git(&["branch", "-D", "gone"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repacked(&repo, &[], &["-d", "--cruft"]);
    // Loose ones that nothing ever named, too.
    repo.blob(&leaky(90, 300));
    repo.blob(&code(90, 10));
    repo
}

pub(crate) fn index_of_version_1(_: &mut Rng) -> Repo {
    let repo = Repo::of(&edited(60));
    repacked(&repo, &["-c", "pack.indexVersion=1"], &["-adf"]);
    repo
}

pub(crate) fn multi_pack_index(_: &mut Rng) -> Repo {
    let repo = packs_with_the_same_objects(&mut Rng::with_seed(1));
    repo.git(&["multi-pack-index", "write"]);
    repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    repo
}

pub(crate) fn bitmaps_and_reverse_indexes(_: &mut Rng) -> Repo {
    let repo = Repo::of(&edited(60));
    repacked(&repo, &["-c", "pack.writeReverseIndex=true"], &["-adfb"]);
    repo
}

pub(crate) fn sha256(_: &mut Rng) -> Repo {
    let repo = Repo::init(&["--object-format=sha256"]);
    repo.import(&edited(60));
    repo.git(&["branch", "gone", "main~3"]);
    repo.blob(&leaky(3, 900));
    repo
}

pub(crate) fn sha256_with_ref_deltas(_: &mut Rng) -> Repo {
    let repo = Repo::init(&["--object-format=sha256"]);
    repo.import(&edited(60));
    repacked(&repo, &["-c", "repack.useDeltaBaseOffset=false"], &["-adf", "--depth=60"]);
    repo
}

pub(crate) fn shallow(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let last = edits(&mut import, 40, 1);
    let side = import.commit("side", &[last], &[file("side.py", &leaky(4, 4))]);
    import.commit("main", &[last, side], &[file("side.py", &leaky(4, 4))]);
    Repo::of(&import).cloned("shallow", &["--depth=5", "--no-single-branch"])
}

pub(crate) fn without_blobs(_: &mut Rng) -> Repo {
    Repo::of(&edited(30)).cloned("partial", &["--filter=blob:none", "--no-checkout"])
}

pub(crate) fn without_big_blobs(_: &mut Rng) -> Repo {
    let mut import = Import::default();
    let last = edits(&mut import, 30, 1);
    import.commit("main", &[last], &[file("big.py", &code(1, 20_000))]);
    Repo::of(&import).cloned("partial", &["--filter=blob:limit=100k", "--no-checkout"])
}

pub(crate) fn without_trees(_: &mut Rng) -> Repo {
    Repo::of(&edited(30)).cloned("partial", &["--filter=tree:0", "--no-checkout"])
}

/// Over one and over two blocks of 1 MiB, edited wherever a border is.
pub(crate) fn blobs_of_several_blocks(_: &mut Rng) -> Repo {
    const BLOCK: usize = 1 << 20;
    let mut import = Import::default();
    let mut parents = Vec::new();
    let mut number = 400;
    for length in [BLOCK + 3, 2 * BLOCK + 70] {
        let mut bytes: Vec<u8> = code(length as u64, length / 12);
        bytes.resize(length, b'.');
        // Insertions shift what stands behind them over the borders; cuts shift it back.
        for (at, cut) in [
            (0, 0),
            (length / 2, 0),
            (length - 20, 3),
            (BLOCK - 60, 60),
            (BLOCK - 10, 0),
            (BLOCK, 1),
            (3, 20),
        ] {
            number += 1;
            bytes = spliced(&bytes, at, cut, leak(number).as_bytes());
            parents = vec![import.commit("main", &parents, &[file(&format!("{length}.txt"), &bytes)])];
        }
        for border in (BLOCK..bytes.len()).step_by(BLOCK) {
            for back in [1, 41, 0, 20, 52, 4000].into_iter().take(if is_long() { 6 } else { 2 }) {
                number += 1;
                let changed = spliced(
                    &bytes,
                    border - back,
                    60.min(bytes.len() + back - border),
                    leak(number).as_bytes(),
                );
                parents = vec![import.commit("main", &parents, &[file(&format!("{length}.txt"), &changed)])];
            }
        }
    }
    let repo = Repo::of(&import);
    repacked(&repo, &[], &["-adf", "--depth=50", "--window=50"]);
    repo.lay_out_all();
    repo
}
