//! Keys of GCP service accounts: the public half is compared with the certificates that Google lists for the account. Nothing
//! secret is sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::PrivateKeyInfoRef;
use serde_json::Value;
use x509_cert::Certificate;
use zeroize::Zeroizing;

use crate::{
    model::{Secret, Verdict},
    net::Answer,
    provider::{Credential, Outcome, reading::of_status},
};

/// The most certificates that are looked at: an account has at most ten keys of its own, and a few of Google's.
const MAX_CERTIFICATES: usize = 100;

/// Compares the private key of a credential with a listing of certificates by key id.
pub(in crate::provider) fn compare(credential: &Credential<'_>, answer: &Answer) -> Outcome {
    if answer.status != 200 {
        return Outcome::unknown(of_status(answer.status));
    }
    let Some(ours) = modulus(credential.value) else {
        return Outcome::unknown("the private key can't be parsed");
    };
    let listing = answer.json();
    let Some(listing) = listing.as_ref().and_then(Value::as_object).filter(|listing| !listing.is_empty())
    else {
        return Outcome::unknown("not the provider's own answer; status 200");
    };
    let mut is_listed = false;
    for (_, certificate) in listing.iter().take(MAX_CERTIFICATES) {
        let Some(theirs) = certificate.as_str().and_then(modulus_of_certificate) else {
            return Outcome::unknown("not the provider's own answer; status 200");
        };
        is_listed |= theirs == *ours;
    }
    match (is_listed, listing.len() > MAX_CERTIFICATES) {
        (true, _) => Outcome { verdict: Verdict::Active, detail: Some("its public half is listed".into()) },
        (false, false) => Outcome::of(Verdict::Inactive),
        (false, true) => Outcome::unknown(format!("more than {MAX_CERTIFICATES} certificates are listed")),
    }
}

/// The modulus of an RSA key in PEM, whose line breaks may be written `\n`.
fn modulus(key: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(key.expose()).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut is_escaped = false;
    for byte in body.bytes() {
        match byte {
            b'\\' => is_escaped = true,
            b'n' | b'r' if is_escaped => is_escaped = false,
            byte => {
                is_escaped = false;
                if !byte.is_ascii_whitespace() {
                    digits.push(byte);
                }
            }
        }
    }
    let der = Zeroizing::new(STANDARD.decode(&*digits).ok()?);
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).ok()?;
    let key = RsaPrivateKeyRef::try_from(info.private_key.as_bytes()).ok()?;
    Some(Zeroizing::new(key.modulus.as_bytes().to_vec()))
}

fn modulus_of_certificate(pem: &str) -> Option<Vec<u8>> {
    let certificates = Certificate::load_pem_chain(pem.as_bytes()).ok()?;
    let key =
        certificates.first()?.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
    Some(RsaPublicKeyRef::try_from(key).ok()?.modulus.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
