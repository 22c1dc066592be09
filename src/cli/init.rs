//! `hekate init`.

use std::path::Path;

use anyhow::{Context, Result};
use ignore::gitignore::Gitignore;

use super::{Exit, args::InitArgs, sink};
use crate::config::{CONFIG_NAME, STARTER};

/// What should never be committed: a name of each kind, and the line that keeps it out.
const KEEP_OUT: &[(&str, bool, &str)] = &[
    (".env", false, ".env"),
    (".env.production", false, ".env.*"),
    ("server.pem", false, "*.pem"),
    ("secrets", true, "secrets/"),
];

pub(super) fn run(args: &InitArgs) -> Result<Exit> {
    let config = args.folder.join(CONFIG_NAME);
    if config.exists() {
        sink::warn(&format!("{} is there already; it stays as it is", config.display()));
    } else {
        std::fs::write(&config, STARTER).with_context(|| format!("write {}", config.display()))?;
        sink::warn(&format!("wrote {}", config.display()));
    }
    let missing = missing_lines(&args.folder);
    if missing.is_empty() {
        sink::warn("ok: .gitignore keeps out .env, .env.*, *.pem and secrets/");
    } else {
        let lines = missing.join("\n    ");
        sink::warn(&format!("warning: .gitignore does not keep these out; add the lines\n    {lines}"));
    }
    Ok(Exit::Clean)
}

fn missing_lines(folder: &Path) -> Vec<&'static str> {
    let (gitignore, _) = Gitignore::new(folder.join(".gitignore"));
    let is_kept_out = |name: &str, is_dir: bool| gitignore.matched(name, is_dir).is_ignore();
    KEEP_OUT
        .iter()
        .filter(|(name, is_dir, _)| !is_kept_out(name, *is_dir))
        .map(|(_, _, line)| *line)
        .collect()
}
