//! How to reach a host.

use std::time::Duration;

use super::hostkey::HostKey;
use super::secret::Secret;

#[derive(Clone, Debug)]
pub enum Auth {
    /// A private key as text (PEM or OpenSSH), and its passphrase when it is locked.
    Key {
        pem: Secret,
        passphrase: Option<Secret>,
    },
    Password(Secret),
}

#[derive(Clone, Debug)]
pub struct ShellConfig {
    /// What logs and metrics call this host.
    pub name: String,
    pub address: String,
    pub port: u16,
    pub user: String,
    pub auth: Auth,
    /// The pinned key; anything else is refused before we authenticate.
    pub host_key: HostKey,
    /// Commands at once on the connection: sshd's `MaxSessions`, 10 unless somebody changed it.
    pub sessions: usize,
    /// Commands that may wait for a free place.
    pub queue: usize,
    pub connect_timeout: Duration,
    /// How often an idle connection says that it is there. Twice this long without an acknowledged packet and it is
    /// taken for lost.
    pub keepalive: Duration,
}

impl ShellConfig {
    pub fn new(address: impl Into<String>, user: impl Into<String>, auth: Auth, host_key: HostKey) -> Self {
        let address = address.into();
        Self {
            name: address.clone(),
            address,
            port: 22,
            user: user.into(),
            auth,
            host_key,
            sessions: 10,
            queue: 1000,
            connect_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(15),
        }
    }
}
