//! Compiles `rules/*.toml` into one binary pack, with the code of `src/rule` itself: what is embedded is proved, and start-up
//! parses nothing.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the build needs only a part of the rooms it borrows"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

#[path = "src/model"]
mod model {
    mod grade;
    pub use grade::{Category, Confidence, ParseGradeError, Severity};
}

#[path = "src/rule"]
mod rule {
    mod check;
    mod checksum;
    mod definition;
    mod dialect;
    mod filter;
    mod literal;
    mod load;
    mod nearby;
    mod pack;
    mod program;
    mod rarity;
    mod schema;

    pub use check::HttpCheck;
    pub use checksum::Checksum;
    pub use definition::*;
    pub use dialect::parser;
    pub use filter::{Filter, FilterCheck, FilterSubject, FilterTest};
    pub use load::{TomlError, read_toml};
    pub use nearby::Nearby;
    pub use pack::{RuleError, RulePack};
    pub use program::{Ahead, Programs};
    pub use rarity::{byte_rate, stretch_rate};

    /// There are none yet: this is what makes them.
    pub fn builtin() -> Vec<Rule> {
        Vec::new()
    }

    pub fn compile(text: &str, file: &str) -> Result<RulePack, RuleError> {
        pack::compile(read_toml(file, text)?, file, Origin::BuiltIn, |_| None)
    }
}

#[path = "src/detect/prefilter/plan.rs"]
mod plan;

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=src/rule");
    for path in ENGINE {
        println!("cargo::rerun-if-changed={path}");
    }
    if let Err(error) = compile_packs() {
        println!("cargo::error={error}");
        std::process::exit(1);
    }
}

/// What decides what is found in content, but for the rules.
const ENGINE: &[&str] = &["Cargo.lock", "src/detect", "src/git", "src/history", "src/model", "src/rule"];

/// Names the code that scans: a cache of what other code found is not believed.
fn engine() -> Result<String, Box<dyn std::error::Error>> {
    let mut open: Vec<PathBuf> = ENGINE.iter().map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                open.push(entry?.path());
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let bytes = fs::read(&file)?;
        digest.update(file.to_string_lossy().as_bytes());
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn compile_packs() -> Result<(), Box<dyn std::error::Error>> {
    let mut rules = Vec::new();
    for file in rule_files()? {
        let pack = rule::compile(&fs::read_to_string(&file)?, &file.to_string_lossy())?;
        check(&pack, &file)?;
        rules.extend(pack.rules);
    }
    rules.sort_by(|one, two| one.id.cmp(&two.id));
    if let Some(twice) = rules.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(format!("rules/: two rules have the id `{}`", twice[0].id).into());
    }
    println!("cargo::rustc-env=HEKATE_ENGINE={}", engine()?);
    let literals = rules.iter().flat_map(rule::Rule::literals).collect();
    let templates: Vec<_> = rules.iter().map(|rule| rule.templates.clone()).collect();
    let out = env::var("OUT_DIR")?;
    let write = |name: &str, bytes: Vec<u8>| fs::write(Path::new(&out).join(name), bytes);
    write("programs.bin", programs(&mut rules)?)?;
    write("rules.bin", postcard::to_stdvec(&rules)?)?;
    write("plan.bin", postcard::to_stdvec(&plan::Plan::lay_out(literals))?)?;
    write("templates.bin", postcard::to_stdvec(&templates)?)?;
    Ok(())
}

/// The programs of all patterns, which are told their numbers: where each begins, and where the last ends; then they themselves.
fn programs(rules: &mut [rule::Rule]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for rule in rules {
        if rule.pattern().is_some() || rule.path.is_some() {
            rule.programs = Some(u32::try_from(all.len())?);
            all.push(postcard::to_stdvec(&rule::Programs::of(rule))?);
        }
    }
    let mut place = 4 * (all.len() + 1);
    let mut bytes = Vec::new();
    for length in all.iter().map(Vec::len).chain([0]) {
        bytes.extend(u32::try_from(place)?.to_le_bytes());
        place += length;
    }
    bytes.extend(all.concat());
    Ok(bytes)
}

/// Every rule file: a provider's own, and those of rules that know a value by a word nearby.
fn rule_files() -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["rules", "rules/nearby"].iter().filter(|folder| Path::new(folder).is_dir()) {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}

/// What is expected of a built-in rule beyond being valid.
fn check(pack: &rule::RulePack, file: &Path) -> Result<(), String> {
    for rule in &pack.rules {
        let fail = |what: &str| Err(format!("{}: rule `{}`: {what}", file.display(), rule.id));
        if rule.templates.examples.len() < 2 || rule.templates.negatives.len() < 2 {
            return fail("a built-in rule has at least two examples and two negatives");
        }
        if rule.category.is_none() {
            return fail("a built-in rule has a category");
        }
        if rule.pattern().is_some_and(|pattern| matches!(pattern.search, rule::Search::Whole { .. })) {
            return fail("its regex has no necessary literal of three bytes");
        }
    }
    Ok(())
}
