//! A TLS server that answers what a test says and keeps what it was asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "test code, of which each test uses a part"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proxmox::{Address, Auth, Client, Endpoint, Fingerprint, Limits};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Without `/api2/json`, still escaped.
    pub path: String,
    pub params: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

pub enum Reply {
    Answer(u16, String, String),
    /// The connection ends without an answer.
    Drop,
}

pub fn data(json: &str) -> Reply {
    Reply::Answer(200, "OK".into(), format!("{{\"data\":{json}}}"))
}

pub struct Host {
    pub address: Address,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Host {
    pub async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let key = rcgen::generate_simple_self_signed(vec!["pve1".into()]).unwrap();
        let leaf = key.cert.der().clone();
        let fingerprint = Fingerprint::of(&leaf);
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port(), fingerprint };
        let (acceptor, seen) = (TlsAcceptor::from(Arc::new(config)), Arc::new(Mutex::new(Vec::new())));
        let (kept, answer, count) = (seen.clone(), Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let server = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, kept, answer, count) = (acceptor.clone(), kept.clone(), answer.clone(), count.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let mut stream = BufReader::new(tls);
                    while let Some(seen) = read(&mut stream).await {
                        let reply = answer(&seen, count.fetch_add(1, Ordering::SeqCst));
                        kept.lock().unwrap().push(seen);
                        let Reply::Answer(status, reason, body) = reply else { return };
                        let text =
                            format!("HTTP/1.1 {status} {reason}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                        if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, seen, server }
    }

    pub fn client(&self) -> Client {
        client(vec![self.address.clone()], token())
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|s| format!("{} {}", s.method, s.path)).collect()
    }
}

pub fn token() -> Auth {
    Auth::Token { id: "root@pam!t1".into(), secret: "s3cr3t-value".into() }
}

pub fn client(addresses: Vec<Address>, auth: Auth) -> Client {
    Client::new(Endpoint { name: "rack".into(), addresses, auth, limits: Limits::default() }).unwrap()
}

async fn read(stream: &mut (impl AsyncBufReadExt + AsyncReadExt + Unpin)) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    assert!(!headers.iter().any(|(n, _)| n == "transfer-encoding"), "pveproxy refuses chunks");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    assert!(body.is_empty() || method == "POST" || method == "PUT", "{method} with a body is refused");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    assert!(query.is_empty() || body.is_empty(), "parameters in two places");
    let places = [query, &body];
    let params = places.iter().flat_map(|text| text.split('&')).filter(|pair| !pair.is_empty());
    let params = params.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (decode(name), decode(value))
    });
    Some(Seen { method, path: path.strip_prefix("/api2/json").unwrap().into(), params: params.collect(), headers })
}

/// As pveproxy does it: a plus is a space.
pub fn decode(text: &str) -> String {
    let (mut out, bytes, mut at) = (Vec::new(), text.as_bytes(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
                at += 2;
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap()
}
