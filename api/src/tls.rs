//! TLS with a certificate that may be exchanged while the server runs: new connections get the new one, and those that
//! are open go on with the old.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto::ring};
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The certificate in its file, and its key in another; both PEM.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    now: RwLock<Now>,
}

#[derive(Debug)]
struct Now {
    /// Of what the files held when they were read last, fit or not.
    seen: [u8; 32],
    shown: Arc<CertifiedKey>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path} can't be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} holds no {wanted} in PEM: {source}")]
    Pem { path: PathBuf, wanted: &'static str, source: rustls::pki_types::pem::Error },
    #[error("{key} is not the key of the certificate in {certificate}, or can't be used: {source}")]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

struct Files {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Tls {
    /// # Errors
    /// When a file can't be read, or they do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let files = Files::read(&certificate, &key)?;
        let now = RwLock::new(Now { seen: files.digest(), shown: Arc::new(files.pair(&certificate, &key)?) });
        Ok(Arc::new(Self { certificate, key, now }))
    }

    /// Whether there was something new. What does not fit is told once, and the old goes on.
    ///
    /// # Errors
    /// When what is new can't be used.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let files = Files::read(&self.certificate, &self.key)?;
        let seen = files.digest();
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if now.seen == seen {
            return Ok(false);
        }
        now.seen = seen;
        now.shown = Arc::new(files.pair(&self.certificate, &self.key)?);
        Ok(true)
    }

    /// # Errors
    /// When rustls has no version to speak.
    pub(crate) fn config(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let clients = versions.with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(clients.with_cert_resolver(self.clone()))
    }

    /// Looks for new files now and again, and at once on SIGHUP.
    pub(crate) async fn watch(self: Arc<Self>, until: CancellationToken) {
        let mut asked = signal(SignalKind::hangup()).ok();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = until.cancelled() => return,
                _ = look.tick() => {}
                _ = async { match &mut asked { Some(asked) => asked.recv().await, None => std::future::pending().await } } => {}
            }
            let (tls, path) = (self.clone(), self.certificate.clone());
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(true)) => {
                    tracing::info!(tls.certificate = %path.display(), "new connections get the new certificate")
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the new certificate can't be used, the old one goes on"),
                Err(error) => tracing::error!(%error, "looking for a new certificate failed"),
            }
        }
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.read().unwrap_or_else(PoisonError::into_inner).shown.clone())
    }
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source });
        Ok(Self { certificate: read(certificate)?, key: Zeroizing::new(read(key)?) })
    }

    fn digest(&self) -> [u8; 32] {
        let parts = [Sha256::digest(&self.certificate), Sha256::digest(&*self.key)];
        Sha256::digest(parts.concat()).into()
    }

    fn pair(&self, certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
        let pem = |path: &Path, wanted| {
            let path = path.to_owned();
            move |source| TlsError::Pem { path, wanted, source }
        };
        let chain = CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.and_then(|chain| match chain.is_empty() {
            true => Err(rustls::pki_types::pem::Error::NoItemsFound),
            false => Ok(chain),
        });
        let chain = chain.map_err(pem(certificate, "certificate"))?;
        let secret = PrivateKeyDer::from_pem_slice(&self.key).map_err(pem(key, "private key"))?;
        CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|source| TlsError::Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        })
    }
}
