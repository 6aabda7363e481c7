//! A mail server: it takes letters over SMTP and hands them to the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use platform::clock::Clock;
use platform::mail::{Mail, Smtp};
use tokio::sync::mpsc;

pub(crate) struct Mailbox {
    pub(crate) port: u16,
    letters: mpsc::UnboundedReceiver<String>,
}

impl Mailbox {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to, letters) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let to = to.clone();
                std::thread::spawn(move || serve(&stream, &to));
            }
        });
        Self { port, letters }
    }

    pub(crate) fn by_smtp(&self) -> std::sync::Arc<dyn Mail> {
        Smtp::open(&format!("smtp://127.0.0.1:{}", self.port).into(), "Gantry <gantry@example.org>", Clock::system())
            .unwrap()
    }

    /// The next letter, as its reader sees it.
    pub(crate) async fn next(&mut self) -> String {
        let within = std::time::Duration::from_secs(20);
        let letter = tokio::time::timeout(within, self.letters.recv()).await.expect("no letter came").unwrap();
        let (head, text) = letter.split_once("\r\n\r\n").unwrap();
        let text = base64::engine::general_purpose::STANDARD.decode(text.replace("\r\n", "")).unwrap();
        format!("{head}\r\n\r\n{}", String::from_utf8(text).unwrap())
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        self.letters.try_recv().is_err()
    }
}

fn serve(stream: &TcpStream, to: &mpsc::UnboundedSender<String>) {
    let say = |text: &str| (&*stream).write_all(format!("{text}\r\n").as_bytes());
    let mut lines = BufReader::new(stream);
    let (mut line, mut letter) = (String::new(), None::<String>);
    let _ = say("220 test");
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        let told = match (&mut letter, line.as_str()) {
            (Some(text), ".\r\n") => {
                let _ = to.send(std::mem::take(text));
                letter = None;
                say("250 taken")
            }
            (Some(text), more) => {
                text.push_str(more);
                Ok(())
            }
            (None, command) if command.starts_with("DATA") => {
                letter = Some(String::new());
                say("354 go on")
            }
            (None, command) if command.starts_with("QUIT") => return drop(say("221 bye")),
            (None, _) => say("250 yes"),
        };
        if told.is_err() {
            return;
        }
        line.clear();
    }
}

/// What stands behind the `#` of the page of that name.
pub(crate) fn link(letter: &str, page: &str) -> String {
    let (_, rest) = letter.split_once(&format!("https://gantry.example.org/welcome/{page}#")).expect(letter);
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}
