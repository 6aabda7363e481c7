//! The websocket of a console: a VNC greeting, or a terminal.

use std::sync::{Arc, PoisonError};

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::asked::Asked;
use super::reader::Request;
use crate::guest::terminal::{self, SHELL, Size, Typed};
use crate::model::world::{Console, World};
use crate::refusal::Refusal;

/// A console whose ticket was good.
pub(super) struct Opened {
    console: Console,
}

/// A ticket for a console is good for so long.
const TICKET_SECONDS: f64 = 40.0;

pub(super) fn open(asked: &Asked, request: &Request) -> Result<Opened, Refusal> {
    let (port, ticket) = (asked.need("port"), asked.need("vncticket"));
    let found = asked.world.consoles.lock().unwrap_or_else(PoisonError::into_inner).get(&port).cloned();
    let good =
        found.filter(|console| console.ticket == ticket && asked.world.clock.now() - console.at <= TICKET_SECONDS);
    let Some(console) = good else { return Err(Refusal::with(401, "permission denied - invalid PVEVNC ticket")) };
    if request.header("sec-websocket-key").is_none() {
        return Err(Refusal::with(400, "websocket upgrade expected"));
    }
    asked.world.consoles.lock().unwrap_or_else(PoisonError::into_inner).remove(&port);
    Ok(Opened { console })
}

pub(super) async fn serve<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut stream: S,
    request: &Request,
    opened: Opened,
    world: Arc<World>,
) {
    let key = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
    let protocol =
        request.header("sec-websocket-protocol").map(|_| "Sec-WebSocket-Protocol: binary\r\n").unwrap_or_default();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {key}\r\n{protocol}\r\n"
    );
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    if opened.console.vnc {
        let _gone = socket.send(Message::binary(&b"RFB 003.008\n"[..])).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
    } else {
        terminal(&mut socket, &opened.console, &world).await;
    }
    opened.console.used.cancel();
    let _gone = socket.close(None).await;
}

/// `user:ticket`, then frames `0:LEN:DATA`, `1:COLS:ROWS:` and `2`; what the shell says comes back raw.
async fn terminal<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    console: &Console,
    world: &Arc<World>,
) {
    let Some(Ok(first)) = socket.next().await else { return };
    let line = String::from_utf8_lossy(&first.into_data()).trim_end().to_owned();
    // As on versions before 6.1.3 of pve-container, a token is turned away here.
    if console.user.contains('!') || line != format!("{}:{}", console.user, console.ticket) {
        return;
    }
    if socket.send(Message::binary(&b"OK"[..])).await.is_err() {
        return;
    }
    let vmid = console.path.strip_prefix("/vms/").and_then(|id| id.parse().ok());
    let shell = vmid.and_then(|vmid: u32| world.guests.command(vmid, &terminal::controlling(SHELL.into())).ok());
    let Some(mut shell) = shell else {
        let _gone = socket.send(Message::binary(&b"(commands are not run here)\r\n"[..])).await;
        while socket.next().await.is_some_and(|message| message.is_ok_and(|message| !message.is_close())) {}
        return;
    };
    shell.env("TERM", "xterm-256color");
    let (typing, typed) = mpsc::unbounded_channel();
    let (showing, mut shown) = mpsc::channel(16);
    // When it ends, so do its ends of the terminal, which hangs up.
    let relay = async move {
        loop {
            tokio::select! {
                said = shown.recv() => {
                    let Some(said) = said else { return };
                    if socket.send(Message::binary(said)).await.is_err() {
                        return;
                    }
                }
                message = socket.next() => match message {
                    Some(Ok(message)) if !message.is_close() => {
                        if let Some(meant) = meant(&message.into_data()) && typing.send(meant).is_err() {
                            return;
                        }
                    }
                    _ => return,
                },
            }
        }
    };
    let (ended, ()) = tokio::join!(terminal::run(shell, Size::default(), typed, showing), relay);
    if let Err(error) = ended {
        tracing::warn!(%error, "a console's shell could not be run");
    }
}

/// What an input frame means: `0:LEN:DATA`, or `1:COLUMNS:ROWS:`.
fn meant(frame: &[u8]) -> Option<Typed> {
    if let Some(size) = frame.strip_prefix(b"1:") {
        let (columns, rows) = std::str::from_utf8(size).ok()?.trim_end_matches(':').split_once(':')?;
        return Some(Typed::Size(Size { columns: columns.parse().ok()?, rows: rows.parse().ok()? }));
    }
    let rest = frame.strip_prefix(b"0:")?;
    let at = rest.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
    rest.get(at + 1..at + 1 + length).map(|keys| Typed::Keys(bytes::Bytes::copy_from_slice(keys)))
}
