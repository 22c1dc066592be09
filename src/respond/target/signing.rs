//! Signing keys: what verifies their tokens learns the public half from a JWKS.

use super::{Accepts, Act, Birth, Target, Trouble, Values};
use crate::{
    inventory::Signing,
    model::Secret,
    net::Send,
    respond::signing::{public_of, published},
};

/// A key that tokens are signed with. The manager and the consumers put the next one in force; this target makes it and asks for it.
pub struct SigningKey<'a> {
    signing: &'a Signing,
    send: &'a dyn Send,
}

impl<'a> SigningKey<'a> {
    /// What the inventory says of it, and who asks the JWKS.
    pub fn new(signing: &'a Signing, send: &'a dyn Send) -> Self {
        Self { signing, send }
    }
}

impl Target for SigningKey<'_> {
    fn name(&self) -> String {
        match &self.signing.jwks_url {
            Some(url) => format!("{} signing key, published at {url}", self.signing.algorithm),
            None => format!("{} signing key", self.signing.algorithm),
        }
    }

    fn birth(&self) -> Birth {
        Birth::KeyPair(self.signing.clone())
    }

    fn overlaps(&self) -> bool {
        true
    }

    /// Only a look: the manager and the consumers do the rest.
    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let url = self.signing.jwks_url.as_ref().filter(|_| act == Act::Check)?;
        Some(vec![format!("GET {url}")])
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        if self.requests(act).is_none() {
            return Ok(());
        }
        match self.accepts(values.old) {
            // Not being listed any more is no hindrance to being replaced.
            Accepts::Yes | Accepts::No => Ok(()),
            Accepts::Unknown(why) => Err(Trouble::Refused(why)),
        }
    }

    fn can_tell(&self) -> bool {
        self.signing.jwks_url.is_some()
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let Some(url) = &self.signing.jwks_url else {
            return Accepts::Unknown("no `jwks_url` in the inventory".into());
        };
        match public_of(value) {
            Ok(public) => published(self.send, url, &public),
            Err(error) => Accepts::Unknown(error.to_string()),
        }
    }
}
