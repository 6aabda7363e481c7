//! What lies between the processes and a server: it can be cut, it can fall silent without anybody being told, and it can
//! forget who spoke over it, as a firewall does or a server whose host was replaced.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is true of every connection through it.
#[derive(Clone, Copy, Default)]
struct State {
    /// Counts; those from before the last are over.
    cut: u32,
    /// Counts; those from before the last hear nothing more.
    forgotten: u32,
    silent: bool,
}

pub(crate) struct Wire {
    pub(crate) port: u16,
    state: watch::Sender<State>,
}

impl Wire {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State::default());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, (Ipv4Addr::LOCALHOST, server).into(), seen.clone()));
            }
        });
        Self { port, state }
    }

    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cut += 1);
    }

    /// Those who are connected hear nothing more, not even that they are not any more; whoever comes anew is served.
    pub(crate) fn forget(&self) {
        self.state.send_modify(|state| state.forgotten += 1);
    }

    /// Nothing comes through for that long, and nobody hears why.
    pub(crate) async fn silent_for(&self, how_long: Duration) {
        self.state.send_modify(|state| state.silent = true);
        tokio::time::sleep(how_long).await;
        self.state.send_modify(|state| state.silent = false);
    }
}

/// Until one side closes it or it is cut.
async fn carry(near: TcpStream, server: SocketAddr, state: watch::Receiver<State>) {
    let began = *state.borrow();
    // A server that is away closes what was opened to it.
    let Ok(far) = TcpStream::connect(server).await else { return };
    let (_, _) = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let carried = async {
        tokio::select! {
            () = one_way(near_in, far_out, began, state.clone()) => {}
            () = one_way(far_in, near_out, began, state.clone()) => {}
        }
        if state.borrow().forgotten != began.forgotten {
            std::future::pending::<()>().await;
        }
    };
    let mut cut = state.clone();
    tokio::select! {
        () = carried => {}
        _ = cut.wait_for(|state| state.cut != began.cut) => {}
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    began: State,
    mut state: watch::Receiver<State>,
) {
    let passes = |state: &State| !state.silent && state.forgotten == began.forgotten;
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if state.wait_for(passes).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
