//! SMTP (RFC 5321) as far as handing over one letter at a time needs it: TLS, a login, plain text.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Utc;
use futures_util::future::BoxFuture;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{
    Letter, Mail, MailError,
    place::{Place, Tls},
};
use crate::{clock::Clock, people::token, vault::SecretText};

/// How long a letter may take altogether.
const WITHIN: Duration = Duration::from_secs(30);
/// A server's answer is no longer than this.
const LONGEST: usize = 64 * 1024;

pub struct Smtp {
    place: Place,
    tls: TlsConnector,
    /// As in the letter's head, and the bare address in it.
    from: String,
    sender: String,
    clock: Clock,
}

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

struct Talk(BufReader<Box<dyn Line>>);

impl Smtp {
    /// # Errors
    /// When the URL or the sender's address is none.
    pub fn open(url: &SecretText, from: &str, clock: Clock) -> Result<Arc<dyn Mail>, MailError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(url, from, clock, roots)
    }

    pub(super) fn trusting(
        url: &SecretText,
        from: &str,
        clock: Clock,
        roots: RootCertStore,
    ) -> Result<Arc<dyn Mail>, MailError> {
        let place = Place::parse(url)?;
        let bare = from.rsplit_once('<').map_or(Some(from), |(_, rest)| rest.strip_suffix('>'));
        let sender = bare.filter(|address| is_address(address) && is_head(from)).map(str::to_owned);
        let wanted = "`Gantry <gantry@example.org>`";
        let sender = sender.ok_or(MailError::Settings { key: "mail.from", wanted })?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Arc::new(Self { place, tls: TlsConnector::from(Arc::new(config)), from: from.to_owned(), sender, clock }))
    }

    async fn hand_over(&self, letter: &Letter) -> Result<(), MailError> {
        if !is_address(&letter.to) {
            return Err(MailError::Address);
        }
        let Place { host, port, tls, login } = &self.place;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        let mut talk = match tls {
            Tls::FromTheStart => self.secured(stream).await?,
            Tls::Upgraded | Tls::None => Talk::over(stream),
        };
        talk.hear("the connection", 220).await?;
        let mut offers = talk.greet().await?;
        if *tls == Tls::Upgraded {
            if !offers.contains("STARTTLS") {
                return Err(MailError::Offers("TLS"));
            }
            talk.say("STARTTLS", "STARTTLS", 220).await?;
            talk = self.secured(talk.0.into_inner()).await?;
            offers = talk.greet().await?;
        }
        if let Some((user, password)) = login {
            talk.log_in(&offers, user, password).await?;
        }
        talk.say("MAIL FROM", &format!("MAIL FROM:<{}>", self.sender), 250).await?;
        talk.say("RCPT TO", &format!("RCPT TO:<{}>", letter.to), 250).await?;
        talk.say("DATA", "DATA", 354).await?;
        talk.say("the letter", &format!("{}\r\n.", self.written(letter)), 250).await?;
        // It has the letter; how it takes the good-bye changes nothing.
        let _ = talk.say("QUIT", "QUIT", 221).await;
        Ok(())
    }

    async fn secured(&self, stream: impl Line + 'static) -> Result<Talk, MailError> {
        let name = ServerName::try_from(self.place.host.clone()).map_err(std::io::Error::other)?;
        Ok(Talk::over(self.tls.connect(name, stream).await?))
    }

    /// Base64, so that no line is too long and none begins with a dot.
    fn written(&self, letter: &Letter) -> String {
        let text = STANDARD.encode(letter.text.expose().replace('\n', "\r\n"));
        let lines: Vec<&str> = text.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let host = self.sender.rsplit('@').next().unwrap_or_default();
        let at: chrono::DateTime<Utc> = self.clock.now();
        format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{host}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            self.from,
            letter.to,
            letter.subject,
            at.to_rfc2822(),
            token::random::<16>(),
            lines.join("\r\n")
        )
    }
}

impl Mail for Smtp {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(
            async move { tokio::time::timeout(WITHIN, self.hand_over(&letter)).await.unwrap_or(Err(MailError::Slow)) },
        )
    }
}

impl Talk {
    fn over(stream: impl Line + 'static) -> Self {
        Self(BufReader::new(Box::new(stream)))
    }

    /// What it offers, a line each.
    async fn greet(&mut self) -> Result<String, MailError> {
        self.say("EHLO", "EHLO gantry", 250).await
    }

    /// To be called over TLS only; a place with a login has no other way.
    async fn log_in(&mut self, offers: &str, user: &str, password: &SecretText) -> Result<(), MailError> {
        let offered = |way: &str| {
            offers.lines().any(|line| line.starts_with("AUTH") && line.split([' ', '=']).any(|word| word.trim() == way))
        };
        if offered("PLAIN") {
            let proof = SecretText::from(STANDARD.encode(format!("\0{user}\0{}", password.expose())));
            let line = SecretText::from(format!("AUTH PLAIN {}", proof.expose()));
            return self.say("AUTH", line.expose(), 235).await.map(drop);
        }
        if !offered("LOGIN") {
            return Err(MailError::Offers("login by PLAIN or LOGIN"));
        }
        self.say("AUTH", "AUTH LOGIN", 334).await?;
        self.say("AUTH", &STANDARD.encode(user), 334).await?;
        let proof = SecretText::from(STANDARD.encode(password.expose()));
        self.say("AUTH", proof.expose(), 235).await.map(drop)
    }

    async fn say(&mut self, asked: &'static str, line: &str, wanted: u16) -> Result<String, MailError> {
        self.0.write_all(line.as_bytes()).await?;
        self.0.write_all(b"\r\n").await?;
        self.0.flush().await?;
        self.hear(asked, wanted).await
    }

    async fn hear(&mut self, asked: &'static str, wanted: u16) -> Result<String, MailError> {
        let mut told = String::new();
        loop {
            let mut line = String::new();
            let read = (&mut self.0).take(LONGEST as u64).read_line(&mut line).await?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let (Some(code), true) = (code, read > 0 && told.len() < LONGEST) else {
                return Err(std::io::Error::from(std::io::ErrorKind::InvalidData).into());
            };
            // Servers write what they offer as they like.
            told.push_str(&line.get(4..).unwrap_or_default().to_ascii_uppercase());
            // `250-` is followed by more.
            if line.as_bytes().get(3) != Some(&b'-') {
                return if code == wanted { Ok(told) } else { Err(MailError::Refused { asked, code }) };
            }
        }
    }
}

/// One that says nothing else to a mail server, whatever somebody wrote.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\' | ',' | ';');
    text.len() <= 254
        && text.chars().all(plain)
        && text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
}

fn is_head(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_says_more_to_a_mail_server_than_an_address() {
        for wrong in ["", "ann", "@b", "a@", "a@b\r\nRCPT TO:<c@d>", "a@b> x", "a b@c", "a@b,c@d"] {
            assert!(!is_address(wrong), "{wrong:?}");
        }
        assert!(is_address("ann@example.org"));
        let url = SecretText::from("smtp://localhost".to_owned());
        for from in ["", "Gantry", "Gantry <gantry>", "Gantry <a@b>\r\nBcc: c@d"] {
            assert!(Smtp::trusting(&url, from, Clock::system(), RootCertStore::empty()).is_err(), "{from:?}");
        }
    }
}
