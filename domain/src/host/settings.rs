use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::HostRejection;
use crate::field::{FieldError, wrong};
use crate::{SealedId, name};

/// How to reach a host. The secrets are sealed rows; here are only their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSettings {
    pub name: String,
    /// `name:port` or `address:port`; several of one cluster, tried in order.
    pub addresses: Vec<String>,
    pub auth: Auth,
    /// SHA-256 of the certificate, in hex pairs with colons as Proxmox shows it; none until it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The same for addresses that show another certificate: every node of a cluster has its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshAccess>,
    #[serde(default)]
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Auth {
    /// `user@realm!id`, and where its secret is sealed.
    Token { id: String, sealed: SealedId },
    /// `user@realm`, and where the password is sealed.
    Password { user: String, sealed: SealedId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshAccess {
    pub user: String,
    pub port: u16,
    /// Where the private key is sealed.
    pub key: SealedId,
    /// `SHA256:…` as ssh-keygen shows it; none until it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Where that differs for a node: every node of a cluster has a key of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, SshNode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshNode {
    /// `name:port` or `address:port`.
    pub address: String,
    pub host_key: String,
}

/// What somebody has looked at and trusts from now on; what is not named stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    pub fingerprint: Option<String>,
    /// By address.
    pub pins: BTreeMap<String, String>,
    pub host_key: Option<String>,
    /// By node.
    pub nodes: BTreeMap<String, SshNode>,
}

/// How many operations may be at work at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub per_host: u16,
    pub per_node: u16,
    pub per_storage: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_host: 32, per_node: 8, per_storage: 8 }
    }
}

impl HostSettings {
    /// All that is wrong with it, at once.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = vec![];
        if self.name.trim().is_empty() || self.name.len() > 63 {
            errors.push(wrong("name", "is empty or longer than 63 characters", "give it a short name"));
        }
        if self.addresses.is_empty() {
            errors.push(wrong("addresses", "there is none", "give at least one, like pve1.example.org:8006"));
        }
        for (i, address) in self.addresses.iter().enumerate().filter(|(_, address)| !name::is_authority(address)) {
            errors.push(wrong(
                format!("addresses[{i}]"),
                format!("{address:?} is no host and port"),
                "write name:port, address:port or [IPv6]:port, like pve1.example.org:8006",
            ));
        }
        let (field, user, has_token) = match &self.auth {
            Auth::Token { id, .. } => ("auth.id", id, true),
            Auth::Password { user, .. } => ("auth.user", user, false),
        };
        if !is_user(user, has_token) {
            let example = if has_token { "gantry@pve!main" } else { "root@pam" };
            errors.push(wrong(
                field,
                format!("{user:?} is not what Proxmox calls it"),
                format!("write it like {example}"),
            ));
        }
        if self.fingerprint.iter().chain(self.pins.values()).any(|text| !is_fingerprint(text)) {
            errors.push(wrong(
                "fingerprint",
                "is no SHA-256 fingerprint",
                "32 pairs of hex digits with colons between",
            ));
        }
        if let Some(ssh) = &self.ssh {
            if ssh.user.is_empty() || !ssh.user.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
                errors.push(wrong("ssh.user", format!("{:?} is no user name", ssh.user), "write it like root"));
            }
            for (node, _) in ssh.nodes.iter().filter(|(_, ssh)| !name::is_authority(&ssh.address)) {
                errors.push(wrong(
                    format!("ssh.nodes.{node}.address"),
                    "is no host and port",
                    "write name:port or address:port, like pve2.example.org:22",
                ));
            }
            if ssh.port == 0 {
                errors.push(wrong("ssh.port", "0 is no port", "22 is usual"));
            }
        }
        for (field, limit) in [
            ("limits.per_host", self.limits.per_host),
            ("limits.per_node", self.limits.per_node),
            ("limits.per_storage", self.limits.per_storage),
        ] {
            if limit == 0 {
                errors.push(wrong(field, "0 would let nothing run", "at least 1; use maintenance to hold a host"));
            }
        }
        errors
    }

    pub(super) fn trusting(mut self, trust: Trust) -> Result<Self, HostRejection> {
        if self.ssh.is_none() && (trust.host_key.is_some() || !trust.nodes.is_empty()) {
            let error = wrong("ssh", "the host has no SSH access", "give it a private key first");
            return Err(HostRejection::Invalid(vec![error]));
        }
        self.fingerprint = trust.fingerprint.or(self.fingerprint);
        self.pins.extend(trust.pins);
        if let Some(ssh) = &mut self.ssh {
            ssh.host_key = trust.host_key.or(ssh.host_key.take());
            ssh.nodes.extend(trust.nodes);
        }
        self.checked()
    }

    pub(super) fn checked(self) -> Result<Self, HostRejection> {
        let errors = self.validate();
        if errors.is_empty() { Ok(self) } else { Err(HostRejection::Invalid(errors)) }
    }
}

