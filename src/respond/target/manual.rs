//! What a person changes: hekate makes the value, keeps it in the manager, waits, and proves it as far as it can.

use super::{Accepts, Act, Target, Trouble, Values};
use crate::model::Secret;

/// A value that a person puts in force, where the inventory says so.
pub struct Manual<'a> {
    path: String,
    inner: Option<Box<dyn Target + 'a>>,
}

impl<'a> Manual<'a> {
    /// A secret by its path in the manager; `inner` is what can tell whether a value is accepted.
    pub fn new(path: String, inner: Option<Box<dyn Target + 'a>>) -> Self {
        Self { path, inner }
    }
}

impl Target for Manual<'_> {
    fn name(&self) -> String {
        match &self.inner {
            Some(inner) => format!("{}, by hand", inner.name()),
            None => format!("whatever takes {}, by hand", self.path),
        }
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        match act {
            Act::Introduce => {
                Some(vec![format!("a person: make the new value of {} the valid one", self.path)])
            }
            Act::Withdraw => Some(vec![format!(
                "a person: make the value that the manager holds for {} the valid one",
                self.path
            )]),
            _ => None,
        }
    }

    fn perform(&self, act: Act, _: &Values<'_>) -> Result<(), Trouble> {
        self.requests(act).map_or(Ok(()), |todo| Err(Trouble::Person(todo)))
    }

    fn can_tell(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.can_tell())
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        match &self.inner {
            Some(inner) => inner.accepts(value),
            None => Accepts::Unknown("nothing in the inventory tells".into()),
        }
    }
}
