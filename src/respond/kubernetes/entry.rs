//! One key of a Secret, read and replaced.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    check::missing_right,
    cluster::{Cluster, Patch, PatchKind},
    fault::shown,
    managed::Managed,
    object::Object,
    wait::Wait,
};
use crate::{model::Secret, net::Text, respond::target::Trouble, store::as_stored};

/// A key of a Secret.
#[derive(Debug, Clone)]
pub struct SecretEntry {
    object: Object,
    key: String,
}

impl fmt::Display for SecretEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

impl SecretEntry {
    /// A key by its names.
    ///
    /// # Errors
    /// Names that nothing has in Kubernetes.
    pub fn new(namespace: &str, name: &str, key: &str) -> Result<Self, Trouble> {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if key.is_empty() || key.len() > 253 || !key.bytes().all(is_key) {
            return Err(Trouble::Refused(format!("`{}` is no key of a Secret of Kubernetes", shown(key))));
        }
        Ok(Self { object: Object::secret(namespace, name)?, key: key.to_owned() })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The Secret's path on the server.
    pub fn path(&self) -> String {
        self.object.path()
    }

    /// Whether it is there and may be replaced.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, cluster: &Cluster<'_>, wait: &Wait<'_>) -> Result<(), Trouble> {
        let secret: Managed = cluster.read(&self.object, &wait.start())?;
        self.current(&secret)?;
        match missing_right(cluster, "patch", &self.object)? {
            Some(missing) => Err(Trouble::Refused(missing)),
            None => Ok(()),
        }
    }

    /// Whether it holds a value, as the manager would store it.
    ///
    /// # Errors
    /// That it can't be read.
    pub fn is(&self, cluster: &Cluster<'_>, value: &Secret, wait: &Wait<'_>) -> Result<bool, Trouble> {
        let secret: Managed = cluster.read(&self.object, &wait.start())?;
        Ok(secret.value(&self.key).is_some_and(|current| as_stored(&current) == as_stored(value)))
    }

    /// Puts one value in the place of another. One that is there already is left; a third one is somebody else's and is left too.
    ///
    /// # Errors
    /// That it can't be done, or may have been.
    pub fn replace(
        &self,
        cluster: &Cluster<'_>,
        from: &Secret,
        to: &Secret,
        wait: &Wait<'_>,
    ) -> Result<(), Trouble> {
        let changed = cluster.change(&self.object, &wait.start(), &mut |secret: &Managed| {
            let current = as_stored(&self.current(secret)?);
            if current == as_stored(to) {
                return Ok(None);
            }
            if current != as_stored(from) {
                return Err(self.refused("holds neither the old nor the new value: somebody else changed it"));
            }
            Ok(Some(self.patch(secret, to)))
        });
        changed.map(|_| ())
    }

    fn current(&self, secret: &Managed) -> Result<Secret, Trouble> {
        if secret.immutable == Some(true) {
            return Err(self.refused("can't be changed: its Secret is immutable"));
        }
        secret.value(&self.key).ok_or_else(|| self.refused("is not there"))
    }

    fn refused(&self, why: &str) -> Trouble {
        Trouble::Refused(format!("the key {} of {} {why}", self.key, self.object))
    }

    fn patch(&self, secret: &Managed, value: &Secret) -> Patch {
        let encoded = Zeroizing::new(STANDARD.encode(value.expose()));
        // The key's letters and the version's need no escapes, and base64 has none.
        let head = json!({"metadata": {"resourceVersion": secret.resource_version()}}).to_string();
        let head = head.trim_end_matches('}').to_owned();
        let body = Text::new()
            .plain(format!("{head}}},\"data\":{{\"{}\":\"", self.key))
            .secret(Secret::new(encoded.as_bytes()))
            .plain("\"}}");
        Patch { kind: PatchKind::Merge, manager: "hekate", body }
    }
}
