//! A manager in memory, for this room's tests.

use std::collections::BTreeMap;

use crate::{
    inventory::Inventory,
    model::Secret,
    store::{Denied, Listing, SecretPath, Store, StoreError, Stored, Written},
};

#[derive(Default)]
pub(super) struct FakeStore {
    environments: BTreeMap<String, Listing>,
}

pub(super) fn inventory(text: &str) -> Inventory {
    Inventory::parse("inventory.yaml", text).unwrap_or_else(|error| panic!("{error}"))
}

impl FakeStore {
    pub(super) fn add_environment(&mut self, environment: &str) {
        self.environments.entry(environment.to_owned()).or_default();
    }

    pub(super) fn remove_environment(&mut self, environment: &str) {
        self.environments.remove(environment);
    }

    pub(super) fn put(&mut self, environment: &str, folder: &str, name: &str, value: &str) {
        self.remove(environment, folder, name);
        let path = SecretPath { environment: environment.into(), folder: folder.into(), name: name.into() };
        let stored = Stored { path, version: 1, value: Secret::new(value), written: None };
        self.environments.entry(environment.to_owned()).or_default().secrets.push(stored);
    }

    pub(super) fn remove(&mut self, environment: &str, folder: &str, name: &str) {
        let listing = self.environments.entry(environment.to_owned()).or_default();
        listing.secrets.retain(|stored| stored.path.folder != folder || stored.path.name != name);
    }

    pub(super) fn date(&mut self, environment: &str, folder: &str, name: &str, written: Option<i64>) {
        let listing = self.environments.get_mut(environment).unwrap();
        let is_it = |stored: &&mut Stored| stored.path.folder == folder && stored.path.name == name;
        listing.secrets.iter_mut().find(is_it).unwrap().written = written;
    }

    pub(super) fn deny(&mut self, environment: &str, path: &str) {
        let denied = Denied { path: path.into(), why: "no permission".into() };
        self.environments.get_mut(environment).unwrap().denied.push(denied);
    }
}

impl Store for FakeStore {
    fn name(&self) -> String {
        "fake".into()
    }

    fn environments(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.environments.keys().cloned().collect())
    }

    fn list(&self, environment: &str) -> Result<Listing, StoreError> {
        let what = format!("no environment `{environment}`");
        self.environments.get(environment).cloned().ok_or(StoreError::NotFound { store: self.name(), what })
    }

    fn older(&self, _: &Stored, _: usize) -> Result<Vec<Stored>, StoreError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &SecretPath, _: Option<u64>) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    fn write(&self, _: &SecretPath, _: &Secret, _: &str) -> Result<Written, StoreError> {
        Err(StoreError::Forbidden { store: self.name(), what: "writing".into() })
    }

    fn remove(&self, _: &SecretPath) -> Result<bool, StoreError> {
        Ok(false)
    }
}
