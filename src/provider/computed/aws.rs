//! AWS access keys, and those of servers that speak S3.

use super::sigv4::Signature;
use crate::{
    net::Request,
    provider::{Credential, Occasion, Role},
};

/// STS `GetCallerIdentity`: every key may ask it, and no policy forbids it.
pub(super) fn caller_identity(
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let query = "Action=GetCallerIdentity&Version=2011-06-15";
    signature(credential, region(origin), "sts")?.get(origin, query, occasion)
}

/// S3 `ListBuckets`. MinIO takes `us-east-1` where its own region is not set.
pub(super) fn buckets(
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let named = with_user_as_id(credential);
    signature(&named, "us-east-1", "s3")?.get(origin, "", occasion)
}

/// The root user's name is the id of its key.
fn with_user_as_id<'a>(credential: &Credential<'a>) -> Credential<'a> {
    let mut named = credential.clone();
    if credential.companion(Role::KeyId).is_none() {
        let user = credential.companion(Role::User).cloned();
        named.companions.extend(user.map(|user| (Role::KeyId, user)));
    }
    named
}

/// Of keys, only temporary ones have a session token: one beside another key is not its own.
fn signature<'a>(
    credential: &'a Credential<'a>,
    region: &'a str,
    service: &'a str,
) -> Result<Signature<'a>, String> {
    let (key_id, key_secret) = credential.pair()?;
    let is_temporary = key_id.expose().starts_with(b"ASIA");
    let session_token = credential.companion(Role::SessionToken).filter(|_| is_temporary);
    if session_token.is_none() && is_temporary {
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
    use crate::model::Secret;

    fn occasion() -> Occasion {
        Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n".into() }
    }

    fn shown(request: &Request, name: &str) -> Option<String> {
        let text = request.headers.iter().find(|(known, _)| known == name).map(|(_, text)| text.expose());
        text.map(|text| String::from_utf8(text.expose().to_vec()).unwrap())
    }

    #[test]
    fn a_session_token_goes_with_temporary_keys_only() {
        let value = Secret::new("s".repeat(40));
        let token = (Role::SessionToken, Secret::new("t".repeat(200)));
        for (prefix, with_token, expected) in
            [("AKIA", true, Some(false)), ("ASIA", true, Some(true)), ("ASIA", false, None)]
        {
            let mut companions = vec![(Role::KeyId, Secret::new(format!("{prefix}{}", "B".repeat(16))))];
            companions.extend(with_token.then(|| token.clone()));
            let credential = Credential { rule: "aws-secret-access-key", value: &value, companions };
            let request = caller_identity(&credential, "https://sts.amazonaws.com", &occasion());
            let has_token = request.ok().map(|request| shown(&request, "x-amz-security-token").is_some());
            assert_eq!(has_token, expected, "{prefix} {with_token}");
        }
    }

    #[test]
    fn the_root_user_of_minio_is_the_id_of_its_key() {
        let value = Secret::new("s".repeat(40));
        let companions = vec![(Role::User, Secret::new("kosmos"))];
        let credential = Credential { rule: "minio-root-password", value: &value, companions };
        let request = buckets(&credential, "https://minio.example.com:9000", &occasion()).unwrap();
        let authorization = shown(&request, "authorization").unwrap();
        assert!(
            authorization.contains("Credential=kosmos/20261126/us-east-1/s3/aws4_request"),
            "{authorization}"
        );
        let alone = Credential { companions: Vec::new(), ..credential };
        assert!(buckets(&alone, "https://minio.example.com:9000", &occasion()).is_err());
    }

    #[test]
    fn the_region_follows_from_the_origin() {
        assert_eq!(region("https://sts.amazonaws.com"), "us-east-1");
        assert_eq!(region("https://sts.cn-north-1.amazonaws.com.cn"), "cn-north-1");
        assert_eq!(region("https://sts.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
    }
}
