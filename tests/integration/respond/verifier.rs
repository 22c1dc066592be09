//! A consumer of tokens, as small as one can be: it knows the public halves of the signing keys that lie in a store, publishes them as a JWKS, and
//! accepts what any of them has signed.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use hekate::{
    model::Secret,
    provider::offline::PublicKey,
    respond::signing,
    store::{DotenvStore, SecretPath, Store},
};
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef, der::Decode};
use ring::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey},
};
use serde_json::{Value, json};

/// The service: where its secrets lie.
#[derive(Clone)]
pub(crate) struct Verifier {
    store: PathBuf,
    environment: String,
    folder: String,
}

impl Verifier {
    /// One that reads the signing key, the next one and the public half of that from a folder of a dotenv store, anew for each token.
    pub(crate) fn new(store: &Path, environment: &str, folder: &str) -> Self {
        Self { store: store.to_owned(), environment: environment.into(), folder: folder.into() }
    }

    fn read(&self, name: &str) -> Option<Secret> {
        let path = SecretPath {
            environment: self.environment.clone(),
            folder: self.folder.clone(),
            name: name.into(),
        };
        let store = DotenvStore::open(&self.store).expect("a store");
        store.read(&path, None).expect("the store can be read").map(|stored| stored.value)
    }

    /// The public keys that it accepts now.
    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        let private =
            |name: &str| self.read(name).map(|key| signing::public_of(&key).expect("a private key"));
        let public =
            |name: &str| self.read(name).map(|key| PublicKey::read(key.expose()).expect("a public key"));
        let mut keys: Vec<PublicKey> = Vec::new();
        for key in [private("JWT_SIGNING_KEY"), private("JWT_SIGNING_KEY_V2"), public("JWT_PUBLIC_KEY_V2")] {
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
        keys
    }

    /// Whether it accepts a token: RS256 and ES256, signed by any of its keys.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        let (signed, seal) = token.rsplit_once('.').expect("a token has three parts");
        let seal = BASE64_URL_SAFE_NO_PAD.decode(seal).expect("a signature in base64url");
        let head =
            BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').next().expect("a header")).expect("base64url");
        let head: Value = serde_json::from_slice(&head).expect("a header is JSON");
        let algorithm: &'static dyn signature::VerificationAlgorithm = match head["alg"].as_str() {
            Some("RS256") => &signature::RSA_PKCS1_2048_8192_SHA256,
            Some("ES256") => &signature::ECDSA_P256_SHA256_FIXED,
            other => panic!("a token of {other:?}"),
        };
        let fits = |key: PublicKey| {
            let der = key.to_der().expect("a whole key");
            UnparsedPublicKey::new(algorithm, bits(&der)).verify(signed.as_bytes(), &seal).is_ok()
        };
        self.keys().into_iter().any(fits)
    }

    /// Its keys as a JWKS document.
    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": self.keys().iter().map(jwk).collect::<Vec<_>>()})
    }
}

/// The bits of a public key: PKCS#1, or a point.
fn bits(spki: &[u8]) -> Vec<u8> {
    let key = SubjectPublicKeyInfoRef::from_der(spki).expect("a public key");
    key.subject_public_key.as_bytes().expect("whole bytes").to_vec()
}

fn jwk(key: &PublicKey) -> Value {
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (kid, bits) = (key.thumbprint(), bits(&key.to_der().expect("a whole key")));
    if let Ok(rsa) = pkcs1::RsaPublicKeyRef::from_der(&bits) {
        let (n, e) = (text(rsa.modulus.as_bytes()), text(rsa.public_exponent.as_bytes()));
        return json!({"kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": e});
    }
    match bits.len() {
        32 => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": text(&bits)}),
        length => {
            let (curve, (x, y)) =
                (if length == 65 { "P-256" } else { "P-384" }, bits[1..].split_at(length / 2));
            json!({"kty": "EC", "crv": curve, "kid": kid, "x": text(x), "y": text(y)})
        }
    }
}

/// The PKCS#8 of a private key as the usual form has it: the base64 of PEM.
pub(crate) fn pkcs8_of(private: &Secret) -> Vec<u8> {
    let pem = BASE64_STANDARD.decode(private.expose()).expect("base64 in one line");
    let pem = String::from_utf8(pem).expect("PEM is text");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(body).expect("PEM is base64")
}

/// A token with these claims, signed by a private key in the usual form: RS256 by an RSA key, ES256 by one of P-256.
pub(crate) fn sign(private: &Secret, claims: &Value) -> String {
    let key = pkcs8_of(private);
    let parsed = PrivateKeyInfoRef::from_der(&key).expect("PKCS#8");
    let is_rsa = pkcs1::RsaPrivateKeyRef::from_der(parsed.private_key.as_bytes()).is_ok();
    let head = json!({"alg": if is_rsa { "RS256" } else { "ES256" }, "typ": "JWT"});
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(claims));
    let random = SystemRandom::new();
    let seal = if is_rsa {
        let key = RsaKeyPair::from_pkcs8(&key).expect("an RSA key");
        let mut seal = vec![0; key.public().modulus_len()];
        key.sign(&signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut seal).expect("it signs");
        seal
    } else {
        let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(kind, &key, &random).expect("a key of P-256");
        key.sign(&random, signed.as_bytes()).expect("it signs").as_ref().to_vec()
    };
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(seal))
}

/// The verifier's JWKS over HTTP, on a port of its own, until it is dropped.
pub(crate) struct JwksServer {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl JwksServer {
    /// It answers with what the verifier knows at that time.
    pub(crate) fn start(verifier: Verifier) -> Self {
        Self::answering(move || (200, verifier.jwks().to_string()))
    }

    /// It answers with any status and body.
    pub(crate) fn answering(answer: impl Fn() -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let is_over = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if theirs.load(Ordering::SeqCst) {
                    return;
                }
                // A peer that hangs up is its own business.
                drop(stream.and_then(|stream| answer_one(&stream, &answer())));
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }

    /// Where the document is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }
}

fn answer_one(mut stream: &TcpStream, (status, body): &(u16, String)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && line != "\r\n" {
        line.clear();
    }
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {length}");
    write!(stream, "{head}\r\nconnection: close\r\n\r\n{body}")
}

impl Drop for JwksServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes it up, to see that.
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the server's thread has panicked");
    }
}
