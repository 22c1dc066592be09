//! What the secret manager should hold and what it does: `inventory.yaml`, and the index of known values.
//!
//! A [`crate::store::Store`] and a file come in; an index of keyed hashes, or a list of what is not as it should be, goes out. Values don't.

mod index;
mod pull;
mod weak;

pub use index::{About, Index, IndexError, IndexKey, write as write_index};
pub use pull::{PullError, PullOptions, Pulled, pull};
pub use weak::{Weakness, weakness};
