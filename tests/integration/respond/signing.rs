//! Signing keys: made in the form of the one before, and accepted for as long as they are published.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hekate::{
    inventory::{Algorithm, Signing},
    model::Secret,
    provider::offline::PublicKey,
    respond::{
        signing::{self, SigningError},
        target::{Accepts, Act, Birth, SigningKey, Target, Values},
    },
    store::{DotenvStore, SecretPath, Store},
};
use serde_json::json;

use super::verifier::{JwksServer, Verifier, pkcs8_of, sign};
use crate::infisical::http::PlainSender;

fn kind(algorithm: Algorithm, bits: Option<u32>) -> Signing {
    Signing {
        algorithm,
        bits,
        next_name: "JWT_SIGNING_KEY_V2".into(),
        next_public_name: "JWT_PUBLIC_KEY_V2".into(),
        grace: "15m".parse().expect("a period"),
        jwks_url: None,
    }
}

fn none() -> Secret {
    Secret::new("")
}

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is there");
    child.stdin.take().expect("a pipe").write_all(input).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {args:?}");
    output.stdout
}

fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose().to_vec()).expect("it is text")
}

/// A private key in PEM, made by openssl.
fn key(args: &[&str]) -> String {
    String::from_utf8(openssl(args, b"")).expect("PEM is text")
}

const EC: &[&str] = &["ecparam", "-name", "prime256v1", "-genkey", "-noout"];

#[test]
fn a_pair_of_every_algorithm_is_one_that_openssl_reads() {
    for (algorithm, bits, words) in [
        (Algorithm::Rs256, Some(2_048), "Private-Key: (2048 bit"),
        (Algorithm::Ps256, Some(3_072), "Private-Key: (3072 bit"),
        (Algorithm::Es256, None, "prime256v1"),
        (Algorithm::Es384, None, "secp384r1"),
        (Algorithm::EdDsa, None, "ED25519 Private-Key"),
    ] {
        let pair = signing::make(&kind(algorithm, bits), &none()).expect("it is made");
        let der = pkcs8_of(&pair.private);
        let shown = openssl(&["pkey", "-inform", "DER", "-noout", "-text"], &der);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.contains(words), "{algorithm}: {}", shown.lines().next().unwrap_or_default());
        let public = openssl(&["pkey", "-inform", "DER", "-pubout"], &der);
        assert_eq!(BASE64_STANDARD.decode(pair.public.expose()).expect("base64"), public, "{algorithm}");
        assert_eq!(signing::same_pair(&pair.private, &pair.public), Ok(true));
    }
}

#[test]
fn no_two_pairs_are_the_same() {
    let kind = kind(Algorithm::Es256, None);
    let [one, other] = [(); 2].map(|()| signing::make(&kind, &none()).expect("it is made"));
    assert_ne!(one.private, other.private);
    assert_eq!(signing::same_pair(&one.private, &other.public), Ok(false));
    assert_ne!(signing::public_of(&one.private), signing::public_of(&other.private));
}

