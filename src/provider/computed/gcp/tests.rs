use super::*;
use crate::provider::Role;

/// A DER value: a tag, a length, what is in it.
fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = match content.len() {
        short @ 0..=0x7f => vec![short as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [vec![tag], length, content].concat()
}

fn integer(byte: u8, length: usize) -> Vec<u8> {
    der(2, &[vec![byte; length]])
}

fn rsa() -> Vec<u8> {
    let oid = der(6, &[vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]]);
    der(0x30, &[oid, der(5, &[])])
}

/// A private key whose modulus is made of one byte: no key that would work, and of the form of one.
fn private_key(byte: u8) -> Secret {
    let parts = [3, 5, 7, 11, 13, 17].map(|small| integer(small, 16));
    let key = der(0x30, &[vec![integer(0, 1), integer(byte, 256), integer(3, 1)], parts.to_vec()].concat());
    let der = der(0x30, &[integer(0, 1), rsa(), der(4, &[key])]);
    let body = STANDARD.encode(der);
    Secret::new(format!("-----BEGIN {0}-----\\n{body}\\n-----END {0}-----\\n", "PRIVATE KEY"))
}

fn certificate(byte: u8) -> String {
    let public = der(0x30, &[integer(byte, 256), integer(3, 1)]);
    let time = || der(0x17, &[b"260101000000Z".to_vec()]);
    let bits = |inside: Vec<u8>| der(3, &[vec![0], inside]);
    let tbs = der(
        0x30,
        &[
            der(0xa0, &[integer(2, 1)]),
            integer(1, 8),
            rsa(),
            der(0x30, &[]),
            der(0x30, &[time(), time()]),
            der(0x30, &[]),
            der(0x30, &[rsa(), bits(public)]),
        ],
    );
    let body = STANDARD.encode(der(0x30, &[tbs, rsa(), bits(vec![1; 8])]));
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn compared(value: &Secret, status: u16, body: &str) -> Outcome {
    let companions = vec![(Role::Email, Secret::new("app@example.iam.gserviceaccount.com"))];
    let credential = Credential { rule: "gcp-service-account-key", value, companions };
    compare(&credential, &Answer { status, headers: Vec::new(), body: Secret::new(body) })
}

fn listing(bytes: &[u8]) -> String {
    let entry = |byte: &u8| (format!("key{byte}"), Value::from(certificate(*byte)));
    Value::Object(bytes.iter().map(entry).collect()).to_string()
}

#[test]
fn a_key_is_active_while_its_public_half_is_listed() {
    let key = private_key(0x55);
    assert_eq!(compared(&key, 200, &listing(&[0x33, 0x55])).verdict, Verdict::Active);
    assert_eq!(compared(&key, 200, &listing(&[0x33])).verdict, Verdict::Inactive);
}

#[test]
fn what_is_no_listing_says_nothing() {
    let key = private_key(0x55);
    for (status, body) in [
        (200, "{}"),
        (200, "<html>login</html>"),
        (200, r#"{"key": "no certificate"}"#),
        (200, r#"{"error": {"code": 404}}"#),
        (200, ""),
        (404, r#"{"error": {"code": 404}}"#),
        (429, "{}"),
    ] {
        assert!(matches!(compared(&key, status, body).verdict, Verdict::Unknown(_)), "{status} {body}");
    }
}

#[test]
fn a_private_key_that_cannot_be_parsed_is_unknown() {
    let broken = Secret::new(format!("-----BEGIN {0}-----\\nAAAA\\n-----END {0}-----", "PRIVATE KEY"));
    assert!(matches!(compared(&broken, 200, &listing(&[0x55])).verdict, Verdict::Unknown(_)));
}
