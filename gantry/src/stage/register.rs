//! The simulated cluster as a host of Gantry's: sealed credentials, and every node's own certificate and SSH key pinned.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    Aggregate as _, Event as _, HostId, Meta,
    host::{Auth, Host, HostCommand, HostEvent, HostSettings, Limits, SshAccess, SshNode},
};
use platform::log::{Append, Expected, Rows};
use platform::views::{self, HostFilter, HostRow, Page};
use uuid::Uuid;

use super::cluster::Cluster;
use crate::{
    exit::{Exit, Failure, Outcome},
    process::Parts,
};

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
    write(parts, id, settings, vec![token_row, key_row]).await
}

/// A host that this machine's own Gantry knows, with its secrets sealed anew.
pub(super) async fn known(parts: &Parts, own: &Parts, name: &str) -> Outcome<()> {
    let filter = HostFilter { name: Some(name.to_owned()) };
    let page = Page { limit: 1, ..Page::default() };
    let found = views::page::<HostRow>(own.log.db(), &filter, &page).await?.items.into_iter().next();
    let mut settings = found.map(|row| row.settings).ok_or_else(|| {
        Failure::new(Exit::Failed, format!("there is no host {name}")).next("`gantry host ls` shows those there are")
    })?;
    let id = HostId::new(Uuid::now_v7());
    let stream = Host::stream(id);
    let mut rows = Vec::new();
    let (Auth::Token { sealed, .. } | Auth::Password { sealed, .. }) = &mut settings.auth;
    for (what, sealed) in
        std::iter::once(("auth", sealed)).chain(settings.ssh.as_mut().map(|ssh| ("ssh-key", &mut ssh.key)))
    {
        let (again, row) = parts.vault.seal(&format!("{stream}/{what}"), own.vault.open(*sealed).await?)?;
        *sealed = again;
        rows.push(row);
    }
    write(parts, id, settings, rows).await
}

async fn write(parts: &Parts, id: HostId, settings: HostSettings, rows: Vec<Arc<dyn Rows>>) -> Outcome<()> {
    let events = Host::default().decide(HostCommand::Register(settings), &())?;
    let events = events.iter().map(HostEvent::encode).collect::<Result<Vec<_>, _>>()?;
    let append = Append::new(Meta::system("demo")).stream(Host::stream(id), Expected::New, events);
    parts.log.append(rows.into_iter().fold(append, Append::with)).await?;
    Ok(())
}
