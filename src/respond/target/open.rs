//! Which target a secret has, by what the inventory says of it.

use super::Target;
use crate::{
    inventory::{Entry, Inventory},
    net::DriverOptions,
    respond::{Incident, Tools},
};

/// Where the value of an entry is in force in an environment; `None` where nothing but its consumers know it.
pub(crate) fn of_entry<'a>(
    entry: &'a Entry,
    environment: &str,
    tools: &Tools<'a>,
) -> Result<Option<Box<dyn Target + 'a>>, String> {
    let _ = tools;
    match entry.targets.in_environment(environment) {
        None => Ok(None),
        Some(other) => Err(format!("{other:?}")),
    }
}

/// Where a value is in force that no inventory has.
pub(crate) fn unmanaged<'a>(incident: &'a Incident, tools: &Tools<'a>) -> Result<Box<dyn Target + 'a>, String> {
    let _ = tools;
    Err(format!("{} is in no inventory", incident.subject))
}

/// What the driver may do that targets send by: what `[verify]` allows, and the hosts of the inventory, which are trusted.
pub fn driver_options(_inventory: &Inventory, options: DriverOptions) -> DriverOptions { options }
