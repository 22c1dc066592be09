//! What was done, in one dotted word.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longer words are none.
const LONGEST: usize = 60;

/// What was done: lower-case words with dots between them, `secret.read`, `step.introduce`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(Cow<'static, str>);

/// A text that is no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an action is two or more words of a-z, 0-9, `-` and `_` with dots between them: secret.read")]
pub struct ActionError;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        impl Action {
            $($(#[$doc])* pub const $name: Self = Self::fixed($word);)+

            /// Those that have a name of their own here.
            pub const NAMED: &[Self] = &[$(Self::$name),+];
        }
    };
}

actions! {
    /// A value was read from the manager.
    SECRET_READ = "secret.read";
    /// A value was written to the manager.
    SECRET_WRITE = "secret.write";
    /// A value was removed from the manager.
    SECRET_REMOVE = "secret.remove";
    /// A provider or a target was asked whether a value is accepted.
    SECRET_VERIFY = "secret.verify";
    /// A value was taken out of service.
    SECRET_REVOKE = "secret.revoke";
    /// A value was replaced, from the first step to the last.
    SECRET_ROTATE = "secret.rotate";
    /// A plan was made.
    PLAN_CREATED = "plan.created";
    /// A plan was approved: by apply, by a trusted policy, or by a second person.
    PLAN_APPROVED = "plan.approved";
    /// A plan, or a part of it, was refused.
    PLAN_REFUSED = "plan.refused";
    /// The work on a plan began.
    APPLY_STARTED = "apply.started";
    /// It ended.
    APPLY_FINISHED = "apply.finished";
    /// It was taken up again after a crash.
    APPLY_RESUMED = "apply.resumed";
    /// Everything in an environment is to be replaced.
    EMERGENCY_STARTED = "emergency.started";
    /// That ended.
    EMERGENCY_FINISHED = "emergency.finished";
    /// An incident was opened.
    INCIDENT_OPENED = "incident.opened";
    /// An incident was closed.
    INCIDENT_CLOSED = "incident.closed";
    /// Somebody was told.
    NOTIFICATION_SENT = "notification.sent";
    /// What a crash had left of an entry was cut off.
    AUDIT_REPAIRED = "audit.repaired";
}

impl Action {
    /// An action that is known when hekate is built: `const RESTART: Action = Action::fixed("consumer.restart")`.
    ///
    /// # Panics
    /// Where the word is none; of a constant, when it is compiled.
    pub const fn fixed(word: &'static str) -> Self {
        assert!(is_action(word.as_bytes()), "an action is two or more words with dots between them");
        Self(Cow::Borrowed(word))
    }

    /// The action of a step: `step.introduce`. What no such word has becomes `-`.
    pub fn step(name: &str) -> Self {
        let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        let name: String = name.chars().take(LONGEST - "step.".len()).map(plain).collect();
        Self(Cow::Owned(if name.is_empty() { "step.unnamed".into() } else { format!("step.{name}") }))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Words of `[a-z0-9_-]+`, at least two.
const fn is_action(word: &[u8]) -> bool {
    let (mut at, mut dots, mut after_dot) = (0, 0, true);
    while at < word.len() {
        match word[at] {
            b'.' if after_dot => return false,
            b'.' => {
                dots += 1;
                after_dot = true;
            }
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => after_dot = false,
            _ => return false,
        }
        at += 1;
    }
    dots > 0 && !after_dot && word.len() <= LONGEST
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        is_action(text.as_bytes()).then(|| Self(Cow::Owned(text.to_owned()))).ok_or(ActionError)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_dotted_words() {
        for word in ["secret.read", "step.end-sessions", "a.b.c", "x.1"] {
            assert_eq!(word.parse::<Action>().unwrap().as_str(), word);
        }
        let long = format!("a.{}", "b".repeat(LONGEST));
        for word in ["", "read", ".read", "secret.", "a..b", "Secret.read", "a.b c", "a.b\n", long.as_str()] {
            assert_eq!(word.parse::<Action>(), Err(ActionError), "{word:?}");
        }
    }

    #[test]
    fn any_name_of_a_step_makes_an_action() {
        for (name, action) in
            [("introduce", "step.introduce"), ("End sessions", "step.-nd-sessions"), ("", "step.unnamed")]
        {
            assert_eq!(Action::step(name).as_str(), action);
        }
        assert!(Action::step(&"é".repeat(500)).as_str().parse::<Action>().is_ok());
    }
}
