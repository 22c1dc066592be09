//! The one place that sends: requests that others describe go out, answers come back.
//!
//! A [`Request`] comes in, an [`Answer`] or a [`Failure`] goes out. This room knows of no provider, finding or secret manager. It decides
//! where may be connected to, how often, how long and how much is read; it retries what is safe to be asked twice, and follows no redirect.
//!
//! [`dial`] opens a connection for what speaks another protocol, to an address that its [`AddressPolicy`] lets through.

mod address;
mod request;

pub use address::{AddressPolicy, dial};
pub use request::{Answer, Failure, Method, Request, Send, Text};
