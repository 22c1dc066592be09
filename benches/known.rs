//! Known values: making and opening an index, and what searching for them adds to a scan of source on one thread.
//!
//! `known` opens an index of 10,000 values; `source` scans 1 MiB of generated source without an index, and with 1,000 and 10,000 values.
//! Source of one's own is scanned where `CORPUS=` names a file.

use std::{env, fs, hint::black_box, path::Path, sync::Arc};

use criterion::{Criterion, Throughput};
use fastrand::Rng;
use hekate::{
    detect::{Detector, known::KnownValues},
    inventory::{Index, IndexKey, PullOptions, pull},
    rule::builtin,
    store::DotenvStore,
};

const SIZE: usize = 1 << 20;

/// A store of so many random values, a hundred to a folder.
fn store(root: &Path, values: usize) -> DotenvStore {
    let mut rng = Rng::with_seed(7);
    let folder = root.join("production");
    fs::create_dir_all(&folder).expect("make a folder");
    for file in 0..values.div_ceil(100) {
        let line = |at: usize| {
            let value: String = (0..40).map(|_| rng.alphanumeric()).collect();
            format!("VALUE_{file}_{at}={value}\n")
        };
        let text: String = (0..100).map(line).collect();
        fs::write(folder.join(format!("folder{file}.env")), text).expect("write a file");
    }
    DotenvStore::open(root).expect("open the store")
}

fn options() -> PullOptions {
    PullOptions { environments: Vec::new(), versions: 10, include_weak: false, now: 0, previous: None }
}

fn index(values: usize, key: &IndexKey, path: &Path) {
    let folder = tempfile::tempdir().expect("make a folder");
    let pulled = pull(&store(folder.path(), values), key, &options()).expect("make an index");
    fs::write(path, &pulled.bytes).expect("write an index");
}

fn known(path: &Path, key: &IndexKey) -> KnownValues {
    Index::load(path, key).expect("open an index").known
}

/// Lines of source from a seed, or the file that `CORPUS=` names.
fn source() -> Vec<u8> {
    if let Some(path) = env::var_os("CORPUS") {
        return fs::read(path).expect("read the file that CORPUS= names");
    }
    let words = [
        "config",
        "value",
        "request_handler",
        "index",
        "buffer",
        "client",
        "parse",
        "result",
        "column_offset",
    ];
    let mut rng = Rng::with_seed(3);
    let mut text = String::new();
    while text.len() < SIZE {
        let mut word = || words[rng.usize(..words.len())];
        text += &format!(
            "    let {}_{} = {}.{}(&{}, \"{}\")?; // {} {}\n",
            word(),
            word(),
            word(),
            word(),
            word(),
            word(),
            word(),
            word()
        );
    }
    text.truncate(SIZE);
    text.into_bytes()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let key = IndexKey::new(&[5; 32]);
    let folder = tempfile::tempdir().expect("make a folder");
    let path = |values: usize| folder.path().join(format!("{values}.idx"));
    [1_000, 10_000].into_iter().for_each(|values| index(values, &key, &path(values)));

    let mut group = criterion.benchmark_group("known");
    let stored = tempfile::tempdir().expect("make a folder");
    let store = store(stored.path(), 10_000);
    group.sample_size(10);
    group.bench_function("pull of 10,000", |bencher| {
        bencher.iter(|| black_box(pull(&store, &key, &options()).expect("make an index").bytes.len()));
    });
    group.bench_function("load of 10,000", |bencher| {
        bencher.iter(|| black_box(known(&path(10_000), &key)));
    });
    group.finish();

    let text = source();
    let mut group = criterion.benchmark_group("source");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for values in [0, 1_000, 10_000] {
        let known = (values > 0).then(|| Arc::new(known(&path(values), &key)));
        let detector = Detector::with_known(builtin(), known).expect("the built-in rules can be used");
        group.bench_function(format!("{values} values"), |bencher| {
            bencher.iter(|| black_box(detector.scan(&text.as_slice()).expect("bytes in memory can be read")));
        });
    }
    group.finish();
    criterion.final_summary();
}
