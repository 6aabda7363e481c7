//! TLS of the server itself, and certificates that change while it runs.

use std::path::Path;
use std::sync::Arc;

use api::Tls;
use reqwest::Client;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{How, TestApp};

/// A fresh certificate in `directory`; its PEM.
fn certify(directory: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    std::fs::write(directory.join("key.pem"), key).unwrap();
    std::fs::write(directory.join("cert.pem"), &certificate).unwrap();
    certificate
}

async fn secured(directory: &Path) -> (TestApp, Arc<Tls>) {
    let tls = Tls::load(&directory.join("cert.pem"), &directory.join("key.pem")).unwrap();
    let settings = api::Settings { workers: 2, tls: Some(tls.clone()), ..api::Settings::default() };
    (TestApp::how(How { settings, ..How::default() }).await, tls)
}

/// Trusts this certificate alone.
async fn connect(app: &TestApp, trusted: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(app.url.trim_start_matches("https://")).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_speaks_tls_and_http_2_over_it() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = certify(directory.path());
    let (app, _) = secured(directory.path()).await;
    let port = app.url.rsplit_once(':').unwrap().1.to_owned();
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap()])
        .build()
        .unwrap();
    let response = client.get(format!("https://localhost:{port}/v1/me")).bearer_auth(&app.token).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
    assert!(response.headers().contains_key("strict-transport-security"));
    let plain =
        Client::builder().no_proxy().build().unwrap().get(format!("http://localhost:{port}/livez")).send().await;
    assert!(plain.is_err(), "nothing is answered without it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_for_new_connections_and_drops_none() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let (app, _) = secured(directory.path()).await;
    let mut open = connect(&app, &first).await.unwrap();
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 200"));

    let second = certify(directory.path());
    let itself = std::process::id().to_string();
    // The server looks by itself too; this is quicker.
    assert!(std::process::Command::new("kill").args(["-HUP", &itself]).status().unwrap().success());
    let mut fresh = loop {
        if let Ok(stream) = connect(&app, &second).await {
            break stream;
        }
        tokio::task::yield_now().await;
    };
    assert!(ask(&mut fresh).await.starts_with("HTTP/1.1 200"));
    assert!(connect(&app, &first).await.is_err(), "the old one is shown to nobody any more");
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 200"), "who was there goes on");

    // The same without a word to the process, as most tools that renew certificates do.
    let third = certify(directory.path());
    let mut fresh = loop {
        if let Ok(stream) = connect(&app, &third).await {
            break stream;
        }
        tokio::task::yield_now().await;
    };
    assert!(ask(&mut fresh).await.starts_with("HTTP/1.1 200"));
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 200"), "who was there goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_can_not_be_used_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let (app, tls) = secured(directory.path()).await;
    let (key, other) = (std::fs::read(directory.path().join("key.pem")).unwrap(), tempfile::tempdir().unwrap());
    certify(other.path());
    std::fs::copy(other.path().join("cert.pem"), directory.path().join("cert.pem")).unwrap();
    let refused = tls.reload().unwrap_err().to_string();
    assert!(refused.contains("is not the key of the certificate"), "{refused}");
    std::fs::write(directory.path().join("cert.pem"), "").unwrap();
    assert!(tls.reload().unwrap_err().to_string().contains("no certificate in PEM"));
    std::fs::remove_file(directory.path().join("cert.pem")).unwrap();
    assert!(tls.reload().unwrap_err().to_string().contains("can't be read"));
    assert!(ask(&mut connect(&app, &first).await.unwrap()).await.starts_with("HTTP/1.1 200"));
    std::fs::write(directory.path().join("key.pem"), key).unwrap();
    std::fs::write(directory.path().join("cert.pem"), &first).unwrap();
    assert!(tls.reload().unwrap(), "it is back");
    assert!(!tls.reload().unwrap(), "and nothing new");
}
