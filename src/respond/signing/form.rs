//! How keys are written: in the form of the one before, so that whoever reads it can read the next one too.

use base64::{Engine, prelude::BASE64_STANDARD};
use pkcs8::{LineEnding, SecretDocument, der::pem::encode_string};
use zeroize::Zeroizing;

use super::SigningError;
use crate::{model::Secret, provider::offline::pem};

/// What a value looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outer {
    /// The base64, in one line, of a PEM text.
    Base64OfPem,
    /// A PEM text.
    Pem,
    /// A PEM text with `\n` for each line break.
    Escaped,
    /// The base64, in one line, of DER.
    Base64OfDer,
}

/// The form of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    outer: Outer,
    /// PKCS#1 or SEC 1, where the algorithm has such; else PKCS#8.
    pub(super) is_traditional: bool,
    /// A line break stands at the end of PEM, as files have it.
    ends_in_break: bool,
}

/// The manager's rule for JWT_SIGNING_KEY.
const USUAL: Form = Form { outer: Outer::Base64OfPem, is_traditional: false, ends_in_break: true };

impl Form {
    /// That of a key; the usual one where it is no key.
    pub(super) fn of(like: &Secret) -> Result<Self, SigningError> {
        let blocks = pem::blocks(like.expose());
        let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
            return Ok(Self::of_der(like));
        };
        if block.is_encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(SigningError::Encrypted);
        }
        let text = like.expose();
        let has = |needle: &[u8]| memchr::memmem::find(text, needle).is_some();
        let (outer, ends_in_break) = if !has(b"-----BEGIN ") {
            let inner = pem::decode(text);
            (Outer::Base64OfPem, inner.is_none_or(|inner| inner.expose().ends_with(b"\n")))
        } else if has(br"\n") && !text.trim_ascii_end().contains(&b'\n') {
            (Outer::Escaped, text.trim_ascii_end().ends_with(br"\n"))
        } else {
            (Outer::Pem, text.ends_with(b"\n"))
        };
        Ok(Self { outer, is_traditional: block.label != "PRIVATE KEY", ends_in_break })
    }

    fn of_der(like: &Secret) -> Self {
        let der = pem::decode(like.expose());
        let is_key =
            |der: &Secret| super::public_of(&Secret::new(BASE64_STANDARD.encode(der.expose()))).is_ok();
        match der.filter(is_key) {
            Some(der) => Self {
                outer: Outer::Base64OfDer,
                is_traditional: pkcs8::PrivateKeyInfoRef::try_from(der.expose()).is_err(),
                ends_in_break: false,
            },
            None => USUAL,
        }
    }

    /// A private key in this form.
    pub(super) fn private(
        self,
        label: &'static str,
        der: &SecretDocument,
    ) -> Result<Secret, pkcs8::der::Error> {
        if self.outer == Outer::Base64OfDer {
            return Ok(in_base64(der.as_bytes()));
        }
        Ok(self.wrap(&der.to_pem(label, LineEnding::LF)?))
    }

    /// A public key in the same.
    pub(super) fn public(self, der: &[u8]) -> Option<Secret> {
        match self.outer {
            Outer::Base64OfDer => Some(in_base64(der)),
            _ => encode_string("PUBLIC KEY", LineEnding::LF, der).ok().map(|pem| self.wrap(&pem)),
        }
    }

    fn wrap(self, pem: &str) -> Secret {
        let pem = if self.ends_in_break { pem } else { pem.trim_end() };
        match self.outer {
            Outer::Escaped => Secret::new(pem.replace('\n', "\\n")),
            Outer::Base64OfPem => in_base64(pem.as_bytes()),
            Outer::Pem | Outer::Base64OfDer => Secret::new(pem),
        }
    }
}

/// With padding, in one line.
fn in_base64(bytes: &[u8]) -> Secret {
    // With room for all of it, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(vec![0; bytes.len().div_ceil(3) * 4]);
    let written = BASE64_STANDARD.encode_slice(bytes, &mut text).unwrap_or_default();
    Secret::new(&text[..written])
}
