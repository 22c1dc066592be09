//! Which inventory and which manager are meant, by flags and trusted config.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{
    cli::args::StoreArgs,
    config::Trusted,
    inventory::{Holdings, Inventory},
    store::{DotenvStore, Store, StoreKind},
};

/// What a review is made of.
pub(super) struct Opened {
    pub(super) inventory: Inventory,
    pub(super) holdings: Holdings,
}

/// Reads the inventory and what the manager has.
pub(super) fn open(args: &StoreArgs) -> Result<Opened> {
    let trusted = Trusted::load(args.config.as_deref())?;
    let inventory = Inventory::load(&inventory_file(args, &trusted)?)?;
    for environment in &args.environment {
        if !inventory.environments.contains(environment) {
            let known = inventory.environments.join(", ");
            bail!("--environment {environment}: the inventory has {known}");
        }
    }
    let store = store(args, &trusted)?;
    let holdings = Holdings::read(store.as_ref(), &inventory, &args.environment)?;
    Ok(Opened { inventory, holdings })
}

fn inventory_file(args: &StoreArgs, trusted: &Trusted) -> Result<PathBuf> {
    let file = args.inventory.clone().or_else(|| trusted.inventory.file.clone());
    file.context(
        "no inventory: give --inventory FILE, or name its `file` in [inventory] of trusted config \
         (docs/inventory.example.yaml is a whole one)",
    )
}

fn store(args: &StoreArgs, trusted: &Trusted) -> Result<Box<dyn Store>> {
    let (name, from) = match (&args.store, &trusted.store.name) {
        (Some(name), _) => (name, "--store"),
        (None, Some(name)) => (name, "[store] use"),
        (None, None) => bail!(
            "no secret manager: give --store dir:PATH or --store infisical, or say `use` in [store] of trusted config"
        ),
    };
    match name.parse::<StoreKind>().context(from)? {
        StoreKind::Dir(folder) => Ok(Box::new(DotenvStore::open(folder)?)),
        StoreKind::Infisical => bail!("{from}: this command can't reach infisical yet; use dir:PATH"),
    }
}
