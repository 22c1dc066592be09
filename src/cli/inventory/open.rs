//! Which inventory and which manager are meant, by flags and trusted config.

use std::path::PathBuf;
#[cfg(feature = "network")]
use std::{env, fs, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    cli::args::StoreArgs,
    config::Trusted,
    inventory::{Holdings, Inventory},
    store::{DotenvStore, Store, StoreKind},
};
#[cfg(feature = "network")]
use crate::{
    net::{AddressPolicy, Driver, DriverOptions, Limits, Origin, Proxy, TlsOptions},
    store::{Infisical, InfisicalOptions, Tokens},
};

/// What a review is made of.
pub(super) struct Opened {
    pub(super) inventory: Inventory,
    pub(super) holdings: Holdings,
}

/// Reads the inventory and what the manager has.
pub(super) fn open(args: &StoreArgs) -> Result<Opened> {
    let trusted = Trusted::load_alone(args.config.as_deref())?;
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

pub(in crate::cli) fn inventory_file(args: &StoreArgs, trusted: &Trusted) -> Result<PathBuf> {
    let file = args.inventory.clone().or_else(|| trusted.inventory.file.clone());
    file.context(
        "no inventory: give --inventory FILE, or name its `file` in [inventory] of trusted config \
         (docs/inventory.example.yaml is a whole one)",
    )
}

/// The manager that flags or trusted config name.
pub(in crate::cli) fn store(args: &StoreArgs, trusted: &Trusted) -> Result<Box<dyn Store>> {
    let (name, from) = match (&args.store, &trusted.store.name) {
        (Some(name), _) => (name, "--store"),
        (None, Some(name)) => (name, "[store] use"),
        (None, None) => bail!(
            "no secret manager: give --store dir:PATH or --store infisical, or say `use` in [store] of trusted config"
        ),
    };
    match name.parse::<StoreKind>().context(from)? {
        StoreKind::Dir(folder) => Ok(Box::new(DotenvStore::open(folder)?)),
        StoreKind::Infisical => infisical(args, trusted),
    }
}

/// The manager's own credentials, where it is Infisical.
#[cfg(feature = "network")]
pub(in crate::cli) fn tokens(args: &StoreArgs, trusted: &Trusted) -> Result<Option<Tokens>> {
    let name = args.store.as_ref().or(trusted.store.name.as_ref());
    if !matches!(name.map(|name| name.parse::<StoreKind>()), Some(Ok(StoreKind::Infisical))) {
        return Ok(None);
    }
    let (options, driver) = to_infisical(args, trusted)?;
    Ok(Some(Tokens::new(options, Box::new(driver))))
}

/// Infisical, where the environment or trusted config says it is: that may be a private address.
#[cfg(feature = "network")]
fn infisical(args: &StoreArgs, trusted: &Trusted) -> Result<Box<dyn Store>> {
    let (options, driver) = to_infisical(args, trusted)?;
    Ok(Box::new(Infisical::new(options, Box::new(driver))))
}

/// As whom one comes to Infisical, and by what.
#[cfg(feature = "network")]
fn to_infisical(args: &StoreArgs, trusted: &Trusted) -> Result<(InfisicalOptions, Driver)> {
    let variable = |name: &str| env::var(name).ok();
    // The last name that is asked for: whatever the environment says comes before what the config does.
    let lookup = |name: &str| {
        variable(name).or_else(|| trusted.store.url.clone().filter(|_| name == "INFISICAL_API_URL"))
    };
    let inventory = args.inventory.as_ref().or(trusted.inventory.file.as_ref());
    let project = match (&trusted.store.project, inventory) {
        (Some(project), _) => Some(project.clone()),
        (None, Some(file)) => Some(Inventory::load(file)?.project),
        (None, None) => None,
    };
    let options = InfisicalOptions::from_env(lookup, project.as_deref())?;
    let origin: Origin = options.origin.parse().context("the address of infisical")?;
    let extra_roots = match &trusted.store.ca_file {
        Some(file) => fs::read(file).with_context(|| format!("read {}", file.display()))?,
        None => Vec::new(),
    };
    let driver = Driver::new(DriverOptions {
        addresses: AddressPolicy::allowing([origin.host()]),
        origins: vec![origin],
        extra_roots,
        tls: TlsOptions::default(),
        proxy: Proxy::from_env(variable),
        limits: Limits {
            body: LARGEST_LISTING,
            pace: Duration::ZERO,
            total: Duration::from_secs(60),
            ..Limits::default()
        },
    })?;
    Ok((options, driver))
}

/// A project's secrets in one answer, in bytes.
#[cfg(feature = "network")]
const LARGEST_LISTING: u64 = 256 << 20;

#[cfg(not(feature = "network"))]
fn infisical(_: &StoreArgs, _: &Trusted) -> Result<Box<dyn Store>> {
    bail!("this hekate was built without the network; use --store dir:PATH")
}
