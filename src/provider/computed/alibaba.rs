//! Alibaba Cloud access keys: signature version 1.0 with HMAC-SHA1.
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::KeyChange;
use crate::{
    model::Secret,
    net::{Request, Text},
    provider::{Credential, Occasion, Role},
};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// STS `GetCallerIdentity`.
pub(super) fn caller_identity(
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let (key_id, key_secret) = credential.pair()?;
    let is_temporary = key_id.expose().starts_with(b"STS.");
    let session_token = credential.companion(Role::SessionToken).filter(|_| is_temporary);
    if session_token.is_none() && is_temporary {
        return Err("the session token that belongs to the temporary key is not at hand".into());
    }
    let parameters = vec![("Action", open("GetCallerIdentity")), ("Version", open("2015-04-01"))];
    Ok(signed(parameters, (key_id, key_secret, session_token), origin, occasion))
}

/// RAM `UpdateAccessKey` or `DeleteAccessKey`. Without a user it is the caller's own key.
pub(in crate::provider) fn of_key(
    change: &KeyChange<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let mut parameters = vec![("Action", open(change.action)), ("Version", open("2015-05-01"))];
    parameters.push(("UserAccessKeyId", hidden(change.key_id)));
    parameters.extend(change.status.map(|status| ("Status", open(status))));
    parameters.extend(change.user.map(|user| ("UserName", open(user))));
    let (id, secret) = change.by;
    let mut request = signed(parameters, (id, secret, None), origin, occasion);
    request.is_safe = false;
    Ok(request)
}

fn open(text: &str) -> Text {
    Text::from(encoded(text.as_bytes()))
}

fn hidden(secret: &Secret) -> Text {
    Text::new().secret(Secret::new(encoded(secret.expose())))
}

/// A `GET` with these parameters.
fn signed(
    mut parameters: Vec<(&'static str, Text)>,
    (key_id, key_secret, session_token): (&Secret, &Secret, Option<&Secret>),
    origin: &str,
    occasion: &Occasion,
) -> Request {
    let time = occasion.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    parameters.extend(session_token.map(|token| ("SecurityToken", hidden(token))));
    parameters.extend([
        ("AccessKeyId", hidden(key_id)),
        ("Format", open("JSON")),
        ("SignatureMethod", open("HMAC-SHA1")),
        ("SignatureNonce", open(&occasion.nonce)),
        ("SignatureVersion", open("1.0")),
        ("Timestamp", open(&time)),
    ]);
    // The signature is over them in the order of their names.
    parameters.sort_by_key(|(name, _)| *name);
    let signature = Text::new().secret(Secret::new(encoded(sign(&parameters, key_secret).as_bytes())));
    parameters.push(("Signature", signature));
    let mut path = Text::from("/");
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        path = path.plain(format!("{}{name}=", if at == 0 { '?' } else { '&' })).append(value);
    }
    Request::get(origin, path)
}

fn sign(parameters: &[(&str, Text)], key_secret: &Secret) -> String {
    let mut canonical = Zeroizing::new(Vec::new());
    for (name, value) in parameters {
        if !canonical.is_empty() {
            canonical.push(b'&');
        }
        canonical.extend_from_slice(name.as_bytes());
        canonical.push(b'=');
        canonical.extend_from_slice(value.expose().expose());
    }
    let to_sign = Zeroizing::new(format!("GET&%2F&{}", encoded(&canonical)));
    let key = Zeroizing::new([key_secret.expose(), b"&"].concat());
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation of ECS (`DescribeRegions`), which signs with `testid` and `testsecret`.
    #[test]
    fn the_signature_is_the_one_of_the_documented_example() {
        let open = |text: &str| Text::from(encoded(text.as_bytes()));
        let parameters = [
            ("AccessKeyId", open("testid")),
            ("Action", open("DescribeRegions")),
            ("Format", open("XML")),
            ("SignatureMethod", open("HMAC-SHA1")),
            ("SignatureNonce", open("3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf")),
            ("SignatureVersion", open("1.0")),
            ("Timestamp", open("2016-02-23T12:46:24Z")),
            ("Version", open("2014-05-26")),
        ];
        let signature = sign(&parameters, &Secret::new("testsecret"));
        assert_eq!(signature, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    }

    #[test]
    fn the_query_is_signed_and_hides_what_is_secret() {
        let (id, secret) = (Secret::new(format!("LTAI{}", "a".repeat(20))), Secret::new("s".repeat(30)));
        let companions = vec![(Role::KeyId, id.clone())];
        let credential = Credential { rule: "alibaba-secret-key", value: &secret, companions };
        let occasion = Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n-1".into() };
        let request = caller_identity(&credential, "https://sts.aliyuncs.com", &occasion).unwrap();
        let sent = String::from_utf8(request.path.expose().expose().to_vec()).unwrap();
        assert!(sent.starts_with(&format!("/?AccessKeyId=LTAI{}&Action=GetCallerIdentity", "a".repeat(20))));
        assert!(sent.contains("&Timestamp=2026-11-26T17%3A00%3A00Z&Version=2015-04-01&Signature="));
        assert!(!sent.contains(&"s".repeat(30)));
        assert!(!format!("{request:?}").contains(&"a".repeat(20)));
    }
}
