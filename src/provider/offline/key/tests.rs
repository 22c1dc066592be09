use std::process::{Command, Stdio};

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::provider::offline::ListedError;

/// Makes keys and certificates now, so that none is committed.
fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is there");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {args:?}");
    output.stdout
}

fn rsa() -> Vec<u8> {
    openssl(&["genrsa", "2048"], b"")
}

fn ec(curve: &str) -> Vec<u8> {
    openssl(&["ecparam", "-name", curve, "-genkey", "-noout"], b"")
}

fn ed25519() -> Vec<u8> {
    openssl(&["genpkey", "-algorithm", "ed25519"], b"")
}

/// The public half in PEM, as `openssl` writes it.
fn listed(key: &[u8]) -> Listed {
    Listed::certificates(&openssl(&["pkey", "-pubout"], key)).unwrap()
}

fn verdict(key: &[u8], listed: &Listed) -> Verdict {
    check(&Secret::new(key), listed).verdict
}

fn why(key: &[u8], listed: &Listed) -> String {
    match verdict(key, listed) {
        Verdict::Unknown(why) => why,
        other => panic!("not unknown but {other}"),
    }
}

#[test]
fn a_key_is_active_where_its_public_half_is_listed_and_retired_elsewhere() {
    let keys = [rsa(), ec("prime256v1"), ec("secp384r1"), ec("secp521r1"), ec("secp256k1"), ed25519()];
    for key in &keys {
        for other in &keys {
            let expected = if key == other { Verdict::Active } else { Verdict::Retired };
            assert_eq!(verdict(key, &listed(other)), expected);
        }
    }
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for key in [rsa(), ec("prime256v1")] {
        let listed = listed(&key);
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt"], &key);
        let traditional = openssl(&["pkey", "-traditional"], &key);
        for pem in [key, pkcs8, traditional] {
            let text = String::from_utf8(pem.clone()).unwrap();
            let der = openssl(&["pkey", "-outform", "DER"], &pem);
            for form in [
                BASE64_STANDARD.encode(&pem),
                BASE64_STANDARD.encode(&pem).trim_end_matches('=').to_owned(),
                text.replace('\n', "\\n"),
                text.replace('\n', "\r\n    "),
                BASE64_STANDARD.encode(der),
            ] {
                assert_eq!(verdict(form.as_bytes(), &listed), Verdict::Active);
            }
        }
    }
}

#[test]
fn parameters_before_a_key_are_passed_over() {
    let both = openssl(&["ecparam", "-name", "prime256v1", "-genkey"], b"");
    assert!(both.starts_with(b"-----BEGIN EC PARAMETERS"));
    assert_eq!(verdict(&both, &listed(&both)), Verdict::Active);
}

#[test]
fn a_compressed_point_is_the_same_point() {
    let key = ec("prime256v1");
    let compressed = openssl(&["ec", "-conv_form", "compressed"], &key);
    assert_eq!(verdict(&compressed, &listed(&key)), Verdict::Active);
    let public = openssl(&["ec", "-pubout", "-conv_form", "compressed"], &key);
    assert_eq!(verdict(&key, &Listed::certificates(&public).unwrap()), Verdict::Active);
}

#[test]
fn a_jwks_lists_keys_of_every_kind() {
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (rsa, ec, ed25519) = (rsa(), ec("prime256v1"), ed25519());
    let tail = |key: &[u8], count: usize| {
        let der = openssl(&["pkey", "-pubout", "-outform", "DER"], key);
        der[der.len() - count..].to_vec()
    };
    let (modulus, point) = (tail(&rsa, 256 + 5)[..256].to_vec(), tail(&ec, 64));
    let keys = json!({"keys": [
        {"kty": "RSA", "kid": "a", "use": "sig", "n": text(&modulus), "e": "AQAB"},
        {"kty": "EC", "kid": "b", "crv": "P-256", "x": text(&point[..32]), "y": text(&point[32..])},
        {"kty": "OKP", "kid": "c", "crv": "Ed25519", "x": text(&tail(&ed25519, 32))},
    ]});
    let listed = Listed::jwks(keys.to_string().as_bytes()).unwrap();
    for key in [&rsa, &ec, &ed25519] {
        assert_eq!(verdict(key, &listed), Verdict::Active);
    }
    assert_eq!(verdict(&self::rsa(), &listed), Verdict::Retired);
}

