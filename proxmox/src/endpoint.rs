//! Where a host (or a cluster) is, and who we are there.

use std::fmt;
use std::time::Duration;

use crate::fingerprint::Fingerprint;
use crate::shell::Secret;

/// One node's API. Every node of a cluster has a certificate of its own, so the pin belongs to the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
    pub fingerprint: Fingerprint,
}

#[derive(Clone, Debug)]
pub enum Auth {
    /// `id` is `user@realm!name`.
    Token { id: String, secret: Secret },
    /// `user` is `user@realm`.
    Password { user: String, password: Secret },
}

#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests at once to the host; pveproxy has three workers, and each of ours that waits holds none of theirs.
    pub in_flight: usize,
    pub connect: Duration,
    /// Longer than the 30 s after which pveproxy gives up itself (596): its word is better than our silence.
    pub answer: Duration,
    /// The largest answer that is read.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 8, connect: Duration::from_secs(5), answer: Duration::from_secs(45), bytes: 32 * 1024 * 1024 }
    }
}

#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What logs, metrics and errors call this host.
    pub name: String,
    /// Any node of the cluster will do; the first that answers is kept.
    pub addresses: Vec<Address>,
    pub auth: Auth,
    pub limits: Limits,
}

impl Auth {
    /// The realm user, without a token's name.
    pub fn user(&self) -> &str {
        match self {
            Self::Token { id, .. } => id.split('!').next().unwrap_or(id),
            Self::Password { user, .. } => user,
        }
    }

    /// A token of root@pam is not root@pam: what only root may do needs root's password.
    pub fn is_root(&self) -> bool {
        matches!(self, Self::Password { user, .. } if user == "root@pam")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.trim_matches(['[', ']']);
        if host.contains(':') { write!(f, "[{host}]:{}", self.port) } else { write!(f, "{host}:{}", self.port) }
    }
}
