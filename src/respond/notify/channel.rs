//! Who is told, and how.

use crate::respond::Program;

/// One channel of trusted config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// What trusted config calls it.
    pub name: String,
    /// How it is told.
    pub way: Way,
}

/// How a channel is told. Addresses and secrets are named by the environment variable that holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// An incoming webhook of Slack.
    Slack {
        /// The variable with its address.
        url_env: String,
    },
    /// A webhook of a workflow in Microsoft Teams.
    Teams {
        /// The variable with its address.
        url_env: String,
    },
    /// Any other webhook: the message as JSON.
    Webhook {
        /// The variable with its address.
        url_env: String,
        /// The variable with the secret that requests are signed with, where they are.
        secret_env: Option<String>,
    },
    /// A program: the message as JSON on its standard input.
    Command(Program),
}
