//! Messages to people: one for each state of an incident, never with a value.
//!
//! A [`Message`] comes in, and how each channel took it goes out. Which messages were sent already, the caller knows, by [`Message::key`].
//! Addresses of webhooks are secrets: they come from environment variables, and stand in no error.

mod body;
mod channel;
mod message;
mod notifier;

pub use channel::{Channel, Way};
pub use message::Message;
pub use notifier::{Notifier, NotifyError};
