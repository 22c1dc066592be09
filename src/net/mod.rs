//! The one place that sends: requests that others describe go out, answers come back.
//!
//! A [`Request`] comes in, an [`Answer`] or a [`Failure`] goes out. This room knows of no provider, finding or secret manager. It decides
//! where may be connected to, how often, how long and how much is read; it retries what is safe to be asked twice, and follows no redirect.
//!
//! [`Driver`] sends over HTTP; [`dial`] opens a connection for what speaks another protocol, under the same [`AddressPolicy`].

mod address;
mod connect;
mod driver;
mod gate;
mod message;
mod origin;
mod proxy;
mod request;
mod retry;
mod tls;

pub use address::{AddressPolicy, dial};
pub use driver::{Driver, DriverError, DriverOptions, Limits};
pub use origin::{Origin, OriginError};
pub use proxy::Proxy;
pub use request::{Answer, Failure, Method, Request, Send, Text};
pub use tls::{ClientIdentity, IdentityError, RootsError, TlsOptions, tls_client};
