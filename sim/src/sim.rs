use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::api::certificate::Shown;
use crate::faults::Faults;
use crate::guest::ssh::{SshOptions, SshServer};
use crate::guest::{GuestError, Guests, Node, Shell};
use crate::model::world::World;
use crate::options::Options;
use crate::pct::{Behind, Gate};

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error(transparent)]
    Guest(#[from] GuestError),
    #[error("the simulator could not make or read its certificate: {0}")]
    Certificate(String),
    #[error("the simulator could not {what}: {source}")]
    Io { what: String, source: std::io::Error },
}

/// Where a node is reached.
#[derive(Clone, Debug)]
pub struct NodeAddress {
    pub name: String,
    pub api: SocketAddr,
    /// SHA-256 of its certificate at the start, `1A:A5:…`.
    pub fingerprint: String,
    pub ssh: SocketAddr,
    /// `SHA256:…` of its SSH host key.
    pub ssh_fingerprint: String,
}

/// A running simulator. It ends with [`Sim::stop`]; dropped, it ends as soon as its runtime lets it.
pub struct Sim {
    world: Arc<World>,
    nodes: Vec<NodeAddress>,
    shells: Vec<(Arc<Node>, SshServer)>,
}

/// Starts a simulated cluster.
///
/// # Errors
/// When commands cannot be kept apart from this machine, an address is taken, or the kept state cannot be read.
pub async fn start(options: Options) -> Result<Sim, SimError> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |source| SimError::Io { what, source }
    };
    let shell = if options.dry_shell { Shell::Dry } else { Shell::Run };
    let dir = options.data_dir.as_ref().map(|dir| dir.join("machines"));
    if let Some(dir) = &dir {
        std::fs::create_dir_all(dir).map_err(io("make its directory"))?;
    }
    let guests = Guests::open(dir.as_deref(), shell).await?;
    let world = World::open(options, guests).map_err(io("read what it kept"))?;
    let mut sim = Sim { world: world.clone(), nodes: Vec::new(), shells: Vec::new() };
    for (number, name) in (0..).zip(world.options.nodes.clone()) {
        let shown = Arc::new(world.change(|state| match state.nodes.get_mut(&name) {
            Some(node) => Shown::of(&name, node),
            None => Err(SimError::Certificate(format!("node {name} is not there"))),
        })?);
        let port = |first: u16| if first == 0 { 0 } else { first + number };
        let listener = TcpListener::bind((world.options.address, port(world.options.port)))
            .await
            .map_err(io("listen for HTTPS"))?;
        let api = listener.local_addr().map_err(io("listen for HTTPS"))?;
        let node = Arc::new(world.guests.node(&name, Arc::new(Behind(world.clone()))).await?);
        let gate = Arc::new(Gate { world: world.clone(), node: name.clone() });
        let address = SocketAddr::from((world.options.address, port(world.options.ssh_port)));
        let key = world.options.data_dir.as_ref().map(|dir| dir.join(format!("ssh-{name}.key")));
        let ssh = SshServer::start(node.clone(), gate, SshOptions { address, ..SshOptions::default() }, key.as_deref())
            .await?;
        sim.nodes.push(NodeAddress {
            name: name.clone(),
            api,
            fingerprint: shown.fingerprint(),
            ssh: ssh.address(),
            ssh_fingerprint: ssh.fingerprint().to_owned(),
        });
        sim.shells.push((node, ssh));
        world.tracker.spawn(crate::api::serve(listener, world.clone(), name, shown));
    }
    world.tracker.spawn(world.clone().keep());
    Ok(sim)
}

impl Sim {
    /// `https://127.0.0.1:PORT` of the first node.
    #[must_use]
    pub fn url(&self) -> String {
        self.nodes.first().map(|node| format!("https://{}", node.api)).unwrap_or_default()
    }

    /// SHA-256 of the first node's certificate.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.nodes.first().map(|node| node.fingerprint.clone()).unwrap_or_default()
    }

    /// Where the first node's SSH server listens.
    ///
    /// # Panics
    /// Never: a simulator has a node.
    #[must_use]
    pub fn ssh_address(&self) -> SocketAddr {
        self.nodes.first().map_or_else(|| SocketAddr::from((self.world.options.address, 0)), |node| node.ssh)
    }

    #[must_use]
    pub fn nodes(&self) -> &[NodeAddress] {
        &self.nodes
    }

    /// The shell of a node, for a real sshd in front of it.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<Arc<Node>> {
        self.shells.iter().find(|(node, _)| node.name() == name).map(|(node, _)| node.clone())
    }

    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.world.faults
    }

    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    #[must_use]
    pub fn guests(&self) -> &Guests {
        &self.world.guests
    }

    /// Makes a token that may all that its user may, and answers its secret.
    #[must_use]
    pub fn token(&self, user: &str, name: &str) -> String {
        self.world.add_token(user, name)
    }

    /// Ends everything: its ports are free and its state is kept when this returns.
    pub async fn stop(mut self) {
        self.shells.clear();
        self.world.end.cancel();
        self.world.tracker.close();
        self.world.tracker.wait().await;
        self.world.guests.close().await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.world.end.cancel();
    }
}
