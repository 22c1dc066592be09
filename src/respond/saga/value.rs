//! The values that a saga is about: read when they are needed, never written anywhere but to the manager.

use super::{Saga, Setback, refused};
use crate::{
    model::Secret,
    respond::{Step, Subject, audit, target},
    store::{SecretPath, Stored},
};

/// Values that were read already.
#[derive(Default)]
pub(super) struct Values {
    old: Option<Secret>,
    new: Option<Secret>,
}

/// Letters and digits only: such a value needs no quoting in a URL, a shell or a config file.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 of 62 letters are 256 bits.
const LENGTH: usize = 43;

/// A new random value of 256 bits.
pub(super) fn random() -> Result<Secret, String> {
    let mut text = Vec::with_capacity(LENGTH);
    while text.len() < LENGTH {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
        // 248 is four times 62: what is above would make some letters likelier.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(byte % 62)]);
        text.extend(letters.take(LENGTH - text.len()));
    }
    Ok(Secret::new(text))
}

impl Saga<'_> {
    /// The value that is to be replaced.
    pub(super) fn old(&mut self) -> Result<Secret, Setback> {
        if let Some(old) = &self.values.old {
            return Ok(old.clone());
        }
        let old = match &self.case.incident.subject {
            Subject::Unmanaged { finding, source } => {
                (self.tools.recover)(finding, source).map_err(refused)?.value
            }
            Subject::Stored { version, .. } => {
                let (path, _) = self.case.path().expect("it is one that the manager holds");
                let read = self.read(&path, Some(*version))?;
                read.ok_or_else(|| {
                    refused(format!("version {version} of {path} is not in the manager any more"))
                })?
                .value
            }
        };
        Ok(self.values.old.insert(old).clone())
    }

    /// The value that follows; `None` where none is kept yet.
    pub(super) fn kept(&mut self) -> Result<Option<Secret>, Setback> {
        if self.values.new.is_none()
            && let Some(pending) = self.case.pending()
        {
            self.values.new = self.read(&pending, None)?.map(|stored| stored.value);
        }
        Ok(self.values.new.clone())
    }

    /// The value that follows, where there has to be one.
    pub(super) fn new_value(&mut self) -> Result<Secret, Setback> {
        let missing = || refused("the new value is not in the manager's pending folder any more");
        self.kept()?.ok_or_else(missing)
    }

    /// The value that is in force behind the point of no return: what the manager holds, which somebody may have replaced since.
    pub(super) fn in_force(&mut self) -> Result<Secret, Setback> {
        let is_promoted = self.progress.done.contains_key(&Step::Promote);
        if is_promoted { Ok(self.current()?.value) } else { self.new_value() }
    }

    /// Remembers the value that follows, once it is kept in the manager.
    pub(super) fn hold(&mut self, new: Secret) {
        self.values.new = Some(new);
    }

    /// Forgets it: it is kept nowhere any more.
    pub(super) fn forget(&mut self) {
        self.values.new = None;
    }

    /// The manager's current version of the secret.
    pub(super) fn current(&mut self) -> Result<Stored, Setback> {
        let (path, _) = self.case.path().ok_or_else(|| refused("the manager does not hold it"))?;
        self.read(&path, None)?.ok_or_else(|| refused(format!("{path} is not in the manager any more")))
    }

    /// Reads a secret of the manager; that is recorded.
    pub(super) fn read(&self, path: &SecretPath, version: Option<u64>) -> Result<Option<Stored>, Setback> {
        let read = self.tools.store.read(path, version);
        let result = if read.is_ok() { audit::Outcome::Success } else { audit::Outcome::Failure };
        self.record_read(path, result).map_err(|error| refused(error.to_string()))?;
        Ok(read?)
    }

    /// What an act of the target is about.
    pub(super) fn with_target<T>(
        &mut self,
        act: impl FnOnce(&dyn target::Target, &target::Values<'_>) -> Result<T, Setback>,
    ) -> Result<T, Setback> {
        let old = self.old()?;
        let new = self.kept()?;
        let values = target::Values { old: &old, new: new.as_ref(), incident: &self.case.incident.id };
        let target = self.case.target.as_deref().ok_or_else(|| refused("there is no target"))?;
        act(target, &values).map_err(|setback| setback.at(&target.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_values_are_long_plain_and_never_the_same() {
        let one = random().unwrap();
        let other = random().unwrap();
        assert_eq!(one.len(), 43);
        assert!(one.expose().iter().all(u8::is_ascii_alphanumeric));
        assert!(one != other);
    }
}