fn is_user(text: &str, has_token: bool) -> bool {
    let Some((user, rest)) = text.split_once('@') else { return false };
    let (realm, token) = rest.split_once('!').map_or((rest, None), |(realm, token)| (realm, Some(token)));
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let right_token = token.map_or(!has_token, |token| has_token && plain(token));
    !user.is_empty() && !user.contains(char::is_whitespace) && plain(realm) && right_token
}

fn is_fingerprint(text: &str) -> bool {
    let pairs: Vec<_> = text.split(':').collect();
    pairs.len() == 32 && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::{Host, HostCommand, HostEvent, Node};
    use super::*;
    use crate::testing::given;

    fn settings() -> HostSettings {
        HostSettings {
            name: "pve".into(),
            addresses: vec!["pve1.example.org:8006".into(), "[2001:db8::1]:8006".into()],
            auth: Auth::Token { id: "gantry@pve!main".into(), sealed: SealedId::new(Uuid::nil()) },
            fingerprint: Some(["AB"; 32].join(":")),
            pins: BTreeMap::new(),
            ssh: None,
            limits: Limits::default(),
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        assert_eq!(settings().validate(), []);
        let bad = HostSettings {
            name: String::new(),
            addresses: vec!["https://pve1".into()],
            auth: Auth::Token { id: "root@pam".into(), sealed: SealedId::new(Uuid::nil()) },
            fingerprint: Some("AB:CD".into()),
            pins: BTreeMap::new(),
            ssh: None,
            limits: Limits { per_node: 0, ..Limits::default() },
        };
        let fields: Vec<_> = bad.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "addresses[0]", "auth.id", "fingerprint", "limits.per_node"]);
        given::<Host>([]).when(HostCommand::Register(bad), &()).then_rejected(|no| {
            assert!(no.to_string().contains("fingerprint"), "{no}");
        });
    }

    #[test]
    fn nodes_are_an_event_only_when_they_changed() {
        let node =
            |name: &str| Node { name: name.into(), online: true, version: None, address: None, storages: vec![] };
        let registered = HostEvent::Registered { settings: settings() };
        let synced = HostEvent::NodesSynced { nodes: vec![node("a"), node("b")] };
        given::<Host>([registered.clone()])
            .when(HostCommand::SyncNodes(vec![node("b"), node("a")]), &())
            .then([synced.clone()]);
        given::<Host>([registered, synced]).when(HostCommand::SyncNodes(vec![node("b"), node("a")]), &()).then([]);
    }

    #[test]
    fn what_is_trusted_is_added_to_what_was() {
        let pin = |hex: &str| [hex; 32].join(":");
        let registered = HostEvent::Registered { settings: settings() };
        let trust = Trust { pins: [("[2001:db8::1]:8006".to_owned(), pin("CD"))].into(), ..Trust::default() };
        let trusted = HostSettings { pins: trust.pins.clone(), ..settings() };
        given::<Host>([registered.clone()])
            .when(HostCommand::Trust(trust.clone()), &())
            .then([HostEvent::Updated { settings: trusted.clone() }]);
        given::<Host>([registered.clone(), HostEvent::Updated { settings: trusted }])
            .when(HostCommand::Trust(trust), &())
            .then([]);
        let ssh = Trust { host_key: Some("SHA256:x".into()), ..Trust::default() };
        given::<Host>([registered])
            .when(HostCommand::Trust(ssh), &())
            .then_rejected(|no| assert!(no.to_string().contains("no SSH access"), "{no}"));
    }

    #[test]
    fn a_removed_host_takes_no_command() {
        let events = [HostEvent::Registered { settings: settings() }, HostEvent::Removed];
        given::<Host>(events).when(HostCommand::SetMaintenance(true), &()).then_rejected(|no| {
            assert_eq!(no.to_string(), "there is no such host");
        });
    }
}
