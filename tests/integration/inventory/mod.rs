//! `hekate inventory`: what users see of it, with a folder of dotenv files made at run time.

mod config;
mod due;
mod review;

use hekate::{
    inventory::Inventory,
    model::Secret,
    store::{DotenvStore, Store},
};

use super::{
    harness::{Outcome, Project},
    secrets::password,
};

const INVENTORY: &str = "\
project: kosmos
environments: [development, production]
folders:
  infrastructure: [POSTGRES_PASSWORD, NATS_SYSTEM_PASSWORD]
  authentication: [SESSION_SECRET]
";

/// A strong value, another one for each seed.
fn strong(seed: u64) -> String {
    format!("{}{}", password(seed, 20), password(seed + 1_000, 20))
}

/// A project with an inventory, and a store that has all of it.
fn platform(text: &str) -> Project {
    let project = Project::new();
    project.file("inventory.yaml", text);
    let inventory = Inventory::parse("inventory.yaml", text).expect("a right inventory");
    let mut seed = 0;
    for environment in &inventory.environments {
        std::fs::create_dir_all(project.path("store").join(environment)).expect("make a folder");
        for entry in inventory.entries.iter().filter(|entry| entry.is_in(environment)) {
            seed += 1;
            put(&project, environment, &entry.folder, &entry.name, &strong(seed));
        }
    }
    project
}

/// Writes a value through the store, as a rotation would.
fn put(project: &Project, environment: &str, folder: &str, name: &str, value: &str) {
    let path = hekate::store::SecretPath {
        environment: environment.to_owned(),
        folder: folder.to_owned(),
        name: name.to_owned(),
    };
    let store = DotenvStore::open(project.path("store")).expect("open the store");
    store.write(&path, &Secret::new(value), "a test").expect("write a secret");
}

fn inventory(project: &Project, command: &str, more: &[&str]) -> Outcome {
    let args = ["inventory", command, "--inventory", "inventory.yaml", "--store", "dir:store"];
    project.hekate(&[&args, more].concat())
}
