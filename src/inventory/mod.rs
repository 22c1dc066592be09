//! What the secret manager should hold and what it does: `inventory.yaml`, and the index of known values.
//!
//! [`Inventory`] is the file, read strictly and checked: who holds one needs not ask again whether a name stands in two folders or
//! a period is one. [`check`], [`lint`] and [`due`] hold it against what a manager has ([`Holdings`]), and give problems with
//! a code word, the places and what to do; [`pull()`] makes an index of keyed hashes of what the manager holds. Values stand in none of
//! them. This room knows of no terminal and sends nothing itself.

mod file;
mod index;
mod pull;
mod review;
mod weak;

#[cfg(feature = "network")]
pub(crate) use file::matches_part;
pub(crate) use file::words;
pub use file::{
    Algorithm, Cache, CacheFlavour, Consumer, ConsumerType, Entry, InfisicalIdentity, Inventory,
    InventoryError, Keycloak, Kind, Kubernetes, Minio, Nats, PENDING_FOLDER, PathPattern, Period, Permission,
    Playbook, Policy, Postgres, Provider, Role, Rotation, Scope, Signing, Target, Targets, Token, Trigger,
    WebLogin, is_development, is_production,
};
pub use index::{About, Index, IndexError, IndexKey};
pub use pull::{PullError, PullOptions, Pulled, pull};
pub use review::{
    Code, DueReview, Held, Holdings, Placed, Problem, Review, Scheduled, State, Unread, check, due, lint,
};
pub use weak::{Weakness, weakness};
