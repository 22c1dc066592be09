//! Older versions of a secret.

use super::{
    Ask, Infisical,
    project::Place,
    query, segment,
    wire::{SecretVersions, WireSecret},
};
use crate::{
    model::Secret,
    store::{StoreError, Stored},
};

/// How many versions are asked for at once.
const PAGE: usize = 20;

impl Infisical {
    /// From the list of versions, which only users may ask for.
    pub(super) fn listed_versions(
        &self,
        place: &Place<'_>,
        current: &Stored,
        token: &Secret,
        most: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let path = &current.path;
        let Some(WireSecret { id: Some(id), .. }) = self.wire(place, path, None)? else {
            return Ok(Vec::new());
        };
        let what = format!("listing the versions of {path} as a user (HEKATE_INFISICAL_USER_TOKEN)");
        let mut older: Vec<Stored> = Vec::new();
        let mut offset = 0;
        while older.len() < most {
            let numbers = [offset.to_string(), PAGE.to_string()];
            let pairs = [("offset", numbers[0].as_str()), ("limit", numbers[1].as_str())];
            let asked = format!("/api/v1/secret/{}/secret-versions{}", segment(&id), query(&pairs));
            let page: SecretVersions = self.send(&Ask::get(asked, &what), Some(token))?;
            let is_new = |secret: &&WireSecret| {
                let last = older.last().map_or(current.version, |last| last.version);
                secret.version < last && !secret.is_redacted()
            };
            let mut fresh: Vec<&WireSecret> = page.secret_versions.iter().filter(is_new).collect();
            fresh.sort_by_key(|secret| std::cmp::Reverse(secret.version));
            for secret in fresh {
                older.push(self.shown(secret, current)?);
            }
            if page.secret_versions.len() < PAGE {
                break;
            }
            offset += PAGE;
        }
        older.truncate(most);
        Ok(older)
    }

    /// By their numbers, from the one before the current on. Servers keep the last few: the first that is gone ends it.
    pub(super) fn numbered_versions(
        &self,
        place: &Place<'_>,
        current: &Stored,
        most: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut older = Vec::new();
        for version in (1..current.version).rev() {
            if older.len() == most {
                break;
            }
            let Some(secret) = self.wire(place, &current.path, Some(version))? else { break };
            if !secret.is_redacted() {
                older.push(self.shown(&secret, current)?);
            }
        }
        Ok(older)
    }

    fn shown(&self, secret: &WireSecret, current: &Stored) -> Result<Stored, StoreError> {
        let hidden = || self.forbidden(format!("seeing the values of older versions of {}", current.path));
        secret.older(current.path.clone()).ok_or_else(hidden)
    }
}
