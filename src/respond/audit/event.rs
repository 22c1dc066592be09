//! One thing that happened, in the schema of the platform.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::{output::sanitise, store::SecretPath};

/// Texts of an event are cut there, in characters.
const LONGEST_TEXT: usize = 512;
/// Names of metadata are cut there.
const LONGEST_NAME: usize = 40;
/// An event has no more metadata; who wants to say more says it in the report of the incident.
const MOST_METADATA: usize = 32;
/// Who wrote it.
const CLIENT: &str = concat!("hekate/", env!("CARGO_PKG_VERSION"));

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word in the log.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What kind of thing happened.
    EventType {
        /// A value was read or written.
        SecretAccess = "secret_access",
        /// It was found out whether a value is accepted.
        Verification = "verification",
        /// A value is being replaced.
        Rotation = "rotation",
        /// A value was taken out of service.
        Revocation = "revocation",
        /// Somebody, or a policy, allowed something.
        Approval = "approval",
        /// Something was not done, because it must not be.
        Refusal = "refusal",
        /// Everything in an environment is being replaced.
        Emergency = "emergency",
        /// Somebody was told.
        Notification = "notification",
        /// An incident began, changed or ended.
        Incident = "incident",
        /// The log itself.
        Audit = "audit",
    }
}

words! {
    /// How it went.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was not, or nobody knows.
        Failure = "failure",
        /// It waits for somebody or something.
        Pending = "pending",
        /// It was not allowed.
        Refused = "refused",
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The login, or what a machine calls itself.
    pub id: String,
    /// The address of mail, where it is known.
    pub email: Option<String>,
    /// From where, where it is known.
    pub ip_address: Option<String>,
}

impl User {
    /// Somebody of whom only this is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), email: None, ip_address: None }
    }

    fn clean(self) -> Self {
        let clean = |text: Option<String>| text.map(|text| legible(&text));
        Self { id: legible(&self.id), email: clean(self.email), ip_address: clean(self.ip_address) }
    }
}

/// Which secret it was about: never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretName {
    /// Folder and name: `/infrastructure/POSTGRES_PASSWORD`.
    pub path: String,
    /// Its environment.
    pub environment: String,
}

impl From<&SecretPath> for SecretName {
    fn from(path: &SecretPath) -> Self {
        Self { path: legible(&path.in_environment()), environment: legible(&path.environment) }
    }
}

/// One thing that happened.
///
/// ```
/// use hekate::respond::audit::{Action, Event, EventType, Outcome};
///
/// let event = Event::new(EventType::Rotation, Action::step("introduce"))
///     .result(Outcome::Success)
///     .with("incident", "INC-7")
///     .with("target", "postgres-0.kosmos-db:5432");
/// # assert_eq!(event.metadata["incident"], "INC-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, RFC 3339 in UTC, to the millisecond.
    #[serde(with = "milliseconds")]
    pub timestamp: Timestamp,
    /// What kind of thing.
    pub event_type: EventType,
    /// What was done.
    pub action: Action,
    /// Who did it; `None` until the log puts in its own.
    pub user: Option<User>,
    /// To which secret, if to one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<SecretName>,
    /// How it went.
    pub result: Outcome,
    /// What else is to be known, by name.
    pub metadata: BTreeMap<String, String>,
}

impl Event {
    /// Something that happens now, and succeeds.
    pub fn new(event_type: EventType, action: Action) -> Self {
        Self {
            timestamp: Timestamp::now(),
            event_type,
            action,
            user: None,
            secret: None,
            result: Outcome::Success,
            metadata: BTreeMap::from([("client".to_owned(), CLIENT.to_owned())]),
        }
    }

    /// At another time.
    #[must_use]
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// By somebody else than the log says.
    #[must_use]
    pub fn by(mut self, user: User) -> Self {
        self.user = Some(user.clean());
        self
    }

    /// About a secret.
    #[must_use]
    pub fn on(mut self, secret: &SecretPath) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// With this result.
    #[must_use]
    pub fn result(mut self, result: Outcome) -> Self {
        self.result = result;
        self
    }

    /// With something else to know: never a secret. Control characters are escaped, and what is long is cut; beyond 32 of them, the last are left
    /// out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        if self.metadata.len() < MOST_METADATA {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
            let name = name.chars().take(LONGEST_NAME).map(plain).collect();
            self.metadata.insert(name, legible(&value.to_string()));
        }
        self
    }

    /// The same where there is something to say.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With what holds for all events of a log, where it does not say otherwise itself.
    pub(super) fn with_common(mut self, user: &User, common: &BTreeMap<String, String>) -> Self {
        self.user = Some(self.user.unwrap_or_else(|| user.clone()).clean());
        let missing = common.iter().filter(|(name, _)| !self.metadata.contains_key(*name));
        let missing: Vec<_> = missing.map(|(name, value)| (name.clone(), value.clone())).collect();
        missing.into_iter().fold(self, |event, (name, value)| event.with(&name, value))
    }
}

/// A text as it may stand in a log and be shown: no control characters, not long.
pub(in crate::respond) fn legible(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_TEXT).collect();
    let is_cut = cut.len() < text.len();
    let mut safe = sanitise(&cut).into_owned();
    if is_cut {
        safe.push('…');
    }
    safe
}

mod milliseconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{timestamp:.3}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_as_the_platform_has_it() {
        let path = SecretPath {
            environment: "production".into(),
            folder: "/infrastructure".into(),
            name: "POSTGRES_PASSWORD".into(),
        };
        let event = Event::new(EventType::SecretAccess, Action::SECRET_READ)
            .at("2026-11-26T20:43:49.1234567Z".parse().unwrap())
            .by(User { email: Some("ada@example.invalid".into()), ..User::new("ada") })
            .on(&path)
            .with("request_id", "r1");
        let text = serde_json::to_string(&event).unwrap().replace(CLIENT, "hekate/V");
        insta::assert_snapshot!(text, @r#"{"timestamp":"2026-11-26T20:43:49.123Z","event_type":"secret_access","action":"secret.read","user":{"id":"ada","email":"ada@example.invalid","ip_address":null},"secret":{"path":"/infrastructure/POSTGRES_PASSWORD","environment":"production"},"result":"success","metadata":{"client":"hekate/V","request_id":"r1"}}"#);
        let read: Event = serde_json::from_str(&text).unwrap();
        assert_eq!((read.action, read.secret), (event.action, event.secret));
    }

    #[test]
    fn texts_are_cut_and_their_control_characters_escaped() {
        let event = Event::new(EventType::Refusal, Action::PLAN_REFUSED)
            .with("Re ason\n", "a\u{1b}[2J\nb\u{202e}")
            .with("long", "é".repeat(5_000));
        assert_eq!(event.metadata["re_ason_"], r"a\x1b[2J\nb\u{202e}");
        assert_eq!(event.metadata["long"], format!("{}…", "é".repeat(LONGEST_TEXT)));
        let many = (0..100).fold(event, |event, number| event.with(&format!("n{number}"), number));
        assert_eq!(many.metadata.len(), MOST_METADATA);
    }

    #[test]
    fn what_holds_for_all_events_does_not_hide_what_one_says() {
        let common = BTreeMap::from([("incident".into(), "INC-1".into()), ("role".into(), "dev".into())]);
        let event = Event::new(EventType::Incident, Action::INCIDENT_OPENED).with("incident", "INC-2");
        let event = event.with_common(&User::new("ada\n"), &common);
        assert_eq!((event.metadata["incident"].as_str(), event.metadata["role"].as_str()), ("INC-2", "dev"));
        assert_eq!(event.user, Some(User::new(r"ada\n")));
    }
}
