//! The simulated cluster as a host of Gantry's: sealed credentials, and every node's own certificate and SSH key pinned.

use std::collections::BTreeMap;

use domain::{
    Aggregate as _, Event as _, HostId, Meta,
    host::{Auth, Host, HostCommand, HostEvent, HostSettings, Limits, SshAccess, SshNode},
};
use platform::log::{Append, Expected};
use uuid::Uuid;

use super::cluster::Cluster;
use crate::{exit::Outcome, process::Parts};

pub(super) async fn cluster(parts: &Parts, cluster: &Cluster) -> Outcome<()> {
    let id = HostId::new(Uuid::now_v7());
    let stream = Host::stream(id);
    let token = cluster.sim.token("root@pam", "gantry");
    let (token, token_row) = parts.vault.seal(&format!("{stream}/token"), token.into())?;
    let (key, key_row) = parts.vault.seal(&format!("{stream}/ssh-key"), cluster.ssh_key.to_string().into())?;
    let nodes = cluster.sim.nodes();
    let ssh = nodes.iter().map(|node| {
        let host_key = format!("ssh-ed25519 {}", node.ssh_fingerprint);
        (node.name.clone(), SshNode { address: node.ssh.to_string(), host_key })
    });
    let pins: BTreeMap<_, _> = nodes.iter().map(|node| (node.api.to_string(), node.fingerprint.clone())).collect();
    let settings = HostSettings {
        name: "demo".to_owned(),
        addresses: nodes.iter().map(|node| node.api.to_string()).collect(),
        auth: Auth::Token { id: "root@pam!gantry".to_owned(), sealed: token },
        fingerprint: nodes.first().map(|node| node.fingerprint.clone()),
        pins,
        ssh: Some(SshAccess { user: "root".to_owned(), port: 22, key, host_key: None, nodes: ssh.collect() }),
        limits: Limits::default(),
    };
    let events = Host::default().decide(HostCommand::Register(settings), &())?;
    let events = events.iter().map(HostEvent::encode).collect::<Result<Vec<_>, _>>()?;
    let append = Append::new(Meta::system("demo")).stream(stream, Expected::New, events);
    parts.log.append(append.with(token_row).with(key_row)).await?;
    Ok(())
}
