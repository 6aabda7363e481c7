//! Handing a letter to a real little server, with TLS in each way, and with those that are not to be trusted.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use super::{Letter, MailError, Smtp};
use crate::{clock::Clock, vault::SecretText};

/// What the server does; without more, it has TLS from the start and asks for no login.
#[derive(Clone, Copy, Default)]
struct How {
    /// Begins in the open.
    open: bool,
    /// Offers TLS there.
    starttls: bool,
    /// Offers these logins, in the open too.
    auth: &'static str,
    /// Says this in the open right behind the word that TLS may begin, as somebody on the way would.
    slipped_in: &'static str,
    /// To the last word of a login.
    login: &'static str,
}

/// A line that the server heard, and whether nobody else could.
type Heard = (bool, String);

struct Server {
    url: String,
    heard: mpsc::UnboundedReceiver<Heard>,
    roots: RootCertStore,
}

impl Server {
    async fn start(how: How, login: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, to) = (acceptor.clone(), to.clone());
                tokio::spawn(async move {
                    if !how.open {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        talk(stream, true, true, how, &to).await;
                    } else if let Some(stream) = talk(stream, false, true, how, &to).await
                        && let Ok(stream) = acceptor.accept(stream).await
                    {
                        talk(stream, true, false, how, &to).await;
                    }
                });
            }
        });
        let url = match how.open {
            true => format!("smtp://{login}localhost:{port}?tls=required"),
            false => format!("smtps://{login}localhost:{port}"),
        };
        Self { url, heard, roots }
    }

    async fn send(&self) -> Result<(), MailError> {
        self.send_trusting(self.roots.clone()).await
    }

    async fn send_trusting(&self, roots: RootCertStore) -> Result<(), MailError> {
        let url = SecretText::from(self.url.clone());
        let mail = Smtp::trusting(&url, "Gantry <gantry@example.org>", Clock::system(), roots).unwrap();
        let text = SecretText::from("The link: https://example.org/#secret".to_owned());
        mail.send(Letter { to: "ann@example.org".into(), subject: "Hello", text }).await
    }

    fn heard(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

/// The stream, when TLS is to begin on it.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    secured: bool,
    first: bool,
    how: How,
    to: &mpsc::UnboundedSender<Heard>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if first {
        stream.write_all(b"220 test\r\n").await.ok()?;
    }
    let (mut line, mut in_letter, mut in_login) = (String::new(), false, 0);
    while stream.read_line(&mut line).await.ok()? > 0 {
        let said = std::mem::take(&mut line).trim_end().to_owned();
        let _ = to.send((secured, said.clone()));
        let answer = match said.as_str() {
            "." => {
                in_letter = false;
                "250 taken".to_owned()
            }
            _ if in_letter => continue,
            "DATA" => {
                in_letter = true;
                "354 go on".to_owned()
            }
            "STARTTLS" => {
                stream.write_all(format!("220 go on\r\n{}", how.slipped_in).as_bytes()).await.ok()?;
                return Some(stream.into_inner());
            }
            _ if said.starts_with("EHLO") => {
                let tls = if how.starttls && !secured { "250-STARTTLS\r\n" } else { "" };
                let auth = if how.auth.is_empty() { String::new() } else { format!("250-AUTH {}\r\n", how.auth) };
                format!("250-test\r\n{tls}{auth}250 8BITMIME")
            }
            _ if said.starts_with("AUTH PLAIN") => how.login.to_owned(),
            "AUTH LOGIN" => {
                in_login = 2;
                format!("334 {}", STANDARD.encode("Username:"))
            }
            _ if in_login > 0 => {
                in_login -= 1;
                if in_login == 0 { how.login.to_owned() } else { format!("334 {}", STANDARD.encode("Password:")) }
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 yes".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    None
}

const ANN: &str = "ann:p%40ss@";
const STARTTLS: How = How { open: true, starttls: true, auth: "", slipped_in: "", login: "235 welcome" };
const FROM_THE_START: How = How { open: false, starttls: false, ..STARTTLS };

fn lines(heard: &[Heard], secured: bool) -> Vec<&str> {
    heard.iter().filter(|(is, _)| *is == secured).map(|(_, line)| line.as_str()).collect()
}

#[tokio::test]
async fn a_login_by_plain_goes_after_starttls_and_nothing_before_but_the_wish_for_it() {
    let mut server = Server::start(How { auth: "LOGIN PLAIN", ..STARTTLS }, ANN).await;
    server.send().await.unwrap();
    let heard = server.heard();
    assert_eq!(lines(&heard, false), ["EHLO gantry", "STARTTLS"]);
    let proof = format!("AUTH PLAIN {}", STANDARD.encode("\0ann\0p@ss"));
    let secured = lines(&heard, true);
    let commands = ["EHLO gantry", &proof, "MAIL FROM:<gantry@example.org>", "RCPT TO:<ann@example.org>", "DATA"];
    assert_eq!(secured[..5], commands);
    let text = secured[secured.iter().position(|line| line.is_empty()).unwrap() + 1];
    assert_eq!(STANDARD.decode(text).unwrap(), b"The link: https://example.org/#secret");
}

#[tokio::test]
async fn a_login_by_login_goes_over_tls_from_the_start_where_that_is_all_there_is() {
    let mut server = Server::start(How { auth: "LOGIN", ..FROM_THE_START }, ANN).await;
    server.send().await.unwrap();
    let heard = server.heard();
    assert_eq!(lines(&heard, false), [""; 0]);
    let login = ["EHLO gantry", "AUTH LOGIN", &STANDARD.encode("ann"), &STANDARD.encode("p@ss")];
    assert_eq!(lines(&heard, true)[..4], login);
    assert!(lines(&heard, true).contains(&"."), "and then the letter");
}

#[tokio::test]
async fn who_wants_no_login_is_given_none_and_who_offers_no_known_one_gets_no_letter() {
    for how in [STARTTLS, FROM_THE_START] {
        let mut server = Server::start(How { auth: "PLAIN", ..how }, "").await;
        server.send().await.unwrap();
        assert!(!server.heard().iter().any(|(_, line)| line.starts_with("AUTH")));
        let mut server = Server::start(How { auth: "XOAUTH2", ..how }, ANN).await;
        assert!(matches!(server.send().await, Err(MailError::Offers("login by PLAIN or LOGIN"))));
        assert!(!server.heard().iter().any(|(_, line)| line.starts_with("AUTH") || line.starts_with("MAIL")));
    }
}

#[tokio::test]
async fn where_there_is_no_tls_nothing_is_told() {
    let mut server = Server::start(How { starttls: false, auth: "PLAIN LOGIN", ..STARTTLS }, ANN).await;
    assert!(matches!(server.send().await, Err(MailError::Offers("TLS"))));
    assert_eq!(lines(&server.heard(), false), ["EHLO gantry"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_another_ones_is_told_nothing() {
    for how in [STARTTLS, FROM_THE_START] {
        let mut server = Server::start(How { auth: "PLAIN", ..how }, ANN).await;
        let another = Server::start(how, "").await;
        for roots in [RootCertStore::empty(), another.roots.clone()] {
            assert!(matches!(server.send_trusting(roots).await, Err(MailError::Away(_))));
        }
        // It is for localhost, and not for its address.
        server.url = server.url.replace("localhost", "127.0.0.1");
        assert!(matches!(server.send().await, Err(MailError::Away(_))));
        assert_eq!(lines(&server.heard(), true), [""; 0]);
    }
}

#[tokio::test]
async fn what_is_slipped_in_before_tls_is_not_believed() {
    let slipped_in = "250-test\r\n250 AUTH PLAIN\r\n235 welcome\r\n";
    let mut server = Server::start(How { slipped_in, auth: "XOAUTH2", ..STARTTLS }, ANN).await;
    server.send().await.unwrap_err();
    assert!(!server.heard().iter().any(|(_, line)| line.starts_with("AUTH") || line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_without_it() {
    for auth in ["PLAIN", "LOGIN"] {
        let mut server = Server::start(How { auth, login: "535 5.7.8 no ann with p@ss", ..FROM_THE_START }, ANN).await;
        let refused = server.send().await.unwrap_err();
        assert!(matches!(refused, MailError::Refused { asked: "AUTH", code: 535 }), "{refused:?}");
        assert!(!format!("{refused} {refused:?}").contains("ann"), "{refused}");
        assert!(!server.heard().iter().any(|(_, line)| line.starts_with("MAIL")));
    }
}