#[test]
fn the_next_key_has_the_form_of_the_one_before() {
    let traditional = key(EC);
    let pkcs8 = key(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let escaped = |pem: &str| pem.replace('\n', "\\n");
    let lines = "-----BEGIN PRIVATE KEY-----\n";
    for (like, start, end) in [
        (pkcs8.clone(), lines, "-----\n"),
        (pkcs8.trim_end().to_owned(), lines, "KEY-----"),
        (traditional.clone(), "-----BEGIN EC PRIVATE KEY-----\n", "-----\n"),
        (escaped(&pkcs8), "-----BEGIN PRIVATE KEY-----\\n", "-----\\n"),
        (escaped(traditional.trim_end()), "-----BEGIN EC PRIVATE KEY-----\\n", "KEY-----"),
    ] {
        let pair = signing::make(&kind(Algorithm::Es256, None), &Secret::new(like)).expect("it is made");
        let private = text(&pair.private);
        assert!(private.starts_with(start) && private.ends_with(end), "{start}");
        let public = start.replace("EC PRIVATE", "PUBLIC").replace("PRIVATE", "PUBLIC");
        let made = text(&pair.public);
        assert!(made.starts_with(&public) && made.ends_with(end), "{made}");
        let pem = private.replace("\\n", "\n");
        assert!(!openssl(&["pkey", "-noout", "-text"], pem.as_bytes()).is_empty());
        assert_eq!(signing::same_pair(&pair.private, &pair.public), Ok(true));
    }
}

#[test]
fn base64_in_one_line_stays_base64_in_one_line() {
    let traditional = key(EC);
    let der = openssl(&["pkey", "-outform", "DER"], traditional.as_bytes());
    for (like, label) in [
        (BASE64_STANDARD.encode(&traditional), "-----BEGIN EC PRIVATE KEY-----"),
        (String::new(), "-----BEGIN PRIVATE KEY-----"),
    ] {
        let pair = signing::make(&kind(Algorithm::Es256, None), &Secret::new(like)).expect("it is made");
        let pem = BASE64_STANDARD.decode(pair.private.expose()).expect("base64 in one line");
        assert!(pem.starts_with(label.as_bytes()), "{label}");
        assert!(
            BASE64_STANDARD
                .decode(pair.public.expose())
                .expect("base64")
                .starts_with(b"-----BEGIN PUBLIC KEY-----")
        );
    }
    let like = Secret::new(BASE64_STANDARD.encode(der));
    let pair = signing::make(&kind(Algorithm::Es256, None), &like).expect("it is made");
    let made = BASE64_STANDARD.decode(pair.private.expose()).expect("base64 of DER");
    assert!(!openssl(&["pkey", "-inform", "DER", "-noout", "-text"], &made).is_empty());
    assert_eq!(signing::same_pair(&pair.private, &pair.public), Ok(true));
}

#[test]
fn rsa_follows_rsa_in_pkcs1() {
    let like = key(&["genrsa", "-traditional", "2048"]);
    assert!(like.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    let pair = signing::make(&kind(Algorithm::Rs256, Some(2_048)), &Secret::new(like)).expect("it is made");
    assert!(text(&pair.private).starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert!(!openssl(&["rsa", "-check", "-noout"], pair.private.expose()).is_empty());
    // Ed25519 has no form of its own, and takes PKCS#8.
    let next = signing::make(&kind(Algorithm::EdDsa, None), &pair.private).expect("it is made");
    assert!(text(&next.private).starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn an_encrypted_key_is_not_followed_in_clear_text() {
    let like = openssl(&["pkcs8", "-topk8", "-passout", "pass:hunter2"], key(EC).as_bytes());
    let made = signing::make(&kind(Algorithm::Es256, None), &Secret::new(like));
    assert_eq!(made.err(), Some(SigningError::Encrypted));
}

#[test]
fn what_is_no_key_has_no_public_half() {
    for junk in ["", "hunter2hunter2", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"] {
        let error = signing::public_of(&Secret::new(junk)).expect_err("it is none").to_string();
        assert!(error.starts_with("the private key can't be read"), "{error}");
        assert!(PublicKey::read(junk.as_bytes()).is_none());
    }
    let pair = signing::make(&kind(Algorithm::EdDsa, None), &none()).expect("it is made");
    assert_eq!(signing::same_pair(&pair.private, &Secret::new("hunter2")), Err(SigningError::Public));
}

/// The example of RFC 7638, section 3.1, and that of RFC 8037, appendix A.3.
#[test]
fn thumbprints_are_those_of_the_standards() {
    let n = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs",
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5ha",
        "jrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    );
    let n = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(n).expect("base64url");
    let modulus = pkcs8::der::asn1::UintRef::new(&n).expect("a number");
    let public_exponent = pkcs8::der::asn1::UintRef::new(&[1, 0, 1]).expect("a number");
    let der = pkcs8::der::Encode::to_der(&pkcs1::RsaPublicKeyRef { modulus, public_exponent }).expect("DER");
    let pem = format!(
        "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n",
        "RSA PUBLIC KEY",
        BASE64_STANDARD.encode(der)
    );
    let thumbprint = PublicKey::read(pem.as_bytes()).expect("a public key").thumbprint();
    assert_eq!(thumbprint.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    let x = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let head = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let der = [head.as_slice(), &x.expect("base64url")].concat();
    let key = PublicKey::read(BASE64_STANDARD.encode(&der).as_bytes()).expect("a public key");
    assert_eq!(key.thumbprint().as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    assert_eq!(key.to_der(), Some(der));
}

/// A store with a signing key, its verifier, and the JWKS of that.
struct World {
    folder: tempfile::TempDir,
    kind: Signing,
    old: Secret,
    server: JwksServer,
}

impl World {
    fn new(algorithm: Algorithm, bits: Option<u32>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("production")).expect("an environment");
        let old = signing::make(&kind(algorithm, bits), &none()).expect("it is made").private;
        let server = JwksServer::start(Verifier::new(folder.path(), "production", "/authentication"));
        let kind = Signing { jwks_url: Some(server.url()), ..kind(algorithm, bits) };
        let world = Self { folder, kind, old, server };
        world.put("JWT_SIGNING_KEY", &world.old);
        world
    }

    fn path(name: &str) -> SecretPath {
        SecretPath { environment: "production".into(), folder: "/authentication".into(), name: name.into() }
    }

    fn store(&self) -> DotenvStore {
        DotenvStore::open(self.folder.path()).expect("a store")
    }

    fn put(&self, name: &str, value: &Secret) {
        self.store().write(&Self::path(name), value, "").expect("it is stored");
    }

    fn remove(&self, name: &str) {
        assert_eq!(self.store().remove(&Self::path(name)), Ok(true));
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(self.folder.path(), "production", "/authentication")
    }
}

#[test]
fn blue_green_is_accepted_through_the_grace_period_and_not_after() {
    for (algorithm, bits) in [(Algorithm::Rs256, Some(2_048)), (Algorithm::Es256, None)] {
        let world = World::new(algorithm, bits);
        let (target, verifier) = (SigningKey::new(&world.kind, &PlainSender), world.verifier());
        assert_eq!(target.birth(), Birth::KeyPair(world.kind.clone()));
        assert!(target.overlaps());
        let old_token = sign(&world.old, &json!({"sub": "ada"}));
        let pair = signing::make(&world.kind, &world.old).expect("it is made");
        let new_token = sign(&pair.private, &json!({"sub": "ada"}));
        assert!(verifier.accepts(&old_token) && !verifier.accepts(&new_token));
        assert_eq!((target.accepts(&world.old), target.accepts(&pair.private)), (Accepts::Yes, Accepts::No));

        world.put("JWT_SIGNING_KEY_V2", &pair.private);
        world.put("JWT_PUBLIC_KEY_V2", &pair.public);
        assert!(verifier.accepts(&old_token) && verifier.accepts(&new_token));
        assert_eq!((target.accepts(&world.old), target.accepts(&pair.private)), (Accepts::Yes, Accepts::Yes));

        world.put("JWT_SIGNING_KEY", &pair.private);
        world.remove("JWT_SIGNING_KEY_V2");
        world.remove("JWT_PUBLIC_KEY_V2");
        assert!(!verifier.accepts(&old_token) && verifier.accepts(&new_token));
        assert_eq!((target.accepts(&world.old), target.accepts(&pair.private)), (Accepts::No, Accepts::Yes));
    }
}

#[test]
fn a_token_that_was_changed_is_refused() {
    let world = World::new(Algorithm::Es256, None);
    let token = sign(&world.old, &json!({"sub": "ada"}));
    let forged = sign(&world.old, &json!({"sub": "eve"}));
    let (body, seal) = (forged.rsplit_once('.').expect("parts").0, token.rsplit_once('.').expect("parts").1);
    assert!(world.verifier().accepts(&token) && !world.verifier().accepts(&format!("{body}.{seal}")));
}

#[test]
fn only_a_look_is_sent_for_a_signing_key() {
    let world = World::new(Algorithm::Es256, None);
    let target = SigningKey::new(&world.kind, &PlainSender);
    let values = Values { old: &world.old, new: None, incident: "INC-7" };
    assert_eq!(target.requests(Act::Check), Some(vec![format!("GET {}", world.server.url())]));
    assert_eq!(target.perform(Act::Check, &values), Ok(()));
    for act in [Act::Contain, Act::Release, Act::Introduce, Act::Withdraw, Act::Retire, Act::EndSessions] {
        assert_eq!(target.requests(act), None);
        assert_eq!(target.perform(act, &values), Ok(()));
    }
}

#[test]
fn nobody_can_tell_where_there_is_no_jwks() {
    let pair = signing::make(&kind(Algorithm::Es256, None), &none()).expect("it is made");
    let asked = |kind: &Signing| match SigningKey::new(kind, &PlainSender).accepts(&pair.private) {
        Accepts::Unknown(why) => why,
        other => panic!("not unknown but {other:?}"),
    };
    assert_eq!(asked(&kind(Algorithm::Es256, None)), "no `jwks_url` in the inventory");
    for (status, body, words) in [
        (404, "{}".to_owned(), "answers 404"),
        (302, String::new(), "answers 302"),
        (200, "<html>".to_owned(), "no JWKS"),
        (200, r#"{"keys":[]}"#.to_owned(), "lists no public key"),
        (200, r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#.to_owned(), "lists no public key"),
    ] {
        let server = JwksServer::answering(move || (status, body.clone()));
        let kind = Signing { jwks_url: Some(server.url()), ..kind(Algorithm::Es256, None) };
        let why = asked(&kind);
        assert!(why.contains(words), "{why}");
    }
    let gone = JwksServer::answering(|| (200, String::new())).url();
    let why = asked(&Signing { jwks_url: Some(gone), ..kind(Algorithm::Es256, None) });
    assert!(why.starts_with("connect to 127.0.0.1"), "{why}");
}

#[test]
fn a_jwks_with_keys_that_cant_be_read_says_nothing_of_what_it_lacks() {
    let world = World::new(Algorithm::Es256, None);
    let mut document = world.verifier().jwks();
    document["keys"].as_array_mut().expect("a list").push(json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}));
    let body = document.to_string();
    let server = JwksServer::answering(move || (200, body.clone()));
    let kind = Signing { jwks_url: Some(server.url()), ..world.kind.clone() };
    let target = SigningKey::new(&kind, &PlainSender);
    assert_eq!(target.accepts(&world.old), Accepts::Yes);
    let other = signing::make(&kind, &none()).expect("it is made").private;
    assert!(matches!(target.accepts(&other), Accepts::Unknown(why) if why.contains("can't be compared")));
}

#[test]
fn a_key_of_4096_bits_is_made_in_seconds() {
    let start = std::time::Instant::now();
    let pair = signing::make(&kind(Algorithm::Rs256, Some(4_096)), &none()).expect("it is made");
    let took = start.elapsed();
    assert_eq!(signing::same_pair(&pair.private, &pair.public), Ok(true));
    assert!(took.as_secs() < 60, "{took:?}");
}
