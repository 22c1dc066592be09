//! The built-in revocations: `revoke.toml`, parsed when it is first needed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use serde::Deserialize;

use super::{Action, Revocation, Who, call::Call, find::Find};
use crate::rule::{TomlError, origin, read_toml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub(super) revocation: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    pub(super) provider: String,
    pub(super) rules: Vec<String>,
    who: Who,
    page: Option<String>,
    what: String,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    proved_by_login: bool,
    #[serde(default)]
    mints_in_account: bool,
    id: Option<String>,
    find: Option<Find>,
    find_minted: Option<Find>,
    #[serde(default)]
    calls: BTreeMap<Action, Call>,
}

struct Table {
    all: Vec<Revocation>,
    by_rule: HashMap<String, usize>,
}

/// How values that a rule names are taken out of service; `None` where nobody knows.
pub fn revocation_of(rule: &str) -> Option<&'static Revocation> {
    let table = table();
    table.by_rule.get(rule).and_then(|at| table.all.get(*at))
}

/// Every built-in revocation, in the order of the file.
pub fn revocations() -> &'static [Revocation] {
    &table().all
}

/// Those of a provider.
pub fn revocations_by(provider: &str) -> impl Iterator<Item = &'static Revocation> {
    revocations().iter().filter(move |one| one.provider == provider)
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE
        .get_or_init(|| load(include_str!("../revoke.toml")).expect("a test parses the built-in revocations"))
}

pub(super) fn raw(text: &str) -> Result<RawTable, String> {
    read_toml("revoke.toml", text).map_err(|error: TomlError| error.to_string())
}

fn load(text: &str) -> Result<Table, String> {
    let mut table = Table { all: Vec::new(), by_rule: HashMap::new() };
    for entry in raw(text)?.revocation {
        let named = format!("revocation of {} ({})", entry.provider, entry.rules.join(", "));
        for rule in &entry.rules {
            if table.by_rule.insert(rule.clone(), table.all.len()).is_some() {
                return Err(format!("{named}: rule `{rule}` has two"));
            }
        }
        table.all.push(revocation(entry).map_err(|why| format!("{named}: {why}"))?);
    }
    Ok(table)
}

fn revocation(entry: RawEntry) -> Result<Revocation, String> {
    if entry.calls.is_empty() != (entry.who == Who::Person) {
        return Err("either a person does it, or there are calls".into());
    }
    if entry.calls.contains_key(&Action::TakeBack) != entry.find_minted.is_some() {
        return Err("what is taken back has to be found".into());
    }
    Ok(Revocation {
        provider: entry.provider,
        rules: entry.rules,
        who: entry.who,
        page: entry.page,
        what: entry.what,
        is_proved_by_login: entry.proved_by_login,
        mints_in_account: entry.mints_in_account,
        origins: entry.origins.iter().map(|text| origin(text)).collect::<Result<_, _>>()?,
        id: entry.id,
        find: entry.find,
        find_minted: entry.find_minted,
        calls: entry.calls,
    })
}
