//! Bytes per second of the detector, on one thread: source text, minified text, values near providers' words, dense hits, and the files of `CORPUS=` where it is set.
//!
//! The texts are generated from a seed, and no longer than a block (1 MiB), so that no second thread helps.

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Duration,
};

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use fastrand::Rng;
use hekate::{
    detect::Detector,
    rule::{Templater, builtin, builtin_with_templates},
};

const SIZE: usize = 1 << 20;
const SEED: u64 = 0x0068_656b_6174_6500;
/// Of `CORPUS=`, files are taken in the order of their paths up to so many bytes.
const MOST_OF_CORPUS: u64 = 256 << 20;

/// Words of source.
const WORDS: &[&str] = &[
    "config", "value", "request", "handler", "index", "buffer", "response", "client", "server", "user",
    "parse", "render", "result", "path", "length", "query", "table", "error", "context", "options",
    "message", "payload", "header", "stream", "worker", "account", "version", "format", "column", "offset",
    "counter", "module", "import", "service", "database", "update",
];
/// Words that rules look for. In the source of real projects about one word in a hundred is such.
const RULE_WORDS: &[&str] =
    &["key", "token", "password", "secret", "session", "auth", "api_key", "credential"];

fn word(rng: &mut Rng) -> &'static str {
    let words = if rng.u8(..100) == 0 { RULE_WORDS } else { WORDS };
    words[rng.usize(..words.len())]
}

fn source_text() -> Vec<u8> {
    let rng = &mut Rng::with_seed(SEED);
    let mut text = String::with_capacity(SIZE + 200);
    while text.len() < SIZE {
        let line = match rng.u8(..6) {
            0 => format!("// Returns the {} of a {}, or nothing.\n", word(rng), word(rng)),
            1 => format!(
                "fn {}_{}({}: &str) -> Result<{}, Error> {{\n",
                word(rng),
                word(rng),
                word(rng),
                word(rng)
            ),
            2 => format!(
                "    let {} = {}.{}({}, {})?;\n",
                word(rng),
                word(rng),
                word(rng),
                word(rng),
                rng.u16(..)
            ),
            3 => format!("    if {}.{}() > {} {{\n", word(rng), word(rng), rng.u8(..)),
            4 => format!("    assert_eq!({}(\"{} {}\"), {});\n", word(rng), word(rng), word(rng), word(rng)),
            _ => "    }\n\n".to_owned(),
        };
        text.push_str(&line);
    }
    text.truncate(SIZE);
    text.into_bytes()
}

/// One line, as bundlers write it: short names, little else.
fn minified_text() -> Vec<u8> {
    let rng = &mut Rng::with_seed(SEED);
    let mut text = String::with_capacity(SIZE + 200);
    while text.len() < SIZE {
        let (one, two) = (rng.lowercase(), rng.lowercase());
        let piece = match rng.u8(..5) {
            0 => format!("function {one}({two}){{return {two}.{}}}", word(rng)),
            1 => format!("{one}.{}={two}?{}:{one}[{}];", word(rng), rng.u8(..), rng.u8(..)),
            2 => format!("{one}={{{}:\"{}\",{}:!0}},", word(rng), word(rng), word(rng)),
            3 => format!("{}.{}({one},{two})&&{one}(),", word(rng), word(rng)),
            _ => format!(
                "var {one}=\"{}\";",
                (0..rng.usize(4..40)).map(|_| rng.alphanumeric()).collect::<String>()
            ),
        };
        text.push_str(&piece);
    }
    text.truncate(SIZE);
    text.into_bytes()
}

/// Examples of all rules, one after the other: hardly a byte that no regex looks at.
fn dense_hits() -> Vec<u8> {
    let rules: Vec<_> = builtin_with_templates();
    let templaters: Vec<_> =
        rules.iter().map(|rule| (Templater::new(rule), &rule.templates.examples)).collect();
    let mut text = Vec::with_capacity(SIZE);
    for seed in SEED.. {
        for (templater, examples) in &templaters {
            for example in *examples {
                let rendered = templater.render(example, seed).expect("the build has proved the examples");
                if text.len() + rendered.text.len() >= SIZE {
                    return text;
                }
                text.extend(rendered.text);
                text.push(b'\n');
            }
        }
    }
    text
}

/// Source with random values in it, and providers' words around most: what rules that know a value by a word nearby look at.
fn values_near_words() -> Vec<u8> {
    let rng = &mut Rng::with_seed(SEED);
    let rules = builtin();
    let words: Vec<&String> =
        rules.iter().filter_map(|rule| rule.nearby()).flat_map(|nearby| &nearby.words).collect();
    let mut text = String::with_capacity(SIZE + 200);
    while text.len() < SIZE {
        let value: String = (0..rng.usize(10..48)).map(|_| rng.alphanumeric()).collect();
        let name = words[rng.usize(..words.len())].replace(' ', "_");
        text.push_str(&format!("    {name}_{}: \"{value}\", // {} {}\n", word(rng), word(rng), word(rng)));
    }
    text.truncate(SIZE);
    text.into_bytes()
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("CORPUS= names a folder that can be read");
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a folder's entry can be read").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() { files_below(&path, files) } else { files.push(path) }
    }
}

fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    let mut total = 0;
    files
        .iter()
        .map(|file| fs::read(file).expect("a file of CORPUS= can be read"))
        .take_while(|bytes| {
            total += bytes.len() as u64;
            total <= MOST_OF_CORPUS
        })
        .collect()
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, texts: &[Vec<u8>]) {
    let detector = Detector::new(builtin()).expect("the built-in rules can be used");
    let total: usize = texts.iter().map(Vec::len).sum();
    group.throughput(Throughput::Bytes(total as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for text in texts {
                black_box(detector.scan(&text.as_slice()).expect("memory can be read"));
            }
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    measure(&mut group, "source", &[source_text()]);
    measure(&mut group, "minified", &[minified_text()]);
    measure(&mut group, "nearby", &[values_near_words()]);
    measure(&mut group, "dense", &[dense_hits()]);
    if let Some(folder) = env::var_os("CORPUS") {
        measure(&mut group, "corpus", &corpus(Path::new(&folder)));
    }
    group.finish();
    criterion.final_summary();
}
