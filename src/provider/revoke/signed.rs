//! Requests that are signed: access keys of AWS and Alibaba Cloud.

use serde::Deserialize;

use super::course::Learned;
use crate::{
    net::Request,
    provider::{
        Role,
        computed::{KeyChange, alibaba, aws},
    },
};

/// Who signs, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Signer {
    AwsInactive,
    AwsActive,
    AwsDelete,
    AlibabaInactive,
    AlibabaActive,
    AlibabaDelete,
}

impl Signer {
    /// The request, signed by an administrator's key where there is one, else by the key itself.
    pub(super) fn request(self, learned: &Learned<'_>, origin: &str) -> Result<Request, String> {
        let (id, secret) = learned.credential().pair()?;
        let by = match (learned.get("admin-id"), learned.get("admin-secret"), learned.get("admin")) {
            (Some(id), Some(secret), _) => (id, secret),
            (_, _, Some(_)) => return Err("the administrator's key is not in the form ID:SECRET".into()),
            _ => (id, secret),
        };
        let user = learned.credential().companion(Role::Account).map(crate::model::Secret::expose);
        let user =
            user.map(|user| std::str::from_utf8(user).map_err(|_| "the account is no text".to_owned()));
        let (action, status) = self.words();
        let change = KeyChange { by, action, status, key_id: id, user: user.transpose()? };
        let occasion = learned.asked.occasion;
        if self.is_aws() {
            aws::of_key(&change, origin, occasion)
        } else {
            alibaba::of_key(&change, origin, occasion)
        }
    }

    pub(super) fn preview(self, origin: &str) -> String {
        let (action, status) = self.words();
        let status = status.map(|status| format!("&Status={status}")).unwrap_or_default();
        let key = if self.is_aws() { "AccessKeyId" } else { "UserAccessKeyId" };
        format!("GET {origin}/?Action={action}&{key}=<key-id>{status}")
    }

    fn is_aws(self) -> bool {
        matches!(self, Self::AwsInactive | Self::AwsActive | Self::AwsDelete)
    }

    fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::AwsInactive | Self::AlibabaInactive => ("UpdateAccessKey", Some("Inactive")),
            Self::AwsActive | Self::AlibabaActive => ("UpdateAccessKey", Some("Active")),
            Self::AwsDelete | Self::AlibabaDelete => ("DeleteAccessKey", None),
        }
    }
}
