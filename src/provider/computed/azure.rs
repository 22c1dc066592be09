//! Azure storage account keys: the Shared Key signature.
//! <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    model::Secret,
    net::{Request, Text},
    provider::{Credential, Occasion},
};

/// As the service itself reads keys: what the last digit has too much is ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const VERSION: &str = "2021-08-06";

/// Blob service `List Containers`, of one. The account is the first label of the host.
pub(super) fn containers(
    credential: &Credential<'_>,
    origin: &str,
    occasion: &Occasion,
) -> Result<Request, String> {
    let account = super::authority(origin).split('.').next().unwrap_or_default();
    let key = LENIENT.decode(credential.value.expose()).map(Zeroizing::new);
    let key = key.map_err(|_| "the key is no base64".to_owned())?;
    let date = occasion.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let signature = Secret::new(sign(account, &date, &key));
    let authorization = Text::from(format!("SharedKey {account}:")).secret(signature);
    Ok(Request::get(origin, "/?comp=list&maxresults=1")
        .header("x-ms-date", date)
        .header("x-ms-version", VERSION)
        .header("authorization", authorization))
}

fn sign(account: &str, date: &str, key: &[u8]) -> String {
    let empty_headers = "\n".repeat(12);
    let to_sign = format!(
        "GET{empty_headers}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{account}/\ncomp:list\nmaxresults:1"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_signed_by_the_decoded_key_and_shows_neither() {
        let value = Secret::new(STANDARD.encode([7; 64]));
        let credential =
            Credential { rule: "azure-storage-account-key", value: &value, companions: Vec::new() };
        let occasion = Occasion { now: "2026-11-26T17:00:00Z".parse().unwrap(), nonce: "n".into() };
        let request = containers(&credential, "https://kosmos.blob.core.windows.net", &occasion).unwrap();
        let header = |name: &str| {
            let (_, text) = request.headers.iter().find(|(known, _)| known == name).unwrap();
            String::from_utf8(text.expose().expose().to_vec()).unwrap()
        };
        assert_eq!(header("x-ms-date"), "Thu, 26 Nov 2026 17:00:00 GMT");
        let signature = sign("kosmos", "Thu, 26 Nov 2026 17:00:00 GMT", &[7; 64]);
        assert_eq!(header("authorization"), format!("SharedKey kosmos:{signature}"));
        assert!(!format!("{request:?}").contains(&signature));
        let wrong = Secret::new("no base64!");
        let credential = Credential { value: &wrong, ..credential };
        assert!(containers(&credential, "https://kosmos.blob.core.windows.net", &occasion).is_err());
    }
}
