//! `hekate inventory pull`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::open;
use crate::{
    cli::{Exit, args::PullArgs, sink},
    config::{self, Trusted},
    inventory::{About, Index, IndexError, IndexKey, PullOptions, Pulled, pull},
};

pub(super) fn run(args: &PullArgs) -> Result<Exit> {
    let trusted = Trusted::load_alone(args.store.config.as_deref())?;
    // Before anything is asked: without a key there is nothing to make.
    let key = config::index_key(trusted.index.key_file.as_deref())?;
    let store = open::store(&args.store, &trusted)?;
    let now = u64::try_from(Timestamp::now().as_second()).context("read the clock")?;
    let path = args.index.clone().or(trusted.index.file).unwrap_or_else(|| PathBuf::from("hekate.idx"));
    let options = PullOptions {
        previous: previous(&path, &key)?,
        environments: args.store.environment.clone(),
        versions: args.versions,
        include_weak: args.include_weak,
        now,
    };
    let pulled = pull(store.as_ref(), &key, &options)?;
    sink::write_private(&path, &pulled.bytes).with_context(|| format!("write {}", path.display()))?;
    #[cfg(feature = "network")]
    record(args, &pulled)?;
    let denied = &pulled.about.denied;
    for (place, why) in denied {
        sink::warn(&format!("warning: {place} is not covered: {why}"));
    }
    if !args.quiet {
        weak(&pulled.about);
        sink::warn(&summary(&pulled, &path.display().to_string()));
    }
    Ok(if denied.is_empty() || args.allow_partial { Exit::Clean } else { Exit::Incomplete })
}

/// That all of these values were read.
#[cfg(feature = "network")]
fn record(args: &PullArgs, pulled: &Pulled) -> Result<()> {
    let trusted = Trusted::load_alone(args.store.config.as_deref())?;
    let place = crate::cli::recorded::Place { state: args.state.as_deref(), trusted: &trusted };
    place.pulled(&pulled.about.store, &pulled.about.environments)
}

/// The index that is there already: it knows what is no more.
fn previous(path: &Path, key: &IndexKey) -> Result<Option<Index>> {
    if !path.exists() {
        return Ok(None);
    }
    match Index::load(path, key) {
        Ok(index) => Ok(Some(index)),
        Err(error @ (IndexError::WrongKey(_) | IndexError::Damaged(_))) => {
            sink::warn(&format!("warning: {error}; what it knew of older values is lost"));
            Ok(None)
        }
        // What is something else is not written over.
        Err(error) => Err(error.into()),
    }
}

/// Names what is not looked for.
fn weak(about: &About) {
    for (place, why) in &about.left_out {
        sink::warn(&format!("warning: {place} is left out: {why}"));
    }
    if about.left_out.iter().any(|(_, why)| why.can_be_searched()) {
        sink::warn("note: --include-weak has those searched for that are long enough");
    }
}

fn summary(pulled: &Pulled, path: &str) -> String {
    let Pulled { about, values, .. } = pulled;
    let environments: Vec<String> =
        about.environments.iter().map(|(name, count)| format!("{name} ({count})")).collect();
    let left_out = match about.left_out.len() {
        0 => String::new(),
        number => format!("; {number} left out"),
    };
    let noun = if *values == 1 { "value" } else { "values" };
    format!("{values} {noun} of {} in {path}: {}{left_out}", about.store, environments.join(", "))
}