#[test]
fn a_certificate_lists_its_key_in_pem_and_der() {
    let key = rsa();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &key).unwrap();
    let path = file.path().to_str().unwrap();
    let certificate =
        |form| openssl(&["req", "-x509", "-key", path, "-subj", "/CN=test", "-outform", form], b"");
    for form in ["PEM", "DER"] {
        let listed = Listed::certificates(&certificate(form)).unwrap();
        assert_eq!(verdict(&key, &listed), Verdict::Active);
        assert_eq!(verdict(&rsa(), &listed), Verdict::Retired);
    }
}

#[test]
fn an_encrypted_key_is_unknown() {
    let key = rsa();
    let listed = listed(&key);
    let passphrase = "pass:correct-horse";
    let pkcs8 = openssl(&["pkcs8", "-topk8", "-passout", passphrase], &key);
    let traditional = openssl(&["rsa", "-aes128", "-traditional", "-passout", passphrase], &key);
    for encrypted in [pkcs8, traditional] {
        assert_eq!(why(&encrypted, &listed), ENCRYPTED);
    }
}

#[test]
fn a_public_half_with_made_up_secrets_is_no_key() {
    let key = rsa();
    let mut der = openssl(&["rsa", "-traditional", "-outform", "DER"], &key);
    // Version, modulus, public and secret exponent stand first; a byte of the first prime behind them is changed.
    der[580] ^= 1;
    assert_eq!(why(BASE64_STANDARD.encode(der).as_bytes(), &listed(&key)), MISMATCHED);
}

#[test]
fn a_key_without_its_public_half_is_unknown() {
    let key = ec("prime256v1");
    let bare = openssl(&["ec", "-no_public"], &key);
    assert_eq!(why(&bare, &listed(&key)), NO_PUBLIC_HALF);
}

#[test]
fn what_is_damaged_is_unknown_wherever_it_is_cut() {
    let key = ec("prime256v1");
    let listed = listed(&key);
    let der = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &key);
    let label = "PRIVATE KEY";
    for end in 0..der.len() {
        let body = BASE64_STANDARD.encode(&der[..end]);
        why(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").as_bytes(), &listed);
        why(body.as_bytes(), &listed);
    }
    for text in [
        "",
        "no key",
        "-----BEGIN ",
        &format!("-----BEGIN {label}-----"),
        "\\",
        "-----BEGIN X----------END X",
    ] {
        why(text.as_bytes(), &listed);
    }
    assert!(why(&vec![b'A'; LONGEST + 1], &listed).contains("longer"));
}

#[test]
fn random_bytes_in_a_key_are_no_panic() {
    let key = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &ec("prime256v1"));
    let listed = listed(&ec("prime256v1"));
    let mut random = fastrand::Rng::with_seed(9);
    for _ in 0..2000 {
        let mut der = key.clone();
        let place = random.usize(..der.len());
        der[place] = random.u8(..);
        assert_ne!(verdict(BASE64_STANDARD.encode(der).as_bytes(), &listed), Verdict::Active);
    }
}

#[test]
fn a_document_that_lists_nothing_is_an_error_and_one_that_is_partly_unreadable_proves_no_absence() {
    let error = |document: &str| Listed::jwks(document.as_bytes()).unwrap_err();
    assert_eq!(error("<html>"), ListedError::NoJwks);
    assert_eq!(error("{\"keys\":[]}"), ListedError::Empty);
    assert_eq!(error("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"), ListedError::Empty);
    assert_eq!(error(&" ".repeat(2 * 1024 * 1024)), ListedError::TooLong);
    assert_eq!(Listed::certificates(b"no certificate").unwrap_err(), ListedError::NoCertificate);
    let partly = "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}";
    let listed = Listed::jwks(partly.as_bytes()).unwrap();
    assert!(why(&ed25519(), &listed).contains("that can be read"));
}
