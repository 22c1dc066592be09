//! What the user wants: flags, `hekate.toml`, baseline and ignore file become each room's own options.
//!
//! Flags and the file named by `--config` are trusted. `hekate.toml`, `hekate.baseline` and `.gitleaksignore` at the root of the
//! repository one works in are read for scanning, or those of a commit that `--policy-from` names. Config inside any other scanned tree is not read.

mod cache_key;
mod file;
mod home;
mod hooks;
mod index;
mod repository;
mod respond;
mod settings;
#[cfg(feature = "network")]
mod state;
mod trusted;
mod user_folder;
mod verify;

pub use cache_key::cache_key;
pub use file::{CONFIG_NAME, ConfigFile, STARTER};
pub use home::PolicyFrom;
pub use hooks::{HooksFolder, hooks_folder};
pub use index::index_key;
pub use repository::{describe, describe_git, root_of};
pub use respond::{AutoSection, ChannelSection, CommandSection, RespondSection};
pub use settings::{
    BASELINE_NAME, ConfigError, Flags, Settings, WalkFlags, find_rule, fingerprint_key, today,
};
#[cfg(feature = "network")]
pub use state::{audit_key, kept_audit_key, state_folder, state_key};
pub use trusted::{IndexSection, InventorySection, StoreSection, Trusted};
use user_folder::user_folder;
pub use verify::{DatabaseSection, ProxyUrl, VerifySection};
