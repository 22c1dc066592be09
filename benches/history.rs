//! What the sweep of a history costs, step by step: on `REPO=`, or on the repository that `benches/history.sh generate` makes.
//!
//! `census` lists every object; `materialise` lists them and reads every blob; `sweep/no-rules` reads commits, trees and blobs and looks
//! for nothing; `sweep/delta` is what `hekate history` does before it judges, and `sweep/plain` the same by the plain engine.

use std::{
    env,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use criterion::{Criterion, SamplingMode, Throughput};
use hekate::{
    detect::{Content, Detector, RawMatch},
    git::{Objects, Oid, Refs, Repository},
    history::{Engine, Listener, Scope, SweepOptions, count_objects, materialise, sweep},
    rule::builtin,
};

/// For buffers, in bytes.
const MEMORY: u64 = 1 << 30;

fn generate(folder: &Path) -> PathBuf {
    let path = folder.join("repository.git");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/history.sh");
    let status = Command::new("bash").arg(script).arg("generate").arg(&path).status();
    assert!(status.expect("bash can be started").success(), "the repository can be generated");
    path
}

/// How many matches a swept history has, in the commits that its refs reach.
fn swept(repository: &Repository, detector: &Detector, engine: Engine) -> usize {
    let objects = open(repository);
    let refs = Refs::read(repository).expect("refs can be read");
    let tips: Vec<Oid> = refs.entries.iter().map(|entry| entry.target).collect();
    let shallow = repository.shallow_commits().expect("the list of shallow commits can be read");
    let blob = |_: &dyn Content, _: Option<&str>, matches: Vec<RawMatch>| Ok(vec![(); matches.len()]);
    let text = |_: &[u8], matches: Vec<RawMatch>| vec![(); matches.len()];
    let scope = Scope { tips: &tips, hidden: &[], only: None, shallow: &shallow };
    let options = SweepOptions { engine, memory: MEMORY, cache: None };
    sweep(&objects, detector, &scope, &Listener { blob: &blob, text: &text }, options).appearances(true).len()
}

fn open(repository: &Repository) -> Objects {
    Objects::open(repository.object_folders(), repository.hash).expect("object folders can be listed")
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = env::var_os("REPO").map_or_else(|| generate(folder.path()), PathBuf::from);
    let repository = Repository::discover(&path).expect("REPO= names a repository");
    let all = Detector::new(builtin()).expect("the built-in rules can be used");
    let none = Detector::new(Vec::new()).expect("no rules can be used");
    let blobs = materialise(&open(&repository), MEMORY);
    assert_eq!(blobs.failed, 0, "every blob can be read");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("history");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("census", |bencher| bencher.iter(|| black_box(count_objects(&open(&repository)))));
    group.throughput(Throughput::Bytes(blobs.bytes));
    group.bench_function("materialise", |bencher| {
        bencher.iter(|| black_box(materialise(&open(&repository), MEMORY)));
    });
    let sweeps =
        [("no-rules", &none, Engine::Delta), ("delta", &all, Engine::Delta), ("plain", &all, Engine::Plain)];
    for (name, detector, engine) in sweeps {
        group.bench_function(format!("sweep/{name}"), |bencher| {
            bencher.iter(|| black_box(swept(&repository, detector, engine)));
        });
    }
    group.finish();
    criterion.final_summary();
}
