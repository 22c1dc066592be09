//! The built-in checks: `checks.toml`, parsed when it is first needed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use serde::Deserialize;

use super::{
    Check,
    check::{Hosts, How},
    computed,
};
use crate::rule::{HttpCheck, TomlError, read_toml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    check: Vec<RawEntry>,
}

/// A kind of secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    provider: String,
    rules: Vec<String>,
    #[serde(default)]
    hosts: Hosts,
    /// Of the rules, those whose value is the id of a key and not its secret.
    #[serde(default)]
    ids: Vec<String>,
    /// A function that makes the request, where templates can't.
    signer: Option<String>,
    /// A function that reads the answer, where a table can't.
    reader: Option<String>,
    verify: Option<HttpCheck>,
    /// Why there is no check.
    never: Option<String>,
}

/// The checks, and which rule has which.
struct Table {
    checks: Vec<Check>,
    by_rule: HashMap<String, usize>,
}

/// How secrets that a rule names are asked about; `None` where nobody knows of a check.
pub fn check_of(rule: &str) -> Option<&'static Check> {
    let table = table();
    table.by_rule.get(rule).and_then(|at| table.checks.get(*at))
}

/// Every built-in check, in the order of the file.
pub fn checks() -> &'static [Check] {
    &table().checks
}

/// Names of providers under which trusted config can list hosts, sorted.
pub fn providers() -> Vec<&'static str> {
    let names: BTreeSet<&str> = checks().iter().map(|check| check.provider.as_str()).collect();
    names.into_iter().collect()
}

/// The name of a provider that is most like this one.
pub fn nearest(name: &str) -> Option<&'static str> {
    let near = providers().into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known));
    near.min().filter(|(distance, _)| *distance <= 3).map(|(_, known)| known)
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| load(include_str!("checks.toml")).expect("a test parses the built-in checks"))
}

fn load(text: &str) -> Result<Table, String> {
    let raw: RawTable = read_toml("checks.toml", text).map_err(|error: TomlError| error.to_string())?;
    let mut table = Table { checks: Vec::new(), by_rule: HashMap::new() };
    for entry in raw.check {
        let named = format!("check of {} ({})", entry.provider, entry.rules.join(", "));
        for rule in &entry.rules {
            if table.by_rule.insert(rule.clone(), table.checks.len()).is_some() {
                return Err(format!("{named}: rule `{rule}` has two checks"));
            }
        }
        table.checks.push(check(entry).map_err(|why| format!("{named}: {why}"))?);
    }
    Ok(table)
}

fn check(entry: RawEntry) -> Result<Check, String> {
    if let Some(id) = entry.ids.iter().find(|id| !entry.rules.contains(id)) {
        return Err(format!("ids: `{id}` is none of its rules"));
    }
    let how = match (entry.verify, entry.never) {
        (Some(http), None) => How::Ask {
            http: Box::new(http),
            signer: entry.signer.map(|name| computed::signer(&name)).transpose()?,
            reader: entry.reader.map(|name| computed::reader(&name)).transpose()?,
        },
        (None, Some(why)) => How::Never(why),
        _ => return Err("it has one of verify and never".into()),
    };
    Ok(Check { provider: entry.provider, hosts: entry.hosts, ids: Some(entry.ids), how })
}

#[cfg(test)]
mod tests;
