//! AWS access keys, and those of servers that speak S3.

use super::sigv4::Signature;
use crate::{
    net::Request,
    provider::{Credential, Occasion, Role},
    rule::HttpCheck,
};

/// STS `GetCallerIdentity`: every key may ask it, and no policy forbids it.
pub(super) fn caller_identity(
    _: &HttpCheck,
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let query = "Action=GetCallerIdentity&Version=2011-06-15";
    signature(credential, region(origin), "sts")?.get(origin, query, occasion)
}

/// S3 `ListBuckets`. MinIO takes `us-east-1` where its own region is not set.
pub(super) fn buckets(
    _: &HttpCheck,
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    signature(credential, "us-east-1", "s3")?.get(origin, "", occasion)
}

fn signature<'a>(
    credential: &'a Credential<'a>,
    region: &'a str,
    service: &'a str,
) -> Result<Signature<'a>, String> {
    let (key_id, key_secret) = credential.pair()?;
    let session_token = credential.companion(Role::SessionToken);
    if session_token.is_none() && key_id.expose().starts_with(b"ASIA") {
        return Err("the session token that belongs to the temporary key is not at hand".into());
    }
    Ok(Signature { key_id, key_secret, session_token, region, service })
}

/// Of `https://sts.cn-north-1.amazonaws.com.cn`, what is between; the global endpoint signs as `us-east-1`.
fn region(origin: &str) -> &str {
    let inside =
        super::authority(origin).strip_prefix("sts.").and_then(|rest| rest.split_once(".amazonaws."));
    inside.map_or("us-east-1", |(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_follows_from_the_origin() {
        assert_eq!(region("https://sts.amazonaws.com"), "us-east-1");
        assert_eq!(region("https://sts.cn-north-1.amazonaws.com.cn"), "cn-north-1");
        assert_eq!(region("https://sts.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
    }
}
