//! Whom TLS trusts, and what it says when it does not.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::DriverError;
use crate::model::Secret;

/// A file of certificates that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the CA file {0}")]
pub struct RootsError(String);

/// What a server with a CA of its own wants beside the usual. By default nothing.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Only the extra roots are trusted, and not those that browsers trust.
    pub only_extra_roots: bool,
    /// The certificate by which the server knows who asks.
    pub identity: Option<ClientIdentity>,
    /// The name that the server's certificate is for, where that is not its host.
    pub server_name: Option<String>,
}

/// A client's certificate with its key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, and those that lead from it to its CA.
    pub chain: Vec<u8>,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Secret,
}

/// A client certificate that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client certificate can't be used: {0}")]
pub struct IdentityError(&'static str);

impl ClientIdentity {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.chain).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            _ => Err(IdentityError("there is no certificate in PEM (-----BEGIN CERTIFICATE----- …)")),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, IdentityError> {
        let none = IdentityError("there is no private key in PEM that is not encrypted");
        PrivateKeyDer::from_pem_slice(self.key.expose()).map_err(|_| none)
    }
}

/// A client that trusts the roots that browsers trust, and those of a PEM file beside them (empty: none). It always verifies.
///
/// # Errors
/// That the text holds no certificate, or one that can't be used.
pub fn tls_client(extra_roots: &[u8]) -> Result<Arc<ClientConfig>, RootsError> {
    let roots = roots(extra_roots, false)?;
    Ok(Arc::new(builder(roots).with_no_client_auth()))
}

/// The same by options; the name of the server is for who opens connections.
pub(super) fn client(extra_roots: &[u8], options: &TlsOptions) -> Result<Arc<ClientConfig>, DriverError> {
    let builder = builder(roots(extra_roots, options.only_extra_roots)?);
    let Some(identity) = &options.identity else { return Ok(Arc::new(builder.with_no_client_auth())) };
    let config = builder
        .with_client_auth_cert(identity.chain()?, identity.key()?)
        .map_err(|_| IdentityError("certificate and key don't fit"))?;
    Ok(Arc::new(config))
}

type NextClient = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn builder(roots: RootCertStore) -> NextClient {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for every version")
        .with_root_certificates(roots)
}

fn roots(extra_roots: &[u8], only_these: bool) -> Result<RootCertStore, RootsError> {
    let usual = if only_these { Vec::new() } else { webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut roots = RootCertStore { roots: usual };
    if !extra_roots.is_empty() {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(extra_roots) {
            let certificate = certificate.map_err(|_| RootsError("is not PEM".into()))?;
            roots
                .add(certificate)
                .map_err(|error| RootsError(format!("has a certificate that can't be used: {error}")))?;
        }
        if roots.len() == before {
            return Err(RootsError("has no certificate in it (-----BEGIN CERTIFICATE----- …)".into()));
        }
    }
    Ok(roots)
}

/// What a failed handshake means to the user. Nothing in it comes from the other side.
pub(super) fn said_of(error: &rustls::Error) -> String {
    let certificate = match error {
        rustls::Error::InvalidCertificate(certificate) => certificate,
        rustls::Error::InvalidMessage(_) => return "it does not speak TLS".into(),
        rustls::Error::AlertReceived(_) => return "it refused the TLS handshake".into(),
        _ => return "the TLS handshake failed".into(),
    };
    match certificate {
        CertificateError::UnknownIssuer => {
            "nobody that is trusted signed its certificate; for a CA of your own give its file as `ca-file`"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate is expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is that of another host"
        }
        CertificateError::Revoked => "its certificate is revoked",
        _ => "its certificate is not valid",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_has_to_hold_certificates() {
        assert!(tls_client(b"").is_ok());
        assert_eq!(
            tls_client(b"nothing of the kind").unwrap_err().to_string(),
            "the CA file has no certificate in it (-----BEGIN CERTIFICATE----- …)"
        );
        let broken = format!("-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n", "CERTIFICATE");
        assert!(tls_client(broken.as_bytes()).is_err());
    }
}
