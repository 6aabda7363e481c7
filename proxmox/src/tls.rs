//! TLS to a host that signs its own certificate: one pinned leaf is trusted, nothing else is, and there is no switch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::endpoint::Address;
use crate::fingerprint::Fingerprint;

/// The host showed a certificate that is not the pinned one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the certificate has changed: pinned {expected}, shown {actual}. If you renewed it, register the new fingerprint; if not, somebody may stand between"
)]
pub struct CertificateChanged {
    pub expected: Fingerprint,
    pub actual: Fingerprint,
}

/// What a host shows before anybody trusts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub fingerprint: Fingerprint,
    pub subject: String,
    pub issuer: String,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    #[error("{address} cannot be reached: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("{address} does not speak TLS as Proxmox VE does: {reason}")]
    Tls { address: String, reason: String },
}

/// Shows the certificate of `host:port`. Nothing is sent, and nothing is trusted by it.
pub async fn learn_fingerprint(host: &str, port: u16) -> Result<Certificate, LearnError> {
    let address = format!("{host}:{port}");
    let tls = |reason: String| LearnError::Tls { address: address.clone(), reason };
    let shown = Arc::new(std::sync::Mutex::new(None));
    let config =
        config(Arc::new(Learner { shown: shown.clone(), provider: provider() })).map_err(|e| tls(e.to_string()))?;
    let handshake = async {
        let tcp = TcpStream::connect((host, port))
            .await
            .map_err(|e| LearnError::Unreachable { address: address.clone(), reason: e.to_string() })?;
        // The learner refuses every certificate, so this never becomes a connection.
        Ok::<_, LearnError>(TlsConnector::from(Arc::new(config)).connect(name(host), tcp).await.err())
    };
    let refused = tokio::time::timeout(Duration::from_secs(10), handshake)
        .await
        .map_err(|_| LearnError::Unreachable { address: address.clone(), reason: "no answer within 10 s".into() })??;
    let shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let der = shown.ok_or_else(|| tls(refused.map_or("no certificate was shown".into(), |e| e.to_string())))?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|e| tls(e.to_string()))?;
    Ok(Certificate {
        fingerprint: Fingerprint::of(&der),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

/// What accepts the pinned certificate alone.
pub(crate) fn pinned(fingerprint: Fingerprint) -> Result<ClientConfig, rustls::Error> {
    config(Arc::new(Pinned { fingerprint, provider: provider() }))
}

/// A pinned connection for the websocket.
pub(crate) async fn connect(address: &Address) -> std::io::Result<TlsStream<TcpStream>> {
    let config = pinned(address.fingerprint).map_err(std::io::Error::other)?;
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tcp.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config)).connect(name(&address.host), tcp).await
}

/// Looks for [`CertificateChanged`] in what an HTTP library made of it.
pub(crate) fn changed(error: &(dyn std::error::Error + 'static)) -> Option<CertificateChanged> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::Other(OtherError(other))) = error.downcast_ref::<rustls::Error>() {
            return other.downcast_ref::<CertificateChanged>().copied();
        }
        // An io::Error hides the error it wraps: its source is the source of that.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|e| e as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// The name is for SNI only: who the host is, its fingerprint says.
fn name(host: &str) -> ServerName<'static> {
    ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .unwrap_or(ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into()))
}

struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({})", self.fingerprint)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let actual = Fingerprint::of(leaf);
        if actual == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        let changed = CertificateChanged { expected: self.fingerprint, actual };
        Err(rustls::Error::Other(OtherError(Arc::new(changed))))
    }

    // The signature proves that the host has the key of the certificate we pinned; without it the pin would be a picture.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

struct Learner {
    shown: Arc<std::sync::Mutex<Option<Vec<u8>>>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Learner")
    }
}

impl ServerCertVerifier for Learner {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(leaf.to_vec());
        Err(rustls::Error::General("the certificate is only looked at".into()))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("the certificate is only looked at".into()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("the certificate is only looked at".into()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
