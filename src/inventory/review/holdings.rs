//! What the manager has, environment by environment.

use serde::Serialize;

use crate::{
    inventory::{Inventory, PENDING_FOLDER},
    store::{Denied, Store, StoreError, Stored},
};

/// What the manager has of the environments one asked for.
#[derive(Debug)]
pub struct Holdings {
    /// Which manager.
    pub store: String,
    /// In the inventory's order.
    pub environments: Vec<Held>,
}

/// What an environment has.
#[derive(Debug)]
pub struct Held {
    /// As the inventory calls it; the manager's slug may be another one.
    pub name: String,
    /// By path.
    pub secrets: Vec<Stored>,
    /// What could not be read of it.
    pub denied: Vec<Denied>,
    /// Why there is no such environment in the manager, where there is none.
    pub absent: Option<String>,
}

/// A secret of an environment.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Its environment, as the inventory calls it.
    pub environment: &'a str,
    /// The secret.
    pub stored: &'a Stored,
}

impl Placed<'_> {
    /// `production:/infrastructure/POSTGRES_PASSWORD`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.environment, self.stored.path.in_environment())
    }
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unread {
    /// An environment, a folder or a secret.
    pub path: String,
    /// In the manager's words, or ours.
    pub why: String,
}

impl Holdings {
    /// Reads the current versions of all secrets of these environments.
    ///
    /// # Errors
    /// A manager that can't be asked. An environment that it doesn't have, or doesn't show, is no error: the review says so.
    pub fn read(store: &dyn Store, inventory: &Inventory, wanted: &[String]) -> Result<Self, StoreError> {
        let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(name);
        let names = inventory.environments.iter().filter(is_wanted);
        let environments = names.map(|name| Held::read(store, name)).collect::<Result<_, _>>()?;
        Ok(Self { store: store.name(), environments })
    }

    /// Every secret that is in force: without what a rotation keeps for the time being.
    pub fn in_force(&self) -> impl Iterator<Item = Placed<'_>> {
        self.environments.iter().flat_map(Held::in_force)
    }

    /// What could not be looked at.
    pub fn unread(&self) -> Vec<Unread> {
        let mut unread: Vec<Unread> = self.environments.iter().flat_map(Held::unread).collect();
        unread.sort();
        unread
    }

    /// The same, with the environments that are not there.
    pub fn unread_or_absent(&self) -> Vec<Unread> {
        let absent = |held: &Held| Some(Unread { path: held.name.clone(), why: held.absent.clone()? });
        let mut unread = self.unread();
        unread.extend(self.environments.iter().filter_map(absent));
        unread.sort();
        unread
    }
}

impl Held {
    fn read(store: &dyn Store, name: &str) -> Result<Self, StoreError> {
        let mut held = Self { name: name.to_owned(), secrets: Vec::new(), denied: Vec::new(), absent: None };
        match store.list(name) {
            Ok(listing) => {
                held.secrets = listing.secrets;
                held.denied = listing.denied;
                held.secrets.sort_by(|one, two| one.path.cmp(&two.path));
            }
            // A project that is not there says the same of every environment: then nothing can be told at all.
            Err(StoreError::NotFound { what, .. }) if store.environments().is_ok() => {
                held.absent = Some(what)
            }
            Err(StoreError::Forbidden { what, .. }) => {
                held.denied
                    .push(Denied { path: format!("{name}:/"), why: format!("no permission for {what}") });
            }
            Err(error) => return Err(error),
        }
        Ok(held)
    }

    /// Its secrets that are in force.
    pub fn in_force(&self) -> impl Iterator<Item = Placed<'_>> {
        self.placed().filter(|placed| !is_pending(&placed.stored.path.folder))
    }

    /// What a rotation keeps for the time being.
    pub fn pending(&self) -> impl Iterator<Item = Placed<'_>> {
        self.placed().filter(|placed| is_pending(&placed.stored.path.folder))
    }

    fn unread(&self) -> impl Iterator<Item = Unread> {
        self.denied.iter().map(|denied| {
            let path = match inner_path(&denied.path) {
                Some(path) => format!("{}:{path}", self.name),
                None => denied.path.clone(),
            };
            Unread { path, why: denied.why.clone() }
        })
    }

    fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        self.secrets.iter().map(|stored| Placed { environment: &self.name, stored })
    }

    /// The secret at a folder and name.
    pub fn find(&self, folder: &str, name: &str) -> Option<Placed<'_>> {
        self.placed().find(|placed| placed.stored.path.folder == folder && placed.stored.path.name == name)
    }

    /// Whether something at this folder and name may be there unseen.
    pub fn is_hidden(&self, path: &str) -> bool {
        self.denied.iter().any(|denied| {
            // A file of a folder store, say: what it holds can't be told, so it may be this.
            let Some(denied) = inner_path(&denied.path) else { return true };
            let rest = path.strip_prefix(denied.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Of `prod:/infrastructure` the path: the slug in front may differ from the inventory's name.
fn inner_path(path: &str) -> Option<&str> {
    path.split_once(':').map(|(_, path)| path).filter(|path| path.starts_with('/'))
}

fn is_pending(folder: &str) -> bool {
    folder.strip_prefix(PENDING_FOLDER).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
