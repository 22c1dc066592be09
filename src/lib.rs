//! hekate finds leaked secrets in files and folders, says why it believes them, and keeps them out of every report.
//!
//! Each module is a room; a room may use rooms with a lower number only (`tests/integration/architecture.rs` holds it).
//!
//! ```text
//! main.rs        parse, run, exit
//! cli/           8  clap, stdout, progress bars, exit codes
//! config/        7  hekate.toml, trust, merging with flags → each room's own options
//! hook/          7  git hooks: their scripts, into a hooks folder and out of it
//! respond/       6  revoke, rotate, prove: plan, saga, journal, audit; target/ holds what is changed
//! verify/        6  findings → verdicts
//! scan.rs        5  the spine: sources × detector × triage → Report
//! prove.rs       5  rules run over their own examples, through the whole pipeline
//! lint/          5  a user's rules looked over: slow, never matching, hiding too much
//! triage/        4  by value and by place: keep, or why not; evidence → confidence; baseline
//! inventory/     4  inventory.yaml, pull, check, due, lint; the index of known values
//! output/        4  Report → bytes, a file per format
//! source/        3  worktree, staged, stdin
//! history/       3  objects → matches → exposure; cache
//! provider/      3  requests and answers of each service, and logins to databases
//! store/         3  secret managers: Infisical, folder of dotenv files
//! detect/        2  bytes → raw matches: prefilter, cluster, entropy, checksum, placeholder, decode, archive
//! net/           2  the one driver that sends: where to, how often, how long
//! git/           1  repository, refs, index, packs and loose objects → bytes
//! rule/          1  Rule, RulePack, gitleaks TOML, built-in packs, checksums, templates
//! model/         0  Secret, Finding, Evidence, Fingerprint, Report, Coverage, Verdict
//! ```
//!
//! A scan in a few lines:
//!
//! ```
//! use hekate::{detect::Detector, rule::builtin};
//!
//! let detector = Detector::new(builtin())?;
//! let text: &[u8] = b"nothing secret in here";
//! assert!(detector.scan(&text)?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cli;
pub mod config;
pub mod detect;
pub mod git;
pub mod history;
pub mod hook;
pub mod inventory;
pub mod lint;
pub mod model;
#[cfg(feature = "network")]
pub mod net;
pub mod output;
pub mod prove;
#[cfg(feature = "network")]
pub mod provider;
#[cfg(feature = "network")]
pub mod respond;
pub mod rule;
pub mod scan;
pub mod source;
pub mod store;
pub mod triage;
#[cfg(feature = "network")]
pub mod verify;
