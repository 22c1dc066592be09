//! AWS access keys, and those of servers that speak S3.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{KeyChange, sigv4::Signature};
use crate::{
    model::Secret,
    net::{Method, Request, Text},
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

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// IAM `UpdateAccessKey` or `DeleteAccessKey`. Without a user it is the caller's own key.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>
pub(in crate::provider) fn of_key(
    change: &KeyChange<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let escaped = |bytes: &[u8]| percent_encode(bytes, RESERVED).to_string();
    // In the order of their names, as the signature has it.
    let mut query = Text::from("AccessKeyId=").secret(Secret::new(escaped(change.key_id.expose())));
    query = query.plain(format!("&Action={}", change.action));
    if let Some(status) = change.status {
        query = query.plain(format!("&Status={status}"));
    }
    if let Some(user) = change.user {
        query = query.plain(format!("&UserName={}", escaped(user.as_bytes())));
    }
    query = query.plain("&Version=2010-05-08");
    let (key_id, key_secret) = change.by;
    let region = iam_region(origin);
    let signature = Signature { key_id, key_secret, session_token: None, region, service: "iam" };
    let mut bare = Request::get(origin, "/");
    bare.is_safe = false;
    signature.request(&bare, &query, occasion)
}

/// A request to MinIO's administration, signed as its clients do.
pub(crate) fn minio_admin(
    (key_id, key_secret): (&Secret, &Secret),
    (method, origin, path): (Method, &str, &str),
    query: &Text,
    occasion: &Occasion,
) -> Result<Request, String> {
    let signature = Signature { key_id, key_secret, session_token: None, region: "us-east-1", service: "s3" };
    let mut bare = Request::get(origin, path);
    bare.is_safe = method == Method::Get;
    bare.method = method;
    signature.request(&bare, query, occasion)
}

/// IAM is one service for each partition.
fn iam_region(origin: &str) -> &'static str {
    match super::authority(origin) {
        "iam.cn-north-1.amazonaws.com.cn" => "cn-north-1",
        "iam.us-gov.amazonaws.com" => "us-gov-west-1",
        _ => "us-east-1",
    }
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
