//! What can't be data: requests that are signed, and answers that are compared. A pure function in a file of its own, one line in a
//! list here, and `checks.toml` names it.

pub(super) mod alibaba;
pub(super) mod aws;
mod azure;
mod gcp;
mod sigv4;

use super::{Credential, Occasion, Outcome};
use crate::{
    model::Secret,
    net::{Answer, Request},
};

/// A change of an access key of AWS or Alibaba Cloud.
pub(super) struct KeyChange<'a> {
    /// Whose signature: the id and the secret of a key that may do it.
    pub(super) by: (&'a Secret, &'a Secret),
    /// `UpdateAccessKey`, `DeleteAccessKey`.
    pub(super) action: &'static str,
    /// `Active` or `Inactive`, of an update.
    pub(super) status: Option<&'static str>,
    /// The key that is changed.
    pub(super) key_id: &'a Secret,
    /// Whose key it is, where it is not the caller's own.
    pub(super) user: Option<&'a str>,
}

/// Makes the request to one origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer {
    name: &'static str,
    pub(super) requests: SignerFn,
}

type SignerFn = fn(&Credential<'_>, &str, &Occasion) -> Result<Request, String>;

/// Says what an answer means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    name: &'static str,
    pub(super) read: fn(&Credential<'_>, &Answer) -> Outcome,
}

const SIGNERS: &[Signer] = &[
    Signer { name: "aws-sts", requests: aws::caller_identity },
    Signer { name: "s3-buckets", requests: aws::buckets },
    Signer { name: "alibaba-sts", requests: alibaba::caller_identity },
    Signer { name: "azure-storage", requests: azure::containers },
];

const READERS: &[Reader] = &[Reader { name: "gcp-certificates", read: gcp::compare }];

pub(super) fn signer(name: &str) -> Result<Signer, String> {
    let found = SIGNERS.iter().find(|signer| signer.name == name);
    found.copied().ok_or_else(|| format!("there is no signer `{name}`"))
}

pub(super) fn reader(name: &str) -> Result<Reader, String> {
    let found = READERS.iter().find(|reader| reader.name == name);
    found.copied().ok_or_else(|| format!("there is no reader `{name}`"))
}

/// The host and port of an origin, as the header `host` has them.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest)
}
