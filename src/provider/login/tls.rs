//! TLS to a server: whom it trusts, and whether the certificate was verified.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::wire::{Stream, Trouble, Wire};

/// What a connection has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// TLS with a verified certificate, or no login.
    Required {
        /// Authorities as PEM; without, those that browsers trust.
        ca: Option<Vec<u8>>,
    },
    /// TLS where the server has it. Where its certificate is not verified, or there is no TLS, only such a method is answered that does
    /// not give the password away.
    Preferred {
        /// Authorities as PEM; without, those that browsers trust.
        ca: Option<Vec<u8>>,
    },
    /// No TLS, by the explicit wish of trusted config.
    Off,
}

impl Tls {
    /// By its word in config: `required`, `preferred` or `off`.
    pub fn named(word: &str, ca: Option<Vec<u8>>) -> Option<Self> {
        match word {
            "required" => Some(Self::Required { ca }),
            "preferred" => Some(Self::Preferred { ca }),
            "off" => Some(Self::Off),
            _ => None,
        }
    }

    /// Whether there is no login without.
    pub(super) fn is_required(&self) -> bool {
        matches!(self, Self::Required { .. })
    }

    fn authorities(&self) -> Option<&[u8]> {
        match self {
            Self::Required { ca } | Self::Preferred { ca } => ca.as_deref(),
            Self::Off => None,
        }
    }
}

/// The handshake, whole. Gives the stream, and whether the server's certificate was verified.
pub(super) fn shake_hands<S: Stream>(
    mut wire: Wire<S>,
    tls: &Tls,
    host: &str,
) -> Result<(StreamOwned<ClientConnection, Wire<S>>, bool), Trouble> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Trouble::Tls("the host is no name that a certificate could have".into()))?;
    let verifier = Arc::new(Verifier {
        strict: strict_verifier(tls)?,
        takes_anything: !tls.is_required(),
        has_verified: AtomicBool::new(false),
    });
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::Tls(in_our_words(&error).to_owned()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| Trouble::Tls(in_our_words(&error).to_owned()))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut wire)?;
    }
    Ok((StreamOwned::new(connection, wire), verifier.has_verified.load(Ordering::Relaxed)))
}

fn strict_verifier(tls: &Tls) -> Result<Arc<WebPkiServerVerifier>, Trouble> {
    let mut roots = RootCertStore::empty();
    match tls.authorities() {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| unreadable_authorities())?;
                roots.add(certificate).map_err(|_| unreadable_authorities())?;
            }
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
        .build()
        .map_err(|_| unreadable_authorities())
}

fn unreadable_authorities() -> Trouble {
    Trouble::Tls(
        "the file of authorities holds no certificate that can be read; give one or more in PEM".into(),
    )
}

/// Notes whether the certificate was verified, and takes one that was not where the target allows it.
#[derive(Debug)]
struct Verifier {
    strict: Arc<WebPkiServerVerifier>,
    takes_anything: bool,
    has_verified: AtomicBool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        self.has_verified.store(verdict.is_ok(), Ordering::Relaxed);
        if self.takes_anything { Ok(ServerCertVerified::assertion()) } else { verdict }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// The crate's own texts may hold names out of the server's certificate; these don't.
pub(super) fn in_our_words(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the server's certificate is by an authority that is not trusted; give its `ca` file"
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the server's certificate is for another name than the host's",
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the server's certificate has expired"
        }
        Error::InvalidCertificate(_) => "the server's certificate is not valid",
        Error::AlertReceived(_) => "the server refused the handshake",
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => "the server does not speak TLS",
        _ => "the handshake failed",
    }
}
