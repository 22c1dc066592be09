//! What a scan costs before its first byte: rules, detector, and a whole process on one small clean file.

use std::{
    fs,
    hint::black_box,
    process::{Command, Stdio},
};

use criterion::{BatchSize, Criterion};
use hekate::{detect::Detector, rule::builtin};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("startup");
    group.bench_function("rules", |bencher| bencher.iter(|| black_box(builtin())));
    group.bench_function("detector", |bencher| {
        bencher.iter_batched(
            builtin,
            |rules| Detector::new(rules).expect("the built-in rules can be used"),
            BatchSize::SmallInput,
        );
    });
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("clean.txt");
    fs::write(&file, "nothing secret in here\n").expect("a file can be written");
    group.bench_function("process", |bencher| {
        bencher.iter(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hekate"));
            command.arg("scan").arg(&file).current_dir(folder.path()).stdout(Stdio::null());
            let status = command.status().expect("the binary can be started");
            assert!(status.success(), "a clean file: {status}");
        });
    });
    group.finish();
    criterion.final_summary();
}
