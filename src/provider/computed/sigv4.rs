//! AWS Signature Version 4: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    model::Secret,
    net::{Request, Text},
    provider::Occasion,
};

/// Whose signature, and for what.
pub(super) struct Signature<'a> {
    pub(super) key_id: &'a Secret,
    pub(super) key_secret: &'a Secret,
    pub(super) session_token: Option<&'a Secret>,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// SHA-256 of an empty body, in hexadecimal.
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Signature<'_> {
    /// A signed `GET` without a body. The query's names and values are sorted and need no escape.
    ///
    /// # Errors
    /// A key id or session token that can't stand in a header.
    pub(super) fn get(&self, origin: &str, query: &str, occasion: &Occasion) -> Result<Request, String> {
        self.request(&Request::get(origin, "/"), &Text::from(query), occasion)
    }

    /// A request without a body, signed: method, origin and path are the bare one's. The query's names and values are sorted and
    /// escaped, the path needs no escape.
    ///
    /// # Errors
    /// A key id or session token that can't stand in a header, or a query that is no text.
    pub(super) fn request(
        &self,
        bare: &Request,
        query: &Text,
        occasion: &Occasion,
    ) -> Result<Request, String> {
        let (origin, method, folder) = (bare.origin.as_str(), bare.method.as_str(), bare.path.redacted());
        let sent = query.expose();
        let sent = std::str::from_utf8(sent.expose()).map_err(|_| "the query is no text")?;
        let time = occasion.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = time.split('T').next().unwrap_or_default();
        let key_id = header_text(self.key_id).ok_or("the key id is no key id")?;
        let session = match self.session_token {
            Some(token) => Some(header_text(token).ok_or("the session token is none")?),
            None => None,
        };
        let mut headers = vec![
            ("host", super::authority(origin).to_owned()),
            ("x-amz-content-sha256", EMPTY_BODY.to_owned()),
            ("x-amz-date", time.clone()),
        ];
        headers.extend(session.map(|token| ("x-amz-security-token", token.to_owned())));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = Zeroizing::new(format!("{method}\n{folder}\n{sent}\n{lines}\n{names}\n{EMPTY_BODY}"));
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let signature = Secret::new(hex(&mac(&self.key(date), to_sign.as_bytes())));
        let mut request = bare.clone().header("x-amz-content-sha256", EMPTY_BODY).header("x-amz-date", time);
        if !sent.is_empty() {
            request.path = Text::from(folder).plain("?").append(query.clone());
        }
        if let Some(token) = self.session_token {
            request = request.header("x-amz-security-token", Text::new().secret(token.clone()));
        }
        let authorization = Text::from("AWS4-HMAC-SHA256 Credential=")
            .secret(Secret::new(key_id))
            .plain(format!("/{scope}, SignedHeaders={names}, Signature="))
            .secret(signature);
        Ok(request.header("authorization", authorization))
    }

    /// The key that signs on a day.
    fn key(&self, date: &str) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new([b"AWS4", self.key_secret.expose()].concat());
        for part in [date, self.region, self.service, "aws4_request"] {
            key = mac(&key, part.as_bytes());
        }
        key
    }
}

fn mac(key: &[u8], message: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text that can stand in a header as it is.
fn header_text(secret: &Secret) -> Option<&str> {
    let text = std::str::from_utf8(secret.expose()).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signing key of the example in AWS's documentation: secret key, date, region and service are its.
    fn signature<'s>((key_id, key_secret): (&'s Secret, &'s Secret), service: &'s str) -> Signature<'s> {
        Signature { key_id, key_secret, session_token: None, region: "us-east-1", service }
    }

    #[test]
    fn the_signing_key_is_the_one_of_the_documented_example() {
        let secret = Secret::new(format!("wJalrXUtnFEMI/K7MDENG+bPxRfiCY{}", "EXAMPLEKEY"));
        let id = Secret::new("id");
        let signature = signature((&id, &secret), "iam");
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex(&signature.key("20150830")), expected);
    }

    #[test]
    fn the_request_carries_the_signature_and_hides_it() {
        let (id, secret) = (Secret::new("A".repeat(20)), Secret::new("b".repeat(40)));
        let signature = signature((&id, &secret), "sts");
        let occasion = Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n".into() };
        let request = signature.get("https://sts.amazonaws.com", "Action=X", &occasion).unwrap();
        let (_, authorization) = request.headers.last().unwrap();
        let sent = String::from_utf8(authorization.expose().expose().to_vec()).unwrap();
        let (head, digits) = sent.split_once("Signature=").unwrap();
        let names = "host;x-amz-content-sha256;x-amz-date";
        let scope = "20261126/us-east-1/sts/aws4_request";
        assert_eq!(
            head,
            format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, ", "A".repeat(20))
        );
        assert_eq!(digits.len(), 64);
        assert!(!format!("{request:?}").contains(digits));
        let later = Occasion { now: "2026-11-26T17:00:01Z".parse().unwrap(), ..occasion };
        let other = signature.get("https://sts.amazonaws.com", "Action=X", &later).unwrap();
        assert_ne!(other.headers.last().unwrap().1.expose(), authorization.expose());
    }

    #[test]
    fn a_key_id_that_would_end_the_header_is_refused() {
        let (id, secret) = (Secret::new("AKIA\r\nx: y"), Secret::new("b"));
        let signature = signature((&id, &secret), "sts");
        let occasion = Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n".into() };
        assert!(signature.get("https://sts.amazonaws.com", "", &occasion).is_err());
    }
}
