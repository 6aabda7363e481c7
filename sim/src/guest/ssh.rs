//! The SSH server of a simulated node.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey, ssh_key::LineEnding};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelOpenFailure, MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::error::GuestError;
use super::node::Node;
use super::streams::turned;

mod channel;
mod dry;
mod terminal;

/// Who may log in, and how much at once.
pub trait Door: Send + Sync + 'static {
    fn password(&self, user: &str, password: &str) -> bool;
    fn key(&self, user: &str, key: &str) -> bool;
    /// Asked for every command before it runs: whether the connection drops in its midst, this long after it started.
    fn drop_after(&self, _command: &str) -> Option<Duration> {
        None
    }
    /// Whether the machine behind it is there at all.
    fn is_up(&self) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
pub struct SshOptions {
    pub address: SocketAddr,
    /// Sessions on one connection; sshd's `MaxSessions`.
    pub channels: usize,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), channels: 10 }
    }
}

/// A running server; it ends when dropped.
pub struct SshServer {
    address: SocketAddr,
    fingerprint: String,
    host_key: String,
    stop: watch::Sender<bool>,
}

impl SshServer {
    /// Listens for a node. The host key is kept in `key_file`, so that a pinned one stays right after a restart.
    ///
    /// # Errors
    /// When the address is taken or the key cannot be kept.
    pub async fn start(
        node: Arc<Node>,
        door: Arc<dyn Door>,
        options: SshOptions,
        key_file: Option<&Path>,
    ) -> Result<Self, GuestError> {
        let key = host_key(key_file)?;
        let listener = TcpListener::bind(options.address).await.map_err(|e| GuestError::io("listen for SSH", e))?;
        let address = listener.local_addr().map_err(|e| GuestError::io("listen for SSH", e))?;
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let host_key = key
            .public_key()
            .to_openssh()
            .map_err(|e| GuestError::io("write the host key", std::io::Error::other(e)))?;
        let config = Arc::new(russh::server::Config {
            server_id: russh::SshId::Standard("SSH-2.0-OpenSSH_10.0p2 Debian-7".into()),
            methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
            auth_rejection_time: Duration::from_millis(300),
            auth_rejection_time_initial: Some(Duration::ZERO),
            max_auth_attempts: 6,
            inactivity_timeout: None,
            keys: vec![key],
            nodelay: true,
            maximum_packet_size: 65_535,
            ..Default::default()
        });
        let stop = watch::Sender::new(false);
        tokio::spawn(accept(listener, config, node, door, options.channels, stop.subscribe()));
        Ok(Self { address, fingerprint, host_key, stop })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `SHA256:…` of the host key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The public host key in OpenSSH's format.
    #[must_use]
    pub fn host_key(&self) -> &str {
        &self.host_key
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn host_key(file: Option<&Path>) -> Result<PrivateKey, GuestError> {
    let other =
        |e: russh::keys::ssh_key::Error| GuestError::io("read or write the node's host key", std::io::Error::other(e));
    if let Some(file) = file
        && let Ok(text) = std::fs::read_to_string(file)
    {
        return PrivateKey::from_openssh(text).map_err(other);
    }
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).map_err(other)?;
    if let Some(file) = file {
        key.write_openssh_file(file, LineEnding::LF).map_err(other)?;
    }
    Ok(key)
}

async fn accept(
    listener: TcpListener,
    config: Arc<russh::server::Config>,
    node: Arc<Node>,
    door: Arc<dyn Door>,
    channels: usize,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted,
            () = turned(&mut stop) => return,
        };
        let (socket, _) = match socket {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "an SSH connection was not accepted");
                continue;
            }
        };
        if !door.is_up() {
            continue;
        }
        let config = config.clone();
        let (node, door, stop) = (node.clone(), door.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(socket, config, node, door, channels, stop).await {
                tracing::debug!(%error, "an SSH connection ended");
            }
        });
    }
}

async fn connection(
    socket: tokio::net::TcpStream,
    config: Arc<russh::server::Config>,
    node: Arc<Node>,
    door: Arc<dyn Door>,
    channels: usize,
    mut stop: watch::Receiver<bool>,
) -> Result<(), russh::Error> {
    socket.set_nodelay(true)?;
    let socket = socket.into_std()?;
    let wire = socket.try_clone()?;
    let (cut, mut to_cut) = watch::channel(false);
    let handler = Connection {
        limit: channels,
        open: Arc::default(),
        shared: channel::Shared { node, door, cut: Arc::new(cut) },
    };
    let running = russh::server::run_stream(config, tokio::net::TcpStream::from_std(socket)?, handler).await?;
    tokio::select! {
        ended = running => return ended,
        () = turned(&mut to_cut) => {}
        () = turned(&mut stop) => {}
    }
    // Without a word to the client, as when a cable is pulled.
    wire.shutdown(std::net::Shutdown::Both)?;
    Ok(())
}

/// One client's connection.
struct Connection {
    limit: usize,
    open: Arc<Mutex<usize>>,
    shared: channel::Shared,
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(if self.shared.door.password(user, password) { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey_offered(&mut self, user: &str, key: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let taken = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = *open < self.limit;
            *open += usize::from(taken);
            taken
        };
        if !taken {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        reply.accept().await;
        let place = channel::Place(self.open.clone());
        tokio::spawn(channel::serve(channel, session.handle(), self.shared.clone(), place));
        Ok(())
    }
}

impl Connection {
    fn judge(&self, user: &str, key: &PublicKey) -> Auth {
        let known = key.to_openssh().is_ok_and(|line| self.shared.door.key(user, &line));
        if known { Auth::Accept } else { Auth::reject() }
    }
}
