//! Whom TLS trusts, and what it says when it does not.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// A file of certificates that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the CA file {0}")]
pub struct RootsError(String);

/// A client that trusts the roots that browsers trust, and those of a PEM file beside them (empty: none). It always verifies.
///
/// # Errors
/// That the text holds no certificate, or one that can't be used.
pub fn tls_client(extra_roots: &[u8]) -> Result<Arc<ClientConfig>, RootsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
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
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for every version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
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
