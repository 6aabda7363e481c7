//! A node's own certificate.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::model::Node;
use crate::sim::SimError;

/// What a node shows to those that connect from now on.
pub(crate) struct Shown {
    config: Mutex<(Arc<ServerConfig>, String)>,
    name: String,
}

impl Shown {
    /// Shows the certificate that is kept for a node, or makes one and keeps it there.
    pub(crate) fn of(name: &str, node: &mut Node) -> Result<Self, SimError> {
        if node.certificate.is_empty() {
            let (certificate, key) = make(name)?;
            node.certificate = certificate;
            node.key = key;
        }
        let config = load(&node.certificate, &node.key)?;
        node.fingerprint.clone_from(&config.1);
        Ok(Self { config: Mutex::new(config), name: name.to_owned() })
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// SHA-256 of the certificate, `1A:A5:…`.
    pub(crate) fn fingerprint(&self) -> String {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Shows another one from now on.
    pub(crate) fn replace(&self) -> Result<(), SimError> {
        let (certificate, key) = make(&self.name)?;
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = load(&certificate, &key)?;
        Ok(())
    }
}

fn make(name: &str) -> Result<(String, String), SimError> {
    let names = vec![name.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| SimError::Certificate(error.to_string()))?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

fn load(certificate: &str, key: &str) -> Result<(Arc<ServerConfig>, String), SimError> {
    let broken = |error: rustls_pki_types::pem::Error| SimError::Certificate(error.to_string());
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(broken)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(broken)?;
    let fingerprint =
        Sha256::digest(&certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    // No ALPN: the real one speaks HTTP/1.1 and does not negotiate.
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| SimError::Certificate(error.to_string()))?;
    Ok((Arc::new(config), fingerprint))
}
