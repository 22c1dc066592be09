//! How keys that a provider gave out are taken out of service, and replaced where its API can do that.
//!
//! Entries of `revoke.toml` say what is sent and what answers mean; a [`Course`] makes of one, and of the answers so far, the next
//! step. It sends nothing and keeps nothing. An id is only acted on when it provably belongs to this very key: it is a part of the key,
//! or exactly one key of a complete list has what is to be seen of this one. A step that changes something is never repeated by itself.

mod bulk;
mod call;
mod course;
mod find;
mod hint;
mod signed;
mod table;

use std::collections::BTreeMap;

use serde::Deserialize;

use call::Call;
use find::Find;

pub use bulk::{BULK_LIMIT, bulk_revocations, is_in_bulk};
pub use call::Ending;
pub use course::{Asked, Course, Step};
pub use table::{revocation_of, revocations, revocations_by};

/// What can be done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Switch it off; [`Action::Activate`] takes that back.
    Deactivate,
    /// Switch it on again.
    Activate,
    /// End it for good.
    Revoke,
    /// End it, with more than the key going, or where switching it off does: only when that is asked for by name.
    Delete,
    /// Give it a new value; the old one is dead at once.
    Roll,
    /// Make another one beside it.
    Mint,
    /// Take back what an earlier try to mint has made.
    TakeBack,
}

/// With whose key it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Nobody's: whoever knows the key may have it revoked.
    Public,
    /// The key's own.
    #[serde(rename = "self")]
    Own,
    /// An administrator's; the inventory names the environment variable that holds it.
    Admin,
    /// An administrator's where there is one, else the key's own.
    Either,
    /// A person does it, on a page.
    Person,
}

/// What is known of taking keys of one kind out of service.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// The provider's name, as checks have it.
    pub provider: String,
    /// Ids of the rules whose values these are.
    pub rules: Vec<String>,
    /// With whose key.
    pub who: Who,
    /// Where a person does it.
    pub page: Option<String>,
    /// What a person does there.
    pub what: String,
    /// Whether the key has to be accepted before anything is done to it: only then its id is known to be its own.
    pub is_proved_by_login: bool,
    /// The inventory has to name the account before a key can be minted.
    pub mints_in_account: bool,
    origins: Vec<String>,
    /// A regex on the value, whose first group is the key's id.
    id: Option<String>,
    find: Option<Find>,
    find_minted: Option<Find>,
    calls: BTreeMap<Action, Call>,
}

impl Revocation {
    /// Whether there is a request for it.
    pub fn can(&self, action: Action) -> bool {
        self.calls.contains_key(&action)
    }

    /// Built-in origins. Empty where only trusted config or the inventory names the host.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// What an action sends to an origin, without anything secret, a line for each request.
    pub fn preview(&self, action: Action, origin: &str) -> Vec<String> {
        let find = self.find_for(action).into_iter().flat_map(|find| find.preview(origin));
        find.chain(self.calls.get(&action).map(|call| call.preview(origin))).collect()
    }

    /// How the id is learned that an action is about.
    fn find_for(&self, action: Action) -> Option<&Find> {
        match action {
            Action::Mint => None,
            Action::TakeBack => self.find_minted.as_ref(),
            _ => self.find.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests;
