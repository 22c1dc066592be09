//! From a secret manager to an index of what it holds.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    io,
};

use super::{
    index::{About, Contents, Index, IndexKey, seal},
    weak::{Weakness, weakness},
};
use crate::{
    detect::known::{Entries, ValueId, Whereabouts},
    model::Secret,
    store::{Store, StoreError, Stored},
};

/// How much is read, and what goes in.
#[derive(Debug)]
pub struct PullOptions {
    /// Environments to read; empty is all.
    pub environments: Vec<String>,
    /// Older versions of each secret, at most.
    pub versions: usize,
    /// Weak values are looked for, too.
    pub include_weak: bool,
    /// The time, seconds since 1970.
    pub now: u64,
    /// The index that is replaced, under the same key: what it knew as current and the manager no longer has is retired.
    pub previous: Option<Index>,
}

/// An index, ready to be written.
pub struct Pulled {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it covers.
    pub about: About,
    /// Distinct values.
    pub values: usize,
}

/// An index that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The manager.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system has no randomness.
    #[error("make an index: {0}")]
    Random(#[from] io::Error),
}

/// Reads the manager and makes an index. Nothing is written, and nothing is made of a part: where an environment can't be read at all,
/// that is an error; what could not be read within one is told.
///
/// # Errors
/// What the manager says.
pub fn pull(store: &dyn Store, key: &IndexKey, options: &PullOptions) -> Result<Pulled, PullError> {
    let environments = match options.environments.as_slice() {
        [] => store.environments()?,
        chosen => chosen.to_vec(),
    };
    let mut gathered =
        Gathered { about: About { store: store.name(), ..About::default() }, ..Gathered::default() };
    for environment in environments {
        gathered.environment(store, environment, options)?;
    }
    let Gathered { values, about } = gathered;
    let mut entries = Entries::default();
    let mut whereabouts = Vec::new();
    for (number, (value, mut places)) in values.into_iter().enumerate() {
        let id = ValueId(u32::try_from(number).unwrap_or(u32::MAX));
        entries.add(key.values(), id, value.expose());
        // Current ones first.
        places.sort_by(|one, two| (!one.current, one).cmp(&(!two.current, two)));
        whereabouts.push(places);
    }
    if let Some(previous) = &options.previous {
        retire(previous, &about, options.versions, (&mut entries, &mut whereabouts));
    }
    let values = whereabouts.len();
    let contents = Contents { table: entries.into_table(), whereabouts, about };
    let bytes = seal(&contents, key, options.now)?;
    Ok(Pulled { bytes, about: contents.about, values })
}

/// Takes values over that the index before had from the environments that were read now, and that the manager gave no more: it
/// may keep no older versions, or not show them.
fn retire(
    previous: &Index,
    about: &About,
    most: usize,
    (entries, whereabouts): (&mut Entries, &mut Vec<Vec<Whereabouts>>),
) {
    let is_read =
        |place: &&Whereabouts| about.environments.iter().any(|(name, _)| *name == place.environment);
    let mut older: HashMap<(String, String), usize> = HashMap::new();
    for place in whereabouts.iter().flatten().filter(|place| !place.current) {
        *older.entry((place.environment.clone(), place.path.clone())).or_default() += 1;
    }
    let there = entries.tags();
    let table = previous.known.table();
    let is_there: HashSet<ValueId> =
        table.entries().filter(|entry| there.contains(&entry.tag)).map(|entry| entry.value).collect();
    let mut gone: Vec<(ValueId, Vec<Whereabouts>)> = Vec::new();
    for (value, places) in previous.known.values().filter(|(value, _)| !is_there.contains(value)) {
        let retired =
            places.iter().filter(is_read).map(|place| Whereabouts { current: false, ..place.clone() });
        gone.push((value, retired.collect()));
    }
    // The newest of each secret first.
    gone.sort_by_key(|(_, places)| Reverse(places.iter().map(|place| place.version).max()));
    let mut numbers = HashMap::new();
    for (value, mut places) in gone {
        places.retain(|place| {
            let count = older.entry((place.environment.clone(), place.path.clone())).or_default();
            *count += 1;
            *count <= most
        });
        if !places.is_empty() {
            numbers.insert(value, ValueId(u32::try_from(whereabouts.len()).unwrap_or(u32::MAX)));
            whereabouts.push(places);
        }
    }
    entries.carry(table, &numbers);
}

/// What was read so far.
#[derive(Default)]
struct Gathered {
    values: BTreeMap<Secret, Vec<Whereabouts>>,
    about: About,
}

impl Gathered {
    fn environment(
        &mut self,
        store: &dyn Store,
        environment: String,
        options: &PullOptions,
    ) -> Result<(), StoreError> {
        let listing = store.list(&environment)?;
        self.about.denied.extend(listing.denied.into_iter().map(|denied| (denied.path, denied.why)));
        let mut count = 0;
        for current in listing.secrets {
            count += u64::from(self.take(&current, true, options));
            if current.version > 1 && options.versions > 0 {
                match store.older(&current, options.versions) {
                    Ok(older) => {
                        older.iter().for_each(|one| {
                            self.take(one, false, options);
                        });
                    }
                    // The current value is covered; that older ones are not is told.
                    Err(StoreError::Forbidden { what, .. }) => {
                        self.about.denied.push((format!("{} (older versions)", current.path), what));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        self.about.environments.push((environment, count));
        Ok(())
    }

    /// Takes a value in, or says why not.
    fn take(&mut self, stored: &Stored, current: bool, options: &PullOptions) -> bool {
        let value = stored.value.expose();
        if value.is_empty() {
            return false;
        }
        let weakness = weakness(&stored.path.name, value);
        let is_out = |weakness: &Weakness| !options.include_weak || !weakness.can_be_searched();
        if let Some(weakness) = weakness.filter(is_out) {
            // An older version that is weak needs no telling of its own.
            if current {
                self.about.left_out.push((stored.path.to_string(), weakness));
            }
            return false;
        }
        let place = Whereabouts {
            environment: stored.path.environment.clone(),
            path: stored.path.in_environment(),
            version: stored.version,
            current,
        };
        self.values.entry(stored.value.clone()).or_default().push(place);
        true
    }
}
