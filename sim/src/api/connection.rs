//! One node's listener and its connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::answer::Response;
use super::certificate::Shown;
use super::dispatch::{self, Outcome};
use super::reader::{self, Unreadable};
use super::websocket;
use crate::model::world::World;

/// A connection answers so many requests.
const REQUESTS: usize = 100;

/// A node as the outside sees it.
pub(crate) struct Face {
    pub(crate) world: Arc<World>,
    pub(crate) node: String,
    pub(crate) shown: Arc<Shown>,
}

/// Answers until the simulator ends.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, node: String, shown: Arc<Shown>) {
    let face = Arc::new(Face { world, node, shown });
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(_) => continue,
            },
            () = face.world.end.cancelled() => return,
        };
        let face = face.clone();
        face.world.tracker.clone().spawn(async move {
            let end = face.world.end.clone();
            tokio::select! {
                () = greet(socket, &face) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

async fn greet(socket: TcpStream, face: &Face) {
    let _slower = socket.set_nodelay(true);
    if !is_online(face) {
        reset(&socket);
        return;
    }
    let mut first = [0];
    match tokio::time::timeout(reader::IDLE, socket.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == 0x16 => {}
        Ok(Ok(1)) => return redirect(socket, face).await,
        _ => return,
    }
    let acceptor = TlsAcceptor::from(face.shown.config());
    if let Ok(stream) = acceptor.accept(socket).await {
        talk(stream, face).await;
    }
}

fn is_online(face: &Face) -> bool {
    face.world.state().nodes.get(&face.node).is_some_and(|node| node.online)
}

/// Plain HTTP is sent to HTTPS.
async fn redirect(mut socket: TcpStream, face: &Face) {
    let mut buffer = Vec::new();
    let Ok(request) = reader::read(&mut socket, &mut buffer).await else { return };
    let mut response = if request.method == "GET" {
        Response::empty(301, "Moved Permanently")
    } else {
        Response::empty(308, "Permanent Redirect")
    };
    response.location = Some(format!("https://{}{}", request.header("host").unwrap_or("localhost"), request.path));
    let _gone = socket.write_all(&response.bytes(face.world.clock.seconds(), true)).await;
}

async fn talk(mut stream: TlsStream<TcpStream>, face: &Face) {
    let mut buffer = Vec::new();
    for number in 1..=REQUESTS {
        let now = face.world.clock.seconds();
        let request = match reader::read(&mut stream, &mut buffer).await {
            Ok(request) => request,
            Err(Unreadable::Gone) => return,
            Err(Unreadable::Refused(status, reason)) => {
                let _gone = stream.write_all(&Response::plain(status, &reason).bytes(now, true)).await;
                return drain(stream).await;
            }
        };
        // A node that has left answers nobody, not even over what was opened before.
        if !is_online(face) {
            reset(stream.get_ref().0);
            return;
        }
        let wants_close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        match dispatch::answer(face, &request).await {
            Outcome::Answer(response) => {
                let closing = response.status >= 400 || number == REQUESTS || wants_close;
                if stream.write_all(&response.bytes(now, closing)).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                if closing {
                    let _gone = stream.shutdown().await;
                    return;
                }
            }
            Outcome::Reset => {
                reset(stream.get_ref().0);
                return;
            }
            Outcome::Upgrade(console) => return websocket::serve(stream, &request, console, face.world.clone()).await,
        }
    }
}

/// A refused body is still being sent; closing at once would reset the connection before the answer is read.
async fn drain(mut stream: TlsStream<TcpStream>) {
    let _gone = stream.shutdown().await;
    let mut sink = vec![0; 16 * 1024];
    let reading = async { while matches!(stream.read(&mut sink).await, Ok(read) if read > 0) {} };
    let _enough = tokio::time::timeout(Duration::from_secs(2), reading).await;
}

/// Dropping the socket then sends a reset in place of an orderly end.
fn reset(socket: &TcpStream) {
    let _best_effort = socket.set_zero_linger();
}
