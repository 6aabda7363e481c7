//! Connections to hosts: made when first needed, shared by all operations, made anew when the host's settings change.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use domain::host::{self, HostSettings};
use domain::operation::{Failure, FailureKind};
use domain::{HostId, Version};
use platform::log::Log;
use platform::vault::Vault;
use proxmox::shell::{Shell, ShellConfig};
use proxmox::{Address, Auth, Client, Endpoint};

use crate::step::StepError;

pub struct Hosts {
    log: Log,
    vault: Vault,
    known: Mutex<HashMap<HostId, (Version, Arc<Host>)>>,
}

/// One host's API and its nodes' shells.
pub struct Host {
    pub id: HostId,
    pub settings: HostSettings,
    pub nodes: Vec<host::Node>,
    pub in_maintenance: bool,
    pub nodes_in_maintenance: BTreeSet<String>,
    pub client: Client,
    vault: Vault,
    shells: tokio::sync::Mutex<HashMap<String, Shell>>,
}

impl Hosts {
    #[must_use]
    pub fn new(log: Log, vault: Vault) -> Self {
        Self { log, vault, known: Mutex::default() }
    }

    /// # Errors
    /// When there is no such host, or what is stored of it can't be used.
    pub async fn get(&self, id: HostId) -> Result<Arc<Host>, StepError> {
        let loaded = self.log.load::<host::Host>(id).await.map_err(StepError::internal)?;
        if let Some((version, host)) = self.known().get(&id)
            && *version == loaded.version
        {
            return Ok(host.clone());
        }
        let Some(settings) = loaded.state.settings() else {
            let failure = Failure::new("host-unknown", "There is no such host", "it was removed; choose another one");
            return Err(StepError::last(failure));
        };
        // Which nodes are online changes the version, not the way to them: ticket, history and shells are kept.
        let before = self.known().get(&id).map(|(_, before)| before.clone());
        let before = before.filter(|before| before.settings == *settings);
        let client = match &before {
            Some(before) => before.client.clone(),
            None => self.connect(settings).await?,
        };
        let host = Arc::new(Host {
            id,
            client,
            settings: settings.clone(),
            nodes: loaded.state.nodes().to_vec(),
            in_maintenance: loaded.state.in_maintenance(),
            nodes_in_maintenance: loaded.state.nodes_in_maintenance().clone(),
            vault: self.vault.clone(),
            shells: tokio::sync::Mutex::default(),
        });
        if let Some(before) = &before
            && let (Ok(from), Ok(mut to)) = (before.shells.try_lock(), host.shells.try_lock())
        {
            to.clone_from(&from);
        }
        self.known().insert(id, (loaded.version, host.clone()));
        Ok(host)
    }

    async fn connect(&self, settings: &HostSettings) -> Result<Client, StepError> {
        let addresses = settings.addresses.iter().filter_map(|text| {
            let (host, port) = text.rsplit_once(':')?;
            let fingerprint = settings.pins.get(text).or(settings.fingerprint.as_ref())?.parse().ok()?;
            Some(Address { host: host.trim_matches(['[', ']']).to_owned(), port: port.parse().ok()?, fingerprint })
        });
        let auth = match &settings.auth {
            host::Auth::Token { id, sealed } => {
                Auth::Token { id: id.clone(), secret: secret(&self.vault, *sealed).await? }
            }
            host::Auth::Password { user, sealed } => {
                Auth::Password { user: user.clone(), password: secret(&self.vault, *sealed).await? }
            }
        };
        let addresses: Vec<_> = addresses.collect();
        if addresses.is_empty() {
            return Err(unusable("its certificate has not been confirmed; `gantry host pin` does that").into());
        }
        let endpoint = Endpoint { name: settings.name.clone(), addresses, auth, limits: proxmox::Limits::default() };
        Client::new(endpoint).map_err(|error| unusable("its settings do not make a connection").because(error).into())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<HostId, (Version, Arc<Host>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// The way to run commands on a node.
    ///
    /// # Errors
    /// When the host has no SSH access, or its key is not confirmed.
    pub async fn shell(&self, node: &str) -> Result<Shell, StepError> {
        let mut shells = self.shells.lock().await;
        if let Some(shell) = shells.get(node) {
            return Ok(shell.clone());
        }
        let Some(ssh) = &self.settings.ssh else {
            return Err(unusable("it has no SSH access, which scripts need; add a key to the host's settings").into());
        };
        let own = ssh.nodes.get(node);
        let host_key = own.map(|own| &own.host_key).or(ssh.host_key.as_ref()).and_then(|text| text.parse().ok());
        let Some(host_key) = host_key else {
            return Err(unusable("its SSH host key has not been confirmed").into());
        };
        let (address, port) = match own.and_then(|own| own.address.rsplit_once(':')) {
            Some((host, port)) => (host.trim_matches(['[', ']']).to_owned(), port.parse().unwrap_or(ssh.port)),
            None => (self.ssh_address(node), ssh.port),
        };
        let key = secret(&self.vault, ssh.key).await?;
        let auth = proxmox::shell::Auth::Key { pem: key, passphrase: None };
        let shell = Shell::new(ShellConfig { port, ..ShellConfig::new(address, &ssh.user, auth, host_key) });
        let shell = shell.map_err(|error| unusable("its SSH settings do not make a connection").because(error))?;
        shells.insert(node.to_owned(), shell.clone());
        Ok(shell)
    }

    /// The node's own address as the cluster tells it; a single server is where its API is.
    fn ssh_address(&self, node: &str) -> String {
        let told = self.nodes.iter().find(|known| known.name == node).and_then(|known| known.address.clone());
        let first =
            || self.settings.addresses.first().and_then(|text| text.rsplit_once(':')).map(|(host, _)| host.to_owned());
        told.or_else(first).unwrap_or_else(|| node.to_owned())
    }
}

async fn secret(vault: &Vault, id: domain::SealedId) -> Result<proxmox::shell::Secret, StepError> {
    let opened = vault.open(id).await.map_err(|error| unusable("its credentials can't be opened").because(error))?;
    Ok(proxmox::shell::Secret::new(opened.expose().to_vec()))
}

/// A host that an operator has to mend. Retried, because mending it is all that is needed.
fn unusable(detail: &str) -> Unusable {
    Unusable(Failure::new("host-unusable", "The host can't be used", detail))
}

struct Unusable(Failure);

impl Unusable {
    fn because(self, cause: impl std::fmt::Display + Send + Sync) -> Self {
        Self(self.0.because(cause))
    }
}

impl From<Unusable> for StepError {
    fn from(unusable: Unusable) -> Self {
        Self::new(FailureKind::Temporary, unusable.0)
    }
}
